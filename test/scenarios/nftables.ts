// What a firewall does to packets. Source: tools/testing/selftests/net/netfilter/{nft_nat,nft_nat_zones,nft_fib,nft_meta,
// nft_concat_range,conntrack_icmp_related,nft_conntrack_helper,rpath}.sh.

import { ROUTED, routed } from './networks.ts'
import { ask, ping, type Scenario } from './scenario.ts'

const at = (space: string, script: string): string => `ip netns exec ${space} nft '${script}'`

const filtered = (
  title: string,
  source: string,
  ruleset: ReadonlyArray<string>,
  steps: Scenario['steps'],
): Scenario => ({
  title,
  source: `netfilter/${source}`,
  ...ROUTED,
  network: `${routed}\n${ruleset.map((script) => at('r', script)).join('\n')}`,
  steps,
})

const PRE = 'add chain ip t pre { type nat hook prerouting priority -100; }'
const POST = 'add chain ip t post { type nat hook postrouting priority 100; }'
const FORWARD = 'add chain inet f through { type filter hook forward priority 0; }'
const DROPPING = 'add chain inet f through { type filter hook forward priority 0; policy drop; }'

export const NFTABLES: ReadonlyArray<Scenario> = [
  filtered(
    'a port is sent on to another host and port, and answers come from where one asked',
    'nft_nat.sh',
    ['add table ip t', PRE, 'add rule ip t pre tcp dport 8080 dnat to 10.0.2.2:80'],
    [
      {
        attempt: ask('tcp', 'h1', '10.0.1.254', 8080, { listen: 'h2', on: 80 }, { size: 100 }),
        expect: {
          ends: 'answered',
          from: '10.0.1.254',
          arrives: { ns: 'h2', from: '10.0.1.1', to: '10.0.2.2', port: 80 },
        },
      },
      {
        attempt: ask('tcp', 'h1', '10.0.1.254', 8081, { listen: 'h2', on: 80 }),
        expect: { ends: { errno: 'ECONNREFUSED' } },
      },
    ],
  ),
  filtered(
    'what is masqueraded comes from the address of the device',
    'nft_nat.sh',
    ['add table ip t', POST, 'add rule ip t post oifname r2 masquerade'],
    [
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered', arrives: { ns: 'h2', from: '10.0.2.254' } } },
      {
        attempt: ask('udp', 'h1', '10.0.2.2', 53, { listen: 'h2' }),
        expect: { ends: 'answered', arrives: { ns: 'h2', from: '10.0.2.254' } },
      },
    ],
  ),
  filtered(
    'a source can be any address that answers come back to',
    'nft_nat.sh',
    ['add table ip t', POST, 'add rule ip t post ip saddr 10.0.1.1 snat to 10.0.2.254'],
    [
      {
        attempt: ask('tcp', 'h1', '10.0.2.2', 80, { listen: 'h2' }),
        expect: { ends: 'answered', arrives: { ns: 'h2', from: '10.0.2.254' } },
      },
    ],
  ),
  filtered(
    'a redirect is to the host itself',
    'nft_nat.sh',
    ['add table ip t', PRE, 'add rule ip t pre tcp dport 80 redirect to :8080'],
    [
      {
        attempt: ask('tcp', 'h1', '10.0.2.2', 80, { listen: 'r', on: 8080 }),
        expect: { ends: 'answered', from: '10.0.2.2', arrives: { ns: 'r', to: '10.0.1.254', port: 8080 } },
      },
    ],
  ),
  filtered(
    'a host translates what it sends itself',
    'nft_nat.sh',
    [
      'add table ip t',
      'add chain ip t out { type nat hook output priority -100; }',
      'add rule ip t out ip daddr 10.99.0.1 dnat to 10.0.2.2',
    ],
    [
      // It must have a way to begin with.
      { attempt: ping('r', '10.99.0.1'), expect: { ends: { errno: 'ENETUNREACH' } } },
      { run: 'ip -n r route add 10.99.0.0/16 via 10.0.1.1' },
      { attempt: ping('r', '10.99.0.1'), expect: { ends: 'answered', arrives: { ns: 'h2', from: '10.0.1.254' } } },
    ],
  ),
  filtered(
    'IPv6 is translated alike',
    'nft_nat.sh',
    [
      'add table ip6 t',
      'add chain ip6 t pre { type nat hook prerouting priority -100; }',
      'add chain ip6 t post { type nat hook postrouting priority 100; }',
      'add rule ip6 t pre tcp dport 8080 dnat to [fd00:2::2]:80',
      'add rule ip6 t post oifname r2 masquerade',
    ],
    [
      {
        attempt: ask('tcp', 'h1', 'fd00:1::254', 8080, { listen: 'h2', on: 80 }),
        expect: { ends: 'answered', arrives: { ns: 'h2', from: 'fd00:2::254', port: 80 } },
      },
    ],
  ),
  filtered(
    'a port is chosen by a map',
    'nft_nat.sh',
    [
      'add table ip t',
      PRE,
      'add map ip t ports { type inet_service : ipv4_addr . inet_service; }',
      'add element ip t ports { 8001 : 10.0.2.2 . 81, 8002 : 10.0.2.2 . 82 }',
      'add rule ip t pre dnat ip to tcp dport map @ports',
    ],
    [
      { attempt: ask('tcp', 'h1', '10.0.1.254', 8001, { listen: 'h2', on: 81 }), expect: { ends: 'answered' } },
      { attempt: ask('tcp', 'h1', '10.0.1.254', 8002, { listen: 'h2', on: 82 }), expect: { ends: 'answered' } },
      {
        attempt: ask('tcp', 'h1', '10.0.1.254', 8003, { listen: 'h2', on: 83 }),
        expect: { ends: { errno: 'ECONNREFUSED' } },
      },
    ],
  ),
  filtered(
    'errors about what was translated find their way back',
    'conntrack_icmp_related.sh',
    [
      'add table ip t',
      PRE,
      POST,
      'add rule ip t pre udp dport 8080 dnat to 10.0.2.2:80',
      'add rule ip t post oifname r2 masquerade',
    ],
    [{ attempt: ask('udp', 'h1', '10.0.1.254', 8080), expect: { ends: { errno: 'ECONNREFUSED' } } }],
  ),
  filtered(
    'a policy of drop lets through what a rule accepts, and the answers if they are',
    'conntrack_icmp_related.sh',
    [
      'add table inet f',
      DROPPING,
      'add rule inet f through ct state established,related accept',
      'add rule inet f through iifname r1 tcp dport 80 accept',
    ],
    [
      { attempt: ask('tcp', 'h1', '10.0.2.2', 80, { listen: 'h2' }), expect: { ends: 'answered' } },
      { attempt: ask('tcp', 'h1', 'fd00:2::2', 80, { listen: 'h2' }), expect: { ends: 'answered' } },
      {
        attempt: ask('tcp', 'h1', '10.0.2.2', 81, { listen: 'h2' }),
        expect: { ends: 'silence', at: ['r r1 in'], notAt: ['r r2 out'] },
      },
      { attempt: ask('tcp', 'h2', '10.0.1.1', 80, { listen: 'h1' }), expect: { ends: 'silence' } },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence' } },
    ],
  ),
  filtered(
    'without a rule for answers, there are none',
    'conntrack_icmp_related.sh',
    ['add table inet f', DROPPING, 'add rule inet f through iifname r1 accept'],
    [{ attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence', arrives: { ns: 'h2' } } }],
  ),
  filtered(
    'who is rejected is told',
    'nft_fib.sh',
    [
      'add table inet f',
      FORWARD,
      'add rule inet f through tcp dport 80 reject with tcp reset',
      'add rule inet f through udp dport 80 reject',
      'add rule inet f through meta l4proto icmp reject with icmp type admin-prohibited',
    ],
    [
      {
        attempt: ask('tcp', 'h1', '10.0.2.2', 80, { listen: 'h2' }),
        expect: { ends: { errno: 'ECONNREFUSED' }, arrives: null },
      },
      {
        attempt: ask('udp', 'h1', '10.0.2.2', 80, { listen: 'h2' }),
        expect: { ends: { errno: 'ECONNREFUSED' }, arrives: null },
      },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: { errno: 'EHOSTUNREACH' } } },
      { attempt: ask('tcp', 'h1', 'fd00:2::2', 80, { listen: 'h2' }), expect: { ends: { errno: 'ECONNREFUSED' } } },
    ],
  ),
  filtered(
    'a verdict map decides by the port',
    'nft_concat_range.sh',
    [
      'add table inet f',
      FORWARD,
      'add chain inet f good',
      'add rule inet f good accept',
      'add rule inet f through tcp dport vmap { 80 : jump good, 81-89 : drop }',
    ],
    [
      { attempt: ask('tcp', 'h1', '10.0.2.2', 80, { listen: 'h2' }), expect: { ends: 'answered' } },
      { attempt: ask('tcp', 'h1', '10.0.2.2', 85, { listen: 'h2' }), expect: { ends: 'silence' } },
      { attempt: ask('tcp', 'h1', '10.0.2.2', 90, { listen: 'h2' }), expect: { ends: 'answered' } },
    ],
  ),
  filtered(
    'sets hold intervals and concatenations',
    'nft_concat_range.sh',
    [
      'add table inet f',
      FORWARD,
      'add set inet f bad { type ipv4_addr . inet_service; flags interval; }',
      'add element inet f bad { 10.0.1.0-10.0.1.9 . 80-82, 10.0.1.0/24 . 90 }',
      'add rule inet f through ip saddr . tcp dport @bad drop',
    ],
    [
      { attempt: ask('tcp', 'h1', '10.0.2.2', 81, { listen: 'h2' }), expect: { ends: 'silence' } },
      { attempt: ask('tcp', 'h1', '10.0.2.2', 90, { listen: 'h2' }), expect: { ends: 'silence' } },
      { attempt: ask('tcp', 'h1', '10.0.2.2', 83, { listen: 'h2' }), expect: { ends: 'answered' } },
    ],
  ),
  filtered(
    'a mark chooses the route',
    'nft_meta.sh',
    [
      'add table ip m',
      'add chain ip m pre { type filter hook prerouting priority -150; }',
      'add rule ip m pre tcp dport 80 meta mark set 7',
    ],
    [
      { run: 'ip -n r route add blackhole default table 100' },
      { run: 'ip -n r rule add fwmark 7 lookup 100' },
      { attempt: ask('tcp', 'h1', '10.0.2.2', 80, { listen: 'h2' }), expect: { ends: 'silence', notAt: ['r r2 out'] } },
      { attempt: ask('tcp', 'h1', '10.0.2.2', 81, { listen: 'h2' }), expect: { ends: 'answered' } },
    ],
  ),
  filtered(
    'a host that marks what it sends is routed by the mark',
    'nft_meta.sh',
    [
      'add table ip m',
      'add chain ip m out { type route hook output priority -150; }',
      'add rule ip m out udp dport 80 meta mark set 7',
    ],
    [
      { run: 'ip -n r route add blackhole default table 100' },
      { run: 'ip -n r rule add fwmark 7 lookup 100' },
      { attempt: ask('udp', 'r', '10.0.2.2', 80, { listen: 'h2' }), expect: { arrives: null } },
      { attempt: ask('udp', 'r', '10.0.2.2', 81, { listen: 'h2' }), expect: { ends: 'answered' } },
    ],
  ),
  filtered(
    'rules can ask where answers would leave',
    'rpath.sh',
    [
      'add table ip f',
      'add chain ip f pre { type filter hook prerouting priority -300; }',
      'add rule ip f pre fib saddr . iif oif missing drop',
    ],
    [
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
      { run: 'ip -n h1 addr add 10.44.0.1/32 dev lo' },
      { run: 'ip -n h1 route replace default via 10.0.1.254 src 10.44.0.1' },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence', at: ['r r1 in'], notAt: ['r r2 out'] } },
    ],
  ),
  filtered(
    'rules can ask whether an address is the own',
    'nft_fib.sh',
    ['add table ip t', PRE, 'add rule ip t pre fib daddr type local tcp dport 8080 dnat to 10.0.2.2:80'],
    [
      { attempt: ask('tcp', 'h1', '10.0.2.254', 8080, { listen: 'h2', on: 80 }), expect: { ends: 'answered' } },
      {
        attempt: ask('tcp', 'h1', '10.0.2.2', 8080, { listen: 'h2', on: 80 }),
        expect: { ends: { errno: 'ECONNREFUSED' } },
      },
    ],
  ),
  filtered(
    'what nobody tracks is not translated',
    'nft_nat.sh',
    [
      'add table ip t',
      PRE,
      'add chain ip t raw { type filter hook prerouting priority -300; }',
      'add rule ip t pre tcp dport 8080 dnat to 10.0.2.2:80',
      'add rule ip t raw tcp dport 8080 notrack',
    ],
    [
      {
        attempt: ask('tcp', 'h1', '10.0.1.254', 8080, { listen: 'h2', on: 80 }),
        expect: { ends: { errno: 'ECONNREFUSED' } },
      },
    ],
  ),
  filtered(
    'conversations of different zones are different',
    'nft_nat_zones.sh',
    [
      'add table ip t',
      'add chain ip t raw { type filter hook prerouting priority -300; }',
      'add rule ip t raw iifname r1 ct zone set 1',
      'add chain ip t through { type filter hook forward priority 0; policy drop; }',
      'add rule ip t through ct state new accept',
    ],
    [
      // The answer is in the zone 0, where it is new as well: an echo reply may not begin a conversation.
      { attempt: ask('udp', 'h1', '10.0.2.2', 53, { listen: 'h2' }), expect: { ends: 'answered' } },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence', arrives: { ns: 'h2' } } },
    ],
  ),
  filtered(
    'jumps come back, and a goto does not',
    'nft_audit.sh',
    [
      'add table inet f',
      FORWARD,
      'add chain inet f j',
      'add chain inet f g',
      'add rule inet f j tcp dport 80 return',
      'add rule inet f g tcp dport 81 return',
      'add rule inet f through jump j',
      'add rule inet f through tcp dport 80 drop',
      'add rule inet f through tcp dport 81 goto g',
      'add rule inet f through tcp dport 81 drop',
    ],
    [
      { attempt: ask('tcp', 'h1', '10.0.2.2', 80, { listen: 'h2' }), expect: { ends: 'silence' } },
      { attempt: ask('tcp', 'h1', '10.0.2.2', 81, { listen: 'h2' }), expect: { ends: 'answered' } },
    ],
  ),
  filtered(
    'balancing takes turns',
    'nft_nat.sh',
    [
      'add table ip t',
      PRE,
      'add rule ip t pre tcp dport 8080 dnat to 10.0.2.2 : numgen inc mod 2 map { 0 : 81, 1 : 82 }',
    ],
    [
      {
        attempt: ask('tcp', 'h1', '10.0.1.254', 8080, { listen: 'h2', on: 81 }),
        expect: { arrives: { ns: 'h2', port: 81 } },
      },
      {
        attempt: ask('tcp', 'h1', '10.0.1.254', 8080, { listen: 'h2', on: 82 }),
        expect: { arrives: { ns: 'h2', port: 82 } },
      },
      {
        attempt: ask('tcp', 'h1', '10.0.1.254', 8080, { listen: 'h2', on: 81 }),
        expect: { arrives: { ns: 'h2', port: 81 } },
      },
    ],
  ),
]

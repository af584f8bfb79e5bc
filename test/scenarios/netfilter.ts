// What rules see of packets and do to them, hook by hook: devices, bridges, ARP; marks, zones, header fields, counters, limits.
// Source: nft(8); tools/testing/selftests/net/netfilter/{nft_meta,nft_nat,nft_fib,br_netfilter,nft_concat_range}.sh.

import { ROUTED, routed, SWITCHED, switched } from './networks.ts'
import { ask, ping, type Scenario } from './scenario.ts'

const nft = (space: string, script: string): string => `ip netns exec ${space} nft '${script}'`

const through = (title: string, ruleset: ReadonlyArray<string>, steps: Scenario['steps']): Scenario => ({
  title,
  source: 'netfilter/nft_meta.sh',
  ...ROUTED,
  network: `${routed}\n${ruleset.map((script) => nft('r', script)).join('\n')}`,
  steps,
})

const bridged = (title: string, ruleset: ReadonlyArray<string>, steps: Scenario['steps']): Scenario => ({
  title,
  source: 'netfilter/br_netfilter.sh',
  spaces: SWITCHED,
  network: `${switched(3)}\n${ruleset.map((script) => nft('sw', script)).join('\n')}`,
  steps,
})

const FORWARD = 'add chain inet f through { type filter hook forward priority 0; }'
const DROPPING = 'add chain inet f through { type filter hook forward priority 0; policy drop; }'
const EARLY = 'add chain inet f early { type filter hook prerouting priority -300; }'
const PRE = 'add chain ip t pre { type nat hook prerouting priority -100; }'
const POST = 'add chain ip t post { type nat hook postrouting priority 100; }'
const list = (what: string): string => `ip netns exec r nft list ${what}`

const web = (port = 80, size = 100) => ask('tcp', 'h1', '10.0.2.2', port, { listen: 'h2' }, { size })
const dns = (port = 53) => ask('udp', 'h1', '10.0.2.2', port, { listen: 'h2' }, { size: 100 })

const DEVICES: ReadonlyArray<Scenario> = [
  through(
    'a device loses what its own hook drops, before it is routed',
    [
      'add table netdev n',
      'add chain netdev n in { type filter hook ingress device r1 priority 0; }',
      'add rule netdev n in ip saddr 10.0.1.1 udp dport 53 counter drop',
    ],
    [
      { attempt: dns(), expect: { ends: 'silence', at: ['r r1 in'], notAt: ['r r2 out'] } },
      { attempt: dns(54), expect: { ends: 'answered' } },
      { shows: list('table netdev n'), words: ['counter packets 1 bytes 128 drop'] },
    ],
  ),
  through(
    'what leaves by a device passes a hook of its own',
    [
      'add table netdev n',
      'add chain netdev n out { type filter hook egress device r2 priority 0; }',
      'add rule netdev n out ip6 daddr fd00:2::2 icmpv6 type echo-request counter drop',
    ],
    [
      { attempt: ping('h1', 'fd00:2::2', { size: 56 }), expect: { ends: 'silence', arrives: null } },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
      // With its Ethernet header.
      { shows: list('table netdev n'), words: ['counter packets 1 bytes 118 drop'] },
    ],
  ),
  through(
    'a table of inet at a device sees packets of IP only, each as its family',
    [
      'add table inet f',
      'add chain inet f in { type filter hook ingress device r1 priority 0; }',
      'add rule inet f in meta nfproto ipv6 icmpv6 type echo-request drop',
      'add rule inet f in meta protocol arp drop',
    ],
    [
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
      { attempt: ping('h1', 'fd00:2::2'), expect: { ends: 'silence' } },
    ],
  ),
  through(
    'rules can stop ARP',
    [
      'add table arp a',
      'add chain arp a in { type filter hook input priority 0; }',
      'add rule arp a in arp operation request arp saddr ip 10.0.1.1 drop',
    ],
    [
      { attempt: ping('h1', '10.0.1.254'), expect: { arrives: null } },
      { attempt: ping('h2', '10.0.2.254'), expect: { ends: 'answered' } },
    ],
  ),
]

const BRIDGES: ReadonlyArray<Scenario> = [
  bridged(
    'a bridge asks its own tables of what it forwards',
    [
      'add table bridge b',
      'add chain bridge b through { type filter hook forward priority 0; }',
      'add rule bridge b through iifname p1 oifname p2 ip protocol icmp counter drop',
    ],
    [
      { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'silence', at: ['sw p1 in'], notAt: ['sw p2 out'] } },
      { attempt: ping('h1', '10.0.1.3'), expect: { ends: 'answered' } },
      { attempt: ping('h3', '10.0.1.2'), expect: { ends: 'answered' } },
      { attempt: ask('tcp', 'h1', '10.0.1.2', 80, { listen: 'h2' }), expect: { ends: 'answered' } },
      { shows: 'ip netns exec sw nft list table bridge b', words: ['counter packets 1 bytes 84 drop'] },
    ],
  ),
  bridged(
    'and of what comes in, before it knows where it goes',
    [
      'add table bridge b',
      'add chain bridge b in { type filter hook prerouting priority 0; }',
      'add rule bridge b in meta pkttype broadcast ether type arp arp daddr ip 10.0.1.3 drop',
      'add rule bridge b in ether type ip6 drop',
    ],
    [
      { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'answered' } },
      { attempt: ping('h1', '10.0.1.3'), expect: { arrives: null } },
      { attempt: ping('h1', 'fd00:1::2'), expect: { arrives: null } },
    ],
  ),
]

const FIELDS: ReadonlyArray<Scenario> = [
  through(
    'rules see the frame that a packet has come in, as far as it is forwarded',
    [
      'add table inet f',
      FORWARD,
      'add rule inet f through ether daddr 02:00:00:00:00:77 drop',
      'add rule inet f through meta pkttype host ip protocol icmp ether type ip counter drop',
    ],
    [
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence' } },
      { attempt: ping('h1', 'fd00:2::2'), expect: { ends: 'answered' } },
      { attempt: ping('r', '10.0.2.2'), expect: { ends: 'answered' } },
    ],
  ),
  through(
    'a rule can set header fields',
    [
      'add table inet f',
      FORWARD,
      'add rule inet f through ip daddr 10.0.2.2 ip ttl set 7',
      'add rule inet f through ip6 daddr fd00:2::2 ip6 hoplimit set 9',
      'add rule inet f through udp dport 53 udp dport set 5353',
      'add rule inet f through tcp dport 80 ip dscp set cs1',
    ],
    [
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered', arrives: { ns: 'h2', ttl: 7 } } },
      { attempt: ping('h1', 'fd00:2::2'), expect: { ends: 'answered', arrives: { ns: 'h2', ttl: 9 } } },
      {
        attempt: ask('udp', 'h1', '10.0.2.2', 53, { listen: 'h2', on: 5353 }),
        expect: { arrives: { ns: 'h2', port: 5353 } },
      },
      { attempt: web(), expect: { ends: 'answered' } },
    ],
  ),
  through(
    'rules can ask for flags, types and lengths',
    [
      'add table ip f',
      'add chain ip f through { type filter hook forward priority 0; }',
      'add rule ip f through tcp flags & (syn | ack) == syn tcp dport 81 drop',
      'add rule ip f through icmp type echo-request ip length > 500 drop',
      'add rule ip f through udp length 108 udp dport 54 drop',
    ],
    [
      { attempt: web(80), expect: { ends: 'answered' } },
      { attempt: web(81), expect: { ends: 'silence' } },
      { attempt: ping('h1', '10.0.2.2', { size: 56 }), expect: { ends: 'answered' } },
      { attempt: ping('h1', '10.0.2.2', { size: 600 }), expect: { ends: 'silence' } },
      { attempt: dns(54), expect: { ends: 'silence' } },
      { attempt: dns(55), expect: { ends: 'answered' } },
    ],
  ),
  through(
    'rules can ask what the tables say of an address',
    [
      'add table inet f',
      EARLY,
      'add rule inet f early iifname r1 fib daddr . iif type local tcp dport 80 counter accept',
      'add rule inet f early iifname r1 fib daddr type local tcp dport 80 drop',
      'add rule inet f early iifname r1 fib daddr oifname r2 tcp dport 81 drop',
      'add rule inet f early iifname r1 fib saddr type { local, broadcast, multicast } drop',
    ],
    [
      { attempt: ask('tcp', 'h1', '10.0.1.254', 80, { listen: 'r' }), expect: { ends: 'answered' } },
      { attempt: ask('tcp', 'h1', '10.0.2.254', 80, { listen: 'r' }), expect: { ends: 'silence' } },
      { attempt: ask('tcp', 'h1', 'fd00:1::254', 80, { listen: 'r' }), expect: { ends: 'answered' } },
      { attempt: web(81), expect: { ends: 'silence' } },
      { attempt: web(82), expect: { ends: 'answered' } },
    ],
  ),
]

const CONVERSATIONS: ReadonlyArray<Scenario> = [
  through(
    'a mark of a conversation is seen by its answers',
    [
      'add table inet f',
      EARLY,
      'add chain inet f late { type filter hook prerouting priority -100; }',
      DROPPING,
      'add rule inet f late iifname r1 udp dport 53 ct mark set 5',
      'add rule inet f through ct mark 5 counter accept',
    ],
    [
      { attempt: dns(), expect: { ends: 'answered' } },
      { attempt: dns(54), expect: { ends: 'silence' } },
      { shows: list('chain inet f through'), words: ['ct mark 0x00000005 counter packets 2 bytes 256 accept'] },
    ],
  ),
  through(
    'rules can ask for a conversation, its directions and what was done to it',
    [
      'add table ip t',
      PRE,
      'add rule ip t pre tcp dport 8080 dnat to 10.0.2.2:80',
      'add chain ip t through { type filter hook forward priority 0; policy drop; }',
      'add rule ip t through ct direction reply ct reply saddr 10.0.2.2 accept',
      'add rule ip t through ct status dnat tcp dport 80 ct original proto-dst 8080 accept',
    ],
    [
      {
        attempt: ask('tcp', 'h1', '10.0.1.254', 8080, { listen: 'h2', on: 80 }),
        expect: { ends: 'answered', arrives: { ns: 'h2', port: 80 } },
      },
      { attempt: web(80), expect: { ends: 'silence' } },
    ],
  ),
  through(
    'who is reset after a translation hears it from where it called',
    [
      'add table ip t',
      PRE,
      'add rule ip t pre tcp dport 8080 dnat to 10.0.2.2:80',
      'add chain ip t through { type filter hook forward priority 0; }',
      'add rule ip t through tcp dport 80 reject with tcp reset',
    ],
    [
      {
        attempt: ask('tcp', 'h1', '10.0.1.254', 8080, { listen: 'h2', on: 80 }),
        expect: { ends: { errno: 'ECONNREFUSED' }, arrives: null },
      },
    ],
  ),
  through(
    'each family is told in its own words that something is rejected',
    [
      'add table inet f',
      FORWARD,
      'add rule inet f through udp dport 60 reject with icmpx type host-unreachable',
      'add rule inet f through udp dport 61 reject with icmpx type admin-prohibited',
      'add rule inet f through udp dport 62 reject with icmpv6 type no-route',
      'add rule inet f through udp dport 63 reject with icmp type net-unreachable',
    ],
    [
      // Of some a connected socket is told nothing: they may pass.
      { attempt: ask('udp', 'h1', '10.0.2.2', 60), expect: { ends: 'silence' } },
      { attempt: ask('udp', 'h1', 'fd00:2::2', 60), expect: { ends: 'silence' } },
      { attempt: ask('udp', 'h1', '10.0.2.2', 61), expect: { ends: { errno: 'EHOSTUNREACH' } } },
      { attempt: ask('udp', 'h1', 'fd00:2::2', 61), expect: { ends: { errno: 'EACCES' } } },
      { attempt: ask('udp', 'h1', 'fd00:2::2', 62), expect: { ends: 'silence' } },
      { attempt: ask('udp', 'h1', '10.0.2.2', 63), expect: { ends: 'silence' } },
    ],
  ),
]

const STATES: ReadonlyArray<Scenario> = [
  through(
    'what is counted is listed, by rules, by names and in sets',
    [
      'add table inet f',
      'add counter inet f web',
      'add set inet f who { type ipv4_addr; size 16; flags dynamic; }',
      FORWARD,
      'add rule inet f through tcp dport 80 counter name web',
      'add rule inet f through udp dport 53 counter add @who { ip saddr counter }',
    ],
    [
      { attempt: dns(), expect: { ends: 'answered' } },
      { attempt: dns(), expect: { ends: 'answered' } },
      { shows: list('chain inet f through'), words: ['udp dport 53 counter packets 2 bytes 256'] },
      { shows: list('set inet f who'), words: ['10.0.1.1 counter packets 2 bytes 256'] },
      { shows: list('counter inet f web'), words: ['packets 0 bytes 0'] },
    ],
  ),
  through(
    'a limit lets as many pass as it says',
    [
      'add table inet f',
      DROPPING,
      'add rule inet f through iifname r2 accept',
      'add rule inet f through limit rate 1/hour burst 2 packets accept',
    ],
    [
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence' } },
    ],
  ),
  through(
    'a packet can put its sender into a set, until that has forgotten it',
    [
      'add table inet f',
      'add set inet f seen { type ipv4_addr; flags dynamic,timeout; timeout 1s; }',
      FORWARD,
      'add rule inet f through iifname r1 ip saddr @seen drop',
      'add rule inet f through iifname r1 udp dport 53 add @seen { ip saddr }',
    ],
    [
      { attempt: dns(), expect: { ends: 'answered' } },
      { attempt: dns(54), expect: { ends: 'silence' } },
      { wait: 1500 },
      { attempt: dns(54), expect: { ends: 'answered' } },
    ],
  ),
  through(
    'a hash of the sender chooses the same server every time',
    [
      'add table ip t',
      PRE,
      'add rule ip t pre tcp dport 8080 dnat to 10.0.2.2 : jhash ip saddr . tcp dport mod 4 seed 0xdeadbeef map { 0 : 80, 1 : 81, 2 : 82, 3 : 83 }',
    ],
    [
      {
        attempt: ask('tcp', 'h1', '10.0.1.254', 8080, { listen: 'h2', on: 81 }),
        expect: { ends: 'answered', arrives: { ns: 'h2', port: 81 } },
      },
    ],
  ),
  through(
    'ports of a translation come from the range that is given',
    [
      'add table ip t',
      POST,
      'add rule ip t post udp dport 53 snat to 10.0.2.254:2000',
      'add rule ip t post udp dport 54 masquerade to :3000',
    ],
    [
      { attempt: dns(53), expect: { ends: 'answered', arrives: { ns: 'h2', from: '10.0.2.254' } } },
      { attempt: dns(54), expect: { ends: 'answered', arrives: { ns: 'h2', from: '10.0.2.254' } } },
    ],
  ),
  through(
    'a table can sleep, and what it needed goes with it',
    [
      'add table inet f',
      FORWARD,
      'add rule inet f through icmp type echo-request drop',
      'add table inet f { flags dormant; }',
    ],
    [
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
      { run: nft('r', 'add table inet f') },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence' } },
      { run: nft('r', 'delete table inet f') },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
    ],
  ),
]

export const NETFILTER: ReadonlyArray<Scenario> = [...DEVICES, ...BRIDGES, ...FIELDS, ...CONVERSATIONS, ...STATES]

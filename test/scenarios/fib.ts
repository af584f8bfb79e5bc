// Where packets go. Source: tools/testing/selftests/net/{fib_tests,fib_rule_tests,fib-onlink-tests,fib_nexthop_multiprefix,pmtu,
// icmp_redirect,traceroute,unicast_extensions}.sh, forwarding/router.sh.

import { ip } from '../../src/net/ip.ts'
import { cable, host, ROUTED, routed } from './networks.ts'
import { ask, ping, type Scenario } from './scenario.ts'

const across = (title: string, source: string, steps: Scenario['steps'], more = ''): Scenario => ({
  title,
  source,
  ...ROUTED,
  network: `${routed}\n${more}`,
  steps,
})

/** h1 with two cables to r, of which the second is net 3, and h2 behind. */
const twoWays = `
  ${cable('r', 'r3', 'h1', 'eth1')}
  ${host('r', 'r3', 254, 3)}
  ${host('h1', 'eth1', 1, 3)}`

export const FIB: ReadonlyArray<Scenario> = [
  across('a router passes packets on, each with a hop less', 'forwarding/router.sh', [
    {
      attempt: ping('h1', '10.0.2.2'),
      expect: { ends: 'answered', ttl: 63, arrives: { ns: 'h2', ttl: 63 }, at: ['r r1 in', 'r r2 out'] },
    },
    { attempt: ping('h1', 'fd00:2::2'), expect: { ends: 'answered', ttl: 63, arrives: { ns: 'h2', ttl: 63 } } },
    {
      attempt: ask('tcp', 'h1', '10.0.2.2', 80, { listen: 'h2' }, { size: 3000 }),
      expect: { ends: 'answered', ttl: 63 },
    },
  ]),
  across('a host that does not forward says nothing', 'forwarding/router.sh', [
    { run: 'ip netns exec r sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0' },
    {
      attempt: ping('h1', '10.0.2.2'),
      expect: { ends: 'silence', arrives: null, at: ['r r1 in'], notAt: ['r r2 out'] },
    },
    { attempt: ping('h1', 'fd00:2::2'), expect: { ends: 'silence', arrives: null } },
  ]),
  across('forwarding is a matter of the device that a packet came in by', 'forwarding/router.sh', [
    { run: 'ip netns exec r sysctl -qw net.ipv4.conf.r1.forwarding=0' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence', notAt: ['r r2 out'] } },
    { attempt: ping('h2', '10.0.1.1'), expect: { ends: 'silence', at: ['r r1 out'] } },
  ]),
  across('the longest prefix wins', 'fib_tests.sh', [
    { run: 'ip -n r route add blackhole 10.0.2.2/32' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence', arrives: null } },
    { run: 'ip -n r route del blackhole 10.0.2.2/32' },
    { run: 'ip -n r route add blackhole 10.0.0.0/16' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
  ]),
  across('of equal prefixes the lowest metric wins', 'fib_tests.sh', [
    { run: 'ip -n h1 route add 10.0.2.0/24 via 10.0.1.99 metric 50' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence' } },
    { run: 'ip -n h1 route add 10.0.2.0/24 via 10.0.1.254 metric 20' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
  ]),
  across('a route that is unreachable, prohibited or a black hole says so to its own host', 'fib_tests.sh', [
    { run: 'ip -n h1 route add unreachable 10.9.1.0/24' },
    { run: 'ip -n h1 route add prohibit 10.9.2.0/24' },
    { run: 'ip -n h1 route add blackhole 10.9.3.0/24' },
    { attempt: ping('h1', '10.9.1.1'), expect: { ends: { errno: 'EHOSTUNREACH' } } },
    { attempt: ping('h1', '10.9.2.1'), expect: { ends: { errno: 'EACCES' } } },
    { attempt: ping('h1', '10.9.3.1'), expect: { ends: { errno: 'EINVAL' } } },
    { run: 'ip -n h1 -6 route add unreachable fd09:1::/64' },
    { run: 'ip -n h1 -6 route add prohibit fd09:2::/64' },
    { run: 'ip -n h1 -6 route add blackhole fd09:3::/64' },
    { attempt: ping('h1', 'fd09:1::1'), expect: { ends: { errno: 'EHOSTUNREACH' } } },
    { attempt: ping('h1', 'fd09:2::1'), expect: { ends: { errno: 'EACCES' } } },
    { attempt: ping('h1', 'fd09:3::1'), expect: { ends: { errno: 'EINVAL' } } },
  ]),
  across('and to hosts behind a router as an ICMP error, or not at all', 'fib_tests.sh', [
    { run: 'ip -n r route add unreachable 10.9.1.0/24' },
    { run: 'ip -n r route add prohibit 10.9.2.0/24' },
    { run: 'ip -n r route add blackhole 10.9.3.0/24' },
    { attempt: ping('h1', '10.9.1.1'), expect: { ends: { errno: 'EHOSTUNREACH' } } },
    { attempt: ping('h1', '10.9.2.1'), expect: { ends: { errno: 'EHOSTUNREACH' } } },
    { attempt: ping('h1', '10.9.3.1'), expect: { ends: 'silence' } },
    { attempt: ping('h1', '10.200.0.1'), expect: { ends: { errno: 'ENETUNREACH' } } },
  ]),
  across('a throw ends the search in its table, and not the search', 'fib_rule_tests.sh', [
    { run: 'ip -n r route add throw 10.0.2.0/24 table 100' },
    { run: 'ip -n r route add default via 10.0.1.99 table 100' },
    { run: 'ip -n r rule add from 10.0.1.0/24 lookup 100' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
  ]),
  across('rules choose tables by source, device, mark and destination', 'fib_rule_tests.sh', [
    { run: 'ip -n r route add blackhole default table 100' },
    { run: 'ip -n r rule add from 10.0.1.1 lookup 100' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence' } },
    { run: 'ip -n r rule del from 10.0.1.1 lookup 100' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
    { run: 'ip -n r rule add iif r1 lookup 100' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence' } },
    { run: 'ip -n r rule del iif r1 lookup 100' },
    { run: 'ip -n r rule add to 10.0.2.0/24 lookup 100' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence' } },
    { run: 'ip -n r rule del to 10.0.2.0/24 lookup 100' },
    { run: 'ip -n h1 route add blackhole default table 100' },
    { run: 'ip -n h1 rule add fwmark 7 lookup 100' },
    { attempt: ping('h1', '10.0.2.2', { mark: 7 }), expect: { ends: { errno: 'EINVAL' } } },
    { attempt: ping('h1', '10.0.2.2', { mark: 8 }), expect: { ends: 'answered' } },
  ]),
  across('a rule can refuse by itself, and skip short prefixes', 'fib_rule_tests.sh', [
    { run: 'ip -n h1 rule add to 10.0.2.0/24 priority 10 prohibit' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: { errno: 'EACCES' } } },
    { run: 'ip -n h1 rule del priority 10' },
    { run: 'ip -n h1 rule add priority 10 lookup main suppress_prefixlength 0' },
    { run: 'ip -n h1 rule add priority 11 unreachable' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: { errno: 'ENETUNREACH' } } },
    { attempt: ping('h1', '10.0.1.254'), expect: { ends: 'answered' } },
  ]),
  across('a packet has the source that its route prefers', 'fib_tests.sh', [
    { run: 'ip -n h1 addr add 10.7.7.7/32 dev lo' },
    { run: 'ip -n h1 route replace default via 10.0.1.254 src 10.7.7.7' },
    { run: 'ip -n r route add 10.7.7.7/32 via 10.0.1.1' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered', arrives: { ns: 'h2', from: '10.7.7.7' } } },
    { attempt: ping('h1', '10.0.2.2', { from: ip('10.0.1.1') }), expect: {} },
  ]),
  across('without a preference, the first address of the subnet of the gateway', 'fib_tests.sh', [
    { run: 'ip -n h1 addr add 10.0.1.77/24 dev eth0' },
    { run: 'ip -n h1 addr add 10.50.0.1/24 dev eth0' },
    { attempt: ping('h1', '10.0.2.2'), expect: { arrives: { ns: 'h2', from: '10.0.1.1' } } },
    { run: 'ip -n r addr add 10.50.0.254/24 dev r1' },
    { attempt: ping('h1', '10.50.0.254'), expect: { arrives: { ns: 'r', from: '10.50.0.1' } } },
  ]),
  across('a gateway must be on the link, unless one says that it is', 'fib-onlink-tests.sh', [
    { run: 'ip -n h1 route add 10.8.0.0/24 via 172.16.0.1 dev eth0', fails: 'ENETUNREACH' },
    { run: 'ip -n h1 route add 10.8.0.0/24 via 172.16.0.1 dev eth0 onlink' },
    { run: 'ip -n r addr add 172.16.0.1/32 dev r1' },
    { run: 'ip -n r addr add 10.8.0.1/32 dev lo' },
    { attempt: ping('h1', '10.8.0.1'), expect: { ends: 'answered' } },
    { run: 'ip -n h1 -6 route add fd08::/64 via fd99::1 dev eth0', fails: 'EHOSTUNREACH' },
    { run: 'ip -n h1 -6 route add fd08::/64 via fd99::1 dev eth0 onlink' },
  ]),
  across('a gateway on a device that is down is none', 'fib_tests.sh', [
    { run: 'ip -n h1 link set eth0 down' },
    { run: 'ip -n h1 route add 10.8.0.0/24 via 10.0.1.254 dev eth0', fails: 'ENETUNREACH' },
    { run: 'ip -n h1 route add 10.8.0.0/24 dev eth0', fails: 'ENETDOWN' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: { errno: 'ENETUNREACH' } } },
  ]),
  across('routes go when their device goes down, and connected ones come back with it', 'fib_tests.sh', [
    { fact: { ns: 'h1', is: true, of: 'routes', like: { to: '0.0.0.0/0', dev: 'eth0' } } },
    { run: 'ip -n h1 link set eth0 down' },
    { fact: { ns: 'h1', is: false, of: 'routes', like: { to: '0.0.0.0/0' } } },
    { fact: { ns: 'h1', is: false, of: 'routes', like: { to: '10.0.1.0/24' } } },
    { run: 'ip -n h1 link set eth0 up' },
    { fact: { ns: 'h1', is: true, of: 'routes', like: { to: '10.0.1.0/24', dev: 'eth0' } } },
    { fact: { ns: 'h1', is: false, of: 'routes', like: { to: '0.0.0.0/0' } } },
  ]),
  across('routes without carrier stay', 'fib_tests.sh', [
    { run: 'ip -n r link set r1 down' },
    { fact: { ns: 'h1', is: true, of: 'routes', like: { to: '0.0.0.0/0', dev: 'eth0' } } },
    { attempt: ping('h1', '10.0.1.254'), expect: { ends: 'silence' } },
  ]),
  across(
    'of several hops, those on a device that is down are not taken',
    'fib_tests.sh',
    [
      { run: 'ip -n h1 route replace default nexthop via 10.0.1.254 dev eth0 nexthop via 10.0.3.254 dev eth1' },
      { run: 'ip -n h1 link set eth0 down' },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered', at: ['h1 eth1 out'], notAt: ['h1 eth0 out'] } },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
    ],
    twoWays,
  ),
  across(
    'with strict reverse path filtering a packet must come in where its answers would leave',
    'fib_tests.sh',
    [
      { run: 'ip netns exec r sysctl -qw net.ipv4.conf.all.rp_filter=1' },
      { run: 'ip -n h1 route add 10.0.2.0/24 via 10.0.3.254 dev eth1' },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered', at: ['r r3 in'] } },
      { run: 'ip -n h1 route replace 10.0.2.0/24 via 10.0.3.254 dev eth1 src 10.0.1.1' },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence', at: ['r r3 in'], notAt: ['r r2 out'] } },
      { run: 'ip netns exec r sysctl -qw net.ipv4.conf.all.rp_filter=2' },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
    ],
    twoWays,
  ),
  across('a host takes no packet that says it comes from itself, unless told to', 'fib_tests.sh', [
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
    { run: 'ip -n r addr add 10.0.1.1/32 dev lo' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence', at: ['r r1 in'], notAt: ['r r2 out'] } },
  ]),
  across('loopback addresses are not taken from a wire, unless the device routes them', 'unicast_extensions.sh', [
    { run: 'ip -n h1 route add 127.9.9.9/32 via 10.0.1.254 table local' },
    { run: 'ip -n h1 route del local 127.0.0.0/8 dev lo table local' },
    { attempt: ping('h1', '127.9.9.9', { from: ip('10.0.1.1') }), expect: { arrives: null } },
  ]),
  across('a TTL that runs out is told by the router', 'traceroute.sh', [
    {
      attempt: ping('h1', '10.0.2.2', { ttl: 1 }),
      expect: { ends: { errno: 'EHOSTUNREACH' }, arrives: null, notAt: ['r r2 out'] },
    },
    { attempt: ping('h1', 'fd00:2::2', { ttl: 1 }), expect: { ends: { errno: 'EHOSTUNREACH' }, arrives: null } },
    { attempt: ping('h1', '10.0.2.2', { ttl: 2 }), expect: { ends: 'answered' } },
    { attempt: ping('h1', '10.0.1.254', { ttl: 1 }), expect: { ends: 'answered' } },
  ]),
  across('a router cuts what is too long for the next link, if it may', 'pmtu.sh', [
    { run: 'ip -n r link set r2 mtu 1300' },
    { run: 'ip -n h2 link set eth0 mtu 1300' },
    { attempt: ping('h1', '10.0.2.2', { size: 1400, df: false }), expect: { ends: 'answered' } },
    {
      attempt: ping('h1', '10.0.2.2', { size: 1400, df: true }),
      expect: { ends: { errno: 'EMSGSIZE' }, arrives: null },
    },
    // It knows by now.
    {
      attempt: ping('h1', '10.0.2.2', { size: 1400, df: true }),
      expect: { ends: { errno: 'EMSGSIZE' }, notAt: ['h1 eth0 out'] },
    },
    { attempt: ping('h1', '10.0.2.2', { size: 1200, df: true }), expect: { ends: 'answered' } },
  ]),
  across('of IPv6 a router cuts nothing, and its source learns of it', 'pmtu.sh', [
    { run: 'ip -n r link set r2 mtu 1300' },
    { run: 'ip -n h2 link set eth0 mtu 1300' },
    { attempt: ping('h1', 'fd00:2::2', { size: 1400 }), expect: { ends: { errno: 'EMSGSIZE' }, arrives: null } },
    { attempt: ping('h1', 'fd00:2::2', { size: 1400 }), expect: { ends: 'answered' } },
  ]),
  across('what is too long for the own link is cut, or refused', 'pmtu.sh', [
    { attempt: ping('h1', '10.0.1.254', { size: 3000 }), expect: { ends: 'answered' } },
    {
      attempt: ping('h1', '10.0.1.254', { size: 3000, df: true }),
      expect: { ends: { errno: 'EMSGSIZE' }, notAt: ['h1 eth0 out'] },
    },
    { attempt: ping('h1', 'fd00:1::254', { size: 3000 }), expect: { ends: 'answered' } },
  ]),
  across('a gateway of the other family leads the way', 'fib_nexthop_multiprefix.sh', [
    { run: 'ip -n h1 route replace 10.0.2.0/24 via inet6 fd00:1::254 dev eth0' },
    { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
  ]),
  across('an address that goes takes its routes along', 'fib_tests.sh', [
    { run: 'ip -n h1 addr add 10.60.0.1/24 dev eth0' },
    { run: 'ip -n h1 route add 10.61.0.0/24 via 10.0.1.254 src 10.60.0.1' },
    { run: 'ip -n h1 addr del 10.60.0.1/24 dev eth0' },
    { fact: { ns: 'h1', is: false, of: 'routes', like: { to: '10.60.0.0/24' } } },
    { fact: { ns: 'h1', is: false, of: 'routes', like: { to: '10.61.0.0/24' } } },
  ]),
]

// Who has an address. Source: tools/testing/selftests/net/{arp_ndisc_evict_nocarrier,arp_ndisc_untracked_subnets,
// ndisc_unsolicited_na_test}.sh, ip-sysctl.rst.

import { cable, host, ROUTED, routed, SWITCHED, switched } from './networks.ts'
import { ping, type Scenario } from './scenario.ts'

const direct = (title: string, source: string, steps: Scenario['steps'], more = ''): Scenario => ({
  title,
  source,
  spaces: ['h1', 'h2'],
  network: `${cable('h1', 'eth0', 'h2', 'eth0')}
    ${host('h1', 'eth0', 1)}
    ${host('h2', 'eth0', 2)}
    ${more}`,
  steps,
})

const known = (space: string, ip: string, is = true, state?: string): Scenario['steps'][number] => ({
  fact: { ns: space, is, of: 'neighbours', like: { dev: 'eth0', ip, ...(state === undefined ? {} : { state }) } },
})

export const NEIGHBOUR: ReadonlyArray<Scenario> = [
  direct('who asks and who is asked know each other afterwards', 'arp_ndisc_untracked_subnets.sh', [
    { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'answered' } },
    known('h1', '10.0.1.2'),
    known('h2', '10.0.1.1'),
    { attempt: ping('h1', 'fd00:1::2'), expect: { ends: 'answered' } },
    known('h1', 'fd00:1::2'),
    known('h2', 'fd00:1::1'),
  ]),
  direct('a permanent entry is believed, be it wrong', 'arp_ndisc_evict_nocarrier.sh', [
    { run: 'ip -n h1 neigh add 10.0.1.2 lladdr 02:00:00:00:99:99 dev eth0 nud permanent' },
    { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'silence', arrives: null, at: ['h2 eth0 in'] } },
    { run: 'ip -n h1 neigh del 10.0.1.2 dev eth0' },
    { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'answered' } },
  ]),
  direct('a host answers for an address of another of its devices', 'ip-sysctl.rst', [
    { run: 'ip -n h2 addr add 10.0.1.200/32 dev lo' },
    { attempt: ping('h1', '10.0.1.200'), expect: { ends: 'answered' } },
  ]),
  direct('unless arp_ignore says that the address must be of the device', 'ip-sysctl.rst', [
    { run: 'ip -n h2 addr add 10.0.1.200/32 dev lo' },
    { run: 'ip netns exec h2 sysctl -qw net.ipv4.conf.all.arp_ignore=1' },
    { attempt: ping('h1', '10.0.1.200'), expect: { ends: 'silence', arrives: null } },
    { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'answered' } },
  ]),
  direct('with arp_ignore 8 nobody is answered', 'ip-sysctl.rst', [
    { run: 'ip netns exec h2 sysctl -qw net.ipv4.conf.eth0.arp_ignore=8' },
    { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'silence' } },
  ]),
  direct('over IPv6 only addresses of the device are answered for', 'ndisc_unsolicited_na_test.sh', [
    { run: 'ip -n h2 addr add fd00:1::200/128 dev lo' },
    { attempt: ping('h1', 'fd00:1::200'), expect: { ends: 'silence' } },
  ]),
  {
    title: 'a router with proxy_arp answers for what it routes elsewhere',
    source: 'ip-sysctl.rst',
    ...ROUTED,
    network: `${routed}
      ip -n h1 route replace 10.0.2.0/24 dev eth0`,
    steps: [
      { attempt: ping('h1', '10.0.2.99'), expect: { ends: 'silence' } },
      { run: 'ip netns exec r sysctl -qw net.ipv4.conf.r1.proxy_arp=1' },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
    ],
  },
  {
    title: 'a router answers for the neighbours that it was told to stand for',
    source: 'ip-neighbour(8)',
    ...ROUTED,
    network: `${routed}
      ip -n h1 route replace 10.0.2.0/24 dev eth0
      ip -n h1 -6 route replace fd00:2::/64 dev eth0`,
    steps: [
      { run: 'ip -n r neigh add proxy 10.0.2.2 dev r1' },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered' } },
      { run: 'ip netns exec r sysctl -qw net.ipv6.conf.r1.proxy_ndp=1' },
      { run: 'ip -n r neigh add proxy fd00:2::2 dev r1' },
      { attempt: ping('h1', 'fd00:2::2'), expect: { ends: 'answered' } },
    ],
  },
  direct('without carrier what was learned is forgotten, and what was set stays', 'arp_ndisc_evict_nocarrier.sh', [
    { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'answered' } },
    { run: 'ip -n h1 neigh add 10.0.1.3 lladdr 02:00:00:00:00:03 dev eth0 nud permanent' },
    { run: 'ip -n h2 link set eth0 down' },
    { wait: 1200 },
    known('h1', '10.0.1.2', false),
    known('h1', '10.0.1.3'),
  ]),
  {
    title: 'who is not there is asked for, and given up',
    source: 'arp_ndisc_untracked_subnets.sh',
    spaces: SWITCHED,
    network: switched(3),
    steps: [
      { attempt: ping('h1', '10.0.1.77'), expect: { ends: 'silence', notAt: ['h1 eth0 out'] } },
      { wait: 3300 },
      known('h1', '10.0.1.77', true, 'FAILED'),
    ],
  },
  direct('a device without ARP sends to anybody', 'ip-link(8)', [
    { run: 'ip -n h2 neigh add 10.0.1.1 lladdr 02:00:00:00:00:aa dev eth0 nud noarp' },
    { run: 'ip -n h1 link set eth0 address 02:00:00:00:00:aa' },
    { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'answered' } },
  ]),
]

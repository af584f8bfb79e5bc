// What is asked before an address of IPv6 is in use. Sources: ip-sysctl.rst (accept_dad, dad_transmits), RFC 4862 section 5.4,
// tools/testing/selftests/net/{fib_tests,ioam6}.sh, which wait for it.

import { cable, SWITCHED, switched } from './networks.ts'
import { ping, type Scenario } from './scenario.ts'

type Step = Scenario['steps'][number]

const sysctl = (space: string, key: string, value: number, dev = 'eth0'): Step => ({
  run: `ip netns exec ${space} sysctl -qw net.ipv6.conf.${dev}.${key}=${value}`,
})
/** For so many seconds, and at most one more. */
const asked = (times: number): ReadonlyArray<Step> => [
  sysctl('h1', 'accept_dad', 1),
  sysctl('h1', 'dad_transmits', times),
]
const over = (times: number): Step => ({ wait: times * 1000 + 1300 })

const TENTATIVE = ['tentative'] as const
const FAILED = ['dadfailed', 'tentative'] as const

const address = (space: string, ip: string, dad: ReadonlyArray<'dadfailed' | 'tentative'>): Step => ({
  fact: { ns: space, is: true, of: 'addresses', like: { dev: 'eth0', ip, dad } },
})
const gone = (space: string, ip: string): Step => ({
  fact: { ns: space, is: false, of: 'addresses', like: { dev: 'eth0', ip } },
})
const LOCAL = 255
const route = (to: string, is: boolean, table = LOCAL): Step => ({
  fact: { ns: 'h1', is, of: 'routes', like: { to, dev: 'eth0', table } },
})

const direct = (title: string, steps: Scenario['steps']): Scenario => ({
  title,
  source: 'ip-sysctl.rst',
  spaces: ['h1', 'h2'],
  network: `${cable('h1', 'eth0', 'h2', 'eth0')}
    ip -n h1 addr add fd00:1::1/64 dev eth0 nodad
    ip -n h2 addr add fd00:1::2/64 dev eth0 nodad`,
  steps,
})

export const DAD: ReadonlyArray<Scenario> = [
  direct('an address is tentative first: it is not answered for, no source, and has no local route', [
    ...asked(3),
    { run: 'ip -n h1 addr add fd00:1::9/64 dev eth0' },
    { run: 'ip -n h1 addr add fd00:2::9/64 dev eth0' },
    address('h1', 'fd00:1::9', TENTATIVE),
    route('fd00:1::9/128', false),
    route('fd00:2::/64', true, 254),
    { attempt: ping('h2', 'fd00:1::9'), expect: { ends: 'silence', arrives: null, notAt: ['h1 eth0 in'] } },
    { attempt: ping('h1', 'fd00:2::2'), expect: { arrives: null } },
    { run: 'ip -n h1 route add fd00:3::/64 dev eth0 src fd00:2::9', fails: 'EINVAL' },
    { run: 'ip -n h1 route add fd00:3::/64 via fd00:1::9', fails: 'EINVAL' },
    over(3),
    address('h1', 'fd00:1::9', []),
    route('fd00:1::9/128', true),
    { attempt: ping('h2', 'fd00:1::9'), expect: { ends: 'answered', from: 'fd00:1::9' } },
    { run: 'ip -n h1 route add fd00:3::/64 dev eth0 src fd00:2::9' },
  ]),
  direct('one that a neighbour has already has failed, and stays so; the neighbour cannot be reached by it', [
    ...asked(1),
    { run: 'ip -n h1 addr add fd00:1::2/64 dev eth0' },
    over(1),
    address('h1', 'fd00:1::2', FAILED),
    route('fd00:1::2/128', false),
    { attempt: ping('h1', 'fd00:1::2'), expect: { ends: 'silence', arrives: null } },
    { run: 'ip -n h1 addr replace fd00:1::2/64 dev eth0 nodad' },
    address('h1', 'fd00:1::2', FAILED),
    { run: 'ip -n h1 addr del fd00:1::2/64 dev eth0' },
    gone('h1', 'fd00:1::2'),
  ]),
  {
    title: 'a bridge carries the question, and the answer',
    source: 'ip-sysctl.rst',
    spaces: SWITCHED,
    network: switched(3),
    steps: [
      ...asked(1),
      { run: 'ip -n h1 addr add fd00:1::3/64 dev eth0' },
      { run: 'ip -n h1 addr add fd00:1::4/64 dev eth0' },
      over(1),
      address('h1', 'fd00:1::3', FAILED),
      address('h1', 'fd00:1::4', []),
    ],
  },
  {
    title: 'nothing is asked without carrier; when it comes, it is, whatever accept_dad says by then',
    source: 'ip-sysctl.rst',
    spaces: ['h1', 'h2'],
    network: `
      ip link add eth0 netns h1 type veth peer name eth0 netns h2
      ip netns exec h1 sysctl -qw net.ipv6.conf.eth0.accept_dad=1
      ip -n h1 link set eth0 up`,
    steps: [
      { run: 'ip -n h1 addr add fd00:1::1/64 dev eth0' },
      over(1),
      address('h1', 'fd00:1::1', TENTATIVE),
      sysctl('h1', 'accept_dad', 0),
      { run: 'ip -n h2 link set eth0 up' },
      address('h1', 'fd00:1::1', TENTATIVE),
      // It takes up to a second until carrier is heard of (linkwatch).
      over(2),
      address('h1', 'fd00:1::1', []),
    ],
  },
  {
    title: 'a router takes part in the anycast address of a subnet once its own is in use',
    source: 'ip-sysctl.rst',
    spaces: ['h1', 'h2'],
    routers: ['h1'],
    network: cable('h1', 'eth0', 'h2', 'eth0'),
    steps: [
      ...asked(2),
      { run: 'ip -n h1 addr add fd00:4::1/64 dev eth0' },
      route('fd00:4::/128', false),
      over(2),
      route('fd00:4::/128', true),
      // Its reference was never taken (addrconf_leave_anycast).
      { run: 'ip -n h1 addr add fd00:4::2/64 dev eth0' },
      { run: 'ip -n h1 addr del fd00:4::2/64 dev eth0' },
      route('fd00:4::/128', false),
    ],
  },
  {
    title: 'with accept_dad 2 a device whose own link-local address is taken is without IPv6',
    source: 'ip-sysctl.rst',
    spaces: ['h1', 'h2'],
    network: `
      ip link add eth0 netns h1 address 02:00:00:00:00:01 type veth peer name eth0 netns h2
      ip -n h2 link set eth0 up
      ip -n h2 addr add fe80::ff:fe00:1/64 dev eth0 nodad
      ip -n h1 addr add fd00:1::1/64 dev eth0 nodad`,
    steps: [
      sysctl('h1', 'accept_dad', 2),
      { run: 'ip -n h1 link set eth0 up' },
      over(2),
      gone('h1', 'fe80::ff:fe00:1'),
      route('fe80::/64', false, 254),
      { run: 'ip -n h1 addr add fd00:1::1/64 dev eth0', fails: 'EACCES' },
    ],
  },
]

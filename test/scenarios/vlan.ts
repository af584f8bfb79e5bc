// Bridges that filter VLANs, 802.1Q links and dummies. Source: tools/testing/selftests/net/forwarding/{bridge_vlan_aware,
// bridge_port_isolation,router_bridge_vlan,q_in_q_vxlan_ipv6,vxlan_bridge_1q}.sh, net/rtnetlink.sh, net/bridge/br_vlan.c,
// net/8021q.

import { cable, host, SWITCHED, switched } from './networks.ts'
import { ping, rawFrame, type Scenario } from './scenario.ts'

const A = '02:00:00:00:0a:01'
const B = '02:00:00:00:0b:01'
const at = (name: number): string => `h${name} eth0 in`
const IPS = { src: '192.0.2.1', dst: '192.0.2.2' }
const tagged = (from: string, src: string, vid: number, dst?: string) =>
  rawFrame(from, 'eth0', dst === undefined ? { src } : { src, dst }, IPS, vid)

const FILTERING = 'vlan_filtering 1'
const on = (title: string, steps: Scenario['steps'], more = '', options = FILTERING): Scenario => ({
  title,
  source: 'forwarding/bridge_vlan_aware.sh',
  needs: ['vlan-filtering'],
  spaces: SWITCHED,
  network: `${switched(3, options)}\n${more}`,
  steps,
})

export const FILTER: ReadonlyArray<Scenario> = [
  on('hosts at a bridge that filters reach each other in its default VLAN', [
    { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'answered' } },
    { attempt: ping('h1', 'fd00:1::3'), expect: { ends: 'answered' } },
  ]),
  on(
    'ports of different VLANs do not reach each other',
    [
      { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'answered' } },
      { attempt: ping('h1', '10.0.1.3'), expect: { ends: 'silence' } },
      { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { at: [at(2)], notAt: [at(3), 'sw br0 in'] } },
    ],
    [1, 2].map((n) => `bridge -n sw vlan add dev p${n} vid 10 pvid untagged`).join('\n'),
  ),
  on('a port without a PVID takes nothing that has no tag', [
    { run: 'bridge -n sw vlan del dev p1 vid 1' },
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { at: ['sw p1 in'], notAt: [at(2), at(3)] } },
    { fact: { ns: 'sw', is: false, of: 'fdb', like: { dev: 'p1', mac: A } } },
  ]),
  on('a port takes tags of its own VLANs only', [
    { run: 'bridge -n sw vlan add dev p1 vid 10' },
    { run: 'bridge -n sw vlan add dev p2 vid 10' },
    { attempt: tagged('h1', A, 10), expect: { at: [at(2)], notAt: [at(3)] } },
    { attempt: tagged('h1', A, 11), expect: { at: ['sw p1 in'], notAt: [at(2), at(3)] } },
    { attempt: tagged('h3', A, 10), expect: { at: ['sw p3 in'], notAt: [at(1), at(2)] } },
  ]),
  on('a tag of VLAN 0 is none', [{ attempt: tagged('h1', A, 0), expect: { at: [at(2), at(3)] } }]),
  on('where a MAC is known in one VLAN, others flood', [
    ...[1, 2, 3].map((n) => ({ run: `bridge -n sw vlan add dev p${n} vid 10` })),
    { attempt: tagged('h1', A, 10), expect: {} },
    { attempt: tagged('h2', B, 10, A), expect: { at: [at(1)], notAt: [at(3)] } },
    { attempt: rawFrame('h2', 'eth0', { src: B, dst: A }), expect: { at: [at(1), at(3)] } },
  ]),
  on('what was learned in a VLAN goes with it', [
    ...[1, 2, 3].map((n) => ({ run: `bridge -n sw vlan add dev p${n} vid 10` })),
    { attempt: tagged('h1', A, 10), expect: {} },
    { fact: { ns: 'sw', is: true, of: 'fdb', like: { dev: 'p1', mac: A } } },
    { run: 'bridge -n sw vlan del dev p1 vid 10' },
    { fact: { ns: 'sw', is: false, of: 'fdb', like: { dev: 'p1', mac: A } } },
  ]),
  on('a static entry is of one VLAN', [
    { run: 'bridge -n sw vlan add dev p2 vid 10' },
    { run: 'bridge -n sw vlan add dev p1 vid 10' },
    { run: `bridge -n sw fdb add ${A} dev p2 master static vlan 10` },
    { run: `bridge -n sw fdb add ${B} dev p2 master static vlan 11`, fails: 'EINVAL' },
    { attempt: tagged('h1', B, 10, A), expect: { at: [at(2)] } },
    { attempt: rawFrame('h1', 'eth0', { src: B, dst: A }), expect: { at: [at(2), at(3)] } },
  ]),
  on('a bridge that is no member hears nothing of a VLAN', [
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { at: ['sw br0 in'] } },
    { run: 'bridge -n sw vlan del dev br0 vid 1 self' },
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { at: [at(2)], notAt: ['sw br0 in'] } },
  ]),
  on('without filtering, VLANs mean nothing', [
    { run: 'bridge -n sw vlan del dev p2 vid 1' },
    { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'silence' } },
    { run: 'ip -n sw link set br0 type bridge vlan_filtering 0' },
    { wait: 3500 },
    { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'answered' } },
    { attempt: tagged('h1', A, 77), expect: { at: [at(2), at(3)] } },
  ]),
  on(
    'without a default PVID new ports are in no VLAN',
    [
      { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { at: ['sw p1 in'], notAt: [at(2), at(3)] } },
      { run: 'ip -n sw link set br0 type bridge vlan_default_pvid 5' },
      { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { at: [at(2), at(3)] } },
    ],
    '',
    'vlan_filtering 1 vlan_default_pvid 0',
  ),
  on('isolated ports are isolated in each VLAN', [
    ...[1, 2, 3].map((n) => ({ run: `bridge -n sw vlan add dev p${n} vid 10` })),
    { run: 'bridge -n sw link set dev p1 isolated on' },
    { run: 'bridge -n sw link set dev p2 isolated on' },
    { attempt: tagged('h1', A, 10), expect: { at: [at(3)], notAt: [at(2)] } },
    { attempt: tagged('h3', B, 10), expect: { at: [at(1), at(2)] } },
  ]),
  on('there is no VLAN 0 and none above 4094', [
    { run: 'bridge -n sw vlan add dev p1 vid 4094' },
    { run: 'bridge -n sw vlan add dev p1 vid 4095', fails: 'EINVAL' },
    { run: 'bridge -n sw vlan add dev p1 vid 0', fails: 'EINVAL' },
  ]),
  on(
    'a bridge of 802.1ad carries the tags of others within its own VLAN',
    [
      { attempt: tagged('h1', A, 77), expect: { at: [at(2)], notAt: [at(3)] } },
      { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'answered' } },
    ],
    [1, 2].map((n) => `bridge -n sw vlan add dev p${n} vid 20 pvid untagged`).join('\n'),
    'vlan_filtering 1 vlan_protocol 802.1ad',
  ),
]

/** 802.1Q links of one id at both ends of a cable. */
const trunk = (id: number, net: number): string => `
  ip -n h1 link add link eth0 name eth0.${id} type vlan id ${id}
  ip -n h2 link add link eth0 name eth0.${id} type vlan id ${id}
  ip -n h1 link set eth0.${id} up
  ip -n h2 link set eth0.${id} up
  ${host('h1', `eth0.${id}`, 1, net)}
  ${host('h2', `eth0.${id}`, 2, net)}`

const wired = (title: string, network: string, steps: Scenario['steps'], source = '8021q/vlan_dev.c'): Scenario => ({
  title,
  source,
  needs: ['vlan'],
  spaces: ['h1', 'h2'],
  network: `${cable('h1', 'eth0', 'h2', 'eth0')}\n${host('h1', 'eth0', 1)}\n${host('h2', 'eth0', 2)}\n${network}`,
  steps,
})

export const TAGGED: ReadonlyArray<Scenario> = [
  wired('802.1Q links of one id reach each other, beside what has no tag', trunk(5, 5), [
    {
      attempt: ping('h1', '10.0.5.2'),
      expect: { ends: 'answered', at: ['h1 eth0.5 out', 'h1 eth0 out', 'h2 eth0.5 in'] },
    },
    { attempt: ping('h1', 'fd00:5::2'), expect: { ends: 'answered' } },
    { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'answered', notAt: ['h1 eth0.5 out', 'h2 eth0.5 in'] } },
  ]),
  wired('a tag that no link has is nobody’s', trunk(5, 5), [
    { attempt: tagged('h1', A, 5), expect: { at: ['h2 eth0 in', 'h2 eth0.5 in'] } },
    { attempt: tagged('h1', A, 6), expect: { at: ['h2 eth0 in'], notAt: ['h2 eth0.5 in'] } },
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { at: ['h2 eth0 in'], notAt: ['h2 eth0.5 in'] } },
  ]),
  wired('an 802.1Q link goes down with the device below, and comes back with it', trunk(5, 5), [
    { run: 'ip -n h1 link set eth0 down' },
    { attempt: ping('h1', '10.0.5.2'), expect: { ends: { errno: 'ENETUNREACH' } } },
    { run: 'ip -n h1 link set eth0 up' },
    { attempt: ping('h1', '10.0.5.2'), expect: { ends: 'answered' } },
  ]),
  wired('an 802.1Q link is no longer than the device below', trunk(5, 5), [
    { run: 'ip -n h1 link set eth0.5 mtu 1501', fails: 'ERANGE' },
    { run: 'ip -n h1 link set eth0 mtu 1400' },
    { attempt: ping('h1', '10.0.5.2', { size: 1400, df: true }), expect: { ends: { errno: 'EMSGSIZE' } } },
    { attempt: ping('h1', '10.0.5.2', { size: 1372, df: true }), expect: { ends: 'answered' } },
  ]),
  wired(
    'tags within tags',
    `
    ip -n h1 link add link eth0 name s type vlan id 9 protocol 802.1ad
    ip -n h2 link add link eth0 name s type vlan id 9 protocol 802.1ad
    ip -n h1 link set s up
    ip -n h2 link set s up
    ip -n h1 link add link s name sx type vlan id 5
    ip -n h2 link add link s name sx type vlan id 5
    ip -n h1 link set sx up
    ip -n h2 link set sx up
    ${host('h1', 'sx', 1, 9)}
    ${host('h2', 'sx', 2, 9)}`,
    [
      {
        attempt: ping('h1', '10.0.9.2'),
        expect: { ends: 'answered', at: ['h1 sx out', 'h1 s out', 'h2 s in', 'h2 sx in'] },
      },
      { attempt: tagged('h1', A, 5), expect: { at: ['h2 eth0 in'], notAt: ['h2 s in', 'h2 sx in'] } },
    ],
    'forwarding/q_in_q_vxlan_ipv6.sh',
  ),
  wired('there is one 802.1Q link of an id and a protocol on a device', trunk(5, 5), [
    { run: 'ip -n h1 link add link eth0 name again type vlan id 5', fails: 'EEXIST' },
    { run: 'ip -n h1 link add link eth0 name other type vlan id 5 protocol 802.1ad' },
    { run: 'ip -n h1 link add link lo name v type vlan id 5', fails: 'EOPNOTSUPP' },
  ]),
  {
    title: 'a bridge that filters routes between its VLANs by links on itself',
    source: 'forwarding/router_bridge_vlan.sh',
    needs: ['vlan', 'vlan-filtering'],
    spaces: ['sw', 'h1', 'h2'],
    routers: ['sw'],
    network: `
      ip -n sw link add br0 type bridge vlan_filtering 1 vlan_default_pvid 0
      ip -n sw link set br0 up
      ${[1, 2]
        .map(
          (n) => `
      ${cable('sw', `p${n}`, `h${n}`, 'eth0')}
      ip -n sw link set p${n} master br0
      bridge -n sw vlan add dev p${n} vid ${n}0 pvid untagged
      bridge -n sw vlan add dev br0 vid ${n}0 self
      ip -n sw link add link br0 name br0.${n}0 type vlan id ${n}0
      ip -n sw link set br0.${n}0 up
      ${host('sw', `br0.${n}0`, 254, n)}
      ${host(`h${n}`, 'eth0', n, n, 254)}`,
        )
        .join('\n')}`,
    steps: [
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'answered', ttl: 63, at: ['sw br0.10 in', 'sw br0.20 out'] } },
      { attempt: ping('h1', 'fd00:2::2'), expect: { ends: 'answered', ttl: 63 } },
      { run: 'bridge -n sw vlan del dev br0 vid 20 self' },
      { wait: 3500 },
      { attempt: ping('h1', '10.0.2.2'), expect: { ends: 'silence' } },
    ],
  },
]

const dummied = (title: string, steps: Scenario['steps'], more = ''): Scenario => ({
  title,
  source: 'rtnetlink.sh',
  needs: ['dummy'],
  spaces: ['h1', 'h2'],
  routers: ['h2'],
  network: `
    ${cable('h1', 'eth0', 'h2', 'eth0')}
    ${host('h1', 'eth0', 1, 1, 2)}
    ${host('h2', 'eth0', 2)}
    ip -n h2 link add d0 type dummy
    ip -n h2 link set d0 up
    ${host('h2', 'd0', 1, 9)}
    ${more}`,
  steps,
})

export const DUMMIES: ReadonlyArray<Scenario> = [
  dummied('the address of a dummy is answered for', [
    { attempt: ping('h1', '10.0.9.1'), expect: { ends: 'answered', notAt: ['h2 d0 in'] } },
    { attempt: ping('h1', 'fd00:9::1'), expect: { ends: 'answered' } },
    { run: 'ip -n h2 link set d0 down' },
    { attempt: ping('h1', '10.0.9.1'), expect: { ends: 'answered' } },
    { attempt: ping('h1', 'fd00:9::1'), expect: { ends: { errno: 'ENETUNREACH' } } },
  ]),
  dummied('a dummy takes what is sent to others, and asks nobody for them', [
    { attempt: ping('h1', '10.0.9.7'), expect: { ends: 'silence', at: ['h2 d0 out'] } },
    { attempt: ping('h2', 'fd00:9::7'), expect: { ends: 'silence', at: ['h2 d0 out'] } },
  ]),
  dummied(
    'a dummy gives its bridge carrier, and a MAC',
    [
      { run: 'ip -n h2 link set d0 master br0' },
      { attempt: ping('h2', '10.0.8.7'), expect: { ends: 'silence' } },
      { attempt: rawFrame('h2', 'br0', { src: A }), expect: { ends: 'sent', at: ['h2 br0 out', 'h2 d0 out'] } },
      { run: 'ip -n h2 link set d0 down' },
      { attempt: rawFrame('h2', 'br0', { src: A }), expect: { notAt: ['h2 d0 out'] } },
    ],
    `ip -n h2 link add br0 type bridge
    ip -n h2 link set br0 up
    ${host('h2', 'br0', 1, 8)}`,
  ),
]

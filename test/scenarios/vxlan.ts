// Tunnels over IP. Source: tools/testing/selftests/net/forwarding/{vxlan_bridge_1d,vxlan_bridge_1d_ipv6,vxlan_asymmetric,
// vxlan_symmetric}.sh, net/test_vxlan_fdb_changelink.sh, net/test_vxlan_nolocalbypass.sh.

import { cable } from './networks.ts'
import { ping, type Scenario } from './scenario.ts'

const UNDERLAY4 = (n: number): string => `192.0.2.${n}`
const UNDERLAY6 = (n: number): string => `2001:db8::${n}`

/** Tunnel ends t1, t2, ... on one segment, each with 10.0.9.N on vx0, of which the options are told. */
const ends = (count: number, options: (n: number) => string, underlay = UNDERLAY4, bits = 24): string =>
  [
    'ip -n core link add br0 type bridge',
    'ip -n core link set br0 up',
    ...Array.from({ length: count }, (_, i) => i + 1).flatMap((n) => [
      cable('core', `c${n}`, `t${n}`, 'eth0'),
      `ip -n core link set c${n} master br0`,
      `ip -n t${n} addr add ${underlay(n)}/${bits} dev eth0${underlay === UNDERLAY6 ? ' nodad' : ''}`,
      `ip -n t${n} link add vx0 address 02:00:00:00:09:0${n} type vxlan id 100 dstport 4789 local ${underlay(n)} ${options(n)}`,
      `ip -n t${n} link set vx0 up`,
      `ip -n t${n} addr add 10.0.9.${n}/24 dev vx0`,
    ]),
  ].join('\n')

const two = ['core', 't1', 't2']
const three = ['core', 't1', 't2', 't3']
const remote = (n: number): string => `remote ${UNDERLAY4(3 - n)}`

export const VXLAN: ReadonlyArray<Scenario> = [
  {
    title: 'two ends with each other as the remote reach each other',
    source: 'forwarding/vxlan_bridge_1d.sh',
    spaces: two,
    network: ends(2, remote),
    steps: [
      { attempt: ping('t1', '10.0.9.2'), expect: { ends: 'answered', at: ['t1 vx0 out', 't1 eth0 out', 't2 vx0 in'] } },
    ],
  },
  {
    title: 'so do they over IPv6',
    source: 'forwarding/vxlan_bridge_1d_ipv6.sh',
    spaces: two,
    network: ends(2, (n) => `remote ${UNDERLAY6(3 - n)}`, UNDERLAY6, 64),
    steps: [{ attempt: ping('t1', '10.0.9.2'), expect: { ends: 'answered' } }],
  },
  {
    title: 'another VNI is another network',
    source: 'forwarding/vxlan_bridge_1d.sh',
    spaces: two,
    network: `${ends(2, remote)}
      ip -n t2 link del vx0
      ip -n t2 link add vx0 type vxlan id 101 dstport 4789 local ${UNDERLAY4(2)} remote ${UNDERLAY4(1)}
      ip -n t2 link set vx0 up
      ip -n t2 addr add 10.0.9.2/24 dev vx0`,
    steps: [{ attempt: ping('t1', '10.0.9.2'), expect: { ends: 'silence', arrives: null } }],
  },
  {
    title: 'flooding goes to each remote of the entry for all',
    source: 'forwarding/vxlan_bridge_1d.sh',
    spaces: three,
    network: ends(3, () => ''),
    steps: [
      { attempt: ping('t1', '10.0.9.77'), expect: { ends: 'silence', notAt: ['t2 eth0 in'] } },
      ...[1, 2, 3].flatMap((n) =>
        [1, 2, 3]
          .filter((other) => other !== n)
          .map((other) => ({ run: `bridge -n t${n} fdb append 00:00:00:00:00:00 dev vx0 dst ${UNDERLAY4(other)}` })),
      ),
      { attempt: ping('t1', '10.0.9.2'), expect: { ends: 'answered' } },
      { attempt: ping('t1', '10.0.9.3'), expect: { ends: 'answered', notAt: ['t2 vx0 in'] } },
    ],
  },
  {
    title: 'an end that floods to a group does not hear itself, so its bridge knows where its ports are',
    source: 'forwarding/vxlan_bridge_1d.sh',
    spaces: [...two, 'c1'],
    network: `${ends(2, () => 'group 239.1.1.1 dev eth0')}
      ip -n t1 link add br1 type bridge
      ip -n t1 link set br1 up
      ip -n t1 link set vx0 master br1
      ${cable('t1', 'p1', 'c1', 'eth0')}
      ip -n t1 link set p1 master br1
      ip -n c1 addr add 10.0.9.11/24 dev eth0`,
    steps: [{ attempt: ping('c1', '10.0.9.2'), expect: { ends: 'answered', at: ['t1 p1 in', 't2 vx0 in'] } }],
  },
  {
    title: 'an end learns from where a MAC speaks',
    source: 'forwarding/vxlan_bridge_1d.sh',
    spaces: two,
    network: ends(2, remote),
    steps: [
      { attempt: ping('t1', '10.0.9.2'), expect: { ends: 'answered' } },
      { fact: { ns: 't1', is: true, of: 'fdb', like: { dev: 'vx0', mac: '02:00:00:00:09:02', dst: UNDERLAY4(2) } } },
    ],
  },
  {
    title: 'but not if it was told not to learn',
    source: 'forwarding/vxlan_bridge_1d.sh',
    spaces: two,
    network: ends(2, (n) => `${remote(n)} nolearning`),
    steps: [
      { attempt: ping('t1', '10.0.9.2'), expect: { ends: 'answered' } },
      { fact: { ns: 't1', is: false, of: 'fdb', like: { dev: 'vx0', mac: '02:00:00:00:09:02' } } },
    ],
  },
  {
    title: 'an entry for a MAC says where it is, and nobody else is bothered',
    source: 'test_vxlan_fdb_changelink.sh',
    spaces: three,
    network: `${ends(3, () => 'nolearning')}
      bridge -n t1 fdb add 02:00:00:00:09:02 dev vx0 dst ${UNDERLAY4(2)}
      bridge -n t2 fdb add 02:00:00:00:09:01 dev vx0 dst ${UNDERLAY4(1)}
      ip -n t1 neigh add 10.0.9.2 lladdr 02:00:00:00:09:02 dev vx0 nud permanent
      ip -n t2 neigh add 10.0.9.1 lladdr 02:00:00:00:09:01 dev vx0 nud permanent`,
    steps: [
      { attempt: ping('t1', '10.0.9.2'), expect: { ends: 'answered', notAt: ['t3 eth0 in', 't3 vx0 in'] } },
      { run: `bridge -n t1 fdb del 02:00:00:00:09:02 dev vx0 dst ${UNDERLAY4(2)}` },
      { attempt: ping('t1', '10.0.9.2'), expect: { ends: 'silence', notAt: ['t1 eth0 out'] } },
    ],
  },
  {
    title: 'with proxy it answers for the neighbours that it knows, and asks nobody',
    source: 'forwarding/vxlan_bridge_1d.sh',
    spaces: ['core', 't1', 't2', 'a'],
    network: `${ends(2, (n) => `${remote(n)} proxy`)}
      ip -n t1 addr flush dev vx0
      ip -n t1 link add br1 type bridge
      ip -n t1 link set br1 up
      ip -n t1 link set vx0 master br1
      ${cable('t1', 'v0', 'a', 'eth0')}
      ip -n t1 link set v0 master br1
      ip -n a link set eth0 address 02:00:00:00:09:aa
      ip -n a addr add 10.0.9.9/24 dev eth0
      ip -n t2 neigh add 10.0.9.9 lladdr 02:00:00:00:09:aa dev vx0 nud permanent`,
    steps: [
      { attempt: ping('a', '10.0.9.77'), expect: { ends: 'silence' } },
      { run: 'ip -n t1 neigh add 10.0.9.2 lladdr 02:00:00:00:09:02 dev vx0 nud permanent' },
      { attempt: ping('a', '10.0.9.2'), expect: { ends: 'answered' } },
    ],
  },
  {
    title: 'bridges behind two ends are one',
    source: 'forwarding/vxlan_bridge_1d.sh',
    spaces: ['core', 't1', 't2', 'a', 'b'],
    network: `${ends(2, remote)}
      ${['1', '2']
        .map((n) => {
          const guest = n === '1' ? 'a' : 'b'
          return `
      ip -n t${n} addr flush dev vx0
      ip -n t${n} link add br1 type bridge
      ip -n t${n} link set br1 up
      ip -n t${n} link set vx0 mtu 1450
      ip -n t${n} link set vx0 master br1
      ${cable(`t${n}`, 'v0', guest, 'eth0')}
      ip -n t${n} link set v0 master br1
      ip -n ${guest} addr add 10.0.7.${n}/24 dev eth0
      ip -n ${guest} addr add fd00:7::${n}/64 dev eth0 nodad`
        })
        .join('\n')}`,
    steps: [
      {
        attempt: ping('a', '10.0.7.2'),
        expect: { ends: 'answered', ttl: 64, at: ['t1 vx0 out', 't1 eth0 out', 't2 v0 out'] },
      },
      { attempt: ping('a', 'fd00:7::2'), expect: { ends: 'answered' } },
      { attempt: ping('a', '10.0.7.2', { size: 1422, df: true }), expect: { ends: 'answered' } },
      // A bridge leaves room for a tag, four bytes; what a tunnel cannot carry then, it tells.
      { attempt: ping('a', '10.0.7.2', { size: 1427, df: true }), expect: { ends: 'silence', notAt: ['t1 vx0 out'] } },
      {
        attempt: ping('a', '10.0.7.2', { size: 1423, df: true }),
        expect: { ends: { errno: 'EMSGSIZE' }, arrives: null },
      },
    ],
  },
  {
    title: 'a tunnel that goes down carries nothing',
    source: 'forwarding/vxlan_bridge_1d.sh',
    spaces: two,
    network: ends(2, remote),
    steps: [
      { attempt: ping('t1', '10.0.9.2'), expect: { ends: 'answered' } },
      { run: 'ip -n t2 link set vx0 down' },
      { attempt: ping('t1', '10.0.9.2'), expect: { ends: 'silence', at: ['t1 eth0 out'] } },
      { run: 'ip -n t2 link set vx0 up' },
      { attempt: ping('t1', '10.0.9.2'), expect: { ends: 'answered' } },
    ],
  },
]

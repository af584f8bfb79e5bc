// What bridges do. Source: tools/testing/selftests/net/forwarding/{bridge_vlan_unaware,bridge_port_isolation,bridge_sticky_fdb,
// bridge_locked_port,bridge_vlan_aware,bridge_mdb}.sh, net/bridge.

import { SWITCHED, switched } from './networks.ts'
import { ping, rawFrame, type Scenario } from './scenario.ts'

const A = '02:00:00:00:0a:01'
const B = '02:00:00:00:0b:01'
const at = (host: number): string => `h${host} eth0 in`

const on = (title: string, source: string, steps: Scenario['steps'], more = '', options = ''): Scenario => ({
  title,
  source: `forwarding/${source}`,
  spaces: SWITCHED,
  network: `${switched(3, options)}\n${more}`,
  steps,
})

export const BRIDGE: ReadonlyArray<Scenario> = [
  on('a bridge learns where a MAC is', 'bridge_vlan_unaware.sh', [
    { fact: { ns: 'sw', is: false, of: 'fdb', like: { dev: 'p1', mac: A } } },
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { ends: 'sent' } },
    { fact: { ns: 'sw', is: true, of: 'fdb', like: { dev: 'p1', mac: A } } },
  ]),
  on('what is for a MAC that was learned goes to its port only', 'bridge_vlan_unaware.sh', [
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: {} },
    { attempt: rawFrame('h2', 'eth0', { src: B, dst: A }), expect: { at: [at(1)], notAt: [at(3), 'sw br0 in'] } },
  ]),
  on('what is for a MAC that nobody knows is flooded, but not back', 'bridge_vlan_unaware.sh', [
    { attempt: rawFrame('h1', 'eth0', { src: A, dst: B }), expect: { at: [at(2), at(3)], notAt: [at(1)] } },
  ]),
  on('broadcasts reach all other ports and the bridge itself', 'bridge_vlan_unaware.sh', [
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { at: [at(2), at(3), 'sw br0 in'], notAt: [at(1)] } },
  ]),
  on('a port without learning learns nothing', 'bridge_vlan_unaware.sh', [
    { run: 'bridge -n sw link set dev p1 learning off' },
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { at: [at(2)] } },
    { fact: { ns: 'sw', is: false, of: 'fdb', like: { dev: 'p1', mac: A } } },
    { attempt: rawFrame('h2', 'eth0', { src: B, dst: A }), expect: { at: [at(1), at(3)] } },
  ]),
  on('a port without flooding has broadcasts, and nothing for MACs that nobody knows', 'bridge_vlan_unaware.sh', [
    { run: 'bridge -n sw link set dev p2 flood off' },
    { attempt: rawFrame('h1', 'eth0', { src: A, dst: B }), expect: { at: [at(3)], notAt: [at(2)] } },
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { at: [at(2), at(3)] } },
  ]),
  on('a port without multicast flooding has no groups', 'bridge_vlan_unaware.sh', [
    { run: 'bridge -n sw link set dev p2 mcast_flood off' },
    {
      attempt: rawFrame('h1', 'eth0', { src: A, dst: '01:00:5e:00:00:fb' }, { src: '10.0.1.1', dst: '239.0.0.251' }),
      expect: { at: [at(3)], notAt: [at(2)] },
    },
  ]),
  on('a port without broadcast flooding has no broadcasts', 'bridge_vlan_unaware.sh', [
    { run: 'bridge -n sw link set dev p2 bcast_flood off' },
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { at: [at(3)], notAt: [at(2)] } },
  ]),
  on('only a hairpin port gets back what came from it', 'bridge_vlan_unaware.sh', [
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { notAt: [at(1)] } },
    { run: 'bridge -n sw link set dev p1 hairpin on' },
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { at: [at(1)] } },
  ]),
  on('isolated ports reach others, but not each other', 'bridge_port_isolation.sh', [
    { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'answered' } },
    { run: 'bridge -n sw link set dev p1 isolated on' },
    { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'answered' } },
    { run: 'bridge -n sw link set dev p2 isolated on' },
    { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'silence' } },
    { attempt: ping('h1', 'fd00:1::2'), expect: { ends: 'silence' } },
    { attempt: ping('h1', '10.0.1.3'), expect: { ends: 'answered' } },
    { attempt: rawFrame('h1', 'eth0', { src: A, dst: B }), expect: { at: [at(3)], notAt: [at(2)] } },
  ]),
  on('a station that moves is found where it speaks next', 'bridge_vlan_unaware.sh', [
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: {} },
    { attempt: rawFrame('h2', 'eth0', { src: A }), expect: {} },
    { fact: { ns: 'sw', is: true, of: 'fdb', like: { dev: 'p2', mac: A } } },
    { attempt: rawFrame('h3', 'eth0', { src: B, dst: A }), expect: { at: [at(2)], notAt: [at(1)] } },
  ]),
  on('a sticky entry does not move', 'bridge_sticky_fdb.sh', [
    { run: `bridge -n sw fdb add ${A} dev p1 master static sticky` },
    { attempt: rawFrame('h2', 'eth0', { src: A }), expect: {} },
    { fact: { ns: 'sw', is: true, of: 'fdb', like: { dev: 'p1', mac: A } } },
    { attempt: rawFrame('h3', 'eth0', { src: B, dst: A }), expect: { at: [at(1)], notAt: [at(2)] } },
  ]),
  on('a static entry is there before anybody speaks', 'bridge_fdb_learning_limit.sh', [
    { run: `bridge -n sw fdb add ${A} dev p2 master static` },
    { attempt: rawFrame('h1', 'eth0', { src: B, dst: A }), expect: { at: [at(2)], notAt: [at(3)] } },
  ]),
  on('what is for a port that has gone down is flooded to the others', 'bridge_vlan_unaware.sh', [
    { attempt: rawFrame('h2', 'eth0', { src: A }), expect: {} },
    { run: 'ip -n sw link set p2 down' },
    { fact: { ns: 'sw', is: false, of: 'fdb', like: { dev: 'p2', mac: A } } },
    { attempt: rawFrame('h1', 'eth0', { src: B, dst: A }), expect: { at: [at(3)], notAt: [at(2)] } },
  ]),
  on('frames to the MAC of a port are for the host of the bridge', 'bridge_vlan_unaware.sh', [
    { run: 'ip -n sw link set p2 address 02:00:00:00:00:22' },
    {
      attempt: rawFrame('h1', 'eth0', { src: A, dst: '02:00:00:00:00:22' }),
      expect: { at: ['sw br0 in'], notAt: [at(2), at(3)] },
    },
  ]),
  on(
    'groups of neighbouring bridges are not forwarded, but for that of a protocol which this one does not speak',
    'bridge_vlan_unaware.sh',
    [
      {
        attempt: rawFrame('h1', 'eth0', { src: A, dst: '01:80:c2:00:00:0e' }),
        expect: { at: ['sw p1 in'], notAt: [at(2), at(3)] },
      },
      { attempt: rawFrame('h1', 'eth0', { src: A, dst: '01:80:c2:00:00:00' }), expect: { at: [at(2), at(3)] } },
      { run: 'ip -n sw link set br0 type bridge stp_state 1' },
      { attempt: rawFrame('h1', 'eth0', { src: A, dst: '01:80:c2:00:00:00' }), expect: { notAt: [at(2), at(3)] } },
    ],
  ),
  on('a locked port lets in only whom the bridge was told of', 'bridge_locked_port.sh', [
    { run: 'bridge -n sw link set dev p1 locked on' },
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { at: ['sw p1 in'], notAt: [at(2), at(3)] } },
    { run: `bridge -n sw fdb add ${A} dev p1 master static` },
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { at: [at(2), at(3)] } },
    { attempt: rawFrame('h1', 'eth0', { src: B }), expect: { notAt: [at(2), at(3)] } },
  ]),
  on('a port that is disabled takes part in nothing', 'bridge_vlan_unaware.sh', [
    { run: 'bridge -n sw link set dev p2 state 0' },
    { attempt: rawFrame('h1', 'eth0', { src: A }), expect: { at: [at(3)], notAt: [at(2)] } },
    { attempt: rawFrame('h2', 'eth0', { src: B }), expect: { notAt: [at(1), at(3)] } },
  ]),
  on('a port that learns does not forward', 'bridge_vlan_unaware.sh', [
    { run: 'bridge -n sw link set dev p2 state 2' },
    { attempt: rawFrame('h2', 'eth0', { src: B }), expect: { notAt: [at(1), at(3)] } },
    { fact: { ns: 'sw', is: true, of: 'fdb', like: { dev: 'p2', mac: B } } },
    { attempt: rawFrame('h1', 'eth0', { src: A, dst: B }), expect: { notAt: [at(2)] } },
  ]),
  on('what is longer than the MTU of the port is lost there', 'bridge_vlan_unaware.sh', [
    { run: 'ip -n h1 link set eth0 mtu 1400' },
    { run: 'ip -n sw link set p1 mtu 1400' },
    { attempt: ping('h2', '10.0.1.1', { size: 1400, df: true }), expect: { ends: 'silence', notAt: [at(1)] } },
    { attempt: ping('h2', '10.0.1.1', { size: 1300, df: true }), expect: { ends: 'answered' } },
  ]),
  on('an entry is forgotten when it is old', 'bridge_vlan_unaware.sh', [
    { run: 'ip -n sw link set br0 type bridge ageing_time 100' },
    { attempt: rawFrame('h2', 'eth0', { src: A }), expect: {} },
    { fact: { ns: 'sw', is: true, of: 'fdb', like: { dev: 'p2', mac: A } } },
    { wait: 2600 },
    { fact: { ns: 'sw', is: false, of: 'fdb', like: { dev: 'p2', mac: A } } },
    { attempt: rawFrame('h1', 'eth0', { src: B, dst: A }), expect: { at: [at(2), at(3)] } },
  ]),
  {
    title: 'a bridge that answers for neighbours does not ask where that is suppressed',
    source: 'test_bridge_neigh_suppress.sh',
    spaces: SWITCHED,
    network: `${switched(3)}
      ip -n h2 link set eth0 address 02:00:00:00:00:02`,
    steps: [
      { run: 'ip -n sw neigh add 10.0.1.2 lladdr 02:00:00:00:00:02 dev br0 nud permanent' },
      { run: 'bridge -n sw fdb replace 02:00:00:00:00:02 dev p2 master static' },
      { run: 'bridge -n sw link set dev p2 neigh_suppress on' },
      { attempt: ping('h1', '10.0.1.2'), expect: { ends: 'answered' } },
    ],
  },
]

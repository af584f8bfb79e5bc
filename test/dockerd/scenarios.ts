// What users build, told to both. Where the two differ, the scenario says in which lines and why.

import { connect, disconnect, network, remove, run, type Scenario } from './scenario.ts'

const LABEL = 'com.docker.network'
const front = network('front', { subnets: [{ subnet: '10.20.0.0/24' }] })
const back = network('back', { subnets: [{ subnet: '10.30.0.0/24' }] })
const dual = network('dual', { subnets: [{ subnet: '10.40.0.0/24' }, { subnet: 'fd40::/64' }], ipv6: true })

type Differs = NonNullable<Scenario['differs']>

const differs = (reason: string, ...lines: ReadonlyArray<RegExp>): Differs => lines.map((line) => ({ line, reason }))

const IPV6_OPEN = differs(
  'dockerd 20.10 has no firewall for IPv6 unless it is told to; ours guards both families alike',
  /^dockerd: beyond pings \S+ at fd\S+ straight: yes$/,
  /^cnm: beyond pings \S+ at fd\S+ straight: no$/,
)
const INTERNAL_ROUTE = differs(
  'dockerd 20.10 gives containers of an internal network a default route, which leads nowhere; ours have none',
  /^dockerd: \S+ leaves by \S+ at eth0$/,
)
const INTERNAL_IPV6 = differs(
  'by that route, and without a firewall for IPv6, they reach what is beyond',
  /^dockerd: \S+ pings beyond by IPv6: yes$/,
  /^cnm: \S+ pings beyond by IPv6: no$/,
)
const INTERNAL_PORT = differs(
  'dockerd does not tell of a published port of an internal network; ours tells it, and both let nobody in',
  /^cnm: \S+ publishes any:8080:80\/tcp$/,
  /^cnm: .* calls .*:8080\/tcp, which is web's 80: no$/,
)
const BETWEEN_NETWORKS = differs(
  "dockerd 20.10 keeps its networks apart also where one calls the other's published port; ours lets that in, as it lets in anybody",
  /^dockerd: db calls 203\.0\.113\.2:8080\/tcp, which is web's 80: no$/,
  /^cnm: db calls 203\.0\.113\.2:8080\/tcp, which is web's 80: yes$/,
)
const STRAIGHT_TO_PORT = differs(
  'dockerd 20.10 lets a neighbour that routes straight to a container call what it publishes; ours, as later ones, does not',
  /^dockerd: beyond calls db at 10\.20\.0\.2:81 straight: yes$/,
  /^cnm: beyond calls db at 10\.20\.0\.2:81 straight: no$/,
)

const NETWORKS: ReadonlyArray<Scenario> = [
  { says: 'a network of the defaults', steps: [network('any'), run('web', 'any'), run('db', 'any')] },
  {
    says: 'two networks of the defaults',
    steps: [network('one'), network('two'), run('web', 'one'), run('db', 'two')],
  },
  { says: 'a subnet that was asked for', steps: [front, run('web', 'front'), run('db', 'front')] },
  {
    says: 'a gateway that was asked for',
    steps: [network('n', { subnets: [{ subnet: '10.20.0.0/24', gateway: '10.20.0.254' }] }), run('web', 'n')],
  },
  {
    says: 'a range to give addresses from',
    steps: [
      network('n', { subnets: [{ subnet: '10.20.0.0/16', range: '10.20.5.0/24' }] }),
      run('web', 'n'),
      run('db', 'n'),
    ],
  },
  {
    says: 'an address kept for somebody else',
    steps: [
      network('n', { subnets: [{ subnet: '10.20.0.0/24', aux: { router: '10.20.0.2' } }] }),
      run('web', 'n'),
      run('db', { network: 'n', ip: '10.20.0.2' }),
    ],
  },
  {
    says: 'a subnet of two addresses',
    steps: [network('n', { subnets: [{ subnet: '10.20.0.0/30' }] }), run('web', 'n'), run('db', 'n')],
  },
  {
    says: 'a network that is internal',
    steps: [network('n', { internal: true }), run('web', 'n'), run('db', 'n')],
    differs: INTERNAL_ROUTE,
  },
  {
    says: 'containers that may not talk to each other',
    steps: [network('n', { options: { [`${LABEL}.bridge.enable_icc`]: 'false' } }), run('web', 'n'), run('db', 'n')],
  },
  {
    says: 'no masquerade',
    steps: [
      network('n', { options: { [`${LABEL}.bridge.enable_ip_masquerade`]: 'false' } }),
      run('web', 'n'),
      run('db', 'n'),
    ],
  },
  {
    says: 'an MTU',
    steps: [network('n', { options: { [`${LABEL}.driver.mtu`]: '1400' } }), run('web', 'n'), run('db', 'n')],
  },
  {
    says: 'a bridge with a name',
    steps: [network('n', { options: { [`${LABEL}.bridge.name`]: 'lan0' } }), run('web', 'n')],
  },
  { says: 'both families', steps: [dual, run('web', 'dual'), run('db', 'dual')], differs: IPV6_OPEN },
  {
    says: 'both families, and one of them on another network',
    steps: [dual, front, run('web', 'dual'), run('db', 'front')],
    differs: IPV6_OPEN,
  },
  {
    says: 'an internal network of both families',
    steps: [
      network('n', { subnets: [{ subnet: '10.40.0.0/24' }, { subnet: 'fd40::/64' }], ipv6: true, internal: true }),
      run('web', 'n'),
      run('db', 'n'),
    ],
    differs: [...INTERNAL_ROUTE, ...INTERNAL_IPV6, ...IPV6_OPEN],
  },
]

const ENDPOINTS: ReadonlyArray<Scenario> = [
  {
    says: 'an address that was asked for',
    steps: [front, run('web', { network: 'front', ip: '10.20.0.77' }), run('db', 'front')],
  },
  {
    says: 'an IPv6 address that was asked for',
    steps: [dual, run('web', { network: 'dual', ip: '10.40.0.7', ip6: 'fd40::7' }), run('db', 'dual')],
    differs: IPV6_OPEN,
  },
  { says: 'an address that is used again', steps: [front, run('web', 'front'), remove('web'), run('db', 'front')] },
  {
    says: 'link-local addresses',
    steps: [front, run('web', { network: 'front', linkLocal: ['169.254.7.7'] }), run('db', 'front')],
  },
  { says: 'no network', steps: [run('web', null)] },
  {
    says: 'two networks: the way out is that of the first name',
    steps: [front, back, run('web', 'front'), connect('web', 'back'), run('db', 'back')],
  },
  {
    says: 'and moves when it is left',
    steps: [front, back, run('web', 'front'), connect('web', 'back'), disconnect('web', 'back')],
  },
  {
    says: 'and stays when the other is',
    steps: [front, back, run('web', 'back'), connect('web', 'front'), disconnect('web', 'front')],
  },
  {
    says: 'an internal network is no way out, whatever its name',
    steps: [
      front,
      network('a-first', { internal: true, subnets: [{ subnet: '10.31.0.0/24' }] }),
      run('web', 'a-first'),
      connect('web', 'front'),
    ],
  },
  {
    says: 'three networks',
    steps: [front, back, dual, run('web', 'front'), connect('web', 'back'), connect('web', 'dual')],
    differs: IPV6_OPEN,
  },
]

const PORTS: ReadonlyArray<Scenario> = [
  { says: 'a port', steps: [front, run('web', 'front', ['8080:80']), run('db', 'front')] },
  { says: 'a port of UDP', steps: [front, run('web', 'front', ['5353:53/udp']), run('db', 'front')] },
  { says: 'a number for both protocols', steps: [front, run('web', 'front', ['53:53', '53:53/udp'])] },
  {
    says: 'a port for this host alone',
    steps: [front, run('web', 'front', ['127.0.0.1:8080:80']), run('db', 'front')],
  },
  { says: 'a port at one address', steps: [front, run('web', 'front', ['203.0.113.2:8080:80']), run('db', 'front')] },
  {
    says: 'one number at two addresses',
    steps: [front, run('web', 'front', ['127.0.0.1:8080:80']), run('db', 'front', ['203.0.113.2:8080:80'])],
  },
  { says: 'several ports', steps: [front, run('web', 'front', ['8080:80', '8443:443'])] },
  {
    says: 'a port called from another network',
    steps: [front, back, run('web', 'front', ['8080:80']), run('db', 'back')],
    differs: BETWEEN_NETWORKS,
  },
  {
    says: 'a port of an internal network',
    steps: [network('n', { internal: true }), run('web', 'n', ['8080:80'])],
    differs: [...INTERNAL_ROUTE, ...INTERNAL_PORT],
  },
  {
    says: 'a port without icc',
    steps: [
      network('n', { options: { [`${LABEL}.bridge.enable_icc`]: 'false' } }),
      run('web', 'n', ['8080:80']),
      run('db', 'n'),
    ],
  },
  {
    says: 'a port of a container on two networks',
    steps: [front, back, run('web', 'front', ['8080:80']), connect('web', 'back'), run('db', 'front')],
    differs: BETWEEN_NETWORKS,
  },
  {
    says: 'which follows the way out',
    steps: [front, back, run('web', 'front', ['8080:80']), connect('web', 'back'), disconnect('web', 'back')],
  },
  { says: 'a port of both families', steps: [dual, run('web', 'dual', ['8080:80'])], differs: IPV6_OPEN },
  {
    says: 'a port that is used again',
    steps: [front, run('web', 'front', ['8080:80']), remove('web'), run('db', 'front', ['8080:81'])],
    differs: STRAIGHT_TO_PORT,
  },
]

const REFUSALS: ReadonlyArray<Scenario> = [
  { says: 'a name that is taken', steps: [front, network('front', { subnets: [{ subnet: '10.50.0.0/24' }] })] },
  { says: 'a subnet that overlaps', steps: [front, network('n', { subnets: [{ subnet: '10.20.0.0/16' }] })] },
  { says: 'a gateway outside', steps: [network('n', { subnets: [{ subnet: '10.20.0.0/24', gateway: '10.21.0.1' }] })] },
  { says: 'an MTU that is no number', steps: [network('n', { options: { [`${LABEL}.driver.mtu`]: 'big' } })] },
  { says: 'icc that is neither', steps: [network('n', { options: { [`${LABEL}.bridge.enable_icc`]: 'perhaps' } })] },
  { says: 'a driver that there is not', steps: [network('n', { driver: 'carrier-pigeon' })] },
  { says: 'an address of another subnet', steps: [front, run('web', { network: 'front', ip: '10.99.0.1' })] },
  {
    says: 'an address that is taken',
    steps: [front, run('web', { network: 'front', ip: '10.20.0.9' }), run('db', { network: 'front', ip: '10.20.0.9' })],
  },
  { says: 'a port that is taken', steps: [front, run('web', 'front', ['8080:80']), run('db', 'front', ['8080:80'])] },
  {
    says: 'a port of an address, where every address has it',
    steps: [front, run('web', 'front', ['8080:80']), run('db', 'front', ['127.0.0.1:8080:80'])],
  },
  { says: 'a connection that is there', steps: [front, run('web', 'front'), connect('web', 'front')] },
]

const wire = (name: string, options: Readonly<Record<string, string>>, gateway?: string) =>
  network(name, {
    driver: 'macvlan',
    subnets: [{ subnet: '10.60.0.0/24', ...(gateway === undefined ? {} : { gateway }) }],
    options: { parent: 'uplink0', ...options },
  })

const ON_A_WIRE: ReadonlyArray<Scenario> = [
  {
    says: 'macvlans on a card of the host',
    steps: [wire('n', {}, '10.60.0.254'), run('web', 'n'), run('db', 'n')],
  },
  {
    says: 'macvlans that are private',
    steps: [wire('n', { macvlan_mode: 'private' }, '10.60.0.254'), run('web', 'n'), run('db', 'n')],
  },
  {
    says: 'a macvlan and a bridge',
    steps: [wire('n', {}, '10.60.0.254'), front, run('web', 'n'), connect('web', 'front'), run('db', 'front')],
  },
  { says: 'a macvlan of a mode that there is not', steps: [wire('n', { macvlan_mode: 'loud' }, '10.60.0.254')] },
  {
    says: 'a macvlan on loopback',
    steps: [
      network('n', {
        driver: 'macvlan',
        subnets: [{ subnet: '10.60.0.0/24', gateway: '10.60.0.254' }],
        options: { parent: 'lo' },
      }),
    ],
  },
]

export const SCENARIOS: ReadonlyArray<Scenario> = [...NETWORKS, ...ON_A_WIRE, ...ENDPOINTS, ...PORTS, ...REFUSALS]

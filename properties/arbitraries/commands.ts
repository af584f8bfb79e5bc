// Programs of commands over a few names, so that they meet each other often: the same subnet twice, joins of endpoints
// that are gone, ports that are taken. Most programs do something; all of them are allowed.

import fc from 'fast-check'
import type { Command, PoolSpec } from '../../src/model/command.ts'
import { endpointId, networkId, sandboxId } from '../../src/model/types.ts'
import { type Cidr, cidr, nthOf } from '../../src/net/cidr.ts'
import { HOST, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'

const hex = (kind: string, n: number): string => `${kind}${n}`.padEnd(64, `${n}0a5c3e7`).replace(/[^0-9a-f]/g, 'e')

export const NETWORKS = [0, 1, 2, 3].map((n) => networkId(hex('a', n)))
export const SANDBOXES = [0, 1, 2, 3].map((n) => sandboxId(hex('b', n)))
export const ENDPOINTS = [0, 1, 2, 3, 4, 5].map((n) => endpointId(hex('c', n)))

const SUBNETS4 = ['172.20.0.0/16', '172.20.0.0/24', '10.9.0.0/30', '10.8.0.0/24'].map(cidr)
const SUBNETS6 = ['fd00:1::/64', 'fd00:2::/64'].map(cidr)

const maybe = <A>(values: ReadonlyArray<A>): fc.Arbitrary<A | null> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constantFrom(...values) })

const spec = (family: 4 | 6, subnets: ReadonlyArray<Cidr>): fc.Arbitrary<PoolSpec> =>
  fc.record({ subnet: maybe(subnets), gateway: fc.boolean() }).map(({ subnet, gateway }) => ({
    family,
    subnet,
    range: null,
    gateway: subnet !== null && gateway ? nthOf(subnet, 2n) : null,
    aux: {},
  }))

export const pools: fc.Arbitrary<ReadonlyArray<PoolSpec>> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(spec(4, SUBNETS4)) },
  { weight: 1, arbitrary: fc.tuple(spec(6, SUBNETS6)) },
  { weight: 2, arbitrary: fc.tuple(spec(4, SUBNETS4), spec(6, SUBNETS6)) },
)

const options: fc.Arbitrary<Readonly<Record<string, string>>> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constantFrom({ icc: 'false' }, { masquerade: 'false' }, { mtu: '1400' }, { mtu: 'x' }) },
)

const createNetwork: fc.Arbitrary<Command> = fc.record({
  tag: fc.constant('CreateNetwork' as const),
  id: fc.constantFrom(...NETWORKS),
  name: fc.constantFrom('front', 'back', 'side', ''),
  driver: fc.oneof(
    { weight: 8, arbitrary: fc.constant('bridge') },
    { weight: 1, arbitrary: fc.constantFrom('null', 'host', 'nope') },
  ),
  options,
  internal: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  attachable: fc.constant(false),
  labels: fc.constant({}),
  pools,
})

const createSandbox: fc.Arbitrary<Command> = fc
  .record({
    at: fc.nat(SANDBOXES.length - 1),
    host: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    ports: fc.array(
      fc.record({
        hostIp: maybe([cidr('203.0.113.2/32').ip, cidr('0.0.0.0/32').ip]),
        hostPorts: maybe([
          { from: port(80), to: port(80) },
          { from: port(8080), to: port(8081) },
        ]),
        containerPort: fc.constantFrom(port(80), port(53)),
        transport: fc.constantFrom('tcp' as const, 'udp' as const),
      }),
      { maxLength: 2 },
    ),
  })
  .map(({ at, host, ports }) => ({
    tag: 'CreateSandbox',
    id: SANDBOXES[at] ?? sandboxId(hex('b', 0)),
    container: `c${at}`,
    hostname: `c${at}`,
    ns: host ? HOST : ns(`c${at}`),
    ports,
  }))

const createEndpoint: fc.Arbitrary<Command> = fc
  .record({
    at: fc.nat(ENDPOINTS.length - 1),
    network: fc.constantFrom(...NETWORKS),
    ipv4: maybe([nthOf(cidr('172.20.0.0/16'), 5n), nthOf(cidr('10.9.0.0/30'), 2n)]),
  })
  .map(({ at, network, ipv4 }) => ({
    tag: 'CreateEndpoint',
    id: ENDPOINTS[at] ?? endpointId(hex('c', 0)),
    network,
    name: `e${at}`,
    aliases: [],
    ipv4,
    ipv6: null,
    mac: null,
  }))

const join: fc.Arbitrary<Command> = fc.record({
  tag: fc.constant('Join' as const),
  endpoint: fc.constantFrom(...ENDPOINTS),
  sandbox: fc.constantFrom(...SANDBOXES),
  priority: fc.nat(2),
  ifName: fc.constant(null),
})

const leave: fc.Arbitrary<Command> = fc.record({
  tag: fc.constant('Leave' as const),
  endpoint: fc.constantFrom(...ENDPOINTS),
  sandbox: fc.constantFrom(...SANDBOXES),
})

const remove: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ tag: fc.constant('DeleteNetwork' as const), id: fc.constantFrom(...NETWORKS) }),
  fc.record({ tag: fc.constant('DeleteSandbox' as const), id: fc.constantFrom(...SANDBOXES) }),
  fc.record({ tag: fc.constant('DeleteEndpoint' as const), id: fc.constantFrom(...ENDPOINTS), force: fc.boolean() }),
)

export const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: createNetwork },
  { weight: 4, arbitrary: createSandbox },
  { weight: 6, arbitrary: createEndpoint },
  { weight: 8, arbitrary: join },
  { weight: 2, arbitrary: leave },
  { weight: 2, arbitrary: remove },
)

/** Networks and sandboxes first, then anything: so that most programs get somewhere. */
export const program: fc.Arbitrary<ReadonlyArray<Command>> = fc
  .tuple(
    fc.array(createNetwork, { minLength: 1, maxLength: 3 }),
    fc.array(createSandbox, { minLength: 1, maxLength: 3 }),
    fc.array(command, { maxLength: 25 }),
  )
  .map(([networks, sandboxes, rest]) => [...networks, ...sandboxes, ...rest])

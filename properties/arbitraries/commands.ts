// Programs of commands over a few names, so that they meet each other often: the same subnet twice, joins of endpoints
// that are gone, ports that are taken. Most programs do something; all of them are allowed.

import fc from 'fast-check'
import type { Command, PoolSpec } from '../../src/model/command.ts'
import { endpointId, networkId, sandboxId } from '../../src/model/types.ts'
import { type Cidr, cidr, nthOf } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { mac } from '../../src/net/mac.ts'
import { HOST, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { v4, v6 } from '../../test/lib/model.ts'

const hex = (kind: string, n: number): string => `${kind}${n}`.padEnd(64, `${n}0a5c3e7`).replace(/[^0-9a-f]/g, 'e')

export const NETWORKS = [0, 1, 2, 3].map((n) => networkId(hex('a', n)))
export const SANDBOXES = [0, 1, 2, 3].map((n) => sandboxId(hex('b', n)))
export const ENDPOINTS = [0, 1, 2, 3, 4, 5].map((n) => endpointId(hex('c', n)))

const SUBNETS4 = ['172.20.0.0/16', '172.20.0.0/24', '10.9.0.0/30', '10.8.0.0/24'].map(cidr)
const SUBNETS6 = ['fd00:1::/64', 'fd00:2::/64'].map(cidr)

const maybe = <A>(values: ReadonlyArray<A>): fc.Arbitrary<A | null> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constantFrom(...values) })

/** Half of a subnet to hand out from, and an address of it that is kept for somebody. */
const spec = (family: 4 | 6, subnets: ReadonlyArray<Cidr>): fc.Arbitrary<PoolSpec> =>
  fc
    .record({ subnet: maybe(subnets), gateway: fc.boolean(), range: fc.boolean(), aux: fc.boolean() })
    .map(({ subnet, gateway, range, aux }) => ({
      family,
      subnet,
      range: subnet !== null && range ? { ip: subnet.ip, bits: subnet.bits + 1 } : null,
      gateway: subnet !== null && gateway ? nthOf(subnet, 2n) : null,
      aux: subnet !== null && aux ? { router: nthOf(subnet, 1n) } : {},
    }))

export const pools: fc.Arbitrary<ReadonlyArray<PoolSpec>> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(spec(4, SUBNETS4)) },
  { weight: 1, arbitrary: fc.tuple(spec(6, SUBNETS6)) },
  { weight: 2, arbitrary: fc.tuple(spec(4, SUBNETS4), spec(6, SUBNETS6)) },
)

const options: fc.Arbitrary<Readonly<Record<string, string>>> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      { icc: 'false' },
      { masquerade: 'false' },
      { mtu: '1400' },
      { mtu: '1000' },
      { mtu: 'x' },
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom({ name: 'docker0' }, { name: 'shared0' }) },
)

const labels: fc.Arbitrary<Readonly<Record<string, string>>> = fc.constantFrom({}, { a: 'b' }, { $n: '5', $o: 'x' })

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
  labels,
  pools,
})

const createSandbox: fc.Arbitrary<Command> = fc
  .record({
    at: fc.nat(SANDBOXES.length - 1),
    host: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    ports: fc.array(
      fc.record({
        hostIp: maybe(['203.0.113.2', '0.0.0.0', '::', '2001:db8::2'].map(ip)),
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
    ipv4: maybe(['172.20.0.5', '10.9.0.2'].map(v4)),
    ipv6: maybe(['fd00:1::5'].map(v6)),
    mac: maybe([mac(0x020000abcdef)]),
    aliases: fc.constantFrom([], ['www'], ['www', 'e0']),
  })
  .map(({ at, ...rest }) => ({
    tag: 'CreateEndpoint',
    id: ENDPOINTS[at] ?? endpointId(hex('c', 0)),
    name: `e${at}`,
    ...rest,
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

/** A host that works: networks with names of their own, containers, and endpoints that join them. Shrinks by leaving out. */
const working: fc.Arbitrary<ReadonlyArray<Command>> = fc
  .record({
    networks: fc.subarray([0, 1, 2, 3], { minLength: 1 }),
    kinds: fc.array(
      fc.record({
        internal: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
        options,
        pools: fc.constantFrom('4', '6', '46'),
        fixed: fc.boolean(),
      }),
      { minLength: 4, maxLength: 4 },
    ),
    sandboxes: fc.array(createSandbox, { minLength: 2, maxLength: 6 }),
    endpoints: fc.array(fc.record({ network: fc.nat(3), sandbox: fc.nat(3), priority: fc.nat(2), joined: fc.nat(5) }), {
      minLength: 1,
      maxLength: 6,
    }),
  })
  .map(({ networks, kinds, sandboxes, endpoints }) => {
    const made = networks.flatMap((n): ReadonlyArray<Command> => {
      const [id, kind] = [NETWORKS[n], kinds[n]]
      if (id === undefined || kind === undefined) return []
      const subnet = (family: 4 | 6): Cidr | null =>
        kind.fixed ? cidr(family === 4 ? `10.20.${n}.0/24` : `fd00:2${n}::/64`) : null
      const pool = (family: 4 | 6): PoolSpec => ({
        family,
        subnet: subnet(family),
        range: null,
        gateway: null,
        aux: {},
      })
      const { internal, options: asked } = kind
      return [
        {
          tag: 'CreateNetwork',
          id,
          name: `net${n}`,
          driver: 'bridge',
          options: asked['mtu'] === 'x' || asked['mtu'] === '1000' ? {} : asked,
          internal,
          attachable: false,
          labels: {},
          pools: kind.pools === '46' ? [pool(4), pool(6)] : [pool(kind.pools === '4' ? 4 : 6)],
        },
      ]
    })
    const rooms = sandboxes.filter(
      (each, i) => 'id' in each && sandboxes.findIndex((other) => 'id' in other && other.id === each.id) === i,
    )
    const ends = endpoints.flatMap(({ network, sandbox, priority, joined }, at): ReadonlyArray<Command> => {
      const on = made[network % made.length]
      const room = rooms[sandbox % rooms.length]
      const id = ENDPOINTS[at]
      if (on?.tag !== 'CreateNetwork' || room?.tag !== 'CreateSandbox' || id === undefined) return []
      const create: Command = {
        tag: 'CreateEndpoint',
        id,
        network: on.id,
        name: `e${at}`,
        aliases: [],
        ipv4: null,
        ipv6: null,
        mac: null,
      }
      const enter: Command = { tag: 'Join', endpoint: id, sandbox: room.id, priority, ifName: null }
      return joined === 0 ? [create] : [create, enter]
    })
    return [...made, ...rooms, ...ends]
  })

/** Any commands after a host that works, or any commands alone. */
export const program: fc.Arbitrary<ReadonlyArray<Command>> = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: working }, { weight: 1, arbitrary: fc.constant([]) }),
    fc.array(command, { maxLength: 12 }),
  )
  .map(([start, rest]) => [...start, ...rest])

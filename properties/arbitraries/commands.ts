// Programs of commands over a few names, so that they meet each other often: the same subnet twice, joins of endpoints
// that are gone, ports that are taken. Most programs do something; all of them are allowed.

import fc from 'fast-check'
import { UPLINK as CARD } from '../../src/lab/world.ts'
import type { Command, CreateEndpoint, PoolSpec, PortRequest } from '../../src/model/command.ts'
import { endpointId, networkId, sandboxId } from '../../src/model/types.ts'
import { type Cidr, cidr, nthOf } from '../../src/net/cidr.ts'
import { type HostFacts, NO_FACTS } from '../../src/net/host-facts.ts'
import { ip } from '../../src/net/ip.ts'
import { mac } from '../../src/net/mac.ts'
import { HOST, ifName, LO, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { v4, v6 } from '../../test/lib/model.ts'
import { links, routes } from './attachments.ts'
import { given, seldom } from './given.ts'
import { anyKind, workingKind } from './kinds.ts'

const hex = (kind: string, n: number): string => `${kind}${n}`.padEnd(64, `${n}0a5c3e7`).replace(/[^0-9a-f]/g, 'e')

export const NETWORKS = [0, 1, 2, 3, 4, 5].map((n) => networkId(hex('a', n)))
export const SANDBOXES = [0, 1, 2, 3].map((n) => sandboxId(hex('b', n)))
export const ENDPOINTS = [0, 1, 2, 3, 4, 5].map((n) => endpointId(hex('c', n)))

const SUBNETS4 = ['172.20.0.0/16', '172.20.0.0/24', '10.9.0.0/30', '10.8.0.0/24'].map(cidr)
const SUBNETS6 = ['fd00:1::/64', 'fd00:2::/64'].map(cidr)

const maybe = <A>(values: ReadonlyArray<A>): fc.Arbitrary<A | null> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constantFrom(...values) })

/** Half of a subnet to hand out from, and an address of it that is kept for somebody, who may be the way out. */
const spec = (family: 4 | 6, subnets: ReadonlyArray<Cidr>): fc.Arbitrary<PoolSpec> =>
  fc
    .record({
      subnet: fc.oneof(maybe(subnets), fc.constantFrom(...subnets)),
      gateway: fc.boolean(),
      range: fc.boolean(),
      aux: fc.boolean(),
      leads: fc.boolean(),
      stray: seldom('range', 'gateway', 'aux'),
    })
    .map(({ subnet, gateway, range, aux, leads, stray }) => ({
      family,
      subnet,
      range:
        subnet !== null && range
          ? { ip: subnet.ip, bits: subnet.bits + 1 }
          : stray === 'range'
            ? cidr(family === 4 ? '10.9.0.0/31' : 'fd00:1::/80')
            : null,
      gateway: stray === 'gateway' ? ip('192.0.2.1') : subnet !== null && gateway ? nthOf(subnet, 2n) : null,
      aux:
        stray === 'aux'
          ? { router: ip('192.0.2.2') }
          : subnet !== null && aux
            ? { [leads ? `DefaultGatewayIPv${family}` : 'router']: nthOf(subnet, 1n) }
            : {},
    }))

/** Wishes that nobody can be granted, each in its own way. */
const wild: fc.Arbitrary<PoolSpec> = fc
  .constantFrom(
    ...([
      [4, 'fd00:1::/64', null],
      [4, '10.9.0.1/24', null],
      [4, '224.0.0.0/24', null],
      [4, '0.0.0.0/8', null],
      [4, '10.8.0.0/24', '10.7.0.0/25'],
      [4, '10.8.0.0/24', 'fd00:1::/80'],
      [6, '10.9.0.0/24', null],
    ] as const),
  )
  .map(([family, subnet, range]) => ({
    family,
    subnet: cidr(subnet),
    range: range === null ? null : cidr(range),
    gateway: null,
    aux: {},
  }))

export const pools: fc.Arbitrary<ReadonlyArray<PoolSpec>> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(spec(4, SUBNETS4)) },
  { weight: 1, arbitrary: fc.tuple(spec(6, SUBNETS6)) },
  { weight: 2, arbitrary: fc.tuple(spec(4, SUBNETS4), spec(6, SUBNETS6)) },
  { weight: 1, arbitrary: fc.oneof(fc.tuple(wild), fc.tuple(spec(4, SUBNETS4), spec(4, SUBNETS4)), fc.constant([])) },
)

const labels: fc.Arbitrary<Readonly<Record<string, string>>> = fc.constantFrom({}, { a: 'b' }, { $n: '5', $o: 'x' })

/** Somebody has looked, and found the card alone. */
const LOOKED: HostFacts = { devices: [{ name: CARD, type: null, ours: false }], prefixes: [], ports: null }

/** A command as an engine decides it on a host with nothing but the card. */
export const told = (command: Command): Command =>
  command.tag === 'CreateNetwork' && command.host === undefined ? { ...command, host: LOOKED } : command

const plainNetwork = fc
  .record({
    tag: fc.constant('CreateNetwork' as const),
    id: fc.constantFrom(...NETWORKS),
    name: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom('front', 'back', 'side') },
      { weight: 1, arbitrary: fc.constant('') },
    ),
    kind: anyKind,
    internal: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    attachable: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    labels,
    pools,
    looked: seldom(LOOKED),
  })
  .map(({ kind, looked, ...rest }) => ({ ...rest, ...kind, ...given({ host: looked }) }))

/** A host that has a card under the name of Docker's bridge. */
const OCCUPIED: HostFacts = { ...NO_FACTS, devices: [{ name: ifName('docker0'), type: null, ours: false }] }

/** Anything at all, even what contradicts itself. */
const anyNetwork: fc.Arbitrary<Command> = fc
  .tuple(
    plainNetwork,
    fc.record({
      scope: seldom('local' as const, 'global' as const, 'swarm' as const),
      ingress: seldom(true, false),
      configOnly: seldom(true, false),
      configFrom: seldom('front', 'back', 'shared'),
      host: seldom(OCCUPIED),
    }),
  )
  .map(([network, more]) => ({ ...network, ...given(more) }))

/** One that lends its configuration, and one that takes it, saying nothing itself. */
const lender = fc.tuple(plainNetwork, seldom('shared', 'front')).map(([network, configFrom]) => ({
  ...network,
  name: 'shared',
  internal: false,
  attachable: false,
  configOnly: true,
  ...given({ configFrom }),
}))
const borrower: fc.Arbitrary<Command> = plainNetwork.map((network) => ({
  ...network,
  options: {},
  labels: {},
  pools: [],
  configFrom: 'shared',
}))

const createNetwork: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: anyNetwork },
  { weight: 1, arbitrary: lender },
  { weight: 1, arbitrary: borrower },
)

const exposed = seldom([{ port: port(80), transport: 'tcp' as const }])

const sandboxOptions = fc
  .record({
    domainname: seldom('example.com'),
    extraHosts: seldom([{ name: 'db', ip: ip('203.0.113.7') }]),
    dns: seldom({ servers: ['9.9.9.9', '2620:fe::9'].map(ip), search: ['example.com'], options: ['ndots:1'] }),
    exposed,
    labels: seldom<Readonly<Record<string, string>>>({ $n: '5' }, { tier: 'front' }),
    sysctls: seldom<Readonly<Record<string, string>>>(
      { 'net.core.somaxconn': '010' },
      { 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.default.rp_filter': '2' },
      { 'net.ipv6.conf.all.disable_ipv6': '1' },
      { 'net.ipv4.conf.eth0.rp_filter': '1' },
      { 'net.core.somaxconn': ' ' },
    ),
  })
  .map(given)

const portRequests: fc.Arbitrary<ReadonlyArray<PortRequest>> = fc.array(
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
)

/** A host with three automatic ports, one of them reserved, and with a program of its own at port 80. */
const BUSY: HostFacts = {
  devices: [],
  prefixes: [],
  ports: {
    automatic: { from: port(32768), to: port(32770) },
    reserved: [{ from: port(32768), to: port(32768) }],
    taken: [{ ip: ip('0.0.0.0'), port: port(80), transport: 'tcp' }],
  },
}

const plainSandbox = fc
  .record({
    at: fc.nat(SANDBOXES.length - 1),
    host: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    ports: portRequests,
  })
  .map(({ at, host, ports }) => ({
    tag: 'CreateSandbox' as const,
    id: SANDBOXES[at] ?? sandboxId(hex('b', 0)),
    container: `c${at}`,
    hostname: `c${at}`,
    ns: host ? HOST : ns(`c${at}`),
    ports,
  }))

const createSandbox: fc.Arbitrary<Command> = fc
  .tuple(
    plainSandbox,
    fc.record({
      container: seldom('', 'c0', 'renamed'),
      ns: seldom(ns('c0'), ns('c1')),
      external: seldom(true),
      host: seldom(BUSY),
    }),
    sandboxOptions,
  )
  .map(([sandbox, odd, more]) => ({ ...sandbox, ...given(odd), ...more }))

const changeSandbox: fc.Arbitrary<Command> = fc.oneof(
  fc
    .tuple(fc.constantFrom(...SANDBOXES), portRequests, sandboxOptions)
    .map(([id, ports, more]): Command => ({ tag: 'RefreshSandbox', id, hostname: 'fresh', ports, ...more })),
  fc.record({
    tag: fc.constant('RenameSandbox' as const),
    id: fc.constantFrom(...SANDBOXES),
    container: fc.constantFrom('renamed', 'c0', 'e0', ''),
  }),
  fc.record({
    tag: fc.constant('SetKey' as const),
    sandbox: fc.constantFrom(...SANDBOXES),
    path: fc.constantFrom('/proc/17/ns/net', '/proc/18/ns/net', ''),
  }),
)

const createEndpoint: fc.Arbitrary<Command> = fc
  .record({
    at: fc.nat(ENDPOINTS.length - 1),
    name: seldom('', 'e0', 'renamed'),
    network: fc.constantFrom(...NETWORKS),
    ipv4: maybe(['172.20.0.5', '10.9.0.2'].map(v4)),
    ipv6: maybe(['fd00:1::5'].map(v6)),
    mac: maybe([mac(0x020000abcdef), mac(0x020000abcdef), mac(0x010000000001)]),
    aliases: fc.constantFrom([], ['www'], ['www', 'e0']),
    more: fc.record({
      linkLocal: seldom([ip('169.254.7.7')], ['169.254.7.7', 'fe80::7'].map(ip), [ip('10.0.0.1')], [ip('fe80::1')]),
      disableIPv6: seldom(true),
      disableResolution: seldom(true),
      sysctls: seldom<Readonly<Record<string, string>>>(
        { 'net.ipv4.conf.IFNAME.log_martians': '1' },
        { 'kernel.panic': '1' },
        { 'net.ipv4.conf.IFNAME.log_martians': '1,2' },
      ),
      ifName: seldom(ifName('net0')),
      exposed,
    }),
  })
  .map(({ at, name, more, ...rest }) => ({
    tag: 'CreateEndpoint',
    id: ENDPOINTS[at] ?? endpointId(hex('c', 0)),
    name: name ?? `e${at}`,
    ...rest,
    ...given(more),
  }))

const renameEndpoint: fc.Arbitrary<Command> = fc
  .record({
    id: fc.constantFrom(...ENDPOINTS),
    name: fc.constantFrom('renamed', 'e0', 'e1', ''),
    aliases: seldom(['www'], []),
  })
  .map(({ aliases, ...rest }) => ({ tag: 'RenameEndpoint', ...rest, ...given({ aliases }) }))

const join: fc.Arbitrary<Command> = fc
  .record({
    tag: fc.constant('Join' as const),
    endpoint: fc.constantFrom(...ENDPOINTS),
    sandbox: fc.constantFrom(...SANDBOXES),
    priority: fc.nat(2),
    ifName: fc.oneof(
      { weight: 9, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.constantFrom(ifName('eth0'), LO) },
    ),
    more: fc.record({ routes, links }),
  })
  .map(({ more, ...rest }) => ({ ...rest, ...given(more) }))

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
  { weight: 2, arbitrary: changeSandbox },
  { weight: 1, arbitrary: renameEndpoint },
  { weight: 2, arbitrary: remove },
)

/** What an endpoint may ask for that another may have. */
const wishes: fc.Arbitrary<Partial<CreateEndpoint>> = seldom<Partial<CreateEndpoint>>(
  { linkLocal: [ip('169.254.7.7')] },
  { ipv4: v4('10.20.0.2') },
  { ipv4: v4('10.20.1.2'), disableIPv6: true },
  { mac: mac(0x020000abcdef) },
).map((asked) => asked ?? {})

/** Options that a network of either family can have. */
const isFit = (asked: Readonly<Record<string, string>>, internal: boolean): boolean =>
  asked['mtu'] !== 'x' &&
  asked['mtu'] !== '1000' &&
  (internal || asked['gateway_mode_ipv6'] !== 'isolated') &&
  !(asked['default_bridge'] === 'true' && asked['name'] === 'shared0')

/** A host that works: networks with names of their own, containers, and endpoints that join them. Shrinks by leaving out. */
const working: fc.Arbitrary<ReadonlyArray<Command>> = fc
  .record({
    networks: fc.subarray([0, 1, 2, 3], { minLength: 1 }),
    kinds: fc.array(
      fc.record({
        internal: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
        kind: workingKind,
        pools: fc.constantFrom('4', '6', '46'),
        fixed: fc.boolean(),
      }),
      { minLength: 4, maxLength: 4 },
    ),
    sandboxes: fc.array(plainSandbox, { minLength: 2, maxLength: 6 }),
    endpoints: fc.array(
      fc.record({
        network: fc.nat(3),
        sandbox: fc.nat(3),
        priority: fc.nat(2),
        joined: fc.nat(5),
        wishes,
        routes,
        links,
      }),
      {
        minLength: 2,
        maxLength: 6,
      },
    ),
  })
  .map(({ networks, kinds, sandboxes, endpoints }) => {
    const made = networks.flatMap((n): ReadonlyArray<Command> => {
      const [id, kind] = [NETWORKS[n], kinds[n]]
      if (id === undefined || kind === undefined) return []
      const subnet = (family: 4 | 6): Cidr | null =>
        kind.fixed ? cidr(family === 4 ? `10.20.${n}.0/${n === 3 ? 30 : 24}` : `fd00:2${n}::/64`) : null
      const pool = (family: 4 | 6): PoolSpec => ({
        family,
        subnet: subnet(family),
        range: null,
        gateway: null,
        aux: {},
      })
      const { driver, options: asked } = kind.kind
      return [
        {
          tag: 'CreateNetwork',
          id,
          name: `net${n}`,
          driver,
          options: isFit(asked, kind.internal) ? asked : {},
          internal: kind.internal,
          attachable: false,
          labels: {},
          pools: kind.pools === '46' ? [pool(4), pool(6)] : [pool(kind.pools === '4' ? 4 : 6)],
        },
      ]
    })
    const rooms = sandboxes.filter(
      (each, i) => 'id' in each && sandboxes.findIndex((other) => 'id' in other && other.id === each.id) === i,
    )
    const ends = endpoints.flatMap(
      ({ network, sandbox, priority, joined, wishes: asked, routes: by, links: to }, at): ReadonlyArray<Command> => {
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
          exposed: [{ port: port(80), transport: 'tcp' }],
          ...asked,
        }
        const enter: Command = {
          tag: 'Join',
          endpoint: id,
          sandbox: room.id,
          priority,
          ifName: null,
          ...given({ routes: by, links: to }),
        }
        return joined === 0 ? [create] : [create, enter]
      },
    )
    return [...made, ...rooms, ...ends]
  })

/** One network lends to another, and may be asked to go before it. */
const lending: fc.Arbitrary<ReadonlyArray<Command>> = fc
  .tuple(fc.constantFrom(...NETWORKS), lender, borrower, fc.boolean())
  .map(([id, lends, borrows, early]) => [
    { ...lends, id },
    borrows,
    ...(early ? [{ tag: 'DeleteNetwork', id } as const] : []),
  ])

/** Any commands after a host that works, or any commands alone. */
export const program: fc.Arbitrary<ReadonlyArray<Command>> = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: working }, { weight: 1, arbitrary: fc.constant([]) }),
    fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: lending }),
    fc.array(command, { maxLength: 12 }),
  )
  .map(([start, shared, rest]) => [...start, ...shared, ...rest])

// Programs of kernel operations over a few namespaces, names and addresses, so that they meet each other often. `program`
// mixes what Linux accepts with what it refuses; `tame` turns any operation into one that fits what is there.

import fc from 'fast-check'
import {
  bridgeElement,
  masqueradeElement,
  publishElement,
  skeletonTable,
  subnetElement,
  withinElement,
} from '../../src/kernel/firewall/elements.ts'
import {
  type Address,
  hasOwnMac,
  isStacked,
  type KernelObject,
  type Link,
  type LinkSpec,
  type NftElement,
  type Place,
} from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { deviceSysctl, FORWARD4, FORWARD6, type SysctlName } from '../../src/kernel/sysctl.ts'
import { cidr } from '../../src/net/cidr.ts'
import { type Ip, ip, isIp4 } from '../../src/net/ip.ts'
import { type Mac, mac, ZERO_MAC } from '../../src/net/mac.ts'
import { HOST, ifName, LO, type Ns, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'

const C1 = ns('c1')
const C2 = ns('c2')
export const NAMESPACES: ReadonlyArray<Ns> = [HOST, C1, C2]

/** Where a device may be; the first ones are met most. */
const place = (space: Ns, name: string): Place => ({ ns: space, name: ifName(name) })
const BRIDGES = [place(HOST, 'br0'), place(HOST, 'br1'), place(C1, 'br0')]
const ENDS = [place(HOST, 'v0'), place(HOST, 'v1'), place(C1, 'eth0'), place(C2, 'eth0'), place(C1, 'eth1')]
const LOOPS = NAMESPACES.map((space) => place(space, LO))
const NOWHERE = [place(HOST, 'gone'), place(ns('nowhere'), 'v0'), place(HOST, 'all')]

/** Mostly the first kind, now and then the last. */
const often = <A>(...kinds: ReadonlyArray<ReadonlyArray<A>>): fc.Arbitrary<A> =>
  fc.oneof(
    ...kinds.map((values, i) => ({ weight: 4 ** (kinds.length - 1 - i), arbitrary: fc.constantFrom(...values) })),
  )

const USUAL = [place(HOST, 'br0'), place(HOST, 'v0'), place(C1, 'eth0'), place(HOST, 'v1'), place(C2, 'eth0')]
/** Those of kinds that a kernel may lack; without these they are nowhere. */
const RARELY = [place(HOST, 'd0'), place(HOST, 'x0'), place(C1, 'm0'), place(C2, 'i0')]
const device: fc.Arbitrary<Place> = often(USUAL, [...BRIDGES, ...ENDS, ...LOOPS, ...RARELY], NOWHERE)

const GROUP_MAC = mac(0x030000000001)
const macs: fc.Arbitrary<Mac> = often([0x020000000001, 0x020000000002, 0x020000000003].map(mac), [GROUP_MAC, ZERO_MAC])
const badMtus = often([1500], [1400, 1279], [67, 65536])
const aliases = fc.constantFrom(null, 'cnm:a', 'cnm:b')

const bridgeSpec: LinkSpec = { type: 'bridge' }

const bridge: fc.Arbitrary<Link> = fc
  .record({
    at: often(BRIDGES, ENDS, LOOPS, NOWHERE),
    mac: macs,
    mtu: often([1500], [1400, 9000, 1280], [1279, 68, 65535, 67]),
    up: fc.boolean(),
    alias: aliases,
  })
  .map(({ at, ...rest }) => ({ kind: 'link', ...at, spec: bridgeSpec, ...rest }))

const PAIRS: ReadonlyArray<readonly [Place, Place]> = [
  [place(HOST, 'v0'), place(C1, 'eth0')],
  [place(HOST, 'v1'), place(C2, 'eth0')],
  [place(HOST, 'v0'), place(HOST, 'v1')],
  [place(C1, 'eth1'), place(C2, 'eth0')],
  [place(C1, 'eth0'), place(HOST, 'v0')],
]
const stray = often(ENDS, LOOPS, NOWHERE)
const pair = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...PAIRS) },
  { weight: 1, arbitrary: fc.tuple(stray, stray) },
)

const veth: fc.Arbitrary<Link> = fc
  .record({ ends: pair, mac: macs, mtu: badMtus, up: fc.boolean(), alias: aliases })
  .map(({ ends: [own, peer], ...rest }) => ({ kind: 'link', ...own, spec: { type: 'veth', peer }, ...rest }))

const loopback: fc.Arbitrary<Link> = fc
  .record({ at: fc.constantFrom(...LOOPS), up: fc.boolean() })
  .map(({ at, up }) => ({
    kind: 'link',
    ...at,
    spec: { type: 'loopback' },
    mac: ZERO_MAC,
    mtu: 65536,
    up,
    alias: null,
  }))

/** Kinds that a kernel may lack. */
export const RARE_KINDS = ['dummy', 'vlan', 'macvlan', 'ipvlan'] as const
export type Rare = (typeof RARE_KINDS)[number]

const MODES = often(['bridge', 'private'] as const, ['vepa', 'passthru'] as const)
/** Nobody puts anything on a veth (kernel/cascade.ts). */
const BELOW = often(
  [place(HOST, 'br0'), place(HOST, 'd0')],
  [place(HOST, 'x0'), place(C1, 'br0')],
  [place(HOST, 'none')],
)
const RARE_SPECS: Readonly<Record<Rare, fc.Arbitrary<Readonly<{ at: Place; spec: LinkSpec }>>>> = {
  dummy: often([place(HOST, 'd0')], [place(C1, 'd0'), place(HOST, 'br0')]).map((at) => ({
    at,
    spec: { type: 'dummy' },
  })),
  vlan: fc
    .record({ at: often([place(HOST, 'x0')], [place(C1, 'x0')]), below: BELOW, id: often([10], [0, 4094, 4095]) })
    .map(({ at, ...rest }) => ({ at, spec: { type: 'vlan', ...rest } })),
  macvlan: fc
    .record({
      at: often([place(C1, 'm0'), place(C2, 'm0')], [place(HOST, 'm0'), place(C1, 'eth0')]),
      below: BELOW,
      mode: MODES,
    })
    .map(({ at, ...rest }) => ({ at, spec: { type: 'macvlan', ...rest } })),
  ipvlan: fc
    .record({
      at: often([place(C1, 'i0'), place(C2, 'i0')], [place(HOST, 'i0'), place(C1, 'm0')]),
      below: BELOW,
      mode: fc.constantFrom('l2' as const, 'l3' as const, 'l3s' as const),
      flag: fc.constantFrom('bridge' as const, 'private' as const, 'vepa' as const),
    })
    .map(({ at, ...rest }) => ({ at, spec: { type: 'ipvlan', ...rest } })),
}

const rare = (kinds: ReadonlyArray<Rare>): fc.Arbitrary<Link> =>
  fc
    .record({
      what: fc.oneof(...kinds.map((kind) => RARE_SPECS[kind])),
      mac: macs,
      mtu: often([1500], [1400, 1279], [67]),
      inherits: fc.boolean(),
      up: fc.boolean(),
      alias: aliases,
    })
    .map(({ what: { at, spec }, mac: own, mtu, inherits, ...rest }) => ({
      kind: 'link',
      ...at,
      spec,
      mac: hasOwnMac(spec) ? own : ZERO_MAC,
      mtu: inherits && isStacked(spec) ? 0 : mtu,
      ...rest,
    }))

const linkOf = (kinds: ReadonlyArray<Rare>): fc.Arbitrary<Link> =>
  fc.oneof(
    { weight: 3, arbitrary: bridge },
    { weight: 6, arbitrary: veth },
    { weight: 1, arbitrary: loopback },
    ...(kinds.length === 0 ? [] : [{ weight: 5, arbitrary: rare(kinds) }]),
  )

/** One field at a time, or several, of which Linux applies those before the one it refuses. */
const linkChange: fc.Arbitrary<KernelOp> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ at: device, up: fc.boolean() }).map(({ at, up }) => change(at, { up: !up }, { up })),
  },
  {
    weight: 2,
    arbitrary: fc.record({ at: device, mtu: badMtus }).map(({ at, mtu }) => change(at, { mtu: 1 }, { mtu })),
  },
  {
    weight: 2,
    arbitrary: fc.record({ at: device, to: macs }).map(({ at, to }) => change(at, { mac: mac(0x02ff) }, { mac: to })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ at: device, alias: aliases }).map(({ at, alias }) => change(at, { alias: 'x' }, { alias })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ at: device, mac: macs, mtu: badMtus, up: fc.boolean(), alias: aliases })
      .map(({ at, up, ...to }) => change(at, { mac: mac(0x02ff), mtu: 1, up: !up, alias: 'x' }, { up, ...to })),
  },
  { weight: 1, arbitrary: device.map((at) => change(at, {}, {})) },
)

const change = (at: Place, was: Partial<Link>, is: Partial<Link>): KernelOp => {
  const base: Link = { kind: 'link', ...at, spec: bridgeSpec, mac: mac(0x02ee), mtu: 1500, up: true, alias: null }
  return { verb: 'change', from: { ...base, ...was }, object: { ...base, ...is } }
}

const flag = fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) })

const bridgePort: fc.Arbitrary<KernelObject> = fc
  .record({
    at: often(ENDS, [...BRIDGES, ...LOOPS, ...NOWHERE]),
    bridge: often(['br0'], ['br1'], ['v0', 'gone']),
    isolated: flag,
    hairpin: flag,
  })
  .map(({ at, bridge: master, isolated, hairpin }) => ({
    kind: 'port',
    ns: at.ns,
    dev: at.name,
    bridge: ifName(master),
    isolated,
    hairpin,
  }))

const CIDRS = [
  ['10.0.0.1/24', '10.0.1.1/24', 'fd00::1/64', 'fd01::1/64'],
  ['10.0.0.2/24', '10.0.0.1/16', '10.0.2.1/32', 'fd00::2/64', 'fd00::1/80', 'fd02::1/128', 'fe80::1/64'],
  ['0.0.0.0/24', '127.0.0.1/8', '127.0.0.2/8', '::1/128', '::/64', 'ff02::7/64', '10.3.0.1/31', 'fe80::ff:fe00:1/64'],
].map((texts) => texts.map(cidr))
const address: fc.Arbitrary<Address> = fc
  .record({ at: device, cidr: often(...CIDRS) })
  .map(({ at, cidr: own }) => ({ kind: 'address', ns: at.ns, dev: at.name, cidr: own }))

const TARGETS = [
  ['0.0.0.0/0', '10.9.0.0/24', '::/0', 'fd09::/64'],
  ['10.0.0.0/24', '10.9.1.0/24', 'fd00::/64', 'fd09:1::/64'],
  ['10.9.0.1/24', 'fd09::1/64', '10.9.0.1/32', 'fd09::1/128'],
].map((texts) => texts.map(cidr))
/** The broadcast address of a subnet is no gateway here: docs/known-differences.md 2. */
const GATEWAYS: ReadonlyArray<ReadonlyArray<Ip>> = [
  ['10.0.0.9', 'fd00::9'],
  ['10.0.0.1', '10.9.0.7', 'fd00::1', 'fd09::7', 'fe80::9'],
  ['10.77.0.1', '0.0.0.0', '127.0.0.1', '224.0.0.1', 'fd77::1', '::', '::1', 'ff02::1'],
].map((texts) => texts.map(ip))
const route: fc.Arbitrary<KernelObject> = fc
  .record({
    at: device,
    to: often(...TARGETS),
    via: fc.option(often(...GATEWAYS)),
    fits: often([true], [false]),
    metric: often([0], [5, 256, 1024]),
  })
  .map(({ at, to, via, fits, metric }) => {
    const gateway = via === null || !fits || isIp4(via) === isIp4(to.ip) ? via : null
    return { kind: 'route', ns: at.ns, to, via: gateway, dev: at.name, metric }
  })

const DEVICE_SYSCTLS = [
  [4, 'route_localnet'],
  [4, 'rp_filter'],
  [4, 'forwarding'],
  [4, 'proxy_arp'],
  [6, 'disable_ipv6'],
  [6, 'forwarding'],
  [6, 'accept_ra'],
  [6, 'rp_filter'],
] as const
const sysctlNames: fc.Arbitrary<Readonly<{ ns: Ns; name: SysctlName }>> = fc.oneof(
  fc.record({ ns: fc.constantFrom(...NAMESPACES), name: fc.constantFrom(FORWARD4, FORWARD6) }),
  fc.record({ at: device, key: fc.constantFrom(...DEVICE_SYSCTLS) }).map(({ at, key: [family, key] }) => ({
    ns: at.ns,
    name: deviceSysctl(family, at.name, key),
  })),
  fc
    .record({
      space: fc.constantFrom(...NAMESPACES),
      dev: fc.constantFrom('all', 'default'),
      key: fc.constantFrom(...DEVICE_SYSCTLS),
    })
    .map(({ space, dev, key: [family, key] }) => ({ ns: space, name: deviceSysctl(family, ifName(dev), key) })),
)
const sysctl: fc.Arbitrary<KernelObject> = fc
  .record({ at: sysctlNames, value: often(['1', '0'], ['2', '-1', '07', '0x10', 'x', '', '99999999999']) })
  .map(({ at, value }) => ({ kind: 'sysctl', ...at, value, otherwise: '0' }))

/** Every sysctl that a program may have touched. */
export const SYSCTLS: ReadonlyArray<Readonly<{ ns: Ns; name: SysctlName }>> = NAMESPACES.flatMap((space) => [
  { ns: space, name: FORWARD4 },
  { ns: space, name: FORWARD6 },
  ...['all', 'default', 'lo', 'v0', 'v1', 'br0', 'br1', 'eth0', 'eth1'].flatMap((dev) =>
    DEVICE_SYSCTLS.filter(([family, key]) => family === 4 || key !== 'rp_filter').map(([family, key]) => ({
      ns: space,
      name: deviceSysctl(family, ifName(dev), key),
    })),
  ),
])

const PREFIXES = [
  '10.0.0.0/24',
  '10.0.0.0/16',
  '10.0.0.128/25',
  '10.0.1.0/24',
  '10.0.0.7/32',
  'fd00::/64',
  'fd00::/48',
  'fd00::5/128',
].map(cidr)
const prefix = fc.constantFrom(...PREFIXES)
const bridgeName = fc.constantFrom('br0', 'br1').map(ifName)
const element: fc.Arbitrary<NftElement> = fc.constantFrom(...NAMESPACES).chain((space) =>
  fc.oneof(
    bridgeName.map((name) => bridgeElement(space, name)),
    bridgeName.map((name) => withinElement(space, name)),
    fc.tuple(bridgeName, prefix).map(([name, subnet]) => subnetElement(space, name, subnet)),
    prefix.map((subnet) => masqueradeElement(space, subnet)),
    fc
      .record({ host: fc.constantFrom('0.0.0.0', '203.0.113.1', '::'), to: fc.constantFrom(80, 81) })
      .map(({ host, to }) => {
        const inside = host.includes(':') ? ip('fd00::2') : ip('10.0.0.2')
        return publishElement(space, { ip: ip(host), port: port(8080) }, 'tcp', { ip: inside, port: port(to) })
      }),
  ),
)

/** Where somebody else's namespaces are. */
export const FOREIGN: ReadonlyArray<string> = ['/foreign/1', '/foreign/2']

/** Bring namespaces in rarely: each takes much with it. */
const netns: fc.Arbitrary<KernelObject> = fc
  .record({ ns: often([C1, C2], [HOST]), at: fc.constantFrom(null, ...FOREIGN) })
  .map((space) => ({ kind: 'netns', ...space }))
const table: fc.Arbitrary<KernelObject> = often([HOST], [C1]).map(skeletonTable)

const objectOf = (kinds: ReadonlyArray<Rare>): fc.Arbitrary<KernelObject> =>
  fc.oneof(
    { weight: 5, arbitrary: linkOf(kinds) },
    { weight: 4, arbitrary: bridgePort },
    { weight: 6, arbitrary: address },
    { weight: 6, arbitrary: route },
    { weight: 3, arbitrary: sysctl },
    { weight: 3, arbitrary: element },
    { weight: 1, arbitrary: table },
    { weight: 1, arbitrary: netns },
  )

const create = (one: KernelObject): KernelOp => ({ verb: 'create', object: one })

/** A namespace that loses its name and gets it back, or another one does. */
const renamed: fc.Arbitrary<KernelOp> = fc
  .record({ isNew: fc.boolean(), object: netns })
  .map(({ isNew, object: one }) => (isNew ? create(one) : { verb: 'delete', object: one }))

/** Any operation; `kinds`: with links of these, too. */
export const opOf = (kinds: ReadonlyArray<Rare>): fc.Arbitrary<KernelOp> => {
  const object = objectOf(kinds)
  return fc.oneof(
    { weight: 1, arbitrary: renamed },
    { weight: 6, arbitrary: object.map(create) },
    { weight: 2, arbitrary: object.map((one): KernelOp => ({ verb: 'delete', object: one })) },
    { weight: 3, arbitrary: linkChange },
    {
      weight: 2,
      arbitrary: fc.oneof(route, sysctl, bridgePort).map(
        (one): KernelOp => ({
          verb: 'change',
          from: one.kind === 'port' ? { ...one, hairpin: !one.hairpin } : one,
          object: one,
        }),
      ),
    },
  )
}

const HOST_TABLE = skeletonTable(HOST)
/** What happens to the host's firewall; its table is there mostly. */
export const firewallOps: fc.Arbitrary<ReadonlyArray<KernelOp>> = fc
  .array(
    fc
      .record({
        object: fc.oneof(
          { weight: 12, arbitrary: element.map((one): KernelObject => ({ ...one, ns: HOST })) },
          { weight: 1, arbitrary: fc.constant(HOST_TABLE) },
        ),
        verb: often(['create'] as const, ['delete'] as const),
      })
      .map(({ verb, object: one }): KernelOp => ({ verb, object: one })),
    { maxLength: 40, size: 'max' },
  )
  .map((ops) => [create(HOST_TABLE), ...ops])

/** The host is made; of the others some are adopted. */
const start: fc.Arbitrary<ReadonlyArray<KernelOp>> = fc
  .tuple(fc.constantFrom(null, null, ...FOREIGN), fc.constantFrom(null, null, ...FOREIGN))
  .map(([one, two]) => [
    create({ kind: 'netns', ns: HOST, at: null }),
    create({ kind: 'netns', ns: C1, at: one }),
    create({ kind: 'netns', ns: C2, at: two }),
  ])

const up = (at: Place): KernelOp => change(at, { up: false }, { up: true })
const ready = { kind: 'link', mac: mac(0x020000000001), mtu: 1500, up: true, alias: null } as const
const FURNITURE: ReadonlyArray<ReadonlyArray<KernelOp>> = [
  [create({ ...ready, ...place(HOST, 'br0'), spec: bridgeSpec })],
  [create({ ...ready, ...place(HOST, 'v0'), spec: { type: 'veth', peer: place(C1, 'eth0') } }), up(place(C1, 'eth0'))],
  [create({ ...ready, ...place(HOST, 'v1'), spec: { type: 'veth', peer: place(C2, 'eth0') } }), up(place(C2, 'eth0'))],
  LOOPS.map(up),
  [create(skeletonTable(HOST))],
]

/** The namespaces and some of the devices most programs need, then anything. */
export const program = (maxLength: number, kinds: ReadonlyArray<Rare> = []): fc.Arbitrary<ReadonlyArray<KernelOp>> =>
  fc
    .tuple(start, fc.subarray([...FURNITURE]), fc.array(opOf(kinds), { minLength: 1, maxLength, size: 'max' }))
    .map(([made, furniture, ops]) => [...made, ...furniture.flat(), ...ops])

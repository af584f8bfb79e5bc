// Requests about links to the stacks of three namespaces: devices of all kinds, ports, forwarding entries and VLANs. MACs are always
// given: Linux would draw them at random.

import fc from 'fast-check'
import type { IpvlanFlag, IpvlanMode, MacvlanMode, NewKind, VxlanOptions } from '../../src/kernel/rtnl/kind.ts'
import type { Ask, FdbRequest, NewLink, SetLink, VlanRequest } from '../../src/kernel/rtnl/request.ts'
import { ip } from '../../src/net/ip.ts'
import { mac, ZERO_MAC } from '../../src/net/mac.ts'
import { type IfName, ifName, LO, type Ns, ns } from '../../src/net/name.ts'
import { maybe, often, present, seldom } from './choices.ts'

export const H = ns('h')
export const C = ns('c')
export const D = ns('d')
export const ROOMS: ReadonlyArray<Ns> = [H, C, D]

export const names = (...texts: ReadonlyArray<string>): ReadonlyArray<IfName> => texts.map(ifName)
export const dev = often(names('v0', 'v1', 'br0', 'x0', 'm0'), names('v2', 'e0', 'br1', 'x1', 'm1', 'w0'), [
  LO,
  ...names('gone', 'new0', 'all'),
])
export const room = often([H], [C], [D])
export const macs = often(
  [1, 2, 3, 4, 5, 6].map((n) => mac(0x020000000000 + n)),
  [mac(0x030000000001), ZERO_MAC],
)
const mtus = often([1500, 1400], [9000, 1280, 1279], [68, 67, 65535, 65536, 0])

const bridgeOptions = fc
  .record({
    // Nothing ages while a program runs.
    ageingTime: seldom(fc.constantFrom(20_000, 30_000)),
    stp: seldom(fc.boolean()),
    priority: seldom(fc.constantFrom(0, 7, 65_535)),
    mcastSnooping: seldom(fc.boolean()),
    vlanFiltering: seldom(fc.boolean()),
    vlanProtocol: seldom(fc.constantFrom('802.1Q' as const, '802.1ad' as const)),
    vlanDefaultPvid: seldom(often([1, 0], [7, 4094], [4095])),
  })
  .map(present)

const settings = {
  up: maybe(fc.boolean(), 2),
  mtu: seldom(mtus),
  group: seldom(fc.constantFrom(0, 7)),
  txqlen: seldom(fc.constantFrom(0, 5)),
}

const REMOTES = [
  ['10.0.0.9', '10.0.0.8', 'fd00::9'],
  ['fd00::8', '239.1.1.1', 'fe80::9', '0.0.0.0'],
  ['ff02::7', 'ff05::7', '::'],
].map((texts) => texts.map(ip))
const remotes = often(...REMOTES)
const locals = often(['10.0.0.1', 'fd00::1'].map(ip), ['fe80::1', '0.0.0.0'].map(ip), ['239.1.1.1', '::'].map(ip))
const flag = seldom(fc.boolean())

/** What a VXLAN can be told at any time, and (`flags`) when it is made. */
const changeable = {
  remote: maybe(remotes, 2),
  local: seldom(locals),
  dev: maybe(dev, 3),
  ttl: seldom(fc.constantFrom(0, 9, 256)),
  learning: seldom(fc.boolean()),
  ageing: seldom(fc.constantFrom(0, 100)),
}
const flags = {
  proxy: flag,
  rsc: flag,
  l2miss: flag,
  l3miss: flag,
  udpCsum: flag,
  udpZeroCsum6Tx: flag,
  udpZeroCsum6Rx: flag,
}
const vnis = often([5, 6], [2 ** 24 - 1], [2 ** 24])

const vxlan: fc.Arbitrary<NewKind> = fc
  .record({ vni: vnis, port: seldom(often([4789], [0, 65_536])), ...changeable, ...flags })
  .map((options) => ({ kind: 'vxlan' as const, ...(present(options) as VxlanOptions) }))
const MODES: ReadonlyArray<MacvlanMode> = ['bridge', 'private', 'vepa', 'passthru']
const IP_MODES: ReadonlyArray<IpvlanMode> = ['l2', 'l3', 'l3s']
const IP_FLAGS: ReadonlyArray<IpvlanFlag> = ['bridge', 'private', 'vepa']
const macvlan = fc
  .record({ mode: maybe(fc.constantFrom(...MODES), 1) })
  .map((options): NewKind => ({ kind: 'macvlan', ...present(options) }))
const ipvlan = fc
  .record({ mode: maybe(fc.constantFrom(...IP_MODES), 2), flag: seldom(fc.constantFrom(...IP_FLAGS)) })
  .map((options) => ({ kind: 'ipvlan' as const, ...present(options) }))
const vlan = fc
  .record({
    id: often([5, 6], [0, 4094], [4095, 4096, 65_536]),
    protocol: seldom(fc.constantFrom('802.1Q' as const, '802.1ad' as const)),
  })
  .map((options): NewKind => ({ kind: 'vlan', ...present(options) }))
const veth = fc
  .record({ name: dev, ns: seldom(room), mac: macs, mtu: seldom(mtus) })
  .map((peer): NewKind => ({ kind: 'veth', peer: present(peer) }))
const bridge = bridgeOptions.map((options): NewKind => ({ kind: 'bridge', ...options }))

/** With what most need below them. */
const kinds: fc.Arbitrary<Readonly<{ kind: NewKind; dev: IfName | undefined }>> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: bridge, dev: seldom(dev) }) },
  { weight: 3, arbitrary: fc.record({ kind: veth, dev: seldom(dev) }) },
  { weight: 4, arbitrary: fc.record({ kind: vxlan, dev: seldom(dev) }) },
  { weight: 4, arbitrary: fc.record({ kind: macvlan, dev: maybe(dev, 1) }) },
  { weight: 2, arbitrary: fc.record({ kind: vlan, dev: maybe(dev, 1) }) },
  { weight: 2, arbitrary: fc.record({ kind: ipvlan, dev: maybe(dev, 1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant<NewKind>({ kind: 'dummy' }), dev: seldom(dev) }) },
)

const newLink: fc.Arbitrary<Ask> = fc
  .record({
    name: dev,
    mac: macs,
    index: seldom(fc.constantFrom(2, 5, 30)),
    to: seldom(fc.constantFrom(...ROOMS, ns('nowhere'))),
    master: seldom(dev),
    ...settings,
    made: kinds,
  })
  .map(({ made, ...link }): NewLink => ({ on: 'link', do: 'add', ...present({ ...link, ...made }) }))

const kindChange = fc.oneof(
  { weight: 3, arbitrary: bridgeOptions.map((options) => ({ kind: 'bridge' as const, ...options })) },
  {
    weight: 4,
    arbitrary: fc.record(changeable).map((options) => ({ kind: 'vxlan' as const, ...present(options) })),
  },
  { weight: 1, arbitrary: fc.record(flags).map((options) => ({ kind: 'vxlan' as const, ...present(options) })) },
  { weight: 2, arbitrary: fc.constantFrom(...MODES).map((mode) => ({ kind: 'macvlan' as const, mode })) },
  { weight: 1, arbitrary: ipvlan },
)

const setLink: fc.Arbitrary<Ask> = fc
  .record({
    dev,
    ...settings,
    mac: seldom(macs),
    name: seldom(dev),
    alias: seldom(fc.constantFrom('', 'one', 'x'.repeat(256))),
    master: seldom(fc.option(dev)),
    to: seldom(fc.constantFrom(...ROOMS)),
    addrGenMode: seldom(fc.constantFrom('none' as const, 'eui64' as const)),
    kind: seldom(kindChange),
  })
  .map((link): SetLink => ({ on: 'link', do: 'set', ...present(link) }))

const deleteLink: fc.Arbitrary<Ask> = fc.oneof(
  { weight: 5, arbitrary: dev.map((name): Ask => ({ on: 'link', do: 'delete', dev: name })) },
  { weight: 1, arbitrary: fc.constantFrom(0, 7).map((group): Ask => ({ on: 'link', do: 'delete', group })) },
)

const port: fc.Arbitrary<Ask> = fc
  .record({
    dev,
    options: fc
      .record({
        state: seldom(fc.constantFrom(0, 1, 2, 3, 4)),
        priority: seldom(fc.constantFrom(0, 63, 64)),
        cost: seldom(fc.constantFrom(1, 65_536)),
        hairpin: seldom(fc.boolean()),
        isolated: seldom(fc.boolean()),
        learning: seldom(fc.boolean()),
        flood: seldom(fc.boolean()),
        neighSuppress: seldom(fc.boolean()),
        locked: seldom(fc.boolean()),
        guard: seldom(fc.boolean()),
        rootBlock: seldom(fc.boolean()),
        fastLeave: seldom(fc.boolean()),
        mcastFlood: seldom(fc.boolean()),
        bcastFlood: seldom(fc.boolean()),
      })
      .map(present),
  })
  .map(({ dev: name, options }): Ask => ({ on: 'port', do: 'set', dev: name, options }))

/** None that a device has, unless it is given one: what a bridge learns would stand where the simulation has nothing. */
const fdbMacs = often(
  [0x11, 0x12].map((n) => mac(0x020000000000 + n)),
  [ZERO_MAC, mac(0x020000000001), mac(0x020000000002)],
  [mac(0x030000000001)],
)

const fdb: fc.Arbitrary<Ask> = fc
  .record({
    do: often(['add' as const], ['delete' as const, 'append' as const, 'replace' as const]),
    dev: often(names('v0', 'x0'), names('v1', 'br0', 'x1', 'm0'), [LO, ...names('gone', 'e0', 'br1')]),
    mac: fdbMacs,
    of: fc.constantFrom('master' as const, 'self' as const),
    state: maybe(fc.constantFrom('local' as const, 'static' as const, 'dynamic' as const), 3),
    sticky: seldom(fc.boolean()),
    dst: maybe(remotes, 4),
    vni: seldom(often([5, 7], [2 ** 24])),
    port: seldom(fc.constantFrom(4789, 8472, 0)),
    via: seldom(dev),
    vlan: seldom(often([1, 5], [0, 4095])),
  })
  .map((one): FdbRequest => ({ on: 'fdb', ...present(one) }))

const vlans: fc.Arbitrary<Ask> = fc
  .record({
    do: often(['add' as const], ['delete' as const]),
    dev: often(names('v0', 'br0'), names('v1', 'br1', 'x0', 'm0'), [LO, ...names('gone')]),
    id: often([1, 5, 7], [0, 4094], [4095, 4096]),
    until: seldom(often([6, 8], [1, 4095, 4096])),
    pvid: seldom(fc.boolean()),
    untagged: seldom(fc.boolean()),
    self: maybe(fc.boolean(), 2),
  })
  .map((one): VlanRequest => ({ on: 'vlan', ...present(one) }))

/** Requests about links, by how often they are made. */
export const aboutLinks: ReadonlyArray<fc.WeightedArbitrary<Ask>> = [
  { weight: 20, arbitrary: newLink },
  { weight: 32, arbitrary: setLink },
  { weight: 6, arbitrary: deleteLink },
  { weight: 8, arbitrary: port },
  { weight: 16, arbitrary: fdb },
  { weight: 6, arbitrary: vlans },
]

// Programs of requests over two namespaces, few names and few addresses of all families, so that they meet each other often; what
// Linux takes is mixed with what it refuses. No two ports are ends of one pair: a bridge in a ring would flood it for ever. MACs
// are always given, for those that a kernel draws are no two times the same.

import fc from 'fast-check'
import type { KindChange, NewKind, PortOptions } from '../../src/kernel/rtnl/kind.ts'
import type { Ask, NextHop, Request, RouteType, RuleAction } from '../../src/kernel/rtnl/request.ts'
import type { SysctlName } from '../../src/kernel/sysctl.ts'
import { cidr } from '../../src/net/cidr.ts'
import { type Ip, type Ip4, ip, isIp4 } from '../../src/net/ip.ts'
import { mac } from '../../src/net/mac.ts'
import { type IfName, ifName, LO, type Ns, ns } from '../../src/net/name.ts'

export const H = ns('h')
export const C = ns('c')
const NOWHERE = ns('nowhere')

/** Mostly the first kind, now and then the last. */
const often = <A>(...kinds: ReadonlyArray<ReadonlyArray<A>>): fc.Arbitrary<A> =>
  fc.oneof(
    ...kinds.map((values, i) => ({ weight: 4 ** (kinds.length - 1 - i), arbitrary: fc.constantFrom(...values) })),
  )
const some = <A extends object>(values: { [K in keyof A]: fc.Arbitrary<A[K]> }): fc.Arbitrary<Partial<A>> =>
  // Cast: fast-check says this of the keys that it is given, one by one.
  fc.record(values, { requiredKeys: [] }) as fc.Arbitrary<Partial<A>>
/** There once in so many times. */
const maybe = <A>(one: fc.Arbitrary<A>, times = 4): fc.Arbitrary<A | undefined> =>
  fc.oneof({ weight: times - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: one })
const mostly = <A>(one: fc.Arbitrary<A>): fc.Arbitrary<A | undefined> =>
  fc.oneof({ weight: 9, arbitrary: one }, { weight: 1, arbitrary: fc.constant(undefined) })
/** Without what is undefined. */
const only = <A extends object>(one: fc.Arbitrary<{ [K in keyof A]: A[K] | undefined }>): fc.Arbitrary<A> =>
  one.map((values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as A)

const names = (...texts: ReadonlyArray<string>): ReadonlyArray<IfName> => texts.map(ifName)
const BRIDGES = names('br0', 'br1')
const PORTS = names('v0', 'v1')
const ENDS = names('e0', 'e1')
const OTHERS = names('x0', 'm0', 'r0')
const STRANGE = [LO, ...names('gone', 'all', 'if2', 'w0')]

const spaces: fc.Arbitrary<Ns> = often([H], [H, C])
const anywhere: fc.Arbitrary<Ns> = often([H, C], [H, C], [NOWHERE])
const devs = often(names('v0', 'e0', 'br0'), [...PORTS, ...ENDS, ...BRIDGES, ...OTHERS], STRANGE)
const macs = often([0x020000000001, 0x020000000002, 0x020000000003].map(mac), [0x030000000001, 0].map(mac))
const mtus = often([1500, 1400, 1280], [1279, 9000, 68], [67, 65536, 70000])

const settings = {
  up: fc.boolean(),
  mtu: mtus,
  group: fc.constantFrom(0, 5),
  txqlen: fc.constantFrom(500, 1000),
}

const ip4s = often(
  ['10.0.0.1', '10.0.0.2', '10.0.1.1'].map(ip),
  ['10.7.0.1', '127.0.0.2', '224.0.0.1', '0.0.0.0'].map(ip),
)
const ip6s = often(['fd00::1', 'fd00::2', 'fd00:1::1'].map(ip), ['fd07::1', 'fe80::9', 'ff02::9', '::1', '::'].map(ip))
const ips: fc.Arbitrary<Ip> = fc.oneof(ip4s, ip6s)
/** Mostly of the same family. */
const near = (to: Ip): fc.Arbitrary<Ip> =>
  fc.oneof({ weight: 9, arbitrary: isIp4(to) ? ip4s : ip6s }, { weight: 1, arbitrary: ips })
const cidrs = fc
  .record({ of: ips, bits: often([24, 64], [32, 128, 16], [0, 31]) })
  .map(({ of, bits }) => ({ ip: of, bits: isIp4(of) ? Math.min(bits, 32) : bits }))
const NETS = ['10.0.0.0/24', '10.5.0.0/16', 'fd05::/64', 'fd00::/64'].map(cidr)
const nets = often(
  NETS,
  ['0.0.0.0/0', '::/0', '10.0.0.9/32', 'fd05::9/128'].map(cidr),
  ['10.5.0.1/16', 'fd05::1/64'].map(cidr),
)
const scopes = fc.constantFrom('global' as const, 'link' as const, 'host' as const, 7, 256)

const bridgeOptions = some({
  ageingTime: fc.constantFrom(30000, 20000),
  priority: often([4096, 0], [65536]),
  vlanFiltering: fc.boolean(),
  mcastSnooping: fc.boolean(),
})
const vxlanOptions = {
  remote: often(['10.0.0.2', 'fd00::2'].map(ip), ['239.1.1.1'].map(ip)),
  local: often(['10.0.0.1', 'fd00::1'].map(ip), ['239.1.1.1'].map(ip)),
  dev: often([...PORTS], STRANGE),
  ttl: often([0, 9], [256]),
  learning: fc.boolean(),
  ageing: fc.constantFrom(0, 100),
  l2miss: fc.boolean(),
  udpCsum: fc.boolean(),
}
type Made = Readonly<{ names: ReadonlyArray<IfName>; kind: NewKind; below: boolean }>
const kinds: fc.Arbitrary<Made> = fc.oneof(
  {
    weight: 4,
    arbitrary: bridgeOptions.map(
      (options): Made => ({ names: BRIDGES, kind: { kind: 'bridge', ...options }, below: false }),
    ),
  },
  {
    weight: 6,
    arbitrary: only<Readonly<{ ns?: Ns; name: IfName }>>(
      fc.record({ ns: maybe(anywhere), name: fc.constantFrom(...ENDS) }),
    ).chain((peer) =>
      macs.map((own): Made => ({ names: PORTS, kind: { kind: 'veth', peer: { ...peer, mac: own } }, below: false })),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(often([5, 6], [2 ** 24]), some({ ...vxlanOptions, port: often([8472, 4789], [0, 65536]) })).map(
      ([vni, options]): Made => ({
        names: names('x0', 'v1'),
        kind: { kind: 'vxlan', vni, ...options },
        below: false,
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('bridge' as const, 'private' as const, 'vepa' as const, 'passthru' as const)
      .map((mode): Made => ({ names: names('m0', 'r0'), kind: { kind: 'macvlan', mode }, below: true })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<NewKind>({ kind: 'dummy' }, { kind: 'vlan', id: 5 }).map(
      (kind): Made => ({
        names: names('w0'),
        kind,
        below: kind.kind === 'vlan',
      }),
    ),
  },
)

/** Only bridges' names and those that are safe in one may be ports. */
const masters = often(BRIDGES, STRANGE)
const newLink: fc.Arbitrary<Ask> = kinds.chain(({ names: own, kind, below }) =>
  only<Extract<Ask, { on: 'link'; do: 'add' }>>(
    fc.record({
      on: fc.constant('link' as const),
      do: fc.constant('add' as const),
      name: often(own, STRANGE),
      mac: macs,
      index: maybe(often([20, 21], [1, 0]), 9),
      dev: below ? mostly(often([...ENDS, ...PORTS], STRANGE)) : fc.constant(undefined),
      to: maybe(anywhere, 9),
      master: own === PORTS ? maybe(masters, 2) : fc.constant(undefined),
      up: maybe(fc.boolean()),
      mtu: maybe(mtus, 5),
      group: maybe(fc.constantFrom(0, 5), 9),
      txqlen: maybe(fc.constantFrom(500, 1000), 9),
      kind: fc.constant(kind),
    }),
  ),
)

const kindChanges: fc.Arbitrary<KindChange> = fc.oneof(
  bridgeOptions.map((options) => ({ kind: 'bridge' as const, ...options })),
  some(vxlanOptions).map((options) => ({ kind: 'vxlan' as const, ...options })),
  fc.constantFrom<KindChange>({ kind: 'macvlan', mode: 'bridge' }, { kind: 'macvlan', mode: 'passthru' }),
)
const setLink: fc.Arbitrary<Ask> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({ dev: devs, more: some({ ...settings, mac: macs, alias: fc.constantFrom('', 'a', 'b "c" #d') }) })
      .map(({ dev, more }): Ask => ({ on: 'link', do: 'set', dev, ...more })),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({ dev: often(PORTS, [LO, ...BRIDGES]), master: fc.oneof(masters, fc.constant(null)) })
      .map((one): Ask => ({ on: 'link', do: 'set', ...one })),
  },
  {
    weight: 1,
    arbitrary: fc
      .oneof(
        fc.record({ dev: devs, name: fc.constantFrom(...names('r0', 'e0')) }),
        fc.record({ dev: devs, to: anywhere }),
        fc.record({ dev: devs, kind: kindChanges }),
        fc.record({ dev: devs, addrGenMode: fc.constant('none' as const) }),
      )
      .map((one): Ask => ({ on: 'link', do: 'set', ...one })),
  },
)
const deleteLink: fc.Arbitrary<Ask> = fc.oneof(
  { weight: 3, arbitrary: devs.map((dev): Ask => ({ on: 'link', do: 'delete', dev })) },
  { weight: 1, arbitrary: fc.constantFrom(5, 0).map((group): Ask => ({ on: 'link', do: 'delete', group })) },
)

const portOptions: fc.Arbitrary<PortOptions> = some({
  state: often([0, 3], [5]),
  priority: often([8], [64]),
  cost: often([10], [0, 65536]),
  hairpin: fc.boolean(),
  learning: fc.boolean(),
  flood: fc.boolean(),
  neighSuppress: fc.boolean(),
  isolated: fc.boolean(),
  locked: fc.boolean(),
})
const port: fc.Arbitrary<Ask> = fc
  .record({ dev: often(PORTS, [...ENDS, ...BRIDGES, LO]), options: portOptions })
  .map((one): Ask => ({ on: 'port', do: 'set', ...one }))

type AddressAsk = Extract<Ask, { on: 'address' }>
const address: fc.Arbitrary<Ask> = cidrs.chain((own) =>
  only<AddressAsk>(
    fc.record({
      on: fc.constant('address' as const),
      do: often<AddressAsk['do']>(['add'], ['replace', 'delete']),
      dev: devs,
      cidr: fc.constant(own),
      peer: maybe(near(own.ip), 9),
      broadcast: maybe(
        fc.oneof(
          fc.constant('+' as const),
          ip4s.filter((one): one is Ip4 => isIp4(one)),
        ),
        isIp4(own.ip) ? 5 : 20,
      ),
      scope: maybe(scopes, 9),
      label: maybe(fc.constantFrom('v0:1', 'a b'), 9),
      nodad: maybe(fc.boolean()),
      noprefixroute: maybe(fc.boolean(), 9),
      metric: maybe(fc.constantFrom(5, 50), 9),
    }),
  ),
)

const hops = (to: Ip): fc.Arbitrary<NextHop> =>
  only<NextHop>(
    fc.record({
      via: mostly(near(to)),
      dev: maybe(devs),
      weight: maybe(often([1, 2], [0, 257])),
      onlink: maybe(fc.boolean(), 9),
    }),
  )
type RouteAsk = Extract<Ask, { on: 'route' }>
const TYPES: ReadonlyArray<RouteType> = ['local', 'broadcast', 'blackhole', 'unreachable', 'prohibit', 'throw']
const route: fc.Arbitrary<Ask> = nets.chain((to) =>
  only<RouteAsk>(
    fc.record({
      on: fc.constant('route' as const),
      do: often<RouteAsk['do']>(['add'], ['replace', 'append', 'delete'], ['change']),
      to: fc.constant(to),
      type: maybe(often<RouteType>(['unicast'], TYPES), 5),
      via: maybe(near(to.ip), 2),
      dev: maybe(devs, 2),
      onlink: maybe(fc.boolean(), 9),
      hops: maybe(fc.array(hops(to.ip), { maxLength: 3 }), 6),
      metric: maybe(fc.constantFrom(0, 5, 1024), 5),
      table: maybe(fc.constantFrom(100, 255, 1000), 9),
      proto: maybe(often([4, 157], [256]), 9),
      scope: maybe(scopes, 15),
      src: maybe(near(to.ip), 9),
      mtu: maybe(fc.constantFrom(1300), 9),
      tos: maybe(often([0x10], [1, 256]), 15),
    }),
  ),
)

const actions: fc.Arbitrary<RuleAction> = fc.oneof(
  fc.constantFrom(100, 254, 1000).map((lookup) => ({ lookup })),
  fc.constantFrom(50, 200).map((goto) => ({ goto })),
  fc
    .constantFrom('blackhole' as const, 'unreachable' as const, 'prohibit' as const, 'nop' as const)
    .map((is) => ({ is })),
)
type RuleAsk = Extract<Ask, { on: 'rule' }>
const rule: fc.Arbitrary<Ask> = only<RuleAsk>(
  fc.record({
    on: fc.constant('rule' as const),
    do: often<RuleAsk['do']>(['add'], ['delete']),
    family: fc.constantFrom(4 as const, 6 as const),
    priority: mostly(fc.constantFrom(100, 101, 0)),
    not: maybe(fc.boolean(), 9),
    from: maybe(nets, 3),
    to: maybe(nets, 9),
    iif: maybe(devs, 9),
    oif: maybe(devs, 9),
    mark: maybe(fc.constantFrom({ value: 5 }, { value: 5, mask: 0xff }), 9),
    suppressPrefixLength: maybe(fc.constantFrom(0, 24), 9),
    action: mostly(actions),
  }),
)

type NeighbourAsk = Extract<Ask, { on: 'neighbour' }>
const neighbour: fc.Arbitrary<Ask> = only<NeighbourAsk>(
  fc.record({
    on: fc.constant('neighbour' as const),
    do: often<NeighbourAsk['do']>(['add'], ['replace', 'delete'], ['change']),
    dev: devs,
    ip: ips,
    mac: mostly(macs),
    state: maybe(fc.constantFrom('permanent' as const, 'noarp' as const, 'stale' as const)),
    proxy: maybe(fc.boolean(), 5),
  }),
)

type FdbAsk = Extract<Ask, { on: 'fdb' }>
const fdb: fc.Arbitrary<Ask> = only<FdbAsk>(
  fc.record({
    on: fc.constant('fdb' as const),
    do: often<FdbAsk['do']>(['add'], ['replace', 'append', 'delete']),
    dev: often([...PORTS, 'x0' as IfName], [...BRIDGES, ...ENDS, ...STRANGE]),
    mac: macs,
    of: fc.constantFrom('master' as const, 'self' as const),
    state: maybe(fc.constantFrom('local' as const, 'static' as const)),
    sticky: maybe(fc.boolean(), 9),
    dst: maybe(ips, 2),
    vni: maybe(often([5], [2 ** 24]), 9),
    port: maybe(fc.constantFrom(4789), 9),
    via: maybe(devs, 9),
    vlan: maybe(often([1, 10], [0, 4095]), 9),
  }),
)

type VlanAsk = Extract<Ask, { on: 'vlan' }>
const vlan: fc.Arbitrary<Ask> = only<VlanAsk>(
  fc.record({
    on: fc.constant('vlan' as const),
    do: fc.constantFrom('add' as const, 'delete' as const),
    dev: often(PORTS, [...BRIDGES, LO]),
    id: often([1, 10], [0, 4095, 4096]),
    until: maybe(fc.constantFrom(12, 5), 5),
    pvid: maybe(fc.boolean()),
    untagged: maybe(fc.boolean()),
    self: maybe(fc.boolean()),
  }),
)

const sysctl: fc.Arbitrary<Ask> = fc
  .record({
    name: fc.constantFrom('net.ipv4.ip_forward', 'net.ipv6.conf.v0.disable_ipv6', 'net.ipv6.conf.all.forwarding'),
    value: often(['0', '1'], ['x']),
  })
  .map(({ name, value }): Ask => ({ on: 'sysctl', do: 'write', name: name as SysctlName, value }))

const netns: fc.Arbitrary<Request> = fc.constantFrom<Request>(
  { ns: H, ask: { on: 'netns', do: 'add' } },
  { ns: NOWHERE, ask: { on: 'netns', do: 'delete' } },
)

export const asks: fc.Arbitrary<Ask> = fc.oneof(
  { weight: 8, arbitrary: newLink },
  { weight: 6, arbitrary: setLink },
  { weight: 1, arbitrary: deleteLink },
  { weight: 1, arbitrary: port },
  { weight: 6, arbitrary: address },
  { weight: 6, arbitrary: route },
  { weight: 2, arbitrary: rule },
  { weight: 2, arbitrary: neighbour },
  { weight: 2, arbitrary: fdb },
  { weight: 1, arbitrary: vlan },
  { weight: 1, arbitrary: sysctl },
)

export const requests: fc.Arbitrary<Request> = fc.oneof(
  { weight: 30, arbitrary: fc.record({ ns: spaces, ask: asks }) },
  { weight: 1, arbitrary: fc.record({ ns: fc.constant(NOWHERE), ask: asks }) },
  { weight: 1, arbitrary: netns },
)

/** A pair and a bridge that most of the rest can be about, and then anything. */
const BEGINNING: ReadonlyArray<Request> = [
  {
    ns: H,
    ask: {
      on: 'link',
      do: 'add',
      name: ifName('v0'),
      mac: mac(0x020000000011),
      up: true,
      kind: { kind: 'veth', peer: { name: ifName('e0'), mac: mac(0x020000000012) } },
    },
  },
  {
    ns: H,
    ask: { on: 'link', do: 'add', name: ifName('br0'), mac: mac(0x020000000013), up: true, kind: { kind: 'bridge' } },
  },
  { ns: H, ask: { on: 'link', do: 'set', dev: ifName('e0'), up: true } },
]

export const programs = (maxLength: number): fc.Arbitrary<ReadonlyArray<Request>> =>
  fc
    .tuple(often([true], [false]), fc.array(requests, { minLength: 1, maxLength, size: 'max' }))
    .map(([begun, rest]) => (begun ? [...BEGINNING, ...rest] : rest))

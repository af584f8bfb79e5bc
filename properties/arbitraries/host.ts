// Hosts as they may be or should be: well-formed sets of kernel objects over a few names, so that two of them share much
// and differ in every way, rebuilt links included.

import fc from 'fast-check'
import { freshLoopback } from '../../src/kernel/cascade.ts'
import { publishElement, skeletonTable, subnetElement, withinElement } from '../../src/kernel/firewall/elements.ts'
import { hasOwnMac, type KernelObject, type Link, type LinkSpec, linkKey, type Place } from '../../src/kernel/object.ts'
import { type KernelState, stateOf } from '../../src/kernel/state.ts'
import { deviceSysctl, FORWARD4 } from '../../src/kernel/sysctl.ts'
import { cidr, cidrFamily, networkOf } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { mac, ZERO_MAC } from '../../src/net/mac.ts'
import { HOST, type IfName, ifName, LO, type Ns, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'

const ROOMS = [ns('room0'), ns('room1'), ns('room2')]
const BRIDGES = [ifName('br0'), ifName('br1')]

/** Absent, made, or adopted from one place or another. */
type Room = 'none' | 'made' | '/ns/a' | '/ns/b'

/** What is chosen at random; `build` makes a host of it. */
type Choice = Readonly<{
  rooms: ReadonlyArray<Room>
  bridges: ReadonlyArray<Readonly<{ mtu: number; up: boolean; there: boolean; address: number }>>
  veths: ReadonlyArray<
    Readonly<{
      room: number
      bridge: number
      inside: number
      there: boolean
      up: boolean
      isolated: boolean
      route: boolean
      address: number
      mac: number
    }>
  >
  /** A dummy, a VLAN on it or on a card, and what is on these or on the card, in rooms. */
  lower: Readonly<{
    dummy: boolean
    vlan: boolean
    vlanOnCard: boolean
    id: number
    types: ReadonlyArray<'macvlan' | 'ipvlan'>
  }>
  stacked: ReadonlyArray<
    Readonly<{ room: number; below: number; inside: number; there: boolean; up: boolean; mtu: number; address: number }>
  >
  firewall: boolean
  forward: '0' | '1'
  publish: number
}>

const room: fc.Arbitrary<Room> = fc.constantFrom('none', 'made', '/ns/a', '/ns/b')

const choice: fc.Arbitrary<Choice> = fc.record({
  rooms: fc.tuple(room, room, room),
  bridges: fc.array(
    fc.record({ there: fc.boolean(), up: fc.boolean(), mtu: fc.constantFrom(1500, 1400), address: fc.nat(2) }),
    { minLength: 2, maxLength: 2 },
  ),
  veths: fc.array(
    fc.record({
      there: fc.boolean(),
      room: fc.nat(2),
      bridge: fc.nat(2),
      inside: fc.nat(1),
      up: fc.boolean(),
      isolated: fc.boolean(),
      route: fc.boolean(),
      address: fc.nat(3),
      mac: fc.nat(3),
    }),
    { minLength: 4, maxLength: 4 },
  ),
  lower: fc.record({
    dummy: fc.boolean(),
    vlan: fc.boolean(),
    vlanOnCard: fc.boolean(),
    id: fc.constantFrom(10, 20),
    types: fc.array(fc.constantFrom('macvlan', 'ipvlan'), { minLength: 3, maxLength: 3 }),
  }),
  stacked: fc.array(
    fc.record({
      there: fc.boolean(),
      room: fc.nat(2),
      below: fc.nat(2),
      inside: fc.nat(1),
      up: fc.boolean(),
      mtu: fc.constantFrom(0, 1400),
      address: fc.nat(3),
    }),
    { maxLength: 3 },
  ),
  firewall: fc.boolean(),
  forward: fc.constantFrom('0', '1'),
  publish: fc.nat(3),
})

const DUMMY = ifName('d0')
const VLAN = ifName('x0')
/** Somebody else's. */
const CARD = ifName('card0')

/** The devices that links are on, those that are ours; and their names, null for one that is not there. */
const lowerLinks = ({ dummy, vlan, vlanOnCard, id }: Choice['lower']) => {
  const common = { kind: 'link', ns: HOST, up: true } as const
  const base = vlanOnCard ? CARD : dummy ? DUMMY : null
  const links: Link[] = []
  if (dummy)
    links.push({ ...common, name: DUMMY, spec: { type: 'dummy' }, mac: mac(0x0200000000dd), mtu: 1500, alias: 'cnm:d' })
  if (vlan && base !== null)
    links.push({
      ...common,
      name: VLAN,
      spec: { type: 'vlan', below: { ns: HOST, name: base }, id },
      mac: ZERO_MAC,
      mtu: 0,
      alias: 'cnm:x',
    })
  return { links, names: [dummy ? DUMMY : null, vlan && base !== null ? VLAN : null, CARD] }
}

const stackedSpec = (type: 'macvlan' | 'ipvlan', below: Place): LinkSpec =>
  type === 'macvlan' ? { type, below, mode: 'bridge' } : { type, below, mode: 'l2', flag: 'bridge' }

const bridgeLink = (name: IfName, mtu: number, up: boolean): Link => ({
  kind: 'link',
  ns: HOST,
  name,
  spec: { type: 'bridge' },
  mac: mac(0x020000000000 + name.charCodeAt(2)),
  mtu,
  up,
  alias: `cnm:${name}`,
})

const addressesOf = (n: number, at: number): ReadonlyArray<string> =>
  [[], [`10.${at}.0.${n}/24`], [`10.${at}.0.${n}/24`, `fd00:${at}::${n}/64`], [`fd00:${at}::${n}/64`]][n] ?? []

const addresses = (space: Ns, dev: IfName, up: boolean, texts: ReadonlyArray<string>): ReadonlyArray<KernelObject> =>
  texts
    .map(cidr)
    .filter((each) => up || cidrFamily(each) === 4)
    .map((each) => ({ kind: 'address', ns: space, dev, cidr: each }))

const build = (chosen: Choice): KernelState => {
  const objects: KernelObject[] = [{ kind: 'sysctl', ns: HOST, name: FORWARD4, value: chosen.forward, otherwise: '0' }]
  const taken = new Set<string>()
  ROOMS.forEach((space, i) => {
    const { [i]: is = 'none' } = chosen.rooms
    if (is === 'none') return
    const at = is === 'made' ? null : `${is}${i}`
    objects.push({ kind: 'netns', ns: space, at }, { ...freshLoopback(space), name: LO, up: true })
  })
  BRIDGES.forEach((name, i) => {
    const bridge = chosen.bridges[i]
    if (!bridge?.there) return
    objects.push(
      bridgeLink(name, bridge.mtu, bridge.up),
      ...addresses(HOST, name, bridge.up, addressesOf(bridge.address, 90 + i)),
    )
    objects.push({
      kind: 'sysctl',
      ns: HOST,
      name: deviceSysctl(4, name, 'route_localnet'),
      value: '1',
      otherwise: '0',
    })
    if (chosen.firewall)
      objects.push(withinElement(HOST, name), subnetElement(HOST, name, networkOf(cidr(`10.${90 + i}.0.0/24`))))
  })
  chosen.veths.forEach((veth, i) => {
    const room = ROOMS[veth.room]
    if (room === undefined || !veth.there || (chosen.rooms[veth.room] ?? 'none') === 'none') return
    const outside = ifName(`veth${i}`)
    const inside = ifName(`eth${veth.inside}`)
    if (taken.has(linkKey(room, inside))) return
    taken.add(linkKey(room, inside))
    const common = { kind: 'link', mtu: 1500, up: veth.up } as const
    objects.push(
      {
        ...common,
        ns: HOST,
        name: outside,
        spec: { type: 'veth', peer: { ns: room, name: inside } },
        mac: mac(0x020000001000 + i),
        alias: 'cnm:e',
      },
      {
        ...common,
        ns: room,
        name: inside,
        spec: { type: 'veth', peer: { ns: HOST, name: outside } },
        mac: mac(0x020000002000 + veth.mac),
        alias: null,
      },
    )
    objects.push(...addresses(room, inside, veth.up, addressesOf(veth.address, i)))
    const master = BRIDGES[veth.bridge]
    if (master !== undefined && chosen.bridges[veth.bridge]?.there)
      objects.push({ kind: 'port', ns: HOST, dev: outside, bridge: master, isolated: veth.isolated, hairpin: false })
    const on4 = addressesOf(veth.address, i).some((text) => !text.includes(':'))
    if (veth.route && veth.up && on4 && veth.inside === 0)
      objects.push({ kind: 'route', ns: room, to: cidr('0.0.0.0/0'), via: ip(`10.${i}.0.77`), dev: inside, metric: 0 })
  })
  const lower = lowerLinks(chosen.lower)
  objects.push(...lower.links)
  chosen.stacked.forEach(({ there, room: at, below, inside, up, mtu, address }, i) => {
    const room = ROOMS[at]
    const on = lower.names[below]
    const name = ifName(`eth${inside}`)
    if (room === undefined || on == null || !there || (chosen.rooms[at] ?? 'none') === 'none') return
    if (taken.has(linkKey(room, name))) return
    taken.add(linkKey(room, name))
    const spec = stackedSpec(chosen.lower.types[below] ?? 'macvlan', { ns: HOST, name: on })
    const own = hasOwnMac(spec) ? mac(0x020000003000 + i) : ZERO_MAC
    objects.push({ kind: 'link', ns: room, name, spec, mac: own, mtu, up, alias: 'cnm:e' })
    objects.push(...addresses(room, name, up, addressesOf(address, 20 + i)))
  })
  if (chosen.firewall) {
    objects.push(skeletonTable(HOST))
    for (let n = 0; n < chosen.publish; n++)
      objects.push(
        publishElement(HOST, { ip: ip('0.0.0.0'), port: port(8000 + n) }, 'tcp', {
          ip: ip(`10.0.0.${chosen.publish}`),
          port: port(80),
        }),
      )
  }
  return stateOf(objects)
}

/** A well-formed host. */
export const hostState: fc.Arbitrary<KernelState> = choice.map(build)

// Hosts for tests of devices: built by requests, with the other parts of the data path played by what notes what reaches them.
// A tunnel's packets go by no wire here: `sendPacket` gives them to the namespace whose address they are for.

import type { NewKind } from '../../../../src/kernel/rtnl/kind.ts'
import type { Ask } from '../../../../src/kernel/rtnl/request.ts'
import { askWorld } from '../../../../src/kernel-sim/control.ts'
import { receive, transmit } from '../../../../src/kernel-sim/datapath/device.ts'
import { KINDS } from '../../../../src/kernel-sim/datapath/kind/kinds.ts'
import { run } from '../../../../src/kernel-sim/datapath/loop.ts'
import {
  type Device,
  deviceOf,
  type HookAt,
  type KnownNeighbour,
  loopbackOf,
  openPlane,
  type Parts,
  type Plane,
  type SendErrno,
  type Space,
  spaceOf,
  type Way,
} from '../../../../src/kernel-sim/datapath/plane.ts'
import { randomFrom } from '../../../../src/kernel-sim/datapath/random.ts'
import { type Meta, NO_META, type Skb } from '../../../../src/kernel-sim/datapath/skb.ts'
import type { Step } from '../../../../src/kernel-sim/datapath/step.ts'
import type { LinkEntry } from '../../../../src/kernel-sim/link-entry.ts'
import { EMPTY_RULESET } from '../../../../src/kernel-sim/nft/ruleset.ts'
import { EMPTY_WORLD, NO_TALLY, nsWith, type Tally, type World } from '../../../../src/kernel-sim/state.ts'
import { type Frame, frame, type VlanTag } from '../../../../src/kernel-sim/wire/ethernet.ts'
import type { Packet } from '../../../../src/kernel-sim/wire/nested.ts'
import { type Ip, showIp } from '../../../../src/net/ip.ts'
import { type Mac, parseMac } from '../../../../src/net/mac.ts'
import { ifName, LO, ns } from '../../../../src/net/name.ts'
import { getIn, setIn } from '../../../../src/net/pmap.ts'
import { E } from '../../../../src/prelude.ts'

/** `00:00:b0` is `02:00:00:00:00:b0`. */
export const mac = (text: string): Mac => {
  const found = parseMac(text.length === 17 ? text : `02:00:00:${text}`)
  if (E.isLeft(found)) throw new Error(found.left)
  return found.right
}
export const ALL = mac('ff:ff:ff:ff:ff:ff')

type Asked = readonly [string, Ask]
export const netns = (name: string): ReadonlyArray<Asked> => [
  [name, { on: 'netns', do: 'add' }],
  [name, { on: 'link', do: 'set', dev: LO, up: true }],
]
export const link = (space: string, name: string, kind: NewKind, rest: Partial<Ask> = {}): Asked => [
  space,
  // A cast: what the test says beside it is a link's.
  { on: 'link', do: 'add', name: ifName(name), kind, up: true, ...rest } as Ask,
]
export const set = (space: string, dev: string, to: Partial<Ask>): Asked => [
  space,
  { on: 'link', do: 'set', dev: ifName(dev), ...to } as Ask,
]
export const port = (space: string, dev: string, options: Extract<Ask, { on: 'port' }>['options']): Asked => [
  space,
  { on: 'port', do: 'set', dev: ifName(dev), options },
]
/** Both ends up. */
export const veth = (a: string, nameA: string, macA: string, b: string, nameB: string, macB: string): Asked[] => [
  link(
    a,
    nameA,
    { kind: 'veth', peer: { name: ifName(nameB), ns: ns(b), mac: mac(macB) } },
    { mac: mac(macA), up: false },
  ),
  set(a, nameA, { up: true }),
  set(b, nameB, { up: true }),
]

export const worldOf = (asked: ReadonlyArray<Asked>, from: World = EMPTY_WORLD): World =>
  asked.reduce((world, [at, ask]) => {
    const { world: next, errno } = askWorld(world, { ns: ns(at), ask })
    if (errno !== null)
      throw new Error(`${errno}: ${JSON.stringify(ask, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`)
    return next
  }, from)

/** A frame of 64 bytes that nobody but the devices looks at. */
export const raw = (src: string, dst: Mac | string, tags: ReadonlyArray<VlanTag> = [], length = 50): Frame => ({
  ...frame(mac(src), typeof dst === 'string' ? mac(dst) : dst, {
    tag: 'raw',
    etherType: 0x88b5,
    bytes: new Uint8Array(length),
  }),
  tags,
})
export const tag = (vid: number, protocol: VlanTag['protocol'] = '802.1Q'): VlanTag => ({
  protocol,
  vid,
  priority: 0,
  dei: false,
})

export type Lab = Readonly<{
  plane: Plane
  /** What the protocols of a namespace were given, as `<namespace> <device> <source MAC>`. */
  received: string[]
  hooks: string[]
  /** What was sent by tunnels, as packets. */
  packets: Packet[]
  /** Neighbours by `<device> <address>`. */
  neighbours: Map<string, KnownNeighbour>
  steps: Step[]
  /** What a rule of the family bridge or netdev would do. */
  verdict: { of: (at: HookAt, skb: Skb) => Skb | null }
}>

const never = (): never => {
  throw new Error('no test of devices comes here')
}

/** The namespace that has an address, and the device that has it. */
const ownerOf = (space: Space, address: Ip): Readonly<{ space: Space; dev: Device }> | null => {
  for (const name of space.host.world.namespaces.root === null ? [] : NAMESPACES) {
    const other = spaceOf(space.plane, space.host, ns(name))
    if (other === null) continue
    for (const dev of DEVICES) {
      const found = deviceOf(other, dev)
      if (found?.link.addresses.some(({ cidr }) => cidr.ip === address) === true) return { space: other, dev: found }
    }
  }
  return null
}
const NAMESPACES = ['a', 'b', 'c', 'br']
const DEVICES = ['u', 'lo', 'br0']

const wayOf = (space: Space, dst: Ip, src: Ip | null): Way | SendErrno => {
  const dev = deviceOf(space, 'u')
  const family = typeof dst
  const own = dev?.link.addresses.find(({ cidr }) => typeof cidr.ip === family)
  const [owner, lo] = [ownerOf(space, dst), loopbackOf(space)]
  if (dev === null || lo === null || own === undefined || owner === null) return 'ENETUNREACH'
  if (owner.space === space) return { type: 'local', dev: lo, src: src ?? dst, dst, mtu: lo.link.mtu }
  return { type: 'unicast', dev, src: src ?? own.cidr.ip, dst, mtu: dev.link.mtu }
}

export const labOf = (world: World): Lab => {
  const received: string[] = []
  const hooks: string[] = []
  const packets: Packet[] = []
  const steps: Step[] = []
  const neighbours = new Map<string, KnownNeighbour>()
  const verdict: Lab['verdict'] = { of: (_, skb) => skb }
  const hear = (dev: Device, skb: Skb) => {
    received.push(`${dev.space.ns} ${dev.name} ${skb.frame.src.toString(16)}`)
  }
  const sendPacket: Parts['sendPacket'] = (space, packet) => {
    packets.push(packet)
    const to = ownerOf(space, packet.dst)
    if (to !== null && !KINDS.receiveTunnel(to.space, to.dev, { packet, meta: NO_META }))
      received.push(`${to.space.ns} nobody`)
    return null
  }
  const parts: Parts = {
    ...KINDS,
    transmit: { ...KINDS.transmit, nic: never },
    receiveArp: hear,
    receiveIp: hear,
    neighbour: (dev, address) => neighbours.get(`${dev.name} ${showIp(address)}`) ?? null,
    wayOf: (space, { dst, src }) => wayOf(space, dst, src),
    hasAddress: never,
    fib: never,
    typeOf: (space, address) => (ownerOf(space, address)?.space === space ? 'local' : 'unicast'),
    sendPacket,
    pass: (_, { hook }, held) => {
      hooks.push(hook)
      return held
    },
    passFrame: (_, at, skb) => {
      hooks.push(`${at.family} ${at.hook} ${at.iif?.name ?? '-'} ${at.oif?.name ?? '-'}`)
      return verdict.of(at, skb)
    },
    arrive: (space, dev, held) => {
      const family = held.packet.tag === 'ip4' ? 'ip' : 'ip6'
      return parts.pass(space, { family, hook: 'input', iif: dev, oif: null, next: null }, held)
    },
    isExpected: () => false,
    deliver: (space, dev, { packet }) => {
      received.push(`${space.ns} ${dev.name} ${showIp(packet.src)}`)
    },
    output: never,
    send: never,
    sendError: never,
    redirected: never,
    noteNarrow: never,
    noteTooBig: never,
    selectSource: never,
    gather: never,
    open: () => {},
    close: [],
    happen: { arrival: never, neighbour: never, dad: never, reassembly: never, socket: never },
  }
  const plane = openPlane(parts, [{ name: 'h', world }], world.nowMs, randomFrom(1))
  plane.watch = (step) => {
    steps.push(step)
  }
  return { plane, received, hooks, packets, steps, neighbours, verdict }
}

export const spaceIn = ({ plane }: Lab, name: string): Space => {
  const host = plane.hosts.get('h')
  const space = host === undefined ? null : spaceOf(plane, host, ns(name))
  if (space === null) throw new Error(`no namespace ${name}`)
  return space
}
export const device = (lab: Lab, at: string): Device => {
  const [space = '', name = ''] = at.split(' ')
  const found = deviceOf(spaceIn(lab, space), name)
  if (found === null) throw new Error(`no device ${at}`)
  return found
}

/** Who saw a frame: `<` received it, `>` sent it; as a set in order. */
export const seen = (lab: Lab): ReadonlyArray<string> => {
  const all = lab.steps.flatMap(({ event, ns: space, dev }) =>
    event.tag === 'received' ? [`${space} ${dev} <`] : event.tag === 'transmitted' ? [`${space} ${dev} >`] : [],
  )
  return [...new Set(all)].sort()
}

export const dropsOf = (lab: Lab): ReadonlyArray<string> =>
  lab.steps.flatMap(({ event, dev }) => (event.tag === 'dropped' ? [`${dev} ${event.reason.tag}`] : []))

/** A frame is sent by a device, and all that follows happens; what was seen before is forgotten. */
export const send = (lab: Lab, at: string, sent: Frame, meta: Meta = NO_META): ReadonlyArray<string> => {
  lab.steps.length = 0
  lab.received.length = 0
  lab.hooks.length = 0
  transmit(device(lab, at), { frame: sent, meta })
  run(lab.plane, receive, lab.plane.nowMs)
  return seen(lab)
}

/** What a device has counted, where it is not 0. */
export const countsOf = (lab: Lab, at: string): Partial<Tally> => {
  const { tally } = device(lab, at)
  const keys = Object.keys(NO_TALLY) as ReadonlyArray<keyof Tally>
  return Object.fromEntries(keys.filter((key) => tally[key] !== 0).map((key) => [key, tally[key]]))
}

export const linkIn = (world: World, at: string): LinkEntry => {
  const [space = '', name = ''] = at.split(' ')
  const entry = getIn(world.namespaces, space)
  const found = entry === undefined ? undefined : getIn(entry.links, name)
  if (found === undefined) throw new Error(`no link ${at}`)
  return found
}

/** A world in one of whose namespaces frames and packets pass a firewall. */
export const filtered = (world: World, name: string): World => {
  const entry = getIn(world.namespaces, name)
  if (entry === undefined) throw new Error(`no namespace ${name}`)
  return { ...world, namespaces: setIn(world.namespaces, name, nsWith(entry, { firewall: EMPTY_RULESET })) }
}

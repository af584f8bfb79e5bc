// The working memory of packets on their way: hosts, their namespaces and devices, opened when a packet first comes by, with
// what traffic has changed since; what is to happen later; and who watches. It is the only mutable thing of the data path, is
// opened over values and closed into values (close.ts), and is never seen outside of this folder.
// The parts of the data path call each other through `Parts`, as drivers and protocols register with Linux's core.

import type { Family, Ip } from '../../net/ip.ts'
import type { Mac } from '../../net/mac.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { getIn } from '../../net/pmap.ts'
import type { CableMemory } from '../fabric/segment.ts'
import type { LinkEntry, Place, Spec } from '../link-entry.ts'
import { loopbackName, NO_TALLY, type NsEntry, type RouteEntry, type Tally, type World } from '../state.ts'
import type { Frame } from '../wire/ethernet.ts'
import type { Error4 } from '../wire/icmp4.ts'
import type { Packet } from '../wire/nested.ts'
import type { DadMemory } from './ip/dad.ts'
import type { FragmentMemory } from './ip/defrag.ts'
import type { RoutingMemory } from './ip/fib.ts'
import type { NeighbourMemory } from './ip/neighbour.ts'
import type { Flow } from './ip/rules.ts'
import type { FdbMemory } from './kind/fdb.ts'
import type { RemotesMemory } from './kind/remotes.ts'
import type { Stacked } from './kind/stacked.ts'
import type { FilterMemory } from './netfilter/memory.ts'
import type { Random } from './random.ts'
import type { Held, Meta, Sending, Skb } from './skb.ts'
import type { SocketMemory } from './socket/table.ts'
import type { Death, Step } from './step.ts'

/** A device of a host of the fabric. */
export type Location = Place & Readonly<{ host: string }>
/** A card of a host, wherever its device is and whatever its name. */
export type Card = Readonly<{ host: string; card: number }>

/** What is to happen at a moment to come. Data, so that a world can be put away with it. */
export type Happening = Readonly<
  | { what: 'arrival'; at: Card; frame: Frame }
  | { what: 'neighbour'; at: Location; ip: Ip }
  | { what: 'dad'; at: Location; ip: Ip }
  | { what: 'reassembly'; host: string; ns: Ns; key: string }
  | { what: 'socket'; host: string; ns: Ns; socket: number; timer: 'due' | 'serve' }
>
/** `order`: of those at one moment the lower one is first. */
export type Pending = Readonly<{ atMs: number; order: number; happening: Happening }>

export type Count = { -readonly [Part in keyof Tally]: Tally[Part] }

/** `link`: as the control plane left it. The rest belongs to the files that it is named after. */
export type Device = {
  readonly space: Space
  readonly name: IfName
  readonly link: LinkEntry
  readonly tally: Count
  fdb: FdbMemory | null
  remotes: RemotesMemory | null
  dad: DadMemory | null
  /** A veth's other end; the bridge of a port; the device below. Undefined: not looked for yet. */
  peer: Device | null | undefined
  master: Device | null | undefined
  below: Device | null | undefined
  /** The devices on this one, by what they are found by. */
  stacked: Stacked | null
}

/** `entry`: as the control plane left it. The rest belongs to the files that it is named after. */
export type Space = {
  readonly host: Host
  readonly plane: Plane
  readonly ns: Ns
  readonly entry: NsEntry
  readonly devices: Map<string, Device | null>
  routing: RoutingMemory | null
  neighbours: NeighbourMemory | null
  fragments: FragmentMemory | null
  filter: FilterMemory | null
  sockets: SocketMemory | null
}

export type Host = { readonly name: string; readonly world: World; readonly spaces: Map<Ns, Space | null> }

/** Why the kernel would not even begin to send, as the sending call says. */
export type SendErrno =
  | 'ENETUNREACH'
  | 'EHOSTUNREACH'
  | 'EACCES'
  | 'EADDRNOTAVAIL'
  | 'EMSGSIZE'
  | 'EINVAL'
  | 'EPERM'
  | 'ENODEV'
  | 'ENETDOWN'
  /** The device's driver has lost it (net_xmit_errno). */
  | 'ENOBUFS'

/** A netfilter hook, seen from the packet. `next`: its next hop, once routed. `frame`: what it has just come in. */
export type HookAt = Readonly<{
  family: 'ip' | 'ip6' | 'arp' | 'bridge' | 'netdev'
  hook: 'ingress' | 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | 'egress'
  iif: Device | null
  oif: Device | null
  next: Ip | null
  frame?: Frame
}>

/** As a socket asks for it; `src` null: not bound. `dev`: bound to it, or the scope of a link-local address; `loose`: as in `Wanted`. */
export type Destination = Readonly<{
  src: Ip | null
  dst: Ip
  dev: string | null
  mark: number
  tos: number | null
  loose?: boolean
}>
/** `dst`: whom the destination means, which may be nobody's address. */
export type Way = Readonly<{ type: RouteEntry['type']; dev: Device; src: Ip; dst: Ip; mtu: number }>

/** `valid`, `connected`: as NUD_VALID and NUD_CONNECTED; the MAC is null where neither. */
export type KnownNeighbour = Readonly<{ mac: Mac | null; valid: boolean; connected: boolean; router: boolean }>

/** A route: `dev` is that of the hop that was chosen, `devs` those of all. Or none: `type` is the route's that refuses. */
export type FibAnswer = Readonly<
  | { type: RouteEntry['type']; dev: IfName | null; devs: ReadonlyArray<IfName | null> }
  | { errno: string; type: RouteEntry['type'] | null }
>

/** What the parts offer each other. */
export type Parts = Readonly<{
  /** ndo_start_xmit of each kind of device, which counts the frame; the device is up. False: it was lost there (NET_XMIT_DROP). */
  transmit: Readonly<Record<Spec['type'], (dev: Device, skb: Skb) => boolean>>
  /** A bridge's port has received a frame. */
  receiveOnPort: (port: Device, skb: Skb) => void
  /** A device has received a frame that devices on it may want; `isOurs`: it is for this host. True: it was taken. */
  receiveAbove: (dev: Device, skb: Skb, isOurs: boolean) => boolean
  /** A UDP datagram for this host: true if a tunnel listens at its port, which then has it. */
  receiveTunnel: (space: Space, dev: Device, held: Held) => boolean
  /** Whether a tunnel listens here at the port that a datagram of ours was for, and so has sent it (udp's encap_err_lookup). */
  hasTunnel: (space: Space, sent: Packet) => boolean
  /** What the neighbour table has of an address on a device; null: nothing. */
  neighbour: (dev: Device, ip: Ip) => KnownNeighbour | null
  /** The protocols' receivers; `dev` is the device that the frame is for. */
  receiveArp: (dev: Device, skb: Skb) => void
  receiveIp: (dev: Device, skb: Skb) => void
  /** Sends a packet to its next hop by `dev`, at once or when its MAC is known. */
  output: (dev: Device, next: Ip, held: Held) => void
  /** Routes and sends a packet of our own. */
  send: (space: Space, sending: Sending) => SendErrno | null
  /** As `send`, of a whole packet (raw sockets, tunnels, rules); its addresses are set. `meta`: what goes with it. `from`: the source that it is routed by, if not its own. */
  sendPacket: (space: Space, packet: Packet, meta: Meta, dev: IfName | null, from?: Ip | null) => SendErrno | null
  /** Tells the sender of `about` of an error, unless one may not (RFC 1122 section 3.2.2). `dev`: where it came in. `onward`: it was not for us. */
  sendError: (space: Space, dev: Device | null, about: Held, error: IcmpError, onward?: boolean) => void
  /** An ICMP error that came in by a device says that a packet of ours was too long for its path. `from`: as that of `redirected`. */
  noteTooBig: (by: Device, about: Packet, mtu: number, from: Readonly<{ dev: Device | null; mark: number }>) => void
  /** A tunnel cannot take a frame that our own IP has made: its packet's path is no wider than that (skb_dst_update_pmtu_no_confirm). */
  noteNarrow: (tunnel: Device, skb: Skb, mtu: number) => void
  /** `router` says that what somebody here has sent (`about`), by `from`, better goes by another gateway; `by`: where that came in. */
  redirected: (by: Device, router: Ip, redirect: Redirect, from: Readonly<{ dev: Device | null; mark: number }>) => void
  /** The way that a socket's packets would take (ip_route_connect): by which device, from which address, how long they may be. */
  wayOf: (space: Space, to: Destination) => Way | SendErrno
  /** The address that a packet to `dst` by way of `next` would have from this device (inet_select_addr, ipv6_dev_get_saddr). */
  selectSource: (dev: Device, dst: Ip, next: Ip) => Ip | null
  /** Whether an address is one of a device, or (null) of any (ipv6_chk_addr). */
  hasAddress: (space: Space, ip: Ip, dev: Device | null) => boolean
  /** What the tables and rules have for a packet (fib_lookup, ip6_route_lookup). */
  fib: (space: Space, flow: Flow) => FibAnswer
  /** What the tables say that an address is (inet_addr_type); a link-local one of IPv6, on `dev` if that is given. */
  typeOf: (space: Space, ip: Ip, dev: Device | null) => RouteEntry['type']
  /** Collects a fragment until its packet is whole (ip_defrag). Null: it waits for others, or was dropped. */
  gather: (space: Space, dev: Device | null, held: Held) => Held | null
  /** A packet for this host is put together, and passes `input`. Null: it waits for its other pieces, or ended there. */
  arrive: (space: Space, dev: Device, held: Held) => Held | null
  /** Whether a packet that came in is one of a conversation of a socket, wherever it goes (tcp_v4_early_demux, udp_v4_early_demux). */
  isExpected: (space: Space, dev: Device, packet: Packet) => boolean
  /** A packet for this host, whole and past `input`: to its protocol. */
  deliver: (space: Space, dev: Device, held: Held) => void
  /** Takes a packet through a hook. Null: it ended there, and that was told. */
  pass: (space: Space, at: HookAt, held: Held) => Held | null
  /** As `pass`, for frames of bridges and devices (families bridge, netdev, arp). */
  passFrame: (space: Space, at: HookAt, skb: Skb) => Skb | null
  /** Begins what goes on by itself, as soon as the plane is open. */
  open: (plane: Plane) => void
  /** A namespace's entry with what a part has changed; the very entry if that is nothing. All are asked, one after the other. */
  close: ReadonlyArray<(space: Space, entry: NsEntry) => NsEntry>
  /** What a `Happening` does when its time has come. */
  happen: Readonly<{
    [What in Happening['what']]: (plane: Plane, happening: Extract<Happening, { what: What }>) => void
  }>
}>

export type Redirect = Extract<Error4, { type: 'redirect' }>

/** What an ICMP error says; each family has its own numbers for it. `mtu` in bytes. */
export type IcmpError = Readonly<
  | { tag: 'unreachable'; code: 'net' | 'host' | 'port' | 'protocol' | 'prohibited' | 'beyond-scope' }
  | { tag: 'too-big'; mtu: number }
  | { tag: 'time-exceeded'; code: 'transit' | 'reassembly' }
>

export type Plane = {
  nowMs: number
  readonly hosts: Map<string, Host>
  readonly parts: Parts
  readonly random: Random
  /** Frames that devices have received, and nobody has looked at: Linux's backlog. From `taken` on. */
  readonly backlog: Array<Readonly<{ dev: Device; skb: Skb }>>
  /** Frames that a work queue brings, which is slower than all that: they come when it is done. */
  readonly later: Array<Readonly<{ dev: Device; skb: Skb }>>
  taken: number
  /** Since the clock last moved, or somebody sent; see STORM (loop.ts). */
  busy: number
  /** The kernel is at work, on what devices have received or a timer: what they receive meanwhile waits (softirq). Else a program is. */
  atWork: boolean
  /** How many devices are sending, one by way of the other (device.ts). */
  depth: number
  /** Whether ICMP is sending something by itself (ip/send.ts). */
  readonly speaks: Record<Family, boolean>
  /** A heap: the first is the next. */
  readonly pending: Pending[]
  nextOrder: number
  /** What is between the hosts; null: there is but one. */
  readonly cables: CableMemory | null
  /**
   * How many addresses are asked about (ip/dad.ts), and when it was first found out of one whether it is unique; null: of none yet. The
   * control plane acts upon that when the plane is closed, which whoever lets time pass does soon then.
   */
  asking: number
  foundMs: number | null
  /** Who sees each step; null: nobody, and then none is made. */
  watch: ((step: Step) => void) | null
  /** The last drop that explains why a packet did not arrive (step.ts). */
  death: Death | null
}

export const openPlane = (
  parts: Parts,
  hosts: ReadonlyArray<Readonly<{ name: string; world: World }>>,
  nowMs: number,
  random: Random,
  pending: ReadonlyArray<Pending> = [],
  cables: CableMemory | null = null,
): Plane => {
  const plane: Plane = {
    nowMs,
    hosts: new Map(hosts.map(({ name, world }) => [name, { name, world, spaces: new Map() }])),
    parts,
    random,
    backlog: [],
    later: [],
    taken: 0,
    busy: 0,
    atWork: false,
    depth: 0,
    speaks: { 4: false, 6: false },
    // In order, which is a heap.
    pending: [...pending],
    nextOrder: pending.reduce((highest, { order }) => Math.max(highest, order), -1) + 1,
    cables,
    watch: null,
    death: null,
    asking: 0,
    foundMs: null,
  }
  parts.open(plane)
  return plane
}

/** The namespace of this name, or null. */
export const spaceOf = (plane: Plane, host: Host, ns: Ns): Space | null => {
  const known = host.spaces.get(ns)
  if (known !== undefined) return known
  const entry = getIn(host.world.namespaces, ns)
  const space: Space | null =
    entry === undefined
      ? null
      : {
          host,
          plane,
          ns,
          entry,
          devices: new Map(),
          routing: null,
          neighbours: null,
          fragments: null,
          filter: null,
          sockets: null,
        }
  host.spaces.set(ns, space)
  return space
}

const deviceFrom = (space: Space, link: LinkEntry): Device => ({
  space,
  name: link.name,
  link,
  tally: { ...NO_TALLY },
  fdb: null,
  remotes: null,
  dad: null,
  peer: undefined,
  master: undefined,
  below: undefined,
  stacked: null,
})

/** The device of this name, or null. */
export const deviceOf = (space: Space, name: string): Device | null => {
  const known = space.devices.get(name)
  if (known !== undefined) return known
  const link = getIn(space.entry.links, name)
  const device = link === undefined ? null : deviceFrom(space, link)
  space.devices.set(name, device)
  return device
}

/** A namespace's first device, whatever its name is now. */
export const loopbackOf = (space: Space): Device | null => {
  return deviceOf(space, loopbackName(space.entry))
}

/** The device at a place of the same host, or null. */
export const deviceAt = ({ plane, host }: Space, { ns, name }: Place): Device | null => {
  const space = spaceOf(plane, host, ns)
  return space === null ? null : deviceOf(space, name)
}

/** A veth's other end, if it is there. */
export const peerOf = (dev: Device): Device | null => {
  if (dev.peer === undefined) dev.peer = dev.link.spec.type === 'veth' ? deviceAt(dev.space, dev.link.spec.peer) : null
  return dev.peer
}

/** The bridge whose port this is. */
export const masterOf = (dev: Device): Device | null => {
  if (dev.master === undefined) dev.master = dev.link.port === null ? null : deviceOf(dev.space, dev.link.port.bridge)
  return dev.master
}

/** The device that this one is on (vlan, vxlan, macvlan, ipvlan). */
export const belowOf = (dev: Device): Device | null => {
  if (dev.below === undefined) dev.below = dev.link.below === null ? null : deviceAt(dev.space, dev.link.below)
  return dev.below
}

export const isUp = (dev: Device): boolean => dev.link.up

// VXLAN, the sending end: to whom a frame goes, and the packet that it goes in.
// Source: drivers/net/vxlan/vxlan_core.c (vxlan_xmit, vxlan_xmit_one, encap_bypass_if_local, vxlan_encap_bypass), measured.

import { type Ip, ip4, ip6, isIp4, isMulticast, isUnspecified } from '../../../net/ip.ts'
import { isGroup, ZERO_MAC } from '../../../net/mac.ts'
import { getIn } from '../../../net/pmap.ts'
import type { RemoteEntry, VxlanSpec } from '../../link-entry.ts'
import type { Frame } from '../../wire/ethernet.ts'
import { packet4 } from '../../wire/ip4.ts'
import { packet6 } from '../../wire/ip6.ts'
import type { Packet } from '../../wire/nested.ts'
import type { Udp } from '../../wire/udp.ts'
import { countLost, countSent, ETHERNET, lengthOfFrame } from '../device.ts'
import { enqueue } from '../loop.ts'
import { type Device, type Space, spaceOf, type Way } from '../plane.ts'
import { below } from '../random.ts'
import { lengthAsOne, type Meta, type Skb } from '../skb.ts'
import { type DropReason, drop, note } from '../step.ts'
import { flowPort } from './flow-port.ts'
import { scrubbed } from './forward.ts'
import { remotesOf, snoop } from './remotes.ts'
import { isReduced } from './vxlan-proxy.ts'
import { tunnelOf } from './vxlan-receive.ts'
import { tooBigAnswer } from './vxlan-too-big.ts'

const DEFAULT_TTL = 64

/** What a frame carries, without its Ethernet header and tags: what a VXLAN counts as sent. */
const lengthWithin = (frame: Frame): number => lengthOfFrame(frame) - ETHERNET - 4 * frame.tags.length

/** IPv4 or IPv6, UDP, VXLAN and Ethernet. */
const headroom = ({ family }: VxlanSpec): number => (family === 4 ? 50 : 70)

const ECN = { mask: 3, ect0: 2, ce: 3 } as const
/** The inner packet's ECN goes outside, but not that there was congestion (INET_ECN_encapsulate). */
const tosOf = ({ payload }: Frame): number => {
  if (payload.tag !== 'ip4' && payload.tag !== 'ip6') return 0
  const ecn = payload.tos & ECN.mask
  return ecn === ECN.ce ? ECN.ect0 : ecn
}

const packetOf = (dev: Device, spec: VxlanSpec, remote: RemoteEntry, src: Ip, skb: Skb): Packet => {
  const { frame } = skb
  const { ip: dst } = remote
  const udp: Udp = {
    proto: 'udp',
    sport: flowPort(frame),
    dport: remote.port === 0 ? spec.port : remote.port,
    checked: isIp4(dst) ? spec.udpCsum : !spec.udpZeroCsum6Tx,
    payload: { tag: 'vxlan', vni: remote.vni, frame },
  }
  const ttl = spec.ttl !== 0 ? spec.ttl : isMulticast(dst) ? 1 : DEFAULT_TTL
  const tos = tosOf(frame)
  // Casts cannot be avoided otherwise: the families of both addresses are the device's.
  if (isIp4(dst)) {
    const id = below(dev.space.plane.random, 2 ** 16)
    return { ...packet4(isIp4(src) ? src : ip4(0), dst, udp), ttl, tos, df: false, id }
  }
  return { ...packet6(isIp4(src) ? ip6(0n) : src, dst, udp), ttl, tos }
}

const lose = (dev: Device, { frame }: Skb, reason: DropReason) =>
  drop(dev.space, dev, 'tunnel', frame.payload, reason, frame)

/**
 * A remote that is this very host: the frame goes to its device there, by no wire and without a packet around it. Who names a device to
 * send by looks in vain: no tunnel's socket is bound to one (vxlan_find_sock).
 */
const bypass = (dev: Device, net: Space, spec: VxlanSpec, remote: RemoteEntry, via: number, skb: Skb) => {
  const port = remote.port === 0 ? spec.port : remote.port
  const to = via === 0 ? tunnelOf(net, spec.family, port, remote.vni) : null
  if (to === null) {
    dev.tally.txErrors += 1
    return lose(dev, skb, { tag: 'no-tunnel', port: remote.port, vni: remote.vni })
  }
  const loopback = spec.family === 4 ? ip4(0x7f000001) : ip6(1n)
  if (to.spec.learning) snoop(to.dev, to.spec, skb.frame.src, loopback, 0)
  handOver(dev, to.dev, skb)
}

/** From one VXLAN to another of the same host, or back to the same one. */
const handOver = (dev: Device, to: Device, skb: Skb) => {
  const length = lengthOfFrame(skb.frame)
  countSent(dev, length)
  to.tally.rxPackets += 1
  to.tally.rxBytes += length
  const { frame, meta } = scrubbed(skb, to.space !== dev.space)
  enqueue(to, to === dev && skb.dst !== undefined ? { frame, meta, dst: skb.dst } : { frame, meta })
}

/**
 * What does not fit: our own IP takes note of it, the sender behind a bridge is told where the device is its port; else it is for the IP
 * around it to fragment, which IPv6 does not, but the end of several segments may fit (skb_tunnel_check_pmtu). What is told to our own IP by a bridge still has the hop of what it
 * is about.
 */
const isTooBig = (dev: Device, spec: VxlanSpec, way: Way, skb: Skb): boolean => {
  const mtu = way.mtu - headroom(spec)
  const own = lengthWithin(skb.frame)
  const length = lengthAsOne(skb.meta, own)
  if (length <= mtu) return false
  if (skb.dst !== undefined) dev.space.plane.parts.noteNarrow(dev, skb, mtu)
  const answer = dev.link.port === null ? null : tooBigAnswer(skb.frame, mtu)
  if (answer !== null) handOver(dev, dev, { ...skb, frame: answer })
  else if (spec.family === 4 || own <= mtu) return false
  else dev.tally.txErrors += 1
  lose(dev, skb, { tag: 'too-big', mtu, length })
  return true
}

/** Where the stack that is sent by is not the device's own, what goes with a frame does not go along. */
const markFor = (dev: Device, net: Space, { meta }: Skb): number => (net === dev.space ? meta.mark : 0)
const metaAround = (mark: number, spec: VxlanSpec, { meta: { gso } }: Skb): Meta =>
  gso === undefined ? { mark, flow: null } : { mark, flow: null, gso: gso + headroom(spec) }

/**
 * Whether the way leads to this very host: of IPv4, whatever leaves by loopback and is not for many (__mkroute_output: RTCF_LOCAL); of
 * IPv6, what a local route says.
 */
const isOurs = ({ family }: VxlanSpec, { type, dev }: Way): boolean =>
  family === 4 ? dev.link.spec.type === 'loopback' && type !== 'broadcast' && type !== 'multicast' : type === 'local'

const sendTo = (dev: Device, net: Space, spec: VxlanSpec, remote: RemoteEntry, skb: Skb) => {
  const { parts } = net.plane
  const { ip: dst } = remote
  if (isUnspecified(dst)) {
    countLost(dev)
    return lose(dev, skb, { tag: 'no-remote', dev: dev.name, mac: skb.frame.dst })
  }
  const via = remote.via === 0 ? spec.via : remote.via
  const oif = via === 0 ? null : (getIn(net.entry.indexes, String(via)) ?? null)
  const mark = markFor(dev, net, skb)
  const src = spec.local === undefined || isUnspecified(spec.local) ? null : spec.local
  const way = parts.wayOf(net, { src, dst, dev: oif, mark, tos: null, loose: true })
  if (typeof way === 'string' || way.dev === dev) {
    dev.tally.txErrors += 1
    if (typeof way !== 'string') return lose(dev, skb, { tag: 'tunnel-loop', dev: dev.name })
    return lose(dev, skb, { tag: 'no-tunnel-route', dev: dev.name, remote: dst, errno: way })
  }
  if (isOurs(spec, way)) return bypass(dev, net, spec, remote, via, skb)
  if (isTooBig(dev, spec, way, skb)) return
  if (net.plane.watch !== null)
    note(dev.space, dev, 'tunnel', skb.frame.payload, { tag: 'encapsulated', remote: dst, vni: remote.vni }, skb.frame)
  const errno = parts.sendPacket(net, packetOf(dev, spec, remote, way.src, skb), metaAround(mark, spec, skb), oif, src)
  if (errno === null) countSent(dev, lengthWithin(skb.frame))
  else if (spec.family === 4) countLost(dev)
  else dev.tally.txErrors += 1
}

export const transmitVxlan = (dev: Device, skb: Skb): boolean => {
  const { space } = dev
  const { spec } = dev.link
  const { frame } = skb
  const net = spec.type === 'vxlan' ? spaceOf(space.plane, space.host, spec.net) : null
  if (spec.type !== 'vxlan' || net === null) {
    countLost(dev)
    return true
  }
  if (spec.proxy && isReduced(dev, spec, frame)) {
    lose(dev, skb, { tag: 'answered-instead', dev: dev.name })
    return true
  }
  const known = remotesOf(dev, spec, frame.dst) ?? remotesOf(dev, spec, ZERO_MAC)
  if (known === null) {
    if (spec.l2miss && !isGroup(frame.dst) && space.plane.watch !== null)
      note(space, dev, 'tunnel', frame.payload, { tag: 'missed-mac', dev: dev.name, mac: frame.dst }, frame)
    countLost(dev)
    lose(dev, skb, { tag: 'no-remote', dev: dev.name, mac: frame.dst })
    return true
  }
  const [first, ...others] = known.remotes
  for (const remote of others) sendTo(dev, net, spec, remote, skb)
  if (first !== undefined) sendTo(dev, net, spec, first, skb)
  return true
}

// VXLAN, the receiving end: which device a datagram is for, and what it learns of it.
// Invariant: only devices that are up have a socket, so without one the datagram is for nobody (ICMP port unreachable).
// Source: drivers/net/vxlan/vxlan_core.c (vxlan_rcv, vxlan_set_mac, vxlan_vs_find_vni, vxlan_sock_add), measured.

import { type Family, isIp4 } from '../../../net/ip.ts'
import { isGroup, ZERO_MAC } from '../../../net/mac.ts'
import { entriesUnder, type PMap } from '../../../net/pmap.ts'
import type { Place, VxlanSpec } from '../../link-entry.ts'
import { memoised } from '../../memo.ts'
import { get32 } from '../../wire/bytes.ts'
import type { Packet } from '../../wire/nested.ts'
import type { Udp } from '../../wire/udp.ts'
import { VNI_IS_VALID, VXLAN_HEADER } from '../../wire/vxlan.ts'
import { countReceived } from '../device.ts'
import { enqueue } from '../loop.ts'
import { type Device, deviceAt, type Space } from '../plane.ts'
import type { Held, Skb } from '../skb.ts'
import { type DropReason, drop, note } from '../step.ts'
import { scrubbed } from './forward.ts'
import { snoop } from './remotes.ts'

type Tunnel = Readonly<{ dev: Device; spec: VxlanSpec }>

const PORTS = 2 ** 16
const socketKey = (family: Family, port: number): number => (family === 4 ? port : PORTS + port)

/** The VXLANs that hear by a port, from the words that they are listed under (control/vxlan.ts): port, family, and others. */
const listeners = memoised((vxlans: PMap<Place>): ReadonlyMap<number, ReadonlyArray<Place>> => {
  const found = new Map<number, Place[]>()
  for (const [key, place] of entriesUnder(vxlans, '')) {
    const [port, family] = key.split(' ')
    const socket = socketKey(family === '4' ? 4 : 6, Number(port))
    const others = found.get(socket)
    if (others === undefined) found.set(socket, [place])
    else others.push(place)
  }
  return found
})

const tunnelsAt = (net: Space, family: Family, port: number): ReadonlyArray<Tunnel> =>
  (listeners(net.entry.vxlans).get(socketKey(family, port)) ?? []).flatMap((place) => {
    const dev = deviceAt(net, place)
    const spec = dev?.link.spec
    return dev !== null && spec?.type === 'vxlan' && dev.link.up ? [{ dev, spec }] : []
  })

/** The device of this network identifier that hears by a port. */
export const tunnelOf = (net: Space, family: Family, port: number, vni: number): Tunnel | null =>
  tunnelsAt(net, family, port).find(({ spec }) => spec.vni === vni) ?? null

const lose = (net: Space, dev: Device, { packet }: Held, reason: DropReason) => drop(net, dev, 'tunnel', packet, reason)

/** The frame in a datagram, at the device that it is for. */
const arrive = (net: Space, at: Device, held: Held, { dev, spec }: Tunnel, skb: Skb) => {
  const { packet } = held
  const { frame } = skb
  if (frame.src === dev.link.mac) return lose(net, at, held, { tag: 'own-mac', mac: frame.src })
  if (spec.learning) {
    if (isGroup(frame.src) || frame.src === ZERO_MAC) return lose(net, at, held, { tag: 'source-mac', mac: frame.src })
    if (!snoop(dev, spec, frame.src, packet.src, at.link.index))
      return lose(net, at, held, { tag: 'learned-elsewhere', mac: frame.src })
  }
  if (net.plane.watch !== null)
    note(dev.space, dev, 'tunnel', frame.payload, { tag: 'decapsulated', remote: packet.src, vni: spec.vni }, frame)
  countReceivedWhole(dev, skb)
  enqueue(dev, scrubbed({ frame, meta: held.meta }, dev.space !== net))
}

/** Tags are still in the frame when it is counted, its header is not. */
const countReceivedWhole = (dev: Device, skb: Skb) => {
  countReceived(dev, skb, false)
  if (skb.frame.tags.length > 0) dev.tally.rxBytes += 4
}

/** A UDP datagram for this host: true if a tunnel listens at its port, which has then taken it. */
export const receiveTunnel = (net: Space, at: Device, held: Held): boolean => {
  const { body, src } = held.packet
  if (body.proto !== 'udp' || net.entry.vxlans.root === null) return false
  const family = isIp4(src) ? 4 : 6
  const tunnels = tunnelsAt(net, family, body.dport)
  const [first] = tunnels
  if (first === undefined) return false
  const { payload } = body
  const vni = 'tag' in payload ? payload.vni : 0
  const tunnel = tunnels.find(({ spec }) => spec.vni === vni)
  const isUnchecked = family === 6 && !body.checked && !first.spec.udpZeroCsum6Rx
  if (!('tag' in payload) || tunnel === undefined || isUnchecked)
    lose(net, at, held, { tag: 'no-tunnel', port: body.dport, vni })
  else arrive(net, at, held, tunnel, { frame: payload.frame, meta: held.meta })
  return true
}

/** The VNI of a datagram that may have been cut; null: it is none of VXLAN. */
const vniIn = ({ payload }: Udp): number | null => {
  if ('tag' in payload) return payload.vni
  return payload.length < VXLAN_HEADER || (get32(payload, 0) & VNI_IS_VALID) === 0 ? null : get32(payload, 4) >>> 8
}

/** vxlan_err_lookup: what is heard by a port is sent to that port. */
export const hasTunnel = (net: Space, { body, src }: Packet): boolean => {
  const vni = body.proto === 'udp' ? vniIn(body) : null
  return body.proto === 'udp' && vni !== null && tunnelOf(net, isIp4(src) ? 4 : 6, body.dport, vni) !== null
}

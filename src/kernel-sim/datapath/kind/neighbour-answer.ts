// Questions for neighbours, and answers to them in others' names: what bridges (neighSuppress) and VXLANs (proxy) give instead of
// passing the question on.
// Sources: net/bridge/br_arp_nd_proxy.c (br_arp_send, br_nd_send), drivers/net/vxlan/vxlan_core.c (arp_reduce, vxlan_na_create).

import type { Ip6 } from '../../../net/ip.ts'
import type { Mac } from '../../../net/mac.ts'
import type { Arp } from '../../wire/arp.ts'
import { type Frame, frame as frameOf } from '../../wire/ethernet.ts'
import { type Packet6, packet6 } from '../../wire/ip6.ts'
import type { Discovery } from '../../wire/nd.ts'

export type Solicitation = Extract<Discovery, { type: 'neighbour-solicitation' }>
export type Advertisement = Extract<Discovery, { type: 'neighbour-advertisement' }>

/** A packet of neighbour discovery, and what it says. */
export type Discovering<M> = Readonly<{ packet: Packet6; message: M }>

/** Null: the frame is no solicitation or advertisement. */
export const discoveryIn = ({ payload }: Frame): Discovering<Solicitation | Advertisement> | null => {
  if (payload.tag !== 'ip6') return null
  const { body } = payload
  return body.proto === 'icmp6' && (body.type === 'neighbour-solicitation' || body.type === 'neighbour-advertisement')
    ? { packet: payload, message: body }
    : null
}

/** "`target` is at `mac`", to who asked. */
export const arpAnswer = (asked: Arp, mac: Mac): Frame =>
  frameOf(mac, asked.senderMac, {
    tag: 'arp',
    op: 'reply',
    senderMac: mac,
    sender: asked.target,
    targetMac: asked.senderMac,
    target: asked.sender,
  })

const HOP_LIMIT = 255

/** As `arpAnswer`, to the MAC that the question names, or that it came from. */
export const discoveryAnswer = (
  { src }: Frame,
  { packet, message }: Discovering<Solicitation>,
  mac: Mac,
  router: boolean,
): Frame => {
  const named = message.options.find((option) => option.tag === 'source')
  const target: Ip6 = message.target
  const answer: Advertisement = {
    proto: 'icmp6',
    type: 'neighbour-advertisement',
    target,
    router,
    solicited: true,
    override: true,
    options: [{ tag: 'target', mac }],
  }
  const packed: Packet6 = { ...packet6(target, packet.src, answer), ttl: HOP_LIMIT }
  return frameOf(mac, named?.tag === 'source' ? named.mac : src, packed)
}

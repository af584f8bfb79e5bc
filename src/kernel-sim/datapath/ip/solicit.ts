// The questions of address resolution: who is asked, and from which of our addresses.
// Sources: net/ipv4/arp.c (arp_solicit), net/ipv6/ndisc.c (ndisc_solicit, ndisc_send_ns).

import { type Ip, type Ip4, type Ip6, ip4, isIp4 } from '../../../net/ip.ts'
import { BROADCAST, type Mac, ZERO_MAC } from '../../../net/mac.ts'
import { SCOPES } from '../../control/scope.ts'
import type { Arp } from '../../wire/arp.ts'
import { frame } from '../../wire/ethernet.ts'
import { type Packet6, packet6 } from '../../wire/ip6.ts'
import type { Packet } from '../../wire/nested.ts'
import { transmit } from '../device.ts'
import type { Device, HookAt } from '../plane.ts'
import { type Meta, NO_META } from '../skb.ts'
import { note } from '../step.ts'
import { hasAddress, isOnLink4, linkLocalOf, select4 } from './address.ts'
import { solicitedNode } from './groups.ts'
import { typeOf } from './lookup.ts'
import { policyOf } from './policy.ts'

/** Sends an ARP message, which rules of the family `arp` may stop. */
export const sendArp = (dev: Device, to: Mac, arp: Arp): void => {
  const { space } = dev
  const skb = { frame: frame(dev.link.mac, to, arp), meta: NO_META }
  const at: HookAt = { family: 'arp', hook: 'output', iif: null, oif: dev, next: null }
  const passed = space.entry.firewall === null ? skb : space.plane.parts.passFrame(space, at, skb)
  if (passed !== null) transmit(dev, passed)
}

/** Sends a message of neighbour discovery, which passes the hooks of any packet of ours. */
export const sendDiscovery = (dev: Device, packet: Packet6, meta: Meta = NO_META): void => {
  const { space } = dev
  const { parts } = space.plane
  let held = { packet: packet as Packet, meta }
  if (space.entry.firewall !== null) {
    const at = { family: 'ip6', iif: null, oif: dev, next: packet.dst } as const
    const out = parts.pass(space, { ...at, hook: 'output' }, held)
    const last = out === null ? null : parts.pass(space, { ...at, hook: 'postrouting' }, out)
    if (last === null) return
    held = last
  }
  parts.output(dev, held.packet.dst, held)
}

/** arp_announce: 0 the waiting packet's own source, 1 that if it is of the target's subnet, 2 never that. */
const senderOf = (dev: Device, target: Ip4, about: Packet | null): Ip4 => {
  const { space, link } = dev
  const { arpAnnounce, routeLocalnet } = policyOf(dev)
  const src = about?.tag === 'ip4' && arpAnnounce < 2 ? about.src : null
  const isOurs = src !== null && typeOf(space.entry, src) === 'local'
  if (src !== null && isOurs && (arpAnnounce === 0 || isOnLink4(link, target, src))) return src
  return select4(space.entry, link, target, SCOPES.link, routeLocalnet) ?? ip4(0)
}

const solicit4 = (dev: Device, target: Ip4, old: Mac | null, about: Packet | null): void =>
  sendArp(dev, old ?? BROADCAST, {
    tag: 'arp',
    op: 'request',
    senderMac: dev.link.mac,
    sender: senderOf(dev, target, about),
    targetMac: ZERO_MAC,
    target,
  })

/** Without a link-local address, and without a packet from an address of the device, nobody can be asked. */
const solicit6 = (dev: Device, target: Ip6, old: Mac | null, about: Packet | null): void => {
  const own = about?.tag === 'ip6' && hasAddress(dev.link, about.src) ? about.src : linkLocalOf(dev.link)
  if (own === null) return
  const body = {
    proto: 'icmp6',
    type: 'neighbour-solicitation',
    target,
    options: [{ tag: 'source', mac: dev.link.mac }],
  } as const
  sendDiscovery(dev, { ...packet6(own, old === null ? solicitedNode(target) : target, body), ttl: 255 })
}

/** Asks for the MAC of an address: whoever had it (`old`), or everybody. `about`: a packet that waits for that. */
export const solicit = (dev: Device, target: Ip, old: Mac | null, about: Packet | null): void => {
  const { space } = dev
  if (space.plane.watch !== null && about !== null) note(space, dev, 'neighbour', about, { tag: 'asked', ip: target })
  if (isIp4(target)) solicit4(dev, target, old, about)
  else solicit6(dev, target, old, about)
}

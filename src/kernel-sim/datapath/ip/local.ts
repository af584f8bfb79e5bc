// A packet has come to its host: it is put together, passes `input`, tells of a neighbour, or goes to its protocol. IPv4 puts together before the hook, IPv6 behind it.
// Sources: net/ipv4/ip_input.c (ip_local_deliver), net/ipv6/ip6_input.c (ip6_input, ip6_protocol_deliver_rcu).

import { type Device, deviceOf, type Space } from '../plane.ts'
import type { Held } from '../skb.ts'
import { note } from '../step.ts'
import { defragment } from './defrag.ts'
import { receiveDiscovery } from './ndisc.ts'

const passInput = (space: Space, dev: Device, held: Held): Held | null => {
  if (space.entry.firewall === null) return held
  const family = held.packet.tag === 'ip4' ? 'ip' : 'ip6'
  return space.plane.parts.pass(space, { family, hook: 'input', iif: dev, oif: null, next: null }, held)
}

/** Whole and past `input`; null: it waits for its other pieces, or ended. */
export const atHost = (space: Space, dev: Device, held: Held): Held | null => {
  if (held.packet.tag === 'ip4') {
    const whole = defragment(space, dev, held, 'local')
    return whole === null ? null : passInput(space, dev, whole)
  }
  const passed = passInput(space, dev, held)
  return passed === null ? null : defragment(space, dev, passed, 'local')
}

/** What a host sends to itself counts as received by the device whose address it is for (inet_iif, ip6_rcv_core). */
const arrivedBy = (dev: Device, { meta: { via } }: Held): Device =>
  via === undefined || dev.link.spec.type !== 'loopback' ? dev : (deviceOf(dev.space, via) ?? dev)

/** `dev`: by which it came in. */
export const deliverHere = (space: Space, dev: Device, held: Held): void => {
  if (space.plane.watch !== null) note(space, dev, 'ip', held.packet, { tag: 'routed-local' })
  const whole = atHost(space, dev, held)
  if (whole === null) return
  const by = arrivedBy(dev, whole)
  if (!receiveDiscovery(by, whole)) space.plane.parts.deliver(space, by, whole)
}

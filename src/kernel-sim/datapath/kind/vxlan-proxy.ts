// A VXLAN with `proxy` passes no question for a neighbour on: it answers from its own neighbour table, or not at all.
// Source: drivers/net/vxlan/vxlan_core.c (arp_reduce, neigh_reduce), measured.

import { type Ip, isLoopback, isMulticast, isUnspecified } from '../../../net/ip.ts'
import type { VxlanSpec } from '../../link-entry.ts'
import type { Frame } from '../../wire/ethernet.ts'
import { enqueue } from '../loop.ts'
import type { Device } from '../plane.ts'
import { NO_META } from '../skb.ts'
import { note } from '../step.ts'
import { arpAnswer, discoveryAnswer, discoveryIn } from './neighbour-answer.ts'
import { remotesOf } from './remotes.ts'

/** Comes back as received. Who is known to be on this side (a remote of no address) answers for itself. */
const answer = (dev: Device, spec: VxlanSpec, ip: Ip, frame: Frame, answerOf: (mac: Frame['src']) => Frame) => {
  const { space } = dev
  const isWatched = space.plane.watch !== null
  const neighbour = space.plane.parts.neighbour(dev, ip)
  if (neighbour === null) {
    if (spec.l3miss && isWatched)
      note(space, dev, 'tunnel', frame.payload, { tag: 'missed-ip', dev: dev.name, ip }, frame)
    return
  }
  if (!neighbour.connected || neighbour.mac === null) return
  const at = remotesOf(dev, spec, neighbour.mac)?.remotes[0]
  if (at !== undefined && isUnspecified(at.ip)) return
  const reply = answerOf(neighbour.mac)
  if (isWatched)
    note(space, dev, 'neighbour', reply.payload, { tag: 'answered', ip, mac: neighbour.mac, proxy: true }, reply)
  enqueue(dev, { frame: reply, meta: NO_META })
}

/** Whether the frame is one that goes no further, answered or not. */
export const isReduced = (dev: Device, spec: VxlanSpec, frame: Frame): boolean => {
  const { payload } = frame
  if (payload.tag === 'arp') {
    const { op, target } = payload
    if (op === 'request' && !isLoopback(target) && !isMulticast(target))
      answer(dev, spec, target, frame, (mac) => arpAnswer(payload, mac))
    return true
  }
  const found = discoveryIn(frame)
  if (found === null || found.message.type !== 'neighbour-solicitation') return false
  const { packet, message } = found
  if (!isLoopback(packet.dst) && !isMulticast(message.target))
    answer(dev, spec, message.target, frame, (mac) => discoveryAnswer(frame, { packet, message }, mac, false))
  return true
}

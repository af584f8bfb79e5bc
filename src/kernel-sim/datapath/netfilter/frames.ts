// The hooks of devices, bridges and ARP: what a frame meets there. Bridges track conversations where a rule of theirs asks for them,
// and translate nothing.
// Sources: net/core/dev.c (nf_ingress), include/linux/netfilter_netdev.h, net/bridge/netfilter/nf_conntrack_bridge.c,
// net/netfilter/nft_chain_filter.c (nft_do_chain_inet_ingress).

import { askChain } from '../../nft/evaluate.ts'
import type { Frame } from '../../wire/ethernet.ts'
import type { Packet } from '../../wire/nested.ts'
import type { HookAt, Space } from '../plane.ts'
import type { Skb } from '../skb.ts'
import { drop, note } from '../step.ts'
import { type Asked, askedIn, placeOf, type Stage, stagesAt } from './asked.ts'
import { appliedTo, type Passing } from './effects.ts'
import { enter } from './memory.ts'
import { rejectFrame } from './reject.ts'
import { track } from './track.ts'

const packetIn = ({ payload }: Frame): Packet | null =>
  payload.tag === 'ip4' || payload.tag === 'ip6' ? payload : null

/** In a table of inet, a device's hook is one of the family that the packet is of, and of no other. */
const seenAs = (at: HookAt, packet: Packet | null): HookAt | null =>
  packet === null ? null : { ...at, family: packet.tag === 'ip4' ? 'ip' : 'ip6' }

const throughChain = (
  space: Space,
  asked: Asked,
  at: HookAt,
  skb: Skb,
  { chain }: Stage & { tag: 'chain' },
  passing: Passing,
): Skb | null => {
  const { sight, run } = asked
  const packet = packetIn(skb.frame)
  const seen = chain.place.family === 'inet' ? seenAs(at, packet) : at
  if (seen === null) return skb
  sight.at = seen
  sight.frame = skb.frame
  sight.packet = packet
  sight.meta = skb.meta
  sight.nowMs = space.plane.nowMs
  const decision = askChain(run, chain, sight)
  const now = run.effects.length === 0 ? skb : appliedTo(space, asked, at, skb, passing)
  const dev = at.oif ?? at.iif
  if (decision.tag === 'drop' || decision.tag === 'reject') {
    if (decision.tag === 'reject') rejectFrame(at, now.frame, decision.reject)
    const by = placeOf(space, decision.by ?? decision.base, at.hook)
    drop(space, dev, 'netfilter', now.frame.payload, { tag: 'rule', at: by }, now.frame)
    return null
  }
  if (space.plane.watch !== null && decision.tag === 'accept' && decision.by !== null) {
    const by = placeOf(space, decision.by, at.hook)
    note(space, dev, 'netfilter', now.frame.payload, { tag: 'accepted', at: by }, now.frame)
  }
  return now
}

const tracked = (space: Space, skb: Skb, passing: Passing): Skb => {
  const packet = packetIn(skb.frame)
  if (packet === null || skb.meta.flow !== null) return skb
  return { ...skb, meta: { ...skb.meta, flow: track(space, packet, passing.zone) } }
}

/** A fresh conversation has survived, and is entered; other ports have copies of the packet that it is entered by. */
const entered = (space: Space, at: HookAt, skb: Skb): Skb | null => {
  const { flow } = skb.meta
  const connection = flow?.connection ?? null
  if (connection === null || connection.id !== 0 || flow?.state !== 'new' || enter(space, connection)) return skb
  const reason = { tag: 'no-free-port', ip: connection.original.src } as const
  drop(space, at.oif ?? at.iif, 'netfilter', skb.frame.payload, reason, skb.frame)
  return null
}

const through = (space: Space, asked: Asked, at: HookAt, skb: Skb, stage: Stage, passing: Passing): Skb | null => {
  switch (stage.tag) {
    case 'chain':
      return throughChain(space, asked, at, skb, stage, passing)
    case 'track':
      return tracked(space, skb, passing)
    case 'enter':
      return entered(space, at, skb)
    case 'gather':
    case 'nat':
      return skb
  }
}

/** As `pass`, for frames of bridges and devices. */
export const passFrame = (space: Space, at: HookAt, skb: Skb): Skb | null => {
  const asked = askedIn(space)
  const dev = at.oif ?? at.iif
  if (asked === null || dev === null) return skb
  const stages = stagesAt(asked, at.family, at.hook, dev.name)
  if (stages.length === 0) return skb
  const passing = { zone: 0 }
  let now: Skb | null = skb
  for (const stage of stages) {
    now = through(space, asked, at, now, stage, passing)
    if (now === null) return null
  }
  return now
}

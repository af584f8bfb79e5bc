// What rules did to a packet on the way to their verdict: marks, zones, header fields, and that they wrote to the log.
// Sources: net/netfilter/nft_meta.c (nft_meta_set_eval), nft_ct.c (nft_ct_set_eval, nft_notrack_eval), nft_payload.c, nft_log.c.

import type { Effect } from '../../nft/sight.ts'
import type { HookAt, Space } from '../plane.ts'
import type { Held, Meta, Skb } from '../skb.ts'
import { note } from '../step.ts'
import { type Asked, placeOf } from './asked.ts'
import { type Flow, UNTRACKED } from './flow.ts'
import { withField, withFrameField } from './set-field.ts'

/** What goes with a packet from one stage of a hook to the next. `zone`: of the conversation that is yet to be found. */
export type Passing = { zone: number }

export const withFlow = ({ packet, meta }: Held, flow: Flow): Held => ({ packet, meta: { ...meta, flow } })

type Set = Effect & { tag: 'set' }

const withMark = (meta: Meta, { of, value }: Set, passing: Passing): Meta => {
  if (of.tag === 'meta' && of.key === 'mark') return { ...meta, mark: Number(value) }
  if (of.tag !== 'ct') return meta
  if (of.key === 'zone') passing.zone = Number(value)
  else if (meta.flow?.connection != null) meta.flow.connection.mark = Number(value)
  return meta
}

const tell = (space: Space, at: HookAt, effect: Effect, payload: Skb['frame']['payload']) => {
  if (effect.tag !== 'log' || space.plane.watch === null) return
  const { prefix } = effect.options
  note(space, at.oif ?? at.iif, 'netfilter', payload, {
    tag: 'logged',
    at: placeOf(space, effect.by, at.hook),
    prefix,
  })
}

/** A packet after the effects of a chain. */
export const applied = (space: Space, asked: Asked, at: HookAt, held: Held, passing: Passing): Held => {
  let now = held
  for (const effect of asked.run.effects) {
    tell(space, at, effect, now.packet)
    if (effect.tag === 'notrack' && now.meta.flow === null) now = withFlow(now, UNTRACKED)
    if (effect.tag !== 'set') continue
    const { of, value } = effect
    if (of.tag === 'payload') now = { packet: withField(now.packet, of.protocol, of.field, value), meta: now.meta }
    else now = { packet: now.packet, meta: withMark(now.meta, effect, passing) }
  }
  return now
}

const withSet = (skb: Skb, effect: Set, passing: Passing): Skb => {
  const { frame, meta } = skb
  const { of, value } = effect
  if (of.tag !== 'payload') return { ...skb, meta: withMark(meta, effect, passing) }
  const { protocol, field } = of
  if (protocol === 'ether' || protocol === 'vlan' || protocol === 'arp')
    return { ...skb, frame: withFrameField(frame, protocol, field, value) }
  const { payload } = frame
  if (payload.tag !== 'ip4' && payload.tag !== 'ip6') return skb
  return { ...skb, frame: { ...frame, payload: withField(payload, protocol, field, value) } }
}

/** As `applied`, of a frame. */
export const appliedTo = (space: Space, asked: Asked, at: HookAt, skb: Skb, passing: Passing): Skb => {
  let now = skb
  for (const effect of asked.run.effects) {
    tell(space, at, effect, now.frame.payload)
    if (effect.tag === 'notrack' && now.meta.flow === null) now = { ...now, meta: { ...now.meta, flow: UNTRACKED } }
    if (effect.tag === 'set') now = withSet(now, effect, passing)
  }
  return now
}

// The netfilter hooks of a namespace's IP layer: what a packet meets at each, stage by stage (asked.ts).
// Sources: net/netfilter/core.c (nf_hook_slow), nf_conntrack_core.c (nf_conntrack_confirm), net/netfilter/nft_chain_route.c.

import type { BaseChain } from '../../nft/bases.ts'
import { askChain } from '../../nft/evaluate.ts'
import type { HookAt, Space } from '../plane.ts'
import type { Held } from '../skb.ts'
import { drop, note } from '../step.ts'
import { type Asked, askedIn, placeOf, type Stage, stagesAt } from './asked.ts'
import { applied, type Passing, withFlow } from './effects.ts'
import { enter } from './memory.ts'
import { reject } from './reject.ts'
import { track } from './track.ts'
import { translated } from './translation.ts'

/** Of what a chain of type route has changed, this decides where a packet goes (nf_route_table_hook4, nf_route_table_hook6). */
const goesElsewhere = (a: Held, b: Held): boolean => {
  const [one, two] = [a.packet, b.packet]
  if (a.meta.mark !== b.meta.mark || one.src !== two.src || one.dst !== two.dst) return true
  return one.tag === 'ip6' && two.tag === 'ip6' ? one.ttl !== two.ttl || one.flow !== two.flow : one.tos !== two.tos
}

/** One chain of type filter or route. Null: the packet ended there, and that was told. */
const throughChain = (
  space: Space,
  asked: Asked,
  at: HookAt,
  held: Held,
  chain: BaseChain,
  passing: Passing,
): Held | null => {
  const { sight, run } = asked
  sight.packet = held.packet
  sight.meta = held.meta
  const decision = askChain(run, chain, sight)
  const now = run.effects.length === 0 ? held : applied(space, asked, at, held, passing)
  if (decision.tag === 'drop' || decision.tag === 'reject') {
    if (decision.tag === 'reject') reject(space, at, now, decision.reject)
    const by = placeOf(space, decision.by ?? decision.base, at.hook)
    drop(space, at.oif ?? at.iif, 'netfilter', now.packet, { tag: 'rule', at: by })
    return null
  }
  if (space.plane.watch !== null && decision.tag === 'accept' && decision.by !== null) {
    const by = placeOf(space, decision.by, at.hook)
    note(space, at.oif ?? at.iif, 'netfilter', now.packet, { tag: 'accepted', at: by })
  }
  return chain.base.type === 'route' && now !== held && goesElsewhere(held, now)
    ? { packet: now.packet, meta: { ...now.meta, reroute: true } }
    : now
}

/** A fresh conversation has survived, and is entered. */
const entered = (space: Space, at: HookAt, held: Held): Held | null => {
  const connection = held.meta.flow?.connection ?? null
  if (connection === null || connection.id !== 0 || held.meta.flow?.state !== 'new') return held
  if (enter(space, connection)) return held
  const ip = connection.snat ? connection.reply.dst : connection.original.src
  drop(space, at.oif ?? at.iif, 'netfilter', held.packet, { tag: 'no-free-port', ip })
  return null
}

const isFragment = ({ packet }: Held): boolean =>
  packet.tag === 'ip4' ? packet.mf || packet.offset > 0 : packet.fragment !== null

const through = (space: Space, asked: Asked, at: HookAt, held: Held, stage: Stage, passing: Passing): Held | null => {
  switch (stage.tag) {
    case 'gather':
      return isFragment(held) ? space.plane.parts.gather(space, at.oif ?? at.iif, held) : held
    case 'track':
      return held.meta.flow === null ? withFlow(held, track(space, held.packet, passing.zone)) : held
    case 'chain':
      return throughChain(space, asked, at, held, stage.chain, passing)
    case 'nat':
      return translated(space, asked, at, held, stage, passing)
    case 'enter':
      return entered(space, at, held)
  }
}

/** What a packet came in is kept with it only where rules look at that. */
const withFrame = (held: Held, { frame }: HookAt): Held =>
  frame === undefined ? held : { packet: held.packet, meta: { ...held.meta, frame } }

/** Takes a packet through a hook. Null: it ended there, and that was told; or it is a fragment, and waits for the others. */
export const pass = (space: Space, at: HookAt, given: Held): Held | null => {
  const asked = askedIn(space)
  if (asked === null) return given
  const stages = stagesAt(asked, at.family, at.hook, '')
  if (stages.length === 0) return asked.needs.frames ? withFrame(given, at) : given
  let held: Held | null = asked.needs.frames ? withFrame(given, at) : given
  const passing = { zone: 0 }
  const { sight } = asked
  for (const stage of stages) {
    // What a stage sends by itself goes through hooks, too, before this goes on.
    sight.at = at
    sight.frame = held.meta.frame ?? null
    sight.nowMs = space.plane.nowMs
    held = through(space, asked, at, held, stage, passing)
    if (held === null) return null
  }
  return held
}

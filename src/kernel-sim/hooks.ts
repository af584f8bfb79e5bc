// The netfilter hooks of a namespace: what a packet meets at each, in order of priority. Tracking at -200, destination
// NAT at -100, source NAT at 100, filters where their chain says. A namespace without a firewall has no conntrack either:
// Linux registers both with the first table that needs them (nf_ct_netns_get), and all NAT hooks at once.
// Source: include/uapi/linux/netfilter_ipv4.h (enum nf_ip_hook_priorities).

import type { Chain, Hook } from '../kernel/firewall/rule.ts'
import { CHAINS } from '../kernel/firewall/skeleton.ts'
import type { Ip } from '../net/ip.ts'
import type { IfName } from '../net/name.ts'
import { confirm, type Flow, refresh, track } from './conntrack.ts'
import { type Decision, evaluate, type Sight } from './firewall.ts'
import { bindDestination, bindSource, type Part, translate } from './nat.ts'
import { type Packet, quotedBy } from './packet.ts'
import { selectSource } from './route.ts'
import { drop, note, putSpace, type Run, spaceOf } from './run.ts'
import type { Connection, NsEntry } from './state.ts'
import type { DropReason, RuleAt } from './trace.ts'

type Stage = Readonly<
  { priority: number } & (
    | { tag: 'track' }
    | { tag: 'filter'; chain: Chain }
    | { tag: 'nat'; part: Part; chains: ReadonlyArray<Chain> }
  )
>

const TRACKING: Partial<Record<Hook, true>> = { prerouting: true, output: true }
const NAT_PART: Partial<Record<Hook, Part>> = {
  prerouting: 'destination',
  output: 'destination',
  input: 'source',
  postrouting: 'source',
}

const stagesOf = (hook: Hook): ReadonlyArray<Stage> => {
  const here = CHAINS.filter((chain) => chain.base?.hook === hook)
  const priority = (chain: Chain): number => chain.base?.priority ?? 0
  const part = NAT_PART[hook]
  const nat: ReadonlyArray<Stage> =
    part === undefined
      ? []
      : [
          {
            tag: 'nat',
            part,
            priority: part === 'destination' ? -100 : 100,
            chains: here.filter((chain) => chain.base?.type === 'nat').sort((a, b) => priority(a) - priority(b)),
          },
        ]
  const filters = here
    .filter((chain) => chain.base?.type === 'filter')
    .map((chain): Stage => ({ tag: 'filter', chain, priority: priority(chain) }))
  const tracking: ReadonlyArray<Stage> = TRACKING[hook] ? [{ tag: 'track', priority: -200 }] : []
  return [...tracking, ...filters, ...nat].sort((a, b) => a.priority - b.priority)
}

const STAGES: Readonly<Record<Hook, ReadonlyArray<Stage>>> = {
  prerouting: stagesOf('prerouting'),
  input: stagesOf('input'),
  forward: stagesOf('forward'),
  output: stagesOf('output'),
  postrouting: stagesOf('postrouting'),
}

/** A packet in the hands of the IP layer. `next` is its next hop, once routed. */
export type Passing = Readonly<{ packet: Packet; flow: Flow | null }>
export type Place = Readonly<{ hook: Hook; iif: IfName | null; oif: IfName | null; next: Ip | null }>

const sightOf = (space: NsEntry, { hook, iif, oif }: Place, { packet, flow }: Passing): Sight => ({
  space,
  hook,
  iif,
  oif,
  packet,
  state: flow?.state ?? null,
  dnat: flow?.connection?.dnat ?? false,
})

type Bound = Readonly<{ connection: Connection; by: RuleAt | null }>

/** Decides a fresh conversation's NAT, or why it cannot be. Without a rule a source stays, but may need another port. */
const bind = (
  space: NsEntry,
  place: Place,
  passing: Passing,
  connection: Connection,
  stage: Stage & { tag: 'nat' },
  nowMs: number,
): Bound | DropReason => {
  const sight = sightOf(space, place, passing)
  let decision: Decision | null = null
  for (const chain of stage.chains) {
    decision = evaluate(sight, chain)
    if (decision !== null) break
  }
  if (decision?.tag === 'drop') return { tag: 'rule', at: decision.at }
  if (stage.part === 'destination')
    return decision?.tag === 'dnat'
      ? { connection: bindDestination(connection, decision.to), by: decision.at }
      : { connection, by: null }
  let source = connection.reply.dst
  if (decision?.tag === 'masquerade' && place.oif !== null && place.next !== null) {
    const chosen = selectSource(space, place.oif, passing.packet.dst, place.next)
    if (chosen === null) return { tag: 'no-source', to: passing.packet.dst }
    source = chosen
  }
  const bound = bindSource(space, connection, source, nowMs)
  return bound === null ? { tag: 'no-free-port', ip: source } : { connection: bound, by: decision?.at ?? null }
}

const nat = (
  run: Run,
  space: NsEntry,
  place: Place,
  passing: Passing,
  stage: Stage & { tag: 'nat' },
): Passing | null => {
  const { packet } = passing
  let { flow } = passing
  const dev = place.oif ?? place.iif
  let by: RuleAt | null = null
  if (flow === null) return passing
  if (flow.fresh && flow.connection !== null) {
    const bound = bind(space, place, passing, flow.connection, stage, run.world.nowMs)
    if ('tag' in bound) {
      drop(run, space.ns, dev, packet, bound)
      return null
    }
    by = bound.by
    flow = { ...flow, connection: bound.connection }
  }
  const after = translate(packet, flow, stage.part)
  if (after !== packet) {
    const part = quotedBy(packet) === null ? stage.part : 'quoted'
    note(run, space.ns, dev, after, { tag: 'translated', part, before: packet, by })
  }
  return { packet: after, flow }
}

/** Takes a packet through a hook. Null: it was dropped there, and that is noted. */
export const throughHook = (run: Run, given: NsEntry, place: Place, passing: Passing): Passing | null => {
  if (given.firewall === null) return passing
  const space = spaceOf(run, given.ns) ?? given
  let now = passing
  for (const stage of STAGES[place.hook]) {
    switch (stage.tag) {
      case 'track': {
        if (now.flow !== null) break
        const flow = track(space, now.packet, run.world.nowMs)
        const renewed = refresh(space, flow, run.world.nowMs)
        if (renewed !== space) putSpace(run, renewed)
        now = { packet: now.packet, flow }
        break
      }
      case 'filter': {
        const decision = evaluate(sightOf(space, place, now), stage.chain)
        if (decision === null) break
        const dev = place.oif ?? place.iif
        if (decision.tag === 'drop') {
          drop(run, space.ns, dev, now.packet, { tag: 'rule', at: decision.at })
          return null
        }
        note(run, space.ns, dev, now.packet, { tag: 'accepted', at: decision.at })
        break
      }
      case 'nat': {
        const translated = nat(run, space, place, now, stage)
        if (translated === null) return null
        now = translated
      }
    }
  }
  return now
}

/** The last thing before a packet leaves the IP layer: a fresh conversation has survived, and is entered. */
export const settle = (run: Run, space: NsEntry, { packet, flow }: Passing): Passing => {
  if (flow === null || !flow.fresh) return { packet, flow }
  const [entered, known] = confirm(spaceOf(run, space.ns) ?? space, flow)
  putSpace(run, entered)
  return { packet, flow: known }
}

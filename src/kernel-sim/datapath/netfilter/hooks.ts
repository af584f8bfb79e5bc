// The netfilter hooks of a namespace: what a packet meets at each, in order of priority. Fragments are collected at -400, tracking
// is at -200, destination NAT at -100, source NAT at 100, chains where they say; the last thing at `input` and `postrouting` is that
// a conversation whose first packet has come so far is entered in the table.
// Sources: include/uapi/linux/netfilter_ipv4.h (enum nf_ip_hook_priorities), net/netfilter/nf_nat_core.c (nf_nat_inet_fn).

import { type Ip, ip4, ip6, isIp4 } from '../../../net/ip.ts'
import { isTentative } from '../../link-entry.ts'
import type { Device, HookAt, Space } from '../plane.ts'
import type { Held, Skb } from '../skb.ts'
import { drop, note, type RuleAt } from '../step.ts'
import type { Connection } from './connection.ts'
import { type Flow, UNTRACKED } from './flow.ts'
import { enter } from './memory.ts'
import { bind, bindNowhere, translate } from './nat.ts'
import { reject } from './reject.ts'
import { type Part, quotedBy } from './rewrite.ts'
import type { BaseChain, Effect, Rules, Wish } from './rules.ts'
import { rulesOf } from './ruleset.ts'
import { track } from './track.ts'

type Stage = Readonly<
  { priority: number } & (
    | { tag: 'gather' }
    | { tag: 'track' }
    | { tag: 'chain'; chain: BaseChain }
    | { tag: 'nat'; part: Part; chains: ReadonlyArray<BaseChain> }
    | { tag: 'enter' }
  )
>

const NAT_PART: Readonly<Partial<Record<HookAt['hook'], Part>>> = {
  prerouting: 'destination',
  output: 'destination',
  input: 'source',
  postrouting: 'source',
}

const stagesFrom = (chains: ReadonlyArray<BaseChain>, { tracks, translates }: Rules, hook: HookAt['hook']) => {
  const stages: Stage[] = chains
    .filter(({ type }) => type !== 'nat')
    .map((chain) => ({ tag: 'chain', chain, priority: chain.priority }))
  const part = NAT_PART[hook]
  if (tracks && (hook === 'prerouting' || hook === 'output'))
    stages.push({ tag: 'gather', priority: -400 }, { tag: 'track', priority: -200 })
  if (translates && part !== undefined)
    stages.push({
      tag: 'nat',
      part,
      priority: part === 'destination' ? -100 : 100,
      chains: chains.filter(({ type }) => type === 'nat'),
    })
  stages.sort((a, b) => a.priority - b.priority)
  if (tracks && (hook === 'input' || hook === 'postrouting')) stages.push({ tag: 'enter', priority: 0 })
  return stages
}

type Known = Readonly<Record<'ip' | 'ip6', Partial<Record<HookAt['hook'], ReadonlyArray<Stage>>>>>
const known = new WeakMap<Rules, Known>()

/** Of each ruleset they are made once; nothing is asked twice of the same rules. */
const stagesOf = (rules: Rules, family: 'ip' | 'ip6', hook: HookAt['hook']): ReadonlyArray<Stage> => {
  let of = known.get(rules)
  if (of === undefined) {
    of = { ip: {}, ip6: {} }
    known.set(rules, of)
  }
  const stages = of[family][hook] ?? stagesFrom(rules.chainsAt(family, hook, null), rules, hook)
  of[family][hook] = stages
  return stages
}

const deviceAt = ({ iif, oif }: HookAt): Device | null => oif ?? iif

const withFlow = ({ packet, meta }: Held, flow: Flow): Held => ({ packet, meta: { ...meta, flow } })

/** Of what a chain of type route has changed, this decides where a packet goes (nf_route_table_hook4). */
const goesElsewhere = (a: Held, b: Held): boolean =>
  a.meta.mark !== b.meta.mark ||
  a.packet.src !== b.packet.src ||
  a.packet.dst !== b.packet.dst ||
  a.packet.tos !== b.packet.tos

/** What a chain's rules did to the packet on the way. `zone`: of the conversation that is yet to be found. */
const applied = (held: Held, effects: ReadonlyArray<Effect>, passing: { zone: number }): Held => {
  let now = held
  for (const effect of effects) {
    switch (effect.tag) {
      case 'mark':
        now = { packet: now.packet, meta: { ...now.meta, mark: effect.value } }
        break
      case 'ct-mark':
        if (now.meta.flow?.connection != null) now.meta.flow.connection.mark = effect.value
        break
      case 'zone':
        passing.zone = effect.value
        break
      case 'untrack':
        if (now.meta.flow === null) now = withFlow(now, UNTRACKED)
        break
      case 'rewrite':
        now = effect.rewrite(now)
    }
  }
  return now
}

const askChain = (space: Space, at: HookAt, held: Held, chain: BaseChain, passing: { zone: number }): Held | null => {
  const { decision, effects } = chain.ask({ space, at, held, skb: null })
  const now = effects.length === 0 ? held : applied(held, effects, passing)
  switch (decision.tag) {
    case 'accept':
      if (decision.at !== null && space.plane.watch !== null)
        note(space, deviceAt(at), 'netfilter', now.packet, { tag: 'accepted', at: decision.at })
      return chain.type === 'route' && goesElsewhere(held, now)
        ? { packet: now.packet, meta: { ...now.meta, reroute: true } }
        : now
    case 'reject':
      reject(space, at, now, decision.rejection)
      drop(space, deviceAt(at), 'netfilter', now.packet, { tag: 'rule', at: decision.at })
      return null
    case 'drop':
      drop(space, deviceAt(at), 'netfilter', now.packet, { tag: 'rule', at: decision.at })
      return null
    case 'translate':
      return now
  }
}

/** The first address of a device that a redirected packet can be for (nf_nat_redirect). */
const ownAddress = ({ iif, hook }: HookAt, isFour: boolean): Ip | null => {
  if (hook === 'output') return isFour ? ip4(0x7f000001) : ip6(1n)
  const own = iif?.link.addresses.find((address) => isIp4(address.cidr.ip) === isFour && !isTentative(address))
  return own?.cidr.ip ?? null
}

/** Where a rule wants the packet's end to be; null: there is no such place here, and Linux drops the packet. */
const placeFor = (at: HookAt, { packet }: Held, wish: Wish): Ip | 'stays' | null => {
  const isFour = packet.tag === 'ip4'
  switch (wish.kind) {
    case 'dnat':
    case 'snat':
      return wish.address?.from ?? 'stays'
    case 'redirect':
      return ownAddress(at, isFour)
    case 'masquerade':
      return at.oif === null ? null : at.oif.space.plane.parts.selectSource(at.oif, packet.dst, at.next ?? packet.dst)
  }
}

const isDone = (connection: Connection, part: Part): boolean =>
  part === 'source' ? connection.sourceDone : connection.destinationDone

/** Decides a fresh conversation's translation, by which rule. `dropped`: it cannot be, and that was told. */
const decide = (
  space: Space,
  at: HookAt,
  held: Held,
  connection: Connection,
  stage: Stage & { tag: 'nat' },
): RuleAt | null | 'dropped' => {
  for (const chain of stage.chains) {
    const { decision } = chain.ask({ space, at, held, skb: null })
    if (decision.tag === 'drop' || decision.tag === 'reject') {
      drop(space, deviceAt(at), 'netfilter', held.packet, { tag: 'rule', at: decision.at })
      return 'dropped'
    }
    if (decision.tag !== 'translate') continue
    const { wish } = decision
    const to = placeFor(at, held, wish)
    if (to === null) {
      drop(space, deviceAt(at), 'netfilter', held.packet, { tag: 'no-source', to: held.packet.dst })
      return 'dropped'
    }
    const stays = stage.part === 'source' ? connection.reply.dst : connection.reply.src
    const first = to === 'stays' ? stays : to
    const last = to === 'stays' || wish.address === null ? first : wish.address.to
    const { port, random, persistent } = wish
    bind(space, connection, stage.part, { address: { from: first, to: last }, port, random, persistent })
    return decision.at
  }
  bindNowhere(space, connection, stage.part)
  return null
}

const nat = (space: Space, at: HookAt, held: Held, stage: Stage & { tag: 'nat' }): Held | null => {
  const { flow } = held.meta
  if (flow === null || flow.connection === null) return held
  let by: RuleAt | null = null
  if (flow.state === 'new' && !isDone(flow.connection, stage.part)) {
    const decided = decide(space, at, held, flow.connection, stage)
    if (decided === 'dropped') return null
    by = decided
  }
  const packet = translate(held.packet, flow, stage.part)
  if (packet === held.packet) return held
  if (space.plane.watch !== null) {
    const part = quotedBy(packet) === null ? stage.part : 'quoted'
    note(space, deviceAt(at), 'netfilter', packet, { tag: 'translated', part, before: held.packet, by })
  }
  return { packet, meta: held.meta }
}

/** A fresh conversation has survived, and is entered. */
const settle = (space: Space, at: HookAt, held: Held): Held | null => {
  const connection = held.meta.flow?.connection ?? null
  if (connection === null || connection.id !== 0 || held.meta.flow?.state !== 'new') return held
  if (enter(space, connection)) return held
  const ip = connection.snat ? connection.reply.dst : connection.original.src
  drop(space, deviceAt(at), 'netfilter', held.packet, { tag: 'no-free-port', ip })
  return null
}

const isFragment = ({ packet }: Held): boolean =>
  packet.tag === 'ip4' ? packet.mf || packet.offset > 0 : packet.fragment !== null

/** Takes a packet through a hook. Null: it ended there, and that was told; or it is a fragment, and waits for the others. */
export const pass = (space: Space, at: HookAt, given: Held): Held | null => {
  const rules = rulesOf(space)
  if (rules === null) return given
  const passing = { zone: 0 }
  let held: Held | null = given
  for (const stage of stagesOf(rules, at.family === 'ip' ? 'ip' : 'ip6', at.hook)) {
    switch (stage.tag) {
      case 'gather':
        if (isFragment(held)) held = space.plane.parts.gather(space, deviceAt(at), held)
        break
      case 'track':
        if (held.meta.flow === null) held = withFlow(held, track(space, held.packet, passing.zone))
        break
      case 'chain':
        held = askChain(space, at, held, stage.chain, passing)
        break
      case 'nat':
        held = nat(space, at, held, stage)
        break
      case 'enter':
        held = settle(space, at, held)
    }
    if (held === null) return null
  }
  return held
}

/** As `pass`, for frames of bridges and devices. */
export const passFrame = (space: Space, at: HookAt, skb: Skb): Skb | null => {
  const rules = rulesOf(space)
  const dev = deviceAt(at)
  if (rules === null || dev === null) return skb
  let { meta } = skb
  for (const chain of rules.chainsAt(at.family, at.hook, dev.name)) {
    const { payload } = skb.frame
    const held = payload.tag === 'ip4' || payload.tag === 'ip6' ? { packet: payload, meta } : null
    const { decision, effects } = chain.ask({ space, at, held, skb: { frame: skb.frame, meta } })
    for (const effect of effects) if (effect.tag === 'mark') meta = { ...meta, mark: effect.value }
    if (decision.tag !== 'drop' && decision.tag !== 'reject') continue
    drop(space, dev, 'netfilter', payload, { tag: 'rule', at: decision.at }, skb.frame)
    return null
  }
  return meta === skb.meta ? skb : { frame: skb.frame, meta }
}

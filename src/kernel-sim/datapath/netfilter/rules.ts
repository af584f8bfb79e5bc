// What the hooks ask of a ruleset, whichever it is: the base chains at a hook, and what one of them says of a packet. The one
// table that cnm itself writes (skeleton.ts) and any ruleset of nftables (nftables.ts) answer alike.
// Sources: nft(8) "VERDICT STATEMENTS", "NAT STATEMENTS", "REJECT STATEMENT"; net/netfilter/core.c.

import type { Ip } from '../../../net/ip.ts'
import type { NsEntry } from '../../state.ts'
import type { HookAt, Space } from '../plane.ts'
import type { Held, Skb } from '../skb.ts'
import type { RuleAt } from '../step.ts'

/** A packet at a hook, as rules see it. `skb`: the frame, where the hook is a device's or a bridge's. */
export type View = Readonly<{ space: Space; at: HookAt; held: Held | null; skb: Skb | null }>

/** From the first to the last, both included. */
export type Range<A> = Readonly<{ from: A; to: A }>

/** `random`: a port by chance (nft's `random` and `fully-random`). `persistent`: of several addresses the same for a client. */
export type Wish = Readonly<{
  kind: 'dnat' | 'snat' | 'masquerade' | 'redirect'
  address: Range<Ip> | null
  port: Range<number> | null
  random: boolean
  persistent: boolean
}>

/** `code`: of a destination unreachable of the packet's family. */
export type Rejection = Readonly<{ with: 'tcp reset' } | { with: 'unreachable'; code: number }>

/** `at` null: no rule said so, but the end of a chain. */
export type Decision = Readonly<
  | { tag: 'accept'; at: RuleAt | null }
  | { tag: 'drop'; at: RuleAt }
  | { tag: 'reject'; at: RuleAt; rejection: Rejection }
  | { tag: 'translate'; at: RuleAt; wish: Wish }
>

/** What rules did on the way to their decision. `rewrite`: a field of a header, set. */
export type Effect = Readonly<
  | { tag: 'mark' | 'ct-mark' | 'zone'; value: number }
  | { tag: 'untrack' }
  | { tag: 'rewrite'; rewrite: (held: Held) => Held }
>

export type Answer = Readonly<{ decision: Decision; effects: ReadonlyArray<Effect> }>

export type BaseChain = Readonly<{
  type: 'filter' | 'nat' | 'route'
  priority: number
  ask: (view: View) => Answer
}>

/**
 * A namespace's ruleset. `chainsAt`: of a hook in order of priority, by `device` those of that device too; the same array for
 * the same rules. `tracks`, `translates`: whether anything in it needs conntrack, and NAT; Linux registers those hooks then.
 */
export type Rules = Readonly<{
  chainsAt: (family: HookAt['family'], hook: HookAt['hook'], device: string | null) => ReadonlyArray<BaseChain>
  tracks: boolean
  translates: boolean
}>

/** What packets have done to a ruleset since the plane was opened, which puts it into the next entry. */
export type RulesetMemory = { readonly close: (entry: NsEntry) => NsEntry }

const NO_EFFECTS: ReadonlyArray<Effect> = []
/** A chain has come to its end, and lets pass what no rule decided about. */
export const PASSED: Answer = { decision: { tag: 'accept', at: null }, effects: NO_EFFECTS }
export const answerOf = (decision: Decision): Answer => ({ decision, effects: NO_EFFECTS })

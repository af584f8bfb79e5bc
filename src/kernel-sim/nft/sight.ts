// What a ruleset sees of a packet, and what it wants done: the boundary between the language and the network around it.

import type { Datum } from './datatype.ts'
import type { LogOptions, NatFlag, Reject, Selector, Translation } from './expression.ts'
import type { Family, Hook, Rule } from './ruleset.ts'

/** Selectors that are answered from the packet; the others are generators, which the evaluator has itself. */
export type Field = Extract<Selector, { tag: 'payload' | 'meta' | 'ct' | 'fib' }>

/** The caller's packet at a hook. */
export type Sight = Readonly<{
  /**
   * The value of a field, of the type that `typesOf` says; null if the packet has no such header, or nobody tracks it: then
   * the rule does not match. For `fib`: null if there is no route. A `ct state` is one of the bits of CT_STATE.
   */
  field: (field: Field) => Datum | null
  /** 0 to n - 1, evenly. */
  random: (n: number) => number
  /** 32 bits that are equal for both directions of a conversation. */
  flowHash: () => number
  /** Bytes that counters count; asked for only where somebody counts. */
  length: () => number
  nowMs: number
}>

/** Where in the network: which base chains are asked. `device` for those that are bound to one. */
export type Point = Readonly<{ family: Exclude<Family, 'inet'>; hook: Hook; device: string | null }>

export type ChainPlace = Readonly<{ family: Family; table: string; chain: string }>
export type RulePlace = ChainPlace & Readonly<{ rule: Rule }>
export type Bounds = Readonly<{ from: Datum; to: Datum }>

/** What rules did on the way to the verdict, in order. */
export type Effect = Readonly<{ by: RulePlace }> &
  Readonly<
    | { tag: 'log'; options: LogOptions }
    /** A mark, a zone, or a header field was set. */
    | { tag: 'set'; of: Field; value: Datum }
    | { tag: 'notrack' }
    /** Only where the caller follows the packet: all of the rule matched, whatever it says. */
    | { tag: 'matched' }
  >

/** The translation that a rule asks for, with values for what it looked up. */
export type Wish = Readonly<{
  kind: Translation['kind']
  address: Bounds | null
  port: Bounds | null
  flags: ReadonlyArray<NatFlag>
}>

/** `base`: the base chain that was asked. */
export type Decision = Readonly<
  /** `by` null: the policy of the chain that was asked last; `base` null: no chain at all. */
  | { tag: 'accept'; by: RulePlace | null; base: ChainPlace | null }
  | { tag: 'drop'; by: RulePlace | null; base: ChainPlace }
  | { tag: 'reject'; by: RulePlace; base: ChainPlace; reject: Reject }
  | { tag: 'translate'; by: RulePlace; base: ChainPlace; wish: Wish }
>

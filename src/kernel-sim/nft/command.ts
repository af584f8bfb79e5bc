// What an nft script asks for, command by command, as data. Names are resolved against a ruleset only when it is applied.
// Source: nft(8).

import type { NftError, Place } from './error.ts'
import type { RawElement } from './parse/raw.ts'
import type { RuleBody } from './parse/rule.ts'
import type { Base, Family, Policy, SetSpec } from './ruleset.ts'

/** A name, or the handle that stands for it. */
export type Reference = Readonly<{ name: string; handle: number | null; at: Place }>
export type InTable = Readonly<{ family: Family; table: string; tableAt: Place }>

/** Where a rule goes: the handle or the index of one that is there, or an end of the chain. */
export type Position = Readonly<{ tag: 'end' } | { tag: 'handle' | 'index'; of: number; at: Place }>

export type Listed = Readonly<
  | { what: 'ruleset' | 'tables' | 'chains' | 'sets' | 'maps'; family: Family | null }
  | { what: 'counters'; family: Family | null; table: string | null }
  | { what: 'table'; family: Family; table: string; at: Place }
  | ({ what: 'chain' | 'set' | 'map' | 'counter'; name: string; at: Place } & InTable)
>

export type Command = Readonly<
  {
    at: Place
    /** What nft would find senseless in it, or the kernel, without a look at what there is. */
    wrong?: NftError | null
  } & (
    | {
        tag: 'add-table'
        create: boolean
        family: Family
        name: string
        nameAt: Place
        dormant: boolean | null
        comment: string | null
      }
    | { tag: 'delete-table'; family: Family; table: Reference; destroy: boolean }
    | { tag: 'flush-table'; family: Family; table: Reference }
    | ({
        tag: 'add-chain'
        create: boolean
        name: string
        nameAt: Place
        base: Base | null
        policy: Policy | null
        policyAt: Place
        comment: string | null
      } & InTable)
    | ({ tag: 'delete-chain'; chain: Reference; destroy: boolean } & InTable)
    | ({ tag: 'flush-chain'; chain: Reference } & InTable)
    | ({ tag: 'rename-chain'; chain: Reference; to: string } & InTable)
    | ({ tag: 'add-rule'; chain: Reference; insert: boolean; position: Position; body: RuleBody } & InTable)
    | ({ tag: 'replace-rule'; chain: Reference; handle: number; handleAt: Place; body: RuleBody } & InTable)
    | ({ tag: 'delete-rule'; chain: Reference; handle: number; handleAt: Place; destroy: boolean } & InTable)
    | ({ tag: 'add-set'; create: boolean; name: string; nameAt: Place; spec: SetSpec } & InTable)
    | ({ tag: 'delete-set'; set: Reference; isMap: boolean; destroy: boolean } & InTable)
    | ({ tag: 'flush-set'; set: Reference; isMap: boolean } & InTable)
    | ({
        tag: 'add-elements'
        create: boolean
        set: Reference
        elements: ReadonlyArray<RawElement>
      } & InTable)
    | ({ tag: 'delete-elements'; set: Reference; destroy: boolean; elements: ReadonlyArray<RawElement> } & InTable)
    | ({
        tag: 'add-counter'
        create: boolean
        name: string
        nameAt: Place
        packets: number
        bytes: number
        comment: string | null
      } & InTable)
    | ({ tag: 'delete-counter'; counter: Reference; destroy: boolean } & InTable)
    | { tag: 'flush-ruleset'; family: Family | null }
    | { tag: 'list'; listed: Listed }
    | { tag: 'reset-counters'; family: Family | null; table: string | null; counter: string | null; nameAt: Place }
  )
>

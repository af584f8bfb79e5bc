// What all changes share: finding what a command names, putting back what was changed, and the two ways to say no.

import type { Errno } from '../../../kernel/errno.ts'
import { getIn, setIn } from '../../../net/pmap.ts'
import { E, type Either } from '../../../prelude.ts'
import type { InTable, Reference } from '../command.ts'
import type { Host } from '../datatype.ts'
import { kernelError, meaningError, type NftError, type Place } from '../error.ts'
import { type Chain, findTable, type NamedSet, type Ruleset, type Table, withTable } from '../ruleset.ts'

/** What changes depend on besides the ruleset. */
export type Environment = Readonly<{ host: Host; nowMs: number }>
export type Changed = Either<NftError, Ruleset>

/** The kernel says no. */
export const refusal = (errno: Errno, at: Place): Either<NftError, never> => E.left(kernelError(errno, at))
export const ABSENT = 'No such file or directory'
/** nft knows already that there is no such thing. */
export const absent = (at: Place): Either<NftError, never> => E.left(meaningError(ABSENT, at))

export const tableIn = (ruleset: Ruleset, { family, table }: InTable): Table | null => findTable(ruleset, family, table)

const byHandle = <A extends Readonly<{ handle: number }>>(items: Iterable<A>, handle: number): A | null => {
  for (const item of items) if (item.handle === handle) return item
  return null
}

const named = <A extends Readonly<{ name: string; handle: number }>>(
  all: () => Iterable<A>,
  get: (name: string) => A | undefined,
  { name, handle }: Reference,
): A | null => (handle === null ? (get(name) ?? null) : byHandle(all(), handle))

export const chainNamed = (table: Table, name: string): Chain | null => getIn(table.chains, name) ?? null
export const setNamed = (table: Table, name: string): NamedSet | null => getIn(table.sets, name) ?? null
export { named }

export const withChain = (ruleset: Ruleset, table: Table, chain: Chain): Ruleset =>
  withTable(ruleset, { ...table, chains: setIn(table.chains, chain.name, chain) })
export const withSet = (ruleset: Ruleset, table: Table, set: NamedSet): Ruleset =>
  withTable(ruleset, { ...table, sets: setIn(table.sets, set.name, set) })

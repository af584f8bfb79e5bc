// What expressions give for a packet. Null means that the rule does not match: a header that is not there, a map without the
// key (NFT_BREAK).
// Sources: net/netfilter/nft_payload.c, nft_meta.c, nft_fib.c, nft_bitwise.c, nft_lookup.c, nft_numgen.c, nft_hash.c.

import { getIn, setIn } from '../../net/pmap.ts'
import type { Datum, Type } from './datatype.ts'
import type { Data, Expression, SetSource } from './expression.ts'
import { typesOf } from './field.ts'
import { jhash, scale } from './jhash.ts'
import { findElement, findWritten } from './lookup.ts'
import { type NamedSet, type Ruleset, type Table, tableKey } from './ruleset.ts'
import type { Effect, Field, Sight } from './sight.ts'

/** The working memory of one packet at one hook; the only thing here that changes in place. */
export type Run = {
  ruleset: Ruleset
  readonly sight: Sight
  readonly effects: Effect[]
  /** Marks and fields that rules have set, by the field's name: later rules see them. */
  readonly overrides: Map<string, Datum>
}

/** Where an expression stands: its table, and the key of the state that its statement has. */
export type Spot = Readonly<{ table: Table; state: string }>

export const fieldName = (field: Field): string => {
  switch (field.tag) {
    case 'payload':
      return `${field.protocol} ${field.field}`
    case 'meta':
      return `meta ${field.key}`
    case 'ct':
      return `ct ${field.direction ?? ''} ${field.key}`
    case 'fib':
      return `fib ${field.of.join(' ')} ${field.result}`
  }
}

const fieldOf = ({ sight, overrides }: Run, field: Field): Datum | null => {
  const set = overrides.size === 0 ? undefined : overrides.get(fieldName(field))
  if (set !== undefined) return set
  const value = sight.field(field)
  if (field.tag !== 'fib' || field.result === 'type') return value
  if (field.present) return value === null || value === 0 ? 0 : 1
  return value ?? (field.result === 'oif' ? 0 : '')
}

const inc = (run: Run, { state }: Spot, mod: number): number => {
  const held = getIn(run.ruleset.state, state)
  const now = held?.tag === 'numgen' ? held.next % mod : 0
  const next = { tag: 'numgen', next: (now + 1) % mod } as const
  run.ruleset = { ...run.ruleset, state: setIn(run.ruleset.state, state, next) }
  return now
}

const BYTE = 8
/** In the kernel's registers headers are in network order, numbers of its own in host order (here little-endian). */
const bytesOf = (value: Datum, { name, bits }: Type, ofHeader: boolean): ReadonlyArray<number> => {
  const length = Math.ceil(bits / BYTE)
  if (typeof value === 'string') return Array.from({ length }, (_, i) => (i < value.length ? value.charCodeAt(i) : 0))
  const big = BigInt(value)
  const bytes = Array.from({ length }, (_, i) => Number((big >> BigInt((length - 1 - i) * BYTE)) & 0xffn))
  return ofHeader || name === 'ether_type' ? bytes : bytes.reverse()
}

const REGISTER = 4
const padded = (bytes: ReadonlyArray<number>): ReadonlyArray<number> => [
  ...bytes,
  ...Array.from({ length: (REGISTER - (bytes.length % REGISTER)) % REGISTER }, () => 0),
]

const hashOf = (run: Run, spot: Spot, of: Expression, seed: number): number | null => {
  const parts = of.tag === 'concat' ? of.parts : [of]
  const bytes: number[] = []
  for (const part of parts) {
    const value = valueFor(run, spot, part)
    const type = typesOf(part)?.[0]
    if (value === null || type === undefined) return null
    const own = bytesOf(value, type, part.tag === 'payload' || part.tag === 'ct')
    bytes.push(...(parts.length > 1 ? padded(own) : own))
  }
  return jhash(bytes, seed)
}

const bitwise = (op: '&' | '|' | '^', value: Datum, mask: Datum): Datum => {
  if (typeof value === 'number' && typeof mask === 'number') {
    const result = op === '&' ? value & mask : op === '|' ? value | mask : value ^ mask
    return result >>> 0
  }
  if (typeof value === 'string' || typeof mask === 'string') return value
  const [a, b] = [BigInt(value), BigInt(mask)]
  return op === '&' ? a & b : op === '|' ? a | b : a ^ b
}

/** The set as it is now: this packet may have changed it already. */
export const setNow = ({ ruleset }: Run, table: Table, name: string): NamedSet | null => {
  const now = getIn(ruleset.tables, tableKey(table.family, table.name))
  return (now === undefined ? undefined : getIn(now.sets, name)) ?? null
}

/** The data that a map has for these values. */
export const lookUp = (run: Run, { table }: Spot, map: SetSource, values: ReadonlyArray<Datum>): Data | null => {
  if (map.tag === 'anonymous') return findWritten(map, values)?.data ?? null
  const set = setNow(run, table, map.name)
  return set === null ? null : (findElement(set, values, run.sight.nowMs)?.data ?? null)
}

/** One value; of a concatenation the first part. */
export const valueFor = (run: Run, spot: Spot, expression: Expression): Datum | null => {
  switch (expression.tag) {
    case 'payload':
    case 'meta':
    case 'ct':
    case 'fib':
      return fieldOf(run, expression)
    case 'value':
      return expression.value
    case 'numgen': {
      const { mode, mod, offset } = expression
      return offset + (mode === 'inc' ? inc(run, spot, mod) : run.sight.random(mod))
    }
    case 'symhash':
      return expression.offset + scale(run.sight.flowHash(), expression.mod)
    case 'jhash': {
      const hash = hashOf(run, spot, expression.of, expression.seed ?? 0)
      return hash === null ? null : expression.offset + scale(hash, expression.mod)
    }
    case 'bits': {
      const left = valueFor(run, spot, expression.left)
      return left === null ? null : bitwise(expression.op, left, expression.mask)
    }
    case 'concat':
    case 'map':
      return valuesFor(run, spot, expression)?.[0] ?? null
  }
}

/** All the values: of a concatenation, or those that a map gives, of which a range counts as its first. */
export const valuesFor = (run: Run, spot: Spot, expression: Expression): ReadonlyArray<Datum> | null => {
  if (expression.tag === 'concat') {
    const values: Datum[] = []
    for (const part of expression.parts) {
      const value = valueFor(run, spot, part)
      if (value === null) return null
      values.push(value)
    }
    return values
  }
  if (expression.tag === 'map') {
    const key = valuesFor(run, spot, expression.key)
    const data = key === null ? null : lookUp(run, spot, expression.map, key)
    return data?.tag === 'values' ? data.values.map(({ from }) => from) : null
  }
  const value = valueFor(run, spot, expression)
  return value === null ? null : [value]
}

// Expressions as functions of a packet, made once for each rule. Null means that the rule does not match: a header that is not
// there, a map without the key (NFT_BREAK).
// Sources: net/netfilter/nft_payload.c, nft_meta.c, nft_fib.c, nft_bitwise.c, nft_lookup.c, nft_numgen.c, nft_hash.c.

import { getIn, type PMap } from '../../net/pmap.ts'
import { jhash, scale } from '../jhash.ts'
import type { Datum, Type } from './datatype.ts'
import type { Data, Expression, SetSource } from './expression.ts'
import { typesOf } from './field.ts'
import { findElement, firstAlive, memoryOf, type Remembered, writtenIndex } from './lookup.ts'
import type { Element, NamedSet } from './ruleset.ts'
import { fieldName, type Run, type Spot, stateNow } from './run.ts'
import type { Field } from './sight.ts'

export type Getter = (run: Run) => Datum | null

const plainField = (field: Field): Getter => {
  const name = fieldName(field)
  return ({ sight, overrides }) => {
    const set = overrides === null ? undefined : overrides.get(name)
    return set === undefined ? sight.field(field) : set
  }
}

const fieldGetter = (field: Field): Getter => {
  const value = plainField(field)
  if (field.tag !== 'fib' || field.result === 'type') return value
  if (field.present)
    return (run) => {
      const found = value(run)
      return found === null || found === 0 ? 0 : 1
    }
  const none = field.result === 'oif' ? 0 : ''
  return (run) => value(run) ?? none
}

const inc = (run: Run, { state }: Spot, mod: number): number => {
  const held = stateNow(run, state)
  const now = held?.tag === 'numgen' ? held.next % mod : 0
  run.cells.set(state, { tag: 'numgen', next: (now + 1) % mod })
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

const partsOf = (expression: Expression): ReadonlyArray<Expression> =>
  expression.tag === 'concat' ? expression.parts : [expression]

const hashGetter = (of: Expression, seed: number, spot: Spot): Getter => {
  const parts = partsOf(of).map((part) => ({
    value: getterOf(part, spot),
    type: typesOf(part)?.[0],
    ofHeader: part.tag === 'payload' || part.tag === 'ct',
  }))
  return (run) => {
    const bytes: number[] = []
    for (const { value, type, ofHeader } of parts) {
      const now = value(run)
      if (now === null || type === undefined) return null
      const own = bytesOf(now, type, ofHeader)
      bytes.push(...(parts.length > 1 ? padded(own) : own))
    }
    return jhash(bytes, seed)
  }
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

/** One value; of a concatenation, or of what a map gives, the first part. */
export const getterOf = (expression: Expression, spot: Spot): Getter => {
  switch (expression.tag) {
    case 'payload':
    case 'meta':
    case 'ct':
    case 'fib':
      return fieldGetter(expression)
    case 'value': {
      const { value } = expression
      return () => value
    }
    case 'numgen': {
      const { mode, mod, offset } = expression
      return mode === 'inc' ? (run) => offset + inc(run, spot, mod) : ({ sight }) => offset + sight.random(mod)
    }
    case 'symhash': {
      const { mod, offset } = expression
      return ({ sight }) => offset + scale(sight.flowHash(), mod)
    }
    case 'jhash': {
      const { of, mod, seed, offset } = expression
      const hash = hashGetter(of, seed ?? 0, spot)
      return (run) => {
        const now = hash(run)
        // Cast: hashes are numbers.
        return now === null ? null : offset + scale(now as number, mod)
      }
    }
    case 'bits': {
      const { op, mask } = expression
      const left = getterOf(expression.left, spot)
      return (run) => {
        const now = left(run)
        return now === null ? null : bitwise(op, now, mask)
      }
    }
    case 'concat':
    case 'map': {
      const all = valuesOf(expression, spot)
      return (run) => all(run)?.[0] ?? null
    }
  }
}

/** All the values: of a concatenation, or those that a map gives, of which a range counts as its first. */
export const valuesOf = (expression: Expression, spot: Spot): ((run: Run) => ReadonlyArray<Datum> | null) => {
  if (expression.tag === 'map') {
    const data = dataFinder(expression.key, expression.map, spot)
    return (run) => {
      const found = data(run)
      return found?.tag === 'values' ? found.values.map(({ from }) => from) : null
    }
  }
  const getters = partsOf(expression).map((part) => getterOf(part, spot))
  return (run) => {
    const values: Datum[] = []
    for (const getter of getters) {
      const value = getter(run)
      if (value === null) return null
      values.push(value)
    }
    return values
  }
}

/** What a look into a set found: an element or none; undefined: there was nothing to look for, so the rule does not match. */
type Found<E> = E | null | undefined

/** The set of a name as it is now: packets may have changed it already. */
export const setFinder = (name: string): ((run: Run) => NamedSet | null) => {
  let sets: PMap<NamedSet> | null = null
  let set: NamedSet | null = null
  return ({ table }) => {
    if (table.sets !== sets) {
      sets = table.sets
      set = getIn(sets, name) ?? null
    }
    return set
  }
}

/** Whether asking twice gives the same: not so of what counts on with each packet. */
const isSteady = (expression: Expression): boolean => {
  switch (expression.tag) {
    case 'numgen':
      return false
    case 'bits':
      return isSteady(expression.left)
    case 'concat':
      return expression.parts.every(isSteady)
    case 'map':
      return isSteady(expression.key)
    case 'jhash':
      return isSteady(expression.of)
    default:
      return true
  }
}

/** Of a named set. What was looked for before costs no memory. */
export const namedFinder = (key: Expression, name: string, spot: Spot): ((run: Run) => Found<Element>) => {
  const setNow = setFinder(name)
  const values = valuesOf(key, spot)
  const getters = isSteady(key) && key.tag !== 'map' ? partsOf(key).map((part) => getterOf(part, spot)) : []
  let set: NamedSet | null = null
  let memory = EMPTY_MEMORY
  return (run) => {
    const now = setNow(run)
    if (now === null) return null
    if (now !== set) {
      set = now
      memory = memoryOf(now)
    }
    let at: Remembered | undefined = memory.root
    for (let i = 0; i < getters.length; i++) {
      // Cast: i < length.
      const value = (getters[i] as Getter)(run)
      if (value === null) return undefined
      if (at instanceof Map) at = at.get(value)
    }
    if (at !== undefined && !(at instanceof Map)) return firstAlive(at, run.sight.nowMs)
    const all = values(run)
    return all === null ? undefined : findElement(now, all, run.sight.nowMs)
  }
}
const EMPTY_MEMORY: ReturnType<typeof memoryOf> = { root: new Map(), size: 0 }

type Item = Readonly<{ data: Data | null }>

/** The element of a set, named or written, that the key of a packet lies in. */
export const elementFinder = (key: Expression, source: SetSource, spot: Spot): ((run: Run) => Found<Item>) => {
  if (source.tag === 'named') return namedFinder(key, source.name, spot)
  const { level } = writtenIndex(source)
  const getters = partsOf(key).map((part) => getterOf(part, spot))
  return (run) => {
    let at = level
    for (const getter of getters) {
      const value = getter(run)
      if (value === null) return undefined
      if (typeof at === 'function') at = at(value)
    }
    return typeof at === 'function' ? null : (at[0] ?? null)
  }
}

/** The data that a map has for the key of a packet. */
export const dataFinder = (key: Expression, map: SetSource, spot: Spot): ((run: Run) => Data | null) => {
  const find = elementFinder(key, map, spot)
  return (run) => find(run)?.data ?? null
}

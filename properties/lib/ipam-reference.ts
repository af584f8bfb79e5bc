// The reference for the `default` allocator: sets of addresses by subnet, searched one by one. It knows nothing of tries,
// masks or text: a prefix is a first address and a length, an answer is what the protocol would say.

import { type Family, type Ip, ipOf, showIp } from '../../src/net/ip.ts'

/** Host bits may be set. */
export type Block = Readonly<{ family: Family; first: bigint; bits: number }>
export type PoolName = Readonly<{ space: string; subnet: Block; range: Block | null }>
export type Address = Readonly<{ family: Family; n: bigint }>

/** A request before it is written as JSON; `nonsense` is JSON already, with the tag of the refusal it deserves. */
export type Ask =
  | Readonly<{ ask: 'pool'; pool: PoolName }>
  | Readonly<{ ask: 'anyPool'; space: string; family: Family; size: number | null }>
  | Readonly<{ ask: 'returnPool'; pool: PoolName }>
  | Readonly<{ ask: 'address'; pool: PoolName; preferred: Address | null; serial: boolean }>
  | Readonly<{ ask: 'returnAddress'; pool: PoolName; address: Address }>
  | Readonly<{ ask: 'nonsense'; json: unknown; tag: string }>

/** A refusal's tag, or what the answer says: a pool and its id, an address, or whether anything changed. */
export type Outcome = string

type Span = readonly [first: bigint, last: bigint]
type Sub = Readonly<{ space: string; block: Block; ranges: Map<string, Block> }> & {
  readonly used: Set<bigint>
  whole: boolean
  cursor: bigint
}
export type Start = Readonly<{
  defaults: Readonly<Record<string, ReadonlyArray<Readonly<{ base: Block; size: number }>>>>
  host: ReadonlyArray<Block>
}>
export type Reference = Start & Readonly<{ subs: Map<string, Sub> }>

const width = (family: Family): number => (family === 4 ? 32 : 128)
export const spanOf = ({ family, first, bits }: Block): Span => {
  const size = 1n << BigInt(width(family) - bits)
  return [first - (first % size), first - (first % size) + size - 1n]
}
const meet = (a: Block, b: Block): boolean =>
  a.family === b.family && spanOf(a)[0] <= spanOf(b)[1] && spanOf(b)[0] <= spanOf(a)[1]

// Texts of addresses are kept, for programs ask about the same ones again and again.
const texts = new Map<Ip, string>()
export const addressText = ({ family, n }: Address): string => {
  const ip = ipOf(family, n)
  const text = texts.get(ip) ?? showIp(ip)
  texts.set(ip, text)
  return text
}
export const blockText = ({ family, first, bits }: Block): string => `${addressText({ family, n: first })}/${bits}`
export const subnetId = ({ space, subnet }: PoolName): string => `${space}/${blockText(subnet)}`
export const poolText = (pool: PoolName): string =>
  pool.range === null ? subnetId(pool) : `${subnetId(pool)}/${blockText(pool.range)}`

const block = (family: Family, first: bigint, bits: number): Block => ({ family, first, bits })
const NOT_FOR_HOSTS: ReadonlyArray<Block> = [
  block(4, 0n, 8),
  block(4, 127n << 24n, 8),
  block(4, 224n << 24n, 3),
  block(6, 0n, 8),
  block(6, 0xfe80n << 112n, 10),
  block(6, 0xff00n << 112n, 8),
]

export const reservedIn = (subnet: Block): ReadonlyArray<bigint> => {
  const [first, last] = spanOf(subnet)
  if (subnet.family === 4) return subnet.bits < 31 ? [first, last] : []
  return subnet.bits < 128 ? [first] : []
}

const poolTag = ({ subs }: Reference, { space, subnet, range }: PoolName): string | null => {
  if (space !== 'LocalDefault' && space !== 'GlobalDefault') return 'InvalidAddressSpace'
  if (spanOf(subnet)[0] !== subnet.first) return 'InvalidPool'
  if (NOT_FOR_HOSTS.some((each) => meet(each, subnet))) return 'InvalidPool'
  if (range !== null && (spanOf(range)[0] !== range.first || !meet(range, subnet))) return 'InvalidSubPool'
  const others = [...subs.values()].filter((sub) => sub.space === space && meet(sub.block, subnet))
  const same = others.find((sub) => sub.block.bits === subnet.bits)
  if (same === undefined || range === null || range.bits <= subnet.bits) return others.length > 0 ? 'PoolOverlap' : null
  return [...same.ranges.values()].some((other) => meet(other, range)) ? 'PoolOverlap' : null
}

const givePool = (reference: Reference, asked: PoolName): Outcome => {
  const tag = poolTag(reference, asked)
  if (tag !== null) return tag
  const { space, subnet } = asked
  const range = asked.range !== null && asked.range.bits > subnet.bits ? asked.range : null
  const pool = { space, subnet, range }
  const fresh: Sub = { space, block: subnet, whole: false, ranges: new Map(), used: new Set(), cursor: subnet.first }
  const sub = reference.subs.get(subnetId(pool)) ?? fresh
  reference.subs.set(subnetId(pool), sub)
  if (range === null) sub.whole = true
  else sub.ranges.set(poolText(pool), range)
  return `pool ${poolText(pool)} ${blockText(subnet)}`
}

type AnyPool = Extract<Ask, { ask: 'anyPool' }>

/** The first gap begins where a default pool does, or behind something that is in the way. */
const giveAnyPool = (reference: Reference, { space, family, size }: AnyPool): Outcome => {
  const defaults = reference.defaults[space]
  if (defaults === undefined) return 'InvalidAddressSpace'
  const pools = defaults.filter(({ base }) => base.family === family && (size === null || base.bits <= size))
  if (size !== null && pools.length === 0) return 'InvalidPool'
  const inUse = [...reference.subs.values()].filter((sub) => sub.space === space).map((sub) => sub.block)
  const inTheWay = [...inUse, ...(space === 'LocalDefault' ? reference.host : [])].filter((b) => b.family === family)
  for (const { base, size: usual } of pools) {
    const bits = size ?? usual
    const length = 1n << BigInt(width(family) - bits)
    const [first, last] = spanOf(base)
    const free = [first, ...inTheWay.map((b) => ((spanOf(b)[1] + length) / length) * length)]
      .filter((n) => n >= first && n + length - 1n <= last)
      .filter((n) => !inTheWay.some((b) => meet(b, block(family, n, bits))))
      .sort((a, b) => (a < b ? -1 : 1))[0]
    if (free !== undefined) return givePool(reference, { space, subnet: block(family, free, bits), range: null })
  }
  return 'NoMoreSubnets'
}

/** The subnet and the range of a pool in use. */
export const findPool = ({ subs }: Reference, pool: PoolName): readonly [Sub, Block] | null => {
  const sub = subs.get(subnetId(pool))
  const range = pool.range === null ? (sub?.whole ? sub.block : undefined) : sub?.ranges.get(poolText(pool))
  return sub === undefined || range === undefined ? null : [sub, range]
}

const returnPool = (reference: Reference, pool: PoolName): Outcome => {
  const found = findPool(reference, pool)
  if (found === null) return 'BadPool'
  const [sub] = found
  if (pool.range === null) sub.whole = false
  else sub.ranges.delete(poolText(pool))
  if (!sub.whole && sub.ranges.size === 0) reference.subs.delete(subnetId(pool))
  return 'done'
}

const isTaken = ({ used, block: subnet }: Sub, n: bigint): boolean => used.has(n) || reservedIn(subnet).includes(n)
const isOutside = ({ block: subnet }: Sub, { family, n }: Address): boolean =>
  family !== subnet.family || n < spanOf(subnet)[0] || n > spanOf(subnet)[1]

type AddressAsk = Extract<Ask, { ask: 'address' }>

const giveAddress = (reference: Reference, { pool, preferred, serial }: AddressAsk): Outcome => {
  const found = findPool(reference, pool)
  if (found === null) return 'PoolNotFound'
  const [sub, range] = found
  const give = (n: bigint): Outcome => {
    sub.used.add(n)
    return `address ${addressText({ family: sub.block.family, n })}/${sub.block.bits}`
  }
  if (preferred !== null) {
    if (isOutside(sub, preferred)) return 'IPOutOfRange'
    return isTaken(sub, preferred.n) ? 'IPAlreadyAllocated' : give(preferred.n)
  }
  const [first, last] = spanOf(range)
  const start = serial && sub.cursor >= first && sub.cursor <= last ? sub.cursor : first
  const give1 = (n: bigint): Outcome => {
    sub.cursor = n + 1n
    return give(n)
  }
  for (let n = start; n <= last; n++) if (!isTaken(sub, n)) return give1(n)
  for (let n = first; n < start; n++) if (!isTaken(sub, n)) return give1(n)
  return 'NoAvailableIPs'
}

const returnAddress = (reference: Reference, pool: PoolName, address: Address): Outcome => {
  const found = findPool(reference, pool)
  if (found === null) return 'PoolNotFound'
  if (isOutside(found[0], address)) return 'IPOutOfRange'
  return found[0].used.delete(address.n) ? 'done' : 'as before'
}

/** What the request deserves; the reference is as after it. */
export const deserved = (reference: Reference, ask: Ask): Outcome => {
  switch (ask.ask) {
    case 'pool':
      return givePool(reference, ask.pool)
    case 'anyPool':
      return giveAnyPool(reference, ask)
    case 'returnPool':
      return returnPool(reference, ask.pool)
    case 'address':
      return giveAddress(reference, ask)
    case 'returnAddress':
      return returnAddress(reference, ask.pool, ask.address)
    case 'nonsense':
      return ask.tag
  }
}

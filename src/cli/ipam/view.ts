// What there is to see of a pool: how many of its addresses are given, reserved and free, and where they lie. Invariant:
// the three add up to its size, and its stretches, one behind the other, are all of it. Counting looks at no single
// address or run, so a pool costs the same however much of it is used.

import { type AddressSet, nextFree, nextTaken, type Place, release, setRange } from '../../ipam/address-set.ts'
import { poolOf, wholeId } from '../../ipam/pool-id.ts'
import { type Counts, countsBetween, countsOf, reservedBetween } from '../../ipam/status.ts'
import { freeIn, ipAt, isReserved, isTaken, placeOf } from '../../ipam/subnet.ts'
import type { Ipam, PoolId, Subnet } from '../../ipam/types.ts'
import { type Cidr, cidrFamily, firstOf, lastOf, sizeOf } from '../../net/cidr.ts'
import { type Ip, ipOf, numberOf } from '../../net/ip.ts'
import { getIn, valuesOf } from '../../net/pmap.ts'

/** A range of a subnet, and what is in it. `next`: the lowest free address. */
export type Part = Readonly<{ id: PoolId; range: Cidr; counts: Counts; next: Ip | null }>

/** `requested`: somebody holds this pool; false for a subnet of which only sub-pools are held. */
export type PoolView = Part & Readonly<{ of: Subnet; requested: boolean; subPools: ReadonlyArray<Part> }>

/** Addresses of one range that are alike. */
export type Stretch = Readonly<{ state: 'used' | 'reserved' | 'free'; first: Ip; last: Ip; count: bigint }>

/** The set with nothing taken before `first` and behind `last`, two addresses of its subnet. */
const between = (set: AddressSet, subnet: Cidr, first: Ip, last: Ip): AddressSet => {
  const [low, high] = [firstOf(subnet), lastOf(subnet)]
  const free = (from: bigint, to: bigint): ((each: AddressSet) => AddressSet) => {
    const place = (n: bigint): Place => placeOf(subnet, ipOf(cidrFamily(subnet), n))
    return (each) => setRange(each, place(from), place(to), false)
  }
  const tail = low === first ? set : free(numberOf(low), numberOf(first) - 1n)(set)
  return last === high ? tail : free(numberOf(last) + 1n, numberOf(high))(tail)
}

const partOf = (subnet: Subnet, range: Cidr): Part => {
  const next = freeIn(subnet, range, false)
  return {
    id: poolOf(subnet.space, subnet.cidr, range).id,
    range,
    counts: countsOf(subnet, range),
    next: next === null ? null : ipAt(subnet.cidr, next),
  }
}

const viewOf = (subnet: Subnet): PoolView => ({
  ...partOf(subnet, subnet.cidr),
  of: subnet,
  requested: subnet.whole,
  subPools: valuesOf(subnet.ranges).map((range) => partOf(subnet, range)),
})

/** All subnets in use, in the order of their ids. */
export const viewsOf = ({ subnets }: Ipam): ReadonlyArray<PoolView> => valuesOf(subnets).map(viewOf)

/** The subnet or the sub-pool of this id; null if it is not in use. */
export const viewNamed = ({ subnets }: Ipam, id: string): PoolView | null => {
  const key = wholeId(id)
  const subnet = getIn(subnets, key)
  if (subnet === undefined) return null
  if (id === key) return viewOf(subnet)
  const range = getIn(subnet.ranges, id)
  return range === undefined ? null : { ...partOf(subnet, range), of: subnet, requested: true, subPools: [] }
}

/** How many stretches there are, without going through them. */
export const countStretches = ({ of, range }: PoolView): number => {
  const [first, last] = [firstOf(range), lastOf(range)]
  const taken = between(of.used, of.cidr, first, last)
  const reserved = reservedBetween(of.cidr, first, last)
  const used = reserved.reduce((set, ip) => release(set, placeOf(of.cidr, ip)), taken)
  const gaps = taken.runs + 1 - (isTaken(of, first) ? 1 : 0) - (isTaken(of, last) ? 1 : 0)
  return used.runs + reserved.length + gaps
}

/** The stretches of a pool, in order; none is longer than it must be. */
export function* stretchesOf({ of, range }: PoolView): Generator<Stretch> {
  const { cidr, used } = of
  const last = placeOf(cidr, lastOf(range))
  const before = (n: Place): Place => (typeof n === 'number' ? n - 1 : n - 1n)
  const after = (n: Place): Place => (typeof n === 'number' ? n + 1 : n + 1n)
  const stretch = (state: Stretch['state'], from: Place, to: Place): Stretch => ({
    state,
    first: ipAt(cidr, from),
    last: ipAt(cidr, to),
    count: BigInt(to) - BigInt(from) + 1n,
  })
  let from: Place = placeOf(cidr, firstOf(range))
  while (from <= last) {
    const taken = nextTaken(used, from)
    const start = taken === null || taken > last ? after(last) : taken
    if (start > from) yield stretch('free', from, before(start))
    if (start > last) return
    const gap = nextFree(used, start)
    const end = gap === null || gap > last ? last : before(gap)
    const low = isReserved(cidr, ipAt(cidr, start))
    const high = end !== start && isReserved(cidr, ipAt(cidr, end))
    const [a, b] = [low ? after(start) : start, high ? before(end) : end]
    if (low) yield stretch('reserved', start, start)
    if (a <= b) yield stretch('used', a, b)
    if (high) yield stretch('reserved', end, end)
    from = after(end)
  }
}

/** The pool in `cells` equal shares; of one that has fewer addresses, each address several times. A power of two. */
export const cellsOf = ({ of, range }: PoolView, cells: number): ReadonlyArray<Counts> => {
  const low = numberOf(firstOf(range))
  const size = sizeOf(range)
  const share = size < BigInt(cells) ? 1n : size / BigInt(cells)
  const family = cidrFamily(range)
  return Array.from({ length: cells }, (_, cell) => {
    const from = low + (BigInt(cell) * size) / BigInt(cells)
    return countsBetween(of, ipOf(family, from), ipOf(family, from + share - 1n))
  })
}

// What is always true of an allocator's state, and that it holds what the reference holds.

import { isDeepStrictEqual } from 'node:util'
import { ofRuns, type Place, runsOf } from '../../src/ipam/address-set.ts'
import type { AddressSpace, Ipam, Subnet } from '../../src/ipam/types.ts'
import { type Cidr, covers, overlaps, showCidr } from '../../src/net/cidr.ts'
import { entriesOf, valuesOf } from '../../src/net/pmap.ts'
import { type Block, blockText, type Reference, reservedIn, spanOf } from './ipam-reference.ts'
import { formFault } from './ipam-set.ts'

const pairs = <T>(items: ReadonlyArray<T>): ReadonlyArray<readonly [T, T]> =>
  items.flatMap((a, i) => items.slice(i + 1).map((b) => [a, b] as const))

const blockOf = ({ ip, bits }: Cidr): Block => ({ family: typeof ip === 'number' ? 4 : 6, first: BigInt(ip), bits })

const merged = (spans: ReadonlyArray<readonly [bigint, bigint]>): ReadonlyArray<bigint> => {
  const ends: bigint[] = []
  for (const [first, last] of [...spans].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (ends.at(-1) === first - 1n) ends[ends.length - 1] = last
    else ends.push(first, last)
  return ends
}

/** A subnet and its pools in themselves. */
const subnetFault = (key: string, { space, cidr, used, cursor, whole, ranges }: Subnet): string | null => {
  const parts = valuesOf(ranges)
  const size = spanOf(blockOf(cidr))[1] - spanOf(blockOf(cidr))[0] + 1n
  if (key !== `${space}/${showCidr(cidr)}`) return `${key} holds ${showCidr(cidr)} of ${space}`
  if (!whole && parts.length === 0) return `no pool is on ${key}`
  if (parts.some((part) => !covers(cidr, part) || part.bits === cidr.bits)) return `a sub-pool sticks out of ${key}`
  if (pairs(parts).some(([a, b]) => overlaps(a, b))) return `two sub-pools of ${key} overlap`
  if (cursor < 0 || cursor > size) return `the cursor of ${key} is at ${cursor}`
  return formFault(used)
}

const spaceFault = (ipam: Ipam, space: AddressSpace): string | null => {
  const all = valuesOf(ipam.subnets).filter((subnet) => subnet.space === space)
  const clash = pairs(all).find(([a, b]) => overlaps(a.cidr, b.cidr))
  if (clash !== undefined) return `${showCidr(clash[0].cidr)} overlaps ${showCidr(clash[1].cidr)} in ${space}`
  for (const family of [4, 6] as const) {
    const spans = all.map(({ cidr }) => blockOf(cidr)).filter((block) => block.family === family)
    const ends = merged(spans.map(spanOf)).map((n): Place => (family === 4 ? Number(n) : n))
    const taken = ipam.taken[space][family]
    if (!isDeepStrictEqual(taken, ofRuns(taken.bits, ends)))
      return `${runsOf(taken)} of IPv${family} are marked in ${space}, and not ${ends}`
  }
  return null
}

/** The addresses of a subnet, reserved ones included, are those of the reference. */
const usedFault = ({ cidr, used, cursor, whole, ranges }: Subnet, { subs }: Reference, key: string): string | null => {
  const block = blockOf(cidr)
  const sub = subs.get(key)
  if (sub === undefined) return `${key} is in use`
  if (whole !== sub.whole) return `${key} is ${whole ? '' : 'not '}a pool`
  if (
    !isDeepStrictEqual(
      [...entriesOf(ranges)].map(([id]) => id),
      [...sub.ranges.keys()].sort(),
    )
  )
    return `${key} has other sub-pools`
  if (BigInt(cursor) !== sub.cursor - block.first) return `the cursor of ${blockText(block)} is at ${cursor}`
  const all = [...new Set([...sub.used, ...reservedIn(block)])].map((n) => n - block.first)
  const ends = merged(all.map((n) => [n, n])).map((n): Place => (used.bits > 52 ? n : Number(n)))
  if (!isDeepStrictEqual(used, ofRuns(used.bits, ends))) return `${key} has ${runsOf(used)} in use and not ${ends}`
  return used.count === all.length ? null : `${key} counts ${used.count} and not ${all.length}`
}

/** The first thing that is wrong with a state, or null. */
export const stateFault = (ipam: Ipam, reference: Reference): string | null => {
  let count = 0
  for (const [key, subnet] of entriesOf(ipam.subnets)) {
    count += 1
    const fault = subnetFault(key, subnet) ?? usedFault(subnet, reference, key)
    if (fault !== null) return fault
  }
  if (count !== reference.subs.size) return `${count} subnets are in use and not ${reference.subs.size}`
  return spaceFault(ipam, 'LocalDefault') ?? spaceFault(ipam, 'GlobalDefault')
}

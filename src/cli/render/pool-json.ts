// A pool for programs, written piece by piece: a pool in use may have millions of stretches.

import type { Counts } from '../../ipam/status.ts'
import { showCidr } from '../../net/cidr.ts'
import { type Ip, showIp } from '../../net/ip.ts'
import { type Part, type PoolView, type Stretch, stretchesOf } from '../ipam/view.ts'
import { jsonText } from './json.ts'

/** A count as a number where numbers are exact, else in decimal digits. */
export type Count = number | string

/** `percentUsed`: of the addresses that can be given, to four places, rounded down; null if there are none. */
type PartJson = Readonly<{
  id: string
  range: string
  size: Count
  used: Count
  reserved: Count
  free: Count
  percentUsed: number | null
  next: string | null
}>
export type StretchJson = Readonly<{ state: Stretch['state']; first: string; last: string; count: Count }>
export type PoolJson = PartJson &
  Readonly<{
    space: string
    subnet: string
    requested: boolean
    subPools: ReadonlyArray<PartJson>
    ranges: ReadonlyArray<StretchJson>
  }>

const countJson = (n: bigint): Count => (n <= Number.MAX_SAFE_INTEGER ? Number(n) : n.toString())
const ipJson = (ip: Ip | null): string | null => (ip === null ? null : showIp(ip))
const percentJson = ({ size, used, reserved }: Counts): number | null =>
  size === reserved ? null : Number((used * 1_000_000n) / (size - reserved)) / 10_000

const partJson = ({ id, range, counts, next }: Part): PartJson => ({
  id,
  range: showCidr(range),
  size: countJson(counts.size),
  used: countJson(counts.used),
  reserved: countJson(counts.reserved),
  free: countJson(counts.free),
  percentUsed: percentJson(counts),
  next: ipJson(next),
})

const stretchJson = ({ state, first, last, count }: Stretch): StretchJson => {
  const text = showIp(first)
  return { state, first: text, last: first === last ? text : showIp(last), count: countJson(count) }
}

/** Stretches written at a time. */
const PAGE = 1_000
const INDENT = '    '

/** The pool as an item of a list, in pieces of some lines each. */
export function* poolJson(view: PoolView, comma: boolean): Generator<string> {
  const { of, requested, subPools } = view
  const fields: Omit<PoolJson, 'ranges'> = {
    ...partJson(view),
    space: of.space,
    subnet: showCidr(of.cidr),
    requested,
    subPools: subPools.map(partJson),
  }
  const text = jsonText(fields, INDENT)
  // The fields are several lines, for one of them is a list.
  yield `${INDENT}${text.slice(0, text.lastIndexOf('\n'))},\n${INDENT}  "ranges": [`
  let page: string[] = []
  for (const stretch of stretchesOf(view)) {
    if (page.length === PAGE) {
      yield `${page.join(',\n')},`
      page = []
    }
    page.push(`${INDENT}    ${JSON.stringify(stretchJson(stretch))}`)
  }
  yield `${page.join(',\n')}\n${INDENT}  ]\n${INDENT}}${comma ? ',' : ''}`
}

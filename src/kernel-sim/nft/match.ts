// Matches as functions of a packet: true where it goes on, false where the rule ends.
// Sources: net/netfilter/nft_cmp.c, nft_range.c, nft_bitwise.c, nft_lookup.c.

import { compareDatum, type Datum } from './datatype.ts'
import type { Expression, Operand, Operator, SetSource, Statement } from './expression.ts'
import { isWildcard, isWithin } from './level.ts'
import type { Run, Spot } from './run.ts'
import { isInSet } from './update.ts'
import { elementFinder, getterOf, namedFinder, setFinder } from './value.ts'

type Test = (value: Datum) => boolean

const inOrder = (op: Operator, value: Datum): Test => {
  switch (op) {
    case '==':
      return (now) => now === value
    case '!=':
      return (now) => now !== value
    case '<':
      return (now) => compareDatum(now, value) < 0
    case '>':
      return (now) => compareDatum(now, value) > 0
    case '<=':
      return (now) => compareDatum(now, value) <= 0
    case '>=':
      return (now) => compareDatum(now, value) >= 0
    case 'in':
      return (now) => (Number(now) & Number(value)) !== 0
    case '!':
      return (now) => (Number(now) & Number(value)) === 0
  }
}

const inPrefix = (value: Datum, bits: number): Test => {
  if (typeof value === 'bigint') {
    const shift = 128n - BigInt(bits)
    const wanted = value >> shift
    return (now) => BigInt(now) >> shift === wanted
  }
  const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0
  const wanted = (Number(value) & mask) >>> 0
  return (now) => (Number(now) & mask) >>> 0 === wanted
}

const testOf = (op: Operator, right: Exclude<Operand, SetSource>): Test => {
  if (right.tag === 'value' && !(isWildcard(right.value) && (op === '==' || op === '!=')))
    return inOrder(op, right.value)
  if (right.tag === 'both') return (now) => compareDatum(now, right.below) < 0 && compareDatum(now, right.above) > 0
  const is: Test =
    right.tag === 'prefix'
      ? inPrefix(right.value, right.bits)
      : right.tag === 'range'
        ? (now) => isWithin(right, now)
        : (now) => isWithin({ from: right.value, to: right.value }, now)
  return op === '==' ? is : (now) => !is(now)
}

const inSet = (left: Expression, wanted: boolean, set: SetSource, spot: Spot): ((run: Run) => boolean) => {
  if (set.tag === 'anonymous') {
    const find = elementFinder(left, set, spot)
    return (run) => {
      const found = find(run)
      return found !== undefined && (found !== null) === wanted
    }
  }
  const find = namedFinder(left, set.name, spot)
  const setNow = setFinder(set.name)
  return (run) => {
    const found = find(run)
    if (found === undefined) return false
    // An element with statements of its own has a say; a limit of it that is spent ends the rule, whatever it asks for.
    if (found !== null && found.statements.length > 0) {
      const now = setNow(run)
      if (now !== null && !isInSet(run, now, found)) return false
    }
    return (found !== null) === wanted
  }
}

export const matchOf = (left: Expression, op: Operator, right: Operand, spot: Spot): ((run: Run) => boolean) => {
  if (right.tag === 'named' || right.tag === 'anonymous') return inSet(left, op !== '!=', right, spot)
  const value = getterOf(left, spot)
  const test = testOf(op, right)
  return (run) => {
    const now = value(run)
    return now !== null && test(now)
  }
}

/** At least one of the fields is another. */
export const differOf = ({ of }: Statement & { tag: 'differ' }, spot: Spot): ((run: Run) => boolean) => {
  const fields = of.map(({ field, value }) => ({ now: getterOf(field, spot), value }))
  return (run) => {
    const values = fields.map(({ now }) => now(run))
    return !values.includes(null) && fields.some(({ value }, i) => values[i] !== value)
  }
}

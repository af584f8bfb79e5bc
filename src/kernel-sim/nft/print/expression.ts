// Expressions as nft lists them.
// Source: nftables src/expression.c, src/payload.c, src/meta.c, src/ct.c, src/fib.c, src/numgen.c, src/hash.c (1.0.6).

import {
  type Datum,
  flagWords,
  type Host,
  hasFlags,
  hasPrefixes,
  showBound,
  showDatum,
  type Type,
  typeNamed,
} from '../datatype.ts'
import type { AnonymousSet, Data, Expression, Interval, Operand, Operator, SetSource, Verdict } from '../expression.ts'
import { typesOf } from '../field.ts'

const INTEGER = typeNamed('integer')

/** The length of the prefix that an interval of addresses is; null if it is none. */
export const prefixLength = (type: Type, { from, to }: Interval): number | null => {
  if (!hasPrefixes(type) || typeof from === 'string' || typeof to === 'string') return null
  const size = BigInt(to) - BigInt(from) + 1n
  if ((size & (size - 1n)) !== 0n || BigInt(from) % size !== 0n) return null
  return type.bits - (size.toString(2).length - 1)
}

export const showInterval = (type: Type, interval: Interval, host: Host): string => {
  const { from, to } = interval
  if (from === to) return showDatum(type, from, host)
  const bits = prefixLength(type, interval)
  return bits === null
    ? `${showBound(type, from, host)}-${showBound(type, to, host)}`
    : `${showDatum(type, from, host)}/${bits}`
}

export const showKey = (types: ReadonlyArray<Type>, key: ReadonlyArray<Interval>, host: Host): string =>
  key.map((part, i) => showInterval(types[i] ?? INTEGER, part, host)).join(' . ')

export const showVerdict = (verdict: Verdict): string =>
  'chain' in verdict ? `${verdict.tag} ${verdict.chain}` : verdict.tag

export const showData = (types: ReadonlyArray<Type> | 'verdict' | null, data: Data, host: Host): string =>
  data.tag === 'verdict'
    ? showVerdict(data.verdict)
    : showKey(types === 'verdict' || types === null ? [] : types, data.values, host)

const showAnonymous = (set: AnonymousSet, host: Host): string => {
  const elements = set.elements.map(({ key, data }) => {
    const text = showKey(set.key, key, host)
    return data === null ? text : `${text} : ${showData(set.data, data, host)}`
  })
  return `{ ${elements.join(', ')} }`
}

export const showSource = (source: SetSource, host: Host): string =>
  source.tag === 'named' ? `@${source.name}` : showAnonymous(source, host)

/** A mask: flags with bars, addresses as such, numbers in the notation of their type. */
const showMask = (type: Type, mask: Datum, host: Host): string => {
  const words = flagWords(type, mask, host)
  if (words === null) return showDatum(type, mask, host)
  return words.length === 1 ? (words[0] ?? '') : `(${words.join(' | ')})`
}

const showOffset = (offset: number): string => (offset === 0 ? '' : ` offset ${offset}`)

export const showExpression = (expression: Expression, host: Host): string => {
  switch (expression.tag) {
    case 'payload':
      return `${expression.protocol} ${expression.field}`
    case 'meta':
      return ['iif', 'oif', 'iifname', 'oifname'].includes(expression.key) ? expression.key : `meta ${expression.key}`
    case 'ct': {
      const { direction, family, key } = expression
      return ['ct', direction, family, key].filter((word) => word !== null).join(' ')
    }
    case 'fib':
      return `fib ${expression.of.join(' . ')} ${expression.result}`
    case 'numgen':
      return `numgen ${expression.mode} mod ${expression.mod}${showOffset(expression.offset)}`
    case 'jhash': {
      const seed = expression.seed === null ? '' : ` seed 0x${expression.seed.toString(16)}`
      return `jhash ${showExpression(expression.of, host)} mod ${expression.mod}${seed}${showOffset(expression.offset)}`
    }
    case 'symhash':
      return `symhash mod ${expression.mod}${showOffset(expression.offset)}`
    case 'value':
      return showDatum(expression.type, expression.value, host)
    case 'concat':
      return expression.parts.map((part) => showExpression(part, host)).join(' . ')
    case 'bits': {
      const type = typesOf(expression.left)?.[0] ?? INTEGER
      return `${showExpression(expression.left, host)} ${expression.op} ${showMask(type, expression.mask, host)}`
    }
    case 'map':
      return `${showExpression(expression.key, host)} map ${showSource(expression.map, host)}`
  }
}

const showFlags = (type: Type, value: Datum, host: Host, between: string): string =>
  flagWords(type, value, host)?.join(between) ?? showDatum(type, value, host)

const showOperand = (type: Type, right: Operand, host: Host): string => {
  switch (right.tag) {
    case 'value':
      return showDatum(type, right.value, host)
    case 'range':
      return `${showBound(type, right.from, host)}-${showBound(type, right.to, host)}`
    case 'both':
      return `${showBound(type, right.below, host)}-${showBound(type, right.above, host)}`
    case 'prefix':
      return `${showDatum(type, right.value, host)}/${right.bits}`
    case 'named':
    case 'anonymous':
      return showSource(right, host)
  }
}

/** `flags value / mask` is how more than one flag under a mask is listed. */
const showUnderMask = (left: Expression, op: Operator, right: Operand, type: Type, host: Host): string | null => {
  if (left.tag !== 'bits' || left.op !== '&' || right.tag !== 'value' || !hasFlags(type)) return null
  const mask = flagWords(type, left.mask, host)
  if (mask === null || mask.length < 2) return null
  const sign = op === '!=' ? '!= ' : ''
  return `${showExpression(left.left, host)} ${sign}${showFlags(type, right.value, host, ',')} / ${mask.join(',')}`
}

export const showMatch = (left: Expression, op: Operator, right: Operand, host: Host): string => {
  const type = typesOf(left)?.[0] ?? INTEGER
  const under = showUnderMask(left, op, right, type, host)
  if (under !== null) return under
  const shown = showExpression(left, host)
  if ((op === 'in' || op === '!') && right.tag === 'value')
    return `${shown} ${op === '!' ? '! ' : ''}${showFlags(type, right.value, host, ',')}`
  const isFlag = right.tag === 'value' && (hasFlags(type) || left.tag === 'bits')
  if (
    op === '!=' &&
    right.tag === 'value' &&
    type.name === 'tcp_flag' &&
    (flagWords(type, right.value, host)?.length ?? 2) > 1
  )
    return `${shown} != 0x${right.value.toString(16)}`
  const sign = op === '==' ? (isFlag ? '== ' : '') : `${op} `
  return `${shown} ${sign}${showOperand(type, right, host)}`
}

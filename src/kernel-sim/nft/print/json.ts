// What `nft -j list` prints: rules, sets and the rest as data.
// Sources: libnftables-json(5); nftables src/json.c (1.0.6).

import { type Host, type Json, jsonDatum, jsonFlags, type Type, typeNamed } from '../datatype.ts'
import type {
  AnonymousSet,
  Data,
  ElementStatement,
  Expression,
  Interval,
  Limit,
  LogOptions,
  Operand,
  Operator,
  SetSource,
  Statement,
  Target,
  Translation,
  Verdict,
} from '../expression.ts'
import { typesOf } from '../field.ts'
import type { Family } from '../ruleset.ts'
import { prefixLength } from './expression.ts'
import { addressType, codeWord, countedAt, type StatementPlace } from './statement.ts'

const INTEGER = typeNamed('integer')

export const jsonInterval = (type: Type, interval: Interval, host: Host): Json => {
  const { from, to } = interval
  if (from === to) return jsonDatum(type, from, host)
  const bits = prefixLength(type, interval)
  return bits === null
    ? { range: [jsonDatum(type, from, host), jsonDatum(type, to, host)] }
    : { prefix: { addr: jsonDatum(type, from, host), len: bits } }
}

export const jsonKey = (types: ReadonlyArray<Type>, key: ReadonlyArray<Interval>, host: Host): Json => {
  const parts = key.map((part, i) => jsonInterval(types[i] ?? INTEGER, part, host))
  return parts.length === 1 ? (parts[0] ?? null) : { concat: parts }
}

const jsonVerdict = (verdict: Verdict): Json =>
  'chain' in verdict ? { [verdict.tag]: { target: verdict.chain } } : { [verdict.tag]: null }

export const jsonData = (types: ReadonlyArray<Type> | 'verdict' | null, data: Data, host: Host): Json =>
  data.tag === 'verdict'
    ? jsonVerdict(data.verdict)
    : jsonKey(types === 'verdict' || types === null ? [] : types, data.values, host)

const jsonAnonymous = (set: AnonymousSet, host: Host): Json => ({
  set: set.elements.map(({ key, data }): Json => {
    const shown = jsonKey(set.key, key, host)
    return data === null ? shown : [shown, jsonData(set.data, data, host)]
  }),
})

const jsonSource = (source: SetSource, host: Host): Json =>
  source.tag === 'named' ? `@${source.name}` : jsonAnonymous(source, host)

const flagList = (type: Type, value: Interval['from'], host: Host): Json => {
  const words = jsonFlags(type, value, host)
  if (words === null) return jsonDatum(type, value, host)
  return words.length === 1 ? (words[0] ?? null) : words
}

export const jsonExpression = (expression: Expression, host: Host): Json => {
  switch (expression.tag) {
    case 'payload':
      return { payload: { protocol: expression.protocol, field: expression.field } }
    case 'meta':
      return { meta: { key: expression.key } }
    case 'ct': {
      const { key, direction, family, implied } = expression
      return {
        ct: {
          key: family === null || implied ? key : `${family} ${key}`,
          ...(direction === null ? {} : { dir: direction }),
        },
      }
    }
    case 'fib':
      return { fib: { result: expression.result, flags: expression.of } }
    case 'numgen':
      return { numgen: { mode: expression.mode, mod: expression.mod, offset: expression.offset } }
    case 'jhash': {
      const { mod, seed, offset, of } = expression
      return {
        jhash: {
          mod,
          ...(seed === null ? {} : { seed }),
          ...(offset === 0 ? {} : { offset }),
          expr: jsonExpression(of, host),
        },
      }
    }
    case 'symhash': {
      const { mod, offset } = expression
      return { symhash: { mod, ...(offset === 0 ? {} : { offset }) } }
    }
    case 'value':
      return jsonDatum(expression.type, expression.value, host)
    case 'concat':
      return { concat: expression.parts.map((part) => jsonExpression(part, host)) }
    case 'bits': {
      const type = typesOf(expression.left)?.[0] ?? INTEGER
      return { [expression.op]: [jsonExpression(expression.left, host), flagList(type, expression.mask, host)] }
    }
    case 'map':
      return { map: { key: jsonExpression(expression.key, host), data: jsonSource(expression.map, host) } }
  }
}

const jsonOperand = (type: Type, op: Operator, left: Expression, right: Operand, host: Host): Json => {
  switch (right.tag) {
    case 'value':
      if (op === 'in' || op === '!' || left.tag === 'bits') return flagList(type, right.value, host)
      // nft keeps a comparison with several TCP flags as a number.
      return op === '!=' && type.name === 'tcp_flag' && (jsonFlags(type, right.value, host)?.length ?? 0) > 1
        ? Number(right.value)
        : jsonDatum(type, right.value, host)
    case 'range':
      return { range: [jsonDatum(type, right.from, host), jsonDatum(type, right.to, host)] }
    case 'both':
      return { range: [jsonDatum(type, right.below, host), jsonDatum(type, right.above, host)] }
    case 'prefix':
      return { prefix: { addr: jsonDatum(type, right.value, host), len: right.bits } }
    case 'named':
    case 'anonymous':
      return jsonSource(right, host)
  }
}

const jsonMatch = (left: Expression, op: Operator, right: Operand, host: Host): Json => {
  const type = typesOf(left)?.[0] ?? INTEGER
  return { match: { op, left: jsonExpression(left, host), right: jsonOperand(type, op, left, right, host) } }
}

const DEFAULT_BURST = 5

const jsonLimit = ({ rate, unit, per, burst, burstUnit, over }: Limit): Json => ({
  limit: {
    rate,
    burst: unit === 'packets' && burst === 0 ? DEFAULT_BURST : burst,
    per,
    ...(over ? { inv: true } : {}),
    ...(unit === 'packets' ? {} : { rate_unit: unit, burst_unit: burstUnit }),
  },
})

const oneOrList = (words: ReadonlyArray<string>): Json => (words.length === 1 ? (words[0] ?? null) : words)

const jsonLog = ({ prefix, level, group, snaplen, threshold, flags }: LogOptions): Json => {
  const options = {
    ...(prefix === null ? {} : { prefix }),
    ...(group === null ? {} : { group }),
    ...(snaplen === null ? {} : { snaplen }),
    ...(threshold === null ? {} : { 'queue-threshold': threshold }),
    ...(level === null ? {} : { level }),
    ...(flags.length === 0 ? {} : { flags: oneOrList(flags) }),
  }
  return { log: Object.keys(options).length === 0 ? null : options }
}

const jsonTarget = (target: Target, type: Type, host: Host): Json => {
  switch (target.tag) {
    case 'map':
      return jsonExpression(target.of, host)
    case 'prefix':
      return { prefix: { addr: jsonDatum(type, target.value, host), len: target.bits } }
    case 'range':
      return target.from === target.to
        ? jsonDatum(type, target.from, host)
        : { range: [jsonDatum(type, target.from, host), jsonDatum(type, target.to, host)] }
  }
}

const jsonTranslation = ({ kind, family, address, port, flags }: Translation, table: Family, host: Host): Json => {
  const options = {
    ...(family === null ? {} : { family }),
    ...(address === null ? {} : { addr: jsonTarget(address, addressType(family, table), host) }),
    ...(port === null ? {} : { port: jsonTarget(port, typeNamed('inet_service'), host) }),
    ...(flags.length === 0 ? {} : { flags: oneOrList(flags) }),
  }
  return { [kind]: Object.keys(options).length === 0 ? null : options }
}

export const jsonElementStatement = (statement: ElementStatement): Json =>
  statement.tag === 'counter' ? { counter: null } : jsonLimit(statement.limit)

const MS = 1000
export const seconds = (ms: number): number => Math.floor(ms / MS)

const jsonUpdate = (statement: Statement & { tag: 'update' }, host: Host): Json => {
  const { op, set, key, timeoutMs, statements } = statement
  const val = jsonExpression(key, host)
  return {
    set: {
      op,
      elem: timeoutMs === null ? val : { elem: { val, timeout: seconds(timeoutMs) } },
      set: `@${set}`,
      ...(statements.length === 0 ? {} : { stmt: statements.map(jsonElementStatement) }),
    },
  }
}

const jsonStatement = (statement: Exclude<Statement, { tag: 'differ' }>, place: StatementPlace, host: Host): Json => {
  const { family } = place.table
  switch (statement.tag) {
    case 'match':
      return jsonMatch(statement.left, statement.op, statement.right, host)
    case 'verdict':
      return jsonVerdict(statement.verdict)
    case 'vmap':
      return { vmap: { key: jsonExpression(statement.key, host), data: jsonSource(statement.map, host) } }
    case 'counter': {
      const { packets, bytes } = countedAt(place, statement)
      return { counter: { packets, bytes } }
    }
    case 'counter-ref':
      return { counter: statement.name }
    case 'limit':
      return jsonLimit(statement.limit)
    case 'log':
      return jsonLog(statement.options)
    case 'reject': {
      const { reject } = statement
      if (reject.with === 'tcp reset') return { reject: { type: 'tcp reset' } }
      return { reject: { type: reject.with, expr: codeWord(reject, host) } }
    }
    case 'set':
      return { mangle: { key: jsonExpression(statement.of, host), value: jsonExpression(statement.value, host) } }
    case 'notrack':
      return { notrack: null }
    case 'nat':
      return jsonTranslation(statement.translation, family, host)
    case 'update':
      return jsonUpdate(statement, host)
  }
}

/** What a statement is in a rule's `expr`: mostly one object. */
export const jsonStatements = (statement: Statement, place: StatementPlace, host: Host): ReadonlyArray<Json> =>
  statement.tag === 'differ'
    ? statement.of.map(({ field, value }) => jsonMatch(field, '!=', { tag: 'value', value }, host))
    : [jsonStatement(statement, place, host)]

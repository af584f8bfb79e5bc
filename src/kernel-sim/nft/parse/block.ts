// What stands in braces after the name of a chain, a set, a map or a counter.
// Sources: nft(8) "CHAINS", "SETS", "MAPS", "STATEFUL OBJECTS"; nftables src/parser_bison.y, src/evaluate.c.

import { isSetType, type Type, typeNamed } from '../datatype.ts'
import { meaningError, type Place } from '../error.ts'
import type { ElementStatement, Expression } from '../expression.ts'
import { typesOf } from '../field.ts'
import { priorityNamed } from '../priority.ts'
import type { Base, ChainType, Family, Hook, Policy, SetFlag, SetSpec } from '../ruleset.ts'
import { contextOf } from './context.ts'
import type { Cursor } from './cursor.ts'
import { type RawElement, rawSet } from './raw.ts'
import { concatenation } from './selector.ts'
import { limit } from './statement.ts'
import { commaList, endOfStatement, number, skipSeparators, text, timeMs } from './word.ts'

/** The lines of a block, each read by `line`, which says false where it knows none that begins so. */
export const blockOf = (cursor: Cursor, line: () => boolean): void => {
  cursor.expect('{')
  skipSeparators(cursor)
  while (!cursor.isNext('}') && cursor.peek().kind !== 'end' && !cursor.refused()) {
    if (!line()) cursor.refuse()
    skipSeparators(cursor)
  }
  cursor.expect('}')
}

const HOOKS: Readonly<Record<Family, ReadonlyArray<Hook>>> = {
  ip: ['prerouting', 'input', 'forward', 'output', 'postrouting'],
  ip6: ['prerouting', 'input', 'forward', 'output', 'postrouting'],
  inet: ['prerouting', 'input', 'forward', 'output', 'postrouting', 'ingress'],
  bridge: ['prerouting', 'input', 'forward', 'output', 'postrouting'],
  arp: ['input', 'output'],
  netdev: ['ingress', 'egress'],
}
const ALL_HOOKS: ReadonlyArray<Hook> = [...HOOKS.inet, 'egress']
const CHAIN_TYPES: ReadonlyArray<ChainType> = ['filter', 'nat', 'route']

const hookOf = (cursor: Cursor, family: Family): Hook => {
  const token = cursor.next()
  if (token.kind !== 'word') cursor.refuse()
  const hook = ALL_HOOKS.find((each) => each === token.text)
  if (hook === undefined) cursor.stop(meaningError('unknown chain hook', token.at))
  else if (!HOOKS[family].includes(hook)) cursor.meaning(`The ${family} family does not support this hook`, token.at)
  return hook ?? 'input'
}

const priority = (cursor: Cursor, family: Family, hook: Hook): number => {
  const { at } = cursor.peek()
  cursor.expect('priority')
  if (cursor.take('-')) return -number(cursor)
  if (cursor.peek().kind === 'number') return number(cursor)
  const name = cursor.next()
  if (name.kind !== 'word') cursor.refuse()
  const value = priorityNamed(family, hook, name.text)
  const sign = cursor.isNext('+') ? 1 : cursor.isNext('-') ? -1 : 0
  if (sign !== 0) cursor.next()
  const more = sign === 0 ? 0 : sign * number(cursor)
  if (value === null) cursor.meaning('invalid priority expression value in this context.', cursor.since(at))
  return (value ?? 0) + more
}

const deviceNames = (cursor: Cursor): ReadonlyArray<string> => {
  if (cursor.take('device')) return [text(cursor)]
  if (!cursor.take('devices')) return []
  cursor.expect('=')
  return rawSet(cursor, false).flatMap(({ key }) => key.flatMap((part) => (part.tag === 'word' ? [part.text] : [])))
}

/** `type filter hook input [device "lo"] priority filter`. */
const hooked = (cursor: Cursor, family: Family): Omit<Base, 'policy'> => {
  const { at } = cursor.peek()
  cursor.expect('type')
  const typeToken = cursor.next()
  if (typeToken.kind !== 'word') cursor.refuse()
  const type = CHAIN_TYPES.find((each) => each === typeToken.text)
  if (type === undefined) cursor.stop(meaningError('unknown chain type', typeToken.at))
  cursor.expect('hook')
  const hook = hookOf(cursor, family)
  const devices = deviceNames(cursor)
  const level = priority(cursor, family, hook)
  if ((hook === 'ingress' || hook === 'egress') && devices.length === 0)
    cursor.meaning("Missing `device' in this chain definition", cursor.since(at))
  return { type: type ?? 'filter', hook, devices: [...new Set(devices)], priority: level }
}

export type ChainBlock = Readonly<{ base: Base | null; policy: Policy | null; policyAt: Place; comment: string | null }>

/** A chain's block; what is no declaration is left to `rule`. */
export const chainBlock = (cursor: Cursor, family: Family, rule: () => void): ChainBlock => {
  let declared: Omit<Base, 'policy'> | null = null
  let policy: Policy | null = null
  let policyAt = cursor.peek().at
  let comment: string | null = null
  blockOf(cursor, () => {
    if (cursor.isNext('type')) {
      declared = hooked(cursor, family)
      cursor.expect(';')
    } else if (cursor.isNext('policy')) {
      policyAt = cursor.next().at
      policy = cursor.isNext('drop') ? 'drop' : 'accept'
      cursor.expect(policy)
      policyAt = cursor.since(policyAt)
      if (!cursor.isNext('}')) endOfStatement(cursor)
    } else if (cursor.isNext('comment')) {
      cursor.next()
      comment = text(cursor)
      endOfStatement(cursor)
    } else rule()
    return true
  })
  // Cast: assigned in the closure above, which TypeScript does not see.
  const hook = declared as Omit<Base, 'policy'> | null
  return { base: hook === null ? null : { ...hook, policy: policy ?? 'accept' }, policy, policyAt, comment }
}

const typeList = (cursor: Cursor): ReadonlyArray<Type> => {
  const types: Type[] = []
  do {
    const token = cursor.next()
    if (token.kind !== 'word') cursor.refuse()
    else if (isSetType(token.text)) types.push(typeNamed(token.text))
    else cursor.stop(meaningError(`unknown datatype ${token.text}`, token.at))
  } while (cursor.take('.'))
  return types
}

const FLAGS: ReadonlyArray<SetFlag> = ['constant', 'interval', 'timeout', 'dynamic']

const setFlags = (cursor: Cursor): ReadonlySet<SetFlag> =>
  new Set(
    commaList(cursor, (): SetFlag => {
      const flag = FLAGS.find((each) => cursor.isNext(each))
      if (flag === undefined) cursor.refuse()
      cursor.next()
      return flag ?? 'constant'
    }),
  )

const EMPTY_SPEC: SetSpec = {
  key: [],
  data: null,
  keyOf: null,
  dataOf: null,
  flags: new Set(),
  timeoutMs: null,
  gcMs: null,
  size: null,
  bounded: false,
  capacity: null,
  policy: null,
  autoMerge: false,
  statements: [],
  comment: null,
}

export type SetBlock = Readonly<{ spec: SetSpec; elements: ReadonlyArray<RawElement> }>

const keyLine = (cursor: Cursor, family: Family, spec: SetSpec, isMap: boolean): SetSpec => {
  const byExpression = cursor.next().text === 'typeof'
  const read = (): readonly [ReadonlyArray<Type>, Expression | null] => {
    if (!byExpression) return [typeList(cursor), null]
    const of = concatenation(contextOf(cursor, family))
    return [typesOf(of) ?? [], of]
  }
  const [key, keyOf] = read()
  if (!isMap) return { ...spec, key, keyOf }
  cursor.expect(':')
  if (cursor.take('verdict')) return { ...spec, key, keyOf, data: 'verdict' }
  if (cursor.isNext('counter', 'quota', 'limit')) {
    cursor.foreign('maps of objects', cursor.next().at)
    return { ...spec, key, keyOf, data: 'verdict' }
  }
  const [data, dataOf] = read()
  return { ...spec, key, keyOf, data, dataOf }
}

const elementStatement = (cursor: Cursor): ElementStatement => {
  const { at, text: word } = cursor.next()
  if (word === 'counter') return { tag: 'counter' }
  return { tag: 'limit', limit: limit(contextOf(cursor, 'inet'), at) }
}

/** One line of a set's block that says something of the set. */
const setLine = (cursor: Cursor, family: Family, spec: SetSpec, isMap: boolean): SetSpec | null => {
  const { text: word } = cursor.peek()
  if (word === 'type' || word === 'typeof') return keyLine(cursor, family, spec, isMap)
  if (word === 'counter' || word === 'limit')
    return { ...spec, statements: [...spec.statements, elementStatement(cursor)] }
  if (!['flags', 'timeout', 'gc-interval', 'size', 'policy', 'auto-merge', 'comment'].includes(word)) return null
  cursor.next()
  switch (word) {
    case 'flags':
      return { ...spec, flags: setFlags(cursor) }
    case 'timeout':
      return { ...spec, timeoutMs: timeMs(cursor) }
    case 'gc-interval':
      return { ...spec, gcMs: timeMs(cursor) }
    case 'size':
      return { ...spec, size: number(cursor) || null }
    case 'policy': {
      const memory = cursor.isNext('memory')
      cursor.expect(memory ? 'memory' : 'performance')
      return { ...spec, policy: memory ? 'memory' : null }
    }
    case 'auto-merge':
      return { ...spec, autoMerge: true }
    default:
      return { ...spec, comment: text(cursor) }
  }
}

export const setBlock = (cursor: Cursor, family: Family, isMap: boolean): SetBlock => {
  const { at } = cursor.peek()
  let spec = EMPTY_SPEC
  let elements: ReadonlyArray<RawElement> = []
  blockOf(cursor, () => {
    if (cursor.take('elements')) {
      cursor.expect('=')
      elements = rawSet(cursor, isMap ? null : false)
    } else {
      const next = setLine(cursor, family, spec, isMap)
      if (next === null) return false
      spec = next
    }
    endOfStatement(cursor)
    return true
  })
  if (spec.key.length === 0) cursor.meaning('set definition does not specify key', cursor.since(at))
  const withTimeout = spec.timeoutMs === null ? spec.flags : new Set<SetFlag>([...spec.flags, 'timeout'])
  const isFixed = spec.flags.has('constant') && elements.length > 0
  return {
    spec: { ...spec, flags: withTimeout, bounded: spec.size !== null, capacity: isFixed ? elements.length : spec.size },
    elements,
  }
}

export type CounterBlock = Readonly<{ packets: number; bytes: number; comment: string | null }>

export const counterBlock = (cursor: Cursor): CounterBlock => {
  let made: CounterBlock = { packets: 0, bytes: 0, comment: null }
  blockOf(cursor, () => {
    if (cursor.take('comment')) made = { ...made, comment: text(cursor) }
    else {
      cursor.expect('packets')
      const packets = number(cursor)
      cursor.expect('bytes')
      made = { ...made, packets, bytes: number(cursor) }
    }
    if (!cursor.isNext('}')) endOfStatement(cursor)
    return true
  })
  return made
}

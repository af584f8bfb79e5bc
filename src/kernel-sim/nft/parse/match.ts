// Matches, verdict maps, and what sets a mark or a header field: all that begins with a field.
// Sources: nft(8) "EXPRESSIONS"; nftables src/evaluate.c (expr_evaluate_relational), src/netlink_delinearize.c (how it is listed).

import { E } from '../../../prelude.ts'
import { type Datum, hasFlags, hasPrefixes, type Type, type TypeName, titleOf, typeNamed } from '../datatype.ts'
import type { Place } from '../error.ts'
import { meaningError, type NftError } from '../error.ts'
import type { Expression, Operand, Operator, SetSource, Statement } from '../expression.ts'
import { isSettable, typesOf } from '../field.ts'
import { type Context, learn } from './context.ts'
import { rawPart, rawSet } from './raw.ts'
import { anonymousSet, operandOf } from './resolve.ts'
import { expression, isSelector, startsSelector } from './selector.ts'
import { identifier } from './word.ts'

const OPERATORS: Readonly<Record<string, Operator>> = {
  '==': '==',
  eq: '==',
  '!=': '!=',
  ne: '!=',
  '<': '<',
  lt: '<',
  '>': '>',
  gt: '>',
  '<=': '<=',
  le: '<=',
  '>=': '>=',
  ge: '>=',
  '!': '!',
}

const NONE: Operand = { tag: 'value', value: 0 }
/** For one that was found wrong. */
const NO_SET: SetSource = { tag: 'anonymous', key: [], data: null, interval: false, elements: [] }

const operator = ({ cursor }: Context): Operator | null => {
  const { kind, text } = cursor.peek()
  const found = (kind === 'sign' || kind === 'word') && Object.hasOwn(OPERATORS, text) ? OPERATORS[text] : undefined
  if (found === undefined) return null
  cursor.next()
  return found
}

const typesIn = (left: Expression): ReadonlyArray<Type> => typesOf(left) ?? [typeNamed('integer')]

/** `@name`. */
export const setName = (context: Context): string => {
  const { cursor } = context
  const { at } = cursor.peek()
  cursor.expect('@')
  const name = identifier(cursor)
  context.reference = cursor.since(at)
  return name
}

/** `{ ... }` or `@name` after `map` or `vmap`. `data` may depend on what is written, for a translation's map. */
export const mapSource = (
  context: Context,
  key: ReadonlyArray<Type>,
  data: 'verdict' | ((parts: number) => ReadonlyArray<Type>),
): SetSource => {
  const { cursor } = context
  if (cursor.isNext('@')) return { tag: 'named', name: setName(context) }
  const elements = rawSet(cursor, data === 'verdict')
  const first = elements[0]?.data
  const parts = first?.tag === 'parts' ? first.parts.length : 1
  const set = anonymousSet(key, data === 'verdict' ? data : data(parts), elements, cursor.host)
  if (E.isRight(set)) return set.right
  cursor.note(set.left)
  return NO_SET
}

/** Types whose values say what else is in a packet. */
const PROTOCOLS: ReadonlySet<TypeName> = new Set(['inet_proto', 'nf_proto', 'ether_type'])

/** A set of one element that is written plainly is that element. */
const setOperand = (context: Context, types: ReadonlyArray<Type>): Operand => {
  const { cursor } = context
  const elements = rawSet(cursor, null)
  const [first] = elements
  const [type] = types
  const [part] = first?.key ?? []
  if (elements.length === 1 && first?.data === null && types.length === 1 && first.key.length === 1) {
    if (type === undefined || part === undefined) return NONE
    return settle(context, operandOf(type, part, cursor.host))
  }
  const set = settle(context, anonymousSet(types, null, elements, cursor.host))
  if (type !== undefined && PROTOCOLS.has(type.name))
    context.written = elements.flatMap(({ key }) => {
      const value = key[0] === undefined ? null : operandOf(type, key[0], cursor.host)
      return value === null || E.isLeft(value) ? [] : [value.right]
    })
  return set
}

const settle = (context: Context, operand: E.Either<NftError, Operand>): Operand => {
  if (E.isRight(operand)) return operand.right
  context.cursor.note(operand.left)
  return NONE
}

/** Values with commas between them: flags, all in one. */
const listOperand = (context: Context, type: Type): Operand => {
  const { cursor } = context
  const first = rawPart(cursor)
  const operand = settle(context, operandOf(type, first, cursor.host))
  if (!cursor.isNext(',')) return operand
  if (!hasFlags(type)) {
    cursor.meaning(`Basetype of type ${titleOf([type])} is not bitmask`, first.at)
  }
  let value = operand.tag === 'value' && typeof operand.value === 'number' ? operand.value : 0
  while (cursor.take(',')) {
    const more = settle(context, operandOf(type, rawPart(cursor), cursor.host))
    if (more.tag === 'value' && typeof more.value === 'number') value = (value | more.value) >>> 0
  }
  return { tag: 'value', value }
}

const operandIn = (context: Context, left: Expression, at: Place): Operand => {
  const { cursor } = context
  const types = left === context.port ? [typeNamed('inet_service')] : typesIn(left)
  if (cursor.isNext('{')) return setOperand(context, types)
  if (cursor.isNext('@')) return { tag: 'named', name: setName(context) }
  const [type] = types
  if (types.length > 1 || type === undefined) {
    const where = cursor.since(at)
    rawPart(cursor)
    while (cursor.take('.')) rawPart(cursor)
    cursor.note(meaningError('Use concatenations with sets and maps, not singleton values', where))
    return NONE
  }
  return listOperand(context, type)
}

const ones = (value: Datum): string =>
  typeof value === 'string' ? '' : value.toString(2).padStart(typeof value === 'bigint' ? 128 : 32, '0')

const isZero = (operand: Operand): boolean => operand.tag === 'value' && (operand.value === 0 || operand.value === 0n)

/** A mask of leading ones on an address is a prefix; flags under a mask are asked for in the short form where there is one. */
const tidy = (left: Expression, op: Operator, right: Operand): Statement => {
  const plain: Statement = { tag: 'match', left, op, right }
  if (left.tag !== 'bits' || left.op !== '&' || right.tag !== 'value') return plain
  const type = typesIn(left)[0]
  if (type === undefined || (op !== '==' && op !== '!=')) return plain
  if (hasPrefixes(type)) {
    const prefix = /^(1+)0*$/.exec(ones(left.mask))
    if (prefix === null || prefix[1] === undefined) return plain
    const bits = prefix[1].length
    const value: Operand = bits === type.bits ? right : { tag: 'prefix', value: right.value, bits }
    return { tag: 'match', left: left.left, op, right: value }
  }
  if (!hasFlags(type) || !isZero(right)) return plain
  return { tag: 'match', left: left.left, op: op === '==' ? '!' : 'in', right: { tag: 'value', value: left.mask } }
}

/** `flags value / mask`. */
const underMask = (context: Context, left: Expression, op: Operator | null, value: Operand): Statement => {
  const type = typesIn(left)[0] ?? typeNamed('integer')
  const mask = listOperand(context, type)
  const bits: Expression = { tag: 'bits', op: '&', left, mask: mask.tag === 'value' ? mask.value : 0 }
  return tidy(bits, op ?? '==', value)
}

const relational = (context: Context, left: Expression, at: Place): Statement => {
  const { cursor } = context
  const op = operator(context)
  const types = typesIn(left)
  const right = operandIn(context, left, at)
  if (left.tag === 'ct' && left.implied && right.tag !== 'value' && right.tag !== 'range' && right.tag !== 'prefix')
    cursor.meaning('specify either ip or ip6 for address matching', at)
  const isFlag = types.length === 1 && types[0] !== undefined && hasFlags(types[0])
  if (isFlag && cursor.take('/')) return underMask(context, left, op, right)
  if (op === '!' && !isFlag) cursor.refuse()
  if ((op === '<' || op === '>' || op === '<=' || op === '>=') && right.tag !== 'value')
    cursor.meaning(`Operator ${op} is not supported for ${right.tag === 'range' ? 'range' : 'set'}s`, at)
  const implicit = op === null && isFlag && left.tag !== 'bits' && right.tag === 'value' ? 'in' : '=='
  return tidy(left, op ?? implicit, right)
}

/** A value to be set: written, of a field, or of a map. */
const valueFor = (context: Context, type: Type): Expression => {
  const { cursor } = context
  if (!startsSelector(context)) {
    const raw = rawPart(cursor)
    const operand = settle(context, operandOf(type, raw, cursor.host))
    if (operand.tag !== 'value') cursor.meaning('you cannot set a range here', raw.at)
    return { tag: 'value', type, value: operand.tag === 'value' ? operand.value : 0 }
  }
  const of = expression(context)
  if (!cursor.take('map')) return of
  return { tag: 'map', key: of, map: mapSource(context, typesIn(of), () => [type]) }
}

const setting = (context: Context, left: Expression, at: Place): Statement => {
  const type = typesIn(left)[0] ?? typeNamed('integer')
  if (!isSelector(left)) context.cursor.refuse()
  const value = valueFor(context, type)
  if (left.tag === 'payload' && isSettable(left.protocol, left.field)) return { tag: 'set', of: left, value }
  if (left.tag === 'meta' && left.key === 'mark') return { tag: 'set', of: left, value }
  if (left.tag === 'ct' && (left.key === 'mark' || left.key === 'zone')) return { tag: 'set', of: left, value }
  context.cursor.foreign('setting that field', context.cursor.since(at))
  return { tag: 'notrack' }
}

/** The statement that begins with a field. */
export const fieldStatement = (context: Context): Statement => {
  const { cursor } = context
  const { at } = cursor.peek()
  const before = cursor.notes()
  const left = expression(context)
  // What is not in the simulation was skipped to the end of the statement.
  if (cursor.notes() > before && left.tag === 'value') return { tag: 'verdict', verdict: { tag: 'continue' } }
  if (cursor.take('set')) return setting(context, left, at)
  if (cursor.take('vmap')) return { tag: 'vmap', key: left, map: mapSource(context, typesIn(left), 'verdict') }
  context.written = []
  const statement = relational(context, left, at)
  if (context.written.length === 0) learn(context, statement, true)
  else if (statement.tag === 'match')
    for (const right of context.written) learn(context, { ...statement, right }, false)
  return statement
}

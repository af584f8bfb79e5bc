// The left side of a match: fields, concatenations of them, and bit operations on them.
// Sources: nft(8) "PRIMARY EXPRESSIONS", "PAYLOAD EXPRESSIONS"; nftables src/parser_bison.y.

import { E } from '../../../prelude.ts'
import { type Datum, type Type, typeNamed } from '../datatype.ts'
import { meaningError } from '../error.ts'
import type { Direction, Expression, FibFlag, PayloadProtocol, Selector } from '../expression.ts'
import {
  FOREIGN_CT,
  FOREIGN_META,
  isCtKey,
  isMetaKey,
  isProtocol,
  PORTS,
  payloadType,
  TRANSPORT,
  typesOf,
} from '../field.ts'
import { type Context, meet } from './context.ts'
import { canBeValue, rawMask } from './raw.ts'
import { operandOf } from './resolve.ts'
import { isKeyword, number, skipStatement } from './word.ts'

/** Meta keys that may stand without `meta`. */
const BARE_META: ReadonlySet<string> = new Set(['iif', 'oif', 'iifname', 'oifname', 'mark', 'pkttype'])
const BARE_FOREIGN: ReadonlySet<string> = new Set(
  'skuid skgid nftrace rtclassid iiftype oiftype cpu iifgroup oifgroup cgroup ibrname obrname'.split(' '),
)
/** Headers and sources of real nft that the simulation does not look at. */
const FOREIGN: ReadonlySet<string> = new Set(
  'socket osf rt ipsec xfrm tunnel exthdr hbh frag dst mh srh ah esp comp igmp vxlan gre gretap geneve @'.split(' '),
)
const STARTS: ReadonlySet<string> = new Set(['meta', 'ct', 'fib', 'numgen', 'jhash', 'symhash'])

/** Whether a selector begins here. */
export const startsSelector = ({ cursor }: Context): boolean => {
  const { kind, text } = cursor.peek()
  if (kind === 'sign') return text === '@'
  if (kind !== 'word') return false
  return STARTS.has(text) || isProtocol(text) || BARE_META.has(text) || BARE_FOREIGN.has(text) || FOREIGN.has(text)
}

const UNKNOWN: Expression = { tag: 'value', type: typeNamed('integer'), value: 0 }

/** Leaves the rest of the statement unread: its grammar is not ours. */
const foreign = ({ cursor }: Context, what: string): Expression => {
  cursor.foreign(what, cursor.peek().at)
  skipStatement(cursor)
  return UNKNOWN
}

const meta = (context: Context): Expression => {
  const { cursor } = context
  const { text: key, at } = cursor.peek()
  if (isMetaKey(key)) {
    cursor.next()
    if (key === 'nfproto' && context.family !== 'inet')
      cursor.meaning('meta nfproto is only useful in the inet family', at)
    return { tag: 'meta', key }
  }
  if (FOREIGN_META.has(key)) return foreign(context, `meta ${key}`)
  cursor.refuse()
  return UNKNOWN
}

const ctAddress = (context: Context, key: 'saddr' | 'daddr', direction: Direction | null): Expression => {
  const { cursor, family, network } = context
  const at = cursor.peek().at
  if (direction === null) cursor.refuse()
  if (family !== 'ip' && family !== 'ip6' && network === null)
    cursor.meaning('cannot determine ip protocol version, use "ip saddr" or "ip6 saddr" instead', at)
  return { tag: 'ct', key, direction, family: family === 'ip6' || network === 'ip6' ? 'ip6' : 'ip', implied: true }
}

const ct = (context: Context): Expression => {
  const { cursor } = context
  let direction: Direction | null = null
  if (cursor.isNext('original', 'reply')) direction = cursor.next().text === 'reply' ? 'reply' : 'original'
  if (direction !== null && cursor.isNext('ip', 'ip6')) {
    const family = cursor.next().text === 'ip6' ? 'ip6' : 'ip'
    const key = cursor.next().text
    if (key === 'saddr' || key === 'daddr') return { tag: 'ct', key, direction, family, implied: false }
    cursor.refuse()
    return UNKNOWN
  }
  const { text: key, kind } = cursor.peek()
  if (kind === 'word' && FOREIGN_CT.has(key)) return foreign(context, `ct ${key}`)
  if (kind !== 'word' || !isCtKey(key)) {
    cursor.refuse()
    return UNKNOWN
  }
  cursor.next()
  if (key === 'saddr' || key === 'daddr') return ctAddress(context, key, direction)
  const kept = key === 'zone' || key === 'proto-src' || key === 'proto-dst' ? direction : null
  if (key === 'proto-src' || key === 'proto-dst') {
    if (direction === null) cursor.refuse()
    if (context.transport === null) cursor.meaning("Can't parse symbolic invalid expressions", cursor.peek().at)
  }
  return { tag: 'ct', key, direction: kept, family: null, implied: false }
}

const FIB_FLAGS: ReadonlyArray<FibFlag> = ['saddr', 'daddr', 'mark', 'iif', 'oif']

const fib = ({ cursor }: Context): Expression => {
  const { at } = cursor.peek()
  const flags = new Set<FibFlag>()
  do {
    const flag = FIB_FLAGS.find((each) => each === cursor.peek().text)
    if (flag === undefined) cursor.refuse()
    else flags.add(flag)
    cursor.next()
  } while (cursor.take('.'))
  const where = cursor.since(at)
  const result = cursor.peek().text
  if (result !== 'type' && result !== 'oif' && result !== 'oifname') {
    cursor.refuse()
    return UNKNOWN
  }
  cursor.next()
  if (flags.has('saddr') && flags.has('daddr'))
    cursor.stop(meaningError('fib: saddr and daddr are mutually exclusive', where))
  else if (!flags.has('saddr') && !flags.has('daddr'))
    cursor.stop(meaningError('fib: need either saddr or daddr', where))
  else if (flags.has('iif') && flags.has('oif'))
    cursor.stop(meaningError('fib: iif and oif are mutually exclusive', where))
  const present = result === 'oif' && cursor.isNext('exists', 'missing')
  return { tag: 'fib', of: FIB_FLAGS.filter((flag) => flags.has(flag)), result, present }
}

const modulus = ({ cursor }: Context): number => {
  cursor.expect('mod')
  return number(cursor)
}
const offset = ({ cursor }: Context): number => (cursor.take('offset') ? number(cursor) : 0)

const generator = (context: Context): Expression => {
  const { cursor } = context
  const mode = cursor.peek().text
  if (mode !== 'inc' && mode !== 'random') {
    cursor.refuse()
    return UNKNOWN
  }
  cursor.next()
  return { tag: 'numgen', mode, mod: modulus(context), offset: offset(context) }
}

const hash = (context: Context): Expression => {
  const of = concatenation(context)
  const mod = modulus(context)
  const seed = context.cursor.take('seed') ? number(context.cursor) : null
  return { tag: 'jhash', of, mod, seed, offset: offset(context) }
}

const arpField = ({ cursor }: Context): string => {
  const field = cursor.next().text
  return (field === 'saddr' || field === 'daddr') && cursor.isNext('ip', 'ether')
    ? `${field} ${cursor.next().text}`
    : field
}

/** The kernel keeps a port as a place in the transport header: it is what lies there in the header that is known. */
const asKept = ({ header }: Context, protocol: PayloadProtocol, field: string): Expression => {
  if (protocol !== 'th' && (!Object.hasOwn(PORTS, field) || TRANSPORT[protocol] === undefined))
    return { tag: 'payload', protocol, field }
  if (header !== 'icmp' && header !== 'icmpv6') return { tag: 'payload', protocol: header ?? 'th', field }
  return field === 'dport'
    ? { tag: 'payload', protocol: header, field: 'checksum' }
    : { tag: 'payload', protocol: 'th', field }
}

const payload = (context: Context, protocol: PayloadProtocol): Expression => {
  const { cursor } = context
  const { at } = cursor.next()
  if (cursor.isNext('option')) return foreign(context, `${protocol} options`)
  const start = cursor.peek()
  if (start.kind !== 'word') {
    cursor.refuse()
    return UNKNOWN
  }
  if (protocol !== 'arp' && payloadType(protocol, start.text) === null) {
    if (isKeyword(start.text) || !FOREIGN_FIELDS.has(start.text)) {
      cursor.refuse()
      return UNKNOWN
    }
    return foreign(context, `${protocol} ${start.text}`)
  }
  const field = protocol === 'arp' ? arpField(context) : cursor.next().text
  if (payloadType(protocol, field) === null) cursor.refuse()
  meet(context, protocol, cursor.since(at))
  const kept = asKept(context, protocol, field)
  if (protocol === 'th') context.port = kept
  return kept
}

/** Header fields of real nft that are not looked at. */
const FOREIGN_FIELDS: ReadonlySet<string> = new Set(
  'hdrlength checksum ecn id gateway mtu sequence doff reserved urgptr csumcov cscov max-delay parameter-problem packet-too-big vtag type pcp dei taddr daddr cfi'.split(
    ' ',
  ),
)

/** A word that is no field could be a value, of which nft finds that it cannot say what it is of. */
const symbol = ({ cursor }: Context): Expression => {
  if (isKeyword(cursor.peek().text)) cursor.refuse()
  const { at } = cursor.next()
  if (!canBeValue(cursor)) cursor.refuse()
  cursor.meaning('No symbol type information', at)
  skipStatement(cursor)
  return UNKNOWN
}

const RAW_BASES: ReadonlySet<string> = new Set(['ll', 'nh', 'th'])

const rawPayload = (context: Context): Expression => {
  const { cursor } = context
  const base = cursor.second()
  if (RAW_BASES.has(base.text)) return foreign(context, 'raw payload (@)')
  cursor.stop(meaningError('unknown raw payload base', base.at))
  skipStatement(cursor)
  return UNKNOWN
}

const primary = (context: Context): Expression => {
  const { cursor } = context
  const { kind, text } = cursor.peek()
  if (kind === 'sign' && text === '@') return rawPayload(context)
  if (kind !== 'word') {
    cursor.refuse()
    return UNKNOWN
  }
  if (isProtocol(text)) return payload(context, text)
  if (BARE_META.has(text)) return meta(context)
  if (BARE_FOREIGN.has(text) || FOREIGN.has(text)) return foreign(context, text)
  if (!STARTS.has(text)) return symbol(context)
  cursor.next()
  switch (text) {
    case 'meta':
      return meta(context)
    case 'ct':
      return ct(context)
    case 'fib':
      return fib(context)
    case 'numgen':
      return generator(context)
    case 'jhash':
      return hash(context)
    default:
      return { tag: 'symhash', mod: modulus(context), offset: offset(context) }
  }
}

/** Fields with dots between them. */
export const concatenation = (context: Context): Expression => {
  const first = primary(context)
  if (!context.cursor.isNext('.')) return first
  const parts = [first]
  while (context.cursor.take('.')) parts.push(primary(context))
  return { tag: 'concat', parts }
}

const BITS: Readonly<Record<string, '&' | '|' | '^'>> = { '&': '&', and: '&', '|': '|', or: '|', '^': '^', xor: '^' }

const maskOf = (context: Context, type: Type): Datum => {
  const operand = operandOf(type, rawMask(context.cursor), context.cursor.host)
  if (E.isLeft(operand)) {
    context.cursor.note(operand.left)
    return 0
  }
  return operand.right.tag === 'value' ? operand.right.value : 0
}

/** `(x & m) | v` is stored as `(x & (m | v)) | v`: what is set need not be kept. */
const combined = (left: Expression, op: '&' | '|' | '^', mask: Datum): Expression => {
  if (op === '|' && left.tag === 'bits' && left.op === '&' && typeof mask === 'number' && typeof left.mask === 'number')
    return { tag: 'bits', op, left: { ...left, mask: (left.mask | mask) >>> 0 }, mask }
  return { tag: 'bits', op, left, mask }
}

/** A field, a concatenation, or a field with bit operations. */
export const expression = (context: Context): Expression => {
  const { cursor } = context
  let left = concatenation(context)
  while (cursor.isNext('&', '|', '^', 'and', 'or', 'xor')) {
    const op = BITS[cursor.next().text] ?? '&'
    const type = typesOf(left)?.[0] ?? typeNamed('integer')
    left = combined(left, op, maskOf(context, type))
  }
  if (cursor.isNext('<<', '>>')) return foreign(context, 'shifts of bits')
  return left
}

export const isSelector = (value: Expression): value is Selector =>
  value.tag !== 'value' && value.tag !== 'concat' && value.tag !== 'bits' && value.tag !== 'map'

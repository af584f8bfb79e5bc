// The statements that a rule is made of, but for those that begin with a field.
// Sources: nft(8) "STATEMENTS"; nftables src/parser_bison.y, src/evaluate.c.

import { kernelError, meaningError, type Place } from '../error.ts'
import type { ElementStatement, Limit, LogOptions, MetaKey, Reject, Statement } from '../expression.ts'
import { ICMP_CODE, ICMPV6_CODE, ICMPX_CODE, numberFor, type Symbols } from '../symbols.ts'
import { type Context, learn } from './context.ts'
import { fieldStatement, setName } from './match.ts'
import { isVerdict, verdict } from './raw.ts'
import { concatenation } from './selector.ts'
import { translation } from './translation.ts'
import { commaList, number, skipStatement, text, timeMs } from './word.ts'

const PERIODS = ['second', 'minute', 'hour', 'day', 'week'] as const
const UNITS = ['bytes', 'kbytes', 'mbytes'] as const
const LEVELS: ReadonlySet<string> = new Set('emerg alert crit err warn notice info debug audit'.split(' '))
const DEFAULT_BURST = 5

const unit = ({ cursor }: Context): Limit['unit'] => {
  const found = UNITS.find((each) => cursor.isNext(each))
  if (found === undefined) return 'packets'
  cursor.next()
  return found
}

const isPeriod = (word: string): word is Limit['per'] => PERIODS.some((each) => each === word)

/** `/second`, `kbytes/second`: a slash within a word is part of it. */
const perPeriod = ({ cursor }: Context): Readonly<Pick<Limit, 'unit' | 'per'>> => {
  if (cursor.take('/')) {
    const per = cursor.peek().text
    if (!isPeriod(per)) cursor.refuse()
    cursor.next()
    return { unit: 'packets', per: isPeriod(per) ? per : 'second' }
  }
  const [word = '', per = ''] = cursor.peek().text.split('/')
  const found = UNITS.find((each) => each === word)
  if (found === undefined || !isPeriod(per)) cursor.refuse()
  cursor.next()
  return { unit: found ?? 'bytes', per: isPeriod(per) ? per : 'second' }
}

export const limit = (context: Context, from: Place): Limit => {
  const { cursor } = context
  cursor.expect('rate')
  const over = cursor.take('over')
  if (!over) cursor.take('until')
  const rate = number(cursor)
  const { unit: rateUnit, per } = perPeriod(context)
  let burst = rateUnit === 'packets' ? DEFAULT_BURST : 0
  let burstUnit: Limit['burstUnit'] = rateUnit === 'packets' ? 'packets' : 'bytes'
  if (cursor.take('burst')) {
    burst = number(cursor)
    burstUnit = unit(context)
    if (burstUnit === 'packets') cursor.expect('packets')
  }
  if (rate === 0) cursor.note(kernelError('EINVAL', cursor.since(from)))
  return { rate, unit: rateUnit, per, burst, burstUnit, over }
}

/** In nft's order of listing. */
const LOG_FLAGS = ['tcp sequence', 'tcp options', 'ip options', 'skuid', 'ether'] as const

const allFlags = (found: ReadonlyArray<string>): ReadonlyArray<string> =>
  found.includes('all') || LOG_FLAGS.every((flag) => found.includes(flag))
    ? ['all']
    : LOG_FLAGS.filter((flag) => found.includes(flag))

const logFlags = ({ cursor }: Context): ReadonlyArray<string> => {
  if (cursor.take('all')) return ['all']
  const word = cursor.next().text
  if (word === 'skuid' || word === 'ether') return [word]
  if (word === 'ip') {
    cursor.expect('options')
    return ['ip options']
  }
  if (word !== 'tcp') cursor.refuse()
  const found = commaList(cursor, () => `tcp ${cursor.next().text}`)
  if (found.some((flag) => !LOG_FLAGS.some((each) => each === flag))) cursor.refuse()
  return found
}

const log = (context: Context): Statement => {
  const { cursor } = context
  const { at } = cursor.peek()
  let hasLevel = false
  let options: LogOptions = { prefix: null, level: null, group: null, snaplen: null, threshold: null, flags: [] }
  while (!cursor.refused()) {
    if (cursor.take('prefix')) options = { ...options, prefix: text(cursor) }
    else if (cursor.take('level')) {
      const level = cursor.peek().text
      if (!LEVELS.has(level)) cursor.stop(meaningError('invalid log level', cursor.peek().at))
      cursor.next()
      hasLevel = true
      options = { ...options, level: level === 'warn' ? null : level }
    } else if (cursor.take('group')) options = { ...options, group: number(cursor) }
    else if (cursor.take('snaplen')) options = { ...options, snaplen: number(cursor) }
    else if (cursor.take('queue-threshold')) options = { ...options, threshold: number(cursor) }
    else if (cursor.take('flags')) options = { ...options, flags: allFlags([...options.flags, ...logFlags(context)]) }
    else break
  }
  if (hasLevel && options.group !== null) cursor.meaning('level and group are mutually exclusive', cursor.since(at))
  return { tag: 'log', options }
}

const counter = (context: Context): Statement => {
  const { cursor } = context
  if (cursor.take('name')) {
    const name = text(cursor)
    context.reference = cursor.last()
    return { tag: 'counter-ref', name }
  }
  if (!cursor.take('packets')) return { tag: 'counter', packets: 0, bytes: 0 }
  const packets = number(cursor)
  cursor.expect('bytes')
  return { tag: 'counter', packets, bytes: number(cursor) }
}

const CODES: Readonly<Record<'icmp' | 'icmpv6' | 'icmpx', Symbols>> = {
  icmp: ICMP_CODE,
  icmpv6: ICMPV6_CODE,
  icmpx: ICMPX_CODE,
}

const code = ({ cursor }: Context, symbols: Symbols): number => {
  cursor.take('type')
  const token = cursor.peek()
  if (token.kind === 'number') return number(cursor)
  const found = numberFor(symbols, token.text)
  if (token.kind !== 'word') cursor.refuse()
  else if (found === null) cursor.meaning('Could not parse icmp code', token.at)
  cursor.next()
  return found ?? 0
}

const defaultReject = ({ family, network }: Context): Reject => {
  if (network === 'ip') return { with: 'icmp', code: 3 }
  if (network === 'ip6') return { with: 'icmpv6', code: 4 }
  return family === 'arp' ? { with: 'icmp', code: 3 } : { with: 'icmpx', code: 1 }
}

const TCP = 6
/** Of IPv4 and IPv6 as `meta nfproto` and `meta protocol` have them. */
const NETWORK_NUMBER = { inet: { ip: 2, ip6: 10 }, link: { ip: 0x0800, ip6: 0x86dd } } as const

/** What is to be rejected is looked at first, so that nothing is counted or logged which is not. */
const need = (context: Context, key: MetaKey, value: number): void => {
  const match: Statement = { tag: 'match', left: { tag: 'meta', key }, op: '==', right: { tag: 'value', value } }
  context.needs = [...context.needs, match]
  learn(context, match, true)
}

const rejection = (context: Context, at: Place): Statement => {
  const { cursor, network, family } = context
  if (!cursor.take('with')) return { tag: 'reject', reject: defaultReject(context) }
  if (cursor.take('tcp')) {
    cursor.expect('reset')
    if (context.transport === 'tcp') return { tag: 'reject', reject: { with: 'tcp reset' } }
    if (context.transport !== null && context.transport !== 'th')
      cursor.meaning('you cannot use tcp reset with this protocol', cursor.since(at))
    need(context, 'l4proto', TCP)
    return { tag: 'reject', reject: { with: 'tcp reset' } }
  }
  const kind = cursor.isNext('icmp') ? 'icmp' : cursor.isNext('icmpv6') ? 'icmpv6' : 'icmpx'
  cursor.expect(kind)
  const reject: Reject = { with: kind, code: code(context, CODES[kind]) }
  const wanted = kind === 'icmp' ? 'ip' : kind === 'icmpv6' ? 'ip6' : null
  if (wanted === null && (family === 'ip' || family === 'ip6'))
    cursor.meaning('abstracted ICMP unreachable not supported', cursor.since(at))
  if (wanted !== null && network !== null && network !== wanted)
    cursor.meaning(`conflicting protocols specified: ${network} vs ${wanted}`, cursor.since(at))
  if (wanted !== null && network === null)
    need(
      context,
      family === 'inet' ? 'nfproto' : 'protocol',
      NETWORK_NUMBER[family === 'inet' ? 'inet' : 'link'][wanted],
    )
  return { tag: 'reject', reject }
}

const elementStatements = (context: Context): ReadonlyArray<ElementStatement> => {
  const { cursor } = context
  const found: ElementStatement[] = []
  while (cursor.isNext('counter', 'limit')) {
    const word = cursor.next()
    found.push(word.text === 'counter' ? { tag: 'counter' } : { tag: 'limit', limit: limit(context, word.at) })
  }
  return found
}

/** `add @set { key timeout T statements }`, or the older `set add key timeout T @set`. */
const update = (context: Context, op: 'add' | 'update' | 'delete', older: boolean): Statement => {
  const { cursor } = context
  let set = ''
  if (!older) {
    set = setName(context)
    cursor.expect('{')
  }
  const key = concatenation(context)
  const timeoutMs = cursor.take('timeout') ? timeMs(cursor) : null
  const statements = elementStatements(context)
  if (cursor.isNext(':')) cursor.foreign('adding to maps from rules', cursor.next().at)
  if (older) set = setName(context)
  else cursor.expect('}')
  return { tag: 'update', op, set, key, timeoutMs, statements }
}

const FOREIGN_STATEMENTS: ReadonlySet<string> = new Set(
  'queue quota meter flow synproxy tproxy dup fwd last secmark'.split(' '),
)

/** One statement; none, if it is not in the simulation. */
export const statement = (context: Context): ReadonlyArray<Statement> => {
  const { cursor } = context
  if (isVerdict(cursor)) {
    const said = verdict(cursor)
    if ('chain' in said) context.reference = cursor.last()
    return [{ tag: 'verdict', verdict: said }]
  }
  const { text: word, kind, at } = cursor.peek()
  if (kind !== 'word') return [fieldStatement(context)]
  if (FOREIGN_STATEMENTS.has(word)) {
    cursor.foreign(word, at)
    skipStatement(cursor)
    return []
  }
  switch (word) {
    case 'counter':
      cursor.next()
      return [counter(context)]
    case 'limit':
      cursor.next()
      return [{ tag: 'limit', limit: limit(context, at) }]
    case 'log':
      cursor.next()
      return [log(context)]
    case 'reject': {
      cursor.next()
      return [rejection(context, at)]
    }
    case 'notrack':
      cursor.next()
      return [{ tag: 'notrack' }]
    case 'dnat':
    case 'snat':
    case 'masquerade':
    case 'redirect':
      cursor.next()
      return [translation(context, word, at)]
    case 'add':
    case 'update':
    case 'delete':
      cursor.next()
      return [update(context, word, false)]
    case 'set': {
      cursor.next()
      const op = cursor.isNext('update') ? 'update' : cursor.isNext('delete') ? 'delete' : 'add'
      cursor.expect(op)
      return [update(context, op, true)]
    }
    default:
      return [fieldStatement(context)]
  }
}

/** Nothing after it in its rule would ever be done. */
export const isTerminal = (each: Statement): boolean =>
  each.tag === 'reject' || each.tag === 'nat' || (each.tag === 'verdict' && each.verdict.tag !== 'continue')

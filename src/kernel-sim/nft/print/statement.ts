// Statements and rules as nft lists them.
// Source: nftables src/statement.c (1.0.6).

import { getIn } from '../../../net/pmap.ts'
import { type Host, showDatum, type Type, typeNamed } from '../datatype.ts'
import type { ElementStatement, Limit, LogOptions, Reject, Statement, Target, Translation } from '../expression.ts'
import { type Family, type Rule, type Ruleset, ruleState, type Table } from '../ruleset.ts'
import type { RulePlace } from '../sight.ts'
import { ICMP_CODE, ICMPV6_CODE, ICMPX_CODE, wordFor } from '../symbols.ts'
import { showExpression, showMatch, showSource, showVerdict } from './expression.ts'

const UNITS: ReadonlyArray<readonly [unit: string, ms: number]> = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
]

/** `1d2h3m4s5ms`, without the parts that are zero. */
export const showTime = (ms: number): string => {
  let left = Math.round(ms)
  let text = ''
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size)
    if (count > 0) text += `${count}${unit}`
    left -= count * size
  }
  return text === '' ? '0s' : text
}

const DEFAULT_BURST = 5

export const showLimit = ({ rate, unit, per, burst, burstUnit, over }: Limit): string => {
  const amount = unit === 'packets' ? `${rate}` : `${rate} ${unit}`
  const burstText =
    unit === 'packets'
      ? burst === 0 || burst === DEFAULT_BURST
        ? ''
        : ` burst ${burst} packets`
      : burst === 0
        ? ''
        : ` burst ${burst} ${burstUnit}`
  return `limit rate ${over ? 'over ' : ''}${amount}/${per}${burstText}`
}

const showLog = ({ prefix, level, group, snaplen, threshold, flags }: LogOptions): string => {
  const tcp = flags.filter((flag) => flag.startsWith('tcp ')).map((flag) => flag.slice(4))
  const rest = flags.filter((flag) => !flag.startsWith('tcp '))
  return [
    'log',
    prefix === null ? '' : `prefix "${prefix}"`,
    group === null ? '' : `group ${group}`,
    snaplen === null ? '' : `snaplen ${snaplen}`,
    threshold === null ? '' : `queue-threshold ${threshold}`,
    level === null ? '' : `level ${level}`,
    tcp.length === 0 ? '' : `flags tcp ${tcp.join(',')}`,
    ...rest.map((flag) => `flags ${flag}`),
  ]
    .filter((word) => word !== '')
    .join(' ')
}

const CODES = { icmp: ICMP_CODE, icmpv6: ICMPV6_CODE, icmpx: ICMPX_CODE }

export const codeWord = (reject: Exclude<Reject, { with: 'tcp reset' }>, host: Host): string | number =>
  host.numeric === true ? reject.code : (wordFor(CODES[reject.with], reject.code) ?? reject.code)

/** What `reject` alone means in a family. */
export const isDefaultReject = (reject: Reject, family: Family): boolean => {
  if (reject.with === 'tcp reset') return false
  if (family === 'ip') return reject.with === 'icmp' && reject.code === 3
  if (family === 'ip6') return reject.with === 'icmpv6' && reject.code === 4
  return reject.with === 'icmpx' && reject.code === 1
}

const showReject = (reject: Reject, family: Family, host: Host): string => {
  if (reject.with === 'tcp reset') return 'reject with tcp reset'
  return isDefaultReject(reject, family) ? 'reject' : `reject with ${reject.with} ${codeWord(reject, host)}`
}

const PORT = typeNamed('inet_service')

const showTarget = (target: Target, type: Type, bracketed: boolean, host: Host): string => {
  const show = (value: string): string => (bracketed && value.includes(':') ? `[${value}]` : value)
  switch (target.tag) {
    case 'map':
      return showExpression(target.of, host)
    case 'prefix':
      return `${show(showDatum(type, target.value, host))}/${target.bits}`
    case 'range': {
      const from = show(showDatum(type, target.from, host))
      return target.from === target.to ? from : `${from}-${show(showDatum(type, target.to, host))}`
    }
  }
}

export const addressType = (family: Family | null, table: Family): Type =>
  typeNamed((family ?? table) === 'ip6' ? 'ipv6_addr' : 'ipv4_addr')

const showTranslation = ({ kind, family, address, port, flags }: Translation, table: Family, host: Host): string => {
  const to = address === null ? '' : showTarget(address, addressType(family, table), port !== null, host)
  const toPort = port === null ? '' : `:${showTarget(port, PORT, false, host)}`
  return [kind, family, to === '' && toPort === '' ? null : 'to', `${to}${toPort}`, flags.join(',')]
    .filter((word) => word !== null && word !== '')
    .join(' ')
}

export const showElementStatement = (statement: ElementStatement): string =>
  statement.tag === 'counter' ? 'counter' : showLimit(statement.limit)

/** Where the statement is: its counter shows what it has counted. */
export type StatementPlace = Readonly<{ ruleset: Ruleset; table: Table; rule: Rule; index: number }>

export const countedAt = (
  { ruleset, table, rule, index }: StatementPlace,
  { packets, bytes }: Readonly<{ packets: number; bytes: number }>,
): Readonly<{ packets: number; bytes: number }> => {
  const state = getIn(ruleset.state, ruleState(table, rule, index))
  return state?.tag === 'counter' ? state : { packets, bytes }
}

type Counted = Readonly<{ packets: number; bytes: number }>

const showStatement = (
  statement: Statement,
  family: Family,
  counted: (start: Counted) => Counted,
  host: Host,
): string => {
  switch (statement.tag) {
    case 'match':
      return showMatch(statement.left, statement.op, statement.right, host)
    case 'differ':
      return statement.of.map(({ field, value }) => showMatch(field, '!=', { tag: 'value', value }, host)).join(' ')
    case 'verdict':
      return showVerdict(statement.verdict)
    case 'vmap':
      return `${showExpression(statement.key, host)} vmap ${showSource(statement.map, host)}`
    case 'counter': {
      const { packets, bytes } = counted(statement)
      return `counter packets ${packets} bytes ${bytes}`
    }
    case 'counter-ref':
      return `counter name "${statement.name}"`
    case 'limit':
      return showLimit(statement.limit)
    case 'log':
      return showLog(statement.options)
    case 'reject':
      return showReject(statement.reject, family, host)
    case 'set': {
      const of = showExpression(statement.of, host)
      return `${of} set ${showExpression(statement.value, host)}`
    }
    case 'notrack':
      return 'notrack'
    case 'nat':
      return showTranslation(statement.translation, family, host)
    case 'update': {
      const { op, set, key, timeoutMs, statements } = statement
      const timeout = timeoutMs === null ? '' : ` timeout ${showTime(timeoutMs)}`
      const more = statements.map((each) => ` ${showElementStatement(each)}`).join('')
      return `${op} @${set} { ${showExpression(key, host)}${timeout}${more} }`
    }
  }
}

const withComment = (words: ReadonlyArray<string>, { comment }: Rule): string =>
  [...words, ...(comment === null ? [] : [`comment "${comment}"`])].join(' ')

/** What a rule says, for a trace: its counters are as they were written. */
export const showWords = ({ family, rule }: RulePlace, host: Host): string =>
  withComment(
    rule.statements.map((statement) => showStatement(statement, family, (start) => start, host)),
    rule,
  )

/** Where a rule is and what it says: `inet t input handle 4: tcp dport 22 accept`. */
export const showPlace = (place: RulePlace, host: Host): string =>
  `${place.family} ${place.table} ${place.chain} handle ${place.rule.handle}: ${showWords(place, host)}`

/** One line, without its handle. */
export const showRule = (ruleset: Ruleset, table: Table, rule: Rule, host: Host): string => {
  const words = rule.statements.map((statement, index) =>
    showStatement(statement, table.family, (start) => countedAt({ ruleset, table, rule, index }, start), host),
  )
  return withComment(words, rule)
}

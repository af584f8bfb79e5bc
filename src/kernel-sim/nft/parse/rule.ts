// A whole rule, in the form in which nft lists it: matches that only say what a later field needs anyway are left out.
// Sources: nft(8) "RULES"; nftables src/evaluate.c (rule_evaluate), src/payload.c (payload_dependency_kill).

import type { Place } from '../error.ts'
import type { PayloadProtocol, Statement } from '../expression.ts'
import type { Family } from '../ruleset.ts'
import { contextOf, pinnedBy } from './context.ts'
import type { Cursor } from './cursor.ts'
import { headersOf, withHeader } from './header.ts'
import { mergedLoads } from './merge.ts'
import { isTerminal, statement } from './statement.ts'
import { text } from './word.ts'

export type RuleBody = Readonly<{
  statements: ReadonlyArray<Statement>
  /** Where each of the statements names a set, or begins. */
  places: ReadonlyArray<Place>
  comment: string | null
  at: Place
}>

const endsRule = (cursor: Cursor): boolean => {
  const { kind } = cursor.peek()
  return kind === 'end' || kind === 'newline' || cursor.isNext(';', '}')
}

/** Whether nft takes this match for a mere need of a later header, in tables of this family. */
const mayGo = (each: Statement, family: Family): boolean => {
  if (each.tag !== 'match') return false
  const { left } = each
  if (left.tag === 'meta')
    return left.key === 'l4proto' || left.key === 'nfproto' || (left.key === 'protocol' && family !== 'inet')
  if (left.tag !== 'payload') return false
  if (left.protocol === 'ip') return left.field === 'protocol' && family === 'ip'
  if (left.protocol === 'ip6') return left.field === 'nexthdr' && family === 'ip6'
  return left.protocol === 'ether' && left.field === 'type' && family === 'bridge'
}

const NETWORK_HEADERS: ReadonlySet<string> = new Set(['ip', 'ip6', 'arp'])

/** Which ICMP only packets of a network have. */
const ICMP_OF: Readonly<Record<string, PayloadProtocol>> = { ip: 'icmp', ip6: 'icmpv6' }

const isNeeded = (statements: ReadonlyArray<Statement>, at: number, family: Family): boolean => {
  const each = statements[at]
  const pinned = each === undefined || !mayGo(each, family) ? null : pinnedBy(each)
  if (pinned === null) return true
  for (const later of statements.slice(at + 1)) {
    if (later.tag === 'reject' && pinned.layer === 'network' && later.reject.with.startsWith('icmp'))
      return later.reject.with === 'icmpx'
    if (
      later.tag === 'reject' &&
      later.reject.with === 'tcp reset' &&
      pinned.name === 'tcp' &&
      ['ip', 'ip6'].includes(family)
    )
      return false
    if (
      later.tag !== 'match' &&
      later.tag !== 'differ' &&
      later.tag !== 'vmap' &&
      later.tag !== 'set' &&
      later.tag !== 'nat'
    )
      return true
    const headers = headersOf(later)
    if (headers.some((header) => header === pinned.name || ICMP_OF[pinned.name] === header)) return false
    if (pinned.layer === 'network' && headers.some((header) => NETWORK_HEADERS.has(header))) return true
  }
  return true
}

/** Statements up to the end of the rule, with its comment. */
export const ruleBody = (cursor: Cursor, family: Family): RuleBody => {
  const context = contextOf(cursor, family)
  const { at } = cursor.peek()
  const statements: Array<Readonly<{ statement: Statement; beside: Place }>> = []
  let comment: string | null = null
  do {
    if (statements.length > 0 && cursor.isNext('comment')) break
    const start = cursor.peek().at
    const previous = statements.at(-1)
    context.reference = null
    for (const each of statement(context)) statements.push({ statement: each, beside: context.reference ?? start })
    if (previous !== undefined && isTerminal(previous.statement))
      cursor.meaning('Statement after terminal statement has no effect', start)
  } while (!endsRule(cursor) && !cursor.refused())
  if (cursor.take('comment')) comment = text(cursor)
  const needs = context.needs.map((each) => ({ statement: each, beside: at }))
  // What the rule looks at first holds for all of it.
  const header = needs.some((each) => pinnedBy(each.statement)?.layer === 'transport') ? context.header : null
  const known =
    header === null
      ? statements
      : statements.map((each) => ({ ...each, statement: withHeader(each.statement, header) }))
  const merged = mergedLoads([...needs, ...known], family)
  const all = merged.map((each) => each.statement)
  const listed = merged.filter((_, i) => isNeeded(all, i, family))
  return {
    statements: listed.map((each) => each.statement),
    places: listed.map((each) => each.beside),
    comment,
    at: cursor.since(at),
  }
}

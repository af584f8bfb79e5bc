// Words that mean something wherever they stand, so that nothing can be called so, and small things read everywhere.
// Source: nftables src/scanner.l, src/parser_bison.y.

import type { Cursor } from './cursor.ts'

const KEYWORDS: ReadonlySet<string> = new Set(
  `accept add ah and arp auto-merge bridge chain comment comp constant continue counter cpu create ct day dccp define
  delete describe device devices dnat drop dup dynamic element elements eq esp ether expires export fib flags flowtable
  flush fwd gc-interval ge get goto gt handle hook hour icmp icmpv6 iif iifname import include index inet insert
  interval ip ip6 jhash jump le limit list log lt map mark masquerade meta meter monitor ne netdev nftrace notrack
  numgen oif oifname or osf pkttype policy position priority queue quota random redefine redirect reject rename replace
  reset return rt rt0 rule ruleset sctp secmark set size skuid snat socket symhash synproxy table tcp th time timeout
  tproxy type typeof udp udplite undefine update vlan vmap xor`
    .split(/\s+/)
    .filter((word) => word !== ''),
)
export const isKeyword = (word: string): boolean => KEYWORDS.has(word)

/** A name for a table, a chain, a set. */
export const identifier = (cursor: Cursor): string => {
  const token = cursor.peek()
  if (token.kind === 'word' && !isKeyword(token.text)) return cursor.next().text
  cursor.refuse()
  return ''
}

/** Text, in quotation marks or one word. */
export const text = (cursor: Cursor): string => {
  const { kind } = cursor.peek()
  if (kind === 'quoted' || kind === 'wildcard') return cursor.next().text
  return identifier(cursor)
}

/** A number that a double holds; more is out of every range that nft has here. */
export const number = (cursor: Cursor): number => {
  if (cursor.peek().kind === 'number') return Number(cursor.next().text)
  cursor.refuse()
  return 0
}

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/** Seconds, or such as `1d2h3m4s5ms`; in milliseconds. */
export const timeMs = (cursor: Cursor): number => {
  if (cursor.peek().kind === 'number') return number(cursor) * 1000
  if (cursor.peek().kind !== 'time') {
    cursor.refuse()
    return 0
  }
  let total = 0
  for (const [, count, unit = ''] of cursor.next().text.matchAll(/([0-9]+)(ms|[dhms])/g))
    total += Number(count) * (UNIT_MS[unit] ?? 0)
  return total
}

/** Several words with commas between them. */
export const commaList = <A>(cursor: Cursor, read: () => A): ReadonlyArray<A> => {
  const found = [read()]
  while (cursor.take(',')) found.push(read())
  return found
}

/** What ends a command or a statement: a newline or a semicolon; the end and a closing brace are left where they are. */
export const endOfStatement = (cursor: Cursor): void => {
  const { kind } = cursor.peek()
  if (kind === 'newline' || cursor.isNext(';')) cursor.next()
  else if (kind !== 'end') cursor.refuse()
}

/** Blank lines and stray semicolons. */
export const skipSeparators = (cursor: Cursor): void => {
  while (cursor.peek().kind === 'newline' || cursor.isNext(';')) cursor.next()
}

/** Leaves the rest of a statement unread, whatever its grammar. */
export const skipStatement = (cursor: Cursor): void => {
  let depth = 0
  while (cursor.peek().kind !== 'end') {
    if (depth === 0 && (cursor.peek().kind === 'newline' || cursor.isNext(';', '}'))) break
    if (cursor.isNext('{')) depth += 1
    if (cursor.isNext('}')) depth -= 1
    cursor.next()
  }
}

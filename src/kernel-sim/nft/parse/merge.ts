// Matches on header fields that lie beside each other become one load and one comparison. That shows in the order in which nft
// lists them, and, where they are compared with `!=`, in what they mean: together they say that not all are equal.
// Source: nftables src/rule.c (stmt_reduce, payload_try_merge), src/payload.c (payload_can_merge) (1.0.6).

import { type Datum, NO_INTERFACES } from '../datatype.ts'
import type { Expression, PayloadProtocol, Selector, Statement } from '../expression.ts'
import { TRANSPORT } from '../field.ts'
import { showExpression } from '../print/expression.ts'
import type { Family } from '../ruleset.ts'
import { pinnedBy } from './context.ts'
import { headersOf } from './header.ts'

type Layer = 'link' | 'network' | 'transport'
type Span = Readonly<{ layer: Layer; from: number; bits: number }>

const PORTS = { sport: [0, 16], dport: [16, 16] } as const
const ICMP = { type: [0, 8], code: [8, 8], checksum: [16, 16] } as const

/** Where fields of whole bytes lie in their header, in bits: the first, and how many. */
const SPANS: Readonly<
  Record<
    PayloadProtocol,
    Readonly<{ layer: Layer; fields: Readonly<Record<string, readonly [from: number, bits: number]>> }>
  >
> = {
  ether: { layer: 'link', fields: { daddr: [0, 48], saddr: [48, 48], type: [96, 16] } },
  vlan: { layer: 'link', fields: {} },
  arp: {
    layer: 'network',
    fields: {
      htype: [0, 16],
      ptype: [16, 16],
      hlen: [32, 8],
      plen: [40, 8],
      operation: [48, 16],
      'saddr ether': [64, 48],
      'saddr ip': [112, 32],
      'daddr ether': [144, 48],
      'daddr ip': [192, 32],
    },
  },
  ip: {
    layer: 'network',
    fields: {
      length: [16, 16],
      id: [32, 16],
      'frag-off': [48, 16],
      ttl: [64, 8],
      protocol: [72, 8],
      saddr: [96, 32],
      daddr: [128, 32],
    },
  },
  ip6: {
    layer: 'network',
    fields: { length: [32, 16], nexthdr: [48, 8], hoplimit: [56, 8], saddr: [64, 128], daddr: [192, 128] },
  },
  icmp: { layer: 'transport', fields: ICMP },
  icmpv6: { layer: 'transport', fields: ICMP },
  tcp: {
    layer: 'transport',
    fields: { ...PORTS, sequence: [32, 32], ackseq: [64, 32], flags: [104, 8], window: [112, 16] },
  },
  udp: { layer: 'transport', fields: { ...PORTS, length: [32, 16] } },
  udplite: { layer: 'transport', fields: PORTS },
  sctp: { layer: 'transport', fields: PORTS },
  dccp: { layer: 'transport', fields: PORTS },
  th: { layer: 'transport', fields: PORTS },
}

const LAYERS: ReadonlyArray<Layer> = ['link', 'network', 'transport']

const spanOf = (selector: Selector): Span | null => {
  if (selector.tag !== 'payload') return null
  const { layer, fields } = SPANS[selector.protocol]
  const found = Object.hasOwn(fields, selector.field) ? fields[selector.field] : undefined
  return found === undefined ? null : { layer, from: found[0], bits: found[1] }
}

/** One comparison of one load: its fields, in the order of the header, and where in the rule it stands. */
type Load = Readonly<{
  at: number
  op: '==' | '!=' | 'in'
  span: Span
  fields: ReadonlyArray<Readonly<{ field: Selector; value: Datum }>>
}>

const loadOf = (statement: Statement, at: number): Load | null => {
  if (statement.tag !== 'match' || statement.left.tag !== 'payload' || statement.right.tag !== 'value') return null
  const { left, op, right } = statement
  const span = spanOf(left)
  return span === null || (op !== '==' && op !== '!=' && op !== 'in')
    ? null
    : { at, op, span, fields: [{ field: left, value: right.value }] }
}

const FAST = 32
const REGISTER = 128

const canJoin = (one: Load, two: Load): boolean => {
  if ((one.op === '!=') !== (two.op === '!=') || one.span.layer !== two.span.layer) return false
  if (one.span.from + one.span.bits !== two.span.from) return false
  const total = one.span.bits + two.span.bits
  if (total > REGISTER) return false
  // What the kernel loads fast stays apart, if it would not be fast together.
  return total <= FAST || one.span.layer === 'link' || one.span.bits > FAST || two.span.bits > FAST
}

/** Beside another field, one of several flags becomes just these flags. */
const joined = (one: Load, two: Load): Load => ({
  ...one,
  op: one.op === '!=' ? '!=' : '==',
  span: { ...one.span, bits: one.span.bits + two.span.bits },
  fields: [...one.fields, ...two.fields],
})

const statementsOf = ({ op, fields }: Load): ReadonlyArray<Statement> =>
  op === '!=' && fields.length > 1
    ? [{ tag: 'differ', of: fields }]
    : fields.map(({ field, value }) => ({ tag: 'match', left: field, op, right: { tag: 'value', value } }))

/** What each statement of a run becomes: those that went into another become nothing. */
const reduced = (run: ReadonlyArray<Load>): ReadonlyMap<number, ReadonlyArray<Statement>> => {
  const sorted = run.toSorted(
    (a, b) => LAYERS.indexOf(a.span.layer) - LAYERS.indexOf(b.span.layer) || a.span.from - b.span.from,
  )
  const made = new Map<number, ReadonlyArray<Statement>>()
  let last: Load | null = null
  for (const load of sorted) {
    const join: Load | null = last !== null && canJoin(last, load) ? joined(last, load) : null
    if (join !== null) made.set(load.at, [])
    last = join ?? load
    made.set(last.at, statementsOf(last))
  }
  return made
}

const NFPROTO: Readonly<Record<string, number>> = { ip: 2, ip6: 10 }

/** What is left of a match that was the first to look at its header: that a packet has it. */
const leftBehind = (statements: ReadonlyArray<Statement>, at: number, family: Family): ReadonlyArray<Statement> => {
  const statement = statements[at]
  if (statement?.tag !== 'match' || statement.left.tag !== 'payload') return []
  const { protocol } = statement.left
  const isKnown = (each: Statement): boolean => headersOf(each).includes(protocol) || pinnedBy(each)?.name === protocol
  if (statements.slice(0, at).some(isKnown)) return []
  const transport = TRANSPORT[protocol]
  const network = family === 'inet' ? NFPROTO[protocol] : undefined
  const value = transport ?? network
  if (value === undefined) return []
  const left: Selector = { tag: 'meta', key: transport === undefined ? 'nfproto' : 'l4proto' }
  return [{ tag: 'match', left, op: '==', right: { tag: 'value', value } }]
}

const isOneLoad = ({ tag }: Expression): boolean =>
  tag === 'payload' || tag === 'meta' || tag === 'ct' || tag === 'bits' || tag === 'fib'

/** Two bounds of one field, one after the other, are listed as a range; a lower one that is above an upper one, too. */
const asRange = (one: Statement, two: Statement): Statement | null => {
  if (one.tag !== 'match' || two.tag !== 'match' || !isOneLoad(one.left)) return null
  if (showExpression(one.left, NO_INTERFACES) !== showExpression(two.left, NO_INTERFACES)) return null
  if (one.right.tag !== 'value' || two.right.tag !== 'value') return null
  const { left } = one
  const [from, to] = [one.right.value, two.right.value]
  if (one.op === '>=' && two.op === '<=') return { tag: 'match', left, op: '==', right: { tag: 'range', from, to } }
  if (one.op === '<' && two.op === '>')
    return { tag: 'match', left, op: '!=', right: { tag: 'both', below: from, above: to } }
  return null
}

const withRanges = <A>(
  statements: ReadonlyArray<Readonly<{ statement: Statement; beside: A }>>,
): ReadonlyArray<Readonly<{ statement: Statement; beside: A }>> => {
  const done: Array<Readonly<{ statement: Statement; beside: A }>> = []
  for (const each of statements) {
    const last = done.at(-1)
    const range = last === undefined ? null : asRange(last.statement, each.statement)
    if (range === null || last === undefined) done.push(each)
    else done[done.length - 1] = { ...last, statement: range }
  }
  return done
}

/** A rule's statements as the kernel gets them. What each has beside it goes with it. */
export const mergedLoads = <A>(
  statements: ReadonlyArray<Readonly<{ statement: Statement; beside: A }>>,
  family: Family,
): ReadonlyArray<Readonly<{ statement: Statement; beside: A }>> => {
  const made = new Map<number, ReadonlyArray<Statement>>()
  let run: Load[] = []
  // A statement of another kind ends a run, but a single match it leaves to be merged with one behind it.
  const close = (): void => {
    if (run.length < 2) return
    for (const [at, each] of reduced(run)) made.set(at, each)
    run = []
  }
  for (const [at, { statement }] of statements.entries()) {
    const load = loadOf(statement, at)
    if (load !== null) run.push(load)
    else if (statement.tag !== 'match') close()
  }
  close()
  const before = statements.map(({ statement }) => statement)
  const all = statements.flatMap((each, at) =>
    (made.get(at) ?? [each.statement])
      .concat(made.get(at)?.length === 0 ? leftBehind(before, at, family) : [])
      .map((statement) => ({ statement, beside: each.beside })),
  )
  return withRanges(all)
}

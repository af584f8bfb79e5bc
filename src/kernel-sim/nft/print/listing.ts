// What `nft list` prints.
// Source: nftables src/rule.c (table_print, chain_print_declaration, set_print), src/expression.c (calculate_delim) (1.0.6).

import { getIn, removeIn, valuesOf } from '../../../net/pmap.ts'
import type { Listed } from '../command.ts'
import type { Host } from '../datatype.ts'
import { compareKeys } from '../parse/resolve.ts'
import { showPriority } from '../priority.ts'
import {
  type Base,
  type Chain,
  type Counter,
  chainsOf,
  counterState,
  countersOf,
  type Element,
  type Family,
  findTable,
  isAlive,
  isInterval,
  type NamedSet,
  type Ruleset,
  type SetFlag,
  setsOf,
  type Table,
  tableKey,
  tablesOf,
} from '../ruleset.ts'
import { showData, showExpression, showKey } from './expression.ts'
import { showElementStatement, showRule, showTime } from './statement.ts'

/** What listings depend on besides the ruleset. `handles` is nft's `-a`. */
export type View = Readonly<{ host: Host; nowMs: number; handles: boolean }>

const handleText = (view: View, handle: number): string => (view.handles ? ` # handle ${handle}` : '')

const FLAGS: ReadonlyArray<SetFlag> = ['constant', 'interval', 'dynamic', 'timeout']
/** In nft's order; `constant` and `interval` first. */
export const flagsOf = (set: NamedSet): ReadonlyArray<SetFlag> => FLAGS.filter((flag) => set.spec.flags.has(flag))

/** Elements that are still there, sorted as nft does. */
export const elementsOf = (set: NamedSet, nowMs: number): ReadonlyArray<Element> => {
  const alive = valuesOf(set.elements).filter((element) => isAlive(element, nowMs))
  return alive.toSorted((a, b) => compareKeys(a.key, b.key, isInterval(set.spec)))
}

const PER_LINE: Readonly<Record<string, number>> = {
  nf_proto: 5,
  integer: 5,
  arp_op: 5,
  inet_proto: 5,
  inet_service: 5,
  tcp_flag: 5,
  mark: 5,
  iface_index: 5,
  ct_dir: 5,
  ipv4_addr: 2,
  ct_state: 2,
  ct_status: 2,
  pkt_type: 2,
}

const showElement = (set: NamedSet, element: Element, view: View): string => {
  const { spec } = set
  const words = [showKey(spec.key, element.key, view.host)]
  for (const [i, statement] of element.statements.entries()) {
    const state = element.state[i]
    words.push(
      statement.tag === 'counter' && state?.tag === 'counter'
        ? `counter packets ${state.packets} bytes ${state.bytes}`
        : showElementStatement(statement),
    )
  }
  if (element.timeoutMs !== null && element.timeoutMs !== spec.timeoutMs)
    words.push(`timeout ${showTime(element.timeoutMs)}`)
  if (element.expiresMs !== null) words.push(`expires ${showTime(element.expiresMs - view.nowMs)}`)
  if (element.comment !== null) words.push(`comment "${element.comment}"`)
  if (element.data !== null) words.push(`: ${showData(spec.data, element.data, view.host)}`)
  return words.join(' ')
}

const elementLines = (set: NamedSet, view: View): ReadonlyArray<string> => {
  const elements = elementsOf(set, view.nowMs)
  if (elements.length === 0) return []
  const [type] = set.spec.key
  const perLine = set.spec.key.length === 1 && type !== undefined ? (PER_LINE[type.name] ?? 1) : 1
  const lines: string[] = []
  for (let i = 0; i < elements.length; i += perLine)
    lines.push(
      elements
        .slice(i, i + perLine)
        .map((element) => showElement(set, element, view))
        .join(', '),
    )
  return [`\t\telements = { ${lines.join(',\n\t\t\t     ')} }`]
}

const typeLine = ({ spec }: NamedSet, host: Host): string => {
  const types = (list: NamedSet['spec']['key'] | 'verdict'): string =>
    list === 'verdict' ? list : list.map(({ name }) => name).join(' . ')
  if (spec.keyOf === null) return `type ${types(spec.key)}${spec.data === null ? '' : ` : ${types(spec.data)}`}`
  const key = showExpression(spec.keyOf, host)
  if (spec.data === null) return `typeof ${key}`
  return `typeof ${key} : ${spec.dataOf === null ? types(spec.data) : showExpression(spec.dataOf, host)}`
}

const setLines = (set: NamedSet, view: View): ReadonlyArray<string> => {
  const { spec } = set
  const flags = flagsOf(set).filter((flag) => flag !== 'timeout' || spec.timeoutMs === null || spec.flags.size > 1)
  const shown = spec.timeoutMs !== null && flags.length === 1 && flags[0] === 'timeout' ? [] : flags
  const head = view.handles ? handleText(view, set.handle) : ''
  return [
    `\t${spec.data === null ? 'set' : 'map'} ${set.name} {${head}`,
    `\t\t${typeLine(set, view.host)}`,
    ...(spec.size === null ? [] : [`\t\tsize ${spec.size}`]),
    ...(spec.policy === null ? [] : [`\t\tpolicy ${spec.policy}`]),
    ...(shown.length === 0 ? [] : [`\t\tflags ${shown.join(',')}`]),
    ...(spec.timeoutMs === null ? [] : [`\t\ttimeout ${showTime(spec.timeoutMs)}`]),
    ...(spec.gcMs === null ? [] : [`\t\tgc-interval ${showTime(spec.gcMs)}`]),
    ...(spec.autoMerge && isInterval(spec) ? ['\t\tauto-merge'] : []),
    ...spec.statements.map((statement) => `\t\t${showElementStatement(statement)}`),
    ...(spec.comment === null ? [] : [`\t\tcomment "${spec.comment}"`]),
    ...elementLines(set, view),
    '\t}',
  ]
}

const deviceText = (devices: ReadonlyArray<string>): string => {
  if (devices.length === 0) return ''
  if (devices.length === 1) return ` device "${devices[0]}"`
  return ` devices = { ${devices.join(', ')} }`
}

const baseLine = (family: Family, { type, hook, priority, policy, devices }: Base, host: Host): string => {
  const when = host.numeric === true ? String(priority) : showPriority(family, hook, priority)
  return `\t\ttype ${type} hook ${hook}${deviceText(devices)} priority ${when}; policy ${policy};`
}

const chainLines = (ruleset: Ruleset, table: Table, chain: Chain, view: View): ReadonlyArray<string> => [
  `\tchain ${chain.name} {${handleText(view, chain.handle)}`,
  ...(chain.comment === null ? [] : [`\t\tcomment "${chain.comment}"`]),
  ...(chain.base === null ? [] : [baseLine(table.family, chain.base, view.host)]),
  ...chain.rules.map((rule) => `\t\t${showRule(ruleset, table, rule, view.host)}${handleText(view, rule.handle)}`),
  '\t}',
]

export const countedBy = (
  ruleset: Ruleset,
  table: Table,
  counter: Counter,
): Readonly<{ packets: number; bytes: number }> => {
  const state = getIn(ruleset.state, counterState(table, counter))
  const { packets, bytes } = state?.tag === 'counter' ? state : counter
  return { packets, bytes }
}

const counterLines = (ruleset: Ruleset, table: Table, counter: Counter, view: View): ReadonlyArray<string> => {
  const { packets, bytes } = countedBy(ruleset, table, counter)
  return [
    `\tcounter ${counter.name} {${handleText(view, counter.handle)}`,
    ...(counter.comment === null ? [] : [`\t\tcomment "${counter.comment}"`]),
    `\t\tpackets ${packets} bytes ${bytes}`,
    '\t}',
  ]
}

/** A table with these blocks in it, an empty line between two. */
const tableText = (table: Table, blocks: ReadonlyArray<ReadonlyArray<string>>, view: View, whole: boolean): string => {
  const own = whole
    ? [
        ...(table.comment === null ? [] : [`\tcomment "${table.comment}"`]),
        ...(table.dormant ? ['\tflags dormant'] : []),
      ]
    : []
  const parts = blocks.filter((block) => block.length > 0).map((block) => block.join('\n'))
  const head = `table ${table.family} ${table.name} {${whole ? handleText(view, table.handle) : ''}`
  // After flags there is an empty line, after a comment alone there is none.
  const gap = whole && table.dormant && parts.length > 0 ? [''] : []
  return `${[head, ...own, ...gap, ...(parts.length === 0 ? [] : [parts.join('\n\n')]), '}'].join('\n')}\n`
}

const wholeTable = (ruleset: Ruleset, table: Table, view: View): string =>
  tableText(
    table,
    [
      ...countersOf(table).map((counter) => counterLines(ruleset, table, counter, view)),
      ...setsOf(table).map((set) => setLines(set, view)),
      ...chainsOf(table).map((chain) => chainLines(ruleset, table, chain, view)),
    ],
    view,
    true,
  )

const tablesIn = (ruleset: Ruleset, family: Family | null): ReadonlyArray<Table> =>
  tablesOf(ruleset).filter((table) => family === null || table.family === family)

/** The chains of all tables by what they are bound to, without their rules. */
const declaration = (table: Table, chain: Chain, view: View): ReadonlyArray<string> => [
  `\tchain ${chain.name} {`,
  ...(chain.base === null ? [] : [baseLine(table.family, chain.base, view.host)]),
  '\t}',
]

type Blocks = (table: Table) => ReadonlyArray<ReadonlyArray<string>>

const eachTable = (ruleset: Ruleset, family: Family | null, blocks: Blocks): string =>
  tablesIn(ruleset, family)
    .map(
      (table) =>
        `table ${table.family} ${table.name} {\n${blocks(table)
          .flat()
          .map((line) => `${line}\n`)
          .join('')}}\n`,
    )
    .join('')

/** Without the tables that have no counter. */
const withCounters = (ruleset: Ruleset, name: string | null): Ruleset => {
  let { tables } = ruleset
  for (const table of tablesOf(ruleset))
    if (countersOf(table).length === 0 || (name !== null && table.name !== name))
      tables = removeIn(tables, tableKey(table.family, table.name))
  return { ...ruleset, tables }
}

const oneOf = (ruleset: Ruleset, listed: Extract<Listed, { name: string }>, view: View): string => {
  const table = findTable(ruleset, listed.family, listed.table)
  if (table === null) return ''
  const own = <A extends { readonly name: string }>(all: ReadonlyArray<A>): ReadonlyArray<A> =>
    all.filter((each) => each.name === listed.name)
  const blocks = {
    chain: () => own(chainsOf(table)).map((chain) => chainLines(ruleset, table, chain, view)),
    set: () => own(setsOf(table)).map((set) => setLines(set, view)),
    map: () => own(setsOf(table)).map((set) => setLines(set, view)),
    counter: () => own(countersOf(table)).map((counter) => counterLines(ruleset, table, counter, view)),
  }
  return tableText(table, blocks[listed.what](), view, false)
}

/** The text of one `list`; what it names is there. */
export const listText = (ruleset: Ruleset, listed: Listed, view: View): string => {
  switch (listed.what) {
    case 'ruleset':
      return tablesIn(ruleset, listed.family)
        .map((table) => wholeTable(ruleset, table, view))
        .join('')
    case 'table': {
      const table = findTable(ruleset, listed.family, listed.table)
      return table === null ? '' : wholeTable(ruleset, table, view)
    }
    case 'tables':
      return tablesIn(ruleset, listed.family)
        .map(({ family, name }) => `table ${family} ${name}\n`)
        .join('')
    case 'chains':
      return eachTable(ruleset, listed.family, (table) =>
        chainsOf(table).map((chain) => declaration(table, chain, view)),
      )
    case 'sets':
    case 'maps':
      return eachTable(ruleset, listed.family, (table) =>
        setsOf(table)
          .filter(({ spec }) => (spec.data === null) === (listed.what === 'sets'))
          .map((set) => setLines(set, view)),
      )
    case 'counters':
      return eachTable(withCounters(ruleset, listed.table), listed.family, (table) =>
        countersOf(table).map((counter) => counterLines(ruleset, table, counter, view)),
      )
    default:
      return oneOf(ruleset, listed, view)
  }
}

/** The whole ruleset, as `nft -f` reads it. */
export const rulesetText = (ruleset: Ruleset, view: View): string =>
  listText(ruleset, { what: 'ruleset', family: null }, view)

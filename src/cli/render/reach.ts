// The reachability table for people: all of it while it fits on a screen (`whole`), else what it amounts to (`brief`).
// Both are made of the same rows that `--json` prints.

import type { ContainerView } from '../../lab/inventory.ts'
import type { Row } from '../../lab/reach.ts'
import type { Paint } from '../io.ts'
import { matrix } from './matrix.ts'
import { counted, listed, table } from './table.ts'

/** A matrix of more containers than these is no longer read. */
const LARGEST_MATRIX = 12
/** Reasons and exceptions of which one learns something; the rest is for --json. */
const MOST_LINES = 15
const MOST_NAMES = 6

export type Reach = Readonly<{ containers: ReadonlyArray<ContainerView>; rows: ReadonlyArray<Row> }>

const OUTSIDE: ReadonlySet<string> = new Set(['host', 'internet'])
const isPing = ({ proto }: Row): boolean => proto === 'icmp'
const fromOutside = ({ from }: Row): boolean => OUTSIDE.has(from)
const portOf = ({ proto, port }: Row): string => (port === null ? 'ping' : `${proto}/${port}`)

const pair = (from: string, to: string): string => `${from}\n${to}`
const pings = ({ rows }: Reach): ReadonlyMap<string, boolean> =>
  new Map(rows.filter(isPing).map(({ from, to, reaches }) => [pair(from, to), reaches]))

/** The rows with one `by`, in the order of their first. */
const grouped = <A>(
  items: ReadonlyArray<A>,
  by: (item: A) => string,
): ReadonlyArray<readonly [string, ReadonlyArray<A>]> => {
  const groups = new Map<string, A[]>()
  for (const item of items) {
    const key = by(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return [...groups]
}

/** One line for all that fails alike: the ports of a pair first, then the pairs with one end. */
const reasons = (rows: ReadonlyArray<Row>, more: string): string => {
  const pairs = grouped(rows, ({ from, to, why }) => [from, to, why].join('\n')).map(([, group]) => ({
    from: group[0]?.from ?? '',
    to: group[0]?.to ?? '',
    what: group.map(portOf).join(', '),
    why: group[0]?.why ?? '',
  }))
  const lines = grouped(pairs, ({ to, what, why }) => [to, what, why].join('\n')).map(([, group]) => [
    `${listed(
      group.map(({ from }) => from),
      MOST_NAMES,
    )} -> ${group[0]?.to ?? ''}`,
    group[0]?.what ?? '',
    group[0]?.why ?? '',
  ])
  const rest = lines.length - MOST_LINES
  return [table(lines.slice(0, MOST_LINES)), ...(rest > 0 ? [`  ... and ${rest} more: ${more}`] : [])].join('\n')
}

const MORE = '--json prints them all, cnm trace explains one'

const pingMatrix = (reach: Reach, paint: Paint, width: number): ReadonlyArray<string> => {
  const names = reach.containers.map(({ name }) => name)
  const columns = [...names, 'internet']
  const known = pings(reach)
  const cell = (row: number, column: number): boolean | null =>
    known.get(pair(names[row] ?? '', columns[column] ?? '')) ?? null
  return [paint.bold('Who reaches whom (ping; rows from, columns to)'), matrix(names, columns, cell, paint, width), '']
}

const innerPorts = ({ containers, rows }: Reach, { bold, dim }: Paint): ReadonlyArray<string> => {
  const inner = rows.filter((row) => !isPing(row) && !fromOutside(row))
  const asked = containers.flatMap(({ name }) => inner.filter(({ to }) => to === name))
  if (asked.length === 0) return []
  const names = (some: ReadonlyArray<Row>): string =>
    some.length === 0 ? '-' : some.map(({ from }) => from).join(', ')
  const lines = grouped(asked, (row) => pair(row.to, portOf(row))).map(([, group]) => [
    group[0] === undefined ? '' : `${group[0].to} ${portOf(group[0])}`,
    names(group.filter(({ reaches }) => reaches)),
    names(group.filter(({ reaches }) => !reaches)),
  ])
  return [bold('Ports of containers'), table([['', dim('REACHED BY'), dim('NOT BY')], ...lines]), '']
}

/** A door leads to the container that has it, and with it to those that share its namespace. */
const doors = ({ containers, rows }: Reach, { bold, dim, red, green }: Paint): ReadonlyArray<string> => {
  const owners = new Set(containers.filter(({ ports }) => ports.length > 0).map(({ name }) => name))
  const asked = rows.filter((row) => fromOutside(row) && owners.has(row.to))
  if (asked.length === 0) return []
  const lines = grouped(asked, (row) => pair(row.to, portOf(row))).map(([, group]) => {
    const from = (place: string): string => {
      const row = group.find((each) => each.from === place)
      return row === undefined ? '-' : row.reaches ? green('yes') : red('no')
    }
    const [first] = group
    return [first === undefined ? '' : `${portOf(first)} of the host`, first?.to ?? '', from('host'), from('internet')]
  })
  const head = ['', dim('LEADS TO'), dim('FROM HOST'), dim('FROM INTERNET')]
  return [bold('Published ports'), table([head, ...lines]), '']
}

const whole = (reach: Reach, paint: Paint, width: number): string => {
  const failures = reach.rows.filter(({ reaches }) => !reaches)
  return [
    ...pingMatrix(reach, paint, width),
    ...innerPorts(reach, paint),
    ...doors(reach, paint),
    paint.bold('Why not'),
    failures.length === 0 ? '  everything asked is reached' : reasons(failures, MORE),
  ].join('\n')
}

/** Containers that are on the same networks, in the order of the file. */
const groupsOf = ({ containers }: Reach): ReadonlyArray<readonly [string, ReadonlyArray<ContainerView>]> =>
  grouped(containers, ({ networks, namespace }) =>
    namespace === 'host'
      ? '(the host itself)'
      : networks
          .map(({ network }) => network)
          .sort()
          .join(', ') || '(none)',
  )

const groupTable = (reach: Reach, { bold, dim }: Paint): ReadonlyArray<string> => {
  const groups = groupsOf(reach)
  const shown = groups.slice(0, MOST_LINES)
  const total = counted(reach.containers.length, 'container')
  return [
    bold(`${total} in ${counted(groups.length, 'group')}; those of a group are on the same networks`),
    table([
      ['', dim('NETWORKS'), dim('CONTAINERS')],
      ...shown.map(([networks, members], i) => [
        `${i + 1}`,
        networks,
        `${members.length}: ${listed(
          members.map(({ name }) => name),
          MOST_NAMES,
        )}`,
      ]),
    ]),
    ...(groups.length > shown.length ? [`  ... and ${groups.length - shown.length} more groups`] : []),
    '',
  ]
}

const share = (some: ReadonlyArray<Row>): string => `${some.filter(({ reaches }) => reaches).length} of ${some.length}`

/** Pairs whose answer is not what their networks let one expect. */
const surprises = ({ containers, rows }: Reach): ReadonlyArray<Row> => {
  const networks = new Map(containers.map((view) => [view.name, new Set(view.networks.map(({ network }) => network))]))
  const spaces = new Map(containers.map(({ name, namespace }) => [name, namespace === 'own' ? name : namespace]))
  const expected = ({ from, to }: Row): boolean => {
    const theirs = networks.get(to) ?? new Set()
    return spaces.get(from) === spaces.get(to) || [...(networks.get(from) ?? [])].some((each) => theirs.has(each))
  }
  return rows.filter((row) => networks.has(row.from) && networks.has(row.to) && row.reaches !== expected(row))
}

const brief = (reach: Reach, paint: Paint): string => {
  const { bold } = paint
  const inner = reach.rows.filter((row) => !fromOutside(row) && !OUTSIDE.has(row.to))
  const toInternet = reach.rows.filter(({ from, to }) => to === 'internet' && !OUTSIDE.has(from))
  const outer = reach.rows.filter(fromOutside)
  const odd = surprises(reach)
  const counts: ReadonlyArray<ReadonlyArray<string>> = [
    ['container to container, ping', share(inner.filter(isPing))],
    ['container to container, ports', share(inner.filter((row) => !isPing(row)))],
    ['container to internet, ping', share(toInternet)],
    ['published ports from the host', share(outer.filter(({ from }) => from === 'host'))],
    ['published ports from the internet', share(outer.filter(({ from }) => from === 'internet'))],
  ]
  return [
    ...groupTable(reach, paint),
    bold('How many reach'),
    table(counts.filter(([, text]) => !text?.endsWith(' of 0'))),
    '',
    bold('Surprises'),
    odd.length === 0 ? '  none: containers reach each other exactly when they share a network' : reasons(odd, MORE),
  ].join('\n')
}

export const reachability = (reach: Reach, paint: Paint, width: number): string =>
  reach.containers.length <= LARGEST_MATRIX ? whole(reach, paint, width) : brief(reach, paint)

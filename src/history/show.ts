// An explanation for people: who asked what, when, and heard what, on a line for each client; then what does not fit. Time goes
// to the right, from event to event, not by the clock.

import type { Operation } from './event.ts'
import type { Explanation } from './explain.ts'
import type { Spec } from './spec.ts'

type Shown = Readonly<{ client: string; label: string; called: number; returned: number }>

/** The column of each moment: as near as labels allow between their ends. */
const columnsOf = (operations: ReadonlyArray<Shown>): ReadonlyMap<number, number> => {
  const ends = operations.flatMap(({ called, returned }) => [called, returned])
  const moments = [...new Set(ends)].filter(Number.isFinite).sort((a, b) => a - b)
  const columns = new Map<number, number>()
  let next = 0
  for (const moment of moments) {
    const ending = operations.find(({ returned }) => returned === moment)
    const least = ending === undefined ? 0 : (columns.get(ending.called) ?? 0) + ending.label.length + 3
    const column = Math.max(next, least)
    columns.set(moment, column)
    next = column + 2
  }
  return columns
}

/** A line for each client, and a further one for what overlaps its own: it went on after an unknown end. */
const rowsOf = (operations: ReadonlyArray<Shown>): ReadonlyArray<ReadonlyArray<Shown>> => {
  const rows: Shown[][] = []
  for (const each of operations) {
    const row = rows.find(([first, ...rest]) => {
      const last = rest.at(-1) ?? first
      return first?.client === each.client && last !== undefined && last.returned < each.called
    })
    if (row === undefined) rows.push([each])
    else row.push(each)
  }
  return rows.sort(([a], [b]) => (a?.called ?? 0) - (b?.called ?? 0))
}

const diagram = (operations: ReadonlyArray<Shown>): ReadonlyArray<string> => {
  const columns = columnsOf(operations)
  const width = Math.max(...operations.map(({ client }) => client.length))
  return rowsOf(operations).map((row) => {
    let line = (row[0]?.client ?? '').padEnd(width + 2)
    for (const { label, called, returned } of row) {
      line = `${line.padEnd(width + 2 + (columns.get(called) ?? 0))}├ ${label} `
      const end = columns.get(returned)
      line = end === undefined ? `${line}···` : `${line.padEnd(width + 2 + end, '─')}┤`
    }
    return line
  })
}

const counted = (n: number): string => n.toLocaleString('en')

export const showExplanation = <State, In, Out>(
  spec: Spec<State, In, Out>,
  explanation: Explanation<In, Out>,
): string => {
  const { name, operations, last, without, of, believed } = explanation
  const label = ({ input, output }: Operation<In, Out>): string => spec.show(input, output)
  const told = new Map(operations.map((each) => [each.id, `${each.client}: ${label(each)}`]))
  const order = without.map((id) => `  ${told.get(id)}`)
  return [
    `${name} is not linearizable: there is no place for`,
    `  ${told.get(last)}`,
    '',
    ...diagram(operations.map((each) => ({ ...each, label: label(each) }))),
    '',
    ...(order.length === 0
      ? ['It fits nowhere, even alone.']
      : ['Without it, the others fit in this order:', ...order]),
    `Shown: ${counted(operations.length)} of ${counted(of)} operations. Whatever is believed of the others, these do not fit together${believed === 0 ? '' : `,\nafter the first ${counted(believed)}`}.`,
    '',
  ].join('\n')
}

// A pool for people: how full it is as a bar, its sub-pools, and its stretches of addresses.

import type { Counts } from '../../ipam/status.ts'
import { firstOf, lastOf, showCidr, sizeOf } from '../../net/cidr.ts'
import { showIp } from '../../net/ip.ts'
import type { Io } from '../io.ts'
import { cellsOf, countStretches, type Part, type PoolView, type Stretch, stretchesOf } from '../ipam/view.ts'
import { table } from './table.ts'

const CELLS = 64

/** `partly`: of the addresses that can be given, up to a third, up to two thirds, and more. */
type Shades = Readonly<{ free: string; partly: ReadonlyArray<string>; full: string; reserved: string }>
const UNICODE: Shades = { free: '·', partly: ['░', '▒', '▓'], full: '█', reserved: '×' }
const ASCII: Shades = { free: '.', partly: ['-', '+', '*'], full: '#', reserved: 'x' }
const shadesOf = ({ unicode }: Io): Shades => (unicode ? UNICODE : ASCII)

const shade = ({ size, used, reserved, free }: Counts, shades: Shades): string => {
  if (size === reserved) return shades.reserved
  if (used === 0n) return shades.free
  const thirds = Number((used * BigInt(shades.partly.length)) / (size - reserved))
  return free === 0n ? shades.full : (shades.partly[thirds] ?? shades.full)
}

/** Grouped in thousands. */
const grouped = (n: bigint): string => (n < 1000n ? n.toString() : n.toString().replace(/\B(?=(\d{3})+$)/g, ','))

/** Of the addresses that can be given; rounded down, so that 100% is all of them, and some are never none. */
const percentText = ({ size, used, reserved }: Counts): string => {
  if (size === reserved) return '-'
  const hundredths = (used * 10_000n) / (size - reserved)
  if (used > 0n && hundredths === 0n) return '<0.01%'
  return `${hundredths / 100n}.${(hundredths % 100n).toString().padStart(2, '0')}%`
}

const plural = (n: bigint): string => `${grouped(n)} address${n === 1n ? '' : 'es'}`

const sentenceOf = ({ counts, next }: Part): string => {
  const { size, used, reserved, free } = counts
  const all = `${plural(size)}: ${grouped(used)} used (${percentText(counts)}), ${grouped(reserved)} reserved`
  return `  ${all}, ${grouped(free)} free${next === null ? '' : `; next ${showIp(next)}`}`
}

const scaleOf = ({ range }: Part): string => {
  const size = sizeOf(range)
  const cells = BigInt(CELLS)
  const scale = size < cells ? `each address ${cells / size} cells` : `each cell ${plural(size / cells)}`
  return `${showIp(firstOf(range))} to ${showIp(lastOf(range))}, ${scale}`
}

const stretchText = ({ first, last }: Stretch): string =>
  first === last ? showIp(first) : `${showIp(first)} - ${showIp(last)}`

/** By hand, for there may be millions: `table` measures every cell with care for colours, of which there are none here. */
const stretchLines = (stretches: ReadonlyArray<Stretch>): string => {
  const rows = stretches.map((each) => ({ state: each.state, text: stretchText(each), count: grouped(each.count) }))
  const left = rows.reduce((width, { text }) => Math.max(width, text.length), 0)
  const right = rows.reduce((width, { count }) => Math.max(width, count.length), 0)
  return rows
    .map(({ state, text, count }) => `  ${state.padEnd(8)}  ${text.padEnd(left)}  ${count.padStart(right)}`)
    .join('\n')
}

const subPoolTable = ({ subPools }: PoolView, { dim }: Io['paint']): ReadonlyArray<string> =>
  subPools.length === 0
    ? []
    : [
        '',
        table([
          [dim('SUB-POOL'), dim('USED'), '', dim('FREE'), dim('NEXT')],
          ...subPools.map(({ range, counts, next }) => [
            showCidr(range),
            grouped(counts.used),
            percentText(counts),
            grouped(counts.free),
            next === null ? '-' : showIp(next),
          ]),
        ]),
      ]

const head = (view: PoolView, { paint }: Io, shades: Shades): ReadonlyArray<string> => [
  `${paint.bold(view.id)}${view.requested ? '' : paint.dim(' (by its sub-pools only)')}`,
  `  |${cellsOf(view, CELLS)
    .map((each) => shade(each, shades))
    .join('')}|`,
  `  ${scaleOf(view)}`,
  sentenceOf(view),
  ...subPoolTable(view, paint),
  '',
]

/** Stretches that are aligned and written at a time. */
const PAGE = 10_000

/** The pool in pieces of text, each some lines; of its stretches at most `most`. */
export function* poolText(view: PoolView, io: Io, most: number): Generator<string> {
  yield head(view, io, shadesOf(io)).join('\n')
  let page: Stretch[] = []
  let shown = 0
  for (const stretch of stretchesOf(view)) {
    if (shown++ >= most) break
    page.push(stretch)
    if (page.length < PAGE) continue
    yield stretchLines(page)
    page = []
  }
  if (page.length > 0) yield stretchLines(page)
  const rest = countStretches(view) - most
  if (rest > 0) yield `  ... and ${grouped(BigInt(rest))} more: --all`
}

export const legend = (io: Io): string => {
  const { free, partly, full, reserved } = shadesOf(io)
  return io.paint.dim(
    `${free} free   ${partly.join(' ')} up to 1/3, 2/3, all used   ${full} full   ${reserved} reserved`,
  )
}

// Operations as transactions of nft(8), and the way back from the lines that nft complains of to the operations.

import { SETS } from '../../kernel/firewall/skeleton.ts'
import { type KernelObject, keyOf, type ObjectKey } from '../../kernel/object.ts'
import type { KernelOp } from '../../kernel/op.ts'
import { commandsOf } from '../../kernel/print.ts'
import { turn } from '../turn.ts'

/** An operation and its place in the list it came from. */
export type Placed = Readonly<{ at: number; op: KernelOp }>
/** One transaction; each operation's text begins on a line of its own, counted from 1. */
export type Script = Readonly<{
  ops: ReadonlyArray<Placed>
  text: string
  lines: ReadonlyArray<number>
  table: boolean
}>

const INTERVALS: ReadonlySet<string> = new Set(SETS.filter((set) => set.interval).map((set) => set.name))
const ofInterval = (object: KernelObject): boolean => object.kind === 'nft-element' && INTERVALS.has(object.set)
const makesTable = ({ verb, object }: KernelOp): boolean => verb === 'create' && object.kind === 'nft-table'

/**
 * As it is printed, but for intervals of a table that the same transaction makes: nft 1.0 refuses (EEXIST) to `create` the first
 * one of a set there. `add` does the same, for no transaction makes an interval twice.
 */
const textOf = (op: KernelOp, newTable: boolean): string => {
  const [command] = commandsOf(op, (ns) => ns)
  if (command === undefined) return ''
  const text =
    newTable && op.verb === 'create' && ofInterval(op.object) ? command.text.replace(/^create/, 'add') : command.text
  return `${text}\n`
}

const heightOf = (op: KernelOp, text: string): number =>
  op.object.kind === 'nft-table' ? text.split('\n').length - 1 : text === '' ? 0 : 1

/** Operations whose text is made in one turn of the event loop: about half a millisecond. */
const PIECE = 256

export const scriptOf = async (ops: ReadonlyArray<Placed>): Promise<Script> => {
  const lines: number[] = []
  let written = ''
  let line = 1
  let newTable = false
  for (const [i, { op }] of ops.entries()) {
    if (i % PIECE === PIECE - 1) await turn()
    const text = textOf(op, newTable)
    newTable ||= makesTable(op)
    lines.push(line)
    written += text
    line += heightOf(op, text)
  }
  return { ops, text: written, lines, table: ops.some(({ op }) => op.object.kind === 'nft-table') }
}

/** All in one transaction, but that an interval that is made a second time begins the next one. */
export const transactionsOf = (ops: ReadonlyArray<KernelOp>): ReadonlyArray<ReadonlyArray<Placed>> => {
  const groups: Placed[][] = []
  let open: Placed[] = []
  let made = new Set<ObjectKey>()
  ops.forEach((op, at) => {
    const key = op.verb === 'create' && ofInterval(op.object) ? keyOf(op.object) : null
    if (open.length === 0 || (key !== null && made.has(key))) {
      open = []
      made = new Set()
      groups.push(open)
    }
    open.push({ at, op })
    if (key !== null) made.add(key)
  })
  return groups
}

/** Which of a script's operations nft names as wrong, when it reads from a file: `FILE:LINE:COLUMNS: Error: ...`. */
export const namedIn = ({ lines }: Script, said: string): ReadonlySet<number> => {
  const named = new Set<number>()
  const begins = new Map(lines.map((line, at) => [line, at]))
  for (const [, written] of said.matchAll(/^\S+:(\d+):\d+-\d+: Error: /gm)) {
    const line = Number(written)
    const at = begins.get(line) ?? lines.findLastIndex((start) => start <= line)
    if (at >= 0) named.add(at)
  }
  return named
}

/** A transaction that was refused, in smaller ones: what was named alone, what lies between together; else two halves. */
export const parted = (
  ops: ReadonlyArray<Placed>,
  named: ReadonlySet<number>,
): ReadonlyArray<ReadonlyArray<Placed>> => {
  if (named.size === 0) return [ops.slice(0, ops.length >> 1), ops.slice(ops.length >> 1)]
  const parts: Placed[][] = []
  let together = false
  ops.forEach((placed, i) => {
    const alone = named.has(i)
    const last = parts.at(-1)
    if (last === undefined || alone || !together) parts.push([placed])
    else last.push(placed)
    together = !alone
  })
  return parts
}

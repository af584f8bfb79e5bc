// A history as text, one line of JSON for each event: for keeping, sending and reading again. What inputs and outputs are is
// their spec's matter: a reader says how to take them from JSON.

import { E, type Either, traverse } from '../prelude.ts'
import type { Event, History } from './event.ts'

/** `line` is counted from 1; `why` a clause that follows. */
export type LineError = Readonly<{ tag: 'BadLine'; line: number; why: string }>

export const explainLine = ({ line, why }: LineError): string => `line ${line} of the history ${why}`

/** Left: what was expected, as in "is not a ...". */
export type Read<A> = (value: unknown) => Either<string, A>

export const writeHistory = <In, Out>(history: History<In, Out>): string =>
  history.map((event) => `${JSON.stringify(event)}\n`).join('')

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (text: string): Either<string, Fields> => {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return E.right({ ...value })
    return E.left('is not an object')
  } catch {
    return E.left('is not JSON')
  }
}

const said = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value))

const readEvent = <In, Out>(text: string, input: Read<In>, output: Read<Out>): Either<string, Event<In, Out>> => {
  const fields = fieldsOf(text)
  if (E.isLeft(fields)) return fields
  const { tag, id, client } = fields.right
  if (typeof id !== 'number' || !Number.isSafeInteger(id))
    return E.left(`has ${said(id)} for an id; a whole number is needed`)
  if (tag === 'fail' || tag === 'unknown') return E.right({ tag, id })
  if (tag === 'ok') {
    const read = output(fields.right['output'])
    return E.isLeft(read) ? E.left(`has an output that is not ${read.left}`) : E.right({ tag, id, output: read.right })
  }
  if (tag !== 'invoke') return E.left(`has ${said(tag)} for a tag; invoke, ok, fail and unknown are known`)
  if (typeof client !== 'string') return E.left(`has ${said(client)} for a client; a string is needed`)
  const read = input(fields.right['input'])
  return E.isLeft(read)
    ? E.left(`has an input that is not ${read.left}`)
    : E.right({ tag, id, client, input: read.right })
}

export const readHistory = <In, Out>(
  text: string,
  input: Read<In>,
  output: Read<Out>,
): Either<LineError, History<In, Out>> => {
  const lines = text.split('\n')
  if (lines.at(-1) !== '') return E.left({ tag: 'BadLine', line: lines.length, why: 'is cut off' })
  return traverse(lines.slice(0, -1).entries(), ([i, line]) => {
    const event = readEvent(line, input, output)
    return E.isLeft(event) ? E.left({ tag: 'BadLine', line: i + 1, why: event.left }) : event
  })
}

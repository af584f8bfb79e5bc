// A journal as a file that can be sent, read and replayed elsewhere: JSON lines. The first names the format and holds the
// checkpoint, each next one is a turn, the last holds the state that the turns lead to and a checksum over all lines before.

import { createHash } from 'node:crypto'
import { decode, encode, loadModel, storedChanges } from '../model/codec.ts'
import { freshModel } from '../model/model.ts'
import type { Model } from '../model/types.ts'
import { E, type Either } from '../prelude.ts'
import type { Deed, Journal, Turn } from './journal.ts'

const FORMAT = 'cnm-journal'
const VERSION = 1

/** An object of a model as it is stored. */
export type StoredObject = Readonly<{ key: string; value: string }>

export const storedObjects = (model: Model): ReadonlyArray<StoredObject> =>
  storedChanges(freshModel(), model).flatMap(({ key, value }) => (value === null ? [] : [{ key, value }]))

const checksum = (lines: ReadonlyArray<string>): string => {
  const hash = createHash('sha256')
  for (const line of lines) hash.update(`${line}\n`)
  return hash.digest('hex')
}

/** `model`: what the journal leads to. */
export const writeJournalFile = ({ after, model: start, turns }: Journal, model: Model): string => {
  const lines = [
    encode({ format: FORMAT, version: VERSION, after, checkpoint: storedObjects(start) }),
    ...turns.map(({ number, deeds }) => encode({ turn: number, deeds })),
  ]
  lines.push(encode({ end: turns.at(-1)?.number ?? after, state: storedObjects(model), checksum: checksum(lines) }))
  return `${lines.join('\n')}\n`
}

/** `intact`: the checksum is that of the lines. A journal that was altered can still be replayed, to see where. */
export type JournalFile = Readonly<{ journal: Journal; state: ReadonlyArray<StoredObject>; intact: boolean }>

type Line = Readonly<Record<string, unknown>>

const readLine = (text: string): Line | null => {
  try {
    const line = decode(text)
    return typeof line === 'object' && line !== null && !Array.isArray(line) ? (line as Line) : null
  } catch {
    return null
  }
}

const isObjects = (value: unknown): value is ReadonlyArray<StoredObject> =>
  Array.isArray(value) &&
  value.every(
    (each: unknown) =>
      typeof each === 'object' &&
      each !== null &&
      'key' in each &&
      typeof each.key === 'string' &&
      'value' in each &&
      typeof each.value === 'string',
  )

const isDeeds = (value: unknown): value is ReadonlyArray<Deed> =>
  Array.isArray(value) &&
  value.every(
    (each: unknown) =>
      typeof each === 'object' &&
      each !== null &&
      'command' in each &&
      typeof each.command === 'object' &&
      each.command !== null &&
      'tag' in each.command &&
      'events' in each &&
      Array.isArray(each.events),
  )

const readTurn = (text: string): Turn | null => {
  const line = readLine(text)
  return line !== null && typeof line['turn'] === 'number' && isDeeds(line['deeds'])
    ? { number: line['turn'], deeds: line['deeds'] }
    : null
}

/** Left: a sentence that names the line. */
export const readJournalFile = (text: string): Either<string, JournalFile> => {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const [first, last] = [lines[0], lines.length > 1 ? lines.at(-1) : undefined]
  const head = first === undefined ? null : readLine(first)
  if (head === null || head['format'] !== FORMAT) return E.left('line 1 is not the head of a journal')
  if (head['version'] !== VERSION)
    return E.left(`the journal has version ${String(head['version'])}, and this cnm reads version ${VERSION}`)
  const { after, checkpoint } = head
  if (typeof after !== 'number' || !isObjects(checkpoint)) return E.left('line 1 holds no checkpoint')
  const end = last === undefined ? null : readLine(last)
  if (end === null || !isObjects(end['state']))
    return E.left(`line ${lines.length} is not the end of a journal: it was cut`)
  const turns: Turn[] = []
  for (const [index, line] of lines.slice(1, -1).entries()) {
    const turn = readTurn(line)
    if (turn === null) return E.left(`line ${index + 2} is not a turn`)
    turns.push(turn)
  }
  const model = loadModel(freshModel(), checkpoint)
  if (E.isLeft(model)) return E.left(`line 1: ${model.left}`)
  const intact = end['checksum'] === checksum(lines.slice(0, -1))
  return E.right({ journal: { after, model: model.right, turns }, state: end['state'], intact })
}

/** The first object in which two states differ, and how; null if they are equal. */
export const firstDifference = (
  expected: ReadonlyArray<StoredObject>,
  found: ReadonlyArray<StoredObject>,
): Readonly<{ key: string; how: 'missing' | 'unexpected' | 'different' }> | null => {
  const wanted = new Map(expected.map(({ key, value }) => [key, value]))
  const held = new Map(found.map(({ key, value }) => [key, value]))
  for (const key of [...new Set([...wanted.keys(), ...held.keys()])].sort()) {
    if (!held.has(key)) return { key, how: 'missing' }
    if (!wanted.has(key)) return { key, how: 'unexpected' }
    if (held.get(key) !== wanted.get(key)) return { key, how: 'different' }
  }
  return null
}

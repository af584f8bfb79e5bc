// What was done, in order: each turn's commands with their events, beside the model in the same transactions of the store.
// Kept: a checkpoint (the stored form of a whole model), all turns since, and until the next one those before it; so the
// journal is bounded, and always leads from a state it holds to the present one.
// Replaying is deciding every command again from the checkpoint's model: the same commands give the same events, for all
// chance and time is inside them. Where a journal says otherwise, it was altered, or our rules were.

import { decode, encode, loadModel, storedChanges } from '../model/codec.ts'
import type { Command } from '../model/command.ts'
import { decide } from '../model/decide.ts'
import { explain } from '../model/error.ts'
import type { CnmEvent } from '../model/event.ts'
import { evolve } from '../model/evolve.ts'
import { freshModel } from '../model/model.ts'
import type { Rules } from '../model/rules.ts'
import type { Model } from '../model/types.ts'
import { E, type Either } from '../prelude.ts'
import type { Entry, Write } from '../store/store.ts'

/** A command that was not refused, and what it did. */
export type Deed = Readonly<{ command: Command; events: ReadonlyArray<CnmEvent> }>
/** Turns count from 1. */
export type Turn = Readonly<{ number: number; deeds: ReadonlyArray<Deed> }>
/** `after`: the last turn that the model already holds; 0 for a fresh one. */
export type Journal = Readonly<{ after: number; model: Model; turns: ReadonlyArray<Turn> }>

export const TURNS = 'journal/'
export const CHECKPOINTS = 'checkpoint/'

const DIGITS = 12
const turnKey = (number: number): string => `${TURNS}${String(number).padStart(DIGITS, '0')}`
const checkpointKey = (number: number): string => `${CHECKPOINTS}${String(number).padStart(DIGITS, '0')}`

export const turnWrite = ({ number, deeds }: Turn): Write => ({ key: turnKey(number), value: encode(deeds) })
export const turnUnwrite = (number: number): Write => ({ key: turnKey(number), value: null })

/**
 * Every `every` turns: the model as it is after turn `number`, instead of the checkpoint before the last and of the turns
 * that led from there to the last. Written with the turn after it: a turn under way may still be withdrawn.
 */
export const checkpointWrites = (number: number, every: number, model: Model): ReadonlyArray<Write> => {
  if (number === 0 || number % every !== 0) return []
  const entries = storedChanges(freshModel(), model).map(({ key, value }) => [key, value])
  const former = number - every
  const forgotten = Array.from({ length: Math.min(every, former) }, (_, i) => turnUnwrite(former - i))
  return [
    { key: checkpointKey(number), value: encode(entries) },
    ...(former > 0 ? [{ key: checkpointKey(former), value: null }] : []),
    ...forgotten,
  ]
}

const numberIn = (key: string): number => Number(key.slice(key.indexOf('/') + 1))

/** Casts: written by `turnWrite` and `checkpointWrites`; the store has proved that nothing was altered by accident. */
export const readTurn = ({ key, value }: Entry): Turn => ({
  number: numberIn(key),
  deeds: decode(value) as ReadonlyArray<Deed>,
})
const readCheckpoint = ({ value }: Entry): ReadonlyArray<Readonly<{ key: string; value: string }>> =>
  (decode(value) as ReadonlyArray<readonly [string, string]>).map(([key, text]) => ({ key, value: text }))

/** The journal that these entries of a store hold. Left: they hold none, in a sentence. */
export const readJournal = (entries: ReadonlyArray<Entry>): Either<string, Journal> => {
  const checkpoint = entries.filter(({ key }) => key.startsWith(CHECKPOINTS)).at(-1)
  const after = checkpoint === undefined ? 0 : numberIn(checkpoint.key)
  try {
    const model = loadModel(freshModel(), checkpoint === undefined ? [] : readCheckpoint(checkpoint))
    if (E.isLeft(model)) return model
    const turns = entries.filter(({ key }) => key.startsWith(TURNS)).map(readTurn)
    return E.right({ after, model: model.right, turns: turns.filter(({ number }) => number > after) })
  } catch (defect) {
    return E.left(`the journal cannot be read: ${defect instanceof Error ? defect.message : String(defect)}`)
  }
}

/** The number of the last turn that a store knows of. */
export const lastTurn = (entries: ReadonlyArray<Entry>): number =>
  Math.max(0, ...entries.map(({ key }) => numberIn(key)))

/** Where a journal and our rules first differ. `deed` counts from 0 within its turn. */
export type Divergence = Readonly<{ turn: number; deed: number; why: string }>

/** The model after one more deed, decided anew. */
const redo = (rules: Rules, model: Model, { command, events }: Deed): Either<string, Model> => {
  const decided = decide(rules, model, command)
  if (E.isLeft(decided)) return E.left(`the command ${command.tag} is refused: ${explain(decided.left)}`)
  return encode(decided.right) === encode(events)
    ? E.right(decided.right.reduce(evolve, model))
    : E.left(`the command ${command.tag} has other events than the journal says`)
}

/** Decides every command of a journal again; `hear` is told of the model after each turn. */
export const replay = (
  rules: Rules,
  { after, model, turns }: Journal,
  hear: (turn: Turn, model: Model) => void = () => {},
): Either<Divergence, Model> => {
  let now = model
  let expected = after + 1
  for (const turn of turns) {
    if (turn.number !== expected)
      return E.left({ turn: expected, deed: 0, why: `turn ${expected} is missing; the next one is ${turn.number}` })
    for (const [index, deed] of turn.deeds.entries()) {
      const next = redo(rules, now, deed)
      if (E.isLeft(next)) return E.left({ turn: turn.number, deed: index, why: next.left })
      now = next.right
    }
    hear(turn, now)
    expected += 1
  }
  return E.right(now)
}

// What was seen of a run, in the order of its time: the history of its clients, what was said and done beside, and what must not be.

import { check } from '../../../src/history/check.ts'
import { operationsOf } from '../../../src/history/event.ts'
import { explain } from '../../../src/history/explain.ts'
import { type Recorder, recorder } from '../../../src/history/record.ts'
import { showExplanation } from '../../../src/history/show.ts'
import { E } from '../../../src/prelude.ts'
import { end as endpointIdOf } from '../../lib/model.ts'
import { type Clears, clearsSeen } from './clears.ts'
import type { Telling } from './machine.ts'
import { hostsSpec, type In, type Out } from './spec.ts'

export type Witness = Readonly<{
  note: (what: string, details?: unknown) => void
  log: Recorder<In, Out>
  telling: Telling
  clears: Clears
  /** A phase of trouble begins. */
  begins: () => void
  /** What must not be, so far; it may be added to. */
  failures: string[]
  /** What is wrong with the history. */
  judge: () => ReadonlyArray<string>
  /** All that was noted, a line of JSON each. */
  text: () => string
}>

type Noted = (what: string, id: number, output?: unknown) => void

/** A recorder that tells of what it writes down, first. */
const noting = (all: Recorder<In, Out>, noted: Noted): Recorder<In, Out> => ({
  history: all.history,
  invoke: (client, input) => {
    const id = all.invoke(client, input)
    noted(`invoke ${client}`, id, input)
    return id
  },
  ok: (id, output) => {
    noted('ok', id, output)
    all.ok(id, output)
  },
  fail: (id) => {
    noted('fail', id)
    all.fail(id)
  },
  unknown: (id) => {
    noted('unknown', id)
    all.unknown(id)
  },
})

const MAX_STEPS = 5_000_000
const REACH = 500

/** `lateMs`: so late one may hear of what happened in the store, and so long before it the trouble may have been that was the cause. */
export const witnessOf = (lateMs: number): Witness => {
  const start = performance.now()
  const lines: string[] = []
  const note: Witness['note'] = (what, details = null) => {
    lines.push(JSON.stringify({ ms: Math.round(performance.now() - start), what, details }))
  }
  const all = recorder<In, Out>()
  let events = 0
  const noted: Noted = (what, id, output = null) => {
    events += 1
    note(`${id} ${what}`, output)
  }
  const troubles: Array<Readonly<{ atMs: number; events: number }>> = []
  const before = (): number | null =>
    (troubles.findLast(({ atMs }) => performance.now() - atMs > lateMs) ?? troubles[0])?.events ?? null
  const clears = clearsSeen(before, () => events)
  /** Of endpoints, by id. */
  const ips = new Map<string, string>()
  const failures: string[] = []

  const judge = (): ReadonlyArray<string> => {
    const operations = operationsOf(all.history())
    if (E.isLeft(operations)) return [`the history is none: ${JSON.stringify(operations.left)}`]
    const spec = hostsSpec((end) => ips.get(endpointIdOf(end)) ?? null)
    const verdict = check(spec, [...operations.right, ...clears.operations()], { maxSteps: MAX_STEPS })
    if (verdict.tag === 'linearizable') return []
    if (verdict.tag === 'undecided') return [`${verdict.group.name}: undecided after ${MAX_STEPS} steps`]
    return [showExplanation(spec, explain(spec, verdict.group, { maxSteps: MAX_STEPS, reach: REACH }))]
  }

  return {
    note,
    clears,
    failures,
    judge,
    begins: () => void troubles.push({ atMs: performance.now(), events }),
    text: () => lines.join('\n'),
    log: noting(all, noted),
    telling: {
      died: (node, why) => {
        note(`${node} died`, why)
        failures.push(`${node} ${why}`)
      },
      said: (node, said) => {
        if (said.tag === 'seen') {
          if (said.ip !== null) ips.set(said.endpoint, said.ip)
          return
        }
        note(node, said)
        if (said.tag === 'wrote') clears.hear(said)
      },
    },
  }
}

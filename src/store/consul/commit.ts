// Transactions, each until its outcome is known. Each rests on the head, writes its word to the log, and `last`, which nobody compares: so
// those that have nothing to do with each other do not meet. Now and then one ends the epoch of the log and begins the next.
// Invariant: it happens once at most; when that is not known at the end, the answer is `StoreUnavailable` and says so.

import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { makeGate } from '../gate.ts'
import { asStoreError } from '../http/fault.ts'
import { encodeWrites } from '../logged.ts'
import { packed } from '../packed.ts'
import type { Compare, Revision, Transaction } from '../store.ts'
import type { Failure } from './client.ts'
import type { Ground, Head } from './ground.ts'
import type { Heads } from './head.ts'
import { encodeHead, entryAt, epochAt, newWord, stamp } from './layout.ts'
import { seeKeys } from './read.ts'
import { settle } from './settle.ts'
import { finish, rotation, stagedOp, tooLargeForPieces, writeOp } from './stage.ts'
import { bytesOf, casOf, isAt, MOST_BYTES, MOST_OPS, type Op, setOf } from './txn.ts'

export type Task = Transaction &
  Readonly<{
    /** What is done with it, or nothing is. */
    also: ReadonlyArray<Op>
    /** Nothing may have happened since; null: as it likes. */
    since: Revision | null
    /** Which the store is of afterwards; null: as before. */
    schema: number | null
  }>

export const plain = (transaction: Transaction): Task => ({ ...transaction, also: [], since: null, schema: null })

/** What an operation is there for, and which key has changed if a compare fails. */
type Step = Readonly<{ op: Op; what: 'head' | 'since' | 'log' | 'write' | 'also' | Compare }>

/** What is sent. `rotates`: the head after it, if it ends an epoch or is written in pieces. */
type Plan = Readonly<{ steps: ReadonlyArray<Step>; logged: string; next: Omit<Head, 'index'> | null }>

type Outcome = Readonly<
  | { tag: 'Done'; revision: Revision; plan: Plan }
  | { tag: 'Failed'; error: StoreError }
  /** It has not happened: what it rested on is not so any more, or is known better now. */
  | { tag: 'Again'; readHead: boolean }
  | { tag: 'Stale' }
>

export type Committer = Readonly<{
  commit: (task: Task, patienceMs?: number) => Promise<Either<StoreError, Revision>>
}>

const MOST_AT_ONCE = 16
/** The head, `since`, `last`, and what says that it is in pieces. */
const MOST_COMPARES = MOST_OPS - 5
const MOST_INDEXES = 10_000

const UNCHANGED = 'nothing was changed'
const UNKNOWN = 'whether the last transaction happened is not known: read again before repeating it'
const unanswered = (place: string, why: string, hint: string): StoreError => ({
  tag: 'StoreUnavailable',
  what: `${place} does not answer (${why})`,
  hint,
})

/** At which index an entry is that has a revision: at the same, but for what was written in pieces. */
type Indexes = Map<string, Readonly<{ revision: Revision; index: number }>>

const isKnown = (indexes: Indexes, { key, revision }: Compare): boolean =>
  revision === 0 || indexes.get(key)?.revision === revision
const indexOf = (indexes: Indexes, { key, revision }: Compare): number => {
  const known = indexes.get(key)
  return known?.revision === revision ? known.index : revision
}

const checksOf = ({ layout }: Ground, indexes: Indexes, { compares, since }: Task): ReadonlyArray<Step> => [
  ...(since === null ? [] : [{ op: isAt(layout.last, since), what: 'since' as const }]),
  ...compares.map((compare) => ({
    op: isAt(entryAt(layout, compare.key), indexOf(indexes, compare)),
    what: compare,
  })),
]

const opsOf = (steps: ReadonlyArray<Step>): ReadonlyArray<Op> => steps.map(({ op }) => op)
const fits = (steps: ReadonlyArray<Step>): boolean => steps.length <= MOST_OPS && bytesOf(opsOf(steps)) <= MOST_BYTES

const headStep = ({ layout }: Ground, head: Head, next: Plan['next']): Step => ({
  op: next === null ? isAt(layout.head, head.index) : casOf(layout.head, head.index, encodeHead(next), stamp()),
  what: 'head',
})

/** All at once. */
const wholePlan = (ground: Ground, indexes: Indexes, head: Head, task: Task, rotates: boolean): Plan => {
  const { layout } = ground
  const word = newWord()
  const logged = `${epochAt(layout, head.epoch)}${word}`
  const next = rotates ? { ...head, schema: task.schema ?? head.schema, epoch: head.epoch + 1 } : null
  const writes = [
    setOf(layout.last, word, stamp()),
    ...task.writes.map((write) => writeOp(layout, write, stamp())),
    ...(rotates ? rotation(layout, head, stamp()) : []),
  ]
  const steps: ReadonlyArray<Step> = [
    headStep(ground, head, next),
    ...checksOf(ground, indexes, task),
    { op: casOf(logged, 0, packed(encodeWrites(task.writes)), stamp()), what: 'log' },
    ...writes.map((op) => ({ op, what: 'write' as const })),
    ...task.also.map((op) => ({ op, what: 'also' as const })),
  ]
  return { steps, logged, next }
}

/** The step by which it happens; the rest is written in pieces. */
const stagedPlan = (ground: Ground, indexes: Indexes, head: Head, task: Task): Plan => {
  const { layout } = ground
  const word = newWord()
  const logged = `${epochAt(layout, head.epoch)}${word}`
  const next = { ...head, schema: task.schema ?? head.schema, pending: true }
  const steps: ReadonlyArray<Step> = [
    headStep(ground, head, next),
    ...checksOf(ground, indexes, task),
    { op: isAt(logged, 0), what: 'log' },
    { op: setOf(layout.last, word, stamp()), what: 'write' },
    { op: stagedOp(layout, logged, task.writes), what: 'write' },
  ]
  return { steps, logged, next }
}

const planOf = (
  ground: Ground,
  indexes: Indexes,
  head: Head,
  task: Task,
  rotates: boolean,
): Either<StoreError, Plan> => {
  const whole = wholePlan(ground, indexes, head, task, rotates || task.schema !== null)
  if (fits(whole.steps)) return E.right(whole)
  const { steps, ...rest } = stagedPlan(ground, indexes, head, task)
  if (!fits(steps) || task.also.length > 0)
    return E.left({ tag: 'StoreTooLarge', what: 'bytes', size: bytesOf(opsOf(steps)), most: MOST_BYTES })
  const large = tooLargeForPieces(task.writes.map((write) => writeOp(ground.layout, write, stamp())))
  return large === null ? E.right({ steps, ...rest }) : E.left(large)
}

/** Compares that failed: which of them are stale, and at which index the others are. */
const judge = async (ground: Ground, indexes: Indexes, failed: ReadonlyArray<Compare>): Promise<Outcome> => {
  const conflict = (key: string): Outcome => ({ tag: 'Failed', error: { tag: 'StoreConflict', key } })
  const [first] = failed
  if (first !== undefined && failed.every((compare) => isKnown(indexes, compare))) return conflict(first.key)
  const seen = await seeKeys(
    ground,
    failed.map(({ key }) => key),
  )
  if (E.isLeft(seen)) return { tag: 'Failed', error: seen.left }
  if (indexes.size > MOST_INDEXES) indexes.clear()
  for (const { key } of failed) {
    const found = seen.right.found.get(key)
    if (found === undefined || found.index === null) continue
    indexes.set(key, { revision: found.entry.revision, index: found.index })
  }
  const stale = failed.find(({ key, revision }) => (seen.right.found.get(key)?.entry.revision ?? 0) !== revision)
  return stale === undefined ? { tag: 'Again', readHead: false } : conflict(stale.key)
}

const resultOf = async (
  ground: Ground,
  indexes: Indexes,
  { steps }: Plan,
  failures: ReadonlyArray<Failure>,
): Promise<Outcome | 'unclear'> => {
  const failed = failures.map(({ at, what }) => ({ step: steps[at]?.what, what }))
  if (failed.some(({ step }) => step === 'head')) return { tag: 'Again', readHead: true }
  if (failed.some(({ step }) => step === 'since')) return { tag: 'Stale' }
  const compares = failed.flatMap(({ step }) => (typeof step === 'object' ? [step] : []))
  if (compares.length > 0) return judge(ground, indexes, compares)
  // Its word is there: somebody on the way has sent it twice.
  if (failed.some(({ step }) => step === 'log')) return 'unclear'
  const why = failed.map(({ what }) => what).join(', ')
  return { tag: 'Failed', error: { tag: 'StoreUnavailable', what: `${ground.place} refuses: ${why}`, hint: UNCHANGED } }
}

const attempt = async (
  ground: Ground,
  indexes: Indexes,
  head: Head,
  plan: Plan,
  until: number,
  patienceMs: number | undefined,
): Promise<Outcome> => {
  const { client, place } = ground
  const answer = await client.txn(opsOf(plan.steps), false, patienceMs)
  if (E.isRight(answer) && E.isRight(answer.right)) {
    // Where it was checked it is told twice, first as it was.
    const last = answer.right.right.filter(({ key }) => key === ground.layout.last).at(-1)
    return { tag: 'Done', revision: last?.index ?? 0, plan }
  }
  if (E.isLeft(answer) && answer.left.tag !== 'Unclear')
    return { tag: 'Failed', error: asStoreError(place, answer.left, UNCHANGED) }
  if (E.isRight(answer) && E.isLeft(answer.right)) {
    const result = await resultOf(ground, indexes, plan, answer.right.left)
    if (result !== 'unclear') return result
  }
  const settled = await settle(ground, { head, logged: plan.logged }, until)
  if (settled.tag === 'Happened') return { tag: 'Done', revision: settled.revision, plan }
  if (settled.tag === 'Never') return { tag: 'Again', readHead: true }
  const why = E.isLeft(answer) && answer.left.tag === 'Unclear' ? answer.left.why : 'it has forgotten too much'
  return { tag: 'Failed', error: unanswered(place, why, UNKNOWN) }
}

const sizeOf = ({ writes }: Task): number => writes.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)

/** More compares than one transaction takes are looked at before; then nothing may happen in between. */
const fewCompares = async (ground: Ground, task: Task): Promise<Either<StoreError, Task>> => {
  const { compares } = task
  if (compares.length <= MOST_COMPARES) return E.right(task)
  const seen = await seeKeys(
    ground,
    compares.map(({ key }) => key),
  )
  if (E.isLeft(seen)) return seen
  const stale = compares.find(({ key, revision }) => (seen.right.found.get(key)?.entry.revision ?? 0) !== revision)
  if (stale !== undefined) return E.left({ tag: 'StoreConflict', key: stale.key })
  return E.right({ ...task, compares: [], since: seen.right.revision })
}

/** `rotates`: whether a transaction that writes so many characters is to end an epoch; `rotated`: one has. */
export const makeCommitter = (
  ground: Ground,
  heads: Heads,
  { rotates, rotated }: Readonly<{ rotates: (size: number) => boolean; rotated: () => void }>,
): Committer => {
  const { place, patienceMs: usual } = ground
  const gate = makeGate(MOST_AT_ONCE)
  const indexes: Indexes = new Map()

  let finishing: Readonly<{ index: number; done: ReturnType<typeof finish> }> | null = null
  /** Once for all that wait for it here. */
  const finishAt = async (pending: Head, patienceMs?: number): Promise<Either<StoreError, Head | null>> => {
    if (finishing?.index !== pending.index)
      finishing = { index: pending.index, done: finish(ground, pending, patienceMs) }
    const finished = await finishing.done
    finishing = null
    if (E.isRight(finished) && finished.right !== null) heads.learn(finished.right)
    return finished
  }
  /** At which nothing is pending. */
  const freeHead = async (reads: boolean, until: number, patienceMs?: number): Promise<Either<StoreError, Head>> => {
    for (let head = reads ? null : heads.known(); ; ) {
      const read: Either<StoreError, Head> = head === null ? await heads.read(patienceMs) : E.right(head)
      if (E.isLeft(read) || !read.right.pending) return read
      const finished = await finishAt(read.right, patienceMs)
      if (E.isLeft(finished)) return finished
      head = finished.right
      if (performance.now() > until) return E.left(unanswered(place, 'a transaction is in the way', UNCHANGED))
    }
  }
  const done = async (revision: Revision, { next }: Plan, patienceMs?: number): Promise<void> => {
    if (next === null) return
    const head = { ...next, index: revision }
    heads.learn(head)
    // It has happened; whoever comes next finishes it if we cannot.
    if (next.pending) await finishAt(head, patienceMs)
    rotated()
  }

  const commit = async (wanted: Task, patienceMs?: number): Promise<Either<StoreError, Revision>> => {
    const until = performance.now() + (patienceMs ?? usual)
    let readHead = false
    do {
      const head = await freeHead(readHead, until, patienceMs)
      if (E.isLeft(head)) return head
      const task = await fewCompares(ground, wanted)
      if (E.isLeft(task)) return task
      const plan = planOf(ground, indexes, head.right, task.right, rotates(sizeOf(task.right)))
      if (E.isLeft(plan)) return plan
      const outcome = await attempt(ground, indexes, head.right, plan.right, until, patienceMs)
      if (outcome.tag === 'Failed') return E.left(outcome.error)
      if (outcome.tag === 'Done') {
        await done(outcome.revision, outcome.plan, patienceMs)
        return E.right(outcome.revision)
      }
      if (outcome.tag === 'Stale' && wanted.since !== null)
        return E.left({ tag: 'StoreUnavailable', what: `${place} changes meanwhile`, hint: 'try again later' })
      readHead = outcome.tag === 'Again' && outcome.readHead
    } while (performance.now() < until)
    return E.left({ tag: 'StoreUnavailable', what: `${place} does not answer in time`, hint: UNCHANGED })
  }

  return { commit: (task, patienceMs) => gate(() => commit(task, patienceMs)) }
}

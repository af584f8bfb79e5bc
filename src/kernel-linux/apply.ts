// Applies operations: stage after stage, the batches of a stage at the same time. The first refused command of an operation
// is what is reported of it, and holds back the others.

import { makeHoldBack } from '../kernel/hold-back.ts'
import type { KernelError, Refusal } from '../kernel/kernel.ts'
import type { Netns } from '../kernel/object.ts'
import type { KernelOp } from '../kernel/op.ts'
import type { Ns } from '../net/name.ts'
import { E, type Either } from '../prelude.ts'
import type { Refused } from './batch.ts'
import { depart } from './departure.ts'
import { inContext } from './errno.ts'
import type { Names } from './names.ts'
import { type Eyes, realNames } from './observe.ts'
import { type Batch, type Stage, type Step, schedule } from './schedule.ts'
import type { Begun } from './transport.ts'
import { turn } from './turn.ts'

/** `vacate` ends what we run in a namespace: a process in it would keep it alive after its deletion. */
export type Machine = Eyes & Readonly<{ vacate: (ns: Ns) => Promise<void> }>

/** More than these are scheduled in one turn of the event loop and begun in the next. */
const FEW = 64

/** A machine on which a list of operations is carried out. */
type Work = Machine & Readonly<{ begun: Begun }>

/** The namespace that this process runs in can be neither made nor deleted. */
const ofOwnNetns = (names: Names, op: KernelOp, at: number): ReadonlyArray<Refusal> => {
  if (op.object.kind !== 'netns' || names(op.object.ns) !== null) return []
  const errno = op.verb === 'create' ? 'EEXIST' : 'EBUSY'
  return [{ at, op, errno, detail: 'it is the namespace this process runs in' }]
}

const deletedBy = (stage: Stage): ReadonlyArray<Netns> =>
  stage.flatMap(({ steps }) =>
    steps.flatMap(({ op }) => (op.verb === 'delete' && op.object.kind === 'netns' ? [op.object] : [])),
  )

const runBatch = async (machine: Work, batch: Batch): Promise<Either<KernelError, ReadonlyArray<Refused>>> => {
  const { tool, ns, steps } = batch
  if (ns === null || (tool !== 'nft' && tool !== 'sysctl')) return machine.begun.runBatch(batch)
  const means = tool === 'nft' ? machine.firewall : machine.sysctls
  const refused = await means.run(
    ns,
    steps.map(({ op }) => op),
  )
  if (E.isLeft(refused)) return refused
  return E.right(
    refused.right.flatMap(({ at, complaint }) => {
      const step = steps[at]
      return step === undefined ? [] : [{ step, complaint }]
    }),
  )
}

const runBatches = async (
  machine: Work,
  batches: ReadonlyArray<Batch>,
): Promise<Either<KernelError, ReadonlyArray<Refused>>> => {
  const results = await Promise.all(
    batches.map(async (batch) => {
      // Done on this thread, while others wait for theirs.
      if (batch.tool === 'nft') await turn()
      return runBatch(machine, batch)
    }),
  )
  const refused: Refused[] = []
  for (const result of results) {
    if (E.isLeft(result)) return result
    refused.push(...result.right)
  }
  return E.right(refused)
}

/** Runs a stage that deletes namespaces; the other ends of their veths go behind the caller's back. */
const runDeparture = async (
  machine: Work,
  batches: ReadonlyArray<Batch>,
): Promise<Either<KernelError, ReadonlyArray<Refused>>> => {
  const { names, transport, departures, neighbours } = machine
  const deleted = deletedBy(batches)
  const gone = new Set(deleted.map(({ ns }) => names(ns) ?? ''))
  // An adopted one lives on, with veths that are its owner's.
  const going = deleted.flatMap(({ ns, at }) => (at === null ? [ns] : []))
  const existing = await realNames()
  const staying = neighbours.of(going).filter((ns) => {
    const real = names(ns)
    return real === null || (existing.has(real) && !gone.has(real))
  })
  await Promise.all(deleted.map(({ ns }) => machine.vacate(ns)))
  const leaving = await transport.leaving(going, staying)
  if (E.isLeft(leaving)) return leaving
  const refused = await runBatches(machine, batches)
  neighbours.forget(going)
  depart(transport, departures, leaving.right, 'we')
  return refused
}

/** A batch without what is refused already; what is held back for what it belongs to, is refused with this. */
const attempted = (batch: Batch, refusals: Map<number, Refusal>): Batch => {
  const { refusalOf } = makeHoldBack(refusals.values())
  for (const { at, op } of batch.steps) {
    const held = refusals.has(at) ? null : refusalOf(op, at)
    if (held !== null) refusals.set(at, held)
  }
  return { ...batch, steps: batch.steps.filter((step: Step) => !refusals.has(step.at)) }
}

/** Left: the tools could not be used (some operations may have been applied), or what was refused, in order. */
export const apply = async (
  machine: Machine,
  ops: ReadonlyArray<KernelOp>,
): Promise<Either<ReadonlyArray<Refusal> | KernelError, void>> => {
  const refusals = new Map(ops.flatMap((op, at) => ofOwnNetns(machine.names, op, at)).map((one) => [one.at, one]))
  machine.neighbours.note(ops.map(({ object }) => object))
  const begun = machine.transport.begin(ops)
  const work = { ...machine, begun }
  const steps = begun.steps.filter((step) => !refusals.has(step.at))
  const stages = schedule(steps)
  if (ops.length > FEW) await turn()
  for (const stage of stages) {
    const batches = stage.map((batch) => attempted(batch, refusals)).filter((batch) => batch.steps.length > 0)
    await machine.departures.inTheWayOf(batches.flatMap(({ steps }) => steps.map(({ op }) => op)))
    const result = await (deletedBy(batches).length > 0 ? runDeparture : runBatches)(work, batches)
    if (E.isLeft(result)) return result
    for (const { step, complaint } of result.right) {
      const { at, op } = step
      if (!refusals.has(at)) refusals.set(at, { at, op, ...inContext(op, complaint) })
    }
  }
  return refusals.size === 0 ? E.right(undefined) : E.left([...refusals.values()].sort((a, b) => a.at - b.at))
}

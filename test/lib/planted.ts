// Violations planted in histories that have none: one answer becomes another, of which it is certain that nobody can have got it.

import { type History, type Operation, operationsOf } from '../../src/history/event.ts'
import type { ObjectIn, ObjectOut } from '../../src/history/specs/objects.ts'
import type { PoolIn, PoolOut } from '../../src/history/specs/pool.ts'
import type { StoreIn, StoreOut } from '../../src/history/specs/store.ts'
import { E } from '../../src/prelude.ts'

type Some<In, Out> = ReadonlyArray<Operation<In, Out>>

export const operationsIn = <In, Out>(history: History<In, Out>): Some<In, Out> => {
  const operations = operationsOf(history)
  if (E.isLeft(operations)) throw new Error(JSON.stringify(operations.left))
  return operations.right
}

/** The operations with another answer for the first one, from `from` on, for which there is one. */
const planted = <In, Out>(
  operations: Some<In, Out>,
  from: number,
  wrong: (operation: Operation<In, Out>, before: Some<In, Out>) => Out | undefined,
): Some<In, Out> => {
  for (let i = from; i < operations.length; i++) {
    const operation = operations[i]
    if (operation === undefined || !operation.required) continue
    // Far enough back: the histories in which this is looked for are long.
    const output = wrong(operation, operations.slice(Math.max(0, i - 20_000), i))
    if (output !== undefined) return operations.with(i, { ...operation, output })
  }
  throw new Error('there is no place for a violation')
}

/** A read tells of what was overwritten before it was called, as another read knew. */
export const staleRead = (operations: Some<StoreIn, StoreOut>, from: number): Some<StoreIn, StoreOut> =>
  planted(operations, from, ({ input, output, called }, before) => {
    if (input.do !== 'get' || output === undefined || !('entry' in output)) return undefined
    const entries = before.flatMap((each) =>
      each.returned < called &&
      each.output !== undefined &&
      'entry' in each.output &&
      each.output.entry?.key === input.key
        ? [each.output.entry]
        : [],
    )
    const newest = Math.max(...entries.map(({ revision }) => revision))
    const old = entries.filter(({ revision }) => revision < newest).at(-1)
    return old === undefined ? undefined : { entry: old }
  })

/** An address is given to a second while it is the first one's: nobody has begun to give it back. */
export const doubledAddress = (operations: Some<PoolIn, PoolOut>, from: number): Some<PoolIn, PoolOut> =>
  planted(operations, from, ({ input, output, called, returned }, before) => {
    if (input.do !== 'allocate' || typeof output !== 'object') return undefined
    for (const each of before.toReversed()) {
      if (each.input.do !== 'allocate' || typeof each.output !== 'object' || !('ip' in each.output)) continue
      const { ip } = each.output
      if (each.returned > called) continue
      const isTouched = operations.some(
        (other) =>
          'ip' in other.input && other.input.ip === ip && other.called < returned && other.returned > each.called,
      )
      if (!isTouched) return { ip }
    }
    return undefined
  })

/** An object is found again after it was deleted, and nobody has begun to create it anew. */
export const lostDelete = (operations: Some<ObjectIn, ObjectOut>, from: number): Some<ObjectIn, ObjectOut> =>
  planted(operations, from, ({ input, output, called, returned }, before) => {
    if (input.do !== 'find' || output !== 'absent') return undefined
    const creation = before.findLast(
      (each) => each.input.do === 'create' && each.input.name === input.name && each.output === 'done',
    )
    if (creation === undefined || creation.input.do !== 'create') return undefined
    const { id } = creation.input
    const deletion = before.findLast(
      (each) => each.input.do === 'delete' && each.input.id === id && each.output === 'done',
    )
    if (deletion === undefined || deletion.called < creation.returned || deletion.returned > called) return undefined
    const isTouched = operations.some(
      (each) =>
        each.input.do === 'create' &&
        each.input.name === input.name &&
        each.called < returned &&
        each.returned > deletion.called,
    )
    return isTouched ? undefined : { id }
  })

// Long histories: true ones are accepted, and a single wrong answer is found and told in a handful of operations.

import { describe, expect, test } from 'vitest'
import { check } from '../../src/history/check.ts'
import type { Operation } from '../../src/history/event.ts'
import { explain } from '../../src/history/explain.ts'
import { showExplanation } from '../../src/history/show.ts'
import type { Spec } from '../../src/history/spec.ts'
import { OBJECTS } from '../../src/history/specs/objects.ts'
import { poolSpec } from '../../src/history/specs/pool.ts'
import { STORE } from '../../src/history/specs/store.ts'
import { addressesOf, diceOf, interleaved, objectsPlan, type Plan, poolPlan, storePlan } from '../lib/histories.ts'
import { doubledAddress, lostDelete, operationsIn, staleRead } from '../lib/planted.ts'
import { isLinearizable } from './brute.ts'

type Some<In, Out> = ReadonlyArray<Operation<In, Out>>
const POOL = poolSpec(() => addressesOf(256))
const SIZES = [
  [1_000, 0],
  [1_000, 10],
  [20_000, 0],
  [20_000, 10],
  [100_000, 0],
] as const

const facts = <State, In, Out>(
  title: string,
  spec: Spec<State, In, Out>,
  planOf: (operations: number, objects: number, unknown: number) => Plan<In, Out>,
  plant: (operations: Some<In, Out>, from: number) => Some<In, Out>,
) =>
  test.for(SIZES)(`${title} in %i operations, of a thousand %i unknown`, { timeout: 120_000 }, ([count, unknown]) => {
    const operations = operationsIn(interleaved(planOf(count, 256, unknown), diceOf(count + unknown)))
    expect(check(spec, operations).tag).toBe('linearizable')
    const verdict = check(spec, plant(operations, Math.floor(count * 0.7)))
    if (verdict.tag !== 'violated') throw new Error(verdict.tag)
    const explanation = explain(spec, verdict.group)
    expect(explanation.operations.length, showExplanation(spec, explanation)).toBeLessThanOrEqual(6)
    expect(explanation.believed).toBe(0)
    expect(isLinearizable(spec, explanation.operations)).toBe(false)
  })

describe('is found, and told in at most six operations:', () => {
  facts('a stale read', STORE, storePlan, staleRead)
  facts('a doubled address', POOL, poolPlan, doubledAddress)
  facts('a lost delete', OBJECTS, objectsPlan, lostDelete)
})

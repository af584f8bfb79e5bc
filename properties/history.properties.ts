// The checker of histories beside the definition of linearizability, and what it says of violations.

import { test } from '@fast-check/vitest'
import type fc from 'fast-check'
import { afterAll, describe, expect } from 'vitest'
import { check } from '../src/history/check.ts'
import type { Operation } from '../src/history/event.ts'
import { explain } from '../src/history/explain.ts'
import type { Spec } from '../src/history/spec.ts'
import { OBJECTS } from '../src/history/specs/objects.ts'
import { poolSpec } from '../src/history/specs/pool.ts'
import { STORE } from '../src/history/specs/store.ts'
import { isLegal, isLinearizable } from '../test/history/brute.ts'
import { runs } from '../test/lib/runs.ts'
import { objectOperations, poolOperations, storeOperations } from './arbitraries/histories.ts'

const POOL = poolSpec(() => ['10.0.0.1', '10.0.0.2'])

type Judge = <State, In, Out>(spec: Spec<State, In, Out>, operations: ReadonlyArray<Operation<In, Out>>) => boolean

/** Group by group, for a spec whose objects are less than the whole. */
const byGroup: Judge = (spec, operations) =>
  spec.partition(operations).every((group) => isLinearizable(spec, group.operations))

/** The laws of the checker, for one spec and histories that are often legal and often not. */
const laws = <State, In, Out>(
  title: string,
  spec: Spec<State, In, Out>,
  histories: fc.Arbitrary<ReadonlyArray<Operation<In, Out>>>,
  judge: Judge,
): unknown =>
  describe(title, () => {
    const met = { linearizable: 0, violated: 0, undecided: 0 }

    test.prop([histories], runs(3))('is judged as the definition says', (operations) => {
      const verdict = check(spec, operations)
      met[verdict.tag] += 1
      expect(verdict.tag).toBe(judge(spec, operations) ? 'linearizable' : 'violated')
    })

    afterAll(() => {
      const all = met.linearizable + met.violated
      if (all < 200) return
      expect(met.linearizable / all).toBeGreaterThan(0.1)
      expect(met.violated / all).toBeGreaterThan(0.1)
    })

    test.prop([histories], runs(2))('that is accepted has an order which the spec allows', (operations) => {
      const verdict = check(spec, operations)
      if (verdict.tag !== 'linearizable') return
      const placed = new Set<number>()
      for (const { group, order } of verdict.orders) {
        const its = order.flatMap((id) => group.operations.filter((each) => each.id === id))
        expect(isLegal(spec, its)).toBe(true)
        for (const { id } of its) placed.add(id)
      }
      for (const { id, required } of operations) if (required) expect(placed).toContain(id)
    })

    test.prop([histories], runs(2))(
      'that is refused has a core: refused whatever is believed of the others, and not without any one of it',
      (operations) => {
        const verdict = check(spec, operations)
        if (verdict.tag !== 'violated') return
        const { operations: all } = verdict.group
        const shown = explain(spec, verdict.group)
        expect(isLinearizable(spec, shown.operations)).toBe(false)
        expect(
          isLinearizable(
            spec,
            all.filter(({ id }) => shown.core.has(id)),
          ),
        ).toBe(false)
        const believing = (ids: ReadonlyArray<number>) =>
          all.map((each) => (ids.includes(each.id) ? each : { ...each, required: false }))
        expect(isLinearizable(spec, believing([...shown.core]))).toBe(false)
        for (const one of shown.core)
          expect(isLinearizable(spec, believing([...shown.core].filter((id) => id !== one)))).toBe(true)
        expect(shown.core.has(shown.last)).toBe(true)
      },
    )

    test.prop([histories], runs(2))('that is accepted stays so, if its end is not yet seen', (operations) => {
      const verdict = check(spec, operations)
      if (verdict.tag !== 'linearizable') return
      const seen = operations
        .filter(({ called }) => called < 8)
        .map((each) => (each.returned < 8 ? each : { ...each, output: undefined, returned: Infinity, required: false }))
      expect(check(spec, seen).tag).toBe('linearizable')
    })
  })

laws('a small history of a pool', POOL, poolOperations, isLinearizable)
laws('a small history of objects', OBJECTS, objectOperations, isLinearizable)
laws('a small history of a store', STORE, storeOperations, byGroup)

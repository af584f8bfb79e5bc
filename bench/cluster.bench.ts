// What it costs to judge what clients of a cluster saw: histories of 16 clients, with and without operations of which nobody
// heard the end, and what it costs to say what is wrong. A bar is seconds for 100,000 operations, from the events to the verdict.

import { findBinary } from '../scripts/lib/system.mjs'
import { check } from '../src/history/check.ts'
import { explain } from '../src/history/explain.ts'
import { showExplanation } from '../src/history/show.ts'
import type { Spec } from '../src/history/spec.ts'
import { OBJECTS } from '../src/history/specs/objects.ts'
import { poolSpec } from '../src/history/specs/pool.ts'
import { STORE } from '../src/history/specs/store.ts'
import { addressesOf, diceOf, interleaved, objectsPlan, type Plan, poolPlan, storePlan } from '../test/lib/histories.ts'
import { operationsIn, staleRead } from '../test/lib/planted.ts'
import { rateMetrics, roles } from './cluster/rate.ts'
import { type Absent, type Bench, median, type Result } from './lib.ts'
import { playing } from './linux/role.ts'

const COUNT = 100_000
const OBJECTS_OF_EACH = 256
const POOL = poolSpec(() => addressesOf(OBJECTS_OF_EACH))

/** Seconds, at the median of three runs. */
const seconds = (work: () => void): number =>
  median(
    [1, 2, 3].map(() => {
      const start = performance.now()
      work()
      return (performance.now() - start) / 1000
    }),
  )

/** Ratio to the same with a tenth of the operations, on as many objects each: 10 means that cost is in proportion. */
const accepting = async <State, In, Out>(
  spec: Spec<State, In, Out>,
  planOf: (count: number, objects: number) => Plan<In, Out>,
): Promise<Result> => {
  const [whole, tenth] = [1, 10].map((share) => {
    const history = interleaved(planOf(COUNT / share, Math.ceil(OBJECTS_OF_EACH / share)), diceOf(share))
    return seconds(() => {
      const { tag } = check(spec, operationsIn(history))
      if (tag !== 'linearizable') throw new Error(`a true history was ${tag}`)
    })
  })
  return { value: whole ?? 0, ratios: [{ ratio: (whole ?? 0) / (tenth ?? 1), to: 'a tenth of it' }] }
}

const explaining = async (): Promise<Result> => {
  const operations = operationsIn(interleaved(storePlan(COUNT, OBJECTS_OF_EACH), diceOf(7)))
  const wrong = staleRead(operations, COUNT * 0.7)
  const value = seconds(() => {
    const verdict = check(STORE, wrong)
    if (verdict.tag !== 'violated') throw new Error(`a stale read was ${verdict.tag}`)
    const explanation = explain(STORE, verdict.group)
    if (explanation.operations.length > 6) throw new Error(showExplanation(STORE, explanation))
  })
  return { value, ratios: [] }
}

const seconds100k = (name: string, run: () => Promise<Result>): Bench => ({ name, unit: 's', better: 'lower', run })

/** Processes of a benchmark are this bundle again, in a role. */
const BUNDLE = import.meta.url
export const play = playing(roles)

const lacked = ['etcd', 'setpriv', 'java'].filter((program) => findBinary(program) === null)

export const absent: ReadonlyArray<Absent> =
  lacked.length === 0
    ? []
    : ['etcd', 'zookeeper'].map((kind) => ({ area: `cluster.${kind}`, why: `without ${lacked.join(', ')}` }))

export const benches: ReadonlyArray<Bench> = [
  ...(lacked.length === 0 ? rateMetrics(BUNDLE) : []),
  seconds100k('cluster.linearize100k.s', () => accepting(STORE, storePlan)),
  seconds100k('cluster.linearize100kUnknown.s', () => accepting(STORE, (count, keys) => storePlan(count, keys, 10))),
  seconds100k('cluster.linearize100kPool.s', () => accepting(POOL, poolPlan)),
  seconds100k('cluster.linearize100kObjects.s', () => accepting(OBJECTS, objectsPlan)),
  seconds100k('cluster.explain100k.s', explaining),
]

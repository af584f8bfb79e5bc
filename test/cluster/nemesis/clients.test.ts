// Clients of hosts that share a memory store, whose news comes late: what they see is linearizable, nobody is told anything strange, and
// the spec that says so has seen answers of every kind.

import { expect, test } from 'vitest'
import type { SharedStore } from '../../../src/store/lease.ts'
import { memoryStore } from '../../../src/store/memory.ts'
import { diceOf } from '../../lib/histories.ts'
import { openHost, sharedMemory } from '../hosts.ts'
import { acted } from './acts.ts'
import { freshBoard, runClient } from './clients.ts'
import { HOSTS } from './plan.ts'
import { witnessOf } from './witness.ts'

const MS = 3000
const LATE_MS = 10
const CLIENTS = [0, 1, 2]

/** News comes late, so that hosts decide on what is not so any more. */
const late = (store: SharedStore): SharedStore => ({
  ...store,
  watch: (prefix, since, hear) => store.watch(prefix, since, (news) => void setTimeout(() => hear(news), LATE_MS)),
})

test('clients of three hosts at once see what one cluster may tell', async () => {
  const store = memoryStore()
  const engines = await Promise.all(HOSTS.map((host) => openHost(host, late(sharedMemory(store)))))
  const [witness, board] = [witnessOf(0), freshBoard()]
  const untilMs = performance.now() + MS
  await Promise.all(
    engines.flatMap((engine, at) =>
      CLIENTS.map((n) =>
        runClient({
          ...{
            name: `${HOSTS[at]}${n}`,
            host: HOSTS[at] ?? '',
            dice: diceOf(10 * at + n + 1),
            board,
            log: witness.log,
          },
          ...{ act: (act) => acted(engine, act), ready: async () => {}, pauseMs: 1 },
          isOver: () => performance.now() > untilMs,
        }),
      ),
    ),
  )
  expect(board.strange).toEqual([])
  expect(witness.judge()).toEqual([])
  const said = new Set(witness.log.history().flatMap((event) => (event.tag === 'ok' ? [event.output.said] : [])))
  for (const answer of ['done', 'taken', 'address taken', 'in use'] as const) expect(said).toContain(answer)
  await Promise.all(engines.map((engine) => engine.close()))
})

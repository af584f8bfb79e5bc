// Hosts that share a store, with machines of their own that are killed, stopped and cut off: one short run for each store. Many long ones:
// npm run nemesis (docs/clusters.md).

import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle } from '../kernel-linux/labs.ts'
import { needsEtcd } from '../lib/etcd.ts'
import { needs } from '../lib/need.ts'
import { needsZookeeper } from '../lib/zookeeper.ts'
import type { StoreKind } from './nemesis/protocol.ts'
import { runNemesis } from './nemesis/run.ts'

/** Of a plan with faults of servers and of hosts, shorter and longer than a host may be silent. */
const SEED = 46
const SECONDS = 15
/** `npm run nemesis` asks for 5 s, alone on the machine. */
const PATIENT_MS = 60_000

needs.kernel('three hosts, each with its kernel', () => {
  let program = ''
  beforeAll(async () => {
    program = await bundle('test/cluster/nemesis/host.ts', `nemesis-host-${process.pid}.mjs`)
  })
  afterAll(() => rmSync(program, { force: true }))

  const STORES = [
    { needed: needsEtcd, store: 'etcd' },
    { needed: needsZookeeper, store: 'zookeeper' },
  ] as const satisfies ReadonlyArray<Readonly<{ needed: unknown; store: StoreKind }>>
  for (const { needed, store } of STORES)
    needed(`that share three servers of ${store}`, () => {
      test('are in order when their machines are killed, stopped and cut off', { timeout: 240_000 }, async () => {
        const report = await runNemesis({ store, seed: SEED, seconds: SECONDS, program, convergeMs: PATIENT_MS })
        expect(report.failures, `its log: ${report.log}`).toEqual([])
        expect([report.operations > 100, report.faults > 0]).toEqual([true, true])
      })
    })
})

// What the engine costs: steps through decide, evolve, render, diff and the simulated kernel on a busy host, where the peer
// is a host a tenth the size (cost should follow the change, not the host); and durable commands on the embedded store.

import { join as path } from 'node:path'
import { DRIVERS } from '../src/drivers/registry.ts'
import { type Engine, openEngine } from '../src/engine/engine.ts'
import { step } from '../src/engine/step.ts'
import { diff } from '../src/kernel/diff.ts'
import { EMPTY_STATE } from '../src/kernel/state.ts'
import { hostWorld } from '../src/kernel-sim/control.ts'
import { applyAll, simKernel } from '../src/kernel-sim/kernel.ts'
import { E } from '../src/prelude.ts'
import { inDir, rawIn, storeIn } from './lib/disk.ts'
import { busyHost, createEndpoint, createNetwork, createSandbox, join, leave } from './lib/host.ts'
import { type Bench, type Result, rate } from './lib.ts'

const STEPS = 200

/** Leaves and joins, one operation list for each, all obeyed by core and kernel. The commands are there before. */
const stepping = (networks: number, each: number): (() => number) => {
  const count = networks * each
  const commands = Array.from({ length: 2 * count }, (_, n) => (n % 2 === 0 ? leave(n / 2) : join((n - 1) / 2)))
  let core = busyHost(networks, each)
  let { world } = applyAll(hostWorld(), diff(EMPTY_STATE, core.wanted.state))
  let at = 0
  return () => {
    let ops = 0
    for (let n = 0; n < STEPS; n++) {
      const command = commands[at % commands.length]
      if (command === undefined) throw new Error('no command')
      const next = step(DRIVERS, core, command)
      if (E.isLeft(next)) throw new Error(next.left.tag)
      const todo = diff(core.wanted.state, next.right.core.wanted.state)
      const applied = applyAll(world, todo)
      if (applied.refusals.length > 0) throw new Error(`the kernel refused ${applied.refusals[0]?.errno}`)
      core = next.right.core
      world = applied.world
      ops += todo.length
      at += 1
    }
    return ops
  }
}

/** Long rounds: an engine runs for days, and all of its code is compiled only after a second or two of work. */
const STEADY = { rounds: 5, roundMs: 1500 }

const steps = (networks: number, each: number) => (): Promise<Result> =>
  rate(
    STEPS,
    {
      ours: stepping(networks, each),
      peers: { [`host of ${networks * each * 0.1} endpoints`]: stepping(networks / 2, each / 5) },
    },
    STEADY,
  )

const ENDPOINTS = 64

const engineIn = async (dir: string): Promise<Engine> => {
  const engine = await openEngine({ kernel: simKernel(), store: await storeIn(dir), checkpointTurns: 1000 })
  if (E.isLeft(engine)) throw new Error(engine.left.tag)
  await engine.right.submit([
    createNetwork(0),
    ...Array.from({ length: ENDPOINTS }, (_, n) => [createSandbox(n), createEndpoint(n, 0)]).flat(),
  ])
  return engine.right
}

/** So many callers at once, each with a join or a leave, answered when it is on disk and in the kernel. */
const durable = (callers: number) => (): Promise<Result> =>
  inDir(async (dir) => {
    const engine = await engineIn(path(dir, 'ours'))
    const raw = rawIn(dir)
    const [joins, leaves] = [join, leave].map((command) => Array.from({ length: callers }, (_, i) => [command(i)]))
    let joined = false
    let n = 0
    const endpoint = Buffer.alloc(600, 1)
    const rivals = {
      ours: async () => {
        const commands = (joined ? leaves : joins) ?? []
        joined = !joined
        const answers = await Promise.all(commands.map((command) => engine.submit(command)))
        if (answers.some(([answer]) => answer === undefined || E.isLeft(answer))) throw new Error('refused')
      },
      peers: {
        'lmdb put and flush': () =>
          Promise.all(
            Array.from({ length: callers }, () => raw.put(Buffer.from(`endpoint/${n++ % ENDPOINTS}`), endpoint)),
          ),
      },
    }
    const result = await rate(callers, rivals, STEADY)
    await engine.close()
    await raw.close()
    return result
  })

/** How many times as long as lmdb's own put and flush a lone caller waits. */
const loneRatio = async (): Promise<Result> => {
  const { ratios } = await durable(1)()
  return { value: 1 / (ratios[0]?.ratio ?? Number.NaN), ratios: [] }
}

export const benches: ReadonlyArray<Bench> = [
  { name: 'engine.steps400.rate', unit: '1/s', better: 'higher', run: steps(8, 50) },
  { name: 'engine.steps4000.rate', unit: '1/s', better: 'higher', run: steps(20, 200) },
  { name: 'engine.lmdb64.rate', unit: '1/s', better: 'higher', run: durable(64) },
  { name: 'engine.lmdb1.ratio', unit: 'x', better: 'lower', run: loneRatio },
]

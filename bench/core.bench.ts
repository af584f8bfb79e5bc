// What a join and a leave cost the core on a busy host: deciding and evolving, with rendering and uniting, and with the
// diff to operations. The peer for each is a host a tenth the size: cost should follow the change, not the host.

import { DRIVERS } from '../src/drivers/registry.ts'
import { step } from '../src/engine/step.ts'
import { diff } from '../src/kernel/diff.ts'
import type { Command } from '../src/model/command.ts'
import { decide } from '../src/model/decide.ts'
import { evolve } from '../src/model/evolve.ts'
import type { Model } from '../src/model/types.ts'
import { E } from '../src/prelude.ts'
import { busyHost, join, leave } from './lib/host.ts'
import { type Bench, rate } from './lib.ts'

const LARGE = { networks: 8, each: 50 }
const SMALL = { networks: 4, each: 10 }
const STEPS = 20

const large = busyHost(LARGE.networks, LARGE.each)
const small = busyHost(SMALL.networks, SMALL.each)

const commands = Array.from({ length: STEPS }, (_, n) => (n % 2 === 0 ? leave(n >> 1) : join(n >> 1)))

const decideAndEvolve = (start: Model) => (): Model => {
  let model = start
  const obey = (command: Command): void => {
    const events = decide(DRIVERS, model, command)
    if (E.isLeft(events)) throw new Error(events.left.tag)
    model = events.right.reduce(evolve, model)
  }
  for (const command of commands) obey(command)
  return model
}

const steps = (start: typeof large, withDiff: boolean) => (): number => {
  let core = start
  let ops = 0
  for (let n = 0; n < STEPS; n++) {
    const next = step(DRIVERS, core, n % 2 === 0 ? leave(n >> 1) : join(n >> 1))
    if (E.isLeft(next)) throw new Error(next.left.tag)
    if (withDiff) ops += diff(core.wanted.state, next.right.core.wanted.state).length
    core = next.right.core
  }
  return ops
}

const TENTH = `host of ${SMALL.networks * SMALL.each} endpoints`

export const benches: ReadonlyArray<Bench> = [
  {
    name: 'core.decideEvolve400.rate',
    unit: '1/s',
    better: 'higher',
    run: () => rate(STEPS, { ours: decideAndEvolve(large.model), peers: { [TENTH]: decideAndEvolve(small.model) } }),
  },
  {
    name: 'core.step400.rate',
    unit: '1/s',
    better: 'higher',
    run: () => rate(STEPS, { ours: steps(large, false), peers: { [TENTH]: steps(small, false) } }),
  },
  {
    name: 'core.stepDiff400.rate',
    unit: '1/s',
    better: 'higher',
    run: () => rate(STEPS, { ours: steps(large, true), peers: { [TENTH]: steps(small, true) } }),
  },
]

// The simulated kernel: a whole run as `cnm run` does it, and its two halves, operations and packets. Fabrics: fabric.bench.ts.

import { labPlanOf } from '../src/cli/source.ts'
import { readProject } from '../src/compose/compose.ts'
import { diff } from '../src/kernel/diff.ts'
import { EMPTY_STATE, objectsOf, stateOf } from '../src/kernel/state.ts'
import { hostWorld } from '../src/kernel-sim/control.ts'
import { applyAll, simKernel } from '../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD } from '../src/kernel-sim/state.ts'
import { openLab } from '../src/lab/lab.ts'
import { findAll, questionsOf } from '../src/lab/reach.ts'
import { getIn, valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { composeOf } from './lib/compose-100.ts'
import { busyHost, createEndpoint, createSandbox, join, obey } from './lib/host.ts'
import { bridged, chained, hopsOf, matrixOf, type Place, sendAll } from './lib/traffic.ts'
import { type Bench, duration, median, type Result, rate } from './lib.ts'

/** Reads a file of so many services, builds it, and asks every question; the number of answers. */
const run = async (services: number, networks: number): Promise<number> => {
  const files = [{ path: 'compose.yaml', text: composeOf(services, networks) }]
  const project = readProject(files, { env: {}, directory: 'big', profiles: [] })
  if (E.isLeft(project)) throw new Error('the file is wrong')
  const lab = await openLab(simKernel(EMPTY_WORLD), labPlanOf(project.right))
  if (E.isLeft(lab)) throw new Error('the lab was refused')
  const found = await findAll(lab.right.kernel, lab.right.engine.model(), questionsOf(lab.right.containers))
  if (E.isLeft(found)) throw new Error('a question had no answer')
  return found.right.length
}

const timeMs = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work()
  return performance.now() - start
}

const ROUNDS = 5

/** Turn about with four runs of half the services: the table is quadratic, and nothing should be worse. */
const run100 = async (): Promise<Result> => {
  await run(100, 20)
  const rounds: Array<readonly [number, number]> = []
  for (let round = 0; round < ROUNDS; round++) {
    const whole = await timeMs(() => run(100, 20))
    const halves = await timeMs(async () => {
      for (let n = 0; n < 4; n++) await run(50, 10)
    })
    rounds.push([whole, halves])
  }
  return {
    value: median(rounds.map(([whole]) => whole)),
    ratios: [{ ratio: median(rounds.map(([whole, halves]) => whole / halves)), to: 'four runs of 50 services' }],
  }
}

const host = busyHost(8, 50).wanted.state
const building = diff(EMPTY_STATE, host)

/** Equal to the host, but no object is the same: what a sweep compares. */
const observed = stateOf(objectsOf(host).map((object) => ({ ...object })))

const built = (): unknown => {
  const { refusals } = applyAll(hostWorld(), building)
  if (refusals.length > 0) throw new Error(`${refusals.length} operations were refused`)
  return refusals
}

/** On a host of so many joined endpoints: another one joins, and goes again; each is one list. */
const comingAndGoing = (networks: number, each: number) => {
  const core = busyHost(networks, each)
  const more = networks * each
  const { state } = core.wanted
  const joined = [createSandbox(more), createEndpoint(more, 0), join(more)].reduce(obey, core).wanted.state
  const [come, go] = [diff(state, joined), diff(joined, state)]
  const { world } = applyAll(hostWorld(), diff(EMPTY_STATE, state))
  return {
    ops: come.length + go.length,
    work: () => {
      const after = applyAll(world, come)
      const last = applyAll(after.world, go)
      if (after.refusals.length + last.refusals.length > 0) throw new Error('an operation was refused')
      return last
    },
  }
}
const onMany = comingAndGoing(8, 50)
const onFew = comingAndGoing(1, 10)

/** Containers on bridge networks, through the drivers; the pings of all to all, asked one after the other of a fresh kernel. */
const asking = (networks: number, each: number) => {
  const { world } = applyAll(hostWorld(), diff(EMPTY_STATE, busyHost(networks, each).wanted.state))
  const places = valuesOf(world.namespaces).flatMap(({ ns, links }): ReadonlyArray<Place> => {
    const own = getIn(links, 'eth0')?.addresses[0]
    return own === undefined ? [] : [{ ns, ip: own.cidr.ip }]
  })
  const probes = matrixOf(places)
  return async (): Promise<void> => {
    const kernel = simKernel(world)
    let arrived = 0
    for (const probe of probes) {
      const verdict = await kernel.probe(probe)()
      if (E.isRight(verdict) && verdict.right.tag === 'arrived') arrived += 1
    }
    if (arrived !== networks * each * (each - 1)) throw new Error(`${arrived} pings arrived`)
  }
}

const matrix200 = (): Promise<Result> => {
  const half = asking(10, 10)
  const four = async (): Promise<void> => {
    for (let n = 0; n < 4; n++) await half()
  }
  return duration({ ours: asking(20, 10), peers: { 'four of 100 containers': four } }, { rounds: 5, roundMs: 1 })
}

/** Known ground; both send about as many hops a call. */
const hops = (): Promise<Result> => {
  const [bridges, chain] = [bridged(20, 10), chained(10)]
  const perPass = hopsOf(bridges)
  const times = Math.round(perPass / hopsOf(chain))
  return rate(perPass, {
    ours: () => sendAll(bridges),
    peers: { 'a chain of routers': () => sendAll(chain, times) },
  })
}

export const benches: ReadonlyArray<Bench> = [
  { name: 'sim.hops.rate', unit: '1/s', better: 'higher', run: hops },
  { name: 'sim.matrix200.ms', unit: 'ms', better: 'lower', run: matrix200 },
  { name: 'sim.run100.time', unit: 'ms', better: 'lower', run: run100 },
  {
    name: 'sim.apply400.rate',
    unit: '1/s',
    better: 'higher',
    run: () => rate(building.length, { ours: built }),
  },
  {
    name: 'sim.ops.rate',
    unit: '1/s',
    better: 'higher',
    run: () => rate(onMany.ops, { ours: onMany.work, peers: { 'a host of 10 links': onFew.work } }),
  },
  {
    name: 'diff.build400.rate',
    unit: '1/s',
    better: 'higher',
    run: () =>
      rate(building.length, {
        ours: () => diff(EMPTY_STATE, host).length,
        peers: { 'applying it to the simulation': built },
      }),
  },
  {
    name: 'diff.observed400.time',
    unit: 'ms',
    better: 'lower',
    run: () =>
      duration({ ours: () => diff(observed, host).length, peers: { 'the same state': () => diff(host, host) } }),
  },
]

// Whether cost grows with what is there: one attach, and requests through a published port, on a host that grows to 5,000
// endpoints beside one that keeps ten. To take a port into a bridge costs the kernel the more the more ports it has (twice at
// 1,000), so the big host's containers are on fifty networks each.

import { attach, createContainer, createNetwork, detach } from './commands.ts'
import { openBeside } from './floor.ts'
import { socketIn, vethsDown } from './kernel.ts'
import type { Metric } from './metric.ts'
import { type Host, obey, obeyAll, openHost, upTo } from './ours.ts'
import { type Rates, requestRates } from './requests.ts'
import { logOf, medianOf, once, type Rounds, timeOf } from './samples.ts'
import { type Later, tidily } from './tidy.ts'

const FEW = 10
const NETWORKS = 50
const SIZES = [100, 1000, 5000] as const
const ROUNDS = 5
/** Containers that come and go to be measured; none of the others has their numbers. */
const PROBES = upTo(7010, 7000)
const BESIDE = upTo(7110, 7100)

/** Milliseconds of each attach: by the engine, and of the same messages sent raw to the same host. */
type Probed = Readonly<{ ours: ReadonlyArray<number>; floor: ReadonlyArray<number> }>

/** A host that grows. Each container publishes as many ports as it has endpoints. */
type Growing = Readonly<{ host: Host; growTo: (endpoints: number) => Promise<void>; probe: () => Promise<Probed> }>

const growing = async (later: Later, what: string, networks: number): Promise<Growing> => {
  const host = await openHost(later, what)
  const { engine, path } = host
  const socket = socketIn(later, path)
  await obey(engine, upTo(networks).map(createNetwork))
  await obeyAll(engine, PROBES, (n) => [createContainer(n, 1)])
  const beside = await openBeside(later, host)
  let endpoints = 0
  return {
    host,
    growTo: async (count) => {
      const containers = upTo(count / networks, endpoints / networks)
      await obeyAll(engine, containers, (n) => [
        createContainer(n, networks),
        ...upTo(networks).flatMap((on) => attach(n, on, networks)),
      ])
      endpoints = count
    },
    probe: async () => {
      const ours: number[] = []
      const floor: number[] = []
      for (const n of PROBES) ours.push(await timeOf(() => obey(engine, attach(n, 0, networks))))
      for (const n of PROBES) await obey(engine, detach(n, 0, networks))
      await vethsDown(socket, endpoints)
      for (const n of BESIDE) {
        floor.push(await timeOf(() => beside.attach(n)))
        await beside.detach(n)
      }
      return { ours, floor }
    },
  }
}

/** `beside`: the floor on the big host and on the small one. */
type Attached = Readonly<{ ours: Rounds; beside: Rounds }>
type Sizes = Readonly<{ attach: ReadonlyMap<number, Attached>; requests: Rates }>

const SMALL = `${FEW} endpoints`

const measure = (bundle: string): Promise<Sizes> =>
  tidily(async (later) => {
    const small = await growing(later, 'small', 1)
    const big = await growing(later, 'big', NETWORKS)
    await small.growTo(FEW)
    const measured = new Map<number, Attached>()
    for (const size of SIZES) {
      await big.growTo(size)
      const ours = logOf()
      const beside = logOf()
      for (let round = -1; round < ROUNDS; round++) {
        const many = await big.probe()
        const few = await small.probe()
        if (round < 0) continue
        for (const ms of many.ours) ours.note('ours', round, ms)
        for (const ms of few.ours) ours.note(SMALL, round, ms)
        for (const ms of many.floor) {
          ours.note('floor', round, ms)
          beside.note('floor', round, ms)
        }
        for (const ms of few.floor) beside.note(SMALL, round, ms)
      }
      measured.set(size, { ours: ours.rounds(), beside: beside.rounds() })
    }
    return { attach: measured, requests: await requestRates(later, bundle, big.host, small.host) }
  })

export const scaleMetrics = (bundle: string): ReadonlyArray<Metric> => {
  const sizes = once(() => measure(bundle))
  const at = async (size: number): Promise<Attached> => {
    const attached = (await sizes()).attach.get(size)
    if (attached === undefined) throw new Error(`no host of ${size} endpoints was measured`)
    return attached
  }
  const growth = (rounds: Rounds): number => medianOf(rounds).ratios.find(({ to }) => to === SMALL)?.ratio ?? Number.NaN
  return [
    ...SIZES.map(
      (size): Metric => ({ name: `linux.attach.at${size}`, run: async () => medianOf((await at(size)).ours) }),
    ),
    {
      name: 'linux.attach.scale',
      unit: 'x',
      run: async () => {
        const { ours, beside } = await at(5000)
        return { value: growth(ours), ratios: [{ ratio: growth(ours) / growth(beside), to: 'floor' }] }
      },
    },
    {
      name: 'linux.requests5000.rate',
      unit: '1/s',
      better: 'higher',
      run: async () => {
        const { many, few } = (await sizes()).requests
        return medianOf(
          new Map([
            ['ours', many.map((rate) => [rate])],
            [`${FEW} published ports`, few.map((rate) => [rate])],
          ]),
        )
      },
    },
  ]
}

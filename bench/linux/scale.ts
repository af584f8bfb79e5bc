// Whether cost grows with what is there: one attach, and requests through a published port, on a host that grows to 5,000
// endpoints beside one that keeps ten. A bridge has at most 1,024 ports, so the big host's containers are on five networks each.

import type { Result } from '../lib.ts'
import { attach, createContainer, createNetwork, detach } from './commands.ts'
import { socketIn, vethsDown } from './kernel.ts'
import type { Metric } from './metric.ts'
import { type Host, obey, obeyAll, openHost, upTo } from './ours.ts'
import { type Rates, requestRates } from './requests.ts'
import { logOf, medianOf, once, type Rounds, timeOf } from './samples.ts'
import { type Later, tidily } from './tidy.ts'

const FEW = 10
const NETWORKS = 5
const SIZES = [100, 1000, 5000] as const
const ROUNDS = 5
/** Containers that come and go to be measured; none of the others has their numbers. */
const PROBES = upTo(7010, 7000)

/** A host that grows. Each container publishes as many ports as it has endpoints. */
type Growing = Readonly<{ host: Host; growTo: (endpoints: number) => Promise<void>; probe: () => Promise<number[]> }>

const growing = async (later: Later, what: string, networks: number): Promise<Growing> => {
  const host = await openHost(later, what)
  const { engine, path } = host
  const socket = socketIn(later, path)
  await obey(engine, upTo(networks).map(createNetwork))
  await obeyAll(engine, PROBES, (n) => [createContainer(n, 1)])
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
      const times: number[] = []
      for (const n of PROBES) {
        times.push(await timeOf(() => obey(engine, attach(n, 0, networks))))
        await obey(engine, detach(n, 0, networks))
        await vethsDown(socket, endpoints)
      }
      return times
    },
  }
}

/** Milliseconds, with the host of ten as the other contender. */
type Sizes = Readonly<{ attach: ReadonlyMap<number, Rounds>; requests: Rates }>

const SMALL = `${FEW} endpoints`

const measure = (bundle: string): Promise<Sizes> =>
  tidily(async (later) => {
    const small = await growing(later, 'small', 1)
    const big = await growing(later, 'big', NETWORKS)
    await small.growTo(FEW)
    const measured = new Map<number, Rounds>()
    for (const size of SIZES) {
      await big.growTo(size)
      const log = logOf()
      for (let round = -1; round < ROUNDS; round++)
        for (const [name, { probe }] of [
          ['ours', big],
          [SMALL, small],
        ] as const) {
          const times = await probe()
          if (round >= 0) for (const ms of times) log.note(name, round, ms)
        }
      measured.set(size, log.rounds())
    }
    return { attach: measured, requests: await requestRates(later, bundle, big.host, small.host) }
  })

export const scaleMetrics = (bundle: string): ReadonlyArray<Metric> => {
  const sizes = once(() => measure(bundle))
  const at = async (size: number): Promise<Result> => medianOf((await sizes()).attach.get(size) ?? new Map())
  return [
    ...SIZES.map((size): Metric => ({ name: `linux.attach.at${size}`, run: () => at(size) })),
    {
      name: 'linux.attach.scale',
      unit: 'x',
      run: async () => ({ value: (await at(5000)).ratios[0]?.ratio ?? Number.NaN, ratios: [] }),
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

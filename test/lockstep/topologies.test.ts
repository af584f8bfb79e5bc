// The simulated and the real kernel under whole topologies: any program of commands builds the same host on both, and the
// same questions get the same answers, from real packets.

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { program } from '../../properties/arbitraries/commands.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD } from '../../src/kernel-sim/state.ts'
import type { Container } from '../../src/lab/place.ts'
import { UPLINK } from '../../src/lab/world.ts'
import type { Command, CreateNetwork } from '../../src/model/command.ts'
import type { Model } from '../../src/model/types.ts'
import { valuesOf } from '../../src/net/pmap.ts'
import { port } from '../../src/net/port.ts'
import { bundleAgent, labKernel } from '../kernel-linux/labs.ts'
import { needs } from '../lib/need.ts'
import { runs } from '../lib/runs.ts'
import { type Foreign, foreign } from './foreign.ts'
import { live } from './live.ts'

/** Every container serves one TCP and one UDP port. */
const LISTENS = [
  { port: port(80), proto: 'tcp' as const },
  { port: port(53), proto: 'udp' as const },
]

const containersOf = (model: Model): ReadonlyArray<Container> =>
  valuesOf(model.sandboxes).map((sandbox) => ({
    tag: 'container',
    name: sandbox.container,
    service: sandbox.container,
    sandbox,
    listens: LISTENS,
  }))

const isOnWire = ({ driver }: CreateNetwork): boolean => driver === 'macvlan' || driver === 'ipvlan'

/** What a kernel may lack (ipvlans, VLANs, dummies) becomes what each has: macvlans on the uplink. Of what is borrowed, nobody knows. */
const common = (network: CreateNetwork): CreateNetwork => {
  const { options, configFrom } = network
  const isLent = configFrom !== undefined || network.configOnly === true
  if (isLent) return isOnWire(network) ? { ...network, driver: 'bridge' } : network
  if (!isOnWire(network)) return network
  const parent = options['parent']?.split('.')[0] ?? UPLINK
  return { ...network, driver: 'macvlan', options: { ...options, parent: parent === '' ? UPLINK : parent } }
}

/** A command as it is for this machine: where it tells of somebody else's namespace, there is one. */
const here =
  ({ at }: Foreign) =>
  async (command: Command): Promise<Command> =>
    command.tag === 'SetKey' && command.path !== ''
      ? { ...command, path: await at(command.path) }
      : command.tag === 'CreateNetwork'
        ? common(command)
        : command

needs.kernel('the simulated and the real kernel', () => {
  beforeAll(bundleAgent)
  const labs: Array<() => Promise<void>> = []
  afterAll(async () => {
    for (const close of labs) await close()
  })

  test('hold the same and let the same pass, whatever topology is built', { timeout: 600_000 }, async () => {
    let n = 0
    await fc.assert(
      fc.asyncProperty(program, async (drawn) => {
        n += 1
        const others = foreign()
        const { kernel, close } = labKernel(`topo${n}`)
        labs.push(close, others.end)
        const commands = await Promise.all(drawn.map(here(others)))
        const simulated = await live(simKernel(EMPTY_WORLD), commands, containersOf)
        expect(simulated.differences).toEqual([])
        const real = await live(kernel, commands, containersOf)
        await close()
        await others.end()
        expect(real).toEqual(simulated)
      }),
      { ...runs(0.1), endOnFailure: false, interruptAfterTimeLimit: 400_000 },
    )
  })
})

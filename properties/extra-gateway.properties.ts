// Networks that count on another to lead out: whoever is on one is led out by the gateway network, if by no other, and nobody else is
// on that. The driver here is a bridge whose networks lead nowhere.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bridge } from '../src/drivers/bridge/bridge.ts'
import type { Driver } from '../src/drivers/driver.ts'
import { DRIVERS, type Drivers } from '../src/drivers/registry.ts'
import { freshEngine } from '../src/engine/engine.ts'
import { FRESH_CORE } from '../src/engine/step.ts'
import type { Command } from '../src/model/command.ts'
import { GATEWAY_ID } from '../src/model/decide/gateway.ts'
import { endpointsIn, endpointsOn, GATEWAY_NETWORK, wayOut } from '../src/model/queries.ts'
import type { Model, Sandbox } from '../src/model/types.ts'
import { getIn, valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { runs } from '../test/lib/runs.ts'
import { command, program } from './arbitraries/commands.ts'
import { faultySim } from './lib/kernels.ts'
import { allAway, coreAfter, facts, storedForm, wantedFacts } from './lib/states.ts'

const far: Driver = { ...bridge, type: 'far', exit: () => null, needsGateway: true }
const drivers: Drivers = new Map([...DRIVERS, [far.type, far]])

/** Every second bridge network leads nowhere. */
const afar = (each: Command): Command =>
  each.tag === 'CreateNetwork' && each.driver === 'bridge' && ['net0', 'net2', 'front'].includes(each.name)
    ? { ...each, driver: 'far' }
    : each
const afarProgram = program.map((commands) => commands.map(afar))
const asks = command.filter(({ tag }) => tag.startsWith('Create') || tag === 'Join' || tag === 'Leave').map(afar)

const others = (model: Model, { id }: Sandbox) =>
  endpointsIn(model, id).filter(({ network }) => network.name !== GATEWAY_NETWORK)

const isLost = (model: Model, sandbox: Sandbox): boolean => {
  const placed = others(model, sandbox)
  const isFar = placed.some(({ network }) => network.driver === 'far' && !network.internal)
  return isFar && wayOut(placed, 4) === null && wayOut(placed, 6) === null
}

const isOnGateway = (model: Model, { id }: Sandbox): boolean =>
  endpointsIn(model, id).some(({ network }) => network.name === GATEWAY_NETWORK)

describe('the gateway network', () => {
  test.prop([afarProgram])('has exactly the sandboxes that nothing else leads out of (P13)', async (commands) => {
    const engine = freshEngine({ kernel: faultySim(), drivers, check: true })
    for (const each of commands) {
      await engine.submit([each])
      const model = engine.model()
      for (const sandbox of valuesOf(model.sandboxes))
        expect([sandbox.container, isOnGateway(model, sandbox)]).toEqual([sandbox.container, isLost(model, sandbox)])
      expect(getIn(model.networks, GATEWAY_ID) !== undefined).toBe(endpointsOn(model, GATEWAY_ID).length > 0)
    }
  })

  test.prop([afarProgram])('goes with the last who is on it (P23)', async (commands) => {
    const kernel = faultySim()
    const engine = freshEngine({ kernel, drivers, check: true })
    await engine.submit(commands)
    const known = engine.wanted()
    for (const turn of allAway(engine.model())) await engine.submit(turn)
    expect(storedForm(engine.model())).toEqual([])
    expect(kernel.objects(known)).toEqual(faultySim().objects(known))
  })

  test.prop([afarProgram, asks, fc.nat(30)], runs(0.3))(
    'is as if the command had never come, whichever single operation is refused (P6)',
    async (commands, last, at) => {
      const kernel = faultySim()
      const engine = freshEngine({ kernel, drivers, check: true })
      await engine.submit(commands)
      const [model, known] = [storedForm(engine.model()), engine.wanted()]
      kernel.refuseNext(at)
      const [answer] = await engine.submit([last])
      kernel.refuseNext(null)
      fc.pre(answer !== undefined && E.isLeft(answer) && answer.left.tag === 'KernelRefused')
      await engine.sweep()
      expect(facts(kernel.objects(known))).toEqual(wantedFacts(known))
      expect(storedForm(engine.model())).toEqual(model)
    },
  )

  it('is met often: the properties above are about something', () => {
    let met = 0
    const look = fc.property(afarProgram, (commands) => {
      const { model } = coreAfter(commands, FRESH_CORE, drivers)
      if (getIn(model.networks, GATEWAY_ID) !== undefined) met++
    })
    fc.assert(look, { numRuns: 200, seed: 7 })
    expect(met).toBeGreaterThan(20)
  })
})

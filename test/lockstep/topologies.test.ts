// The simulated and the real kernel under whole topologies: any program of commands builds the same host on both, and the
// same questions get the same answers, from real packets.

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { program } from '../../properties/arbitraries/commands.ts'
import { freshEngine } from '../../src/engine/engine.ts'
import { diff } from '../../src/kernel/diff.ts'
import type { Kernel, Scope } from '../../src/kernel/kernel.ts'
import { keyOf, sameObject } from '../../src/kernel/object.ts'
import { EMPTY_STATE, type KernelState, objectsOf } from '../../src/kernel/state.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD } from '../../src/kernel-sim/state.ts'
import { type Container, placeName } from '../../src/lab/place.ts'
import { findAll, questionsOf } from '../../src/lab/reach.ts'
import { INTERNET, WORLD } from '../../src/lab/world.ts'
import type { Command } from '../../src/model/command.ts'
import type { Model } from '../../src/model/types.ts'
import { HOST } from '../../src/net/name.ts'
import { getIn, valuesOf } from '../../src/net/pmap.ts'
import { port } from '../../src/net/port.ts'
import { bundleAgent, labKernel, rightOf } from '../kernel-linux/labs.ts'
import { needs } from '../lib/need.ts'
import { runs } from '../lib/runs.ts'

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

const scopeOf = (state: KernelState): Scope => ({
  namespaces: [...new Set([HOST, INTERNET, ...objectsOf(state).map(({ ns }) => ns)])],
  sysctls: objectsOf(state).flatMap((object) =>
    object.kind === 'sysctl' ? [{ ns: object.ns, name: object.name }] : [],
  ),
})

/** What differs between what is there and what should be, as facts that print well. */
const differences = (there: KernelState, wanted: ReadonlyArray<KernelState>): ReadonlyArray<unknown> => {
  const should = new Map(wanted.flatMap(objectsOf).map((object) => [keyOf(object), object]))
  const missing = [...should].flatMap(([key, object]) => {
    const held = getIn(there, key)
    return held !== undefined && sameObject(held, object) ? [] : [{ key, wanted: object, there: held ?? null }]
  })
  const surplus = objectsOf(there).filter((object) => !should.has(keyOf(object)))
  return [...missing, ...surplus.map((object) => ({ key: keyOf(object), wanted: null, there: object }))]
}

/** Builds the world and the program on a kernel; says what differs from what is wanted, and every answer. */
const live = async (kernel: Kernel, commands: ReadonlyArray<Command>) => {
  rightOf(await kernel.apply(diff(EMPTY_STATE, WORLD))())
  const engine = freshEngine({ kernel, check: true })
  const answers = await engine.submit(commands)
  const wanted = engine.wanted()
  const there = rightOf(await kernel.observe(scopeOf(wanted))())
  const findings = rightOf(await findAll(kernel, engine.model(), questionsOf(containersOf(engine.model()))))
  return {
    refused: answers.map((answer) => (answer._tag === 'Left' ? answer.left.tag : null)),
    differences: differences(there, [WORLD, wanted]),
    table: findings.map(({ question: { from, to, kind }, reaches, how }) => {
      const what = kind.proto === 'icmp' ? 'icmp' : `${kind.proto}/${kind.port}`
      return `${placeName(from)} -> ${placeName(to)} ${what}: ${reaches ? 'reaches' : (how ?? 'nothing to try')}`
    }),
  }
}

needs.kernel('the simulated and the real kernel', () => {
  beforeAll(bundleAgent)
  const labs: Array<() => Promise<void>> = []
  afterAll(async () => {
    for (const close of labs) await close()
  })

  test('hold the same and let the same pass, whatever topology is built', { timeout: 600_000 }, async () => {
    let n = 0
    await fc.assert(
      fc.asyncProperty(program, async (commands) => {
        n += 1
        const { kernel, close } = labKernel(`topo${n}`)
        labs.push(close)
        const simulated = await live(simKernel(EMPTY_WORLD), commands)
        expect(simulated.differences).toEqual([])
        const real = await live(kernel, commands)
        await close()
        expect(real).toEqual(simulated)
      }),
      { ...runs(0.1), endOnFailure: false, interruptAfterTimeLimit: 400_000 },
    )
  })
})

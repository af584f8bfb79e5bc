// Facts about drivers that hold on both kernels, told by real packets: each test has a host with an uplink of its own.

import { afterAll, beforeAll, describe } from 'vitest'
import { type Engine, freshEngine } from '../../src/engine/engine.ts'
import { diff } from '../../src/kernel/diff.ts'
import type { Kernel, Probe } from '../../src/kernel/kernel.ts'
import type { KernelObject } from '../../src/kernel/object.ts'
import { EMPTY_STATE } from '../../src/kernel/state.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD } from '../../src/kernel-sim/state.ts'
import { WORLD } from '../../src/lab/world.ts'
import type { Command } from '../../src/model/command.ts'
import { memoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { bundleAgent, labKernel, rightOf } from '../kernel-linux/labs.ts'
import { needs } from '../lib/need.ts'

/** `name` tells the labs of this file from those of others. */
export const onBothKernels = (name: string, facts: (fresh: () => Kernel) => void): void => {
  describe('on the simulated kernel', () => {
    facts(() => simKernel(EMPTY_WORLD))
  })

  needs.kernel('on Linux', () => {
    beforeAll(bundleAgent)
    const closing: Array<() => Promise<void>> = []
    afterAll(async () => {
      for (const close of closing) await close()
    })
    facts(() => {
      const { kernel, close } = labKernel(`${name}${closing.length}`, 'netlink')
      closing.push(close)
      return kernel
    })
  })
}

export const make = async (kernel: Kernel, objects: ReadonlyArray<KernelObject>): Promise<void> => {
  rightOf(await kernel.apply(objects.map((object) => ({ verb: 'create', object })))())
}

/** The world, with what else somebody made on it, and then our networks. */
export const build = async (
  kernel: Kernel,
  beside: ReadonlyArray<KernelObject>,
  commands: ReadonlyArray<Command>,
  store: Store = memoryStore(),
): Promise<Engine> => {
  rightOf(await kernel.apply(diff(EMPTY_STATE, WORLD))())
  await make(kernel, beside)
  const engine = freshEngine({ kernel, store, check: true })
  for (const answer of await engine.submit(commands)) rightOf(answer)
  return engine
}

export const arrives = async (kernel: Kernel, probe: Probe): Promise<boolean> =>
  rightOf(await kernel.probe(probe)()).tag === 'arrived'

// What must be true of a lab's host at any time: what is wanted is there, a stranger's things are as they were, and nothing else.

import { readdirSync } from 'node:fs'
import { expect } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { objectsOf } from '../../src/kernel/state.ts'
import { removeLab } from '../../src/kernel-linux/lab.ts'
import { type Lab, labNames, labOfName, netnsPath } from '../../src/kernel-linux/names.ts'
import type { Command } from '../../src/model/command.ts'
import { explain } from '../../src/model/error.ts'
import { HOST } from '../../src/net/name.ts'
import { valuesOf } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'
import { labOf, rightOf } from '../kernel-linux/labs.ts'
import { changes, devicesIn, factsAtRest, factsOf, outputIn, settleStrangers } from '../lib/foreign.ts'
import { ownLab } from '../lib/own-names.ts'

export type LabHost = Readonly<{
  lab: Lab
  /** After a recovery. */
  check: (engine: Engine) => void
  /** Deletes all that the model holds; then the host must be as it was before the first engine. */
  clean: (engine: Engine) => Promise<void>
  remove: () => Promise<void>
}>

/** A host where strangers live already. */
export const labHost = async (name: string): Promise<LabHost> => {
  const lab = labOf(ownLab(name))
  const names = labNames(lab)
  const host = names(HOST) ?? ''
  const path = netnsPath(host)
  outputIn(null, ['ip', 'netns', 'add', host])
  settleStrangers(path)
  const strangers = devicesIn(path).all
  const before = await factsAtRest(path)
  const ofStrangers = factsOf(path, new Set(strangers))

  const check = (engine: Engine): void => {
    const wanted = objectsOf(engine.wanted())
    const spaces = wanted.flatMap((object) => (object.kind === 'netns' ? [names(object.ns) ?? ''] : []))
    const there = readdirSync('/run/netns').filter((real) => labOfName(real) === lab && real !== host)
    expect(there.sort()).toEqual(spaces.sort())
    const devices = wanted.flatMap((object) => (object.kind === 'link' && object.ns === HOST ? [object.name] : []))
    expect(devicesIn(path)).toEqual({ all: [...strangers, ...devices].sort(), inBetween: [] })
    expect(changes(ofStrangers, factsOf(path, new Set(strangers)))).toEqual([])
  }

  return {
    lab,
    check,
    clean: async (engine) => {
      const { sandboxes, networks, endpoints } = engine.model()
      const commands: ReadonlyArray<Command> = [
        ...valuesOf(sandboxes).map(({ id }) => ({ tag: 'DeleteSandbox', id }) as const),
        ...valuesOf(endpoints).flatMap(({ id, attachment }) =>
          attachment === null ? [{ tag: 'DeleteEndpoint', id, force: false } as const] : [],
        ),
        ...valuesOf(networks).map(({ id }) => ({ tag: 'DeleteNetwork', id }) as const),
      ]
      for (const command of commands)
        for (const answer of await engine.submit([command])) if (E.isLeft(answer)) throw new Error(explain(answer.left))
      expect(await engine.differences()).toEqual(E.right([]))
      check(engine)
      await expect.poll(() => changes(before, factsOf(path)), { timeout: 10_000, interval: 200 }).toEqual([])
    },
    remove: async () => {
      rightOf(await removeLab(lab))
    },
  }
}

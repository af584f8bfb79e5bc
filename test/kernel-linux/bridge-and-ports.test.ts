// A bridge that goes together with its ports: nothing of either is refused, and nothing is left.

import { expect, test } from 'vitest'
import { freshEngine } from '../../src/engine/engine.ts'
import type { Refusal } from '../../src/kernel/kernel.ts'
import { labNames, netnsPath } from '../../src/kernel-linux/names.ts'
import type { Command } from '../../src/model/command.ts'
import { HOST } from '../../src/net/name.ts'
import { E } from '../../src/prelude.ts'
import { outputIn } from '../lib/foreign.ts'
import { box, createEndpoint, createNetwork, createSandbox, end, join, leave, net } from '../lib/model.ts'
import { needs } from '../lib/need.ts'
import { labKernel, TRANSPORTS } from './labs.ts'

const MEMBERS = [1, 2]
const MADE: ReadonlyArray<Command> = [
  createNetwork(1, 'front'),
  ...MEMBERS.flatMap((n) => [createSandbox(n, `c${n}`), createEndpoint(n, 1, `c${n}`), join(n, n)]),
]
const LEFT: ReadonlyArray<Command> = [
  ...MEMBERS.flatMap((n) => [leave(n, n), { tag: 'DeleteEndpoint', id: end(n), force: false } as const]),
  { tag: 'DeleteNetwork', id: net(1) },
]

needs.kernel('a bridge', () => {
  test.each(TRANSPORTS)('goes with its ports in one turn, through %s', async (transport) => {
    const { lab, kernel: linux, close } = labKernel('ports', transport)
    outputIn(null, ['ip', 'netns', 'add', labNames(lab)(HOST) ?? ''])
    const refused: Refusal[] = []
    const kernel: typeof linux = {
      ...linux,
      apply: (ops) => async () => {
        const applied = await linux.apply(ops)()
        if (E.isLeft(applied) && !('tag' in applied.left)) refused.push(...applied.left)
        return applied
      },
    }
    const engine = freshEngine({ kernel })
    try {
      for (const commands of [MADE, LEFT])
        for (const answer of await engine.submit(commands)) expect(answer).toMatchObject({ _tag: 'Right' })
      await kernel.settled()
      expect(refused).toEqual([])
      expect(await engine.differences()).toEqual(E.right([]))
      expect(outputIn(netnsPath(labNames(lab)(HOST) ?? ''), ['ip', '-br', 'link'])).not.toMatch(/veth|br-/)
      for (const n of MEMBERS) await engine.submit([{ tag: 'DeleteSandbox', id: box(n) }])
    } finally {
      await engine.close()
      await close()
    }
  })
})

// dockerd and we, told the same: what both say and what packets do is the same, but for what a scenario says.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundleAgent } from '../kernel-linux/labs.ts'
import { needs } from '../lib/need.ts'
import { accountOf } from './account.ts'
import { openDocker } from './docker-side.ts'
import { openOurs } from './our-side.ts'
import { SCENARIOS } from './scenarios.ts'
import type { Side } from './side.ts'

const programs = needs.programs('dockerd', 'containerd', 'runc', 'iptables', 'busybox')

needs.kernel('on Linux', () => {
  programs('dockerd and we', () => {
    const undos: Array<() => unknown> = []
    let sides: readonly [docker: Side, ours: Side]
    beforeAll(async () => {
      await bundleAgent()
      const later = (undo: () => unknown): void => {
        undos.push(undo)
      }
      sides = [await openDocker(later), await openOurs(later)]
    }, 120_000)
    afterAll(async () => {
      for (const undo of undos.reverse()) await undo()
    }, 120_000)

    test.each(SCENARIOS)(
      'agree: $says',
      async (scenario) => {
        const [docker, ours] = await Promise.all(sides.map((side) => accountOf(side, scenario)))
        expect(docker).toBeDefined()
        const theirs = new Set(docker)
        const own = new Set(ours)
        const differences = [
          ...[...theirs].filter((line) => !own.has(line)).map((line) => `dockerd: ${line}`),
          ...[...own].filter((line) => !theirs.has(line)).map((line) => `cnm: ${line}`),
        ]
        const known = scenario.differs ?? []
        expect(differences.filter((line) => !known.some((each) => each.line.test(line)))).toEqual([])
        expect(known.filter((each) => !differences.some((line) => each.line.test(line)))).toEqual([])
      },
      60_000,
    )
  })
})

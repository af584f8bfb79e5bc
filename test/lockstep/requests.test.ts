// The simulated and the real kernel, request by request: the same errnos, the same stacks. Whatever the kernel does in its own
// time (linkwatch, IPv6 on a device that gets carrier) is waited for; duplicate address detection is off.

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { ROOMS, requests } from '../../properties/arbitraries/stack-programs.ts'
import { lasting } from '../../src/kernel/rtnl/lasting.ts'
import type { Request } from '../../src/kernel/rtnl/request.ts'
import type { Stack } from '../../src/kernel/rtnl/stack.ts'
import type { SysctlName } from '../../src/kernel/sysctl.ts'
import { removeLab } from '../../src/kernel-linux/lab.ts'
import { labNames } from '../../src/kernel-linux/names.ts'
import { askLinux } from '../../src/kernel-linux/rtnl/ask.ts'
import { stacksOf } from '../../src/kernel-linux/rtnl/stack.ts'
import { runWithin } from '../../src/kernel-linux/run.ts'
import { askWorld } from '../../src/kernel-sim/control.ts'
import { stackOf } from '../../src/kernel-sim/stack.ts'
import { EMPTY_WORLD, type World } from '../../src/kernel-sim/state.ts'
import { isGroup } from '../../src/net/mac.ts'
import { labOf, rightOf } from '../kernel-linux/labs.ts'
import { needs } from '../lib/need.ts'
import { ownLab } from '../lib/own-names.ts'
import { runs } from '../lib/runs.ts'

/** The multicast filters of devices are none of the simulation's: they are told among the FDBs. */
const withoutFilters = (stack: Stack): Stack => ({
  ...stack,
  fdb: stack.fdb.filter(({ mac, flags }) => !(flags.includes('self') && isGroup(mac))),
})

type Told = Readonly<Record<string, Stack>>

const simulated = (world: World): Told =>
  Object.fromEntries(
    ROOMS.flatMap((ns) => {
      const stack = stackOf(world, ns)
      return stack === null ? [] : [[ns, lasting(stack)]]
    }),
  )

const PATIENCE_MS = 10_000
const PAUSE_MS = 5
const NO_DAD: SysctlName =
  // A name that the simulation knows nothing of: its detection is always over at once.
  'net.ipv6.conf.default.accept_dad' as SysctlName

/** BigInts and long lists, so that a difference can be read. */
const shown = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `0x${part.toString(16)}` : part))
const lines = (told: Told): ReadonlyArray<string> =>
  Object.entries(told).flatMap(([ns, stack]) =>
    Object.entries(stack).flatMap(([what, facts]) => facts.map((fact: unknown) => `${ns} ${what} ${shown(fact)}`)),
  )

needs.kernel('the simulated and the real network stack', () => {
  const lab = labOf(ownLab('requests'))
  const names = labNames(lab)
  const ask = askLinux(names, 'netlink', runWithin(2))
  afterAll(async () => {
    rightOf(await removeLab(lab))
  })

  const answer = async (request: Request): Promise<string | null> => rightOf(await ask(request))?.errno ?? null
  const told = async (): Promise<Told> => {
    const all = rightOf(await stacksOf(names, ROOMS))
    return Object.fromEntries([...all].map(([ns, stack]) => [ns, withoutFilters(lasting(stack))]))
  }
  /** What Linux tells once it tells what it should, or at last. */
  const settled = async (wanted: Told): Promise<Told> => {
    const until = performance.now() + PATIENCE_MS
    for (;;) {
      const now = await told()
      if (isDeepStrictEqual(now, wanted) || performance.now() > until) return now
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }

  const begin = async (): Promise<World> => {
    rightOf(await removeLab(lab))
    let world = EMPTY_WORLD
    for (const ns of ROOMS) {
      const made: Request = { ns, ask: { on: 'netns', do: 'add' } }
      expect(await answer(made)).toBeNull()
      expect(await answer({ ns, ask: { on: 'sysctl', do: 'write', name: NO_DAD, value: '0' } })).toBeNull()
      world = askWorld(world, made).world
    }
    return world
  }

  test('answer each request alike, and hold the same afterwards', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(requests(25), async (program) => {
        let world = await begin()
        const story: string[] = []
        for (const request of program) {
          const result = askWorld(world, request)
          world = result.world
          story.push(shown(request))
          expect({ story, errno: result.errno }).toEqual({ story, errno: await answer(request) })
          const wanted = simulated(world)
          const there = await settled(wanted)
          if (!isDeepStrictEqual(there, wanted))
            expect({ story, told: lines(wanted) }).toEqual({ story, told: lines(there) })
        }
      }),
      runs(0.1),
    )
  })
})

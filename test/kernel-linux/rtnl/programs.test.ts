// Generated programs: whatever is asked in whatever order, both ways of asking answer alike, and leave equal stacks behind.
// A counterexample is printed as the commands that make it.

import fc from 'fast-check'
import { afterAll, test } from 'vitest'
import { C, H, programs } from '../../../properties/arbitraries/requests.ts'
import type { Request } from '../../../src/kernel/rtnl/request.ts'
import { commandOf } from '../../../src/kernel/rtnl/words.ts'
import type { SysctlName } from '../../../src/kernel/sysctl.ts'
import { type Complaint, errnosOf } from '../../../src/kernel-linux/errno.ts'
import { LO } from '../../../src/net/name.ts'
import { needs } from '../../lib/need.ts'
import { runs } from '../../lib/runs.ts'
import { difference } from './difference.ts'
import { type Side, settled, sideOf } from './world.ts'

const SIDES: readonly [Side, Side] = [sideOf('programs', 'netlink'), sideOf('programs', 'iproute2')]
const STEPS = 20

/** Link-local addresses would come at moments of their own, and be tried out for a second. */
const QUIETLY = ['addr_gen_mode', 'accept_dad'].map((key, on): Request['ask'] => ({
  on: 'sysctl',
  do: 'write',
  name: `net.ipv6.conf.default.${key}` as SysctlName,
  value: on === 0 ? '1' : '0',
}))
const BEFORE: ReadonlyArray<Request> = [H, C].flatMap(
  (ns): ReadonlyArray<Request> => [
    { ns, ask: { on: 'netns', do: 'add' } },
    ...QUIETLY.map((ask): Request => ({ ns, ask })),
    { ns, ask: { on: 'link', do: 'set', dev: LO, up: true } },
  ],
)

const shown = (request: Request): string => {
  const { tool, text, ns } = commandOf(request, (one) => one)
  return tool === 'sysctl' || ns === null ? `${ns ?? ''} ${tool} ${text}` : `${tool} -n ${ns} ${text}`
}

const alike = (one: Complaint | null, other: Complaint | null): boolean =>
  one === null || other === null ? one === other : errnosOf(other).includes(one.errno)

/** Null, or what was not alike, and behind which commands. */
const disagreement = async (program: ReadonlyArray<Request>): Promise<string | null> => {
  const done: string[] = []
  for (const side of SIDES) {
    await side.clear()
    await side.build(BEFORE)
  }
  for (const request of program) {
    const one = await SIDES[0].complaint(request)
    const other = await SIDES[1].complaint(request)
    done.push(`${shown(request)}   # ${one?.errno ?? 'done'}`)
    if (!alike(one, other))
      return `${done.join('\n')}\nrtnetlink: ${one?.detail}\nthe tool: ${other?.errno}: ${other?.detail}`
    const [first, second] = await settled(SIDES)
    const differs = difference(first, second)
    if (differs.length > 0) return `${done.join('\n')}\nstacks (rtnetlink, tool):\n${differs.join('\n')}`
  }
  return null
}

afterAll(async () => {
  for (const side of SIDES) await side.clear()
})

needs.kernel('generated programs', () => {
  test('are answered alike by rtnetlink and by the tools, and leave equal stacks behind', async () => {
    await fc.assert(
      fc.asyncProperty(programs(STEPS), async (program) => {
        const found = await disagreement(program)
        if (found !== null) throw new Error(found)
      }),
      { ...runs(0.1), interruptAfterTimeLimit: 100_000, markInterruptAsFailure: false },
    )
  }, 240_000)
})

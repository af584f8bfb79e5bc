// The simulated kernel as one that stories are told to. It has no words of its own beside an errno.

import { lasting } from '../../../src/kernel/rtnl/lasting.ts'
import { runTry } from '../../../src/kernel-sim/datapath/traffic.ts'
import { PARTS } from '../../../src/kernel-sim/datapath/wired.ts'
import { stackOf } from '../../../src/kernel-sim/stack.ts'
import { EMPTY_WORLD } from '../../../src/kernel-sim/state.ts'
import type { Version } from '../../../src/kernel-sim/version.ts'
import type { Ns } from '../../../src/net/name.ts'
import { askQuietly } from '../../lockstep/requests/quiet.ts'
import { passTime } from '../../scenarios/sim.ts'
import { type Kernel, REST_MS } from './told.ts'

/** Of a version of Linux. */
export const simulated = (linux: Version): Kernel => {
  const nothing = { ...EMPTY_WORLD, linux }
  let world = nothing
  let rooms: ReadonlyArray<Ns> = []
  const ask: Kernel['ask'] = async (request) => {
    const result = askQuietly(world, request)
    world = result.world
    return result.errno === null ? null : { errno: result.errno, detail: '' }
  }
  return {
    begin: async (spaces) => {
      world = nothing
      rooms = spaces
      for (const ns of rooms) await ask({ ns, ask: { on: 'netns', do: 'add' } })
    },
    ask,
    attempt: async (attempt) => {
      const tried = runTry(PARTS, world, attempt)
      world = tried.world
      return tried.account
    },
    rest: async () => {
      world = passTime(world, REST_MS)
    },
    stacks: async () =>
      new Map(
        rooms.flatMap((ns) => {
          const stack = stackOf(world, ns)
          return stack === null ? [] : [[ns, lasting(stack)] as const]
        }),
      ),
  }
}

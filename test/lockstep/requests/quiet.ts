// What a namespace begins with in the simulation that is compared with Linux: addresses are in use at once, as there (rooms.ts).

import type { Request } from '../../../src/kernel/rtnl/request.ts'
import type { SysctlName } from '../../../src/kernel/sysctl.ts'
import { askWorld, type Outcome } from '../../../src/kernel-sim/control.ts'
import type { World } from '../../../src/kernel-sim/state.ts'

export const NO_DAD = 'net.ipv6.conf.default.accept_dad' as SysctlName

/** As `askWorld`. */
export const askQuietly = (world: World, request: Request): Outcome => {
  const { ns, ask } = request
  const outcome = askWorld(world, request)
  if (ask.on !== 'netns' || ask.do !== 'add' || outcome.errno !== null) return outcome
  const { world: quiet } = askWorld(outcome.world, { ns, ask: { on: 'sysctl', do: 'write', name: NO_DAD, value: '0' } })
  return { world: quiet, errno: null }
}

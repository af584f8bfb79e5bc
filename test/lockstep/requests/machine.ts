// A simulated machine with the kernel of this one: its version, without what this one was found to lack.

import { release } from 'node:os'
import { lookAtMachine } from '../../../src/kernel-linux/capabilities/look.ts'
import { type Lacking, type World, worldWithout } from '../../../src/kernel-sim/state.ts'
import { versionOf } from '../../../src/kernel-sim/version.ts'

const LACKED: ReadonlyArray<Lacking> = ['dummy', 'vlan', 'vxlan', 'macvlan', 'ipvlan', 'vlan-filtering']

let found: Promise<World> | null = null

/** With nothing on it yet. This machine is looked at once. */
export const bareMachine = (): Promise<World> => {
  found ??= lookAtMachine().then(({ features }) => ({
    ...worldWithout(...LACKED.filter((one) => features[one].is === 'lacking')),
    linux: versionOf(release()),
  }))
  return found
}

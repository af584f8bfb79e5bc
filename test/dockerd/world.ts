// The host that each of the two has, and the machine beyond, which knows a way to the containers' addresses: as a neighbour would that
// routes straight to them.

import { diff } from '../../src/kernel/diff.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { KernelObject } from '../../src/kernel/object.ts'
import { EMPTY_STATE, stateOf } from '../../src/kernel/state.ts'
import { HOST_ADDRESS, INTERNET, WORLD } from '../../src/lab/world.ts'
import { cidr } from '../../src/net/cidr.ts'
import { ifName } from '../../src/net/name.ts'
import { rightOf } from '../kernel-linux/labs.ts'

const STRAIGHT: ReadonlyArray<KernelObject> = [
  { to: cidr('172.16.0.0/12'), via: HOST_ADDRESS[4] },
  { to: cidr('10.0.0.0/8'), via: HOST_ADDRESS[4] },
  { to: cidr('fd00::/8'), via: HOST_ADDRESS[6] },
].map((way) => ({ kind: 'route', ns: INTERNET, ...way, dev: ifName('eth0'), metric: 0 }))

export const buildWorld = async (kernel: Kernel): Promise<void> => {
  rightOf(await kernel.apply([...diff(EMPTY_STATE, WORLD), ...diff(EMPTY_STATE, stateOf(STRAIGHT))])())
}

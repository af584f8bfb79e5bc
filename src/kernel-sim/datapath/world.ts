// One host, opened for packets and closed again.

import type { World } from '../state.ts'
import { closeHost, pendingOf } from './close.ts'
import { type Host, openPlane, type Parts, type Plane } from './plane.ts'
import { randomFrom } from './random.ts'

/** The only host has no name. */
export const ONLY_HOST = ''

export const onWorld = <A>(
  parts: Parts,
  world: World,
  act: (plane: Plane, host: Host) => A,
): Readonly<{ world: World; result: A }> => {
  const hosts = [{ name: ONLY_HOST, world }]
  const plane = openPlane(parts, hosts, world.nowMs, randomFrom(world.random), world.pending)
  const host = plane.hosts.get(ONLY_HOST)
  if (host === undefined) throw new Error('a plane has the hosts that it was opened with')
  const result = act(plane, host)
  return { result, world: closeHost(plane, host, { random: plane.random.state, pending: pendingOf(plane) }) }
}

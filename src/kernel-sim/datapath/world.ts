// One host, opened for packets and closed again.

import type { World } from '../state.ts'
import { closeHost, pendingOf } from './close.ts'
import { type Host, openPlane, type Parts, type Plane } from './plane.ts'
import { randomFrom } from './random.ts'

/** The only host has no name. */
export const ONLY_HOST = ''

/** A world that packets move through. */
export type OpenWorld = Readonly<{ plane: Plane; host: Host }>

export const openWorld = (parts: Parts, world: World): OpenWorld => {
  const hosts = [{ name: ONLY_HOST, world }]
  const plane = openPlane(parts, hosts, world.nowMs, randomFrom(world.random), world.pending)
  const host = plane.hosts.get(ONLY_HOST)
  if (host === undefined) throw new Error('a plane has the hosts that it was opened with')
  return { plane, host }
}

/** What it has come to, as a value again. Nothing may use the open one any more. */
export const closeWorld = ({ plane, host }: OpenWorld): World =>
  closeHost(plane, host, { random: plane.random.state, pending: pendingOf(plane) })

export const onWorld = <A>(
  parts: Parts,
  world: World,
  act: (plane: Plane, host: Host) => A,
): Readonly<{ world: World; result: A }> => {
  const open = openWorld(parts, world)
  const result = act(open.plane, open.host)
  return { result, world: closeWorld(open) }
}

// Time passes on a host, or on all hosts of a fabric: what is pending happens, tentative addresses come into use at their moment, and
// what ages is forgotten. For all who move the clock and want nothing else.

import { getIn, valuesOf } from '../net/pmap.ts'
import { receive } from './datapath/device.ts'
import { run } from './datapath/loop.ts'
import type { Parts, Plane } from './datapath/plane.ts'
import { onWorld } from './datapath/world.ts'
import { aged, agedHost, type Fabric, onFabric } from './fabric/fabric.ts'
import type { World } from './state.ts'

/** How long an address that was found to be unique is not in use yet, at most: a large host is not closed for each. */
const LAG_MS = 50

/** Packets move until a moment, or until there is something that closing the plane acts upon; whether it is before that moment. */
const movedUntil =
  (untilMs: number) =>
  (plane: Plane): boolean => {
    const isDue = (): boolean => plane.foundMs !== null && (plane.pending[0]?.atMs ?? untilMs) > plane.foundMs + LAG_MS
    run(plane, receive, untilMs, isDue)
    return plane.nowMs < untilMs
  }

/** A host `ms` later. */
export const elapse = (parts: Parts, world: World, ms: number): World => {
  const move = movedUntil(world.nowMs + ms)
  for (let now = world; ; ) {
    const { world: next, result: isBefore } = onWorld(parts, now, move)
    if (!isBefore) return agedHost(next)
    now = next
  }
}

/** All hosts `ms` later. */
export const elapseOn = (parts: Parts, fabric: Fabric, ms: number): Fabric => {
  const move = movedUntil(fabric.nowMs + ms)
  for (let now = fabric; ; ) {
    const { fabric: next, result: isBefore } = onFabric(parts, now, move)
    if (!isBefore) return aged(next)
    now = next
  }
}

const isAsking = ({ namespaces, tentative }: World): boolean =>
  valuesOf(tentative).some((ns) => {
    const entry = getIn(namespaces, ns)
    if (entry === undefined) return false
    return valuesOf(entry.tentative).some((index) => {
      const link = getIn(entry.links, getIn(entry.indexes, String(index)) ?? '')
      return link?.addresses.some(({ dad }) => typeof dad === 'object')
    })
  })

/** A host once no address is asked about any more: as people find it, who are slower than that. */
export const atRest = (parts: Parts, world: World): World => {
  if (!isAsking(world)) return world
  const untilOver = (plane: Plane): void => run(plane, receive, Number.POSITIVE_INFINITY, () => plane.asking === 0)
  return agedHost(onWorld(parts, world, untilOver).world)
}

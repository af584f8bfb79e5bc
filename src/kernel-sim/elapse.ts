// Time passes on a host, or on all hosts of a fabric: what is pending happens, tentative addresses come into use at their moment, and
// what ages is forgotten. For all who move the clock and want nothing else.

import { draftOf, entriesOf, getIn, valuesOf } from '../net/pmap.ts'
import { receive } from './datapath/device.ts'
import { agedDevices } from './datapath/kind/close.ts'
import { run } from './datapath/loop.ts'
import type { Parts, Plane } from './datapath/plane.ts'
import { onWorld } from './datapath/world.ts'
import { type Fabric, onFabric } from './fabric/fabric.ts'
import type { World } from './state.ts'

/** Packets move until a moment, or until something is found that closing the plane acts upon; whether that was so. */
const movedUntil =
  (untilMs: number) =>
  (plane: Plane): boolean => {
    run(plane, receive, untilMs, () => plane.hasFound)
    return plane.hasFound
  }

const aged = (world: World): World => {
  const namespaces = draftOf(world.namespaces)
  for (const entry of valuesOf(world.namespaces)) {
    const next = agedDevices(entry, world.nowMs)
    if (next !== entry) namespaces.set(entry.ns, next)
  }
  const now = namespaces.done()
  return now === world.namespaces ? world : { ...world, namespaces: now }
}

/** A host `ms` later. */
export const elapse = (parts: Parts, world: World, ms: number): World => {
  const move = movedUntil(world.nowMs + ms)
  for (let now = world; ; ) {
    const { world: next, result: isBefore } = onWorld(parts, now, move)
    if (!isBefore) return aged(next)
    now = next
  }
}

const agedOn = (fabric: Fabric): Fabric => {
  const hosts = draftOf(fabric.hosts)
  for (const [name, world] of entriesOf(fabric.hosts)) {
    const next = aged(world)
    if (next !== world) hosts.set(name, next)
  }
  return { ...fabric, hosts: hosts.done() }
}

/** All hosts `ms` later. */
export const elapseOn = (parts: Parts, fabric: Fabric, ms: number): Fabric => {
  const move = movedUntil(fabric.nowMs + ms)
  for (let now = fabric; ; ) {
    const { fabric: next, result: isBefore } = onFabric(parts, now, move)
    if (!isBefore) return agedOn(next)
    now = next
  }
}

const isAsking = ({ namespaces, tentative }: World): boolean =>
  valuesOf(tentative).some((ns) => {
    const entry = getIn(namespaces, ns)
    return entry?.tentative.some((index) => {
      const link = getIn(entry.links, getIn(entry.indexes, String(index)) ?? '')
      return link?.addresses.some(({ dad }) => typeof dad === 'object')
    })
  })

/** Between two looks. */
const LOOK_MS = 500

/** A host once no address is asked about any more: as people find it, who are slower than that. */
export const atRest = (parts: Parts, world: World): World => {
  let now = world
  while (isAsking(now)) now = elapse(parts, now, LOOK_MS)
  return now
}

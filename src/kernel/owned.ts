// What of a host is ours to change. In a namespace that we made, everything; in the host's, links by their alias
// (`cnm:<owner>`), what sits on them, and our firewall table. What is not ours is never touched (docs/architecture.md).
// Property: properties/owned.properties.ts.

import type { Ns } from '../net/name.ts'
import { getIn, mapOf } from '../net/pmap.ts'
import { type KernelObject, keyOf } from './object.ts'
import { type KernelState, objectsOf } from './state.ts'
import { sysctlDevice } from './sysctl.ts'

const MARK = 'cnm:'

/** Every alias that we give begins so. */
export const aliasFor = (owner: string): string => `${MARK}${owner}`

const isOwnLink = (state: KernelState, ns: Ns, dev: string): boolean => {
  const link = getIn(state, `link/${ns}/${dev}`)
  return link?.kind === 'link' && link.alias !== null && link.alias.startsWith(MARK)
}

/** Whether an object of a state is ours, in a namespace that is not. */
const isOwnThere = (state: KernelState, object: KernelObject): boolean => {
  switch (object.kind) {
    case 'netns':
      return false
    case 'link':
      return isOwnLink(state, object.ns, object.name)
    case 'port':
    case 'address':
    case 'route':
      return isOwnLink(state, object.ns, object.dev)
    case 'sysctl': {
      const dev = sysctlDevice(object.name)
      return dev !== null && isOwnLink(state, object.ns, dev)
    }
    case 'nft-table':
    case 'nft-element':
      return true
  }
}

/** The part of what was observed that is ours; `madeByUs` tells of a namespace whether we made it. */
export const ownedPart = (state: KernelState, madeByUs: (ns: Ns) => boolean): KernelState =>
  mapOf(
    objectsOf(state)
      .filter((object) => madeByUs(object.ns) || isOwnThere(state, object))
      .map((object) => [keyOf(object), object] as const),
  )

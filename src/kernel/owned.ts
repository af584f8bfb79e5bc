// What of a host is ours to change. In a namespace that we made, everything; in the host's, links by their alias
// (`cnm:<owner>`) or as one we began, what sits on them, and our firewall table; in one that we adopted, the other ends of such
// links with what sits on them, and that loopback is up. What is not ours is never touched (docs/architecture.md).
// Property: properties/owned.properties.ts.

import type { Ns } from '../net/name.ts'
import { getIn, mapOf } from '../net/pmap.ts'
import { freshLoopback } from './cascade.ts'
import { isStacked, type KernelObject, keyOf, type Link, linkKey, sameObject } from './object.ts'
import type { KernelOp } from './op.ts'
import { EMPTY_STATE, type KernelState, objectsOf } from './state.ts'
import { sysctlDevice } from './sysctl.ts'

const MARK = 'cnm:'

/** Every alias that we give begins so. */
export const aliasFor = (owner: string): string => `${MARK}${owner}`

/** What a link of ours is said to bear that has not yet got its own alias. */
export const UNFINISHED_ALIAS = aliasFor('unfinished')

/** Whether an alias is one that we gave. */
export const isOurAlias = (alias: string | null): boolean => alias?.startsWith(MARK) === true

/** Whether a link bears our mark. */
const isMarked = ({ alias }: Link): boolean => isOurAlias(alias)

/**
 * Whether a link is one that we began to make: the kernel takes an alias only after the link, and whoever makes it may be
 * killed in between. It has the name, the other end and the MAC of one of ours, which follow from a random id.
 */
const isHalfMade = (link: Link, known: KernelState): boolean => {
  const ours = link.alias === null ? getIn(known, keyOf(link)) : undefined
  return ours?.kind === 'link' && isMarked(ours) && sameObject({ ...ours, mac: link.mac, spec: link.spec }, ours)
}

/**
 * Whether who finds what an operation has done, without having heard of it, knows it as ours, so that it can be undone. A namespace
 * and a sysctl bear no mark: that we change them must be on record before.
 */
export const isTraceable = ({ object }: KernelOp): boolean => object.kind !== 'netns' && object.kind !== 'sysctl'

type IsOwn = (link: Link) => boolean

const onOwnLink = (state: KernelState, isOwn: IsOwn, ns: Ns, dev: string): boolean => {
  const link = getIn(state, linkKey(ns, dev))
  return link?.kind === 'link' && isOwn(link)
}

/** Whether an object of a state is ours, in a namespace that is not. */
const isOwnThere = (state: KernelState, isOwn: IsOwn, object: KernelObject): boolean => {
  switch (object.kind) {
    case 'netns':
      return false
    case 'link':
      return isOwn(object)
    case 'port':
    case 'address':
    case 'route':
      return onOwnLink(state, isOwn, object.ns, object.dev)
    case 'sysctl': {
      const dev = sysctlDevice(object.name)
      return dev !== null && onOwnLink(state, isOwn, object.ns, dev)
    }
    case 'nft-table':
    case 'nft-element':
      return true
  }
}

const isLoopback = (object: KernelObject): object is Link => object.kind === 'link' && object.spec.type === 'loopback'

/**
 * Whether an object of a state is ours, in a namespace that we adopted. Its links tell by their other ends: whoever lives in it may
 * give a link any alias, and may have networks of its own there, also of this kind.
 */
const isOwnInAdopted = (state: KernelState, isOwn: IsOwn, object: KernelObject): boolean => {
  if (object.kind === 'netns' || isLoopback(object)) return true
  if (object.kind === 'nft-table' || object.kind === 'nft-element') return false
  const leadsHome: IsOwn = (link) => {
    const { ns, spec } = link
    // Nobody in there can have put a device on one of the host's.
    if (isStacked(spec)) return spec.below.ns !== ns && isOwn(link)
    if (spec.type !== 'veth' || spec.peer.ns === ns) return false
    const end = getIn(state, linkKey(spec.peer.ns, spec.peer.name))
    return end?.kind === 'link' && isOwn(end)
  }
  return isOwnThere(state, leadsHome, object)
}

/** What a namespace is to us; null: neither. */
export type Title = 'made' | 'adopted' | null

/**
 * The part of what was observed that is ours; `known` is what we have reason to think is there. Of the loopback device of an
 * adopted namespace only whether it is up.
 */
export const ownedPart = (
  state: KernelState,
  titleOf: (ns: Ns) => Title,
  known: KernelState = EMPTY_STATE,
): KernelState => {
  const isOwn: IsOwn = (link) => isMarked(link) || isHalfMade(link, known)
  const ours = (object: KernelObject): ReadonlyArray<KernelObject> => {
    const title = titleOf(object.ns)
    if (title === 'made') return [object]
    if (title === null) return isOwnThere(state, isOwn, object) ? [object] : []
    if (!isOwnInAdopted(state, isOwn, object)) return []
    return [isLoopback(object) ? { ...freshLoopback(object.ns), up: object.up } : object]
  }
  return mapOf(objectsOf(state).flatMap((object) => ours(object).map((each) => [keyOf(each), each] as const)))
}

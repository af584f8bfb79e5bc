// The host as it should be: the union of all fragments, kept up to date one fragment at a time, and who wants each object.
// Invariant: `state` equals `unite` of all fragments; two owners never want one key differently.

import { type OwnerFragment, type OwnerKey, ownerKey } from '../drivers/render.ts'
import { type KernelObject, keyOf, type ObjectKey, sameObject } from '../kernel/object.ts'
import { EMPTY_STATE, type Fragment, type KernelState } from '../kernel/state.ts'
import type { Owner } from '../model/command.ts'
import { emptyMap, getIn, type PMap, removeIn, setIn } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'

export type Wanted = Readonly<{
  state: KernelState
  /** The owners of each object: several share the firewall's table, or a sysctl of the host. */
  owners: PMap<ReadonlyArray<Owner>>
  fragments: PMap<Fragment>
}>

export const NOTHING_WANTED: Wanted = { state: EMPTY_STATE, owners: emptyMap(), fragments: emptyMap() }

/** Two owners want one object differently. */
export type WantedClash = Readonly<{ key: ObjectKey; owners: ReadonlyArray<Owner> }>

const isOwner = (a: Owner, b: Owner): boolean => a.of === b.of && a.id === b.id

const drop = (wanted: Wanted, owner: Owner, key: ObjectKey): Wanted => {
  const left = (getIn(wanted.owners, key) ?? []).filter((other) => !isOwner(other, owner))
  return left.length > 0
    ? { ...wanted, owners: setIn(wanted.owners, key, left) }
    : { ...wanted, owners: removeIn(wanted.owners, key), state: removeIn(wanted.state, key) }
}

const add = (wanted: Wanted, owner: Owner, object: KernelObject): Either<WantedClash, Wanted> => {
  const key = keyOf(object)
  const held = getIn(wanted.state, key)
  const owners = getIn(wanted.owners, key) ?? []
  if (held !== undefined && !sameObject(held, object)) return E.left({ key, owners: [...owners, owner] })
  return E.right({
    ...wanted,
    owners: owners.some((other) => isOwner(other, owner))
      ? wanted.owners
      : setIn(wanted.owners, key, [...owners, owner]),
    state: held === undefined ? setIn(wanted.state, key, object) : wanted.state,
  })
}

/** Keeps the old value of what did not change, so that versions share it. */
const settle = (before: KernelState, after: Wanted, keys: Iterable<ObjectKey>): Wanted => {
  let { state } = after
  for (const key of keys) {
    const old = getIn(before, key)
    const now = getIn(state, key)
    if (old !== undefined && now !== undefined && old !== now && sameObject(old, now)) state = setIn(state, key, old)
  }
  return state === after.state ? after : { ...after, state }
}

/** Puts these fragments in the place of their owners' former ones. Former objects go first: owners may swap a key. */
export const replaceFragments = (
  wanted: Wanted,
  changed: ReadonlyArray<OwnerFragment>,
): Either<WantedClash, Wanted> => {
  let now = wanted
  const keys = new Set<ObjectKey>()
  const formerOf = (key: OwnerKey): Fragment => getIn(wanted.fragments, key) ?? []
  for (const { owner } of changed)
    for (const object of formerOf(ownerKey(owner))) {
      keys.add(keyOf(object))
      now = drop(now, owner, keyOf(object))
    }
  for (const { owner, fragment } of changed) {
    for (const object of fragment) {
      const next = add(now, owner, object)
      if (E.isLeft(next)) return next
      now = next.right
    }
    const key = ownerKey(owner)
    now = {
      ...now,
      fragments: fragment.length === 0 ? removeIn(now.fragments, key) : setIn(now.fragments, key, fragment),
    }
  }
  return E.right(settle(wanted.state, now, keys))
}

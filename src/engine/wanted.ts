// The host as it should be: the union of all fragments, kept up to date one fragment at a time, and who wants each object.
// Invariant: `state` equals `unite` of all fragments; two owners never want one key differently.

import { type OwnerFragment, ownerKey } from '../drivers/render.ts'
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

/** The wanted host after a change, and the keys that it asks for anew or differently. */
export type Replaced = Readonly<{ wanted: Wanted; asked: ReadonlyArray<ObjectKey> }>

export const NOTHING_WANTED: Wanted = { state: EMPTY_STATE, owners: emptyMap(), fragments: emptyMap() }

/** Two owners want one object differently. */
export type WantedClash = Readonly<{ key: ObjectKey; owners: ReadonlyArray<Owner> }>

const isOwner = (a: Owner, b: Owner): boolean => a.of === b.of && a.id === b.id

type Held = Pick<Wanted, 'state' | 'owners'>

const drop = ({ state, owners }: Held, owner: Owner, key: ObjectKey): Held => {
  const left = (getIn(owners, key) ?? []).filter((other) => !isOwner(other, owner))
  return left.length > 0
    ? { state, owners: setIn(owners, key, left) }
    : { state: removeIn(state, key), owners: removeIn(owners, key) }
}

const add = ({ state, owners }: Held, owner: Owner, object: KernelObject): Either<WantedClash, Held> => {
  const key = keyOf(object)
  const held = getIn(state, key)
  const others = getIn(owners, key) ?? []
  if (held !== undefined && !sameObject(held, object)) return E.left({ key, owners: [...others, owner] })
  return E.right({
    state: held === undefined ? setIn(state, key, object) : state,
    owners: others.some((other) => isOwner(other, owner)) ? owners : setIn(owners, key, [...others, owner]),
  })
}

/** What an owner no longer wants, and what it wants anew; objects that stay as they are, are in neither. */
type Turnover = Readonly<{ owner: Owner; gone: ReadonlyArray<ObjectKey>; fresh: ReadonlyArray<KernelObject> }>

const turnover = (owner: Owner, before: Fragment, after: Fragment): Turnover => {
  const former = new Map(before.map((object) => [keyOf(object), object]))
  const fresh: KernelObject[] = []
  for (const object of after) {
    const key = keyOf(object)
    const was = former.get(key)
    if (was !== undefined && sameObject(was, object)) former.delete(key)
    else fresh.push(object)
  }
  return { owner, gone: [...former.keys()], fresh }
}

const withFragment = (fragments: Wanted['fragments'], { owner, fragment }: OwnerFragment): Wanted['fragments'] =>
  fragment.length === 0 ? removeIn(fragments, ownerKey(owner)) : setIn(fragments, ownerKey(owner), fragment)

/** Puts these fragments in the place of their owners' former ones. What goes, goes first: owners may swap a key. */
export const replaceFragments = (
  wanted: Wanted,
  changed: ReadonlyArray<OwnerFragment>,
): Either<WantedClash, Replaced> => {
  const turnovers = changed.map(({ owner, fragment }) =>
    turnover(owner, getIn(wanted.fragments, ownerKey(owner)) ?? [], fragment),
  )
  let now: Held = wanted
  for (const { owner, gone } of turnovers) for (const key of gone) now = drop(now, owner, key)
  for (const { owner, fresh } of turnovers) {
    for (const object of fresh) {
      const next = add(now, owner, object)
      if (E.isLeft(next)) return next
      now = next.right
    }
  }
  return E.right({
    wanted: { state: now.state, owners: now.owners, fragments: changed.reduce(withFragment, wanted.fragments) },
    asked: turnovers.flatMap(({ fresh }) => fresh.map(keyOf)),
  })
}

// The host as it should be: the union of all fragments, kept up to date one fragment at a time, and who wants each object.
// Invariant: `state` equals `unite` of all fragments; two owners never want one key differently.

import { type OwnerFragment, ownerKey } from '../drivers/render.ts'
import { type KernelObject, keyOf, type ObjectKey, sameObject } from '../kernel/object.ts'
import { EMPTY_STATE, type Fragment, type KernelState } from '../kernel/state.ts'
import type { Owner } from '../model/command.ts'
import { draftOf, emptyMap, getIn, type PMap, removeIn, setIn, valuesOf } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'

/** A fragment and the keys of its objects, in its order. */
type Wish = Readonly<{ owner: Owner; keys: ReadonlyArray<ObjectKey>; fragment: Fragment }>

export type Wanted = Readonly<{
  state: KernelState
  /** How often an object is wanted beyond the first time: several owners share the firewall's table, or a sysctl of the host. */
  shared: PMap<number>
  /** By owner; those who want nothing are not here. */
  wishes: PMap<Wish>
}>

/** The wanted host after a change, and the keys that it asks for anew or differently. */
export type Replaced = Readonly<{ wanted: Wanted; asked: ReadonlyArray<ObjectKey> }>

export const NOTHING_WANTED: Wanted = { state: EMPTY_STATE, shared: emptyMap(), wishes: emptyMap() }

/** Two owners want one object differently. */
export type WantedClash = Readonly<{ object: KernelObject; owners: ReadonlyArray<Owner> }>

const ownersByKey = (wishes: Iterable<Wish>): ReadonlyMap<ObjectKey, ReadonlyArray<Owner>> => {
  const found = new Map<ObjectKey, Owner[]>()
  for (const { owner, keys } of wishes)
    for (const key of keys) {
      const owners = found.get(key) ?? []
      if (!owners.includes(owner)) owners.push(owner)
      found.set(key, owners)
    }
  return found
}

/** Made when somebody asks, which is seldom, and then about many objects of one version. */
const books = new WeakMap<Wanted, ReadonlyMap<ObjectKey, ReadonlyArray<Owner>>>()

/** Who wants an object. The first question about a version costs its size. */
export const ownersOfKey = (wanted: Wanted, key: ObjectKey): ReadonlyArray<Owner> => {
  const book = books.get(wanted) ?? ownersByKey(valuesOf(wanted.wishes))
  books.set(wanted, book)
  return book.get(key) ?? []
}

const NONE: Omit<Wish, 'owner'> = { keys: [], fragment: [] }

/** What is said twice is wanted once. */
const wishOf = ({ owner, fragment }: OwnerFragment): Wish => {
  const keys = fragment.map(keyOf)
  if (new Set(keys).size === keys.length) return { owner, keys, fragment }
  const once = fragment.filter((object, at) => {
    const first = fragment[keys.indexOf(keyOf(object))]
    return first === undefined || first === fragment[at] || !sameObject(first, object)
  })
  return { owner, keys: once.map(keyOf), fragment: once }
}

type Asked = Readonly<{ owner: Owner; key: ObjectKey; object: KernelObject }>

/** What an owner no longer wants, and what it wants anew; objects that stay as they are, are in neither. */
type Turnover = Readonly<{ gone: ReadonlyArray<ObjectKey>; fresh: ReadonlyArray<Asked> }>

/** How many objects both begin with. */
const stillSame = (before: Omit<Wish, 'owner'>, after: Wish): number => {
  const both = Math.min(before.keys.length, after.keys.length)
  for (let at = 0; at < both; at++) {
    const [was, is] = [before.fragment[at], after.fragment[at]]
    if (before.keys[at] !== after.keys[at] || was === undefined || is === undefined || !sameObject(was, is)) return at
  }
  return both
}

/** The later wish with what stays as it was taken from the former one: what is there already need not be kept twice. */
const onto = (before: Omit<Wish, 'owner'>, { owner, keys, fragment }: Wish, same: number): Wish => ({
  owner,
  keys: [...before.keys.slice(0, same), ...keys.slice(same)],
  fragment: [...before.fragment.slice(0, same), ...fragment.slice(same)],
})

const turnover = (before: Omit<Wish, 'owner'>, after: Wish, same: number): Turnover => {
  const former = new Map<ObjectKey, KernelObject>()
  if (same === after.keys.length) return { gone: before.keys.slice(same), fresh: [] }
  before.fragment.slice(same).forEach((object, at) => {
    former.set(before.keys[same + at] ?? '', object)
  })
  const fresh: Asked[] = []
  after.fragment.slice(same).forEach((object, at) => {
    const key = after.keys[same + at] ?? ''
    const was = former.get(key)
    if (was !== undefined && sameObject(was, object)) former.delete(key)
    else fresh.push({ owner: after.owner, key, object })
  })
  return { gone: [...former.keys()], fresh }
}

/** Puts these fragments in the place of their owners' former ones. What goes, goes first: owners may swap a key. */
export const replaceFragments = (
  wanted: Wanted,
  changed: ReadonlyArray<OwnerFragment>,
): Either<WantedClash, Replaced> => {
  const state = draftOf(wanted.state)
  const wishes = draftOf(wanted.wishes)
  let { shared } = wanted
  const gone: ObjectKey[] = []
  const fresh: Asked[] = []
  for (const each of changed) {
    const at = ownerKey(each.owner)
    const wish = wishOf(each)
    const before = getIn(wanted.wishes, at) ?? NONE
    const same = stillSame(before, wish)
    if (same === before.keys.length && same === wish.keys.length) continue
    const turned = turnover(before, wish, same)
    gone.push(...turned.gone)
    fresh.push(...turned.fresh)
    if (wish.keys.length === 0) wishes.remove(at)
    else wishes.set(at, onto(before, wish, same))
  }
  for (const key of gone) {
    const others = getIn(shared, key)
    if (others === undefined) state.remove(key)
    else shared = others === 1 ? removeIn(shared, key) : setIn(shared, key, others - 1)
  }
  for (const { key, object } of fresh) {
    const held = state.get(key)
    if (held === undefined) state.set(key, object)
    else if (sameObject(held, object)) shared = setIn(shared, key, (getIn(shared, key) ?? 0) + 1)
    else return E.left({ object, owners: ownersByKey(valuesOf(wishes.done())).get(key) ?? [] })
  }
  const now = { state: state.done(), shared, wishes: wishes.done() }
  return E.right({ wanted: now, asked: fresh.map(({ key }) => key) })
}

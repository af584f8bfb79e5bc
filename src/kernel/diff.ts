// From what is there to what is wanted, as operations in an order that always applies.
//
// Laws (properties/diff.properties.ts): applying `diff(there, wanted)` to `there` gives `wanted`; stopping after any
// operation and asking again gives `wanted` too; `diff(x, x)` is empty. Cost: the keys that differ, not the host's size.
//
// Deletes come first, children before parents, without those that a parent's deletion implies. Then creations and
// changes, parents first, each against what is really there by then: a rebuilt link has taken its addresses with it, and
// a veth's other end has come with the first. See `cascade.ts`.
// A route that is to lead elsewhere does so before what it led by goes, if it can: a container that changes its way out loses no packet.
// An adopted namespace lives on without its name, so what we have in it is taken out first.

import { contains } from '../net/cidr.ts'
import { HOST } from '../net/name.ts'
import { changesBetween, draftOf, entriesUnder, getIn } from '../net/pmap.ts'
import { born, cascade, cascadeIn } from './cascade.ts'
import {
  addressesOn,
  changeable,
  inNs,
  isStacked,
  type KernelObject,
  keyOf,
  linkKey,
  type ObjectKey,
  type Route,
  sameObject,
} from './object.ts'
import type { KernelOp } from './op.ts'
import { compareRank, rankOf } from './order.ts'
import type { KernelState } from './state.ts'

const applied = (state: KernelState, op: KernelOp, gone: ReadonlyArray<ObjectKey>): KernelState => {
  const next = draftOf(state)
  for (const key of gone) next.remove(key)
  for (const object of madeBy(op)) next.set(keyOf(object), object)
  return next.done()
}

const madeBy = (op: KernelOp): ReadonlyArray<KernelObject> => (op.verb === 'delete' ? [] : [...born(op), op.object])

/** The state after `op`, cascades and births included; what the kernel would hold if it agreed. */
export const after = (state: KernelState, op: KernelOp): KernelState => applied(state, op, cascade(state, op))

/** An adopted namespace takes nothing along: what is in it is only out of sight. */
const isAdopted = (object: KernelObject): boolean => object.kind === 'netns' && object.at !== null

/** Whether its deletion takes other objects along. */
const isParent = (object: KernelObject): boolean =>
  object.kind === 'link' || object.kind === 'nft-table' || (object.kind === 'netns' && !isAdopted(object))

/** Of a veth's two ends the host's is made and deleted, for from there the other's namespace has a name. */
const fromHost = (a: KernelObject, b: KernelObject): number =>
  compareRank(a, b) || Number(a.ns !== HOST) - Number(b.ns !== HOST)

/** A loopback device cannot be deleted; it goes with its namespace. */
const deletable = (object: KernelObject): boolean => !(object.kind === 'link' && object.spec.type === 'loopback')

/** What is to be taken out of an adopted namespace before it is given up, though it be wanted in the next one of that name. */
const inside = (there: KernelState, { ns }: KernelObject): ReadonlyArray<KernelObject> =>
  entriesUnder(there, inNs(ns)).flatMap(([, object]) => (object.kind === 'link' && deletable(object) ? [object] : []))

/** The kernel takes a namespace apart behind one's back, and until then a device in it holds its MAC, or all, of the one outside it is on. */
const holdsOutside = (object: KernelObject | undefined): boolean =>
  object?.kind === 'link' && isStacked(object.spec) && object.spec.below.ns !== object.ns

/** A deletion; `gone` is what it takes along, where that depends on nothing but what is still there by then. */
type Deletion = Readonly<{ object: KernelObject; gone: ReadonlyArray<ObjectKey> | null }>

/** The deletions that remain when parents take their children along, children first. */
const deletions = (there: KernelState, unwanted: ReadonlyArray<KernelObject>): ReadonlyArray<Deletion> => {
  const implied = new Set<ObjectKey>()
  const needed: Array<Deletion & Readonly<{ key: ObjectKey }>> = []
  const released = unwanted.filter(isAdopted).flatMap((netns) => inside(there, netns))
  const all = new Map([...unwanted, ...released].map((object) => [keyOf(object), object]))
  for (const [key, object] of [...all].sort(([, a], [, b]) => fromHost(a, b))) {
    if (implied.has(key)) continue
    const gone = isParent(object) ? cascade(there, { verb: 'delete', object }) : null
    for (const other of gone ?? [])
      if (other !== key && !(object.kind === 'netns' && holdsOutside(getIn(there, other)))) implied.add(other)
    needed.push({ object, gone, key })
  }
  return needed.filter(({ key }) => !implied.has(key)).sort((a, b) => compareRank(b.object, a.object))
}

/** What is there as the operations so far have left it: `there` and what they changed, put together only if need be. */
type Now = Readonly<{
  get: (key: ObjectKey) => KernelObject | undefined
  has: (key: ObjectKey) => boolean
  look: () => KernelState
  obey: (op: KernelOp, gone: ReadonlyArray<ObjectKey>) => void
}>

const nowFrom = (there: KernelState): Now => {
  const changed = new Map<ObjectKey, KernelObject | null>()
  let built = there
  let waiting: Array<() => void> = []
  const get = (key: ObjectKey): KernelObject | undefined => {
    const known = changed.get(key)
    return known === undefined ? getIn(there, key) : (known ?? undefined)
  }
  return {
    get,
    has: (key) => get(key) !== undefined,
    look: () => {
      for (const build of waiting) build()
      waiting = []
      return built
    },
    obey: (op, gone) => {
      for (const key of gone) changed.set(key, null)
      for (const object of madeBy(op)) changed.set(keyOf(object), object)
      waiting.push(() => {
        built = applied(built, op, gone)
      })
    },
  }
}

/** Whether a route can lead where it is to, by what is there and stays; `doomed`: what deletions take along. */
const leads = (now: Now, wanted: KernelState, doomed: ReadonlySet<ObjectKey>, { ns, dev, via }: Route): boolean => {
  const key = linkKey(ns, dev)
  const [link, goal] = [now.get(key), getIn(wanted, key)]
  if (link?.kind !== 'link' || !link.up || goal === undefined || !sameObject(link, goal) || doomed.has(key))
    return false
  return (
    via === null ||
    entriesUnder(wanted, addressesOn(ns, dev)).some(
      ([at, object]) => object.kind === 'address' && contains(object.cidr, via) && now.has(at),
    )
  )
}

/** The operations that lead from `there` to `wanted`. */
export const diff = (there: KernelState, wanted: KernelState): ReadonlyArray<KernelOp> => {
  const ops: KernelOp[] = []
  const goals: Array<Map<ObjectKey, KernelObject>> = []
  const aim = (key: ObjectKey, object: KernelObject): void => {
    const rank = rankOf(object)
    const goal = goals[rank] ?? new Map<ObjectKey, KernelObject>()
    goals[rank] = goal.set(key, object)
  }
  const now = nowFrom(there)
  const emit = (op: KernelOp, gone = cascadeIn(now.look, op)): void => {
    ops.push(op)
    for (const key of gone) {
      const lost = getIn(wanted, key)
      if (lost !== undefined) aim(key, lost)
    }
    now.obey(op, gone)
  }

  const unwanted: KernelObject[] = []
  for (const { key, before, after: goal } of changesBetween(there, wanted)) {
    if (before !== undefined && goal !== undefined && sameObject(before, goal)) continue
    if (goal !== undefined) aim(key, goal)
    if (before !== undefined && deletable(before) && !(goal !== undefined && changeable(before, goal)))
      unwanted.push(before)
  }
  const deleted = deletions(there, unwanted)
  let doomed: ReadonlySet<ObjectKey> | null = null
  const divert = (key: ObjectKey): boolean => {
    const [from, object] = [now.get(key), getIn(wanted, key)]
    if (from?.kind !== 'route' || object?.kind !== 'route') return false
    doomed ??= new Set(deleted.flatMap(({ gone }) => gone ?? []))
    if (!leads(now, wanted, doomed, object)) return false
    emit({ verb: 'change', from, object })
    return true
  }
  for (const { object, gone } of deleted) {
    if (!now.has(keyOf(object))) continue
    const diverted = new Set(gone?.filter(divert))
    emit(
      { verb: 'delete', object },
      gone?.filter((key) => now.has(key) && !diverted.has(key)),
    )
  }

  for (let rank = 0; rank < goals.length; rank++) {
    for (const object of [...(goals[rank]?.values() ?? [])].sort(fromHost)) {
      const held = now.get(keyOf(object))
      if (held === undefined) emit({ verb: 'create', object })
      else if (!sameObject(held, object)) emit({ verb: 'change', from: held, object })
    }
  }
  return ops
}

// A world while operations change it: over the persistent maps of the world as it was, native ones of what was touched
// since. It is the only mutable thing of the control plane and lives for one list of operations; links, routes and all else
// that it holds are values.
// Invariant: whoever changes a link puts the new one here at once, and goes on with that.

import type { IfName, Ns } from '../../net/name.ts'
import {
  changedIn,
  getIn,
  type Draft as MapDraft,
  draftOf as mapDraftOf,
  removeIn,
  setIn,
  sizeOfMap,
  valuesOf,
} from '../../net/pmap.ts'
import { type LinkEntry, linkWith, type Place } from '../link-entry.ts'
import { type NsEntry, nsWith, type RouteEntry, type World, worldWith } from '../state.ts'

/**
 * `spaces`: the namespaces that were looked at so far; null: gone. `watched`: the devices whose carrier has changed, which linkwatch
 * looks at once a request is done.
 */
export type Draft = Readonly<{ world: World; spaces: Map<Ns, Space | null>; watched: Map<string, Place> }>

/**
 * A namespace of a draft: as it was, and a copy that is as it is now, but for the links that were `touched` (null: gone) and for
 * the `routes`.
 * The copy is nobody else's until the draft is done.
 */
export type Space = Readonly<{
  draft: Draft
  ns: Ns
  was: NsEntry
  now: { -readonly [Part in keyof NsEntry]: NsEntry[Part] }
  touched: Map<IfName, LinkEntry | null>
  routes: MapDraft<RouteEntry>
}>

export const draftOf = (world: World): Draft => ({ world, spaces: new Map(), watched: new Map() })

const opened = (draft: Draft, was: NsEntry): Space => {
  const space: Space = {
    draft,
    ns: was.ns,
    was,
    now: nsWith(was, {}),
    touched: new Map(),
    routes: mapDraftOf(was.routes),
  }
  draft.spaces.set(was.ns, space)
  return space
}

/** The namespace of this name, or null. */
export const spaceOf = (draft: Draft, ns: Ns): Space | null => {
  const known = draft.spaces.get(ns)
  if (known !== undefined) return known
  const was = getIn(draft.world.namespaces, ns)
  return was === undefined ? null : opened(draft, was)
}

/** The namespace that was adopted from there, or null. Looks at all. */
export const spaceFrom = (draft: Draft, at: string): Space | null => {
  for (const space of draft.spaces.values()) if (space?.now.at === at) return space
  for (const { ns, at: from } of valuesOf(draft.world.namespaces))
    if (from === at && !draft.spaces.has(ns)) return spaceOf(draft, ns)
  return null
}

export const addSpace = opened
export const removeSpace = ({ draft, ns }: Space): void => {
  draft.spaces.set(ns, null)
}

/** The link of this name, or null. */
export const linkOf = (space: Space, name: string): LinkEntry | null => {
  // Cast: a name that is none is not found.
  const touched = space.touched.get(name as IfName)
  return touched === undefined ? (getIn(space.now.links, name) ?? null) : touched
}

/** The space and the link of a place, if they are there. */
export const found = (space: Space, { ns, name }: Place): Readonly<{ space: Space; link: LinkEntry }> | null => {
  const there = ns === space.ns ? space : spaceOf(space.draft, ns)
  const link = there === null ? null : linkOf(there, name)
  return there === null || link === null ? null : { space: there, link }
}

/** Puts a link into the place of what had its name; the link. */
export const putLink = (space: Space, link: LinkEntry): LinkEntry => {
  space.touched.set(link.name, link)
  return link
}

/** Puts a link in with some of it changed; the new one. */
export const change = (space: Space, link: LinkEntry, to: Partial<LinkEntry>): LinkEntry =>
  putLink(space, linkWith(link, to))

/** What passed it is forgotten: who gets the name next begins at zero. */
export const dropLink = (space: Space, { name, index }: LinkEntry): void => {
  space.touched.set(name, null)
  space.now.tallies = removeIn(space.now.tallies, name)
  space.now.indexes = removeIn(space.now.indexes, String(index))
}

/** The link of this index, or null. */
export const linkAt = (space: Space, index: number): LinkEntry | null => {
  const name = getIn(space.now.indexes, String(index))
  return name === undefined ? null : linkOf(space, name)
}

/** Puts in a link whose name and index are free. */
export const addLink = (space: Space, link: LinkEntry): LinkEntry => {
  space.now.indexes = setIn(space.now.indexes, String(link.index), link.name)
  return putLink(space, link)
}

/** Moves the touched links to the others. */
const settle = ({ now, touched, routes }: Space): void => {
  now.routes = routes.done()
  now.links = changedIn(now.links, touched)
}

const placeKey = ({ ns, name }: Place): string => `${ns}/${name}`

/** Linkwatch shall look at a device. */
export const watch = ({ draft }: Space, place: Place): void => {
  draft.watched.set(placeKey(place), place)
}

/** A watched device is elsewhere now. */
export const watchElsewhere = (space: Space, from: Place, to: Place): void => {
  if (space.draft.watched.delete(placeKey(from))) watch(space, to)
}

/** All links, by name. */
export const linksOf = (space: Space): ReadonlyArray<LinkEntry> => {
  settle(space)
  space.touched.clear()
  return valuesOf(space.now.links)
}

/** Whether operations have changed nothing. */
const isSame = (was: NsEntry, now: NsEntry): boolean =>
  was.links === now.links &&
  was.nextIndex === now.nextIndex &&
  was.nextOrder === now.nextOrder &&
  was.routes === now.routes &&
  was.local4 === now.local4 &&
  was.tables6 === now.tables6 &&
  was.rules === now.rules &&
  was.customRules === now.customRules &&
  was.confAll === now.confAll &&
  was.confDefault === now.confDefault &&
  was.sysctls === now.sysctls &&
  was.firewall === now.firewall &&
  was.neighbours === now.neighbours &&
  was.proxies === now.proxies &&
  was.vxlans === now.vxlans &&
  was.tentative === now.tentative &&
  was.tallies === now.tallies

const closed = (space: Space): NsEntry => {
  settle(space)
  return isSame(space.was, space.now) ? space.was : space.now
}

/** Puts a namespace in under another name; what names it is not touched. */
export const renameSpace = (space: Space, ns: Ns): Space => {
  removeSpace(space)
  return opened(space.draft, nsWith(closed(space), { ns }))
}

/** The world that a draft has come to; the world as it was, if nothing has changed. */
export const worldOf = ({ world, spaces }: Draft): World => {
  const entries: (readonly [Ns, NsEntry | null])[] = []
  const tentative: (readonly [Ns, Ns | null])[] = []
  for (const [ns, space] of spaces) {
    entries.push([ns, space === null ? null : closed(space)])
    tentative.push([ns, space !== null && sizeOfMap(space.now.tentative) > 0 ? ns : null])
  }
  const namespaces = changedIn(world.namespaces, entries)
  if (namespaces === world.namespaces) return world
  return worldWith(world, namespaces, changedIn(world.tentative, tentative))
}

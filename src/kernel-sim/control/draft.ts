// A world while operations change it: over the persistent maps of the world as it was, native ones of what was touched
// since. It is the only mutable thing of the control plane and lives for one list of operations; links, routes and all else
// that it holds are values.
// Invariant: whoever changes a link puts the new one here at once, and goes on with that.

import type { IfName, Ns } from '../../net/name.ts'
import { getIn, type PMap, removeIn, setIn, valuesOf } from '../../net/pmap.ts'
import { type LinkEntry, linkWith, type NsEntry, nsWith, type World } from '../state.ts'

/** `spaces`: the namespaces that were looked at so far; null: gone. */
export type Draft = Readonly<{ world: World; spaces: Map<Ns, Space | null> }>

/** The parts of a namespace that operations change, besides its links. */
type Part = 'nextIndex' | 'nextOrder' | 'routes' | 'confAll' | 'confDefault' | 'sysctls' | 'firewall' | 'neighbours'

/** A namespace of a draft. Its links are `kept`, but for those that were `touched` (null: gone). */
export type Space = Readonly<{ draft: Draft; was: NsEntry; ns: Ns; touched: Map<IfName, LinkEntry | null> }> & {
  kept: PMap<LinkEntry>
} & { -readonly [P in Part]: NsEntry[P] }

export const draftOf = (world: World): Draft => ({ world, spaces: new Map() })

const opened = (draft: Draft, was: NsEntry): Space => {
  const space: Space = {
    draft,
    was,
    ns: was.ns,
    touched: new Map(),
    kept: was.links,
    nextIndex: was.nextIndex,
    nextOrder: was.nextOrder,
    routes: was.routes,
    confAll: was.confAll,
    confDefault: was.confDefault,
    sysctls: was.sysctls,
    firewall: was.firewall,
    neighbours: was.neighbours,
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

export const addSpace = opened
export const removeSpace = ({ draft, ns }: Space): void => {
  draft.spaces.set(ns, null)
}

/** The link of this name, or null. */
export const linkOf = (space: Space, name: string): LinkEntry | null => {
  // Cast: a name that is none is not found.
  const touched = space.touched.get(name as IfName)
  return touched === undefined ? (getIn(space.kept, name) ?? null) : touched
}

/** Puts a link into the place of what had its name; the link. */
export const putLink = (space: Space, link: LinkEntry): LinkEntry => {
  space.touched.set(link.name, link)
  return link
}

/** Puts a link in with some of it changed; the new one. */
export const change = (space: Space, link: LinkEntry, to: Partial<LinkEntry>): LinkEntry =>
  putLink(space, linkWith(link, to))

export const dropLink = (space: Space, name: IfName): void => {
  space.touched.set(name, null)
}

const linksIn = ({ kept, touched }: Space): PMap<LinkEntry> => {
  let links = kept
  for (const [name, link] of touched) links = link === null ? removeIn(links, name) : setIn(links, name, link)
  return links
}

/** All links, by name. */
export const linksOf = (space: Space): ReadonlyArray<LinkEntry> => {
  space.kept = linksIn(space)
  space.touched.clear()
  return valuesOf(space.kept)
}

const isSame = (space: Space, links: PMap<LinkEntry>): boolean => {
  const { was } = space
  return (
    links === was.links &&
    space.nextIndex === was.nextIndex &&
    space.nextOrder === was.nextOrder &&
    space.routes === was.routes &&
    space.confAll === was.confAll &&
    space.confDefault === was.confDefault &&
    space.sysctls === was.sysctls &&
    space.firewall === was.firewall &&
    space.neighbours === was.neighbours
  )
}

const closed = (space: Space): NsEntry => {
  const links = linksIn(space)
  if (isSame(space, links)) return space.was
  const { nextIndex, nextOrder, routes, confAll, confDefault, sysctls, firewall, neighbours } = space
  const to = { nextIndex, nextOrder, links, routes, confAll, confDefault, sysctls, firewall, neighbours }
  return nsWith(space.was, to)
}

/** The world that a draft has come to; the world as it was, if nothing has changed. */
export const worldOf = ({ world, spaces }: Draft): World => {
  let { namespaces } = world
  for (const [ns, space] of spaces)
    namespaces = space === null ? removeIn(namespaces, ns) : setIn(namespaces, ns, closed(space))
  return namespaces === world.namespaces ? world : { nowMs: world.nowMs, namespaces }
}

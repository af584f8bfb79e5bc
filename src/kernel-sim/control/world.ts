// Reading and replacing parts of a world. Everything in this folder is a function from one world to the next, so a refused
// operation has nothing to undo.

import type { Errno } from '../../kernel/errno.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { getIn, setIn } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import type { LinkEntry, NsEntry, World } from '../state.ts'

/** The world after an operation, or why there is none. */
export type Result = Either<Errno, World>

export const refuse = (errno: Errno): Either<Errno, never> => E.left(errno)
export const done = (world: World): Result => E.right(world)

export const nsOf = (world: World, ns: Ns): NsEntry | undefined => getIn(world.namespaces, ns)
export const linkOf = (world: World, ns: Ns, name: IfName): LinkEntry | undefined => {
  const space = nsOf(world, ns)
  return space === undefined ? undefined : getIn(space.links, name)
}

export const putNs = (world: World, space: NsEntry): World => ({
  ...world,
  namespaces: setIn(world.namespaces, space.ns, space),
})

export const putLink = (space: NsEntry, link: LinkEntry): NsEntry => ({
  ...space,
  links: setIn(space.links, link.name, link),
})

/** The world with this namespace replaced; the same world if there is no such namespace. */
export const withNs = (world: World, ns: Ns, f: (space: NsEntry) => NsEntry): World => {
  const space = nsOf(world, ns)
  if (space === undefined) return world
  const next = f(space)
  return next === space ? world : putNs(world, next)
}

/** The world with this link replaced; the same world if there is no such link. */
export const withLink = (world: World, ns: Ns, name: IfName, f: (link: LinkEntry) => LinkEntry): World =>
  withNs(world, ns, (space) => {
    const link = getIn(space.links, name)
    return link === undefined ? space : putLink(space, f(link))
  })

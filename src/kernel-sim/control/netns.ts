// Network namespaces. Sources: ip-netns(8), net/core/net_namespace.c (cleanup_net), net/core/dev.c (default_device_exit).

import type { Ns } from '../../net/name.ts'
import { removeIn, valuesOf } from '../../net/pmap.ts'
import { emptyNs, type World } from '../state.ts'
import { installLoopback, removeLink } from './link.ts'
import { done, nsOf, putNs, type Result, refuse } from './world.ts'

/** A fresh namespace has a loopback device, which is down. */
export const createNetns = (world: World, ns: Ns): Result =>
  nsOf(world, ns) === undefined ? done(putNs(world, installLoopback(emptyNs(ns)))) : refuse('EEXIST')

/** Everything inside goes with it, and the other ends of its veths. */
export const deleteNetns = (world: World, ns: Ns): Result => {
  const space = nsOf(world, ns)
  if (space === undefined) return refuse('ENOENT')
  const emptied = valuesOf(space.links).reduce(
    (next, link) => (link.spec.type === 'veth' && link.spec.peer.ns !== ns ? removeLink(next, ns, link) : next),
    world,
  )
  return done({ ...emptied, namespaces: removeIn(emptied.namespaces, ns) })
}

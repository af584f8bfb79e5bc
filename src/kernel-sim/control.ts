// One operation on a world: what Linux 6.1 to 6.18 does with the commands that the operation stands for (kernel/print.ts),
// side effects included, or the errno it answers with. All or nothing: a refused operation leaves the world as it was.
// The rules are in `control/`; the experiments behind them are test/lockstep/ops.test.ts.

import type { KernelObject } from '../kernel/object.ts'
import type { KernelOp } from '../kernel/op.ts'
import { HOST } from '../net/name.ts'
import { E } from '../prelude.ts'
import { addAddress, deleteAddress } from './control/address.ts'
import { changeLink, createLink, deleteLink } from './control/link.ts'
import { createNetns, deleteNetns } from './control/netns.ts'
import { createElement, createTable, deleteElement, deleteTable } from './control/nft.ts'
import { deletePort, putPort } from './control/port.ts'
import { deleteRoute, putRoute } from './control/route.ts'
import { writeSysctl } from './control/sysctl.ts'
import { done, type Result } from './control/world.ts'
import { EMPTY_WORLD, type World } from './state.ts'

const created = (world: World, object: KernelObject): Result => {
  switch (object.kind) {
    case 'netns':
      return createNetns(world, object.ns)
    case 'link':
      return createLink(world, object)
    case 'port':
      return putPort(world, null, object)
    case 'address':
      return addAddress(world, object)
    case 'route':
      return putRoute(world, object, 'add')
    case 'sysctl':
      return writeSysctl(world, object.ns, object.name, object.value)
    case 'nft-table':
      return createTable(world, object)
    case 'nft-element':
      return createElement(world, object)
  }
}

/** What cannot be changed stands for no command, and does nothing. */
const changed = (world: World, from: KernelObject, to: KernelObject): Result => {
  switch (to.kind) {
    case 'link':
      return from.kind === 'link' ? changeLink(world, from, to) : done(world)
    case 'port':
      return from.kind === 'port' ? putPort(world, from, to) : done(world)
    case 'route':
      return putRoute(world, to, 'replace')
    case 'sysctl':
      return writeSysctl(world, to.ns, to.name, to.value)
    case 'netns':
    case 'address':
    case 'nft-table':
    case 'nft-element':
      return done(world)
  }
}

const deleted = (world: World, object: KernelObject): Result => {
  switch (object.kind) {
    case 'netns':
      return deleteNetns(world, object.ns)
    case 'link':
      return deleteLink(world, object)
    case 'port':
      return deletePort(world, object)
    case 'address':
      return deleteAddress(world, object)
    case 'route':
      return deleteRoute(world, object)
    case 'sysctl':
      return writeSysctl(world, object.ns, object.name, object.otherwise)
    case 'nft-table':
      return deleteTable(world, object)
    case 'nft-element':
      return deleteElement(world, object)
  }
}

/** The world after `op`. Left: the errno of Linux; the world is then unchanged. Never throws. */
export const applyOp = (world: World, op: KernelOp): Result => {
  switch (op.verb) {
    case 'create':
      return created(world, op.object)
    case 'change':
      return changed(world, op.from, op.object)
    case 'delete':
      return deleted(world, op.object)
  }
}

/** A world with the host's namespace, which has its loopback device (down, as in any fresh namespace). */
export const hostWorld = (): World => {
  const world = createNetns(EMPTY_WORLD, HOST)
  return E.isLeft(world) ? EMPTY_WORLD : world.right
}

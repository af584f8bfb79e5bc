// One operation on a world: what Linux 6.1 to 6.18 does with the commands that the operation stands for (kernel/print.ts),
// side effects included, or the errno it answers with. All or nothing: as Linux, an operation looks at all that could refuse
// it before it touches anything.
// The rules are in `control/`; the experiments behind them are test/lockstep/ops.test.ts.

import type { Errno } from '../kernel/errno.ts'
import type { KernelObject } from '../kernel/object.ts'
import type { KernelOp } from '../kernel/op.ts'
import { HOST } from '../net/name.ts'
import { E, type Either } from '../prelude.ts'
import { addAddress, deleteAddress } from './control/address.ts'
import { type Draft, draftOf, worldOf } from './control/draft.ts'
import { changeLink, createLink, deleteLink } from './control/link.ts'
import { createNetns, deleteNetns } from './control/netns.ts'
import { createElement, createTable, deleteElement, deleteTable } from './control/nft.ts'
import { deletePort, putPort } from './control/port.ts'
import { deleteRoute, putRoute } from './control/route.ts'
import { writeSysctl } from './control/sysctl.ts'
import { EMPTY_WORLD, type World } from './state.ts'

const created = (draft: Draft, object: KernelObject): Errno | null => {
  switch (object.kind) {
    case 'netns':
      return createNetns(draft, object)
    case 'link':
      return createLink(draft, object)
    case 'port':
      return putPort(draft, null, object)
    case 'address':
      return addAddress(draft, object)
    case 'route':
      return putRoute(draft, object, 'add')
    case 'sysctl':
      return writeSysctl(draft, object.ns, object.name, object.value)
    case 'nft-table':
      return createTable(draft, object)
    case 'nft-element':
      return createElement(draft, object)
  }
}

/** What cannot be changed stands for no command, and does nothing. */
const changed = (draft: Draft, from: KernelObject, to: KernelObject): Errno | null => {
  switch (to.kind) {
    case 'link':
      return from.kind === 'link' ? changeLink(draft, from, to) : null
    case 'port':
      return from.kind === 'port' ? putPort(draft, from, to) : null
    case 'route':
      return putRoute(draft, to, 'replace')
    case 'sysctl':
      return writeSysctl(draft, to.ns, to.name, to.value)
    case 'netns':
    case 'address':
    case 'nft-table':
    case 'nft-element':
      return null
  }
}

const deleted = (draft: Draft, object: KernelObject): Errno | null => {
  switch (object.kind) {
    case 'netns':
      return deleteNetns(draft, object.ns)
    case 'link':
      return deleteLink(draft, object)
    case 'port':
      return deletePort(draft, object)
    case 'address':
      return deleteAddress(draft, object)
    case 'route':
      return deleteRoute(draft, object)
    case 'sysctl':
      return writeSysctl(draft, object.ns, object.name, object.otherwise)
    case 'nft-table':
      return deleteTable(draft, object)
    case 'nft-element':
      return deleteElement(draft, object)
  }
}

/** Does `op` to a draft, or answers why not; the draft is then as it was. Never throws. */
export const perform = (draft: Draft, op: KernelOp): Errno | null => {
  switch (op.verb) {
    case 'create':
      return created(draft, op.object)
    case 'change':
      return changed(draft, op.from, op.object)
    case 'delete':
      return deleted(draft, op.object)
  }
}

/** The world after `op`. Left: the errno of Linux. */
export const applyOp = (world: World, op: KernelOp): Either<Errno, World> => {
  const draft = draftOf(world)
  const errno = perform(draft, op)
  return errno === null ? E.right(worldOf(draft)) : E.left(errno)
}

/** A world with the host's namespace, which has its loopback device (down, as in any fresh namespace). */
export const hostWorld = (): World => {
  const draft = draftOf(EMPTY_WORLD)
  createNetns(draft, { ns: HOST, at: null })
  return worldOf(draft)
}

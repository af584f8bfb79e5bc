// What Linux 6.1 to 6.18 does with a request, side effects included, or the errno it answers with. A message that says several
// things is obeyed part by part, and left half done where one is refused; so is an operation that stands for several requests.
// The rules are in `control/`; the experiments behind them are test/lockstep/ops.test.ts.

import type { Errno } from '../kernel/errno.ts'
import type { KernelOp } from '../kernel/op.ts'
import type { AddressRequest, Ask, Request } from '../kernel/rtnl/request.ts'
import { requestsOf } from '../kernel/rtnl/requests.ts'
import { type Sight, unasked } from '../kernel/rtnl/unasked.ts'
import { isIp4 } from '../net/ip.ts'
import { HOST } from '../net/name.ts'
import { E, type Either } from '../prelude.ts'
import { askAddress6 } from './control/addrconf.ts'
import { setPort } from './control/bridge-options.ts'
import { askVlan } from './control/bridge-vlan.ts'
import { runLinkwatch } from './control/carrier.ts'
import { deleteLink } from './control/dellink.ts'
import { askAddress4 } from './control/devinet.ts'
import { type Draft, draftOf, linkOf, type Space, spaceOf, worldOf } from './control/draft.ts'
import { askFdb } from './control/fdb-request.ts'
import { askRule } from './control/fib-rules.ts'
import { askNeighbour } from './control/neigh.ts'
import { createNetns, deleteNetns } from './control/netns.ts'
import { newLink } from './control/newlink.ts'
import { createElement, createTable, deleteElement, deleteTable } from './control/nft.ts'
import { askRoute } from './control/route.ts'
import { setLink } from './control/setlink.ts'
import { writeSysctl } from './control/sysctl.ts'
import { askTap } from './control/tap.ts'
import { EMPTY_WORLD, type World } from './state.ts'

const askAddress = (space: Space, ask: AddressRequest): Errno | null => {
  const { ip } = ask.cidr
  const link = linkOf(space, ask.dev)
  if (link === null) return 'ENODEV'
  return isIp4(ip) ? askAddress4(space, link, ask, ip) : askAddress6(space, link, ask, ip)
}

type OnLink = Extract<Ask, { on: 'link' }>

const askLink = (space: Space, ask: OnLink): Errno | null => {
  switch (ask.do) {
    case 'add':
      return newLink(space, ask)
    case 'set':
      return setLink(space, ask)
    case 'delete':
      return deleteLink(space, ask)
  }
}

type OnSpace = Exclude<Ask, { on: 'netns' }>

const askIn = (space: Space, ask: OnSpace): Errno | null => {
  switch (ask.on) {
    case 'link':
      return askLink(space, ask)
    case 'port':
      return setPort(space, ask)
    case 'address':
      return askAddress(space, ask)
    case 'route':
      return askRoute(space, ask)
    case 'rule':
      return askRule(space, ask)
    case 'sysctl':
      return writeSysctl(space, ask.name, ask.value)
    case 'neighbour':
      return askNeighbour(space, ask)
    case 'fdb':
      return askFdb(space, ask)
    case 'vlan':
      return askVlan(space, ask)
    case 'tap':
      return askTap(space, ask)
  }
}

const sightOf = (space: Space): Sight => ({
  hasDev: (dev) => linkOf(space, dev) !== null,
  hasNs: (ns) => spaceOf(space.draft, ns) !== null,
})

/**
 * Does what a request asks for to a draft, or answers why not; of a link that is set, what came before the refused part is
 * then done. Never throws.
 */
export const ask = (draft: Draft, request: Request): Errno | null => {
  const errno = obey(draft, request)
  runLinkwatch(draft)
  return errno
}

const obey = (draft: Draft, { ns, ask: asked }: Request): Errno | null => {
  if (asked.on === 'netns')
    return asked.do === 'add' ? createNetns(draft, { ns, at: asked.at ?? null }) : deleteNetns(draft, ns)
  const space = spaceOf(draft, ns)
  return space === null ? 'ENOENT' : (unasked(asked, sightOf(space))?.errno ?? askIn(space, asked))
}

const firewall = (draft: Draft, { verb, object }: KernelOp): Errno | null => {
  if (verb === 'change') return null
  if (object.kind === 'nft-table') return verb === 'create' ? createTable(draft, object) : deleteTable(draft, object)
  if (object.kind !== 'nft-element') return null
  return verb === 'create' ? createElement(draft, object) : deleteElement(draft, object)
}

/** `ip link add type loopback`: there is one in each namespace, and no other. */
const createLoopback = (draft: Draft, { object }: KernelOp): Errno | null => {
  const space = spaceOf(draft, object.ns)
  if (space === null) return 'ENOENT'
  return object.kind === 'link' && linkOf(space, object.name) !== null ? 'EEXIST' : 'EOPNOTSUPP'
}

const isLoopback = ({ verb, object }: KernelOp): boolean =>
  verb === 'create' && object.kind === 'link' && object.spec.type === 'loopback'

/** A gateway of the other family is one that ip-route(8) cannot read, where it is not told so. */
const isMixed = ({ object }: KernelOp): boolean =>
  object.kind === 'route' && object.via !== null && isIp4(object.via) !== isIp4(object.to.ip)

/** Does `op` to a draft: the requests it stands for, until one is refused. Never throws. */
export const perform = (draft: Draft, op: KernelOp): Errno | null => {
  if (op.object.kind === 'nft-table' || op.object.kind === 'nft-element') return firewall(draft, op)
  if (isLoopback(op)) return createLoopback(draft, op)
  if (isMixed(op)) return spaceOf(draft, op.object.ns) === null ? 'ENOENT' : 'EINVAL'
  for (const request of requestsOf(op)) {
    const errno = ask(draft, request)
    if (errno !== null) return errno
  }
  return null
}

/** A world after something was done to it, and the errno of Linux, or null. */
export type Outcome = Readonly<{ world: World; errno: Errno | null }>

const outcome = (world: World, act: (draft: Draft) => Errno | null): Outcome => {
  const draft = draftOf(world)
  const errno = act(draft)
  return { world: worldOf(draft), errno }
}

/** The world after a request, be it refused. */
export const askWorld = (world: World, request: Request): Outcome => outcome(world, (draft) => ask(draft, request))
/** The world after an operation, be it refused. */
export const tryOp = (world: World, op: KernelOp): Outcome => outcome(world, (draft) => perform(draft, op))

/** The world after `op`. Left: the errno of Linux. */
export const applyOp = (world: World, op: KernelOp): Either<Errno, World> => {
  const { world: next, errno } = tryOp(world, op)
  return errno === null ? E.right(next) : E.left(errno)
}

/** A world with the host's namespace, which has its loopback device (down, as in any fresh namespace). */
export const hostWorld = (empty: World = EMPTY_WORLD): World => {
  const draft = draftOf(empty)
  createNetns(draft, { ns: HOST, at: null })
  return worldOf(draft)
}

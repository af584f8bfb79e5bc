// rtnetlink in process as a transport of the Kernel port. A socket is opened for each look and each batch and closed behind it:
// that takes some 20 us, and one that stayed would keep a namespace alive, or be in one that is gone and made again.
// Operations are done one by one, each request after the answer to the one before, so that what follows a refused creation never
// meets a stranger of the same name.

import { type Errno, strerror } from '../../kernel/errno.ts'
import type { KernelError } from '../../kernel/kernel.ts'
import type { KernelObject } from '../../kernel/object.ts'
import type { KernelOp } from '../../kernel/op.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import { type Refused, runBatch } from '../batch.ts'
import type { Complaint } from '../errno.ts'
import { type Names, NETNS_DIR, netnsPath } from '../names.ts'
import { type Run, unavailable } from '../run.ts'
import { type Step, stepsOf } from '../schedule.ts'
import type { Dump, Ends, Transport } from '../transport.ts'
import { decodeAddress, dumpAddresses } from './codec/address.ts'
import { decodeLink, dumpLinks, getLink } from './codec/link.ts'
import { decodeNsid, getNsid } from './codec/nsid.ts'
import { decodeRoute, dumpRoutes } from './codec/route.ts'
import { ask, dump, talk } from './conversation.ts'
import { errnoOf } from './errno.ts'
import { type NetlinkError, showNetlinkError } from './error.ts'
import { linksIn, routesIn } from './look.ts'
import { closeNetns, createNetns, deleteNetns, openNetns, prepareNetnsDir } from './netns.ts'
import { planOf } from './ops.ts'
import { HERE, openSocket, type Place, type Socket } from './socket.ts'

type Result<A> = Promise<Either<NetlinkError, A>>

const portError = (error: NetlinkError): KernelError => unavailable(`rtnetlink: ${showNetlinkError(error)}`)

/** There is no namespace of this name, or (EINVAL) only what a creation that was cut short has left of one. */
const outside = (error: NetlinkError): Complaint | null =>
  error.tag === 'SystemCall' && (error.errno === 'ENOENT' || (error.call === 'setns' && error.errno === 'EINVAL'))
    ? { errno: errnoOf(error.code), detail: showNetlinkError(error) }
    : null

/** What was found inside a namespace; `none` if there is no such namespace. */
const found = <A, B>(result: Either<NetlinkError, A>, none: B): Either<KernelError, A | B> =>
  E.isRight(result) ? result : outside(result.left) === null ? E.left(portError(result.left)) : E.right(none)

const inside = async <A>(names: Names, ns: Ns, f: (socket: Socket) => Result<A>): Result<A> => {
  const real = names(ns)
  const place: Place = real === null ? HERE : { in: 'path', path: netnsPath(real) }
  const socket = openSocket(place)
  if (E.isLeft(socket)) return socket
  try {
    return await f(socket.right)
  } finally {
    await socket.right.close()
  }
}

const open = (real: string | null): Either<NetlinkError, number> =>
  openNetns(real === null ? { pid: process.pid } : { path: netnsPath(real) })

const dumpOf =
  (ns: Ns) =>
  async (socket: Socket): Result<Dump> => {
    const links = await dump(socket, dumpLinks(), decodeLink)()
    if (E.isLeft(links)) return links
    const addresses = await dump(socket, dumpAddresses(), decodeAddress)()
    if (E.isLeft(addresses)) return addresses
    const routes = await dump(socket, dumpRoutes(), decodeRoute)()
    if (E.isLeft(routes)) return routes
    return E.right({
      links: linksIn(links.right, addresses.right),
      routes: routesIn(ns, routes.right, links.right),
    })
  }

const nsidsOf =
  (others: Iterable<string>) =>
  async (socket: Socket): Result<ReadonlyMap<number, string>> => {
    const known = new Map<number, string>()
    for (const real of others) {
      const fd = open(real)
      // It has gone meanwhile.
      if (E.isLeft(fd)) continue
      try {
        const told = await ask(socket, getNsid({ fd: fd.right }), decodeNsid)()
        if (E.isLeft(told) && told.left.tag !== 'Refused') return told
        const nsid = E.isRight(told) ? told.right.nsid : undefined
        if (nsid !== undefined && nsid >= 0) known.set(nsid, real)
      } finally {
        closeNetns(fd.right)
      }
    }
    return E.right(known)
  }

const endsOf =
  (others: Iterable<string>) =>
  async (socket: Socket): Result<Ends> => {
    const links = await dump(socket, dumpLinks(), decodeLink)()
    if (E.isLeft(links)) return links
    const known = await nsidsOf(others)(socket)
    return E.isLeft(known) ? known : E.right({ links: linksIn(links.right, []), names: known.right })
  }

const indexOf = async (socket: Socket, name: IfName): Result<number | null> => {
  const link = await ask(socket, getLink({ name }), decodeLink)()
  if (E.isRight(link)) return E.right(link.right.index)
  return link.left.tag === 'Refused' ? E.right(null) : link
}

/** The devices that the messages about an object name by their numbers. */
const devicesOf = (object: KernelObject): ReadonlyArray<IfName> => {
  switch (object.kind) {
    case 'port':
      return [object.dev, object.bridge]
    case 'address':
    case 'route':
      return [object.dev]
    default:
      return []
  }
}

/** Sends what the operation stands for until something is refused. */
const carryOut = async (socket: Socket, op: KernelOp, peer: number | null): Result<Complaint | null> => {
  const indices = new Map<IfName, number>()
  for (const name of devicesOf(op.object)) {
    const index = await indexOf(socket, name)
    if (E.isLeft(index)) return index
    if (index.right !== null) indices.set(name, index.right)
  }
  const plan = planOf(op, {
    indexOf: (_, name) => indices.get(name) ?? null,
    newIndex: () => 0,
    fdOf: () => peer,
  })
  if (E.isLeft(plan)) return E.right(plan.left)
  const requests = plan.right.tag === 'requests' ? plan.right.requests : []
  for (const request of requests) {
    const acks = await talk(socket, [request])()
    if (E.isLeft(acks)) return acks
    const { errno = null, text = null } = acks.right[0] ?? {}
    if (errno !== null) return E.right({ errno, detail: text ?? strerror[errno] })
  }
  return E.right(null)
}

const withPeer = async (names: Names, socket: Socket, op: KernelOp): Result<Complaint | null> => {
  const { object } = op
  const far = op.verb === 'create' && object.kind === 'link' && object.spec.type === 'veth' ? object.spec.peer.ns : null
  const fd = far === null || far === object.ns ? null : open(names(far))
  const peer = fd !== null && E.isRight(fd) ? fd.right : null
  try {
    return await carryOut(socket, op, peer)
  } finally {
    if (peer !== null) closeNetns(peer)
  }
}

const SENTENCE: Partial<Record<Errno, string>> = {
  EEXIST: 'there is one of this name',
  ENOENT: 'there is none of this name',
}

const netns = (names: Names, { verb, object }: KernelOp): Either<NetlinkError, Complaint | null> => {
  const path = netnsPath(names(object.ns) ?? '')
  const ready = verb === 'create' ? prepareNetnsDir(NETNS_DIR) : E.right(undefined)
  const done = E.isLeft(ready) ? ready : verb === 'create' ? createNetns(path) : deleteNetns(path)
  if (E.isRight(done)) return E.right(null)
  if (done.left.tag !== 'SystemCall') return done
  const errno = errnoOf(done.left.code)
  return E.right({ errno, detail: SENTENCE[errno] ?? showNetlinkError(done.left) })
}

const inOrder = async (
  steps: ReadonlyArray<Step>,
  f: (op: KernelOp) => Result<Complaint | null>,
): Result<ReadonlyArray<Refused>> => {
  const refused: Refused[] = []
  for (const step of steps) {
    const complaint = await f(step.op)
    if (E.isLeft(complaint)) return complaint
    if (complaint.right !== null) refused.push({ step, complaint: complaint.right })
  }
  return E.right(refused)
}

const OURS: ReadonlySet<KernelObject['kind']> = new Set(['netns', 'link', 'port', 'address', 'route'])

/** `run` is for firewall and sysctls. */
export const throughNetlink = (run: Run, names: Names): Transport => ({
  look: async (ns) => found(await inside(names, ns, dumpOf(ns)), null),
  nsids: async (ns, others) => found(await inside(names, ns, nsidsOf(others)), new Map()),
  ends: async (ns, others) => found(await inside(names, ns, endsOf(others)), { links: [], names: new Map() }),
  // One step for each operation of ours, for its messages are sent by one hand.
  stepsOf: (ops) =>
    stepsOf(ops, (ns) => ns)
      .filter((step, i, steps) => !OURS.has(step.op.object.kind) || steps[i - 1]?.at !== step.at)
      .map((step) => (step.command.tool === 'bridge' ? { ...step, command: { ...step.command, tool: 'ip' } } : step)),
  runBatch: async (batch) => {
    const { tool, ns, steps } = batch
    if (tool !== 'ip') return runBatch(run, ns === null ? null : names(ns), batch)
    const refused = await (ns === null
      ? inOrder(steps, async (op) => netns(names, op))
      : inside(names, ns, (socket) => inOrder(steps, (op) => withPeer(names, socket, op))))
    if (E.isRight(refused)) return refused
    const complaint = outside(refused.left)
    return complaint === null ? E.left(portError(refused.left)) : E.right(steps.map((step) => ({ step, complaint })))
  },
})

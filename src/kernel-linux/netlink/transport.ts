// rtnetlink in process as a transport of the Kernel port. A socket is opened for each look and each batch and closed behind it:
// that takes some 50 us, and one that stayed would keep a namespace alive, or be in one that is gone and made again.

import type { Errno } from '../../kernel/errno.ts'
import type { KernelError } from '../../kernel/kernel.ts'
import type { KernelOp } from '../../kernel/op.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import type { Refused } from '../batch.ts'
import type { Leaving } from '../departure.ts'
import { type Departures, devicesOf } from '../departures.ts'
import type { Complaint } from '../errno.ts'
import { limitOf } from '../limit.ts'
import { type Names, NETNS_DIR, netnsPath } from '../names.ts'
import { unavailable } from '../run.ts'
import { type Batch, type Step, wordless } from '../schedule.ts'
import type { Dump, Transport } from '../transport.ts'
import { type Elsewhere, findBelow } from './below.ts'
import { type Carried, carry } from './carry.ts'
import { decodeAddress, dumpAddresses } from './codec/address.ts'
import { decodeLink, deleteLink, dumpLinks, getLink } from './codec/link.ts'
import { decodeNsid, getNsid } from './codec/nsid.ts'
import { decodeRoute, dumpRoutes } from './codec/route.ts'
import { deleteGroup, makeCondemned } from './condemned.ts'
import { ask, askAll, dump, talk } from './conversation.ts'
import { type Course, courseOf } from './course.ts'
import { errnoOf } from './errno.ts'
import { type NetlinkError, showNetlinkError } from './error.ts'
import { linksIn, namesOf, routesIn } from './look.ts'
import { adoptNetns, closeNetns, createNetns, deleteNetns, openNetns, prepareNetnsDir, whyNotAdopted } from './netns.ts'
import { makePace } from './pace.ts'
import { HERE, openSocket, type Place, type Socket, type Turn } from './socket.ts'

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

/** Three dumps; the kernel gives each in pieces, so none takes long at a time. */
const dumpOf =
  (ns: Ns, turn: Turn) =>
  async (socket: Socket): Result<Dump> => {
    const links = await dump(socket, dumpLinks(), decodeLink, turn)()
    if (E.isLeft(links)) return links
    const addresses = await dump(socket, dumpAddresses(), decodeAddress, turn)()
    if (E.isLeft(addresses)) return addresses
    const routes = await dump(socket, dumpRoutes(), decodeRoute, turn)()
    if (E.isLeft(routes)) return routes
    return E.right({
      links: linksIn(links.right, addresses.right),
      names: namesOf(links.right),
      routes: routesIn(ns, routes.right, links.right),
    })
  }

/** The socket's number for the namespace of a name; null: it has none, or there is no such namespace (any more). */
const nsidOf = async (socket: Socket, real: string | null): Result<number | null> => {
  const fd = open(real)
  if (E.isLeft(fd)) return E.right(null)
  try {
    // Waits for no lock (RTNL_FLAG_DOIT_UNLOCKED).
    const told = await ask(socket, getNsid({ fd: fd.right }), decodeNsid, 'here')()
    if (E.isLeft(told) && told.left.tag !== 'Refused') return told
    const nsid = E.isRight(told) ? (told.right.nsid ?? -1) : -1
    return E.right(nsid < 0 ? null : nsid)
  } finally {
    closeNetns(fd.right)
  }
}

const nsidsOf =
  (others: Iterable<string>) =>
  async (socket: Socket): Result<ReadonlyMap<number, string>> => {
    const known = new Map<number, string>()
    for (const real of others) {
      const nsid = await nsidOf(socket, real)
      if (E.isLeft(nsid)) return nsid
      if (nsid.right !== null) known.set(nsid.right, real)
    }
    return E.right(known)
  }

/** Veths of the socket's namespace whose other ends are in another: their indexes there, by the number of that namespace. */
const farEnds = async (socket: Socket): Result<ReadonlyMap<number, ReadonlyArray<number>>> => {
  const links = await dump(socket, dumpLinks(), decodeLink, 'here')()
  if (E.isLeft(links)) return links
  const ends = new Map<number, number[]>()
  for (const { linkinfo, link, linkNetnsid } of links.right) {
    if (linkinfo?.info?.kind !== 'veth' || link === undefined || linkNetnsid === undefined) continue
    const held = ends.get(linkNetnsid)
    if (held === undefined) ends.set(linkNetnsid, [link])
    else held.push(link)
  }
  return E.right(ends)
}

/** The same by the namespaces among `staying`, which are asked one after the other until all numbers are known. */
const farEndsIn =
  (names: Names, staying: ReadonlyArray<Ns>) =>
  async (socket: Socket): Result<ReadonlyMap<Ns, ReadonlyArray<number>>> => {
    const known = new Map<Ns, ReadonlyArray<number>>()
    const ends = await farEnds(socket)
    if (E.isLeft(ends)) return ends
    for (const ns of staying) {
      if (known.size === ends.right.size) break
      const nsid = await nsidOf(socket, names(ns))
      if (E.isLeft(nsid)) return nsid
      const there = nsid.right === null ? undefined : ends.right.get(nsid.right)
      if (there !== undefined) known.set(ns, there)
    }
    return E.right(known)
  }

const linksByIndex =
  (indexes: ReadonlyArray<number>) =>
  async (socket: Socket): Result<ReadonlyMap<number, IfName>> => {
    const asked = indexes.map((index) => getLink({ index }))
    const replies = await askAll(socket, asked, decodeLink)()
    if (E.isLeft(replies)) return replies
    const messages = replies.right.flatMap(({ value }) => (value === null ? [] : [value]))
    return E.right(new Map(linksIn(messages, []).map(({ index, name }) => [index, name])))
  }

const SENTENCE: Partial<Record<Errno, string>> = {
  EEXIST: 'there is one of this name',
  ENOENT: 'there is none of this name',
}

const named = (path: string, from: string | null): Either<NetlinkError, void> =>
  from === null ? createNetns(path) : adoptNetns(path, from)

const refusedAmong = (steps: ReadonlyArray<Step>, carried: ReadonlyArray<Carried>): ReadonlyArray<Refused> =>
  steps.flatMap((step, i) => {
    const complaint = carried[i]?.complaint ?? null
    return complaint === null ? [] : [{ step, complaint }]
  })

/** At most so many namespaces are worked in at the same time: more would keep the event loop for longer (pace.ts). */
const NAMESPACES_AT_ONCE = 4

/** What is deleted behind the caller's back is noted in `departures`. */
export const throughNetlink = (names: Names, departures: Departures): Transport => {
  const pace = makePace()
  const limit = limitOf(NAMESPACES_AT_ONCE)
  let prepared = false

  const withinLimit = <A>(ns: Ns, f: (socket: Socket) => Result<A>): Result<A> =>
    limit(async () => {
      await pace.breathe()
      return inside(names, ns, f)
    })

  /** One by one what cannot be deleted together. */
  const deleteSingly = async (socket: Socket, group: number): Result<void> => {
    const links = await dump(socket, dumpLinks(), decodeLink)()
    if (E.isLeft(links)) return links
    const left = links.right.filter((link) => link.group === group)
    const done = await talk(
      socket,
      left.map(({ index }) => deleteLink({ index })),
    )()
    return E.isLeft(done) ? done : E.right(undefined)
  }

  const deleteTogether = (ns: Ns, group: number): Promise<void> =>
    pace.whileLocked(async () => {
      // A failure is no news for anybody: what is still there is seen by whoever looks next.
      await inside(names, ns, async (socket) => {
        const acks = await talk(socket, [deleteGroup(group)])()
        if (E.isLeft(acks)) return acks
        const { errno = null } = acks.right[0] ?? {}
        return errno === null || errno === 'ENODEV' ? E.right(undefined) : deleteSingly(socket, group)
      })
    })
  const condemned = makeCondemned(deleteTogether)

  const netns = ({ verb, object }: KernelOp): Either<NetlinkError, Complaint | null> => {
    const path = netnsPath(names(object.ns) ?? '')
    const ready = verb === 'create' && !prepared ? prepareNetnsDir(NETNS_DIR) : E.right(undefined)
    prepared ||= verb === 'create' && E.isRight(ready)
    const from = object.kind === 'netns' ? object.at : null
    const done = E.isLeft(ready) ? ready : verb === 'create' ? named(path, from) : deleteNetns(path)
    if (E.isRight(done)) return E.right(null)
    if (done.left.tag !== 'SystemCall') return done
    const errno = errnoOf(done.left.code)
    const sentence = from === null ? SENTENCE[errno] : undefined
    return E.right({ errno, detail: sentence ?? whyNotAdopted(done.left) })
  }

  const runNetns = async (course: Course, steps: ReadonlyArray<Step>): Result<ReadonlyArray<Refused>> => {
    const refused: Refused[] = []
    // With a namespace go its devices, and the other ends of its veths.
    if (steps.some(({ op }) => op.verb === 'delete')) course.indexes.clear()
    for (const step of steps) {
      await pace.breathe()
      const complaint = netns(step.op)
      if (E.isLeft(complaint)) return complaint
      if (complaint.right !== null) refused.push({ step, complaint: complaint.right })
    }
    return E.right(refused)
  }

  const elsewhere: Elsewhere = { inside: (ns, f) => inside(names, ns, f), open: (ns) => open(names(ns)) }

  /** Opens the namespaces that new veths reach into, for as long as `f` takes. */
  const withPeers = async <A>(
    ops: ReadonlyArray<KernelOp>,
    f: (fdOf: (ns: Ns) => number | null) => Result<A>,
  ): Result<A> => {
    const fds = new Map<Ns, number>()
    for (const { verb, object } of ops) {
      if (verb !== 'create' || object.kind !== 'link' || object.spec.type !== 'veth') continue
      const { ns } = object.spec.peer
      const fd = ns === object.ns || fds.has(ns) ? null : open(names(ns))
      if (fd !== null && E.isRight(fd)) fds.set(ns, fd.right)
    }
    try {
      return await f((ns) => fds.get(ns) ?? null)
    } finally {
      for (const fd of fds.values()) closeNetns(fd)
    }
  }

  const runIn = (course: Course, ns: Ns, all: ReadonlyArray<Step>): Result<ReadonlyArray<Refused>> => {
    const steps = all.filter(({ at }) => !course.done.has(at))
    if (steps.length === 0) return Promise.resolve(E.right([]))
    const ops = steps.map(({ op }) => op)
    // Whatever is about a device that was deleted before must find it gone.
    const last = new Map(ops.flatMap((op) => devicesOf(op).map((device) => [device, op] as const)))
    return condemned.fill(ns, (group, going, added) => {
      const groupFor = (op: KernelOp): number | null =>
        devicesOf(op).every((device) => last.get(device) === op) ? group : null
      return withinLimit(ns, (socket) =>
        withPeers(ops, async (fdOf) => {
          const belowOf = await findBelow(socket, ns, ops, elsewhere)
          if (E.isLeft(belowOf)) return belowOf
          const carried = await carry(socket, steps, { pace, course, fdOf, belowOf: belowOf.right, groupFor })
          if (E.isLeft(carried)) return carried
          const dying = ops.filter((_, i) => carried.right[i]?.condemned === true)
          added(dying.length)
          departures.add(dying.flatMap(devicesOf), going)
          return E.right(refusedAmong(steps, carried.right))
        }),
      )
    })
  }

  const runSteps = async (
    course: Course,
    { ns, steps }: Batch,
  ): Promise<Either<KernelError, ReadonlyArray<Refused>>> => {
    condemned.stir()
    const refused = await (ns === null ? runNetns(course, steps) : runIn(course, ns, steps))
    if (E.isRight(refused)) return refused
    const complaint = outside(refused.left)
    return complaint === null ? E.left(portError(refused.left)) : E.right(steps.map((step) => ({ step, complaint })))
  }

  return {
    look: async (ns) => found(await withinLimit(ns, dumpOf(ns, pace.turnFor(0))), null),
    nsids: async (ns, others) => found(await withinLimit(ns, nsidsOf(others)), new Map()),
    leaving: async (going, staying) => {
      const indexes = new Map<Ns, number[]>()
      for (const ns of going) {
        await pace.breathe()
        const ends = found(await withinLimit(ns, farEndsIn(names, staying)), new Map<Ns, ReadonlyArray<number>>())
        if (E.isLeft(ends)) return ends
        for (const [other, there] of ends.right) indexes.set(other, [...(indexes.get(other) ?? []), ...there])
      }
      const all: Leaving[] = []
      for (const [ns, there] of indexes) {
        const ends = found(await withinLimit(ns, linksByIndex(there)), new Map<number, IfName>())
        if (E.isLeft(ends)) return ends
        all.push({ ns, ends: ends.right })
      }
      return E.right(all)
    },
    remaining: async (ns, ends) => {
      const links = found(await withinLimit(ns, linksByIndex([...ends.keys()])), new Map<number, IfName>())
      return E.isLeft(links) ? links : E.right([...links.right.values()])
    },
    drop: async (ns, devices) => {
      const requests = devices.map((name) => deleteLink({ name }))
      const dropped = await pace.whileLocked(() => withinLimit(ns, (socket) => talk(socket, requests)()))
      const done = found(dropped, null)
      return E.isLeft(done) ? done : E.right(undefined)
    },
    // One step for each operation, for its messages are sent by one hand.
    begin: (ops) => {
      const course = courseOf(ops)
      return { steps: wordless(ops), runBatch: (batch) => runSteps(course, batch) }
    },
  }
}

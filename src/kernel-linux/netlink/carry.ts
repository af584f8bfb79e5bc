// Carries operations on the links, ports, addresses and routes of one namespace to the kernel, as few sends as their order allows.
// Messages name devices by number, so those are asked for first. A request that stands behind another of its operation goes when
// that was granted, so that an alias or a port's flags never land on a stranger's device.

import { strerror } from '../../kernel/errno.ts'
import type { KernelOp } from '../../kernel/op.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import { type Device, deviceIn, devicesOf } from '../departures.ts'
import type { Complaint } from '../errno.ts'
import { decodeLink, getLink, type LinkMessage } from './codec/link.ts'
import { condemn } from './condemned.ts'
import { askAll } from './conversation.ts'
import type { Course, Placed } from './course.ts'
import type { NetlinkError } from './error.ts'
import type { Request } from './message.ts'
import { type Context, isPassing, type Numbered, planOf } from './ops.ts'
import type { Pace } from './pace.ts'
import type { Ack } from './refusal.ts'
import type { Socket } from './socket.ts'

type Result<A> = Promise<Either<NetlinkError, A>>

/** What carrying needs beside the socket. */
export type Means = Readonly<{
  pace: Pace
  course: Course
  /** An open file of a namespace; null: there is none. */
  fdOf: (ns: Ns) => number | null
  belowOf: Context['belowOf']
  /** The group for links that are to go; null: this one is to be deleted at once. */
  groupFor: (op: KernelOp) => number | null
}>

/** How an operation ended: null is well. `condemned`: its link is still there. */
export type Carried = Readonly<{ complaint: Complaint | null; condemned: boolean }>

/** Milliseconds that a request keeps the kernel's lock, at the lower end; a lookup or an address takes a twentieth of the first. */
const CREATE_MS = 0.4
const ENTER_MS = 0.2
const SET_MS = 0.1
const SMALL_MS = 0.02
const DELETE_MS = 20

const estimateOf = ({ verb, object }: KernelOp, condemned: boolean): number => {
  switch (object.kind) {
    case 'link':
      return verb === 'create' ? CREATE_MS : verb === 'change' || condemned ? SET_MS : DELETE_MS
    case 'port':
      return verb === 'delete' ? DELETE_MS : ENTER_MS
    default:
      return SMALL_MS
  }
}

/** The devices that messages about an operation name by their numbers. */
const numbered = ({ verb, object }: KernelOp): ReadonlyArray<IfName> => {
  switch (object.kind) {
    case 'link':
      return verb === 'delete' && object.spec.type === 'veth' ? [object.name] : []
    case 'port':
      return [object.dev, object.bridge]
    case 'address':
    case 'route':
      return [object.dev]
    default:
      return []
  }
}

const about = (op: KernelOp): ReadonlyArray<Device> =>
  op.object.kind === 'port' ? [...devicesOf(op), deviceIn(op.object.ns, op.object.bridge)] : devicesOf(op)

/**
 * An operation as requests, so many of them `granted`; `complaint` once one was refused. `along`: the place of another that these
 * requests do as well; `alone`: those without it.
 */
type Task = {
  readonly op: KernelOp
  readonly requests: ReadonlyArray<Request>
  readonly condemned: boolean
  readonly along: Readonly<{ at: number; alone: ReadonlyArray<Request> }> | null
  granted: number
  complaint: Complaint | null
}

const taskFor = (op: KernelOp, requests: ReadonlyArray<Request>, more: Partial<Task> = {}): Task => ({
  op,
  requests,
  condemned: false,
  along: null,
  granted: 0,
  complaint: null,
  ...more,
})

const send = async (socket: Socket, pace: Pace, requests: ReadonlyArray<Request>, estimate: number) => {
  await pace.breathe()
  const turn = pace.turnFor(estimate)
  const began = performance.now()
  const work = askAll(socket, requests, decodeLink, turn)
  const replies = await (estimate < DELETE_MS ? work() : pace.whileLocked(work))
  pace.sent(turn, performance.now() - began)
  return replies
}

/** The devices that are to be asked for: those of the operations, and the bridges of ports that are made along. */
const unknownTo = ({ indexes, ports }: Course, steps: ReadonlyArray<Placed>): ReadonlyArray<IfName> => {
  const names = new Set<IfName>()
  for (const { at, op } of steps) {
    for (const name of numbered(op)) if (!indexes.has(deviceIn(op.object.ns, name))) names.add(name)
    const along = ports.get(at)
    if (along !== undefined) names.add(along.port.bridge)
  }
  return [...names]
}

type Links = ReadonlyMap<IfName, LinkMessage>

const lookUp = async (socket: Socket, pace: Pace, names: ReadonlyArray<IfName>): Result<Links> => {
  const found = new Map<IfName, LinkMessage>()
  if (names.length === 0) return E.right(found)
  const asked = names.map((name) => getLink({ name }))
  const replies = await send(socket, pace, asked, names.length * SMALL_MS)
  if (E.isLeft(replies)) return replies
  names.forEach((name, i) => {
    const link = replies.right[i]?.value ?? null
    if (link !== null) found.set(name, link)
  })
  return E.right(found)
}

const taskOf = ({ at, op }: Placed, links: Links, means: Means): Task => {
  const { object } = op
  const { indexes, ports } = means.course
  const link = op.verb === 'delete' && object.kind === 'link' ? links.get(object.name) : undefined
  const group = link?.linkinfo?.slave?.kind === 'bridge' ? means.groupFor(op) : null
  if (link !== undefined && group !== null) return taskFor(op, condemn(link, group), { condemned: true })
  const linkOf = (name: IfName): Numbered | null => {
    const index = indexes.get(deviceIn(object.ns, name))
    return index === undefined ? (links.get(name) ?? null) : { index }
  }
  const context = { linkOf, fdOf: means.fdOf, belowOf: means.belowOf }
  const plan = planOf(op, context)
  if (E.isLeft(plan)) return taskFor(op, [], { complaint: plan.left })
  const port = ports.get(at)
  const both = port === undefined || linkOf(port.port.bridge) === null ? plan : planOf(op, context, port.port)
  return port === undefined || E.isLeft(both) || both === plan
    ? taskFor(op, plan.right)
    : taskFor(op, both.right, { along: { at: port.at, alone: plan.right } })
}

/** Cuts where a task is about a device that an earlier one of the run will still be about behind its first request. */
const runsOf = (tasks: ReadonlyArray<Task>): ReadonlyArray<ReadonlyArray<Task>> => {
  const runs: Task[][] = []
  let run: Task[] = []
  const unfinished = new Set<Device>()
  for (const task of tasks) {
    const devices = about(task.op)
    if (devices.some((device) => unfinished.has(device))) {
      runs.push(run)
      run = []
      unfinished.clear()
    }
    run.push(task)
    if (task.requests.length > 1) for (const device of devices) unfinished.add(device)
  }
  return [...runs, run]
}

/** In the kernel's own words, with the attribute it stumbled over. */
const refusedBy = ({ errno, text, attribute, missing }: Ack): Complaint | null => {
  if (errno === null) return null
  const said = text ?? strerror[errno]
  const where = attribute ?? (missing === null ? null : `${missing} is missing`)
  return { errno, detail: where === null ? said : `${said} (${where})` }
}

/** What the kernel says that it made. */
const note = ({ indexes }: Course, { verb, object }: KernelOp, told: LinkMessage | null): void => {
  if (object.kind !== 'link' || verb === 'change') return
  const { ns, name, spec } = object
  // With a link goes its other end, which need not be the one that the operation believes.
  if (verb === 'delete') indexes.clear()
  if (verb === 'delete' || told === null || (told.name !== name && !isPassing(told.name))) return
  indexes.set(deviceIn(ns, name), told.index)
  if (spec.type === 'veth' && told.link !== undefined) indexes.set(deviceIn(spec.peer.ns, spec.peer.name), told.link)
}

/** Its bridge has gone since, with the first requests of others, and nothing passes through it any more. */
const isCutOff = ({ condemned, granted }: Task, { errno }: Ack): boolean =>
  condemned && granted > 0 && errno === 'EOPNOTSUPP'

/** All first requests, then the second ones of those that were granted, and so on. */
const carryRun = async (socket: Socket, { pace, course }: Means, run: ReadonlyArray<Task>): Result<void> => {
  for (let round = 0; ; round++) {
    const due = run.filter(({ complaint, requests }) => complaint === null && requests.length > round)
    if (due.length === 0) return E.right(undefined)
    const requests = due.flatMap((task) => task.requests.slice(round, round + 1))
    const estimate = due.reduce((sum, { op, condemned }) => sum + (round > 0 ? SMALL_MS : estimateOf(op, condemned)), 0)
    const replies = await send(socket, pace, requests, estimate)
    if (E.isLeft(replies)) return replies
    due.forEach((task, i) => {
      const { ack = null, value = null } = replies.right[i] ?? {}
      task.complaint = ack === null || isCutOff(task, ack) ? null : refusedBy(ack)
      if (task.complaint !== null) return
      task.granted += 1
      note(course, task.op, value)
    })
  }
}

/** A run, and again, alone, what was refused together with another operation: it is not known which of them is to blame. */
const carryWhole = async (socket: Socket, means: Means, run: ReadonlyArray<Task>): Result<ReadonlyArray<Task>> => {
  const done = await carryRun(socket, means, run)
  if (E.isLeft(done)) return done
  const ended = run.map((task) => {
    const { op, along, granted, complaint } = task
    if (along !== null && complaint === null) means.course.done.add(along.at)
    return along === null || complaint === null ? task : taskFor(op, along.alone.slice(granted))
  })
  const again = await carryRun(
    socket,
    means,
    ended.filter((task) => !run.includes(task)),
  )
  return E.isLeft(again) ? again : E.right(ended)
}

const deletesLink = ({ op }: Placed): boolean => op.verb === 'delete' && op.object.kind === 'link'

/** Cuts behind deletions of links: what is there must be asked anew. */
const lapsOf = (steps: ReadonlyArray<Placed>): ReadonlyArray<ReadonlyArray<Placed>> => {
  const laps: Placed[][] = [[]]
  let last: Placed | null = null
  for (const step of steps) {
    if (last !== null && deletesLink(last) && !deletesLink(step)) laps.push([])
    laps.at(-1)?.push(step)
    last = step
  }
  return laps
}

const carryLap = async (socket: Socket, steps: ReadonlyArray<Placed>, means: Means): Result<ReadonlyArray<Carried>> => {
  const links = await lookUp(socket, means.pace, unknownTo(means.course, steps))
  if (E.isLeft(links)) return links
  const carried: Carried[] = []
  for (const run of runsOf(steps.map((step) => taskOf(step, links.right, means)))) {
    const done = await carryWhole(socket, means, run)
    if (E.isLeft(done)) return done
    for (const { complaint, condemned } of done.right)
      carried.push({ complaint, condemned: condemned && complaint === null })
  }
  return E.right(carried)
}

/** In order, as far as order matters. Left: of the operations some may have been done. */
export const carry = async (
  socket: Socket,
  steps: ReadonlyArray<Placed>,
  means: Means,
): Result<ReadonlyArray<Carried>> => {
  const carried: Carried[] = []
  for (const lap of lapsOf(steps)) {
    const done = await carryLap(socket, lap, means)
    if (E.isLeft(done)) return done
    carried.push(...done.right)
  }
  return E.right(carried)
}

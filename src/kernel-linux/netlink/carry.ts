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
import { askAll, talk } from './conversation.ts'
import type { NetlinkError } from './error.ts'
import type { Request } from './message.ts'
import { planOf } from './ops.ts'
import type { Pace } from './pace.ts'
import type { Ack } from './refusal.ts'
import type { Socket } from './socket.ts'

type Result<A> = Promise<Either<NetlinkError, A>>

/** What carrying needs beside the socket. */
export type Means = Readonly<{
  pace: Pace
  /** An open file of a namespace; null: there is none. */
  fdOf: (ns: Ns) => number | null
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

/** An operation as requests; `complaint` once one was refused. */
type Task = {
  readonly op: KernelOp
  readonly requests: ReadonlyArray<Request>
  readonly condemned: boolean
  complaint: Complaint | null
}

const send = async (socket: Socket, pace: Pace, requests: ReadonlyArray<Request>, estimate: number) => {
  await pace.breathe()
  const turn = pace.turnFor(estimate)
  const began = performance.now()
  const work = talk(socket, requests, turn)
  const acks = await (estimate < DELETE_MS ? work() : pace.whileLocked(work))
  pace.sent(turn, performance.now() - began)
  return acks
}

const lookUp = async (
  socket: Socket,
  pace: Pace,
  ops: ReadonlyArray<KernelOp>,
): Result<ReadonlyMap<IfName, LinkMessage>> => {
  const names = [...new Set(ops.flatMap(numbered))]
  const found = new Map<IfName, LinkMessage>()
  if (names.length === 0) return E.right(found)
  await pace.breathe()
  const turn = pace.turnFor(names.length * SMALL_MS)
  const replies = await askAll(
    socket,
    names.map((name) => getLink({ name })),
    decodeLink,
    turn,
  )()
  if (E.isLeft(replies)) return replies
  names.forEach((name, i) => {
    const link = replies.right[i]?.value ?? null
    if (link !== null) found.set(name, link)
  })
  return E.right(found)
}

const taskOf = (op: KernelOp, links: ReadonlyMap<IfName, LinkMessage>, means: Means): Task => {
  const { object } = op
  const link = op.verb === 'delete' && object.kind === 'link' ? links.get(object.name) : undefined
  const group = link?.linkinfo?.slave?.kind === 'bridge' ? means.groupFor(op) : null
  if (link !== undefined && group !== null)
    return { op, requests: condemn(link, group), condemned: true, complaint: null }
  const plan = planOf(op, { linkOf: (name) => links.get(name) ?? null, fdOf: means.fdOf })
  return E.isLeft(plan)
    ? { op, requests: [], condemned: false, complaint: plan.left }
    : { op, requests: plan.right, condemned: false, complaint: null }
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

/** All first requests, then the second ones of those that were granted, and so on. */
const carryRun = async (socket: Socket, pace: Pace, run: ReadonlyArray<Task>): Result<void> => {
  for (let round = 0; ; round++) {
    const due = run.filter(({ complaint, requests }) => complaint === null && requests.length > round)
    if (due.length === 0) return E.right(undefined)
    const requests = due.flatMap((task) => task.requests.slice(round, round + 1))
    const estimate = due.reduce((sum, { op, condemned }) => sum + (round > 0 ? SMALL_MS : estimateOf(op, condemned)), 0)
    const acks = await send(socket, pace, requests, estimate)
    if (E.isLeft(acks)) return acks
    due.forEach((task, i) => {
      const ack = acks.right[i]
      if (ack !== undefined) task.complaint = refusedBy(ack)
    })
  }
}

/** In order, as far as order matters. Left: of the operations some may have been done. */
export const carry = async (
  socket: Socket,
  ops: ReadonlyArray<KernelOp>,
  means: Means,
): Result<ReadonlyArray<Carried>> => {
  const links = await lookUp(socket, means.pace, ops)
  if (E.isLeft(links)) return links
  const tasks = ops.map((op) => taskOf(op, links.right, means))
  for (const run of runsOf(tasks)) {
    const done = await carryRun(socket, means.pace, run)
    if (E.isLeft(done)) return done
  }
  return E.right(tasks.map(({ complaint, condemned }) => ({ complaint, condemned: condemned && complaint === null })))
}

// What connection tracking keeps of ports that were published or withdrawn, dropped where it is not true any more
// (kernel/firewall/published.ts): through ctnetlink in process, or conntrack(8) if it is there. Where neither can be, and on a kernel that
// tracks nothing, it ages by itself (UDP within two minutes): no operation is refused for it.

import { type Conversation, isStale, type PortChange, PROTOCOL, portChangeOf } from '../kernel/firewall/published.ts'
import { type Family, type Ip, isLoopback, parseIp, showIp } from '../net/ip.ts'
import type { Ns } from '../net/name.ts'
import { E, type Either } from '../prelude.ts'
import { documents, fields, list, text } from './decode/json.ts'
import type { Firewall } from './firewall.ts'
import { cidrOf, decodeAddress, dumpAddresses } from './netlink/codec/address.ts'
import {
  type ConnectionMessage,
  countConnections,
  decodeConnection,
  decodeStats,
  deleteConnection,
  dumpConnections,
} from './netlink/codec/conntrack.ts'
import { ask, dump, talk } from './netlink/conversation.ts'
import type { NetlinkError } from './netlink/error.ts'
import { loadLibc } from './netlink/libc.ts'
import { HERE, openSocket, type Place, type Socket } from './netlink/socket.ts'
import { NETLINK_NETFILTER, NETLINK_ROUTE } from './netlink/uapi/netlink.ts'
import type { Paths } from './place.ts'
import type { Run } from './run.ts'

export type Flows = Readonly<{ drop: (ns: Ns, changes: ReadonlyArray<PortChange>) => Promise<void> }>

type Tracked = Readonly<{ message: ConnectionMessage; conversation: Conversation }>

const trackedIn = (bytes: Uint8Array): Tracked | null => {
  const message = decodeConnection(bytes)
  const { original, reply } = message ?? {}
  const [to, answers] = [original?.ip?.dst4 ?? original?.ip?.dst6, reply?.ip?.src4 ?? reply?.ip?.src6]
  const { num, dport } = original?.proto ?? {}
  const sport = reply?.proto?.sport
  if (message === null || to === undefined || answers === undefined) return null
  if (num === undefined || dport === undefined || sport === undefined) return null
  const conversation = { proto: num, to: { ip: to, port: dport }, answers: { ip: answers, port: sport } }
  return { message, conversation }
}

type Question = Parameters<typeof dumpConnections>

/** The kernel goes through its whole table for each question (some ms), and tells only what answers it. */
const FEW = 4

const questionsFor = (changes: ReadonlyArray<PortChange>): ReadonlyArray<Question> => {
  const asked = new Map<string, Question>()
  for (const { port } of changes) {
    const { family, transport, hostPort } = port
    asked.set(`${family} ${transport} ${hostPort}`, [family, { proto: PROTOCOL[transport], port: hostPort }])
  }
  if (asked.size <= FEW) return [...asked.values()]
  return [...new Set<Family>(changes.map(({ port }) => port.family))].map((family) => [family, null])
}

/** Opens a socket for as long as `f` takes. */
const withSocket = async <A>(place: Place, protocol: number, otherwise: A, f: (socket: Socket) => Promise<A>) => {
  const socket = openSocket(place, { protocol })
  if (E.isLeft(socket)) return otherwise
  try {
    return await f(socket.right)
  } finally {
    await socket.right.close()
  }
}

const NO_ADDRESSES: ReadonlySet<Ip> = new Set()

const addressesAt = (place: Place): Promise<ReadonlySet<Ip>> =>
  withSocket(place, NETLINK_ROUTE, NO_ADDRESSES, async (socket) => {
    const told = await dump(socket, dumpAddresses(), decodeAddress)()
    return E.isLeft(told) ? NO_ADDRESSES : new Set(told.right.flatMap((each) => cidrOf(each)?.ip ?? []))
  })

/** Turns by the host's port: there may be thousands of both. */
const byPort = (changes: ReadonlyArray<PortChange>): ReadonlyMap<number, ReadonlyArray<PortChange>> => {
  const groups = new Map<number, PortChange[]>()
  for (const change of changes) {
    const group = groups.get(change.port.hostPort)
    if (group === undefined) groups.set(change.port.hostPort, [change])
    else group.push(change)
  }
  return groups
}

const dropAt = (place: Place, changes: ReadonlyArray<PortChange>): Promise<void> =>
  withSocket(place, NETLINK_NETFILTER, undefined, async (socket) => {
    const count = await ask(socket, countConnections(), decodeStats, 'here')()
    if (E.isLeft(count) || count.right.connections === 0) return
    const groups = byPort(changes)
    const isFor = ({ conversation }: Tracked, isOurs: (ip: Ip) => boolean): boolean =>
      groups.get(conversation.to.port)?.some((change) => isStale(change, conversation, isOurs)) === true
    const candidate = (bytes: Uint8Array): Tracked | null => {
      const tracked = trackedIn(bytes)
      return tracked !== null && isFor(tracked, () => true) ? tracked : null
    }
    for (const question of questionsFor(changes)) {
      const found = await dump(socket, dumpConnections(...question), candidate)()
      if (E.isLeft(found) || found.right.length === 0) continue
      const ours = changes.some(({ verb }) => verb === 'create') ? await addressesAt(place) : NO_ADDRESSES
      const stale = found.right.filter((tracked) => isFor(tracked, (ip) => isLoopback(ip) || ours.has(ip)))
      await talk(
        socket,
        stale.map(({ message }) => deleteConnection(message)),
      )()
    }
  })

/** Left: NoLibc. */
export const flowsInProcess = (paths: Paths): Either<NetlinkError, Flows> => {
  const libc = loadLibc()
  if (E.isLeft(libc)) return libc
  return E.right({
    drop: (ns, changes) => {
      const path = paths(ns)
      return dropAt(path === null ? HERE : { in: 'path', path }, changes)
    },
  })
}

const addressesIn = (stdout: string): ReadonlyArray<Ip> =>
  documents(stdout)
    .flatMap((json) => list(json).flatMap((link) => list(fields(link)['addr_info'])))
    .flatMap((json) => {
      const ip = parseIp(text(fields(json)['local']) ?? '')
      return E.isRight(ip) ? [ip.right] : []
    })

/** One call for each address of the host that conversations may have begun with, null: any. */
const wordsFor = (
  { verb, port: { family, hostPort, transport, container } }: PortChange,
  to: Ip | null,
): ReadonlyArray<string> => {
  const from = verb === 'delete' ? container : { ip: to ?? container.ip, port: hostPort }
  return [
    ...['-D', '-f', `ipv${family}`, '-p', transport, '--orig-port-dst', String(hostPort)],
    ...(to === null ? [] : ['--orig-dst', showIp(to)]),
    ...['--reply-src', showIp(from.ip), '--reply-port-src', String(from.port)],
  ]
}

/** `where`: how `run` calls namespaces. */
export const flowsThroughTool = (run: Run, where: Paths): Flows => ({
  drop: async (ns, changes) => {
    const isAny = changes.some(({ verb, port }) => verb === 'create' && port.hostIp === null)
    const ran = isAny ? await run(where(ns), 'ip', ['-json', 'address', 'show']) : null
    const ours = ran !== null && E.isRight(ran) ? addressesIn(ran.right.stdout) : []
    for (const change of changes) {
      const { family, hostIp } = change.port
      const all = ours.filter((ip) => (typeof ip === 'number') === (family === 4))
      const ends = hostIp !== null || change.verb === 'delete' ? [hostIp] : all
      for (const to of ends) await run(where(ns), 'conntrack', wordsFor(change, to))
    }
  },
})

/** A firewall whose ports are asked about anew by those to whom they matter. */
export const withFlows = (firewall: Firewall, flows: Flows): Firewall => ({
  ...firewall,
  run: async (ns, ops) => {
    const refused = await firewall.run(ns, ops)
    if (E.isLeft(refused)) return refused
    const undone = new Set(refused.right.map(({ at }) => at))
    const changes = ops.flatMap((op, at) => (undone.has(at) ? [] : (portChangeOf(op) ?? [])))
    if (changes.length > 0) await flows.drop(ns, changes)
    return refused
  },
})

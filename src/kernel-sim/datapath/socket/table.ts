// The sockets of a namespace while packets move, and which of them a packet is for: the one that knows most about it.
// Sources: net/ipv4/{udp,inet_hashtables}.c (compute_score), inet_connection_sock.c (inet_csk_get_port).

import { type Ip, isIp4 } from '../../../net/ip.ts'
import { draftOf, valuesOf } from '../../../net/pmap.ts'
import { portsOf } from '../../ports.ts'
import { type NsEntry, nsWith } from '../../state.ts'
import type { Packet } from '../../wire/nested.ts'
import type { Device, Space } from '../plane.ts'
import { NO_SOCKETS, type Socket } from './entry.ts'

export type Proto = Socket['proto']

export type SocketMemory = {
  readonly open: Map<number, Socket>
  /** By protocol and local port. */
  readonly byPort: Readonly<Record<Proto, Map<number, Socket[]>>>
  next: number
  nextPort: number
  changed: boolean
}

const enter = ({ open, byPort }: SocketMemory, socket: Socket) => {
  open.set(socket.id, socket)
  const here = byPort[socket.proto].get(socket.local.port)
  if (here === undefined) byPort[socket.proto].set(socket.local.port, [socket])
  else here.push(socket)
}

export const socketsOf = (space: Space): SocketMemory => {
  if (space.sockets !== null) return space.sockets
  const { sockets, next } = space.entry.sockets ?? NO_SOCKETS
  const memory: SocketMemory = {
    open: new Map(),
    byPort: { echo: new Map(), udp: new Map(), tcp: new Map() },
    next,
    nextPort: space.entry.nextPort,
    changed: false,
  }
  for (const entry of valuesOf(sockets)) enter(memory, { ...entry })
  space.sockets = memory
  return memory
}

/** Gives a socket its number, and makes it found. */
export const addSocket = <S extends Socket>(space: Space, socket: S): S => {
  const memory = socketsOf(space)
  socket.id = memory.next++
  memory.changed = true
  enter(memory, socket)
  return socket
}

export const removeSocket = (space: Space, { id, proto, local }: Socket) => {
  const memory = socketsOf(space)
  const { open, byPort } = memory
  open.delete(id)
  memory.changed = true
  const here = byPort[proto].get(local.port)
  if (here === undefined) return
  const at = here.findIndex((socket) => socket.id === id)
  if (at >= 0) here.splice(at, 1)
  if (here.length === 0) byPort[proto].delete(local.port)
}

/** Who a packet is from and for, as its receiver sees it. */
export type Ends = Readonly<{ local: Ip; port: number; remote: Ip; remotePort: number; dev: Device | null }>

const scoreOf = ({ family, local, heardAt, remote, options }: Socket, ends: Ends): number => {
  if (family !== null && (family === 4) !== isIp4(ends.local)) return -1
  const own = heardAt ?? local.ip
  if (own !== null && own !== ends.local) return -1
  if (remote !== null && (remote.ip !== ends.remote || remote.port !== ends.remotePort)) return -1
  if (options.dev !== null && options.dev !== ends.dev?.name) return -1
  return (remote === null ? 0 : 8) + (options.dev === null ? 0 : 4) + (own === null ? 0 : 2) + (family === null ? 0 : 1)
}

export const findSocket = <P extends Proto>(
  space: Space,
  proto: P,
  ends: Ends,
): Extract<Socket, { proto: P }> | null => {
  let best: Socket | null = null
  let most = -1
  for (const socket of socketsOf(space).byPort[proto].get(ends.port) ?? []) {
    const score = scoreOf(socket, ends)
    if (score > most) [best, most] = [socket, score]
  }
  // A cast: sockets are kept by their protocol.
  return best as Extract<Socket, { proto: P }> | null
}

const isPiece = (packet: Packet): boolean =>
  packet.tag === 'ip4' ? packet.mf || packet.offset > 0 : packet.fragment !== null

/** A piece is of no conversation before it is put together. */
export const isExpected = (space: Space, dev: Device, packet: Packet): boolean => {
  const { body, src, dst } = packet
  if ((body.proto !== 'tcp' && body.proto !== 'udp') || isPiece(packet)) return false
  if (space.sockets === null && space.entry.sockets === null) return false
  const ends: Ends = { local: dst, port: body.dport, remote: src, remotePort: body.sport, dev }
  const here = socketsOf(space).byPort[body.proto].get(body.dport) ?? []
  return here.some((socket) => socket.remote !== null && scoreOf(socket, ends) >= 0)
}

/**
 * A port of the namespace's range that nobody has and that is not reserved, in turn: what was used lately is not used again. Never
 * `other`, for a socket that calls its own address there would answer itself. Null: all are taken.
 */
export const takePort = (space: Space, proto: Proto, other: number | null): number | null => {
  const memory = socketsOf(space)
  const { automatic, reserved } = portsOf(space.entry)
  const { from, to } = automatic
  for (let tried: number = from; tried <= to; tried++) {
    const port = from <= memory.nextPort && memory.nextPort <= to ? memory.nextPort : from
    memory.nextPort = port >= to ? from : port + 1
    if (reserved.some((range) => range.from <= port && port <= range.to)) continue
    if (port !== other && !memory.byPort[proto].has(port)) return port
  }
  return null
}

/** Whether a socket that is bound so would be in another one's place. */
export const isBound = (space: Space, proto: Proto, family: 4 | 6 | null, ip: Ip | null, port: number): boolean =>
  (socketsOf(space).byPort[proto].get(port) ?? []).some(
    (socket) =>
      (socket.family === null || family === null || socket.family === family) &&
      (socket.local.ip === null || ip === null || socket.local.ip === ip) &&
      (socket.proto !== 'tcp' || socket.state === 'listen'),
  )

/** The sockets as they are now. Off the hot path. */
export const closeSockets = (space: Space, entry: NsEntry): NsEntry => {
  const memory = space.sockets
  if (memory === null) return entry
  const nextPort = memory.nextPort === entry.nextPort ? entry : nsWith(entry, { nextPort: memory.nextPort })
  const was = entry.sockets ?? NO_SOCKETS
  if (!memory.changed && memory.open.size === 0) return nextPort
  const sockets = draftOf(was.sockets)
  for (const { id } of valuesOf(was.sockets)) if (!memory.open.has(id)) sockets.remove(String(id))
  for (const [id, socket] of memory.open) sockets.set(String(id), { ...socket })
  return nsWith(nextPort, { sockets: { sockets: sockets.done(), next: memory.next } })
}

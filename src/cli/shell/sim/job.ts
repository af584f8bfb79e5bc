// Programs that go on beside the commands: a server (nc -l), and somebody who watches devices (tcpdump). Values; while packets move they
// are asked after each thing that happens, and answer with what they are then.

import type { Space } from '../../../kernel-sim/datapath/plane.ts'
import { openUdp, sendUdp } from '../../../kernel-sim/datapath/socket/datagram.ts'
import { DEFAULTS, type TcpSocket, type UdpSocket } from '../../../kernel-sim/datapath/socket/entry.ts'
import { removeSocket, socketsOf } from '../../../kernel-sim/datapath/socket/table.ts'
import { closeTcp, listenTcp, readTcp, writeTcp } from '../../../kernel-sim/datapath/socket/tcp.ts'
import { acceptTcp, stopListening } from '../../../kernel-sim/datapath/socket/tcp-listener.ts'
import type { Step } from '../../../kernel-sim/datapath/step.ts'
import type { Ns } from '../../../net/name.ts'
import type { Job } from '../../../shell/job.ts'
import { isMeant } from './filter.ts'

type Common = Readonly<{ number: number; line: string; host: string; ns: Ns; over: boolean }>
type Listen = Extract<Job, { does: 'listen' }>
type Watch = Extract<Job, { does: 'watch' }>

/** `socket`: the listener. `talks`: the connection that it has; null: none. `text`: all that was heard. */
export type Listener = Common & Readonly<{ job: Listen; socket: number; talks: number | null; text: string }>
/** `seen`: the steps at which a packet socket would have had it. */
export type Watcher = Common & Readonly<{ job: Watch; seen: ReadonlyArray<Step> }>
export type SimJob = Listener | Watcher

export const isListener = (one: SimJob): one is Listener => one.job.does === 'listen'
export const isWatcher = (one: SimJob): one is Watcher => one.job.does === 'watch'

const TEXT = new TextDecoder()
const BYTES = new TextEncoder()

/** Opens what it listens at; a text: why not. */
export const listen = (space: Space, common: Common, job: Listen): Listener | string => {
  const { proto, family, at, port } = job
  const binding = { family, ip: at, port, options: DEFAULTS }
  const isOurs = at === null || space.plane.parts.typeOf(space, at, null) === 'local'
  if (!isOurs) return 'nc: Cannot assign requested address'
  const socket = proto === 'udp' ? openUdp(space, binding, null) : listenTcp(space, binding, null)
  if (typeof socket === 'string') return 'nc: Address already in use'
  return { ...common, job, socket: socket.id, talks: null, text: '' }
}

const talk = (space: Space, one: Listener, socket: TcpSocket): Listener => {
  const text = one.text + TEXT.decode(readTcp(socket))
  if (!socket.hasEnd && socket.error === null) return text === one.text ? one : { ...one, text }
  closeTcp(space, socket)
  return { ...one, text, talks: null, over: !one.job.keep }
}

const serveTcp = (space: Space, one: Listener): Listener => {
  const { open } = socketsOf(space)
  if (one.talks !== null) {
    const socket = open.get(one.talks)
    return socket?.proto === 'tcp' ? talk(space, one, socket) : { ...one, talks: null, over: !one.job.keep }
  }
  const listener = open.get(one.socket)
  const socket = listener?.proto === 'tcp' ? acceptTcp(space, listener) : null
  if (listener?.proto !== 'tcp' || socket === null) return one
  if (!one.job.keep) stopListening(space, listener, 'with resets')
  if (one.job.says !== '') writeTcp(space, socket, BYTES.encode(one.job.says))
  return talk(space, { ...one, talks: socket.id }, socket)
}

/** The first who says something is answered. */
const serveUdp = (space: Space, one: Listener): Listener => {
  const socket = socketsOf(space).open.get(one.socket)
  if (socket?.proto !== 'udp' || socket.inbox.length === 0) return one
  const { inbox } = socket
  socket.inbox = []
  const [first] = inbox
  if (one.talks === null && one.job.says !== '' && first !== undefined) greet(space, socket, one.job.says, first)
  return { ...one, talks: one.socket, text: one.text + inbox.map(({ bytes }) => TEXT.decode(bytes)).join('') }
}

const greet = (space: Space, socket: UdpSocket, says: string, { from, to }: UdpSocket['inbox'][number]): void => {
  const answering = { ...socket, local: { ...socket.local, ip: to } }
  sendUdp(space, answering, from, BYTES.encode(says))
}

/** What a server makes of what has come; the very same if that is nothing. */
export const serve = (space: Space, one: SimJob): SimJob => {
  if (!isListener(one) || one.over) return one
  return one.job.proto === 'udp' ? serveUdp(space, one) : serveTcp(space, one)
}

/** What who watches makes of a step. */
export const watched = (one: SimJob, step: Step): SimJob => {
  if (!isWatcher(one) || one.over || !isMeant(one, step)) return one
  const seen = [...one.seen, step]
  return { ...one, seen, over: seen.length === one.job.count }
}

/** It is ended: its sockets go. */
export const stop = (space: Space, one: SimJob): void => {
  if (!isListener(one)) return
  const { open } = socketsOf(space)
  const [listener, socket] = [open.get(one.socket), open.get(one.talks ?? -1)]
  if (listener?.proto === 'tcp') stopListening(space, listener, 'with resets')
  else if (listener !== undefined) removeSocket(space, listener)
  if (socket?.proto === 'tcp') closeTcp(space, socket)
}

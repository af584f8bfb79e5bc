// What a TCP socket sends: segments with Linux's options, as much data as the other side and the path take, and the timer that
// sends again what was not acknowledged.
// Sources: net/ipv4/tcp_output.c (tcp_syn_options, tcp_select_initial_window, tcp_write_xmit), tcp_timer.c; RFC 9293, RFC 6298.

import { isIp4 } from '../../../net/ip.ts'
import { NO_BYTES } from '../../wire/bytes.ts'
import { FLAG, type Tcp } from '../../wire/tcp.ts'
import type { TcpOptions } from '../../wire/tcp-options.ts'
import { after } from '../loop.ts'
import type { Space } from '../plane.ts'
import { sendingFor } from './datagram.ts'
import type { SocketErrno, TcpSocket } from './entry.ts'
import { removeSocket } from './table.ts'

export const RTO_MS = 1000
const RTO_MIN_MS = 200
const RTO_MAX_MS = 120_000
/** So often a SYN is sent again without waiting longer each time (net.ipv4.tcp_syn_linear_timeouts). */
const LINEAR = 4
/** net.ipv4.tcp_syn_retries, tcp_synack_retries, tcp_retries2. */
const [SYN_RETRIES, SYN_ACK_RETRIES, RETRIES] = [6, 5, 15]
const TIME_WAIT_MS = 60_000
const FIN_WAIT_2_MS = 60_000
/** Segments on their way before anything was acknowledged (TCP_INIT_CWND). */
export const INITIAL_WINDOW = 10
const MAX_WINDOW = 65535
/** Enough for the 32 MB that a receive buffer may grow to (net.ipv4.tcp_rmem of Linux 6.18). */
export const WINDOW_SCALE = 10
const TIMESTAMPS = 12

/** Bytes of a packet that are not data, without options. */
const headersOf = ({ remote }: Pick<TcpSocket, 'remote'>): number => (remote !== null && isIp4(remote.ip) ? 40 : 60)

/** The longest segment that we can take, which we tell with our SYN. */
export const ownMss = (socket: TcpSocket): number => Math.max(64, socket.mtu - headersOf(socket))

const seqAfter = (seq: number, by: number): number => (seq + by) >>> 0
/** How far `a` is ahead of `b`; negative if it is behind. */
export const ahead = (a: number, b: number): number => (a - b) | 0

const inWholeSegments = (mss: number): number => Math.floor(MAX_WINDOW / mss) * mss

/** Who was called knows already whether segments have time stamps. That of a SYN is never scaled; others are, and rounded up. */
const windowOf = (socket: TcpSocket, isSyn: boolean): number => {
  const taken = socket.arrived === null || socket.recent === null ? 0 : TIMESTAMPS
  const room = inWholeSegments(ownMss(socket) - taken) - socket.input.length
  const open = Math.max(0, room)
  return isSyn ? open : Math.min(MAX_WINDOW, Math.ceil(open / 2 ** socket.scale.ours))
}

const optionsOf = (space: Space, socket: TcpSocket, flags: number): TcpOptions => {
  const isSyn = (flags & FLAG.SYN) !== 0
  const isFirst = isSyn && (flags & FLAG.ACK) === 0
  const hasTimestamps = isFirst || socket.recent !== null
  const early = isSyn ? [] : socket.early.slice(0, 3)
  return {
    mss: isSyn ? ownMss(socket) : null,
    sackPermitted: isSyn && (isFirst || socket.sack),
    timestamps: hasTimestamps
      ? { value: (socket.iss + Math.floor(space.plane.nowMs)) >>> 0, echo: socket.recent ?? 0 }
      : null,
    windowScale: isSyn && (isFirst || socket.scale.ours > 0) ? WINDOW_SCALE : null,
    sack: socket.sack
      ? early.map(({ seq, bytes, fin }) => ({ from: seq, to: seqAfter(seq, bytes.length + Number(fin)) }))
      : [],
  }
}

/** A socket has a remote end whenever it sends. What the IP layer says to it does not end a connection. */
const transmit = (space: Space, socket: TcpSocket, flags: number, seq: number, payload: Uint8Array) => {
  const { remote, local } = socket
  if (remote === null) return
  const tcp: Tcp = {
    proto: 'tcp',
    sport: local.port,
    dport: remote.port,
    seq,
    ack: (flags & FLAG.ACK) === 0 ? 0 : socket.rcvNxt,
    flags,
    window: windowOf(socket, (flags & FLAG.SYN) !== 0),
    urgent: 0,
    options: optionsOf(space, socket, flags),
    payload,
  }
  space.plane.parts.send(space, sendingFor(socket, local.ip, remote.ip, tcp))
}

export const acknowledge = (space: Space, socket: TcpSocket) =>
  transmit(space, socket, FLAG.ACK, socket.sndNxt, NO_BYTES)

export const sendReset = (space: Space, socket: TcpSocket) =>
  transmit(space, socket, FLAG.RST | FLAG.ACK, socket.sndNxt, NO_BYTES)

const wait = (space: Space, socket: TcpSocket, ms: number) => {
  const { plane, host, ns } = space
  socket.dueMs = plane.nowMs + ms
  after(plane, ms, { what: 'socket', host: host.name, ns, socket: socket.id, timer: 'due' })
}

/** Waits for an acknowledgement from now on, or for nothing if all has been acknowledged. */
export const restart = (space: Space, socket: TcpSocket) => {
  if (socket.sndNxt === socket.sndUna) socket.dueMs = null
  else wait(space, socket, socket.rtoMs)
}

export const beginTimeWait = (space: Space, socket: TcpSocket) => {
  socket.state = 'time-wait'
  wait(space, socket, TIME_WAIT_MS)
}
export const waitForEnd = (space: Space, socket: TcpSocket): void => wait(space, socket, FIN_WAIT_2_MS)

const isHandshake = ({ state }: TcpSocket): boolean => state === 'syn-sent' || state === 'syn-received'

export const sendSyn = (space: Space, socket: TcpSocket) => {
  const flags = socket.state === 'syn-sent' ? FLAG.SYN : FLAG.SYN | FLAG.ACK
  transmit(space, socket, flags, socket.iss, NO_BYTES)
  socket.sndNxt = seqAfter(socket.iss, 1)
}

/** Bytes that a segment may carry. */
const roomIn = (socket: TcpSocket): number => socket.mss - (socket.recent === null ? 0 : TIMESTAMPS)

const MAY_SEND: ReadonlySet<TcpSocket['state']> = new Set([
  'established',
  'close-wait',
  'fin-wait-1',
  'last-ack',
  'closing',
])

/** Whether all of our data has been sent, and after it the end of it. */
const endIsSent = (socket: TcpSocket): boolean =>
  socket.finQueued && ahead(socket.sndNxt, seqAfter(socket.sndUna, socket.out.length)) > 0

const endNow = (socket: TcpSocket) => {
  if (socket.state === 'established') socket.state = 'fin-wait-1'
  else if (socket.state === 'close-wait') socket.state = 'last-ack'
}

/** Sends what there is, as far as the windows go, and the end of it. */
export const push = (space: Space, socket: TcpSocket) => {
  if (!MAY_SEND.has(socket.state)) return
  const wasIdle = socket.sndNxt === socket.sndUna
  for (;;) {
    const sent = ahead(socket.sndNxt, socket.sndUna)
    const left = socket.out.length - sent
    const room = Math.min(socket.window, socket.congestion * socket.mss) - sent
    if (left < 0 || endIsSent(socket)) break
    const length = Math.max(0, Math.min(left, roomIn(socket), room))
    const isLast = length === left
    const fin = socket.finQueued && isLast
    if (length === 0 && !fin) break
    const payload = length === 0 ? NO_BYTES : socket.out.slice(sent, sent + length)
    const flags = FLAG.ACK | (isLast && length > 0 ? FLAG.PSH : 0) | (fin ? FLAG.FIN : 0)
    if (fin) endNow(socket)
    transmit(space, socket, flags, socket.sndNxt, payload)
    socket.sndNxt = seqAfter(socket.sndNxt, length + Number(fin))
  }
  if (wasIdle && socket.sndNxt !== socket.sndUna) restart(space, socket)
}

/** The first segment that was not acknowledged, once more. */
const sendAgain = (space: Space, socket: TcpSocket) => {
  if (isHandshake(socket)) return sendSyn(space, socket)
  const length = Math.min(socket.out.length, roomIn(socket), ahead(socket.sndNxt, socket.sndUna))
  const fin = endIsSent(socket) && length === socket.out.length
  const flags = FLAG.ACK | (length > 0 ? FLAG.PSH : 0) | (fin ? FLAG.FIN : 0)
  transmit(space, socket, flags, socket.sndUna, socket.out.slice(0, length))
}

/** Segments of another length, for the path has turned out to be narrower. */
export const narrow = (space: Space, socket: TcpSocket, mtu: number) => {
  const mss = mtu - headersOf(socket)
  if (mss >= socket.mss || mss < 8) return
  socket.mss = mss
  if (socket.sndNxt !== socket.sndUna && !isHandshake(socket)) sendAgain(space, socket)
}

/** An attempt, or what was sent, has ended with an error. */
export const fail = (space: Space, socket: TcpSocket, errno: SocketErrno) => {
  socket.error = errno
  socket.state = 'closed'
  socket.dueMs = null
  if (socket.parent !== null || socket.service !== null) removeSocket(space, socket)
}

const limitOf = ({ state }: TcpSocket): number => {
  if (state === 'syn-sent') return SYN_RETRIES + LINEAR
  return state === 'syn-received' ? SYN_ACK_RETRIES : RETRIES
}

/** What a socket waited for has not come. */
export const expire = (space: Space, socket: TcpSocket) => {
  if (socket.dueMs === null || space.plane.nowMs < socket.dueMs) return
  socket.dueMs = null
  if (socket.state === 'time-wait' || socket.state === 'fin-wait-2') {
    socket.state = 'closed'
    return removeSocket(space, socket)
  }
  if (socket.retransmits >= limitOf(socket)) return fail(space, socket, 'ETIMEDOUT')
  socket.retransmits += 1
  socket.congestion = isHandshake(socket) ? socket.congestion : 1
  if (socket.state !== 'syn-sent' || socket.retransmits > LINEAR) socket.rtoMs = Math.min(socket.rtoMs * 2, RTO_MAX_MS)
  sendAgain(space, socket)
  wait(space, socket, socket.rtoMs)
}

/** A round trip was measured. Those of one moment are the shortest that Linux knows. */
export const measured = (socket: TcpSocket, ms: number) => {
  socket.rtoMs = Math.min(RTO_MAX_MS, Math.max(RTO_MIN_MS, ms * 3))
}

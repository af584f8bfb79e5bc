// How the data of a TCP socket flows: as much of it as the other side and the path take, what is lost again, and the timer that waits for an
// answer: for one out of order, for a probe, for the acknowledgement.
// Sources: net/ipv4/tcp_output.c (tcp_write_xmit, tcp_schedule_loss_probe, tcp_send_loss_probe), tcp_timer.c, tcp_recovery.c; RFC 9293,
// RFC 6298, RFC 8985.

import { after } from '../loop.ts'
import type { Space } from '../plane.ts'
import type { SocketErrno, TcpSocket } from './entry.ts'
import { removeSocket } from './table.ts'
import { gapsOf, inFlight, isOpen, loseAll, loseGaps, resend } from './tcp-loss.ts'
import { endIsSent, fitToPath, noteProbe, roomIn, sendData, sendSyn, sentOf, seqAfter } from './tcp-send.ts'

export const RTO_MS = 1000
const RTO_MIN_MS = 200
const RTO_MAX_MS = 120_000
/** The shortest wait for what may come out of order, and for a probe (TCP_TIMEOUT_MIN_US). */
const SHORTEST_MS = 2
/** So often a SYN is sent again without waiting longer each time (net.ipv4.tcp_syn_linear_timeouts). */
const LINEAR = 4
/** net.ipv4.tcp_syn_retries, tcp_synack_retries, tcp_retries2. */
const [SYN_RETRIES, SYN_ACK_RETRIES, RETRIES] = [6, 5, 15]
const TIME_WAIT_MS = 60_000
const FIN_WAIT_2_MS = 60_000
/** Segments on their way before anything was acknowledged (TCP_INIT_CWND). */
export const INITIAL_WINDOW = 10

const wait = (space: Space, socket: TcpSocket, awaits: TcpSocket['awaits'], ms: number) => {
  const { plane, host, ns } = space
  socket.awaits = awaits
  socket.dueMs = plane.nowMs + ms
  after(plane, ms, { what: 'socket', host: host.name, ns, socket: socket.id, timer: 'due' })
}

const isHandshake = ({ state }: TcpSocket): boolean => state === 'syn-sent' || state === 'syn-received'

/** Whether the last of several segments is sent once more if nothing is heard of any, which is sooner than the timer would. */
const mayProbe = (socket: TcpSocket): boolean =>
  socket.sack &&
  socket.probe === null &&
  !isHandshake(socket) &&
  isOpen(socket) &&
  Math.min(sentOf(socket), socket.out.length) > roomIn(socket)

/** Waits for an acknowledgement from now on, or for nothing if all has been acknowledged. */
export const restart = (space: Space, socket: TcpSocket) => {
  const { rttMs, rtoMs } = socket
  if (sentOf(socket) === 0) socket.dueMs = null
  else if (mayProbe(socket)) wait(space, socket, 'probe', Math.min(2 * rttMs + SHORTEST_MS, rtoMs))
  else wait(space, socket, 'acknowledgement', rtoMs)
}

export const beginTimeWait = (space: Space, socket: TcpSocket) => {
  socket.state = 'time-wait'
  wait(space, socket, 'end', TIME_WAIT_MS)
}
export const waitForEnd = (space: Space, socket: TcpSocket): void => wait(space, socket, 'end', FIN_WAIT_2_MS)

const MAY_SEND: ReadonlySet<TcpSocket['state']> = new Set([
  'established',
  'close-wait',
  'fin-wait-1',
  'last-ack',
  'closing',
])

const endNow = (socket: TcpSocket) => {
  if (socket.state === 'established') socket.state = 'fin-wait-1'
  else if (socket.state === 'close-wait') socket.state = 'last-ack'
}

/** Sends what is still unsent, as far as there is room, and FIN behind the last of it. False: nothing was. */
const sendFresh = (space: Space, socket: TcpSocket): boolean => {
  const before = sentOf(socket)
  if (socket.out.length > before) fitToPath(space, socket)
  const gso = socket.out.length - before > roomIn(socket)
  for (;;) {
    const sent = sentOf(socket)
    const left = socket.out.length - sent
    const room = Math.min(socket.window - sent, socket.congestion * socket.mss - inFlight(socket))
    if (left < 0 || endIsSent(socket)) break
    const length = Math.max(0, Math.min(left, roomIn(socket), room))
    const fin = socket.finQueued && length === left
    if (length === 0 && !fin) break
    if (fin) endNow(socket)
    sendData(space, socket, { at: sent, length, fin, gso })
    socket.sndNxt = seqAfter(socket.sndNxt, length + Number(fin))
  }
  return sentOf(socket) > before
}

/** Sends what there is, lost or fresh, as far as the windows go, and the end of it. */
export const push = (space: Space, socket: TcpSocket) => {
  if (!MAY_SEND.has(socket.state)) return
  const wasIdle = sentOf(socket) === 0
  resend(space, socket)
  const isFresh = sendFresh(space, socket)
  if (isFresh && (wasIdle || mayProbe(socket))) restart(space, socket)
}

/** What the other side has come to have behind a gap: the gap is filled, or waited for. */
export const hearGaps = (space: Space, socket: TcpSocket) => {
  const gaps = gapsOf(socket)
  if (gaps === 'lost') {
    loseGaps(socket)
    wait(space, socket, 'acknowledgement', socket.rtoMs)
  } else if (gaps === 'late' && socket.awaits !== 'order') wait(space, socket, 'order', socket.rttMs / 4 + SHORTEST_MS)
}

/** The path has turned out to be narrower: what was too long is lost (tcp_simple_retransmit). */
export const narrow = (space: Space, socket: TcpSocket) => {
  const { mss } = socket
  fitToPath(space, socket)
  if (socket.mss >= mss || sentOf(socket) === 0 || isHandshake(socket)) return
  loseAll(socket)
  resend(space, socket)
}

/** The last segment once more: that the other side has it tells that it has not the others. */
const probe = (space: Space, socket: TcpSocket) => {
  const data = Math.min(sentOf(socket), socket.out.length)
  const at = Math.floor((data - 1) / roomIn(socket)) * roomIn(socket)
  fitToPath(space, socket)
  const length = Math.min(data - at, roomIn(socket))
  socket.probe = seqAfter(socket.sndUna, at)
  noteProbe(space, socket)
  const fin = endIsSent(socket) && at + length === socket.out.length
  sendData(space, socket, { at, length, fin, gso: false })
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

/** No acknowledgement: all is lost, or the handshake is made again. */
const expireUnacknowledged = (space: Space, socket: TcpSocket) => {
  if (socket.retransmits >= limitOf(socket)) return fail(space, socket, 'ETIMEDOUT')
  socket.retransmits += 1
  if (socket.state !== 'syn-sent' || socket.retransmits > LINEAR) socket.rtoMs = Math.min(socket.rtoMs * 2, RTO_MAX_MS)
  if (isHandshake(socket)) sendSyn(space, socket)
  else {
    socket.congestion = 1
    loseAll(socket)
    resend(space, socket)
  }
  wait(space, socket, 'acknowledgement', socket.rtoMs)
}

/** What a socket waited for has not come. */
export const expire = (space: Space, socket: TcpSocket) => {
  if (socket.dueMs === null || space.plane.nowMs < socket.dueMs) return
  socket.dueMs = null
  switch (socket.awaits) {
    case 'end':
      socket.state = 'closed'
      return removeSocket(space, socket)
    case 'order':
      loseGaps(socket)
      resend(space, socket)
      return wait(space, socket, 'acknowledgement', socket.rtoMs)
    case 'probe':
      probe(space, socket)
      return wait(space, socket, 'acknowledgement', socket.rtoMs)
    case 'acknowledgement':
      return expireUnacknowledged(space, socket)
  }
}

/** A round trip was measured. Those of one moment are the shortest that Linux knows. */
export const measured = (socket: TcpSocket, ms: number) => {
  socket.rttMs = ms
  socket.rtoMs = Math.min(RTO_MAX_MS, Math.max(RTO_MIN_MS, ms * 3))
}

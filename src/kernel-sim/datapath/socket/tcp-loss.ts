// What of the data that was sent is lost, and is sent again: what is in front of data that the other side has (SACK), all of it when time is
// up, or when it has turned out to be too long for the path.
// Invariant: lost is what is between `sndUna` and `lostTo` and not in `sacked`, and what of it is in front of `resentTo` was sent again.
// Sources: RFC 2018, RFC 8985; net/ipv4/tcp_input.c (tcp_sacktag_write_queue, tcp_simple_retransmit), tcp_recovery.c
// (tcp_rack_detect_loss), tcp_output.c (tcp_xmit_retransmit_queue).

import type { Space } from '../plane.ts'
import type { Stretch, TcpSocket } from './entry.ts'
import { ahead, endIsSent, fitToPath, roomIn, sendData, sentOf, seqAfter } from './tcp-send.ts'

/** tp->reordering: so many segments behind a missing one, and it is lost. */
const REORDERING = 3
/** Of the segments that may be on their way, what remains after a loss (cubic's beta). */
const REMAINS = 0.7
const LEAST_WINDOW = 2

const lengthOf = ({ from, to }: Stretch): number => ahead(to, from)

const isInLoss = ({ lostTo, sndUna }: TcpSocket): boolean => ahead(lostTo, sndUna) > 0

/** Nothing was lost, as far as is known. */
export const isOpen = (socket: TcpSocket): boolean => socket.sacked.length === 0 && !isInLoss(socket)

/** Forgets of what was lost, and of what the other side has, all that it has acknowledged. */
export const forgetAcknowledged = (socket: TcpSocket) => {
  const { sndUna } = socket
  if (!isInLoss(socket)) socket.lostTo = sndUna
  if (ahead(socket.resentTo, sndUna) < 0) socket.resentTo = sndUna
  if (socket.probe !== null && ahead(sndUna, socket.probe) > 0) socket.probe = null
  if (socket.sacked.length > 0) socket.sacked = socket.sacked.filter(({ to }) => ahead(to, sndUna) > 0)
}

const merged = (all: ReadonlyArray<Stretch>): ReadonlyArray<Stretch> => {
  const apart: Stretch[] = []
  for (const next of [...all].sort((a, b) => ahead(a.from, b.from))) {
    const last = apart.at(-1)
    if (last === undefined || ahead(next.from, last.to) > 0) apart.push(next)
    else if (ahead(next.to, last.to) > 0) apart[apart.length - 1] = { from: last.from, to: next.to }
  }
  return apart
}

/** What the other side has of what was sent, behind something that it has not. */
export const hearSacks = (socket: TcpSocket, sacks: ReadonlyArray<Stretch>) => {
  const { sndUna, sndNxt, sacked } = socket
  const news = sacks.filter(({ from, to }) => ahead(from, sndUna) > 0 && ahead(to, from) > 0 && ahead(to, sndNxt) <= 0)
  if (news.length > 0) socket.sacked = merged([...sacked, ...news])
}

/** The next lost bytes that were not sent again yet; null: there are none. */
const nextLost = ({ sndUna, resentTo, lostTo, sacked }: TcpSocket): Stretch | null => {
  let from = ahead(resentTo, sndUna) > 0 ? resentTo : sndUna
  for (const have of sacked) {
    if (ahead(have.from, from) > 0) break
    if (ahead(have.to, from) > 0) from = have.to
  }
  const behind = sacked.find((have) => ahead(have.from, from) > 0)
  const to = behind !== undefined && ahead(lostTo, behind.from) > 0 ? behind.from : lostTo
  return ahead(to, from) > 0 ? { from, to } : null
}

/** Bytes that are on their way still (tcp_packets_in_flight). */
export const inFlight = (socket: TcpSocket): number => {
  const { sacked, lostTo, resentTo, sndUna } = socket
  const has = sacked.reduce((sum, have) => sum + lengthOf(have), 0)
  if (!isInLoss(socket)) return sentOf(socket) - has
  const from = ahead(resentTo, sndUna) > 0 ? resentTo : sndUna
  const within = sacked.reduce((sum, { from: at, to }) => {
    const [begin, end] = [ahead(at, from) > 0 ? at : from, ahead(to, lostTo) < 0 ? to : lostTo]
    return sum + Math.max(0, ahead(end, begin))
  }, 0)
  return sentOf(socket) - has - Math.max(0, ahead(lostTo, from) - within)
}

/** All up to there that the other side has not is lost. */
const lose = (socket: TcpSocket, to: number) => {
  if (!isInLoss(socket)) socket.resentTo = socket.sndUna
  socket.lostTo = to
}

/** Time is up, or it was too long: all is to be sent again that the other side has not. */
export const loseAll = (socket: TcpSocket) => {
  socket.resentTo = socket.sndUna
  socket.lostTo = socket.sndNxt
}

/** What is in front of the last byte that the other side has is lost. */
export const loseGaps = (socket: TcpSocket) => {
  const last = socket.sacked.at(-1)
  if (last === undefined || ahead(last.to, socket.lostTo) <= 0) return
  if (!isInLoss(socket)) socket.congestion = Math.max(LEAST_WINDOW, Math.floor(socket.congestion * REMAINS))
  lose(socket, last.to)
}

/**
 * What the gaps in what the other side has mean: `lost`; or `late`, for it may come out of order; or null, there are no new ones. What
 * was sent before a probe that has come is lost wherever it is.
 */
export const gapsOf = (socket: TcpSocket): 'lost' | 'late' | null => {
  const { sacked, probe, lostTo, sndNxt } = socket
  const last = sacked.at(-1)
  if (last === undefined) return null
  if (probe !== null && sacked.some(({ from, to }) => ahead(probe, from) >= 0 && ahead(to, probe) > 0)) {
    socket.probe = null
    lose(socket, sndNxt)
    return 'lost'
  }
  if (ahead(last.to, lostTo) <= 0) return null
  return sacked.reduce((sum, have) => sum + lengthOf(have), 0) >= REORDERING * roomIn(socket) ? 'lost' : 'late'
}

/** Sends again what is lost, as far as the path may be filled. */
export const resend = (space: Space, socket: TcpSocket) => {
  if (nextLost(socket) === null) return
  fitToPath(space, socket)
  const gso = ahead(socket.lostTo, socket.resentTo) > roomIn(socket)
  for (;;) {
    const lost = nextLost(socket)
    const flying = inFlight(socket)
    if (lost === null || (flying > 0 && flying >= socket.congestion * socket.mss)) return
    const at = ahead(lost.from, socket.sndUna)
    const length = Math.min(lengthOf(lost), roomIn(socket), socket.out.length - at)
    const fin = endIsSent(socket) && at + length === socket.out.length
    sendData(space, socket, { at, length, fin, gso })
    socket.resentTo = seqAfter(lost.from, length + Number(fin))
  }
}

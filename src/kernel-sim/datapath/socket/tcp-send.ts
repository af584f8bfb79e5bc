// The segments that a TCP socket sends, with Linux's options, none longer than the path is known to take.
// Sources: net/ipv4/tcp_output.c (tcp_syn_options, tcp_select_initial_window, tcp_current_mss); RFC 9293.

import { isIp4 } from '../../../net/ip.ts'
import { NO_BYTES } from '../../wire/bytes.ts'
import { packet4 } from '../../wire/ip4.ts'
import { packet6 } from '../../wire/ip6.ts'
import { FLAG, type Tcp } from '../../wire/tcp.ts'
import type { TcpOptions } from '../../wire/tcp-options.ts'
import type { Space } from '../plane.ts'
import { note } from '../step.ts'
import { destinationOf } from './bind.ts'
import { sendingFor } from './datagram.ts'
import type { TcpSocket } from './entry.ts'

const MAX_WINDOW = 65535
/** Enough for the 32 MB that a receive buffer may grow to (net.ipv4.tcp_rmem of Linux 6.18). */
export const WINDOW_SCALE = 10
const TIMESTAMPS = 12
/** TCP_MIN_SND_MSS. */
const MIN_MSS = 48

/** Bytes of a packet that are not data, without options. */
const headersOf = ({ remote }: Pick<TcpSocket, 'remote'>): number => (remote !== null && isIp4(remote.ip) ? 40 : 60)

/** The longest segment that we can take, which we tell with our SYN. */
export const ownMss = (socket: TcpSocket): number => Math.max(64, socket.mtu - headersOf(socket))

export const seqAfter = (seq: number, by: number): number => (seq + by) >>> 0
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

const segmentOf = (space: Space, socket: TcpSocket, flags: number, seq: number, payload: Uint8Array): Tcp => {
  const { remote, local } = socket
  return {
    proto: 'tcp',
    sport: local.port,
    dport: remote?.port ?? 0,
    seq,
    ack: (flags & FLAG.ACK) === 0 ? 0 : socket.rcvNxt,
    flags,
    window: windowOf(socket, (flags & FLAG.SYN) !== 0),
    urgent: 0,
    options: optionsOf(space, socket, flags),
    payload,
  }
}

/** A socket has a remote end whenever it sends. What the IP layer says to it does not end a connection. */
const transmit = (space: Space, socket: TcpSocket, flags: number, seq: number, payload: Uint8Array, gso = false) => {
  const { remote, local } = socket
  if (remote === null) return
  const sending = sendingFor(socket, local.ip, remote.ip, segmentOf(space, socket, flags, seq, payload))
  space.plane.parts.send(space, gso ? { ...sending, gso: socket.mss + headersOf(socket) } : sending)
}

export const acknowledge = (space: Space, socket: TcpSocket) =>
  transmit(space, socket, FLAG.ACK, socket.sndNxt, NO_BYTES)

export const sendReset = (space: Space, socket: TcpSocket) =>
  transmit(space, socket, FLAG.RST | FLAG.ACK, socket.sndNxt, NO_BYTES)

export const sendSyn = (space: Space, socket: TcpSocket) => {
  const flags = socket.state === 'syn-sent' ? FLAG.SYN : FLAG.SYN | FLAG.ACK
  transmit(space, socket, flags, socket.iss, NO_BYTES)
  socket.sndNxt = seqAfter(socket.iss, 1)
}

/** Bytes that a segment may carry. */
export const roomIn = (socket: TcpSocket): number => socket.mss - (socket.recent === null ? 0 : TIMESTAMPS)

/** Bytes that were sent and not acknowledged, the end counted as one. */
export const sentOf = ({ sndNxt, sndUna }: TcpSocket): number => ahead(sndNxt, sndUna)

/** Whether all of our data has been sent, and after it the end of it. */
export const endIsSent = (socket: TcpSocket): boolean => socket.finQueued && sentOf(socket) > socket.out.length

/** Segments no longer than the path is known to take by now (tcp_sync_mss). */
export const fitToPath = (space: Space, socket: TcpSocket) => {
  const { local, remote, options } = socket
  if (remote === null) return
  const way = space.plane.parts.wayOf(space, destinationOf(local.ip, remote.ip, options))
  if (typeof way !== 'string') socket.mss = Math.min(socket.mss, Math.max(MIN_MSS, way.mtu - headersOf(socket)))
}

/** The data from so many bytes behind the first unacknowledged one, and the end behind it (`fin`). `gso`: it goes as one with others. */
export const sendData = (
  space: Space,
  socket: TcpSocket,
  { at, length, fin, gso }: Readonly<{ at: number; length: number; fin: boolean; gso: boolean }>,
) => {
  const isLast = at + length === socket.out.length
  const flags = FLAG.ACK | (isLast && length > 0 ? FLAG.PSH : 0) | (fin ? FLAG.FIN : 0)
  const payload = length === 0 ? NO_BYTES : socket.out.slice(at, at + length)
  transmit(space, socket, flags, seqAfter(socket.sndUna, at), payload, gso)
}

/** Says that nothing was heard of what was sent, in a packet that is not sent. */
export const noteProbe = (space: Space, socket: TcpSocket) => {
  const { local, remote } = socket
  if (space.plane.watch === null || local.ip === null || remote === null) return
  const tcp = segmentOf(space, socket, FLAG.ACK, socket.sndNxt, NO_BYTES)
  const packet =
    isIp4(local.ip) && isIp4(remote.ip)
      ? packet4(local.ip, remote.ip, tcp)
      : isIp4(local.ip) || isIp4(remote.ip)
        ? null
        : packet6(local.ip, remote.ip, tcp)
  if (packet !== null) note(space, null, 'transport', packet, { tag: 'probed' })
}

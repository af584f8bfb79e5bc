// The sockets of a namespace as data: what their programs asked for, and where their conversations stand. A server is a socket
// with a service, which answers by itself.

import type { Ip } from '../../../net/ip.ts'
import { emptyMap, type PMap } from '../../../net/pmap.ts'
import type { SendErrno } from '../plane.ts'

export type SocketErrno =
  | SendErrno
  | 'EADDRINUSE'
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'ETIMEDOUT'
  | 'EPIPE'
  | 'EPROTO'
  | 'ENOPROTOOPT'
  | 'EHOSTDOWN'
  | 'ENONET'

/** `port`: an echo's id. */
export type End = Readonly<{ ip: Ip; port: number }>

/**
 * `echo` sends back what it gets. `respond` knows questions, as a DNS server does: the first two bytes are a number that is
 * repeated in the answer, the rest is looked up; what is not known gets no answer.
 */
export type Service = Readonly<
  { tag: 'echo' } | { tag: 'respond'; answers: ReadonlyArray<Readonly<{ question: Uint8Array; answer: Uint8Array }>> }
>

/** What a program may set; null: the kernel's choice. */
export type SocketOptions = Readonly<{
  ttl: number | null
  tos: number | null
  df: boolean | null
  mark: number
  dev: string | null
}>

export const DEFAULTS: SocketOptions = { ttl: null, tos: null, df: null, mark: 0, dev: null }

/** What came, from whom, to which of our addresses, with which TTL or hop limit left. */
export type Message = Readonly<{ from: End; to: Ip; ttl: number; bytes: Uint8Array }>

/**
 * `family` null: both. `local.ip` null: all of our addresses. `heardAt`: the address of many to which it was bound, which it does not send
 * from, and the only one that it hears what comes to (inet_rcv_saddr beside inet_saddr). `error`: pending, for the next call.
 */
type Common = Readonly<{
  id: number
  family: 4 | 6 | null
  local: Readonly<{ ip: Ip | null; port: number }>
  heardAt: Ip | null
  remote: End | null
  options: SocketOptions
  error: SocketErrno | null
}>

/** Of IPv6, and connected: whether it goes the way that was found before it had a source, whatever rules say of that (ip6_dst_store). */
type Connecting = Readonly<{ kept: boolean }>

/** `echo`: sends echo requests, and is told of all errors about them (IP_RECVERR), as ping(8) is. */
export type EchoEntry = Common & Readonly<{ proto: 'echo'; inbox: ReadonlyArray<Message> }>
export type UdpEntry = Common &
  Connecting &
  Readonly<{ proto: 'udp'; service: Service | null; inbox: ReadonlyArray<Message> }>

export type TcpSocketState =
  | 'listen'
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'close-wait'
  | 'closing'
  | 'last-ack'
  | 'time-wait'
  | 'closed'

/** A segment that has come before those in front of it. */
export type Early = Readonly<{ seq: number; bytes: Uint8Array; fin: boolean }>

/** Bytes from one sequence number to another. */
export type Stretch = Readonly<{ from: number; to: number }>

/**
 * Sequence numbers as on the wire. `out`: what has not been acknowledged, sent or not, from `sndUna` on. `finQueued`: the program
 * has closed its side. `window`: bytes that the other side takes; `congestion`: those that may be on their way. `mss`: bytes of
 * data in a segment. `recent`: the other side's last time stamp, null if there are none. `scale`: of the windows, ours and theirs.
 * `sacked`, `lostTo`, `resentTo`: tcp-loss.ts; `probe`: where the data of a probe begins that was sent. `dueMs`: when a wait is over, and
 * `awaits` for what it is; null: nothing is waited for. `parent`: the
 * listener, until it is accepted there. `input`: data that has come and was not read. `soft`: an error that came while connect(2) was
 * still sending, which nobody hears but who asks for it (sk_err_soft).
 */
export type TcpEntry = Common &
  Connecting &
  Readonly<{
    proto: 'tcp'
    service: Service | null
    state: TcpSocketState
    backlog: number
    parent: number | null
    soft: SocketErrno | null
    iss: number
    sndUna: number
    sndNxt: number
    rcvNxt: number
    out: Uint8Array
    finQueued: boolean
    window: number
    congestion: number
    mss: number
    mtu: number
    recent: number | null
    sack: boolean
    scale: Readonly<{ ours: number; theirs: number }>
    sacked: ReadonlyArray<Stretch>
    lostTo: number
    resentTo: number
    probe: number | null
    rttMs: number
    rtoMs: number
    retransmits: number
    dueMs: number | null
    awaits: 'acknowledgement' | 'order' | 'probe' | 'end'
    openedMs: number
    input: Uint8Array
    early: ReadonlyArray<Early>
    hasEnd: boolean
    arrived: Message | null
  }>

export type SocketEntry = EchoEntry | UdpEntry | TcpEntry

export type SocketsEntry = Readonly<{ sockets: PMap<SocketEntry>; next: number }>
export const NO_SOCKETS: SocketsEntry = { sockets: emptyMap(), next: 1 }

/** A socket while packets move. */
type Open<S> = { -readonly [Part in keyof S]: S[Part] }
export type EchoSocket = Open<EchoEntry>
export type UdpSocket = Open<UdpEntry>
export type TcpSocket = Open<TcpEntry>
export type Socket = EchoSocket | UdpSocket | TcpSocket

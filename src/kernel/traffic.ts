// What a program in a namespace sends, and what is seen of it: by the program, by whom it reached, and at every device on the way.
// Two kernels agree on packets when they give the same account of the same try.

import type { Ip } from '../net/ip.ts'
import type { IfName, Ns } from '../net/name.ts'
import type { Port } from '../net/port.ts'

/** What a sender may set; what is absent is the kernel's choice. `size`: bytes of payload. `mark`: SO_MARK. */
export type SendOptions = Readonly<{
  from?: Ip
  dev?: IfName
  ttl?: number
  tos?: number
  size?: number
  /** May not be fragmented on its way (IP_MTU_DISCOVER: do). */
  df?: boolean
  mark?: number
}>

/**
 * `ping`: one echo request (56 bytes if no size is given). `udp`: one datagram to an echo server. `tcp`: connect, send `size` bytes
 * (default 0), have them back, close. `listener`: where a server listens, on all addresses, for the time of the try; null: none
 * does. `frame`: raw bytes on a device, as a packet socket sends them; nobody waits for an answer. `tap`: raw bytes that come in
 * by a tap, from the program at its other end, which holds it for the time of the try.
 */
export type Try = Readonly<
  | ({ send: 'ping'; ns: Ns; to: Ip } & SendOptions)
  | ({
      send: 'udp' | 'tcp'
      ns: Ns
      to: Ip
      port: Port
      listener: Readonly<{ ns: Ns; port: Port }> | null
    } & SendOptions)
  | { send: 'frame'; ns: Ns; dev: IfName; bytes: Uint8Array }
  | { send: 'tap'; ns: Ns; dev: IfName; bytes: Uint8Array }
>

/**
 * How it ended for the sender within a second: `answered`; an errno (of the sending call, or pending on the socket: ECONNREFUSED,
 * EHOSTUNREACH, ENETUNREACH, EMSGSIZE, ...); or `silence`. Of raw bytes: `sent`, or the errno. A ping wants to know of every error
 * (IP_RECVERR, as ping(8) does); UDP is a connected socket without that, TCP one as connect(2) leaves it.
 */
export type Ending = 'answered' | 'sent' | 'silence' | Readonly<{ errno: string }>

/**
 * A request as it was delivered, past all hooks, be there a server or not: from whom, to which address and port (null: an echo), with
 * which TTL or hop limit left.
 */
export type Arrival = Readonly<{ ns: Ns; from: Ip; to: Ip; port: number | null; ttl: number }>

/** A device that a packet of the try was seen at, its answers and errors included (not those about a tunnel that it went through, nor a tunnel's
 * packets in pieces); `way` as the device sees it. */
export type Crossing = Readonly<{
  ns: Ns
  dev: IfName
  way: 'in' | 'out'
  what: 'request' | 'answer' | 'error' | 'frame'
}>

/** `answer`: whose it was, as the sender sees it. `crossings` as a set, in order of namespace, device, way, what. */
export type Account = Readonly<{
  ending: Ending
  arrivals: ReadonlyArray<Arrival>
  answer: Readonly<{ from: Ip; ttl: number }> | null
  crossings: ReadonlyArray<Crossing>
}>

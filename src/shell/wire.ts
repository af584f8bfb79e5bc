// What programs that look at packets ask of a terminal whose kernel has no such programs of its own: sockets, and what they hear.
// The clock of the simulation stands still but while somebody waits.

import type { Ip } from '../net/ip.ts'
import type { Mac } from '../net/mac.ts'
import type { IfName, Ns } from '../net/name.ts'
import type { Answer } from './terminal.ts'

/** What a program sets on a socket; null: the kernel's choice. `df` as IP_MTU_DISCOVER: do, dont. */
export type Settings = Readonly<{
  from: Ip | null
  dev: IfName | null
  ttl: number | null
  tos: number | null
  df: boolean | null
  mark: number
  broadcast: boolean
}>

export const NO_SETTINGS: Settings = {
  from: null,
  dev: null,
  ttl: null,
  tos: null,
  df: null,
  mark: 0,
  broadcast: false,
}

/**
 * `echo`: sends echo requests. `udp`, `tcp`: to one end; a TCP one begins to connect at once. `arp`: asks on a device who has an
 * address, with one of the device's MACs.
 */
export type Wish = Readonly<
  | ({ proto: 'echo'; to: Ip; size: number } & Settings)
  | ({ proto: 'udp' | 'tcp'; to: Ip; port: number } & Settings)
  | { proto: 'arp'; dev: IfName }
>

/** `local`: the address that it has; null where it has none (arp). The errno is one of socket(7)'s. */
export type Opened = Readonly<
  { tag: 'open'; socket: number; local: Ip | null } | { tag: 'refused'; errno: string; mtu: number | null }
>

/** `seq`: of an echo, counted by the program; the bytes of others. `gratuitous`: one tells, and wants no answer. */
export type Sent = Readonly<
  | { proto: 'echo'; seq: number; size: number }
  | { proto: 'udp' | 'tcp'; text: string }
  | { proto: 'arp'; who: Ip; from: Ip; to: Mac | null; op: 'request' | 'reply' }
>

/** What an ICMP error says, by the words of wire formats: `unreachable`, `host`. */
export type Said = Readonly<{ type: string; code: string | null; mtu: number | null; gateway: Ip | null }>

/** `atMs`: when it was heard. `seq`: of the echo that it is about, 0 for others. `broadcast`: the answer came to all. */
export type Heard = Readonly<
  { atMs: number } & (
    | { tag: 'answer'; from: Ip; ttl: number; seq: number; bytes: number; text: string }
    | { tag: 'error'; from: Ip; said: Said; seq: number; v6: boolean }
    | { tag: 'arp'; from: Ip; mac: Mac; broadcast: boolean }
    | { tag: 'connected' }
    | { tag: 'ended' }
    | { tag: 'failed'; errno: string }
  )
>

export type Wire = Readonly<{
  nowMs: () => Answer<number>
  open: (ns: Ns, wish: Wish) => Answer<Opened>
  /** The errno of the sending call, with what fits if it says EMSGSIZE; null: it is on its way. */
  send: (socket: number, what: Sent) => Answer<Readonly<{ errno: string; mtu: number | null }> | null>
  /** What comes until then, as soon as something has come; nothing: the clock stands at `untilMs`. */
  hear: (socket: number, untilMs: number) => Answer<ReadonlyArray<Heard>>
  /** Nothing more will be said; what comes is still heard. */
  shut: (socket: number) => Answer<void>
  close: (socket: number) => Answer<void>
}>

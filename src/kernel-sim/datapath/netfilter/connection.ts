// Conversations, as they are kept from one packet to the next.

import type { PMap } from '../../../net/pmap.ts'
import { emptyMap } from '../../../net/pmap.ts'
import type { TcpState } from './tcp-state.ts'
import type { Tuple } from './tuple.ts'

/**
 * `reply`: what an answer looks like; differs from the mirrored original where addresses were translated (`snat`, `dnat`).
 * `seenReply`: an answer has come. `assured`: not to be sacrificed, there is talk in both directions. `streamMs`: from when on
 * UDP in both directions counts as a stream. `closing`: somebody has sent a FIN or a RST. `expiresMs`: forgotten from then on.
 */
export type ConnectionEntry = Readonly<{
  id: number
  original: Tuple
  reply: Tuple
  seenReply: boolean
  assured: boolean
  snat: boolean
  dnat: boolean
  mark: number
  tcp: TcpState | null
  closing: boolean
  streamMs: number
  expiresMs: number
}>

/** What a namespace has tracked: both tuples of every connection, by their text, to its id; and the connections by their ids. */
export type TrackedEntry = Readonly<{
  tuples: PMap<number>
  connections: PMap<ConnectionEntry>
  next: number
}>

export const NOTHING_TRACKED: TrackedEntry = { tuples: emptyMap(), connections: emptyMap(), next: 1 }

/**
 * A conversation while packets move. `id` 0: its first packet has not survived all hooks yet. `sourceDone`, `destinationDone`:
 * that part of its translation has been decided.
 */
export type Connection = {
  -readonly [Part in keyof ConnectionEntry]: ConnectionEntry[Part]
} & { sourceDone: boolean; destinationDone: boolean }

export const entryOf = (c: Connection): ConnectionEntry => ({
  id: c.id,
  original: c.original,
  reply: c.reply,
  seenReply: c.seenReply,
  assured: c.assured,
  snat: c.snat,
  dnat: c.dnat,
  mark: c.mark,
  tcp: c.tcp,
  closing: c.closing,
  streamMs: c.streamMs,
  expiresMs: c.expiresMs,
})

/** One that was confirmed has all its translations. */
export const connectionOf = (entry: ConnectionEntry): Connection => ({
  ...entry,
  sourceDone: true,
  destinationDone: true,
})

export const tupleKey = (t: Tuple): string => `${t.zone} ${t.proto} ${t.src} ${t.sport} ${t.dst} ${t.dport}`

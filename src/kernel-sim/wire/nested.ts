// Packets within messages and frames within datagrams. A protocol that carries another's message reaches it through what it is
// handed here, so that the files of the protocols need not import each other in a circle.

import type { Either } from '../../prelude.ts'
import type { WireError } from './error.ts'
import type { Frame } from './ethernet.ts'
import type { Packet4 } from './ip4.ts'
import type { Packet6 } from './ip6.ts'

export type Packet = Packet4 | Packet6

/**
 * Bytes that are read. `depth`: how many messages within messages are still read as values; behind them bytes stay bytes, so
 * that no input makes the reader's stack overflow. `vxlanPorts`: where UDP carries VXLAN.
 */
export type Source = Readonly<{ bytes: Uint8Array; depth: number; vxlanPorts: ReadonlySet<number> }>

/** The packet that an ICMP error is about, and how many bytes at its end are not quoted. */
export type Quote<P extends Packet> = Readonly<{ about: P; missing: number }>

/** A packet that was read: where it ends, and how many bytes are missing there (of a quoted one). */
export type Found<P extends Packet> = Readonly<{ packet: P; end: number; missing: number }>

/** Everything is written from `at` to `end` exactly, which is as far as its `lengthOf` says, into bytes that hold 0. */
export type Nested = Readonly<{
  lengthOfPacket: (packet: Packet) => number
  lengthOfFrame: (frame: Frame) => number
  writePacket: (to: Uint8Array, at: number, end: number, packet: Packet, missing: number) => void
  writeFrame: (to: Uint8Array, at: number, end: number, frame: Frame) => void
  /** Null: there is no packet, or none that could be written again. `end` is where the quoted packet ends. */
  readQuote4: (from: Source, at: number, end: number) => (Quote<Packet4> & Readonly<{ end: number }>) | null
  readQuote6: (from: Source, at: number, end: number) => (Quote<Packet6> & Readonly<{ end: number }>) | null
  readFrame: (from: Source, at: number, end: number) => Either<WireError, Frame>
}>

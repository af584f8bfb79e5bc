// Packets put together again, as Linux does: a queue per source, destination, protocol and id takes fragments in any order. One
// that lies within what is there without a gap is ignored, one that overlaps ends the whole packet (RFC 5722, for IPv4 too).
// Sources: net/ipv4/{ip_fragment,inet_fragment}.c, net/ipv6/reassembly.c; RFC 791 section 3.2, RFC 8200 section 4.5,
// RFC 3168 section 5.3 (ECN).

import { E, type Either } from '../../prelude.ts'
import { protocolOf } from './body.ts'
import type { WireError } from './error.ts'
import { messageOf } from './fragment.ts'
import { lengthOfHeader4 } from './ip4.ts'
import type { Packet } from './nested.ts'
import { type DecodeOptions, decodePacket, encodePacket, lengthOfPacket } from './wire.ts'

/**
 * `another`: not of the same packet. `corrupt`: two ends, bytes behind the end, or no bytes at all. `unaligned`: an IPv6 fragment
 * that is not the last and no multiple of eight bytes (answered by a parameter problem). `ecn`: marks that cannot come
 * from one packet. `oversized`: no packet can be so long. `malformed`: the whole, once it was there.
 */
export type ReassemblyError = Readonly<
  | { tag: 'another' | 'overlap' | 'corrupt' | 'unaligned' | 'ecn' | 'oversized' | 'incomplete' }
  | { tag: 'malformed'; error: WireError }
>

/** From where to where: bytes that have come one behind the other. */
type Stretch = Readonly<{ at: number; end: number }>

/**
 * `end`: of the packet, as far as is known. `longest`, `longestDf`: bytes of the longest fragment, and of the longest that must
 * not be fragmented. `ecn`: a set of bits, one for each mark seen.
 */
export type Queue = Readonly<{
  fragments: ReadonlyArray<Packet>
  stretches: ReadonlyArray<Stretch>
  received: number
  end: number
  hasLast: boolean
  longest: number
  longestDf: number
  ecn: number
}>

export const EMPTY_QUEUE: Queue = {
  fragments: [],
  stretches: [],
  received: 0,
  end: 0,
  hasLast: false,
  longest: 0,
  longestDf: 0,
  ecn: 0,
}

const MAX_LENGTH = 65535

type Place = Readonly<{ id: number; offset: number; mf: boolean }>

const WHOLE: Place = { id: 0, offset: 0, mf: false }
const placeOf = (packet: Packet): Place => (packet.tag === 'ip4' ? packet : (packet.fragment ?? WHOLE))

/** Whether it is but a part of a packet. */
export const isFragment = (packet: Packet): boolean => {
  const { offset, mf } = placeOf(packet)
  return offset > 0 || mf
}

/** What a fragment adds to the whole: if more must follow, whole eights of bytes (IPv4 drops the rest of it). */
const dataOf = (packet: Packet): Uint8Array => {
  const message = messageOf(packet)
  return placeOf(packet).mf ? message.subarray(0, message.length - (message.length % 8)) : message
}

/** Whether two are fragments of one packet; IPv6 does not ask for the protocol. */
const sameQueue = (a: Packet, b: Packet): boolean =>
  a.tag === b.tag &&
  a.src === b.src &&
  a.dst === b.dst &&
  placeOf(a).id === placeOf(b).id &&
  (a.tag === 'ip6' || protocolOf(a.body) === protocolOf(b.body))

/** The stretches with another one; null if it lies within one of them (inet_frag_queue_insert). */
const insert = (
  stretches: ReadonlyArray<Stretch>,
  { at, end }: Stretch,
): Either<ReassemblyError, ReadonlyArray<Stretch> | null> => {
  const last = stretches.at(-1)
  if (last !== undefined && last.end < end) {
    if (at < last.end) return E.left({ tag: 'overlap' })
    return E.right(at === last.end ? [...stretches.slice(0, -1), { at: last.at, end }] : [...stretches, { at, end }])
  }
  const met = stretches.find((one) => at < one.end && end > one.at)
  if (met !== undefined) return at >= met.at && end <= met.end ? E.right(null) : E.left({ tag: 'overlap' })
  return E.right([...stretches, { at, end }].sort((a, b) => a.at - b.at))
}

/** Where the packet ends, with this fragment; null if that cannot be. */
const endWith = (queue: Queue, { mf }: Place, { at, end }: Stretch): number | null => {
  if (at === end) return null
  if (mf) return queue.hasLast && end > queue.end ? null : Math.max(queue.end, end)
  return end < queue.end || (queue.hasLast && end !== queue.end) ? null : end
}

/**
 * The queue with another fragment, or why there is none: `overlap` and `corrupt` end the queue, with the others only this
 * fragment is lost.
 */
export const arrive = (queue: Queue, packet: Packet): Either<ReassemblyError, Queue> => {
  const [first] = queue.fragments
  if (first !== undefined && !sameQueue(first, packet)) return E.left({ tag: 'another' })
  const place = placeOf(packet)
  const data = dataOf(packet)
  const uneven = messageOf(packet).length - data.length
  if (uneven > 0 && packet.tag === 'ip6') return E.left({ tag: 'unaligned' })
  const stretch = { at: place.offset, end: place.offset + data.length }
  if (packet.tag === 'ip6' && stretch.end > MAX_LENGTH) return E.left({ tag: 'oversized' })
  const end = endWith(queue, place, stretch)
  if (end === null) return E.left({ tag: 'corrupt' })
  const stretches = insert(queue.stretches, stretch)
  if (E.isLeft(stretches)) return stretches
  const hasLast = queue.hasLast || !place.mf
  if (stretches.right === null) return E.right({ ...queue, end, hasLast })
  const size = lengthOfPacket(packet) - uneven
  return E.right({
    fragments: [...queue.fragments, packet],
    stretches: stretches.right,
    received: queue.received + stretch.end - stretch.at,
    end,
    hasLast,
    longest: Math.max(queue.longest, size),
    longestDf: packet.tag === 'ip4' && packet.df ? Math.max(queue.longestDf, size) : queue.longestDf,
    ecn: queue.ecn | (1 << (packet.tos & 3)),
  })
}

/** The mark of the whole from the set of its fragments'; null for marks that exclude each other (ip_frag_ecn_table). */
const markOf = (set: number): number | null => {
  const [NOT_ECT, CE] = [1, 8]
  if ((set & NOT_ECT) !== 0) return set === NOT_ECT ? 0 : null
  return (set & CE) !== 0 && set !== CE ? 3 : 0
}

const joined = (queue: Queue): Uint8Array => {
  const message = new Uint8Array(queue.end)
  for (const packet of queue.fragments) message.set(dataOf(packet), placeOf(packet).offset)
  return message
}

/** The whole packet with bytes for its message. */
const wholeOf = (queue: Queue, first: Packet, mark: number): Packet => {
  const body = { proto: 'raw' as const, protocol: protocolOf(first.body), bytes: joined(queue) }
  const tos = first.tos | mark
  if (first.tag === 'ip6') return { ...first, tos, fragment: null, body }
  const df = queue.longestDf > 0 && queue.longestDf === queue.longest
  return { ...first, tos, df, mf: false, offset: 0, body }
}

/** The packet, if all of it has come; every error but `incomplete` ends the queue. */
export const finish = (queue: Queue, options: DecodeOptions = {}): Either<ReassemblyError, Packet> => {
  const first = queue.fragments.find((packet) => placeOf(packet).offset === 0)
  if (first === undefined || !queue.hasLast || queue.received < queue.end) return E.left({ tag: 'incomplete' })
  const mark = markOf(queue.ecn)
  if (mark === null) return E.left({ tag: 'ecn' })
  const header = first.tag === 'ip4' ? lengthOfHeader4(first) : first.routerAlert ? 8 : 0
  if (header + queue.end > MAX_LENGTH) return E.left({ tag: 'oversized' })
  const packet = decodePacket(encodePacket(wholeOf(queue, first, mark)), options)
  if (E.isLeft(packet)) return E.left({ tag: 'malformed', error: packet.left })
  // Null stands for options of IPv4, and the fragments have had none.
  return packet.right === null ? E.left({ tag: 'corrupt' }) : E.right(packet.right)
}

/**
 * The packet that these fragments, in the order in which they came, are of, or the first error; one that is whole is in no need
 * of others.
 */
export const reassemble = (
  fragments: ReadonlyArray<Packet>,
  options: DecodeOptions = {},
): Either<ReassemblyError, Packet> => {
  const [only] = fragments
  if (only !== undefined && !isFragment(only)) return E.right(only.tag === 'ip6' ? { ...only, fragment: null } : only)
  let queue = EMPTY_QUEUE
  for (const packet of fragments) {
    const next = arrive(queue, packet)
    if (E.isLeft(next)) return next
    queue = next.right
  }
  return finish(queue, options)
}

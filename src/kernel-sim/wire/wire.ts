// Between frames as values and the bytes that are on a wire. Decoding is total: any bytes give a frame or an error, and a
// frame is encoded again into the very bytes that it came from. Each protocol has a file of its own; this one ties together
// those that carry each other.

import { E, type Either } from '../../prelude.ts'
import { type WireError, wrong } from './error.ts'
import { type Frame, lengthOfFrame, readFrame, writeFrame } from './ethernet.ts'
import { lengthOfPacket4, readPacket4, writePacket4 } from './ip4.ts'
import { lengthOfPacket6, readPacket6, writePacket6 } from './ip6.ts'
import type { Nested, Packet, Source } from './nested.ts'
import { VXLAN_PORTS } from './vxlan.ts'

/** Messages within messages that are still values: a tunnel within a tunnel, and an error about what was in it. */
const DEPTH = 8

const NESTED: Nested = {
  lengthOfPacket: (packet) =>
    packet.tag === 'ip4' ? lengthOfPacket4(packet, NESTED) : lengthOfPacket6(packet, NESTED),
  lengthOfFrame: (frame) => lengthOfFrame(frame, NESTED),
  writePacket: (to, at, end, packet, missing) =>
    packet.tag === 'ip4'
      ? writePacket4(to, at, end, packet, missing, NESTED)
      : writePacket6(to, at, end, packet, missing, NESTED),
  writeFrame: (to, at, end, frame) => writeFrame(to, at, end, frame, NESTED),
  readQuote4: (from, at, end) => {
    if (from.depth === 0) return null
    const found = readPacket4({ ...from, depth: from.depth - 1 }, at, end, true, NESTED)
    if (E.isLeft(found) || found.right === null) return null
    return { about: found.right.packet, missing: found.right.missing, end: found.right.end }
  },
  readQuote6: (from, at, end) => {
    if (from.depth === 0) return null
    const found = readPacket6({ ...from, depth: from.depth - 1 }, at, end, true, NESTED)
    if (E.isLeft(found) || found.right === null) return null
    return { about: found.right.packet, missing: found.right.missing, end: found.right.end }
  },
  readFrame: (from, at, end) => readFrame(from, at, end, NESTED),
}

/** In which ports' datagrams frames are looked for; 4789 and 8472 if nothing is said. */
export type DecodeOptions = Readonly<{ vxlanPorts?: ReadonlySet<number> }>

const sourceOf = (bytes: Uint8Array, { vxlanPorts = VXLAN_PORTS }: DecodeOptions): Source => ({
  // Seen as nothing but a Uint8Array: a Buffer's slices would share its memory.
  bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  depth: DEPTH,
  vxlanPorts,
})

/** Bytes of the frame, without making them. */
export const lengthOf = (frame: Frame): number => lengthOfFrame(frame, NESTED)

/** Bytes of the packet, which a device compares with its MTU. */
export const lengthOfPacket = (packet: Packet): number => NESTED.lengthOfPacket(packet)

/**
 * The frame's bytes, with every checksum. The caller guarantees that numbers fit their fields, and that no packet in it is longer
 * than its length field can say: 65535 bytes, for IPv6 those behind its first header.
 */
export const encodeFrame = (frame: Frame): Uint8Array => {
  const bytes = new Uint8Array(lengthOf(frame))
  writeFrame(bytes, 0, bytes.length, frame, NESTED)
  return bytes
}

/** As `encodeFrame`, of a packet alone. */
export const encodePacket = (packet: Packet): Uint8Array => {
  const bytes = new Uint8Array(lengthOfPacket(packet))
  NESTED.writePacket(bytes, 0, bytes.length, packet, 0)
  return bytes
}

/**
 * Never throws. What is malformed is an error, a wrong checksum too: captures of real devices need offloading turned off, for with
 * it a sender's frames are captured before their checksums are made. What we have no type for stays bytes. Nothing of `bytes`
 * is kept.
 */
export const decodeFrame = (bytes: Uint8Array, options: DecodeOptions = {}): Either<WireError, Frame> =>
  readFrame(sourceOf(bytes, options), 0, bytes.length, NESTED)

/** As `decodeFrame`, of a packet alone, and all of the bytes; null if it has a form (IPv4 options) that we have no type for. */
export const decodePacket = (bytes: Uint8Array, options: DecodeOptions = {}): Either<WireError, Packet | null> => {
  const read = (bytes[0] ?? 0) >>> 4 === 6 ? readPacket6 : readPacket4
  const found = read(sourceOf(bytes, options), 0, bytes.length, false, NESTED)
  if (E.isLeft(found)) return found
  if (found.right === null) return E.right(null)
  const { packet, end } = found.right
  return end === bytes.length ? E.right(packet) : wrong(packet.tag, 'length', 0)
}

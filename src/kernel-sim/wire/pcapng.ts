// Captures of many devices in one file (draft-ietf-opsawg-pcapng): a journey across devices and hosts, each packet with its
// device and a comment. One section, in little-endian order; times in nanoseconds.

import { type Captured, LINKTYPE_ETHERNET, SNAP_LENGTH } from './pcap.ts'

export type Interface = Readonly<{ name: string; description?: string }>

/** `on`: a place in the list of interfaces. */
export type Journey = Readonly<{
  interfaces: ReadonlyArray<Interface>
  packets: ReadonlyArray<Captured & Readonly<{ on: number; comment?: string }>>
}>

type Part = Readonly<{ code: number; value: Uint8Array }>

const SECTION = 0x0a0d0d0a
const INTERFACE = 1
const PACKET = 6
const BYTE_ORDER = 0x1a2b3c4d
const UNKNOWN_LENGTH = 0xffffffff
const OPTION = { comment: 1, name: 2, description: 3, timeResolution: 9 } as const
const NANOSECONDS = Uint8Array.of(9)
/** What the length of an option can say; a longer text is cut. */
const MAX_TEXT = 0xffff

const padded = (length: number): number => Math.ceil(length / 4) * 4

const textOf = (text: string): Uint8Array => {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length <= MAX_TEXT) return bytes
  const room = new Uint8Array(MAX_TEXT)
  return room.subarray(0, new TextEncoder().encodeInto(text, room).written)
}

const textOption = (code: number, text: string | undefined): ReadonlyArray<Part> =>
  text === undefined ? [] : [{ code, value: textOf(text) }]

/** A block of these numbers, this data and these options (none: no mark of their end either). */
const block = (
  type: number,
  numbers: ReadonlyArray<number>,
  data: Uint8Array,
  options: ReadonlyArray<Part>,
): Uint8Array => {
  const optionLength = options.reduce((n, { value }) => n + 4 + padded(value.length), options.length === 0 ? 0 : 4)
  const length = 12 + 4 * numbers.length + padded(data.length) + optionLength
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setUint32(4, length, true)
  let at = 8
  for (const n of numbers) {
    view.setUint32(at, n, true)
    at += 4
  }
  bytes.set(data, at)
  at += padded(data.length)
  for (const { code, value } of options) {
    view.setUint16(at, code, true)
    view.setUint16(at + 2, value.length, true)
    bytes.set(value, at + 4)
    at += 4 + padded(value.length)
  }
  view.setUint32(length - 4, length, true)
  return bytes
}

const NO_DATA = new Uint8Array(0)
/** Version 1.0, its two halves as one little-endian number. */
const VERSION = 1

const interfaceBlock = ({ name, description }: Interface): Uint8Array =>
  block(INTERFACE, [LINKTYPE_ETHERNET, SNAP_LENGTH], NO_DATA, [
    ...textOption(OPTION.name, name),
    ...textOption(OPTION.description, description),
    { code: OPTION.timeResolution, value: NANOSECONDS },
  ])

/** A file that Wireshark reads. The caller guarantees that each packet's interface is in the list. */
export const writePcapng = ({ interfaces, packets }: Journey): Uint8Array => {
  const blocks = [
    block(SECTION, [BYTE_ORDER, VERSION, UNKNOWN_LENGTH, UNKNOWN_LENGTH], NO_DATA, []),
    ...interfaces.map(interfaceBlock),
    ...packets.map(({ timeNs, bytes, on, comment }) =>
      block(
        PACKET,
        [on, Number(timeNs >> 32n), Number(timeNs & 0xffffffffn), bytes.length, bytes.length],
        bytes,
        textOption(OPTION.comment, comment),
      ),
    ),
  ]
  const file = new Uint8Array(blocks.reduce((n, { length }) => n + length, 0))
  let at = 0
  for (const bytes of blocks) {
    file.set(bytes, at)
    at += bytes.length
  }
  return file
}

// The wire: frames as values and their bytes stand for each other exactly, nothing that arrives makes the decoder throw, what
// a checksum covers cannot change unseen, and fragments are the packet again in whatever order they come.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect, test as fact } from 'vitest'
import { checksum } from '../src/kernel-sim/wire/checksum.ts'
import { frame as frameOf } from '../src/kernel-sim/wire/ethernet.ts'
import { fragment } from '../src/kernel-sim/wire/fragment.ts'
import { packet4 } from '../src/kernel-sim/wire/ip4.ts'
import type { Packet } from '../src/kernel-sim/wire/nested.ts'
import { quote4, quote6 } from '../src/kernel-sim/wire/quote.ts'
import { reassemble } from '../src/kernel-sim/wire/reassemble.ts'
import {
  decodeFrame,
  decodePacket,
  encodeFrame,
  encodePacket,
  lengthOf,
  lengthOfPacket,
} from '../src/kernel-sim/wire/wire.ts'
import { ip4 } from '../src/net/ip.ts'
import { ZERO_MAC } from '../src/net/mac.ts'
import { E } from '../src/prelude.ts'
import { KINDS } from '../test/kernel-sim/wire/kinds.ts'
import { runs } from '../test/lib/runs.ts'
import * as arbitrary from './arbitraries/frames.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The law: bytes are an error, or a frame that is encoded into the same bytes, of the length that it says. */
const readsBack = (bytes: Uint8Array): void => {
  const frame = decodeFrame(bytes)
  if (E.isLeft(frame)) return
  const again = encodeFrame(frame.right)
  if (Buffer.compare(again, bytes) !== 0) expect(hex(again)).toBe(hex(bytes))
  if (lengthOf(frame.right) !== bytes.length) expect(lengthOf(frame.right)).toBe(bytes.length)
}

describe('a frame', () => {
  test.prop([arbitrary.frame], runs(5))('is what its bytes are decoded into', (frame) => {
    expect(decodeFrame(encodeFrame(frame))).toEqual(E.right(frame))
  })

  test.prop([arbitrary.frame])('is as long as it says', (frame) => {
    expect(lengthOf(frame)).toBe(encodeFrame(frame).length)
  })

  test.prop([arbitrary.frame])('does not change when the bytes that it was decoded from do', (frame) => {
    const bytes = Buffer.from(encodeFrame(frame))
    const decoded = decodeFrame(bytes)
    bytes.fill(0xa5)
    expect(decoded).toEqual(E.right(frame))
  })
})

/** A place in the bytes, as a share of them. */
const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const placeIn = (length: number, at: number): number => Math.floor(at * length)

type Change = Readonly<{ at: number; to: number }>
const change: fc.Arbitrary<Change> = fc.record({ at: share, to: fc.nat(0xff) })

/** Adds to a 16-bit word as a checksum does, so that taking away is adding the complement. */
const grow = (bytes: Uint8Array, at: number, by: number): void => {
  const sum = ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0) + by
  const word = sum > 0xffff ? sum - 0xffff : sum
  bytes.set([word >> 8, word & 0xff], at)
}

/** Where checksums are in a frame without tags: of IPv4; of ICMP, UDP and TCP over IPv4; of the same over IPv6. */
const CHECKSUMS = [24, 36, 40, 50, 56, 60, 70]
/** One frame of every kind, if it is short and has its checksums there. */
const SHORT = KINDS.filter(({ frame }) => frame.tags.length === 0 && lengthOf(frame) <= 180)

describe('bytes', () => {
  test.prop([fc.uint8Array({ maxLength: 200 })], runs(5))('of any kind are decoded, or are an error', readsBack)

  test.prop([fc.constantFrom(0x0800, 0x86dd, 0x0806, 0x8100), fc.uint8Array({ maxLength: 200 })], runs(5))(
    'behind a header of Ethernet are decoded, or are an error',
    (etherType, rest) => readsBack(Uint8Array.of(...new Uint8Array(12), etherType >> 8, etherType & 0xff, ...rest)),
  )

  test.prop([arbitrary.frame, fc.array(change, { minLength: 1, maxLength: 4 }), share], runs(5))(
    'that are changed or cut off are decoded, or are an error',
    (frame, changes, cut) => {
      const bytes = encodeFrame(frame)
      for (const { at, to } of changes) bytes[placeIn(bytes.length, at)] = to
      readsBack(bytes)
      readsBack(bytes.slice(0, placeIn(bytes.length, cut)))
    },
  )

  test.prop([arbitrary.frame, fc.array(fc.tuple(share, share), { minLength: 1, maxLength: 4 })], runs(20))(
    'whose 16-bit words have changed places, which no checksum sees, are decoded, or are an error',
    (frame, swaps) => {
      const bytes = encodeFrame(frame)
      const words = Math.floor(bytes.length / 2)
      for (const [a, b] of swaps) {
        const [i, j] = [placeIn(words, a) * 2, placeIn(words, b) * 2]
        const word = bytes.slice(i, i + 2)
        bytes.copyWithin(i, j, j + 2)
        bytes.set(word, j)
      }
      readsBack(bytes)
    },
  )

  test.prop([arbitrary.frame, share, share, fc.nat(0xffff)], runs(20))(
    'of which one word has grown by what another has lost are decoded, or are an error',
    (frame, a, b, by) => {
      const bytes = encodeFrame(frame)
      const words = Math.floor(bytes.length / 2)
      grow(bytes, placeIn(words, a) * 2, by)
      grow(bytes, placeIn(words, b) * 2, 0xffff - by)
      readsBack(bytes)
    },
  )

  fact.for(SHORT)(
    'of $what of which one bit has changed, and a checksum with it, are decoded, or are an error',
    ({ frame }) => {
      const original = encodeFrame(frame)
      for (let bit = 0; bit < Math.floor(original.length / 2) * 16; bit++) {
        const at = (bit >> 4) << 1
        const by = 1 << (bit & 15)
        const isSet = (((original[at] ?? 0) << 8) | (original[at + 1] ?? 0)) & by
        for (const checksum of CHECKSUMS) {
          const bytes = original.slice()
          grow(bytes, at, isSet ? 0xffff - by : by)
          if (checksum + 1 < bytes.length) grow(bytes, checksum, isSet ? by : 0xffff - by)
          readsBack(bytes)
        }
      }
    },
  )

  fact('of tunnels in tunnels without end are decoded', () => {
    const udp = {
      proto: 'udp',
      sport: 0,
      dport: 4789,
      checked: false,
      payload: Uint8Array.of(8, ...Array(7).fill(0)),
    } as const
    const level = encodeFrame(frameOf(ZERO_MAC, ZERO_MAC, packet4(ip4(0), ip4(0), udp)))
    const bytes = new Uint8Array(1300 * level.length)
    const view = new DataView(bytes.buffer)
    for (let at = 0; at < bytes.length; at += level.length) {
      bytes.set(level, at)
      view.setUint16(at + 16, bytes.length - at - 14)
      view.setUint16(at + 24, 0)
      view.setUint16(at + 24, checksum(bytes, at + 14, at + 34))
      view.setUint16(at + 38, bytes.length - at - 34)
    }
    expect(E.isRight(decodeFrame(bytes))).toBe(true)
    readsBack(bytes)
  })
})

/** Packets with a message that has a checksum, or a header that has. */
const covered: fc.Arbitrary<Packet> = fc
  .oneof(arbitrary.plain4, arbitrary.plain6)
  .filter(({ body }) => body.proto !== 'raw' && !(body.proto === 'udp' && !body.checked))

const ETHERNET = 14
/**
 * Whether a checksum covers this byte: of IPv4 all, of IPv6 the addresses and the message. Lengths that say how far the checksum
 * goes are left out: with another one, the rest may happen to fit.
 */
const isCovered = ({ tag, routerAlert, body }: Packet, at: number): boolean => {
  const message = tag === 'ip4' ? (routerAlert ? 24 : 20) : routerAlert ? 48 : 40
  if (body.proto === 'udp' && (at === message + 4 || at === message + 5)) return false
  return tag === 'ip4' ? at > 0 : (at >= 8 && at < 40) || at >= message
}

describe('a checksum', () => {
  test.prop([covered, share, fc.nat(7)], runs(5))(
    'is broken by any single bit that it covers',
    (packet, share, bit) => {
      const bytes = encodeFrame(frameOf(ZERO_MAC, ZERO_MAC, packet))
      const at = placeIn(bytes.length - ETHERNET, share)
      if (!isCovered(packet, at)) return
      bytes[ETHERNET + at] = (bytes[ETHERNET + at] ?? 0) ^ (1 << bit)
      const decoded = decodeFrame(bytes)
      if (E.isLeft(decoded)) return
      // Only a checksum of UDP of which the one bit that was set is cleared: it says that there is none.
      expect(decoded.right.payload).toMatchObject({ body: { proto: 'udp', checked: false } })
      expect(packet.body).toMatchObject({ checked: true })
    },
  )
})

const sound = fc.oneof(arbitrary.plain4, arbitrary.plain6)
const mtus = fc.integer({ min: 68, max: 1500 })
const cut = (packet: Packet, mtu: number) => fragment(packet.tag === 'ip4' ? { ...packet, df: false } : packet, mtu, 7)

describe('fragments', () => {
  test.prop([sound, mtus], runs(3))('fit the MTU, each of its own bytes', (packet, mtu) => {
    const pieces = cut(packet, mtu)
    if (E.isLeft(pieces)) throw new Error(JSON.stringify(pieces.left))
    for (const piece of pieces.right) {
      expect(lengthOfPacket(piece)).toBeLessThanOrEqual(mtu)
      expect(decodePacket(encodePacket(piece))).toEqual(E.right(piece))
    }
  })

  test.prop([sound, mtus, fc.infiniteStream(fc.nat())], runs(3))(
    'put together in any order, some of them twice, are the packet',
    (packet, mtu, dice) => {
      const pieces = cut(packet, mtu)
      if (E.isLeft(pieces)) throw new Error(JSON.stringify(pieces.left))
      const order = [...pieces.right, ...pieces.right.slice(1)]
        .map((piece) => ({ piece, at: dice.next().value }))
        .sort((a, b) => a.at - b.at)
        .map(({ piece }) => piece)
      const whole = packet.tag === 'ip4' ? { ...packet, df: false } : packet
      expect(reassemble(order)).toEqual(E.right(whole))
    },
  )

  test.prop([arbitrary.plain4, mtus, mtus], runs(3))(
    'of IPv4 that are cut again on their way are still the packet',
    (packet, first, second) => {
      const whole = { ...packet, df: false }
      const pieces = fragment(whole, first, 0)
      const again = E.isRight(pieces) ? pieces.right.map((piece) => fragment(piece, second, 0)) : []
      const all = again.flatMap((some) => (E.isRight(some) ? some.right : []))
      expect(reassemble(all)).toEqual(E.right(whole))
    },
  )

  test.prop([sound, mtus], runs(3))('with one missing are no packet', (packet, mtu) => {
    const pieces = cut(packet, mtu)
    const few = E.isRight(pieces) ? pieces.right.slice(0, -1) : []
    expect(reassemble(few)).toEqual(E.left({ tag: 'incomplete' }))
  })
})

describe('a quote', () => {
  test.prop([arbitrary.plain4, arbitrary.plain6])('is the beginning of the packet', (four, six) => {
    for (const packet of [four, six]) {
      const { about, missing } = packet.tag === 'ip4' ? quote4(packet) : quote6(packet)
      expect(lengthOfPacket(about) + missing).toBe(lengthOfPacket(packet))
      expect(lengthOfPacket(about)).toBeLessThanOrEqual(packet.tag === 'ip4' ? 548 : 1232)
      // The same ports, ids and flags, where they are within what is quoted.
      const body = about.body.proto === 'head' ? about.body.of : about.body
      expect({ ...body, payload: null }).toEqual({ ...packet.body, payload: null })
    }
  })
})

// Fragments and quotes: as long as Linux makes them, refused where Linux refuses them.

import { describe, expect, test } from 'vitest'
import { fragment } from '../../../src/kernel-sim/wire/fragment.ts'
import { type Packet4, packet4 } from '../../../src/kernel-sim/wire/ip4.ts'
import { type Packet6, packet6 } from '../../../src/kernel-sim/wire/ip6.ts'
import type { Packet } from '../../../src/kernel-sim/wire/nested.ts'
import { quote4, quote6, quoteOfRedirect } from '../../../src/kernel-sim/wire/quote.ts'
import { isFragment, reassemble } from '../../../src/kernel-sim/wire/reassemble.ts'
import { encodeFrame, encodePacket, lengthOfPacket } from '../../../src/kernel-sim/wire/wire.ts'
import { E } from '../../../src/prelude.ts'
import { four, fromAToB, hex, right, six } from './lib.ts'

const [A4, B4] = [four('10.9.0.1'), four('10.9.0.2')]
const [A6, B6] = [six('fd09::1'), six('fd09::2')]
const data = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i)

/** What `ping -s SIZE` sends. */
const ping4 = (size: number): Packet4 => ({
  ...packet4(A4, B4, { proto: 'icmp', type: 'echo-request', id: 1, seq: 1, payload: data(size) }),
  df: false,
  id: 0x38ef,
})
const ping6 = (size: number): Packet6 =>
  packet6(A6, B6, { proto: 'icmp6', type: 'echo-request', id: 1, seq: 1, payload: data(size) })
const udp = (size: number) => ({ proto: 'udp', sport: 5, dport: 9, checked: true, payload: data(size) }) as const

/** Bytes of each frame, as a capture shows them. */
const sizes = (packets: ReadonlyArray<Packet>): ReadonlyArray<number> =>
  packets.map((packet) => encodeFrame(fromAToB(packet)).length)

describe('fragments', () => {
  test('are as long as those of Linux (ping -s 2000, MTU 1500)', () => {
    expect(sizes(right(fragment(ping4(2000), 1500, 0)))).toEqual([1514, 562])
    expect(sizes(right(fragment(ping6(2000), 1500, 7)))).toEqual([1510, 622])
  })

  test('begin with the head of the message, whose checksum is that of the whole', () => {
    const whole = ping4(2000)
    const [first, second] = right(fragment(whole, 1500, 0))
    expect(first).toMatchObject({ mf: true, offset: 0, body: { proto: 'head', of: { type: 'echo-request', id: 1 } } })
    expect(second).toMatchObject({ mf: false, offset: 1480, body: { proto: 'raw', protocol: 1 } })
    const checksum = hex(encodePacket(whole).subarray(22, 24))
    expect(first?.body).toMatchObject({ checksum: Number.parseInt(checksum, 16) })
  })

  test('of a datagram show its ports and its whole length', () => {
    const [first] = right(fragment(packet6(A6, B6, udp(3000)), 1280, 7))
    expect(first?.body).toMatchObject({ proto: 'head', of: { sport: 5, dport: 9 }, length: 3008 })
  })

  test('a packet that fits is itself', () => {
    const whole = ping4(1472)
    expect(right(fragment(whole, 1500, 0))).toEqual([whole])
  })

  test('a packet that must not be fragmented is refused, with what an error says', () => {
    expect(fragment({ ...ping4(1473), df: true }, 1500, 0)).toEqual(
      E.left({ tag: 'dont-fragment', length: 1501, mtu: 1500 }),
    )
  })

  test('an MTU that leaves no room for eight bytes is refused', () => {
    expect(fragment(ping4(100), 27, 0)).toEqual(E.left({ tag: 'too-small', mtu: 27 }))
    expect(fragment(ping6(100), 55, 0)).toEqual(E.left({ tag: 'too-small', mtu: 55 }))
  })

  test('of IPv6 are not cut again', () => {
    const [first] = right(fragment(ping6(2000), 1500, 7))
    expect(first && fragment(first, 1280, 8)).toEqual(E.left({ tag: 'is-fragment' }))
  })
})

/** A fragment of eights of bytes, the last one of its packet unless more follow. */
const piece = (from: number, to: number, mf: boolean, more: Partial<Packet4> = {}): Packet4 => ({
  ...ping4(0),
  offset: from,
  mf,
  body: { proto: 'raw', protocol: 253, bytes: data(200).slice(from, to) },
  ...more,
})

describe('reassembly', () => {
  const outcome = (...pieces: Packet[]): string => {
    const whole = reassemble(pieces)
    return E.isLeft(whole) ? whole.left.tag : `whole of ${lengthOfPacket(whole.right)} bytes`
  }

  test.for<[string, Packet4[], string]>([
    ['in order', [piece(0, 16, true), piece(16, 40, false)], 'whole of 60 bytes'],
    ['the last first', [piece(16, 40, false), piece(0, 16, true)], 'whole of 60 bytes'],
    ['the middle last', [piece(0, 8, true), piece(16, 40, false), piece(8, 16, true)], 'whole of 60 bytes'],
    ['one twice', [piece(0, 16, true), piece(0, 16, true), piece(16, 40, false)], 'whole of 60 bytes'],
    ['a part of one again', [piece(0, 16, true), piece(8, 16, true), piece(16, 40, false)], 'whole of 60 bytes'],
    ['what two have brought again', [piece(0, 8, true), piece(8, 16, true), piece(0, 16, true)], 'incomplete'],
    ['an overlap at the end', [piece(0, 16, true), piece(8, 40, false)], 'overlap'],
    ['an overlap at the beginning', [piece(16, 40, false), piece(0, 24, true)], 'overlap'],
    ['one around another', [piece(8, 16, true), piece(0, 24, true)], 'overlap'],
    ['a gap', [piece(0, 8, true), piece(16, 40, false)], 'incomplete'],
    ['no last one', [piece(0, 16, true), piece(16, 40, true)], 'incomplete'],
    ['bytes behind the end', [piece(16, 40, false), piece(40, 48, true)], 'corrupt'],
    ['an end before bytes that are there', [piece(16, 40, true), piece(0, 8, false)], 'corrupt'],
    ['two ends', [piece(16, 40, false), piece(40, 48, false)], 'corrupt'],
    ['an empty one', [piece(0, 0, true), piece(0, 40, false)], 'corrupt'],
    ['another packet', [piece(0, 16, true), piece(16, 40, false, { id: 1 })], 'another'],
    ['another destination', [piece(0, 16, true), piece(16, 40, false, { dst: A4 })], 'another'],
    ['a mark of congestion', [piece(0, 16, true, { tos: 2 }), piece(16, 40, false, { tos: 3 })], 'whole of 60 bytes'],
    ['marks that exclude each other', [piece(0, 16, true), piece(16, 40, false, { tos: 3 })], 'ecn'],
  ])('%s', ([, pieces, expected]) => {
    expect(outcome(...pieces)).toBe(expected)
  })

  test('congestion that one fragment has met is the whole’s', () => {
    const whole = right(reassemble([piece(0, 16, true, { tos: 2 }), piece(16, 40, false, { tos: 3 })]))
    expect(whole.tos).toBe(3)
  })

  test('bytes that are no whole eight are left out of IPv4, and are an error of IPv6', () => {
    expect(outcome(piece(0, 17, true), piece(16, 40, false))).toBe('whole of 60 bytes')
    const [first] = right(fragment(ping6(2000), 1500, 7))
    if (first?.tag !== 'ip6') throw new Error('no fragment')
    expect(outcome({ ...first, body: { proto: 'raw', protocol: 58, bytes: data(17) } })).toBe('unaligned')
  })

  test('more bytes than a packet can hold are none', () => {
    const long = piece(0, 0, true, { body: { proto: 'raw', protocol: 253, bytes: data(65_512) } })
    expect(outcome(long, { ...piece(0, 8, false), offset: 65_512 })).toBe('oversized')
  })

  test('a message whose checksum is wrong is no packet', () => {
    const [first, second] = right(fragment(ping4(2000), 1500, 0))
    if (first?.tag !== 'ip4' || second?.tag !== 'ip4') throw new Error('no fragments')
    const changed: Packet4 = { ...second, body: { proto: 'raw', protocol: 1, bytes: new Uint8Array(528) } }
    expect(reassemble([first, changed])).toEqual(
      E.left({ tag: 'malformed', error: { layer: 'icmp', reason: 'checksum', at: 20 } }),
    )
  })

  test('an IPv6 packet that is its own and only fragment is whole', () => {
    const atomic: Packet6 = { ...ping6(10), fragment: { id: 7, offset: 0, mf: false } }
    expect(isFragment(atomic)).toBe(false)
    expect(reassemble([atomic])).toEqual(E.right(ping6(10)))
  })
})

describe('what an error quotes', () => {
  const unreachable4 = (about: Packet4): Packet4 =>
    packet4(B4, A4, { proto: 'icmp', type: 'unreachable', code: 'port', mtu: 0, ...quote4(about) })
  const unreachable6 = (about: Packet6): Packet6 =>
    packet6(B6, A6, { proto: 'icmp6', type: 'unreachable', code: 'port', ...quote6(about) })

  test('is as much as Linux quotes', () => {
    expect(sizes([unreachable4(packet4(A4, B4, udp(3)))])).toEqual([73])
    expect(sizes([unreachable4(packet4(A4, B4, udp(900)))])).toEqual([590])
    expect(sizes([unreachable6(packet6(A6, B6, udp(1400)))])).toEqual([1294])
  })

  test('is less where the way back has a smaller MTU', () => {
    expect(lengthOfPacket(quote4(packet4(A4, B4, udp(900)), 200).about)).toBe(172)
  })

  test('shows the ports of a packet that is not all there', () => {
    const { about, missing } = quote4(packet4(A4, B4, udp(900)))
    expect(missing).toBe(928 - 548)
    expect(about.body).toMatchObject({ proto: 'head', of: { sport: 5, dport: 9 }, length: 908 })
  })

  test('of a later fragment is bytes, whatever they look like', () => {
    const later4 = right(fragment({ ...packet4(A4, B4, udp(3000)), df: false }, 1500, 0))[1]
    const later6 = right(fragment(packet6(A6, B6, udp(3000)), 1500, 7))[1]
    if (later4?.tag !== 'ip4' || later6?.tag !== 'ip6') throw new Error('no fragments')
    expect(quote4(later4)).toMatchObject({ about: { body: { proto: 'raw', protocol: 17 } }, missing: 1500 - 548 })
    expect(quote6(later6)).toMatchObject({ about: { body: { proto: 'raw', protocol: 17 } }, missing: 1496 - 1232 })
  })

  test('in a redirect of IPv6 is a multiple of eight bytes', () => {
    expect(quoteOfRedirect(packet6(A6, B6, udp(3)), 8)).toMatchObject({ missing: 3 })
    expect(lengthOfPacket(quoteOfRedirect(packet6(A6, B6, udp(1400)), 8).about)).toBe(1184)
  })
})

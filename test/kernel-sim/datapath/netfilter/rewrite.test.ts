// A packet with another end has the checksum that it would have had from the beginning, also where only a part of it is there.

import { describe, expect, test } from 'vitest'
import { withEnd } from '../../../../src/kernel-sim/datapath/netfilter/rewrite.ts'
import { type Packet4, packet4 } from '../../../../src/kernel-sim/wire/ip4.ts'
import { type Packet6, packet6 } from '../../../../src/kernel-sim/wire/ip6.ts'
import { quote4, quote6 } from '../../../../src/kernel-sim/wire/quote.ts'
import type { Udp } from '../../../../src/kernel-sim/wire/udp.ts'
import { ip4, ip6 } from '../../../../src/net/ip.ts'

const [A, B, C] = [0x0a000001, 0x0a000002, 0xc0a8ffff].map(ip4) as [Packet4['src'], Packet4['src'], Packet4['src']]
const [A6, B6, C6] = [1n, 2n, 0xfd00_ffff_0000_1234n << 64n].map(ip6) as [
  Packet6['src'],
  Packet6['src'],
  Packet6['src'],
]

const datagram = (sport: number, length: number): Udp => ({
  proto: 'udp',
  sport,
  dport: 53,
  checked: true,
  payload: Uint8Array.from({ length }, (_, i) => (i * 37) & 0xff),
})

describe('a quote that was cut', () => {
  test.each([900, 901, 1400])('of a datagram with %i bytes over IPv4', (length) => {
    const quoted = quote4(packet4(A, B, datagram(1000, length))).about
    const wanted = quote4(packet4(C, B, datagram(65000, length))).about
    expect(quoted.body.proto).toBe('head')
    expect(withEnd(quoted, 'source', C, 65000)).toEqual(wanted)
  })

  test('and over IPv6', () => {
    const quoted = quote6(packet6(A6, B6, datagram(1000, 1400))).about
    const wanted = quote6(packet6(C6, B6, datagram(2, 1400))).about
    expect(withEnd(quoted, 'source', C6, 2)).toEqual(wanted)
  })

  test('of an echo, whose checksum does not include the addresses of IPv4', () => {
    const echo = (id: number) =>
      ({ proto: 'icmp', type: 'echo-request', id, seq: 7, payload: new Uint8Array(900).fill(3) }) as const
    const quoted = quote4(packet4(A, B, echo(40000))).about
    expect(withEnd(quoted, 'source', C, 5)).toEqual(quote4(packet4(C, B, echo(5))).about)
  })

  test('of a datagram without a checksum gets none', () => {
    const unchecked = (sport: number): Udp => ({ ...datagram(sport, 900), checked: false })
    const quoted = quote4(packet4(A, B, unchecked(1000))).about
    expect(withEnd(quoted, 'source', C, 7)).toEqual(quote4(packet4(C, B, unchecked(7))).about)
  })
})

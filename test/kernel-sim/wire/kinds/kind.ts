// What frames of every kind are made from: two hosts, a datagram and a segment. And what a kind of frame is.

import type { Body4, Body6 } from '../../../../src/kernel-sim/wire/body.ts'
import type { Frame } from '../../../../src/kernel-sim/wire/ethernet.ts'
import { type Packet4, packet4 } from '../../../../src/kernel-sim/wire/ip4.ts'
import { type Packet6, packet6 } from '../../../../src/kernel-sim/wire/ip6.ts'
import { FLAG, type Tcp } from '../../../../src/kernel-sim/wire/tcp.ts'
import { NO_OPTIONS } from '../../../../src/kernel-sim/wire/tcp-options.ts'
import type { Udp } from '../../../../src/kernel-sim/wire/udp.ts'
import { four, fromAToB, six } from '../lib.ts'

/**
 * `shows`: fields by the names of Wireshark's display filters, '' where one must be absent. Of a field that occurs more than once
 * (a tunnel, a quote) all values, from the outside inwards.
 */
export type Kind = Readonly<{ what: string; frame: Frame; shows: Readonly<Record<string, string>> }>

export const [A4, B4] = [four('10.9.0.1'), four('10.9.0.2')]
export const [A6, B6] = [six('fd09::1'), six('fd09::2')]
export const data = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i)
export const text = (of: string): Uint8Array => new TextEncoder().encode(of)

export const over4 = (body: Body4, more: Partial<Packet4> = {}): Frame =>
  fromAToB({ ...packet4(A4, B4, body), ...more })
export const over6 = (body: Body6, more: Partial<Packet6> = {}): Frame =>
  fromAToB({ ...packet6(A6, B6, body), ...more })

export const udp = (length: number): Udp => ({
  proto: 'udp',
  sport: 5000,
  dport: 9,
  checked: true,
  payload: data(length),
})
export const tcp: Tcp = {
  proto: 'tcp',
  sport: 40000,
  dport: 80,
  seq: 0xfffffff0,
  ack: 7,
  flags: FLAG.ACK | FLAG.PSH,
  window: 502,
  urgent: 0,
  options: { ...NO_OPTIONS, timestamps: { value: 11, echo: 22 } },
  payload: text('GET'),
}

// Blocks, steps and programs for properties about addresses.

import fc from 'fast-check'
import { type Cidr, networkOf } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { diceOf, type Step } from '../lib/ipam-random.ts'
import { type Cells, cellsOf } from '../lib/ipam-set.ts'

export const SEED = fc.noBias(fc.nat(0xffffffff))

/** Widths of blocks: all small ones, those whose edges are near what a number can count, those of IPv4 and IPv6. */
export const WIDTHS: ReadonlyArray<number> = [
  ...Array.from({ length: 13 }, (_, bits) => bits),
  ...[16, 24, 32, 40, 52, 53, 54, 56, 57, 64, 65, 127, 128],
]
export const bits = fc.constantFrom(...WIDTHS)

export const cells: fc.Arbitrary<Cells> = fc.tuple(bits, SEED).map(([width, seed]) => cellsOf(width, diceOf(seed)))

const number = fc.noBias(fc.nat(0xffffffff))
export const step: fc.Arbitrary<Step> = fc.tuple(number, number, number, number)
export const program = (maxLength: number): fc.Arbitrary<ReadonlyArray<Step>> => fc.array(step, { maxLength })

const near = (text: string, bits: number): Cidr => networkOf({ ip: ip(text), bits })
const IP4 = ['1.2.3.4', '10.0.0.0', '172.31.255.255', '223.255.255.255']
const IP6 = ['100::', '2001:db8::ffff:ffff:ffff:ffff', 'fd00::1', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']

/** Subnets of every size with bits between two lengths, near the ends of what hosts may have and in between. */
const subnets = (min4: number, max4: number, min6: number, max6: number): fc.Arbitrary<Cidr> =>
  fc.oneof(
    fc.tuple(fc.constantFrom(...IP4), fc.integer({ min: min4, max: max4 })).map(([text, n]) => near(text, n)),
    fc.tuple(fc.constantFrom(...IP6), fc.integer({ min: min6, max: max6 })).map(([text, n]) => near(text, n)),
  )
/** /8 to /32 and, for a /3 is as wide as unicast goes, /8 to /128 where it lies among addresses of hosts. */
export const subnetOf = fc.oneof(
  subnets(8, 32, 8, 128),
  fc.integer({ min: 3, max: 8 }).map((n) => near('2000::', n)),
)
/** Up to 1,024 addresses. */
export const smallSubnet = subnets(22, 32, 118, 128)
export const largeSubnet = fc.oneof(
  subnets(8, 27, 8, 123),
  fc.integer({ min: 3, max: 8 }).map((n) => near('2000::', n)),
)

// The whole state of the allocator as bytes: a name, a version, the state as numbers (bits.ts), and a checksum over all of
// it. Sets of addresses are written as the lengths of their runs and gaps, so a half-full pool at random costs little more
// than a bitmap of it, and a pool in one run a few bytes.
// Reading accepts exactly what writing gives: the checksum (CRC-32, IEEE 802.3) is proved, each pool is taken as a request
// would take it, and in the end the state is written again and must be the same bytes.
// For who keeps or sends a whole state; the engine needs no snapshot, its state follows from the model.

import { type Cidr, cidrFamily, covers, sizeOf } from '../net/cidr.ts'
import { type Family, ipOf, numberOf, widthOf } from '../net/ip.ts'
import { getIn, setIn, sizeOfMap, valuesOf } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import { type AddressSet, eachRun, isWithin, lastPlace, ofRuns, type Place } from './address-set.ts'
import { type BitReader, type BitWriter, bitReader, bitWriter } from './bits.ts'
import { arrange } from './defaults.ts'
import { poolOf, SPACES } from './pool-id.ts'
import { freshIpam, takePool } from './space.ts'
import { reservedSet } from './subnet.ts'
import type { AddressSpace, DefaultPool, Ipam, Subnet } from './types.ts'

export type SnapshotError = Readonly<
  | { tag: 'NotASnapshot' }
  /** Written by another version than the one that this reads. */
  | { tag: 'UnknownVersion'; version: number; known: number }
  | { tag: 'DamagedSnapshot' }
>

/** One sentence for people. */
export const explainSnapshot = (error: SnapshotError): string => {
  switch (error.tag) {
    case 'NotASnapshot':
      return 'this is no snapshot of address pools'
    case 'UnknownVersion':
      return `the snapshot has version ${error.version}, and this cnm reads version ${error.known}`
    case 'DamagedSnapshot':
      return 'the snapshot is damaged: it is not what was written'
  }
}

const NAME = [...'CNMIPAM'].map((letter) => letter.charCodeAt(0))
const VERSION = 1
const HEAD = NAME.length + 1
const CHECKSUM = 4

const CRC: ReadonlyArray<number> = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc >>> 0
})

const crc32 = (bytes: Uint8Array, end: number): number => {
  let crc = 0xffffffff
  for (let i = 0; i < end; i++) crc = (crc >>> 8) ^ (CRC[(crc ^ (bytes[i] ?? 0)) & 255] ?? 0)
  return ~crc >>> 0
}

// Numbers from 0 are written as one more than they are.
const natural = (out: BitWriter, n: Place): void => out.number(typeof n === 'number' ? n + 1 : n + 1n)

const writeCidr = (out: BitWriter, { ip, bits }: Cidr): void => {
  const width = typeof ip === 'number' ? 32 : 128
  out.bit(width === 128)
  natural(out, bits)
  natural(out, numberOf(ip) >> BigInt(width - bits))
}

const writeSet = (out: BitWriter, set: AddressSet): void => {
  natural(out, set.runs)
  let behind: Place = typeof lastPlace(set.bits) === 'number' ? -1 : -1n
  eachRun(set, (from, to) => {
    const gap: Place = typeof from === 'number' ? from - Number(behind) : from - BigInt(behind)
    out.number(gap)
    out.number(typeof to === 'number' ? to - Number(from) + 1 : to - BigInt(from) + 1n)
    behind = to
  })
}

const writeSubnet = (out: BitWriter, { space, cidr, used, cursor, whole, ranges }: Subnet): void => {
  out.bit(space === 'GlobalDefault')
  writeCidr(out, cidr)
  out.bit(whole)
  natural(out, cursor)
  natural(out, sizeOfMap(ranges))
  for (const range of valuesOf(ranges)) writeCidr(out, range)
  writeSet(out, used)
}

export const writeSnapshot = ({ defaults, subnets }: Ipam): Uint8Array => {
  const out = bitWriter()
  for (const space of SPACES) {
    natural(out, defaults[space].length)
    for (const { base, size } of defaults[space]) {
      writeCidr(out, base)
      natural(out, size)
    }
  }
  natural(out, sizeOfMap(subnets))
  for (const subnet of valuesOf(subnets)) writeSubnet(out, subnet)
  const body = out.bytes()
  const bytes = new Uint8Array(HEAD + body.length + CHECKSUM)
  bytes.set(NAME)
  bytes[NAME.length] = VERSION
  bytes.set(body, HEAD)
  new DataView(bytes.buffer).setUint32(HEAD + body.length, crc32(bytes, HEAD + body.length))
  return bytes
}

// From here on null means: not what writing gives.

const readNatural = (from: BitReader): Place | null => {
  const n = from.number()
  return n === null ? null : typeof n === 'number' ? n - 1 : n - 1n
}

/** A number that counts or measures: it is small. */
const readSmall = (from: BitReader): number | null => {
  const n = readNatural(from)
  return typeof n === 'number' ? n : null
}

const readCidr = (from: BitReader): Cidr | null => {
  const wide = from.bit()
  const bits = readSmall(from)
  const prefix = readNatural(from)
  if (wide === null || bits === null || prefix === null) return null
  const family: Family = wide ? 6 : 4
  const width = widthOf(family)
  if (bits > width || BigInt(prefix) >> BigInt(bits) !== 0n) return null
  return { ip: ipOf(family, BigInt(prefix) << BigInt(width - bits)), bits }
}

/** Exactly as many as are announced. */
const readMany = <A>(from: BitReader, read: () => A | null): ReadonlyArray<A> | null => {
  const count = readSmall(from)
  if (count === null) return null
  const all: A[] = []
  for (let i = 0; i < count; i++) {
    const one = read()
    if (one === null) return null
    all.push(one)
  }
  return all
}

const readSet = (from: BitReader, bits: number): AddressSet | null => {
  const last = lastPlace(bits)
  const place = (n: Place): Place => (typeof last === 'number' ? Number(n) : BigInt(n))
  const sum = (a: Place, b: Place): Place => (typeof a === 'number' ? a + Number(b) : a + BigInt(b))
  let behind = place(-1)
  const runs = readMany(from, () => {
    const gap = from.number()
    const length = from.number()
    if (gap === null || length === null) return null
    const first = sum(behind, gap)
    behind = sum(sum(first, length), -1)
    return behind <= last ? ([first, behind] as const) : null
  })
  return runs === null ? null : ofRuns(bits, runs.flat())
}

const readDefault = (from: BitReader): DefaultPool | null => {
  const base = readCidr(from)
  const size = readSmall(from)
  return base === null || size === null ? null : { base, size }
}

type Read = Readonly<{ subnet: Omit<Subnet, 'ranges' | 'covered'>; ranges: ReadonlyArray<Cidr> }>

const readSubnet = (from: BitReader): Read | null => {
  const global = from.bit()
  const cidr = readCidr(from)
  const whole = from.bit()
  const cursor = readNatural(from)
  const ranges = readMany(from, () => readCidr(from))
  if (global === null || cidr === null || whole === null || cursor === null || ranges === null) return null
  const used = readSet(from, widthOf(cidrFamily(cidr)) - cidr.bits)
  const fits = used !== null && cursor <= sizeOf(cidr) && isWithin(reservedSet(cidr), used)
  if (!fits || ranges.some((range) => !covers(cidr, range) || range.bits === cidr.bits)) return null
  const space: AddressSpace = global ? 'GlobalDefault' : 'LocalDefault'
  const same: Place = typeof lastPlace(used.bits) === 'number' ? Number(cursor) : BigInt(cursor)
  return { subnet: { space, cidr, used, cursor: same, whole }, ranges }
}

/** The state with a subnet taken as it was. */
const restore = (ipam: Ipam, { subnet, ranges }: Read): Ipam | null => {
  const { space, cidr, whole, used, cursor } = subnet
  let now = ipam
  for (const range of [...(whole ? [cidr] : []), ...ranges]) {
    const taken = takePool(now, poolOf(space, cidr, range))
    if (E.isLeft(taken)) return null
    now = taken.right
  }
  const key = poolOf(space, cidr, null).id
  const fresh = getIn(now.subnets, key)
  return fresh === undefined ? null : { ...now, subnets: setIn(now.subnets, key, { ...fresh, used, cursor }) }
}

const readBody = (from: BitReader): Ipam | null => {
  const local = readMany(from, () => readDefault(from))
  const global = readMany(from, () => readDefault(from))
  if (local === null || global === null) return null
  const [LocalDefault, GlobalDefault] = [arrange(local), arrange(global)]
  if (E.isLeft(LocalDefault) || E.isLeft(GlobalDefault)) return null
  const subnets = readMany(from, () => readSubnet(from))
  if (subnets === null || !from.atEnd()) return null
  let ipam: Ipam | null = freshIpam({ LocalDefault: LocalDefault.right, GlobalDefault: GlobalDefault.right })
  for (const each of subnets) if (ipam !== null) ipam = restore(ipam, each)
  return ipam
}

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index])

/** The state whose snapshot these bytes are. */
export const readSnapshot = (bytes: Uint8Array): Either<SnapshotError, Ipam> => {
  const end = bytes.length - CHECKSUM
  if (end < HEAD || NAME.some((byte, index) => bytes[index] !== byte)) return E.left({ tag: 'NotASnapshot' })
  const version = bytes[NAME.length] ?? 0
  if (version !== VERSION) return E.left({ tag: 'UnknownVersion', version, known: VERSION })
  const checksum = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(end)
  if (crc32(bytes, end) !== checksum) return E.left({ tag: 'DamagedSnapshot' })
  const ipam = readBody(bitReader(bytes, HEAD, end))
  return ipam !== null && same(writeSnapshot(ipam), bytes) ? E.right(ipam) : E.left({ tag: 'DamagedSnapshot' })
}

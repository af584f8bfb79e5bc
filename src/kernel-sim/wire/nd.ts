// Neighbour discovery: solicitations, advertisements and redirects (RFC 4861 section 4). Its messages are valid with a hop limit
// of 255 only, which whoever receives them must see to. A solicitation from :: is duplicate address detection (RFC 4862).

import type { Ip6 } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { get8, get16, get32, getIp6, put8, put16, put32, putIp6 } from './bytes.ts'
import { type Read, unknown, wrong } from './error.ts'
import { lengthOfNdOptions, type NdOption, readNdOptions, writeNdOptions } from './nd-options.ts'
import type { Nested, Source } from './nested.ts'

type Options = { options: ReadonlyArray<NdOption> }

/** Times as their names say; 0 says nothing. `defaultS`: how long the sender is a default router. */
export type RouterAdvertisement = Readonly<{
  proto: 'icmp6'
  type: 'router-advertisement'
  hopLimit: number
  managed: boolean
  other: boolean
  defaultS: number
  reachableMs: number
  retransMs: number
}> &
  Readonly<Options>

export type Discovery =
  | RouterAdvertisement
  | Readonly<
      { proto: 'icmp6' } & Options &
        (
          | { type: 'router-solicitation' }
          | { type: 'neighbour-solicitation'; target: Ip6 }
          | { type: 'neighbour-advertisement'; target: Ip6; router: boolean; solicited: boolean; override: boolean }
          /** Packets to `destination` should go by `target`, which is the destination itself if it is on the link. */
          | { type: 'redirect'; target: Ip6; destination: Ip6 }
        )
    >

type Type = Discovery['type']
const NUMBERS: Readonly<Record<Type, number>> = {
  'router-solicitation': 133,
  'router-advertisement': 134,
  'neighbour-solicitation': 135,
  'neighbour-advertisement': 136,
  redirect: 137,
}
/** Where the options begin. */
const HEADERS: Readonly<Record<Type, number>> = {
  'router-solicitation': 8,
  'router-advertisement': 16,
  'neighbour-solicitation': 24,
  'neighbour-advertisement': 24,
  redirect: 40,
}
const TYPES: ReadonlyArray<Type> = [
  'router-solicitation',
  'router-advertisement',
  'neighbour-solicitation',
  'neighbour-advertisement',
  'redirect',
]

const ROUTER = 0x80000000
const SOLICITED = 0x40000000
const OVERRIDE = 0x20000000
const MANAGED = 0x80
const OTHER = 0x40

export const lengthOfDiscovery = (m: Discovery, nested: Nested): number =>
  HEADERS[m.type] + lengthOfNdOptions(m.options, nested)

/** All but the checksum. */
export const writeDiscovery = (to: Uint8Array, at: number, m: Discovery, nested: Nested): void => {
  put8(to, at, NUMBERS[m.type])
  switch (m.type) {
    case 'router-solicitation':
      break
    case 'router-advertisement':
      put8(to, at + 4, m.hopLimit)
      put8(to, at + 5, (m.managed ? MANAGED : 0) | (m.other ? OTHER : 0))
      put16(to, at + 6, m.defaultS)
      put32(to, at + 8, m.reachableMs)
      put32(to, at + 12, m.retransMs)
      break
    case 'neighbour-solicitation':
      putIp6(to, at + 8, m.target)
      break
    case 'neighbour-advertisement':
      put32(to, at + 4, (m.router ? ROUTER : 0) + (m.solicited ? SOLICITED : 0) + (m.override ? OVERRIDE : 0))
      putIp6(to, at + 8, m.target)
      break
    case 'redirect':
      putIp6(to, at + 8, m.target)
      putIp6(to, at + 24, m.destination)
      break
  }
  writeNdOptions(to, at + HEADERS[m.type], m.options, nested)
}

const parse = (bytes: Uint8Array, at: number, type: Type, options: ReadonlyArray<NdOption>): Discovery | null => {
  const rest = get32(bytes, at + 4)
  const proto = 'icmp6'
  switch (type) {
    case 'router-solicitation':
      return rest === 0 ? { proto, type, options } : null
    case 'neighbour-solicitation':
      return rest === 0 ? { proto, type, target: getIp6(bytes, at + 8), options } : null
    case 'redirect':
      return rest === 0
        ? { proto, type, target: getIp6(bytes, at + 8), destination: getIp6(bytes, at + 24), options }
        : null
    case 'neighbour-advertisement': {
      if (rest % OVERRIDE !== 0) return null
      const flags = rest / OVERRIDE
      const [router, solicited, override] = [(flags & 4) !== 0, (flags & 2) !== 0, (flags & 1) !== 0]
      return { proto, type, target: getIp6(bytes, at + 8), router, solicited, override, options }
    }
    case 'router-advertisement': {
      const flags = get8(bytes, at + 5)
      if ((flags & 0x3f) !== 0) return null
      return {
        proto,
        type,
        hopLimit: get8(bytes, at + 4),
        managed: (flags & MANAGED) !== 0,
        other: (flags & OTHER) !== 0,
        defaultS: get16(bytes, at + 6),
        reachableMs: get32(bytes, at + 8),
        retransMs: get32(bytes, at + 12),
        options,
      }
    }
  }
}

/** Of the types 133 to 137. */
export const readDiscovery = (from: Source, at: number, end: number, nested: Nested): Read<Discovery> => {
  const { bytes } = from
  const type = TYPES[get8(bytes, at) - NUMBERS['router-solicitation']]
  if (type === undefined || get8(bytes, at + 1) !== 0) return unknown
  const options = at + HEADERS[type]
  if (options > end) return wrong('icmp6', 'truncated', at)
  const read = readNdOptions(from, at, options, end, nested)
  return E.isLeft(read) ? read : E.right(parse(bytes, at, type, read.right))
}

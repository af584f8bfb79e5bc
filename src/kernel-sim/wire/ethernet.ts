// Ethernet II frames and their VLAN tags (IEEE 802.3 clause 3, IEEE 802.1Q-2018 clause 9). Neither the checksum behind a frame
// nor the fill up to 60 bytes is made: no device of ours has the one, and a veth needs not the other.

import type { Mac } from '../../net/mac.ts'
import { absurd, E, type Either } from '../../prelude.ts'
import { type Arp, LENGTH_OF_ARP, readArp, writeArp } from './arp.ts'
import { copyOf, get16, getMac, NO_BYTES, put16, put48 } from './bytes.ts'
import { type Read, type WireError, wrong } from './error.ts'
import { type Packet4, readPacket4 } from './ip4.ts'
import { type Packet6, readPacket6 } from './ip6.ts'
import type { Nested, Source } from './nested.ts'

/** `priority`: 0 to 7; `dei`: drop eligible; `vid`: 0 to 4095. */
export type VlanTag = Readonly<{ protocol: '802.1Q' | '802.1ad'; vid: number; priority: number; dei: boolean }>

/** What we have no type for. `etherType` below 1536 is a length (IEEE 802.3). */
export type RawPayload = Readonly<{ tag: 'raw'; etherType: number; bytes: Uint8Array }>
export type Payload = Arp | Packet4 | Packet6 | RawPayload

/** `tags` from the outermost inwards. `trailer`: bytes behind the payload, such as a device's fill. */
export type Frame = Readonly<{
  dst: Mac
  src: Mac
  tags: ReadonlyArray<VlanTag>
  payload: Payload
  trailer: Uint8Array
}>

const NO_TAGS: ReadonlyArray<VlanTag> = []

export const frame = (src: Mac, dst: Mac, payload: Payload): Frame => ({
  dst,
  src,
  tags: NO_TAGS,
  payload,
  trailer: NO_BYTES,
})

const MACS = 12
const TAG = 4
const ETHER_TYPE = 2

const TAG_PROTOCOLS = { '802.1Q': 0x8100, '802.1ad': 0x88a8 } as const
const ETHER_TYPES = { arp: 0x0806, ip4: 0x0800, ip6: 0x86dd } as const

const lengthOfPayload = (payload: Payload, nested: Nested): number => {
  switch (payload.tag) {
    case 'arp':
      return LENGTH_OF_ARP
    case 'ip4':
    case 'ip6':
      return nested.lengthOfPacket(payload)
    case 'raw':
      return payload.bytes.length
    default:
      return absurd(payload, 'lengthOfPayload')
  }
}

export const lengthOfFrame = ({ tags, payload, trailer }: Frame, nested: Nested): number =>
  MACS + TAG * tags.length + ETHER_TYPE + lengthOfPayload(payload, nested) + trailer.length

export const writeFrame = (to: Uint8Array, start: number, limit: number, frame: Frame, nested: Nested): void => {
  const { payload, trailer } = frame
  let at = start + MACS
  put48(to, start, frame.dst)
  put48(to, start + 6, frame.src)
  for (const { protocol, vid, priority, dei } of frame.tags) {
    put16(to, at, TAG_PROTOCOLS[protocol])
    put16(to, at + 2, (priority << 13) | (dei ? 0x1000 : 0) | vid)
    at += TAG
  }
  put16(to, at, payload.tag === 'raw' ? payload.etherType : ETHER_TYPES[payload.tag])
  at += ETHER_TYPE
  const end = limit - trailer.length
  if (payload.tag === 'arp') writeArp(to, at, payload)
  else if (payload.tag === 'raw') to.set(payload.bytes, at)
  else nested.writePacket(to, at, end, payload, 0)
  to.set(trailer, end)
}

/** The payload, and where it ends. */
type Found = Readonly<{ payload: Payload; end: number }>

const readPayload = (from: Source, at: number, end: number, etherType: number, nested: Nested): Read<Found> => {
  switch (etherType) {
    case ETHER_TYPES.arp: {
      const arp = readArp(from, at, end)
      if (E.isLeft(arp)) return arp
      return E.right(arp.right === null ? null : { payload: arp.right, end: at + LENGTH_OF_ARP })
    }
    case ETHER_TYPES.ip4:
    case ETHER_TYPES.ip6: {
      const read = etherType === ETHER_TYPES.ip4 ? readPacket4 : readPacket6
      const found = read(from, at, end, false, nested)
      if (E.isLeft(found)) return found
      return E.right(found.right === null ? null : { payload: found.right.packet, end: found.right.end })
    }
    default:
      return E.right(null)
  }
}

export const readFrame = (from: Source, start: number, end: number, nested: Nested): Either<WireError, Frame> => {
  const { bytes } = from
  if (end - start < MACS + ETHER_TYPE) return wrong('ethernet', 'truncated', start)
  const tags: VlanTag[] = []
  let at = start + MACS
  let etherType = get16(bytes, at)
  while (etherType === TAG_PROTOCOLS['802.1Q'] || etherType === TAG_PROTOCOLS['802.1ad']) {
    if (end - at < TAG + ETHER_TYPE) return wrong('vlan', 'truncated', at)
    const control = get16(bytes, at + 2)
    tags.push({
      protocol: etherType === TAG_PROTOCOLS['802.1Q'] ? '802.1Q' : '802.1ad',
      vid: control & 0xfff,
      priority: control >>> 13,
      dei: (control & 0x1000) !== 0,
    })
    at += TAG
    etherType = get16(bytes, at)
  }
  at += ETHER_TYPE
  const found = readPayload(from, at, end, etherType, nested)
  if (E.isLeft(found)) return found
  const { payload, end: behind } = found.right ?? {
    payload: { tag: 'raw' as const, etherType, bytes: copyOf(bytes, at, end) },
    end,
  }
  return E.right({
    dst: getMac(bytes, start),
    src: getMac(bytes, start + 6),
    tags: tags.length === 0 ? NO_TAGS : tags,
    payload,
    trailer: copyOf(bytes, behind, end),
  })
}

// VXLAN: Ethernet frames in UDP datagrams (RFC 7348 section 5). Only the header with the I flag and no other is a value here;
// extensions (group policy, GPE, remote checksum offload) stay bytes.

import { E } from '../../prelude.ts'
import { get32, put24 } from './bytes.ts'
import { type Read, unknown } from './error.ts'
import type { Frame } from './ethernet.ts'
import type { Nested, Source } from './nested.ts'

export type Vxlan = Readonly<{ tag: 'vxlan'; vni: number; frame: Frame }>

/** IANA's port, and the one that Linux takes when it is told none. */
export const VXLAN_PORTS: ReadonlySet<number> = new Set([4789, 8472])

export const VXLAN_HEADER = 8
export const VNI_IS_VALID = 0x08000000

export const lengthOfVxlan = (vxlan: Vxlan, nested: Nested): number => VXLAN_HEADER + nested.lengthOfFrame(vxlan.frame)

export const writeVxlan = (to: Uint8Array, at: number, end: number, vxlan: Vxlan, nested: Nested): void => {
  to[at] = VNI_IS_VALID >>> 24
  put24(to, at + 4, vxlan.vni)
  nested.writeFrame(to, at + VXLAN_HEADER, end, vxlan.frame)
}

export const readVxlan = (from: Source, at: number, end: number, nested: Nested): Read<Vxlan> => {
  if (end - at < VXLAN_HEADER || from.depth === 0) return unknown
  const second = get32(from.bytes, at + 4)
  if (get32(from.bytes, at) !== VNI_IS_VALID || (second & 0xff) !== 0) return unknown
  const frame = nested.readFrame({ ...from, depth: from.depth - 1 }, at + VXLAN_HEADER, end)
  return E.isLeft(frame) ? frame : E.right({ tag: 'vxlan', vni: second >>> 8, frame: frame.right })
}

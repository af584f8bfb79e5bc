// TCP options as Linux lays them out (tcp_options_write in net/ipv4/tcp_output.c): MSS, SACK permitted and time stamps together,
// window scale, SACK blocks, each filled up to four bytes. Sources: RFC 9293 section 3.2, RFC 7323, RFC 2018.

import { get16, get32, put16, put32 } from './bytes.ts'

/** Numbers of sequence, from the first byte to the one behind the last. */
export type SackBlock = Readonly<{ from: number; to: number }>

export type TcpOptions = Readonly<{
  mss: number | null
  sackPermitted: boolean
  timestamps: Readonly<{ value: number; echo: number }> | null
  windowScale: number | null
  sack: ReadonlyArray<SackBlock>
}>

/** Of a segment that has none. */
export const NO_OPTIONS: TcpOptions = { mss: null, sackPermitted: false, timestamps: null, windowScale: null, sack: [] }

// Kind and length of each, with the fill (NOP, 1) before it.
const MSS = 0x0204
const SACK_PERMITTED_AND_TIMESTAMPS = 0x0402080a
const TIMESTAMPS = 0x0101080a
const SACK_PERMITTED = 0x01010402
const WINDOW_SCALE = 0x010303
const SACK = 0x010105

/** 0 to 40, a multiple of 4; the caller guarantees that it is no more. */
export const lengthOfOptions = ({ mss, sackPermitted, timestamps, windowScale, sack }: TcpOptions): number =>
  (mss === null ? 0 : 4) +
  (timestamps !== null ? 12 : sackPermitted ? 4 : 0) +
  (windowScale === null ? 0 : 4) +
  (sack.length === 0 ? 0 : 4 + 8 * sack.length)

export const writeOptions = (to: Uint8Array, start: number, options: TcpOptions): void => {
  const { mss, sackPermitted, timestamps, windowScale, sack } = options
  let at = start
  if (mss !== null) {
    put16(to, at, MSS)
    put16(to, at + 2, mss)
    at += 4
  }
  if (timestamps !== null) {
    put32(to, at, sackPermitted ? SACK_PERMITTED_AND_TIMESTAMPS : TIMESTAMPS)
    put32(to, at + 4, timestamps.value)
    put32(to, at + 8, timestamps.echo)
    at += 12
  } else if (sackPermitted) {
    put32(to, at, SACK_PERMITTED)
    at += 4
  }
  if (windowScale !== null) {
    put32(to, at, WINDOW_SCALE * 0x100 + windowScale)
    at += 4
  }
  if (sack.length === 0) return
  put32(to, at, SACK * 0x100 + 2 + 8 * sack.length)
  for (const { from, to: behind } of sack) {
    at += 8
    put32(to, at - 4, from)
    put32(to, at, behind)
  }
}

/** Null if they are others, or in another order. */
export const readOptions = (bytes: Uint8Array, start: number, end: number): TcpOptions | null => {
  if (start === end) return NO_OPTIONS
  let at = start
  const hasMss = end - at >= 4 && get16(bytes, at) === MSS
  const mss = hasMss ? get16(bytes, at + 2) : null
  if (hasMss) at += 4
  const second = end - at >= 4 ? get32(bytes, at) : 0
  const hasTimestamps = end - at >= 12 && (second === TIMESTAMPS || second === SACK_PERMITTED_AND_TIMESTAMPS)
  const timestamps = hasTimestamps ? { value: get32(bytes, at + 4), echo: get32(bytes, at + 8) } : null
  const sackPermitted = hasTimestamps ? second === SACK_PERMITTED_AND_TIMESTAMPS : second === SACK_PERMITTED
  if (hasTimestamps) at += 12
  else if (sackPermitted) at += 4
  const third = end - at >= 4 ? get32(bytes, at) : 0
  const hasScale = third >>> 8 === WINDOW_SCALE
  const windowScale = hasScale ? third & 0xff : null
  if (hasScale) at += 4
  const sack: SackBlock[] = []
  if (end - at >= 4 && get32(bytes, at) === SACK * 0x100 + end - at - 2) {
    for (at += 4; end - at >= 8; at += 8) sack.push({ from: get32(bytes, at), to: get32(bytes, at + 4) })
    if (sack.length === 0) return null
  }
  return at === end ? { mss, sackPermitted, timestamps, windowScale, sack } : null
}

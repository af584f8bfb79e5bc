// How single values stand in bytes. A scalar has a size of its own, and so may stand in a struct as well as in an attribute; of
// the others the attribute says how long they are.

import { type Ip, type Ip4, type Ip6, ip4, ip6, isIp4 } from '../../net/ip.ts'
import { type Mac, mac } from '../../net/mac.ts'
import { LITTLE_ENDIAN, type Out, putBareText, putText, textIn } from './bytes.ts'
import { AF_INET, AF_INET6 } from './uapi/netlink.ts'

// Methods, here and below, so that a table may hold formats of all types.

/** `read` is given a view and where the value begins and ends; undefined: that is none. `W`: what may be written. */
export type Format<A, W = A> = Readonly<{
  write(out: Out, value: W): void
  read(view: DataView, from: number, to: number): A | undefined
}>

/** What is read in a format. */
export type Read<F extends Format<unknown>> = Exclude<ReturnType<F['read']>, undefined>

/** A format of `size` bytes, no more and no fewer; `put` and `get` are for who knows that they are there. */
export type Fixed<A, W = A> = Format<A, W> &
  Readonly<{
    size: number
    put(view: DataView, at: number, value: W): void
    get(view: DataView, at: number): A
  }>

export const fixed = <A, W = A>(
  size: number,
  put: (view: DataView, at: number, value: W) => void,
  get: (view: DataView, at: number) => A,
): Fixed<A, W> => ({
  size,
  put,
  get,
  write: (out, value) => {
    put(out.view, out.at, value)
    out.at += size
  },
  read: (view, from, to) => (to - from === size ? get(view, from) : undefined),
})

export const U8 = fixed<number>(
  1,
  (view, at, value) => view.setUint8(at, value),
  (view, at) => view.getUint8(at),
)
export const U16 = fixed<number>(
  2,
  (view, at, value) => view.setUint16(at, value, LITTLE_ENDIAN),
  (view, at) => view.getUint16(at, LITTLE_ENDIAN),
)
export const U32 = fixed<number>(
  4,
  (view, at, value) => view.setUint32(at, value, LITTLE_ENDIAN),
  (view, at) => view.getUint32(at, LITTLE_ENDIAN),
)
export const S32 = fixed<number>(
  4,
  (view, at, value) => view.setInt32(at, value, LITTLE_ENDIAN),
  (view, at) => view.getInt32(at, LITTLE_ENDIAN),
)
/** In network byte order. */
export const BE16 = fixed<number>(
  2,
  (view, at, value) => view.setUint16(at, value),
  (view, at) => view.getUint16(at),
)
export const BE32 = fixed<number>(
  4,
  (view, at, value) => view.setUint32(at, value),
  (view, at) => view.getUint32(at),
)
/** A byte that is 0 or 1. */
export const BOOL = fixed<boolean>(
  1,
  (view, at, value) => view.setUint8(at, value ? 1 : 0),
  (view, at) => view.getUint8(at) !== 0,
)
/** Says something by being there. */
export const FLAG = fixed<true>(
  0,
  () => {},
  () => true,
)
export const MAC = fixed<Mac>(
  6,
  (view, at, value) => {
    view.setUint16(at, Math.floor(value / 2 ** 32))
    view.setUint32(at + 2, value >>> 0)
  },
  (view, at) => mac(view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2)),
)
/** Addresses are in network byte order. */
export const IP4 = fixed<Ip4>(
  4,
  (view, at, value) => view.setUint32(at, value),
  (view, at) => ip4(view.getUint32(at)),
)
export const IP6 = fixed<Ip6>(
  16,
  (view, at, value) => {
    view.setBigUint64(at, value >> 64n)
    view.setBigUint64(at + 8, BigInt.asUintN(64, value))
  },
  (view, at) => ip6((view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8)),
)

export const familyOf = (ip: Ip): number => (isIp4(ip) ? AF_INET : AF_INET6)

/** The family shows in the size. */
export const IP: Format<Ip> = {
  write: (out, ip) => (isIp4(ip) ? IP4.write(out, ip) : IP6.write(out, ip)),
  read: (view, from, to) => IP4.read(view, from, to) ?? IP6.read(view, from, to),
}

/** Ends with a NUL on the way out; on the way in it need not. */
export const TEXT: Format<string> = { write: putText, read: textIn }
/** Without a NUL. */
export const BARE_TEXT: Format<string> = { write: putBareText, read: textIn }

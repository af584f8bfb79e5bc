// Tables of attributes: a record's key, the attribute that carries it, and how its payload is written and read. One table
// serves both ways. On decoding, an attribute that is not in the table, or whose payload is not of its field's size or form,
// is passed over, for kernels grow; of one that comes twice the last counts, as in the kernel (nla_parse).

import { type Ip, type Ip4, type Ip6, ip4, ip6, isIp4 } from '../../net/ip.ts'
import { type Mac, mac } from '../../net/mac.ts'
import { eachAttr, putAttr } from './attr.ts'
import { LITTLE_ENDIAN, type Out, putText, textIn } from './bytes.ts'
import { NLA_F_NESTED } from './uapi/netlink.ts'

/** `read` is given a view and where the payload begins and ends; undefined: not a payload of this field. */
export type Field<A> = Readonly<{
  type: number
  flags: number
  // Methods, so that a table may hold fields of all types.
  write(out: Out, value: A): void
  read(view: DataView, from: number, to: number): A | undefined
}>
type Table = Readonly<Record<string, Field<unknown>>>

/** A record of a table: every key may be absent. */
export type ValuesOf<T extends Table> = {
  readonly [K in keyof T]?: T[K] extends Field<infer A> ? A : never
}

export type Fields<V> = Readonly<{
  write: (out: Out, values: V) => void
  /** Null: the attributes are not well-formed. */
  decode: (view: DataView, from: number, to: number) => V | null
}>

export const fields = <T extends Table>(table: T): Fields<ValuesOf<T>> => {
  const entries = Object.entries(table)
  const byType: Array<Readonly<{ key: string; field: Field<unknown> }> | undefined> = []
  for (const [key, field] of entries) byType[field.type] = { key, field }
  return {
    write: (out, values) => {
      for (const [key, { type, flags, write }] of entries) {
        const value: unknown = values[key]
        if (value !== undefined) putAttr(out, type, flags, write, value)
      }
    },
    decode: (view, from, to) => {
      const values: Record<string, unknown> = {}
      const fine = eachAttr(view, from, to, (type, _, start, end) => {
        const entry = byType[type]
        if (entry === undefined) return
        const value = entry.field.read(view, start, end)
        if (value !== undefined) values[entry.key] = value
      })
      // Each value was read by the field that stands in the table under its key.
      return fine ? (values as ValuesOf<T>) : null
    },
  }
}

const sized = <A>(
  type: number,
  size: number,
  put: (view: DataView, at: number, value: A) => void,
  get: (view: DataView, at: number) => A,
): Field<A> => ({
  type,
  flags: 0,
  write: (out, value) => {
    put(out.view, out.at, value)
    out.at += size
  },
  read: (view, from, to) => (to - from === size ? get(view, from) : undefined),
})

export const u8 = (type: number): Field<number> =>
  sized(
    type,
    1,
    (view, at, value) => view.setUint8(at, value),
    (view, at) => view.getUint8(at),
  )
export const u16 = (type: number): Field<number> =>
  sized(
    type,
    2,
    (view, at, value) => view.setUint16(at, value, LITTLE_ENDIAN),
    (view, at) => view.getUint16(at, LITTLE_ENDIAN),
  )
export const u32 = (type: number): Field<number> =>
  sized(
    type,
    4,
    (view, at, value) => view.setUint32(at, value, LITTLE_ENDIAN),
    (view, at) => view.getUint32(at, LITTLE_ENDIAN),
  )
export const s32 = (type: number): Field<number> =>
  sized(
    type,
    4,
    (view, at, value) => view.setInt32(at, value, LITTLE_ENDIAN),
    (view, at) => view.getInt32(at, LITTLE_ENDIAN),
  )
/** In network byte order. */
export const be16 = (type: number): Field<number> =>
  sized(
    type,
    2,
    (view, at, value) => view.setUint16(at, value),
    (view, at) => view.getUint16(at),
  )
/** A byte that is 0 or 1. */
export const bool = (type: number): Field<boolean> =>
  sized(
    type,
    1,
    (view, at, value) => view.setUint8(at, value ? 1 : 0),
    (view, at) => view.getUint8(at) !== 0,
  )

/** Ends with a NUL on the way out; on the way in it need not. */
export const text = (type: number): Field<string> => ({ type, flags: 0, write: putText, read: textIn })

/** Six bytes; a hardware address of another size (a tunnel's, say) is passed over. */
export const macAddress = (type: number): Field<Mac> =>
  sized(
    type,
    6,
    (view, at, value) => {
      view.setUint16(at, Math.floor(value / 2 ** 32))
      view.setUint32(at + 2, value >>> 0)
    },
    (view, at) => mac(view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2)),
  )

/** The bytes of an address, in network order: 4 or 16. */
export const putIp = (out: Out, ip: Ip): void => {
  const { view, at } = out
  if (isIp4(ip)) {
    view.setUint32(at, ip)
    out.at += 4
    return
  }
  view.setBigUint64(at, ip >> 64n)
  view.setBigUint64(at + 8, BigInt.asUintN(64, ip))
  out.at += 16
}

export const ipIn = (view: DataView, from: number, to: number): Ip | undefined =>
  to - from === 4
    ? ip4(view.getUint32(from))
    : to - from === 16
      ? ip6((view.getBigUint64(from) << 64n) | view.getBigUint64(from + 8))
      : undefined

/** The family shows in the size. */
export const ipAddress = (type: number): Field<Ip> => ({ type, flags: 0, write: putIp, read: ipIn })
export const ip4Address = (type: number): Field<Ip4> =>
  sized(
    type,
    4,
    (view, at, value) => view.setUint32(at, value),
    (view, at) => ip4(view.getUint32(at)),
  )
export const ip6Address = (type: number): Field<Ip6> => ({
  type,
  flags: 0,
  write: putIp,
  read: (view, from, to) => {
    const ip = to - from === 16 ? ipIn(view, from, to) : undefined
    return ip === undefined || isIp4(ip) ? undefined : ip
  },
})

/** Attributes within an attribute; the flag is asked for by bridges and by strict parsers. */
export const nest = <V>(type: number, inner: Fields<V>): Field<V> => ({
  type,
  flags: NLA_F_NESTED,
  write: inner.write,
  read: (view, from, to) => inner.decode(view, from, to) ?? undefined,
})

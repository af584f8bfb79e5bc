// Tables of attributes: a record's key, the attribute that carries it, and the format of its payload. One table serves both ways.
// On decoding, an attribute that is not in the table, or whose payload is not of its field's format, is passed over, for kernels
// grow; of one that comes twice the last counts, as in the kernel (nla_parse).

import { eachAttr, putAttr } from './attr.ts'
import {
  BARE_TEXT,
  BE16,
  BE32,
  BOOL,
  FLAG,
  type Format,
  IP,
  IP4,
  IP6,
  MAC,
  type Read,
  S32,
  TEXT,
  U8,
  U16,
  U32,
} from './format.ts'
import { NLA_F_NESTED } from './uapi/netlink.ts'

export type Field<A, W = A> = Format<A, W> & Readonly<{ type: number; flags: number }>
export type Table = Readonly<Record<string, Field<unknown>>>

/** A record of a table: every key may be absent. */
export type ValuesOf<T extends Table> = { readonly [K in keyof T]?: Read<T[K]> }

/** What is to be written: a key that is absent, or undefined, is left out. */
export type Given<V> = { readonly [K in keyof V]?: V[K] | undefined }

/** Attributes, one after the other. Undefined is read if they are not well-formed. */
export type Fields<V> = Format<V, Given<V>> &
  Readonly<{
    /** Reads them into a record that is there already. */
    readInto: <R extends object>(record: R, view: DataView, from: number, to: number) => (R & V) | undefined
  }>

export const fields = <T extends Table>(table: T): Fields<ValuesOf<T>> => {
  const entries = Object.entries(table)
  const byType: Array<Readonly<{ key: string; field: Field<unknown> }> | undefined> = []
  for (const [key, field] of entries) byType[field.type] = { key, field }
  const readInto = <R extends object>(record: R, view: DataView, from: number, to: number) => {
    // Each value is read by the field that stands in the table under its key.
    const values = record as Record<string, unknown>
    const fine = eachAttr(view, from, to, (type, _, start, end) => {
      const entry = byType[type]
      if (entry === undefined) return
      const value = entry.field.read(view, start, end)
      if (value !== undefined) values[entry.key] = value
    })
    return fine ? (record as R & ValuesOf<T>) : undefined
  }
  return {
    write: (out, values) => {
      for (const [key, { type, flags, write }] of entries) {
        const value: unknown = values[key]
        if (value !== undefined) putAttr(out, type, flags, write, value)
      }
    },
    readInto,
    read: (view, from, to) => readInto({}, view, from, to),
  }
}

export const field = <A, W>(type: number, { write, read }: Format<A, W>, flags = 0): Field<A, W> => ({
  type,
  flags,
  write,
  read,
})

/** A field whose payload holds attributes again, and says so: bridges and strict parsers ask for the flag. */
export const nest = <A, W>(type: number, inner: Format<A, W>): Field<A, W> => field(type, inner, NLA_F_NESTED)

const ofFormat =
  <A>(format: Format<A>) =>
  (type: number): Field<A> =>
    field(type, format)

export const u8 = ofFormat(U8)
export const u16 = ofFormat(U16)
export const u32 = ofFormat(U32)
export const s32 = ofFormat(S32)
export const be16 = ofFormat(BE16)
export const be32 = ofFormat(BE32)
export const bool = ofFormat(BOOL)
export const flag = ofFormat(FLAG)
export const text = ofFormat(TEXT)
export const bareText = ofFormat(BARE_TEXT)
/** A hardware address of another size (a tunnel's, say) is passed over. */
export const macAddress = ofFormat(MAC)
export const ipAddress = ofFormat(IP)
export const ip4Address = ofFormat(IP4)
export const ip6Address = ofFormat(IP6)

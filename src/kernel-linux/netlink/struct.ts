// Tables of structs: a record's key, and where in the struct it stands and as what, as the kernel's header file has it. One table
// serves both ways. What is not in the table, or not given, is zero on the way out, as in C, and passed over on the way in.
// A message's body is a struct with attributes behind it: `body` makes both directions of it from the two tables.

import { viewOf, written } from './bytes.ts'
import { fields, type Given, type Table, type ValuesOf } from './field.ts'
import { type Fixed, type Format, fixed, type Read } from './format.ts'

type Members = Readonly<Record<string, readonly [at: number, format: Fixed<unknown>]>>
type MembersOf<M extends Members> = { readonly [K in keyof M]: Read<M[K][1]> }

export type Struct<V> = Fixed<V, Given<V>>

/** `size` in bytes, with the padding at the end. */
export const struct = <M extends Members>(size: number, members: M): Struct<MembersOf<M>> => {
  const entries = Object.entries(members).map(([key, [offset, format]]) => ({ key, offset, ...format }))
  return fixed<MembersOf<M>, Given<MembersOf<M>>>(
    size,
    (view, at, values) => {
      for (const { key, offset, put } of entries) {
        const value: unknown = values[key]
        if (value !== undefined) put(view, at + offset, value)
      }
    },
    (view, at) => {
      const values: Record<string, unknown> = {}
      for (const { key, offset, get } of entries) values[key] = get(view, at + offset)
      // Each value was read by the format that stands in the table under its key.
      return values as MembersOf<M>
    },
  )
}

export type Body<V> = Format<V, Given<V>> &
  Readonly<{
    encode: (values: Given<V>) => Uint8Array
    /** Null: not well-formed. */
    decode: (bytes: Uint8Array) => V | null
  }>

/** A struct, and attributes behind it. No key is in both tables. */
export const body = <H extends object, T extends Table>(head: Struct<H>, table: T): Body<H & ValuesOf<T>> => {
  type V = H & ValuesOf<T>
  const attrs = fields(table)
  const write: Body<V>['write'] = (out, values) => {
    head.write(out, values)
    attrs.write(out, values)
  }
  const read: Body<V>['read'] = (view, from, to) => {
    const start = from + head.size
    return start > to ? undefined : attrs.readInto(head.get(view, from), view, start, to)
  }
  return {
    write,
    read,
    encode: (values) => written((out) => write(out, values)),
    decode: (bytes) => read(viewOf(bytes), 0, bytes.length) ?? null,
  }
}

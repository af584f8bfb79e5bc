// How a store lies in Consul's KV store, below its prefix:
//   head             whose this is: format, schema, id; the epoch of the log; whether a transaction is being written in pieces
//   last             the word of the last transaction: its ModifyIndex is the revision of the whole store
//   at/KEY=          an entry. The "=" ends the name, so that what is read by it is one entry and not all that begin like it
//   log/EPOCH/WORD   a transaction: all that it wrote, or nothing, which says that it never happened. In EPOCH, `begin` is written
//                    with the head that begins it, and `end` with the one that ends it
//   pending          a transaction that is being written in pieces (stage.ts)
//   hold/WORD        the key of an entry that lasts as long as the session that this is locked by; `hold/` itself is empty
// All that a transaction of Consul's writes has one index, that of its place in the servers' raft log: the revision. What was written
// later, in pieces, bears its revision in its Flags, which are odd then; even ones are random, since Consul takes a value that is
// written again, with the same flags, for none.

import { randomBytes, randomInt } from 'node:crypto'
import type { Revision } from '../store.ts'

export type Layout = Readonly<{
  /** Ends with a slash. */
  base: string
  head: string
  last: string
  pending: string
  entries: string
  holds: string
  log: string
}>

/** `prefix`: as in the URL. Consul's names begin with no slash. */
export const layoutAt = (prefix: string): Layout => {
  const base = `${prefix.slice(1)}/`
  return {
    base,
    head: `${base}head`,
    last: `${base}last`,
    pending: `${base}pending`,
    entries: `${base}at/`,
    holds: `${base}hold/`,
    log: `${base}log/`,
  }
}

const END = '='
export const entryAt = ({ entries }: Layout, key: string): string => `${entries}${key}${END}`
/** Null: not an entry's. */
export const keyOf = ({ entries }: Layout, name: string): string | null =>
  name.startsWith(entries) && name.endsWith(END) ? name.slice(entries.length, -END.length) : null

const EPOCH_DIGITS = 10
/** Ends with a slash. */
export const epochAt = ({ log }: Layout, epoch: number): string => `${log}${String(epoch).padStart(EPOCH_DIGITS, '0')}/`
export const beginOf = (layout: Layout, epoch: number): string => `${epochAt(layout, epoch)}begin`
export const endOf = (layout: Layout, epoch: number): string => `${epochAt(layout, epoch)}end`

/** `word` null: no transaction's, but `begin` or `end`. */
export type Logged = Readonly<{ epoch: number; word: string | null }>
/** Null: not in the log. */
export const loggedIn = ({ log }: Layout, name: string): Logged | null => {
  const [epoch = '', word = ''] = name.startsWith(log) ? name.slice(log.length).split('/') : []
  return epoch === '' ? null : { epoch: Number(epoch), word: word === 'begin' || word === 'end' ? null : word }
}

/** Begins with a mark, so that it is neither `begin` nor `end`. */
export const newWord = (): string => `t${randomBytes(9).toString('base64url')}`

const STAMPS = 2 ** 47
export const stamp = (): number => 2 * randomInt(STAMPS)
export const flagsOf = (revision: Revision): number => 2 * revision + 1
export const revisionIn = (flags: number, index: number): Revision => (flags % 2 === 1 ? (flags - 1) / 2 : index)

const FORMAT = 'cnm-store'
/** `id`: of this store and no other that was made there. `pending`: nothing else may be written until that is whole. */
export type HeadText = Readonly<{ schema: number; id: string; epoch: number; pending: boolean }>
export const encodeHead = ({ schema, id, epoch, pending }: HeadText): string =>
  JSON.stringify({ format: FORMAT, schema, id, epoch, pending })

/** Null: it is not of ours. */
export const decodeHead = (text: string): HeadText | null => {
  try {
    const { format, schema, id, epoch, pending } = { ...JSON.parse(text) }
    const isOurs = format === FORMAT && Number.isSafeInteger(schema) && typeof id === 'string'
    return isOurs ? { schema, id, epoch: Number(epoch), pending: pending === true } : null
  } catch {
    return null
  }
}

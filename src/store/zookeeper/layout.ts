// Where what is in ZooKeeper, below the store's prefix:
//   format                 whose these znodes are
//   keys/BUCKET/NAME       an entry: its value as data, its revision as mzxid. A bucket's data version counts removals from it
//   log/ID                 a transaction: all that it wrote, at the revision that is its czxid; the data of `log` itself is the
//                          revision up to which such are forgotten
//   holds/ID               made together with an entry that lasts as long as its holder: the entry's key. Its child `holder`,
//                          an ephemeral znode, goes with the holder's session
// A name is its key percent-encoded after a "=", since ZooKeeper takes neither slashes nor control characters nor ".". Buckets
// keep every answer of names small: 20,000 keys are more than a client of ZooKeeper's own would take in one.

import { createHash } from 'node:crypto'
import type { Revision } from '../store.ts'

const BUCKETS = 64

export type Layout = Readonly<{
  prefix: string
  format: string
  keys: string
  log: string
  holds: string
  buckets: ReadonlyArray<string>
  bucketOf: (key: string) => string
  entry: (key: string) => string
  logged: (id: string) => string
  hold: (id: string) => string
  holder: (id: string) => string
}>

const nameOf = (key: string): string => `=${encodeURIComponent(key)}`

/** Null: not a name of ours. */
export const keyOf = (name: string): string | null => {
  if (!name.startsWith('=')) return null
  try {
    return decodeURIComponent(name.slice(1))
  } catch {
    return null
  }
}

const bucketName = (n: number): string => n.toString().padStart(2, '0')

export const layoutAt = (prefix: string): Layout => {
  const keys = `${prefix}/keys`
  const bucketOf = (key: string): string => {
    const [first = 0] = createHash('sha1').update(key).digest()
    return `${keys}/${bucketName(first % BUCKETS)}`
  }
  const holds = `${prefix}/holds`
  return {
    prefix,
    format: `${prefix}/format`,
    keys,
    log: `${prefix}/log`,
    holds,
    buckets: Array.from({ length: BUCKETS }, (_, n) => `${keys}/${bucketName(n)}`),
    bucketOf,
    entry: (key) => `${bucketOf(key)}/${nameOf(key)}`,
    logged: (id) => `${prefix}/log/${id}`,
    hold: (id) => `${holds}/${id}`,
    holder: (id) => `${holds}/${id}/holder`,
  }
}

/** The last part of a path. */
export const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    return null
  }
}

export const decodeRevision = (data: string): Revision => (/^\d{1,16}$/.test(data) ? Number(data) : 0)

const FORMAT = 'cnm-store'
export const encodeFormat = (schema: number): string => JSON.stringify({ format: FORMAT, schema })

/** Null: not of ours. */
export const decodeFormat = (data: string): number | null => {
  const read = parsed(data)
  if (typeof read !== 'object' || read === null || !('format' in read) || !('schema' in read)) return null
  return read.format === FORMAT && Number.isSafeInteger(read.schema) ? Number(read.schema) : null
}

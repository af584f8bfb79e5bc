// Makes the store's znodes where there are none, and sees that those there are ours.
// Invariant: they appear all at once, so a half-made store is never found; what is not ours is left alone.

import { E } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { MIGRATIONS, schemaOf } from '../migrate.ts'
import type { Answer, Connection } from './connection.ts'
import { decodeFormat, encodeFormat, type Layout } from './layout.ts'
import { type Acl, CODE, create, getData, multi, type Op } from './protocol.ts'

const SCHEMA = schemaOf(MIGRATIONS)

/** `data`: of the znode `format`, null if there is none. `place`: for sentences. Null: it is ours. */
export const judged = (data: string | null, place: string): StoreError | null => {
  if (data === null) return { tag: 'StoreUnavailable', what: `${place} was removed`, hint: 'begin again' }
  const schema = decodeFormat(data)
  if (schema === null) return { tag: 'StoreNotOurs', file: place, why: 'is not a store of cnm' }
  return schema > SCHEMA ? { tag: 'StoreNewer', file: place, schema, known: SCHEMA } : null
}

/** The prefix and what is above it, from the top. */
const ancestors = (prefix: string): ReadonlyArray<string> => {
  const parts = prefix.slice(1).split('/')
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join('/')}`)
}

const make = async (connection: Connection, layout: Layout, acl: Acl): Promise<Answer<null>> => {
  for (const path of ancestors(layout.prefix)) {
    // What is above belongs to all who have something there.
    const made = await connection.request(create(path, '', path === layout.prefix ? acl : 'everybody'))
    if (E.isLeft(made) && !(made.left.tag === 'Refused' && made.left.code === CODE.nodeExists)) return made
  }
  const znode = (path: string, data = ''): Op => ({ tag: 'create', path, data, acl })
  const made = await connection.request(
    multi([
      znode(layout.format, encodeFormat(SCHEMA)),
      znode(layout.keys),
      ...layout.buckets.map((path) => znode(path)),
      znode(layout.log, '0'),
      znode(layout.holds),
    ]),
  )
  if (E.isLeft(made)) return made
  if (E.isRight(made.right)) return E.right(null)
  const { index, code } = made.right.left
  return index === 0 && code === CODE.nodeExists ? E.right(null) : E.left({ tag: 'Refused', code })
}

/** Right: it is there, it is not and was not to be made, or why it cannot be used. */
export const prepare = async (
  connection: Connection,
  layout: Layout,
  acl: Acl,
  place: string,
  makes: boolean,
): Promise<Answer<StoreError | 'there' | 'missing'>> => {
  const there = await connection.request(getData(layout.format))
  if (E.isRight(there)) return E.right(judged(there.right.data, place) ?? 'there')
  if (there.left.tag !== 'Refused' || there.left.code !== CODE.noNode) return there
  if (!makes) return E.right('missing')
  const made = await make(connection, layout, acl)
  if (E.isLeft(made)) return made
  const ours = await connection.request(getData(layout.format))
  return E.isLeft(ours) ? ours : E.right(judged(ours.right.data, place) ?? 'there')
}

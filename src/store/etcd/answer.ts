// Reads what etcd answers (etcdserver/etcdserverpb/rpc.proto, mvcc/mvccpb/kv.proto) as its gateway writes it: numbers of 64 bits are
// strings, bytes are base64, and what is zero is left out.

import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { unpacked } from '../packed.ts'
import type { Entry, Revision } from '../store.ts'
import type { Json } from './http.ts'
import { textOf } from './layout.ts'

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null

export const objectIn = (json: Json, name: string): Json => {
  const value = json[name]
  return isJson(value) ? value : {}
}
export const listIn = (json: Json, name: string): ReadonlyArray<Json> => {
  const value = json[name]
  return Array.isArray(value) ? value.filter(isJson) : []
}
export const numberIn = (json: Json, name: string): number => Number(json[name] ?? 0)

export const revisionOf = (answer: Json): Revision => numberIn(objectIn(answer, 'header'), 'revision')

/** `lease` is 0 where there is none; it has too many digits for a number. */
export type Kv = Readonly<{ key: string; value: unknown; revision: Revision; created: Revision; lease: string }>

export const kvOf = (json: Json): Kv => ({
  key: textOf(json['key']),
  value: json['value'],
  revision: numberIn(json, 'mod_revision'),
  created: numberIn(json, 'create_revision'),
  lease: String(json['lease'] ?? 0),
})
export const kvsOf = (range: Json): ReadonlyArray<Kv> => listIn(range, 'kvs').map(kvOf)

/** The ranges that a transaction read, in their order. */
export const rangesOf = (answer: Json): ReadonlyArray<Json> =>
  listIn(answer, 'responses').map((each) => objectIn(each, 'response_range'))

/** How many keys each write of a transaction changed, those of transactions inside of it in their place. */
export const effectsOf = (answer: Json): ReadonlyArray<number> =>
  listIn(answer, 'responses').flatMap((each) => {
    if ('response_txn' in each) return effectsOf(objectIn(each, 'response_txn'))
    return ['response_put' in each ? 1 : numberIn(objectIn(each, 'response_delete_range'), 'deleted')]
  })

/** `entries`: what all keys of entries begin with. */
export const entryOf = (place: string, entries: string, { key, value, revision }: Kv): Either<StoreError, Entry> => {
  const text = unpacked(value)
  return E.isLeft(text)
    ? E.left({ tag: 'StoreDamaged', file: place, where: `the value of "${key}"`, why: text.left })
    : E.right({ key: key.slice(entries.length), value: text.right, revision })
}

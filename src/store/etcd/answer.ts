// Reads what etcd answers: messages whose bytes are Buffers, whose numbers of 64 bits are strings, and where what is zero is left out.

import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { unpacked } from '../packed.ts'
import type { Entry, Revision } from '../store.ts'
import { bytesIn, textOf } from './layout.ts'
import type { Message } from './messages.ts'

const isMessage = (value: unknown): value is Message => typeof value === 'object' && value !== null

export const objectIn = (message: Message, name: string): Message => {
  const value = message[name]
  return isMessage(value) ? value : {}
}
export const listIn = (message: Message, name: string): ReadonlyArray<Message> => {
  const value = message[name]
  return Array.isArray(value) ? value.filter(isMessage) : []
}
export const numberIn = (message: Message, name: string): number => Number(message[name] ?? 0)

export const revisionOf = (answer: Message): Revision => numberIn(objectIn(answer, 'header'), 'revision')

/** `lease` is 0 where there is none; it has too many digits for a number. */
export type Kv = Readonly<{ key: string; value: unknown; revision: Revision; created: Revision; lease: string }>

export const kvOf = (message: Message): Kv => ({
  key: textOf(message['key']),
  value: message['value'],
  revision: numberIn(message, 'mod_revision'),
  created: numberIn(message, 'create_revision'),
  lease: String(message['lease'] ?? 0),
})
export const kvsOf = (range: Message): ReadonlyArray<Kv> => listIn(range, 'kvs').map(kvOf)

/** The ranges that a transaction read, in their order. */
export const rangesOf = (answer: Message): ReadonlyArray<Message> =>
  listIn(answer, 'responses').map((each) => objectIn(each, 'response_range'))

/** How many keys each write of a transaction changed, those of transactions inside of it in their place. */
export const effectsOf = (answer: Message): ReadonlyArray<number> =>
  listIn(answer, 'responses').flatMap((each) => {
    if ('response_txn' in each) return effectsOf(objectIn(each, 'response_txn'))
    return ['response_put' in each ? 1 : numberIn(objectIn(each, 'response_delete_range'), 'deleted')]
  })

/** `entries`: what all keys of entries begin with. */
export const entryOf = (place: string, entries: string, { key, value, revision }: Kv): Either<StoreError, Entry> => {
  const text = unpacked(bytesIn(value))
  return E.isLeft(text)
    ? E.left({ tag: 'StoreDamaged', file: place, where: `the value of "${key}"`, why: text.left })
    : E.right({ key: key.slice(entries.length), value: text.right, revision })
}

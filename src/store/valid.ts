// What every store asks of keys and values before it looks at them, so that a program that works on one works on all.

import { type BadKey, MAX_KEY_BYTES, type StoreError } from './error.ts'
import type { Transaction } from './store.ts'

/** Half of a surrogate pair: UTF-8 has no bytes for it, so two such keys would become one. */
const HALF = /\p{Surrogate}/u

const keyFault = (key: string): BadKey | null => {
  if (key === '') return 'empty'
  if (HALF.test(key)) return 'notText'
  // No UTF-16 unit takes more than three bytes of UTF-8.
  return key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES ? 'long' : null
}

export const badKey = (key: string): StoreError | null => {
  const why = keyFault(key)
  return why === null ? null : { tag: 'StoreBadKey', key, why }
}

/** A prefix may be empty, and as long as it likes. */
export const badPrefix = (prefix: string): StoreError | null =>
  HALF.test(prefix) ? { tag: 'StoreBadKey', key: prefix, why: 'notText' } : null

export const badTransaction = ({ compares, writes }: Transaction): StoreError | null => {
  const keys = new Set<string>()
  for (const { key } of compares) {
    const bad = badKey(key)
    if (bad !== null) return bad
  }
  for (const { key, value } of writes) {
    const bad = badKey(key)
    if (bad !== null) return bad
    if (value !== null && HALF.test(value)) return { tag: 'StoreBadValue', key }
    if (keys.has(key)) return { tag: 'StoreBadKey', key, why: 'twice' }
    keys.add(key)
  }
  return null
}

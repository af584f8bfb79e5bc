// A store that is open: how it is reached, which one it is, and what is said of it when it is not there any more.

import type { StoreError } from '../error.ts'
import type { Client, Kv } from './client.ts'
import { decodeHead, type HeadText, type Layout } from './layout.ts'

/** `id`: of the store that was opened, and no other that came to its place. */
export type Ground = Readonly<{
  client: Client
  place: string
  layout: Layout
  id: string
  schema: number
  patienceMs: number
  waitMs: number
  /** How many transactions a watch may look back. */
  history: number
}>

export const RETRY_HINT = 'it goes on by itself when a majority of the servers can be reached'

export const replaced = (place: string): StoreError => ({
  tag: 'StoreUnavailable',
  what: `the store of ${place} was removed or replaced while it was open`,
  hint: 'begin again',
})

export const damaged = (file: string, name: string, why: string): StoreError => ({
  tag: 'StoreDamaged',
  file,
  where: `the value of "${name}"`,
  why,
})

/** `index`: its ModifyIndex. */
export type Head = HeadText & Readonly<{ index: number }>

/** Null: it is not the head of this store as we know it. */
export const headIn = ({ id, schema }: Pick<Ground, 'id' | 'schema'>, kv: Kv | null): Head | null => {
  const head = kv === null ? null : decodeHead(Buffer.from(kv.value, 'base64').toString())
  return kv === null || head === null || head.id !== id || head.schema !== schema ? null : { ...head, index: kv.index }
}

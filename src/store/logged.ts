// What a transaction wrote, as text, for stores that keep a log of transactions for whoever watches.

import { E, type Either } from '../prelude.ts'
import type { Write } from './store.ts'

export const encodeWrites = (writes: ReadonlyArray<Write>): string =>
  JSON.stringify(writes.map(({ key, value }) => [key, value]))

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    return null
  }
}

const isWrite = (each: unknown): each is readonly [string, string | null] =>
  Array.isArray(each) && typeof each[0] === 'string' && (typeof each[1] === 'string' || each[1] === null)

/** Left: what is wrong, as a clause. */
export const decodeWrites = (data: string): Either<string, ReadonlyArray<Write>> => {
  const read = parsed(data)
  return Array.isArray(read) && read.every(isWrite)
    ? E.right(read.map(([key, value]) => ({ key, value })))
    : E.left('is not one of cnm')
}

// Whether a transaction has happened of which nobody answered. It can only while the head is as it was, and it leaves its word in the
// log; so either the word is there, or the head is another, or the word is written by us, with nothing in it: then it never will, for it
// writes its word only if that is not there.

import { E } from '../../prelude.ts'
import type { Revision } from '../store.ts'
import type { Client, Kv } from './client.ts'
import type { Ground, Head } from './ground.ts'
import { beginOf, revisionIn, stamp } from './layout.ts'
import { decodePending } from './read.ts'
import { casOf, isAt, treeOf } from './txn.ts'

/** `logged`: its name in the log. */
export type Unsettled = Readonly<{ head: Head; logged: string }>
/** `Unknown`: the servers could not be asked in time, or the log has forgotten that epoch. */
export type Settled = Readonly<{ tag: 'Happened'; revision: Revision } | { tag: 'Never' } | { tag: 'Unknown' }>

const VOID = ''
/** A word in the log of what never happened. */
export const isVoid = ({ value }: Kv): boolean => value === VOID

const look = async (
  client: Client,
  { place, layout }: Ground,
  { head, logged }: Unsettled,
  patienceMs: number,
): Promise<Settled | 'open'> => {
  const begin = beginOf(layout, head.epoch)
  const read = await client.read([logged, layout.pending, layout.head, begin].map(treeOf), patienceMs)
  if (E.isLeft(read)) return read.left.tag === 'Refused' ? { tag: 'Unknown' } : 'open'
  const at = (name: string): Kv | null => read.right.find(({ key }) => key === name) ?? null
  const word = at(logged)
  if (word !== null)
    return isVoid(word) ? { tag: 'Never' } : { tag: 'Happened', revision: revisionIn(word.flags, word.index) }
  const kv = at(layout.pending)
  const pending = kv === null ? null : decodePending(place, kv)
  if (kv !== null && pending !== null && E.isRight(pending) && pending.right.logged === logged)
    return { tag: 'Happened', revision: kv.index }
  if (at(layout.head)?.index === head.index) return 'open'
  return { tag: at(begin) === null ? 'Unknown' : 'Never' }
}

/** `until`: as performance.now() tells the time. */
export const settle = async (ground: Ground, unsettled: Unsettled, until: number): Promise<Settled> => {
  const { client, layout } = ground
  const { head, logged } = unsettled
  for (let leftMs = until - performance.now(); leftMs > 0; leftMs = until - performance.now()) {
    const seen = await look(client, ground, unsettled, leftMs)
    if (seen !== 'open') return seen
    await client.txn([isAt(layout.head, head.index), casOf(logged, 0, VOID, stamp())], true, leftMs)
  }
  return { tag: 'Unknown' }
}

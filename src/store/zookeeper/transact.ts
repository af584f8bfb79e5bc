// One transaction of the store as one multi of ZooKeeper. A first look tells the version of each znode that is compared, for that
// is what ZooKeeper can check; versions begin anew when a key is removed and written again, so its bucket, which counts removals,
// is checked along. What is absent is checked by creating and deleting it. What the look has shown wrong is looked at again.
// Invariant: the multi creates the znode log/ID, and ID stays the same however often it must be sent. So it happens once at most,
// and whether it has happened can be found out.

import { E } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { encodeWrites } from '../logged.ts'
import type { Compare, Revision, Transaction, Write } from '../store.ts'
import { type Answer, type Connection, ifThere } from './connection.ts'
import type { Layout } from './layout.ts'
import { judged } from './prepare.ts'
import {
  type Acl,
  CODE,
  exists,
  type Failed,
  getData,
  multi,
  type Op,
  type Request,
  requestBytes,
  type Stat,
  sync,
} from './protocol.ts'

/** `conflict`: the key whose compare has failed if this operation does. */
type Step = Readonly<{ op: Op; conflict: string | null }>

type Look = Readonly<{ stats: ReadonlyMap<string, Stat | null>; buckets: ReadonlyMap<string, number> }>

export type Task = Readonly<{
  layout: Layout
  acl: Acl
  id: string
  transaction: Transaction
  maxRequestBytes: number
  /** The store's, for sentences. */
  place: string
  also: ReadonlyArray<Op>
}>

/** `Again`: what the look showed is not so any more. */
export type Outcome = Readonly<
  | { tag: 'Done'; revision: Revision }
  | { tag: 'Conflict'; key: string }
  | { tag: 'Again' }
  | { tag: 'Failed'; error: StoreError }
>

/** Buckets before keys: what is removed after the first is seen by the check of the second, and what before, by the second look. */
const lookAt = async (connection: Connection, { layout, transaction }: Task): Promise<Answer<Look>> => {
  const { compares, writes } = transaction
  const bucketPaths = new Set(compares.filter(({ revision }) => revision !== 0).map(({ key }) => layout.bucketOf(key)))
  const keys = new Set([...compares, ...writes].map(({ key }) => key))
  const asked = <K>(names: ReadonlySet<K>, path: (name: K) => string) =>
    [...names].map((name) => [name, connection.request(exists(path(name)))] as const)
  const [askedBuckets, askedKeys] = [asked(bucketPaths, (path) => path), asked(keys, layout.entry)]
  const buckets = new Map<string, number>()
  for (const [path, asking] of askedBuckets) {
    const stat = await asking
    if (E.isLeft(stat)) return stat
    buckets.set(path, stat.right.version)
  }
  const stats = new Map<string, Stat | null>()
  for (const [key, asking] of askedKeys) {
    const stat = ifThere(await asking)
    if (E.isLeft(stat)) return stat
    stats.set(key, stat.right)
  }
  return E.right({ stats, buckets })
}

const absent = (path: string, acl: Acl): ReadonlyArray<Op> => [
  { tag: 'create', path, data: '', acl },
  { tag: 'delete', path, version: -1 },
]

const compareOps = ({ layout, acl }: Task, look: Look, { key, revision }: Compare): ReadonlyArray<Op> => {
  const path = layout.entry(key)
  return revision === 0 ? absent(path, acl) : [{ tag: 'check', path, version: look.stats.get(key)?.version ?? 0 }]
}

const writeOps = ({ layout, acl }: Task, look: Look, { key, value }: Write): ReadonlyArray<Op> => {
  const path = layout.entry(key)
  const there = (look.stats.get(key) ?? null) !== null
  if (value === null) return there ? [{ tag: 'delete', path, version: -1 }] : absent(path, acl)
  return there ? [{ tag: 'setData', path, data: value, version: -1 }] : [{ tag: 'create', path, data: value, acl }]
}

/** `format`: the version of what says whose the store is: under another's hands nothing is written. */
const stepsOf = (task: Task, look: Look, format: number): ReadonlyArray<Step> => {
  const { layout, acl, id, transaction, also } = task
  const logged = layout.logged(id)
  const free = (op: Op): Step => ({ op, conflict: null })
  const removed = transaction.writes.filter(
    ({ key, value }) => value === null && (look.stats.get(key) ?? null) !== null,
  )
  const emptied = new Set(removed.map(({ key }) => layout.bucketOf(key)))
  return [
    free({ tag: 'check', path: layout.format, version: format }),
    free({ tag: 'create', path: logged, data: '', acl }),
    free({ tag: 'setData', path: logged, data: encodeWrites(transaction.writes), version: -1 }),
    ...[...look.buckets].map(([path, version]) => free({ tag: 'check', path, version })),
    ...transaction.compares.flatMap((compare) =>
      compareOps(task, look, compare).map((op) => ({ op, conflict: compare.key })),
    ),
    ...transaction.writes.flatMap((write) => writeOps(task, look, write)).map(free),
    ...[...emptied].map((path) => free({ tag: 'setData', path, data: '', version: -1 })),
    ...also.map(free),
  ]
}

const tooLarge = (request: Request<unknown>, most: number): StoreError | null =>
  requestBytes(request) > most ? { tag: 'StoreTooLarge', what: 'bytes', size: requestBytes(request), most } : null

const outcomeOf = (steps: ReadonlyArray<Step>, { index, code }: Failed): Outcome | null => {
  const changed = code === CODE.noNode || code === CODE.nodeExists || code === CODE.badVersion
  const key = steps[index]?.conflict ?? null
  if (!changed) return null
  return key === null ? { tag: 'Again' } : { tag: 'Conflict', key }
}

/** Looks, and sends what follows from it. `sending`: it may happen from now on; false: nobody wants it any more. */
export const attempt = async (connection: Connection, task: Task, sending: () => boolean): Promise<Answer<Outcome>> => {
  const { layout, place } = task
  void connection.request(sync(layout.prefix))
  const [askingFormat, looking] = [connection.request(getData(layout.format)), lookAt(connection, task)]
  const format = ifThere(await askingFormat)
  if (E.isLeft(format)) return format
  const error = judged(format.right?.data ?? null, place)
  if (error !== null) return E.right({ tag: 'Failed', error })
  const look = await looking
  if (E.isLeft(look)) return look
  const stale = task.transaction.compares.find(
    ({ key, revision }) => (look.right.stats.get(key)?.mzxid ?? 0) !== revision,
  )
  if (stale !== undefined) return E.right({ tag: 'Conflict', key: stale.key })
  const steps = stepsOf(task, look.right, format.right?.stat.version ?? 0)
  const request = multi(steps.map(({ op }) => op))
  const large = tooLarge(request, task.maxRequestBytes)
  if (large !== null) return E.right({ tag: 'Failed', error: large })
  if (!sending()) return E.left({ tag: 'Lost', why: 'the time was over' })
  const answer = await connection.request(request)
  if (E.isLeft(answer)) return answer
  if (E.isRight(answer.right)) return E.right({ tag: 'Done', revision: answer.right.right })
  const failed = answer.right.left
  const outcome = outcomeOf(steps, failed)
  return outcome === null ? E.left({ tag: 'Refused', code: failed.code }) : E.right(outcome)
}

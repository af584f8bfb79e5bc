// Opens the store below a prefix of Consul, or makes one there. What is somebody else's, or of a newer version, is told and left alone.

import { randomUUID } from 'node:crypto'
import { E, type Either, type TaskEither } from '../../prelude.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { StoreError } from '../error.ts'
import { HISTORY } from '../history.ts'
import { asStoreError, type Fault } from '../http/fault.ts'
import { readSecret, readTls } from '../http/tls.ts'
import type { SharedStore } from '../lease.ts'
import { MIGRATIONS, type Migration, migrationWrites, schemaOf } from '../migrate.ts'
import { type ConsulUrl, showStoreUrl } from '../url.ts'
import { type Client, makeClient } from './client.ts'
import { committerOn, consulStore } from './consul.ts'
import type { Ground } from './ground.ts'
import { beginOf, decodeHead, encodeHead, type HeadText, type Layout, layoutAt, newWord, stamp } from './layout.ts'
import { list } from './read.ts'
import { casOf, setOf } from './txn.ts'

export type ConsulOptions = Readonly<{
  migrations?: ReadonlyArray<Migration>
  clock?: Clock
  /** So long one agent may take to answer; so long a request is tried, at all of them; so long one waits for news in one request. */
  attemptMs?: number
  patienceMs?: number
  waitMs?: number
  /** How many transactions a watch may look back. */
  history?: number
}>

const ATTEMPT_MS = 3000
const PATIENCE_MS = 15_000
const WAIT_MS = 3000
/** Who opens it waits less for servers that may not be there at all. */
const OPEN_PATIENCE_MS = 5000
const UNREACHED =
  'see whether its agents run, whether the URL names their HTTP ports, and whether they speak TLS (?ca=FILE)'
const FIRST_EPOCH = 1

type Read<A> = Either<StoreError, A>
type Place = Readonly<{ client: Client; place: string; layout: Layout; patienceMs: number }>

const unreached = (place: string, fault: Fault): E.Either<StoreError, never> =>
  E.left(asStoreError(place, fault, UNREACHED))

/** What is there beside the names that are ours. What Consul's own page makes of a folder is nobody's. */
const foreignIn = ({ base, head, last, pending, entries, holds, log }: Layout, names: ReadonlyArray<string>) =>
  names.find((name) => ![base, head, last, pending, entries, holds, log].includes(name))

/** Null: there is no store. Left: what is there is not ours, or newer. */
const look = async ({ client, place, layout, patienceMs }: Place, known: number): Promise<Read<HeadText | null>> => {
  const found = await client.get(layout.head, Math.min(patienceMs, OPEN_PATIENCE_MS))
  if (E.isLeft(found)) return unreached(place, found.left)
  const names = await client.names(layout.base, true)
  if (E.isLeft(names)) return unreached(place, names.left)
  const notOurs = (why: string): E.Either<StoreError, never> => E.left({ tag: 'StoreNotOurs', file: place, why })
  const kv = found.right
  // Without a head, what only looks like ours is not.
  const others = kv === null ? names.right.filter((name) => name !== layout.base) : names.right
  const foreign = kv === null && !others.includes(layout.head) ? others[0] : foreignIn(layout, names.right)
  if (foreign !== undefined) return notOurs(`holds keys of another program, such as "${foreign}"`)
  if (kv === null) return E.right(null)
  const head = decodeHead(Buffer.from(kv.value, 'base64').toString())
  if (head === null) return notOurs(`holds "${kv.key}", which is not that of a cnm store`)
  return head.schema > known ? E.left({ tag: 'StoreNewer', file: place, schema: head.schema, known }) : E.right(head)
}

/** Left: a prefix above is that of a store, whose owner would take ours for another program's keys. */
const notWithin = async ({ client, place, layout }: Place): Promise<Read<void>> => {
  const parts = layout.base.split('/').slice(0, -2)
  for (const [i] of parts.entries()) {
    const above = layoutAt(`/${parts.slice(0, i + 1).join('/')}`)
    const found = await client.get(above.head)
    // Who has no right to look there has nothing there.
    const kv = E.isRight(found) ? found.right : null
    if (kv !== null && decodeHead(Buffer.from(kv.value, 'base64').toString()) !== null)
      return E.left({
        tag: 'StoreNotOurs',
        file: place,
        why: `lies within the cnm store at /${above.base.slice(0, -1)}`,
      })
  }
  return E.right(undefined)
}

/** Right also if somebody else was quicker, or nobody knows: look again. */
const make = async ({ client, place, layout }: Place, schema: number): Promise<Read<void>> => {
  const head = encodeHead({ schema, id: randomUUID(), epoch: FIRST_EPOCH, pending: false })
  const made = await client.txn(
    [
      casOf(layout.head, 0, head, stamp()),
      setOf(layout.last, newWord(), stamp()),
      setOf(beginOf(layout, FIRST_EPOCH), '', stamp()),
      setOf(layout.holds, '', stamp()),
    ],
    true,
  )
  return E.isLeft(made) ? unreached(place, made.left) : E.right(undefined)
}

/** Brings it to the present version, in one transaction that rests on nothing having happened since it was read. */
const bring = async (ground: Ground, migrations: ReadonlyArray<Migration>): Promise<Read<void>> => {
  const listed = await list(ground, '')
  if (E.isLeft(listed)) return listed
  const before = new Map(listed.right.entries.map(({ key, value }) => [key, value]))
  const writes = migrationWrites(migrations, ground.place, ground.schema, before)
  if (E.isLeft(writes)) return writes
  const done = await committerOn(ground).committer.commit({
    compares: [],
    writes: writes.right,
    also: [],
    since: listed.right.revision,
    schema: schemaOf(migrations),
  })
  return E.isLeft(done) ? done : E.right(undefined)
}

const OPEN_ATTEMPTS = 10

/** Right: the head of a store of the present version; null: there is none, and none is made. */
const ready = async (
  place: Place,
  ground: Omit<Ground, 'id' | 'schema'>,
  migrations: ReadonlyArray<Migration>,
  makes: boolean,
): Promise<Read<HeadText | null>> => {
  const known = schemaOf(migrations)
  for (let attempt = 1; attempt <= OPEN_ATTEMPTS; attempt++) {
    const head = await look(place, known)
    if (E.isLeft(head) || head.right?.schema === known) return head
    if (head.right === null && !makes) return head
    if (head.right !== null && !makes) {
      const why = 'it is only looked at; change something first'
      return E.left({ tag: 'StoreNotMigrated', file: place.place, from: head.right.schema, why })
    }
    const free = head.right === null ? await notWithin(place) : E.right(undefined)
    if (E.isLeft(free)) return free
    const done = head.right === null ? await make(place, known) : await bring({ ...ground, ...head.right }, migrations)
    if (E.isLeft(done)) return done
  }
  return E.left({ tag: 'StoreUnavailable', what: `${place.place} changes while it is opened`, hint: 'try again later' })
}

const opened =
  (url: ConsulUrl, options: ConsulOptions, makes: boolean): TaskEither<StoreError, SharedStore | null> =>
  async () => {
    const { clock = systemClock, migrations = MIGRATIONS, history = HISTORY } = options
    const { attemptMs = ATTEMPT_MS, patienceMs = PATIENCE_MS, waitMs = WAIT_MS } = options
    const tls = await readTls(url)
    if (E.isLeft(tls)) return tls
    const token = await readSecret(url.tokenFile, 'token-file')
    if (E.isLeft(token)) return token
    const place = showStoreUrl(url)
    const layout = layoutAt(url.prefix)
    const { members } = url
    const client = makeClient({ place, members, token: token.right, tls: tls.right, attemptMs, patienceMs })
    const ground = { client, place, layout, patienceMs, waitMs, history }
    const head = await ready({ client, place, layout, patienceMs }, ground, migrations, makes)
    if (E.isLeft(head) || head.right === null) {
      client.close()
      return E.isLeft(head) ? head : E.right(null)
    }
    const store = await consulStore({ ...ground, ...head.right }, clock)
    if (E.isLeft(store)) client.close()
    return store
  }

/** Right null: there is no store, and none is made; an older one is not brought to the present version. */
export const findConsul = (url: ConsulUrl, options: ConsulOptions = {}): TaskEither<StoreError, SharedStore | null> =>
  opened(url, options, false)

export const openConsul =
  (url: ConsulUrl, options: ConsulOptions = {}): TaskEither<StoreError, SharedStore> =>
  async () => {
    const store = await opened(url, options, true)()
    if (E.isLeft(store)) return store
    if (store.right === null) throw new Error('a store that is made where there is none is there')
    return E.right(store.right)
  }

// Opens the store below a prefix of etcd, or makes one there. What is somebody else's, or of a newer version, is told and left alone:
// the look is one transaction that reads, and what is then written compares that nothing has changed since.

import { randomUUID } from 'node:crypto'
import { E, type Either, type TaskEither } from '../../prelude.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { StoreError } from '../error.ts'
import { readSecret, readTls } from '../http/tls.ts'
import type { SharedStore } from '../lease.ts'
import { MIGRATIONS, type Migration, migrationWrites, schemaOf } from '../migrate.ts'
import type { Revision } from '../store.ts'
import { type EtcdUrl, showStoreUrl } from '../url.ts'
import { kvsOf, rangesOf, revisionOf } from './answer.ts'
import { type Client, makeClient } from './client.ts'
import { etcdStore } from './etcd.ts'
import { asStoreError } from './fault.ts'
import { bytesOf, endOf, type Layout, layoutAt, textOf } from './layout.ts'
import type { Message } from './messages.ts'
import { isAt, putOf, readOf, written } from './txn.ts'

export type EtcdOptions = Readonly<{
  migrations?: ReadonlyArray<Migration>
  clock?: Clock
  /** So long one server may take to answer; so long a request is tried, at all of them; so often a watch looks whether its server is well. */
  attemptMs?: number
  patienceMs?: number
  aliveEveryMs?: number
}>

const FORMAT = 'cnm-store'
const ATTEMPT_MS = 3000
const PATIENCE_MS = 15_000
const ALIVE_EVERY_MS = 3000
/** Who opens it waits less for servers that may not be there at all. */
const OPEN_PATIENCE_MS = 5000
const UNREACHED =
  'see whether its servers run, whether the URL names their client ports, and whether they speak TLS (?ca=FILE)'

type Read<A> = Either<StoreError, A>

const readPassword = async ({ login, passwordFile }: EtcdUrl): Promise<Read<string>> => {
  const secret = await readSecret(passwordFile, 'password-file')
  return E.isLeft(secret) ? secret : E.right(login?.password ?? secret.right ?? '')
}

/** Of a head; {}: it is none of ours. */
const readHead = (value: unknown): Message => {
  try {
    const head: unknown = JSON.parse(textOf(value))
    return typeof head === 'object' && head !== null ? { ...head } : {}
  } catch {
    return {}
  }
}

/** `schema` null: there is no store. */
type Head = Readonly<{ schema: number | null; revision: Revision }>

const spans = ({ base, head, entries, marks }: Layout): ReadonlyArray<Message> =>
  [
    [bytesOf(base), bytesOf(entries)],
    [endOf(entries), bytesOf(marks)],
    [endOf(marks), bytesOf(head)],
    [bytesOf(`${head}\0`), endOf(base)],
  ].map(([key, range_end]) => ({ request_range: { key, range_end, limit: '1', keys_only: true } }))

/** Left: what is there is not ours, or newer. */
const look = async (
  client: Client,
  place: string,
  layout: Layout,
  known: number,
  patienceMs: number,
): Promise<Read<Head>> => {
  const inEntries = {
    request_range: { key: bytesOf(layout.entries), range_end: endOf(layout.entries), limit: '1', keys_only: true },
  }
  const reads = [readOf(layout.head), inEntries, ...spans(layout)]
  const answer = await client.ask('txn', { success: reads }, patienceMs)
  if (E.isLeft(answer)) return E.left(asStoreError(place, answer.left, UNREACHED))
  const [heads = {}, entries = {}, ...between] = rangesOf(answer.right)
  const [head] = kvsOf(heads)
  const [foreign] = [...between, ...(head === undefined ? [entries] : [])].flatMap(kvsOf)
  if (foreign !== undefined)
    return E.left({ tag: 'StoreNotOurs', file: place, why: `holds keys of another program, such as "${foreign.key}"` })
  if (head === undefined) return E.right({ schema: null, revision: 0 })
  const { format, schema } = readHead(head.value)
  if (format !== FORMAT || typeof schema !== 'number')
    return E.left({ tag: 'StoreNotOurs', file: place, why: `holds "${head.key}", which is not that of a cnm store` })
  if (schema > known) return E.left({ tag: 'StoreNewer', file: place, schema, known })
  return E.right({ schema, revision: head.revision })
}

const headText = (schema: number): string => JSON.stringify({ format: FORMAT, schema, id: randomUUID() })

/** Right null: somebody else was quicker, or nobody knows. */
const write = async (
  client: Client,
  place: string,
  compare: ReadonlyArray<Message>,
  success: ReadonlyArray<Message>,
): Promise<Read<Revision | null>> => {
  const answer = await client.send('txn', { compare, success })
  if (E.isLeft(answer))
    return answer.left.tag === 'Unclear' ? E.right(null) : E.left(asStoreError(place, answer.left, UNREACHED))
  return E.right(answer.right['succeeded'] === true ? revisionOf(answer.right) : null)
}

const make = (client: Client, place: string, { base, head }: Layout, schema: number) => {
  const nothing = {
    key: bytesOf(base),
    range_end: endOf(base),
    target: 'CREATE',
    result: 'EQUAL',
    create_revision: '0',
  }
  return write(client, place, [nothing], [putOf(head, headText(schema), '0')])
}

const bring = async (
  client: Client,
  place: string,
  layout: Layout,
  from: Readonly<{ schema: number; revision: Revision }>,
  migrations: ReadonlyArray<Migration>,
): Promise<Read<Revision | null>> => {
  const ground = { client, place, layout, head: from.revision, patienceMs: PATIENCE_MS, aliveEveryMs: ALIVE_EVERY_MS }
  const listed = await etcdStore(ground).list('')()
  if (E.isLeft(listed)) return listed
  const before = new Map(listed.right.entries.map(({ key, value }) => [key, value]))
  const writes = migrationWrites(migrations, place, from.schema, before)
  if (E.isLeft(writes)) return writes
  const parts = written(layout, { compares: [], writes: writes.right })
  if ('tag' in parts) return E.left(parts)
  // Whoever writes leaves a mark, also where nothing but a removal is to be seen.
  const still = [layout.entries, layout.marks].map((from) => ({
    key: bytesOf(from),
    range_end: endOf(from),
    target: 'MOD',
    result: 'LESS',
    mod_revision: String(listed.right.revision + 1),
  }))
  return write(
    client,
    place,
    [isAt(layout.head, from.revision), ...still],
    [putOf(layout.head, headText(schemaOf(migrations)), '0'), ...parts.writes],
  )
}

const OPEN_ATTEMPTS = 10

/** Left: a prefix above is that of a store, whose owner would take ours for another program's keys. */
const notWithin = async (client: Client, place: string, prefix: string): Promise<Read<void>> => {
  const parts = prefix.slice(1).split('/')
  for (const [i] of parts.slice(1).entries()) {
    const above = layoutAt(`/${parts.slice(0, i + 1).join('/')}`)
    const answer = await client.ask('range', { key: bytesOf(above.head) })
    // Who has no right to look there has nothing there.
    const [head] = E.isRight(answer) ? kvsOf(answer.right) : []
    if (head !== undefined && readHead(head.value)['format'] === FORMAT)
      return E.left({
        tag: 'StoreNotOurs',
        file: place,
        why: `lies within the cnm store at ${above.base.slice(0, -1)}`,
      })
  }
  return E.right(undefined)
}

/** Right: the revision of the head of a store of the present version; null: there is none, and none is made. */
const ready = async (
  client: Client,
  place: string,
  prefix: string,
  { migrations = MIGRATIONS, patienceMs = PATIENCE_MS }: EtcdOptions,
  makes: boolean,
): Promise<Read<Revision | null>> => {
  const known = schemaOf(migrations)
  const layout = layoutAt(prefix)
  for (let attempt = 1; attempt <= OPEN_ATTEMPTS; attempt++) {
    const head = await look(client, place, layout, known, Math.min(patienceMs, OPEN_PATIENCE_MS))
    if (E.isLeft(head)) return head
    const { schema, revision } = head.right
    if (schema === known) return E.right(revision)
    if (schema === null && !makes) return E.right(null)
    if (schema !== null && !makes) {
      const why = 'it is only looked at; change something first'
      return E.left({ tag: 'StoreNotMigrated', file: place, from: schema, why })
    }
    const free = schema === null ? await notWithin(client, place, prefix) : E.right(undefined)
    if (E.isLeft(free)) return free
    const done =
      schema === null
        ? await make(client, place, layout, known)
        : await bring(client, place, layout, { schema, revision }, migrations)
    if (E.isLeft(done)) return done
    if (done.right !== null) return E.right(done.right)
  }
  return E.left({ tag: 'StoreUnavailable', what: `${place} changes while it is opened`, hint: 'try again later' })
}

const opened =
  (url: EtcdUrl, options: EtcdOptions, makes: boolean): TaskEither<StoreError, SharedStore | null> =>
  async () => {
    const { clock = systemClock } = options
    const { attemptMs = ATTEMPT_MS, patienceMs = PATIENCE_MS, aliveEveryMs = ALIVE_EVERY_MS } = options
    const tls = await readTls(url)
    if (E.isLeft(tls)) return tls
    const password = await readPassword(url)
    if (E.isLeft(password)) return password
    const place = showStoreUrl(url)
    const layout = layoutAt(url.prefix)
    const login = url.login === null ? null : { name: url.login.name, password: password.right }
    const client = makeClient({ place, members: url.members, login, tls: tls.right, attemptMs, patienceMs })
    const head = await ready(client, place, url.prefix, options, makes)
    if (E.isRight(head) && head.right !== null)
      return E.right(etcdStore({ client, place, layout, head: head.right, patienceMs, aliveEveryMs }, clock))
    client.close()
    return E.isLeft(head) ? head : E.right(null)
  }

/** Right null: there is no store, and none is made; an older one is not brought to the present version. */
export const findEtcd = (url: EtcdUrl, options: EtcdOptions = {}): TaskEither<StoreError, SharedStore | null> =>
  opened(url, options, false)

export const openEtcd =
  (url: EtcdUrl, options: EtcdOptions = {}): TaskEither<StoreError, SharedStore> =>
  async () => {
    const store = await opened(url, options, true)()
    if (E.isLeft(store)) return store
    if (store.right === null) throw new Error('a store that is made where there is none is there')
    return E.right(store.right)
  }

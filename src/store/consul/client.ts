// Consul's agents as one server (../http/members.ts), and what they answer. Nothing is read but what a leader vouches for
// (?consistent).

import { E, type Either } from '../../prelude.ts'
import { makeExchange, type Request, type Response } from '../http/exchange.ts'
import type { Fault } from '../http/fault.ts'
import { memberAt, persist } from '../http/members.ts'
import type { Tls } from '../http/tls.ts'
import type { Member } from '../url.ts'
import { faultOf, isDenied, isTtlRefused } from './fault.ts'
import type { Op } from './txn.ts'

export type ClientOptions = Readonly<{
  /** For sentences. */
  place: string
  members: ReadonlyArray<Member>
  token: string | null
  tls: Tls | null
  /** So long one agent may take to answer. */
  attemptMs: number
  /** So long a request is tried. */
  patienceMs: number
}>

/** `index`: its ModifyIndex; `made`: its CreateIndex. `value`: base64, '' if it is empty. */
export type Kv = Readonly<{
  key: string
  value: string
  flags: number
  index: number
  made: number
  session: string | null
}>
/** Of the operations of a transaction that was not done, which could not be, and why. */
export type Failure = Readonly<{ at: number; what: string }>
/** Left: it was not done. */
export type Answer = Promise<Either<Fault, Either<ReadonlyArray<Failure>, ReadonlyArray<Kv>>>>
/** What was there at an index; a blocking query goes on from there. */
export type Tree = Readonly<{ kvs: ReadonlyArray<Kv>; index: number }>

export type Client = Readonly<{
  /** `again`: doing it twice does no harm. Otherwise Left `Unclear`: it may have been done, or be done yet. */
  txn: (ops: ReadonlyArray<Op>, again: boolean, patienceMs?: number) => Answer
  /** What is there now, of all trees at one moment. */
  read: (trees: ReadonlyArray<Op>, patienceMs?: number) => Promise<Either<Fault, ReadonlyArray<Kv>>>
  /** Null: it is not there. Unlike `read` it says when there is no right to look. */
  get: (key: string, patienceMs?: number) => Promise<Either<Fault, Kv | null>>
  /** The names below it, cut behind the first slash if `flat`. */
  names: (prefix: string, flat: boolean) => Promise<Either<Fault, ReadonlyArray<string>>>
  /** A tree when it is no more as it was at an index, or after some time; one attempt, at the agent that `at` counts to. */
  next: (at: number, prefix: string, index: number, waitMs: number) => Promise<Either<Fault, Tree>>
  /** Right null: that is shorter than the servers allow. */
  makeSession: (ttlMs: number) => Promise<Either<Fault, string | null>>
  /** Right false: it is over. */
  renewSession: (id: string, patienceMs: number) => Promise<Either<Fault, boolean>>
  endSession: (id: string, patienceMs: number) => Promise<void>
  /** Which agent answered last. */
  preferred: () => number
  close: () => void
}>

type Json = Readonly<Record<string, unknown>>
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null
const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
const listOf = (value: unknown): ReadonlyArray<Json> => (Array.isArray(value) ? value.filter(isJson) : [])

const kvOf = (json: Json): Kv => ({
  key: String(json['Key']),
  value: String(json['Value'] ?? ''),
  flags: Number(json['Flags'] ?? 0),
  index: Number(json['ModifyIndex']),
  made: Number(json['CreateIndex']),
  session: typeof json['Session'] === 'string' && json['Session'] !== '' ? json['Session'] : null,
})
const kvsIn = (json: unknown): ReadonlyArray<Kv> =>
  listOf(isJson(json) ? json['Results'] : null).flatMap(({ KV }) => (isJson(KV) ? [kvOf(KV)] : []))
const failuresIn = (json: unknown): ReadonlyArray<Failure> | null =>
  isJson(json) && Array.isArray(json['Errors'])
    ? listOf(json['Errors']).map(({ OpIndex, What }) => ({ at: Number(OpIndex), what: String(What) }))
    : null

const INDEX = 'x-consul-index'
/** A name may hold slashes, which stand for themselves. */
const pathOf = (key: string): string => `/v1/kv/${key.split('/').map(encodeURIComponent).join('/')}`
const duration = (ms: number): string => `${Math.ceil(ms)}ms`

export const makeClient = (options: ClientOptions): Client => {
  const { place, members, token, attemptMs, patienceMs: usual } = options
  const exchange = makeExchange(place, options.tls)
  const headers = token === null ? {} : { 'x-consul-token': token }
  let preferred = 0
  let isClosed = false

  type Asked = Omit<Request, 'member' | 'headers'>
  /** `accepts`: an answer of Consul's that is no error. */
  const attempt = async (
    at: number,
    asked: Asked,
    accepts: (answer: Response) => boolean,
    timeoutMs = attemptMs,
  ): Promise<Either<Fault, Response>> => {
    if (isClosed) return E.left({ tag: 'Refused', error: { tag: 'StoreClosed' } })
    const answer = await exchange.ask({ ...asked, member: memberAt(members, at), headers }, timeoutMs)
    if (E.isLeft(answer)) return answer
    const { status, text } = answer.right
    if (!accepts(answer.right)) return E.left(faultOf(place, status, text, token !== null))
    preferred = at % members.length
    return answer
  }
  const ask = (asked: Asked, accepts: (answer: Response) => boolean, again: boolean, patienceMs = usual) =>
    persist((at) => attempt(at, asked, accepts), members.length, { first: preferred, again, patienceMs })

  const txn = async (ops: ReadonlyArray<Op>, query: string, again: boolean, patienceMs?: number): Answer => {
    const asked: Asked = { method: 'PUT', path: `/v1/txn${query}`, body: JSON.stringify(ops) }
    const accepts = ({ status, text }: Response): boolean =>
      status === 200 ? isJson(readJson(text)) : status === 409 && failuresIn(readJson(text)) !== null
    const answer = await ask(asked, accepts, again, patienceMs)
    if (E.isLeft(answer)) return answer
    const json = readJson(answer.right.text)
    const failures = answer.right.status === 200 ? null : failuresIn(json)
    if (failures === null) return E.right(E.right(kvsIn(json)))
    const noRight = failures.find(({ what }) => isDenied(what))
    return noRight === undefined ? E.right(E.left(failures)) : E.left(faultOf(place, 403, noRight.what, token !== null))
  }

  const isKvs = ({ status, header }: Response): boolean => (status === 200 || status === 404) && header(INDEX) !== null
  const treeIn = ({ text, header }: Response): Tree => ({
    kvs: listOf(readJson(text)).map(kvOf),
    index: Number(header(INDEX)),
  })
  const query = (path: string): Asked => ({ method: 'GET', path, body: null })

  return {
    txn: (ops, again, patienceMs) => txn(ops, '', again, patienceMs),
    read: async (trees, patienceMs) => {
      const answer = await txn(trees, '?consistent', true, patienceMs)
      if (E.isLeft(answer)) return answer
      if (E.isLeft(answer.right)) throw new Error('a transaction that only reads what there is cannot fail')
      return answer.right
    },
    get: async (key, patienceMs) => {
      const answer = await ask(query(`${pathOf(key)}?consistent`), isKvs, true, patienceMs)
      return E.isLeft(answer) ? answer : E.right(treeIn(answer.right).kvs[0] ?? null)
    },
    names: async (prefix, flat) => {
      const cut = flat ? '&separator=/' : ''
      const answer = await ask(query(`${pathOf(prefix)}?keys&consistent${cut}`), isKvs, true)
      if (E.isLeft(answer)) return answer
      const names = readJson(answer.right.text)
      return E.right(Array.isArray(names) ? names.map(String) : [])
    },
    next: async (at, prefix, index, waitMs) => {
      const path = `${pathOf(prefix)}?recurse&consistent&index=${index}&wait=${duration(waitMs)}`
      // Consul waits up to a sixteenth longer, so that not all wake up at once.
      const answer = await attempt(at, query(path), isKvs, waitMs * (1 + 1 / 16) + attemptMs)
      return E.isLeft(answer) ? answer : E.right(treeIn(answer.right))
    },
    makeSession: async (ttlMs) => {
      const body = { Name: 'cnm', TTL: duration(ttlMs), Behavior: 'release', LockDelay: '0s', NodeChecks: [] }
      const asked: Asked = { method: 'PUT', path: '/v1/session/create', body: JSON.stringify(body) }
      const accepts = ({ status, text }: Response): boolean =>
        status === 200 ? isJson(readJson(text)) : isTtlRefused(text)
      // If no answer comes it may have been made all the same: it then ends unused.
      const answer = await ask(asked, accepts, true)
      if (E.isLeft(answer)) return answer
      const json = readJson(answer.right.text)
      return E.right(isJson(json) ? String(json['ID']) : null)
    },
    renewSession: async (id, patienceMs) => {
      const asked: Asked = { method: 'PUT', path: `/v1/session/renew/${id}`, body: null }
      const accepts = ({ status }: Response): boolean => status === 200 || status === 404
      const answer = await ask(asked, accepts, true, patienceMs)
      return E.isLeft(answer) ? answer : E.right(answer.right.status === 200)
    },
    endSession: async (id, patienceMs) => {
      const asked: Asked = { method: 'PUT', path: `/v1/session/destroy/${id}`, body: null }
      await ask(asked, ({ status }) => status === 200, true, patienceMs)
    },
    preferred: () => preferred,
    close: () => {
      isClosed = true
      exchange.close()
    },
  }
}

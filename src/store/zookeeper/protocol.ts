// What we say to a ZooKeeper server, and how its answers are read. A zxid is a number here: its upper half counts elections, so
// it stays whole up to the two-millionth.
// Source: zookeeper.jute, and ZooDefs, MultiOperationRecord, MultiResponse and KeeperException of ZooKeeper 3.8.

import { E, type Either } from '../../prelude.ts'
import { buffer, flag, int, long, type Reader, text, vector } from './jute.ts'

export const CODE = {
  ok: 0,
  rolledBack: -2,
  unimplemented: -6,
  badArguments: -8,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  nodeExists: -110,
  sessionExpired: -112,
  sessionMoved: -118,
} as const

const TYPE = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  sync: 9,
  ping: 11,
  getChildren: 12,
  check: 13,
  multi: 14,
  auth: 100,
  addWatch: 106,
  closeSession: -11,
  error: -1,
} as const

/** Numbers of requests that are not counted, and of what comes unasked. */
export const XID = { event: -1, ping: -2, auth: -4 } as const

export type Request<A> = Readonly<{ type: number; body: Buffer; read: (from: Reader) => A }>

/** `version` counts a znode's changes since it was created; `czxid` and `mzxid` are the transactions of creation and last change. */
export type Stat = Readonly<{ czxid: number; mzxid: number; version: number }>

const zxid = (from: Reader): number => Number(from.long())

const stat = (from: Reader): Stat => {
  const [czxid, mzxid] = [zxid(from), zxid(from)]
  from.long() // ctime
  from.long() // mtime
  const version = from.int()
  for (const skip of [from.int, from.int, from.long, from.int, from.int, from.long]) skip()
  return { czxid, mzxid, version }
}

const nothing = (): null => null

/** Who may do what: everybody everything, or only who made it, by the login that its connection has shown. */
export type Acl = 'everybody' | 'creator'

const ALL_RIGHTS = 31
const acl = (who: Acl): Buffer =>
  vector([
    Buffer.concat([
      int(ALL_RIGHTS),
      text(who === 'creator' ? 'auth' : 'world'),
      text(who === 'creator' ? '' : 'anyone'),
    ]),
  ])

/** `version` -1 is any. */
export type Op = Readonly<
  | { tag: 'create'; path: string; data: string; acl: Acl; ephemeral?: boolean }
  | { tag: 'delete'; path: string; version: number }
  | { tag: 'setData'; path: string; data: string; version: number }
  | { tag: 'check'; path: string; version: number }
>

const opBody = (op: Op): Buffer => {
  switch (op.tag) {
    case 'create':
      return Buffer.concat([text(op.path), text(op.data), acl(op.acl), int(op.ephemeral === true ? 1 : 0)])
    case 'setData':
      return Buffer.concat([text(op.path), text(op.data), int(op.version)])
    case 'delete':
    case 'check':
      return Buffer.concat([text(op.path), int(op.version)])
  }
}

export const getData = (path: string): Request<Readonly<{ data: string; stat: Stat }>> => ({
  type: TYPE.getData,
  body: Buffer.concat([text(path), flag(false)]),
  read: (from) => ({ data: from.text(), stat: stat(from) }),
})

export const exists = (path: string): Request<Stat> => ({
  type: TYPE.exists,
  body: Buffer.concat([text(path), flag(false)]),
  read: stat,
})

export const getChildren = (path: string): Request<ReadonlyArray<string>> => ({
  type: TYPE.getChildren,
  body: Buffer.concat([text(path), flag(false)]),
  read: (from) => from.vector(from.text),
})

export const create = (path: string, data: string, who: Acl): Request<string> => ({
  type: TYPE.create,
  body: opBody({ tag: 'create', path, data, acl: who }),
  read: (from) => from.text(),
})

/** What this connection's later reads see is at least as new as what any client had been answered before. */
export const sync = (path: string): Request<null> => ({ type: TYPE.sync, body: text(path), read: nothing })

/** Tells of every znode made, changed or deleted at and below the path, for as long as the connection lasts. Since 3.6. */
export const addWatch = (path: string): Request<null> => ({
  type: TYPE.addWatch,
  body: Buffer.concat([text(path), int(1)]),
  read: nothing,
})

export const ping: Request<null> = { type: TYPE.ping, body: Buffer.alloc(0), read: nothing }
export const closeSession: Request<null> = { type: TYPE.closeSession, body: Buffer.alloc(0), read: nothing }

export const auth = (login: string): Request<null> => ({
  type: TYPE.auth,
  body: Buffer.concat([int(0), text('digest'), text(login)]),
  read: nothing,
})

/** The first operation that could not be done; with it, none was. */
export type Failed = Readonly<{ index: number; code: number }>
/** Right: the transaction's zxid, if it set a znode's data: of those it creates, the answer does not say. */
export type MultiAnswer = Either<Failed, number>

const readMulti = (from: Reader): MultiAnswer => {
  let zxid = 0
  for (let index = 0; ; index++) {
    const type = from.int()
    const done = from.flag()
    from.int()
    if (done) return E.right(zxid)
    if (type === TYPE.error) {
      const code = from.int()
      if (code !== CODE.ok && code !== CODE.rolledBack) return E.left({ index, code })
    } else if (type === TYPE.create) {
      from.text()
    } else if (type === TYPE.setData) {
      zxid = stat(from).mzxid
    }
  }
}

const multiHeader = (type: number, done: boolean): Buffer => Buffer.concat([int(type), flag(done), int(-1)])

export const multi = (ops: ReadonlyArray<Op>): Request<MultiAnswer> => ({
  type: TYPE.multi,
  body: Buffer.concat([
    ...ops.flatMap((op) => [multiHeader(TYPE[op.tag], false), opBody(op)]),
    multiHeader(TYPE.error, true),
  ]),
  read: readMulti,
})

/** With its length before it, and without a number for the first thing said. */
const frame = (...parts: ReadonlyArray<Buffer>): Buffer => buffer(Buffer.concat(parts))
export const requestFrame = (xid: number, { type, body }: Request<unknown>): Buffer => frame(int(xid), int(type), body)

/** What a request takes of the server's limit (jute.maxbuffer). */
export const requestBytes = ({ body }: Request<unknown>): number => body.length + 8

/** `id` 0n: there is none yet. */
export type SessionId = Readonly<{ id: bigint; password: Buffer }>
export const NO_SESSION: SessionId = { id: 0n, password: Buffer.alloc(16) }

export type Hello = Readonly<{ session: SessionId; timeoutMs: number; lastZxid: number }>

export const helloFrame = ({ session, timeoutMs, lastZxid }: Hello): Buffer =>
  frame(int(0), long(BigInt(lastZxid)), int(timeoutMs), long(session.id), buffer(session.password), flag(false))

/** `timeoutMs` 0: the session has expired. */
export const readWelcome = (from: Reader): Readonly<{ session: SessionId; timeoutMs: number }> => {
  from.int()
  const timeoutMs = from.int()
  return { timeoutMs, session: { id: from.long(), password: Buffer.from(from.buffer()) } }
}

export const readReplyHead = (from: Reader): Readonly<{ xid: number; zxid: number; code: number }> => ({
  xid: from.int(),
  zxid: zxid(from),
  code: from.int(),
})

export type WatchEvent = Readonly<{ kind: 'created' | 'deleted' | 'other'; path: string }>
const KINDS: Readonly<Record<number, WatchEvent['kind']>> = { 1: 'created', 2: 'deleted' }

export const readEvent = (from: Reader): WatchEvent => {
  const kind = KINDS[from.int()] ?? 'other'
  from.int()
  return { kind, path: from.text() }
}

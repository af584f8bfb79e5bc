// Requests and their answers over one socket, one conversation at a time. Every request is acknowledged on its own; one that is
// refused does not stop those after it (net/netlink/af_netlink.c, netlink_rcv_skb). Batches are cut so that neither a send is too
// large nor its acknowledgements overflow the receive buffer.

import { E, type Either, type TaskEither } from '../../prelude.ts'
import type { NetlinkError } from './error.ts'
import {
  decodeMessages,
  type Message,
  messageSize,
  type Request,
  verdictOf,
  verdictOfDone,
  writeMessage,
} from './message.ts'
import { type Ack, ackOf } from './refusal.ts'
import { DATAGRAM_BYTES, type Socket, type Turn } from './socket.ts'
import { NLM_F_ACK, NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NLMSG_OVERRUN } from './uapi/netlink.ts'

/** A body's decoder; null: not well-formed, or not of interest. */
export type Decode<A> = (body: Uint8Array) => A | null

type Result<A> = Promise<Either<NetlinkError, A>>

/** A send is at most so large: below net.core.wmem_default, and its acknowledgements far below the receive buffer. */
export const BATCH_BYTES = 32 << 10
export const BATCH_MESSAGES = 256
/** rtnetlink answers before send(2) returns; this is for what should not happen. */
const PATIENCE_MS = 5000
const DUMP_TRIES = 8
/** So long a turn of the event loop may take. */
const TURN_MS = 0.5

const MALFORMED: NetlinkError = { tag: 'Malformed', what: 'a datagram' }

type Numbered = Readonly<{ seq: number; request: Request }>

/** Cuts requests into batches, in order; one that is larger than a batch is one of its own. */
export const batchesOf = (requests: ReadonlyArray<Request>): ReadonlyArray<ReadonlyArray<Request>> => {
  const batches: Request[][] = []
  let open: Request[] = []
  let size = 0
  for (const request of requests) {
    const bytes = messageSize(request)
    if (open.length > 0 && (size + bytes > BATCH_BYTES || open.length === BATCH_MESSAGES)) {
      batches.push(open)
      open = []
      size = 0
    }
    open.push(request)
    size += bytes
  }
  return open.length === 0 ? batches : [...batches, open]
}

const encode = (batch: ReadonlyArray<Numbered>, flags: number): Uint8Array => {
  const bytes = new Uint8Array(batch.reduce((size, { request }) => size + messageSize(request), 0))
  let at = 0
  for (const { seq, request } of batch)
    at = writeMessage(bytes, at, { ...request, flags: request.flags | NLM_F_REQUEST | flags, seq, port: 0 })
  return bytes
}

const listenInto = async (
  into: Uint8Array,
  socket: Socket,
  turn: Turn,
  each: (message: Message) => boolean | NetlinkError,
): Result<void> => {
  let since = performance.now()
  for (;;) {
    // Answers that are there already never leave the turn of the event loop by themselves.
    if (performance.now() - since > TURN_MS) {
      await new Promise((resolve) => setImmediate(resolve))
      since = performance.now()
    }
    const size = await socket.receive(into, turn)
    if (E.isLeft(size)) return size
    if (size.right === null) {
      if (!(await socket.readable(PATIENCE_MS))) return E.left({ tag: 'Silent', afterMs: PATIENCE_MS })
      continue
    }
    const messages = decodeMessages(into.subarray(0, size.right))
    if (messages === null) return E.left(MALFORMED)
    for (const message of messages) {
      const done = message.type === NLMSG_OVERRUN ? ({ tag: 'Overrun' } as const) : each(message)
      if (done === true) return E.right(undefined)
      if (done !== false) return E.left(done)
    }
  }
}

/** Buffers that no conversation is using: a new one would be zeroed each time. */
const spare: Uint8Array[] = []

/** Calls `each` with every message until it says true: then all that was waited for is there. */
const listen = async (socket: Socket, turn: Turn, each: (message: Message) => boolean | NetlinkError): Result<void> => {
  const into = spare.pop() ?? new Uint8Array(DATAGRAM_BYTES)
  try {
    return await listenInto(into, socket, turn, each)
  } finally {
    spare.push(into)
  }
}

/** What came back for one request: how it ended, and what it asked for, as far as the decoder could read it. */
export type Reply<A> = Readonly<{ ack: Ack; value: A | null }>

const askBatch = async <A>(
  socket: Socket,
  requests: ReadonlyArray<Request>,
  decode: Decode<A>,
  turn: Turn,
): Result<ReadonlyArray<Reply<A>>> => {
  const open = new Map<number, number>()
  const batch = requests.map((request, at): Numbered => {
    const seq = socket.nextSeq()
    open.set(seq, at)
    return { seq, request }
  })
  const sent = await socket.send(encode(batch, NLM_F_ACK), turn)
  if (E.isLeft(sent)) return sent
  const values = new Map<number, A | null>()
  const replies: Reply<A>[] = []
  const listened = await listen(socket, 'here', (message) => {
    const at = open.get(message.seq)
    const request = at === undefined ? undefined : requests[at]
    // What an earlier conversation left behind.
    if (at === undefined || request === undefined) return false
    if (message.type !== NLMSG_ERROR) {
      values.set(at, decode(message.body))
      return false
    }
    const verdict = verdictOf(message)
    if (verdict === null) return MALFORMED
    replies[at] = { ack: ackOf(request, verdict), value: values.get(at) ?? null }
    open.delete(message.seq)
    return open.size === 0
  })
  return E.isLeft(listened) ? listened : E.right(replies)
}

/**
 * Sends requests, many at once, and gives each one's answer, in order; a refused one does not stop the others. Left: the
 * conversation failed, and of the requests some may have been done: look again. `turn` is `aside` unless all are quick; even a
 * question waits where somebody holds the kernel's lock (rtnl_mutex).
 */
export const askAll =
  <A>(
    socket: Socket,
    requests: ReadonlyArray<Request>,
    decode: Decode<A>,
    turn: Turn = 'aside',
  ): TaskEither<NetlinkError, ReadonlyArray<Reply<A>>> =>
  () =>
    socket.alone(async () => {
      const replies: Reply<A>[] = []
      for (const batch of batchesOf(requests)) {
        const answered = await askBatch(socket, batch, decode, turn)
        if (E.isLeft(answered)) return answered
        replies.push(...answered.right)
      }
      return E.right(replies)
    })

const nothing = (): null => null

/** `askAll` for requests that ask for nothing but to be done. */
export const talk =
  (
    socket: Socket,
    requests: ReadonlyArray<Request>,
    turn: Turn = 'aside',
  ): TaskEither<NetlinkError, ReadonlyArray<Ack>> =>
  async () => {
    const replies = await askAll(socket, requests, nothing, turn)()
    return E.isLeft(replies) ? replies : E.right(replies.right.map(({ ack }) => ack))
  }

/** One question with one answer, such as getLink. Left: Refused (ENODEV, say), with the kernel's words. */
export const ask =
  <A>(socket: Socket, request: Request, decode: Decode<A>, turn: Turn = 'aside'): TaskEither<NetlinkError, A> =>
  async () => {
    const replies = await askAll(socket, [request], decode, turn)()
    if (E.isLeft(replies)) return replies
    const [reply] = replies.right
    if (reply !== undefined && reply.ack.code !== 0) return E.left({ tag: 'Refused', ack: reply.ack })
    const value = reply?.value ?? null
    return value === null ? E.left({ tag: 'Malformed', what: 'an answer' }) : E.right(value)
  }

/** One attempt at a dump; null: changes overtook it. */
const dumpOnce = async <A>(
  socket: Socket,
  request: Request,
  decode: Decode<A>,
  turn: Turn,
): Result<ReadonlyArray<A> | null> => {
  const seq = socket.nextSeq()
  const sent = await socket.send(encode([{ seq, request }], 0), turn)
  if (E.isLeft(sent)) return sent
  const found: A[] = []
  let overtaken = false
  const listened = await listen(socket, turn, (message) => {
    if (message.seq !== seq) return false
    if ((message.flags & NLM_F_DUMP_INTR) !== 0) overtaken = true
    if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
      const verdict = message.type === NLMSG_DONE ? verdictOfDone(message) : verdictOf(message)
      if (verdict === null) return MALFORMED
      return verdict.code === 0 || { tag: 'Refused', ack: ackOf(request, verdict) }
    }
    const value = decode(message.body)
    if (value !== null) found.push(value)
    return false
  })
  if (E.isLeft(listened)) return listened
  return E.right(overtaken ? null : found)
}

/**
 * All answers to a dump request. It is repeated when changes overtook it. Left: Refused, Interrupted after many tries, Overrun.
 * `decode` must not keep views of what it is given: the buffer is used again.
 */
export const dump =
  <A>(
    socket: Socket,
    request: Request,
    decode: Decode<A>,
    turn: Turn = 'aside',
  ): TaskEither<NetlinkError, ReadonlyArray<A>> =>
  () =>
    socket.alone(async () => {
      for (let tries = 0; tries < DUMP_TRIES; tries++) {
        const found = await dumpOnce(socket, request, decode, turn)
        if (E.isLeft(found)) return found
        if (found.right !== null) return E.right(found.right)
      }
      return E.left({ tag: 'Interrupted', tries: DUMP_TRIES })
    })

// One TCP connection to one server of ZooKeeper, for one session. Requests are answered in the order in which they are made, and
// what a watch has to tell comes before the answer that shows it; both orders are kept here. A connection that is silent for
// two thirds of the session's time is given up, so that another server can be found in the last third.
// Source: ZooKeeper Programmer's Guide, "Consistency Guarantees" and "ZooKeeper Sessions".

import { createConnection, type Socket } from 'node:net'
import { E, type Either } from '../../prelude.ts'
import { type Member, showMember } from '../url.ts'
import { type Reader, readerOf } from './jute.ts'
import {
  auth,
  CODE,
  type Hello,
  helloFrame,
  ping,
  type Request,
  readEvent,
  readReplyHead,
  readWelcome,
  requestFrame,
  type SessionId,
  type WatchEvent,
  XID,
} from './protocol.ts'

/** `Lost`: no answer came, and the request may have been done or not. `Refused`: the server answered with this code. */
export type Fault = Readonly<{ tag: 'Lost'; why: string } | { tag: 'Expired' } | { tag: 'Refused'; code: number }>
export type Answer<A> = Either<Fault, A>

/** Null: there is no such znode. */
export const ifThere = <A>(answer: Answer<A>): Answer<A | null> =>
  E.isLeft(answer) && answer.left.tag === 'Refused' && answer.left.code === CODE.noNode ? E.right(null) : answer

export type Connection = Readonly<{
  session: SessionId
  /** The session's, as the server grants it. */
  timeoutMs: number
  /** What the server has been heard to answer was asked at this time or later, by `performance.now`. */
  heardMs: () => number
  request: <A>(request: Request<A>) => Promise<Answer<A>>
  /** A transaction that the server had seen when it last answered. */
  zxid: () => number
  alive: () => boolean
  /** Everything still unanswered is lost. */
  drop: (why: string) => void
  ended: Promise<string>
}>

export type ConnectOptions = Hello &
  Readonly<{
    member: Member
    /** How long the server may take to welcome us. */
    patienceMs: number
    /** user:password */
    login: string | null
    /** Withdraws the wish for a connection; one that is there is dropped by `drop`. */
    signal: AbortSignal
    onEvent: (event: WatchEvent) => void
  }>

/** Nothing that ZooKeeper sends is longer; the first bytes of HTTP and of TLS, read as a length, are. */
const MAX_FRAME_BYTES = 2 ** 28

/** Calls with each whole frame. Throws on a length that cannot be. */
const framesOf = (each: (frame: Buffer) => void): ((chunk: Buffer) => void) => {
  let chunks: Buffer[] = []
  let have = 0
  let want = 4
  return (chunk) => {
    chunks.push(chunk)
    have += chunk.length
    if (have < want) return
    let bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks)
    for (;;) {
      want = bytes.length < 4 ? 4 : 4 + bytes.readInt32BE(0)
      if (want < 4 || want > MAX_FRAME_BYTES) throw new RangeError('its length cannot be')
      if (bytes.length < want || bytes.length < 4) break
      const frame = bytes.subarray(4, want)
      bytes = bytes.subarray(want)
      each(frame)
    }
    chunks = [bytes]
    have = bytes.length
  }
}

/** Either the answer is read by whoever asked, or they are told why there is none. */
type Asked = Readonly<{ askedMs: number; take: (answer: Answer<Reader>) => void }>

type Welcome = ReturnType<typeof readWelcome> & Pick<Asked, 'askedMs'>

const talk = (socket: Socket, options: ConnectOptions, welcome: Welcome, ended: Promise<string>) => {
  /** By the requests' numbers, of which only one at a time is a ping's. */
  const asked = new Map<number, Asked>()
  let xid = 0
  let zxid = options.lastZxid
  let heardMs = welcome.askedMs
  let over: string | null = null
  let corked = false

  const drop = (why: string): void => {
    if (over !== null) return
    over = why
    clearInterval(pinging)
    socket.destroy(new Error(why))
    for (const { take } of asked.values()) take(E.left({ tag: 'Lost', why }))
    asked.clear()
  }
  const say = (number: number, request: Request<unknown>, take: Asked['take']): void => {
    if (over !== null) {
      take(E.left({ tag: 'Lost', why: over }))
      return
    }
    asked.set(number, { askedMs: performance.now(), take })
    if (!corked) {
      corked = true
      socket.cork()
      setImmediate(() => {
        corked = false
        socket.uncork()
      })
    }
    socket.write(requestFrame(number, request))
  }
  const hear = (frame: Buffer): void => {
    const from = readerOf(frame)
    const head = readReplyHead(from)
    if (head.xid === XID.event) options.onEvent(readEvent(from))
    else answer(head, from)
  }
  const answer = (head: ReturnType<typeof readReplyHead>, from: Reader): void => {
    const request = asked.get(head.xid)
    if (request === undefined) throw new RangeError(`it answers request ${head.xid}, which was not made`)
    heardMs = Math.max(heardMs, request.askedMs)
    zxid = Math.max(zxid, head.zxid)
    if (head.code === CODE.sessionExpired || head.code === CODE.sessionMoved) {
      drop('the session has ended')
    } else {
      request.take(head.code === CODE.ok ? E.right(from) : E.left({ tag: 'Refused', code: head.code }))
      // Not before: an answer that cannot be read leaves its request to be told that it is lost.
      asked.delete(head.xid)
    }
  }
  let listenedMs = performance.now()
  const pinging = setInterval(() => {
    const silentMs = performance.now() - listenedMs
    if (silentMs > (welcome.timeoutMs * 2) / 3)
      drop(`${showMember(options.member)} has not answered for ${Math.round(silentMs)} ms`)
    else if (!asked.has(XID.ping)) say(XID.ping, ping, () => undefined)
  }, welcome.timeoutMs / 4)
  void ended.then(drop)

  const connection: Connection = {
    ...welcome,
    heardMs: () => heardMs,
    zxid: () => zxid,
    alive: () => over === null,
    request: (request) =>
      new Promise((resolve) => {
        xid = xid === 0x7fffffff ? 1 : xid + 1
        say(xid, request, (answer) => resolve(E.isLeft(answer) ? answer : E.right(request.read(answer.right))))
      }),
    drop,
    ended,
  }
  if (options.login !== null)
    say(XID.auth, auth(options.login), (answer) => E.isLeft(answer) && drop('the login was refused'))
  return {
    connection,
    hear: (frame: Buffer): void => {
      listenedMs = performance.now()
      hear(frame)
    },
  }
}

/** Left `Expired`: there is no such session any more. */
export const connect = (options: ConnectOptions): Promise<Answer<Connection>> =>
  new Promise((resolve) => {
    const { host, port } = options.member
    const name = showMember(options.member)
    const socket = createConnection({ host, port, noDelay: true })
    const ended = new Promise<string>((end) => {
      socket.on('error', (error) => end(error.message))
      socket.on('close', () => end(`${name} closed the connection`))
    })
    void ended.then((why) => resolve(E.left({ tag: 'Lost', why })))
    const giveUp = (): unknown => socket.destroy(new Error(`${name} did not answer in time`))
    const patience = setTimeout(giveUp, options.patienceMs)
    options.signal.addEventListener('abort', giveUp)
    const decided = (): void => {
      clearTimeout(patience)
      options.signal.removeEventListener('abort', giveUp)
    }
    let askedMs = 0
    let hear = (first: Buffer): void => {
      decided()
      const welcome = readWelcome(readerOf(first))
      if (welcome.timeoutMs <= 0) {
        resolve(E.left({ tag: 'Expired' }))
        return void socket.destroy()
      }
      const talking = talk(socket, options, { ...welcome, askedMs }, ended)
      hear = talking.hear
      resolve(E.right(talking.connection))
    }
    const take = framesOf((frame) => hear(frame))
    socket.once('connect', () => {
      askedMs = performance.now()
      socket.write(helloFrame(options))
    })
    socket.once('close', decided)
    socket.on('data', (chunk) => {
      try {
        take(chunk)
      } catch (defect) {
        // Only what the server sent can have thrown: what is told to others never does.
        socket.destroy(new Error(`${name} does not speak ZooKeeper’s protocol: ${String(defect)}`))
      }
    })
  })

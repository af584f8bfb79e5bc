// Requests to one member by gRPC, which is HTTP/2: a message each way behind five bytes, or a stream of them, and at the end a status
// (github.com/grpc/grpc, PROTOCOL-HTTP2.md). All requests to a member share one connection; when a member does not answer in time, its
// connection is given up, and with it whatever else waits there. See docs/decisions/0013-etcd-by-grpc.md.

import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2'
import { E, type Either } from '../../prelude.ts'
import { codeOf, connectionFault } from '../http/fault.ts'
import type { Tls } from '../http/tls.ts'
import { type Member, showMember } from '../url.ts'
import { type Fault, faultOf, notEtcd } from './fault.ts'
import { METHODS, type Message, type Method } from './messages.ts'

export type Request = Readonly<{ member: Member; method: Method; message: Message; token: string | null }>

export type Grpc = Readonly<{
  /** One message for one. */
  call: (request: Request, timeoutMs: number) => Promise<Either<Fault, Message>>
  /** `end` is called once, unless the stream is stopped first. Returns how to stop it. */
  stream: (request: Request, hear: (message: Message) => void, end: (fault: Fault) => void) => () => void
  close: () => void
}>

/** `isMade`: what is asked may arrive. `speaks`: it is a server of HTTP/2. `waiting`: so many requests. */
type Connection = { readonly session: ClientHttp2Session; isMade: boolean; speaks: boolean; waiting: number }

const LATE = new Error('it did not answer in time')
const CLOSED = new Error('the connection broke')

const GRPC = 'application/grpc'
const HEAD_BYTES = 5
/** What may be under way to us without our leave, of one request and of all; a page of a listing may be larger than the default, 64 KiB. */
const WINDOW_BYTES = 4 << 20
const CONNECTION_WINDOW_BYTES = 16 << 20
/** Of HTTP. */
const OK = 200
/** And what gRPC's own status UNIMPLEMENTED comes to. */
const NOT_FOUND = 404
const UNIMPLEMENTED = '12'

const framed = (bytes: Uint8Array): Buffer => {
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

/** Takes what arrives apart into messages. */
const unframed = (hear: (bytes: Uint8Array) => void) => {
  let rest: Buffer = Buffer.alloc(0)
  return (part: Buffer): void => {
    rest = rest.length === 0 ? part : Buffer.concat([rest, part])
    let at = 0
    while (rest.length - at >= HEAD_BYTES) {
      const end = at + HEAD_BYTES + rest.readUInt32BE(at + 1)
      if (rest.length < end) break
      hear(rest.subarray(at + HEAD_BYTES, end))
      at = end
    }
    rest = rest.subarray(at)
  }
}

/** What ended a request that waited for a connection is why there is none. */
const causeOf = (defect: Error): unknown => (defect.cause instanceof Error ? defect.cause : defect)

type Headers = IncomingHttpHeaders & IncomingHttpStatusHeader

/** How a request ended by the member's own account: null, well. Undefined: it does not say yet. */
const statusIn = (place: string, headers: Headers): Fault | null | undefined => {
  const { 'grpc-status': status, 'grpc-message': said = '' } = headers
  if (status === undefined) return undefined
  if (status === '0') return null
  return faultOf(place, status === UNIMPLEMENTED ? NOT_FOUND : OK, decodeURIComponent(`${said}`))
}

/** Of an answer's beginning; who is none of gRPC's kind says it by HTTP. */
const firstStatusIn = (place: string, headers: Headers): Fault | null | undefined => {
  const { ':status': http = OK, 'content-type': type = '' } = headers
  return http === OK && type.startsWith(GRPC) ? statusIn(place, headers) : faultOf(place, http, '')
}

/** `place`: the store, for sentences. */
export const makeGrpc = (place: string, tls: Tls | null): Grpc => {
  const secrets = Object.fromEntries(Object.entries(tls ?? {}).filter(([, pem]) => pem !== null))
  const connections = new Map<string, Connection>()

  const connect = (member: Member): Connection => {
    const name = showMember(member)
    const known = connections.get(name)
    if (known !== undefined && !known.session.closed && !known.session.destroyed) return known
    const session = http2.connect(`${tls === null ? 'http' : 'https'}://${name}`, {
      ...secrets,
      settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
    })
    const made: Connection = { session, isMade: false, speaks: false, waiting: 0 }
    connections.set(name, made)
    session.on('connect', () => {
      made.isMade = true
      // It may have been given up in the same moment.
      if (!session.destroyed) session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
    })
    session.on('remoteSettings', () => {
      made.speaks = true
    })
    // Each request hears of it by itself.
    session.on('error', () => undefined)
    session.on('close', () => {
      if (connections.get(name) === made) connections.delete(name)
    })
    return made
  }

  /** `end` is called once; null: the member says that all is well. */
  const begin = (
    { member, method, message, token }: Request,
    hear: (bytes: Uint8Array) => void,
    end: (fault: Fault | null) => void,
  ): Readonly<{ connection: Connection; stream: ClientHttp2Stream }> => {
    const connection = connect(member)
    const { session } = connection
    const stream = session.request({
      ':method': 'POST',
      ':path': METHODS[method].path,
      'content-type': GRPC,
      te: 'trailers',
      hasleader: 'true',
      ...(token === null ? {} : { token }),
    })
    if (connection.waiting++ === 0) session.ref()
    let said: Fault | null | undefined
    let defect: unknown = CLOSED
    stream.on('response', (headers) => {
      said = firstStatusIn(place, headers)
    })
    stream.on('trailers', (headers) => {
      said ??= statusIn(place, headers)
    })
    stream.on('data', unframed(hear))
    stream.on('error', (error) => {
      defect = causeOf(error)
    })
    stream.on('close', () => {
      // Nothing but a request keeps the process alive.
      if (--connection.waiting === 0 && !session.destroyed) session.unref()
      if (said !== undefined) end(said)
      else if (!connection.speaks && codeOf(defect) === 'ERR_HTTP2_ERROR') end(notEtcd(place, 'no HTTP/2'))
      else end(connectionFault(place, showMember(member), defect, connection.isMade))
    })
    stream.write(framed(METHODS[method].encode(message)))
    return { connection, stream }
  }

  const decoded = (method: Method, bytes: Uint8Array): Either<Fault, Message> => {
    try {
      return E.right(METHODS[method].decode(bytes))
    } catch (error) {
      return E.left(faultOf(place, NOT_FOUND, error instanceof Error ? error.message : String(error)))
    }
  }

  return {
    call: (asked, timeoutMs) =>
      new Promise((resolve) => {
        let answer: Either<Fault, Message> | null = null
        const { connection, stream } = begin(
          asked,
          (bytes) => {
            answer ??= decoded(asked.method, bytes)
          },
          (fault) => {
            clearTimeout(timer)
            resolve(fault === null ? (answer ?? E.left(faultOf(place, NOT_FOUND, ''))) : E.left(fault))
          },
        )
        stream.end()
        const timer = setTimeout(() => connection.session.destroy(LATE), timeoutMs)
      }),
    stream: (asked, hear, end) => {
      let isOver = false
      const settle = (fault: Fault): void => {
        if (isOver) return
        isOver = true
        stream.close(http2.constants.NGHTTP2_CANCEL)
        end(fault)
      }
      const { stream } = begin(
        asked,
        (bytes) => {
          if (isOver) return
          const message = decoded(asked.method, bytes)
          if (E.isLeft(message)) settle(message.left)
          else hear(message.right)
        },
        (fault) => settle(fault ?? { tag: 'Unclear', why: `${showMember(asked.member)}: the stream has ended` }),
      )
      return () => {
        isOver = true
        stream.close(http2.constants.NGHTTP2_CANCEL)
      }
    },
    close: () => {
      for (const { session } of connections.values()) session.destroy()
    },
  }
}

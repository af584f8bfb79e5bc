// Requests to one member: JSON over HTTP, as etcd's own gateway takes it (docs/decisions/0013-etcd-by-its-gateway.md). An answer is
// one object, or of a stream one object a line.

import { E, type Either } from '../../prelude.ts'
import { makeExchange, type Request as Sent } from '../http/exchange.ts'
import type { Tls } from '../http/tls.ts'
import { type Member, showMember } from '../url.ts'
import { objectIn } from './answer.ts'
import { type Fault, faultOf } from './fault.ts'

export type Json = Readonly<Record<string, unknown>>
export type Request = Readonly<{ member: Member; path: string; body: Json; token: string | null }>

export type Http = Readonly<{
  post: (request: Request, timeoutMs: number) => Promise<Either<Fault, Json>>
  /** `end` is called once, unless the stream is stopped first. Returns how to stop it. */
  stream: (request: Request, hear: (line: Json) => void, end: (fault: Fault) => void) => () => void
  close: () => void
}>

export const readJson = (text: string): Json => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

/** Of an answer that is no 200, or of a line of a stream. */
const messageIn = (json: Json): string => {
  const { error } = json
  const message = typeof error === 'string' ? error : objectIn(json, 'error')['message']
  return typeof message === 'string' ? message : ''
}

const sentOf = ({ member, path, body, token }: Request): Sent => ({
  member,
  method: 'POST',
  path: `/v3/${path}`,
  headers: {
    'content-type': 'application/json',
    'grpc-metadata-hasleader': 'true',
    ...(token === null ? {} : { authorization: token }),
  },
  body: JSON.stringify(body),
})

/** `place`: the store, for sentences. */
export const makeHttp = (place: string, tls: Tls | null): Http => {
  const exchange = makeExchange(place, tls)
  return {
    post: async (asked, timeoutMs) => {
      const answer = await exchange.ask(sentOf(asked), timeoutMs)
      if (E.isLeft(answer)) return answer
      const { status, text } = answer.right
      const json = readJson(text)
      const isEtcds = 'header' in json || 'result' in json
      return status === 200 && isEtcds ? E.right(json) : E.left(faultOf(place, status, messageIn(json)))
    },
    stream: (asked, hear, end) => {
      let isOver = false
      const settle = (fault: Fault): void => {
        if (isOver) return
        isOver = true
        sending.destroy()
        end(fault)
      }
      const sending = exchange.begin(
        sentOf(asked),
        (answer) => {
          let rest = ''
          answer.setEncoding('utf8')
          answer.on('data', (part) => {
            const lines = `${rest}${part}`.split('\n')
            rest = lines.pop() ?? ''
            for (const line of lines) {
              if (isOver) return
              const json = readJson(line)
              if (answer.statusCode !== 200 || 'error' in json)
                settle(faultOf(place, answer.statusCode ?? 0, messageIn(json)))
              else hear(json)
            }
          })
          answer.on('end', () => {
            if (answer.statusCode !== 200) settle(faultOf(place, answer.statusCode ?? 0, messageIn(readJson(rest))))
            settle({ tag: 'Unclear', why: `${showMember(asked.member)}: the stream has ended` })
          })
        },
        settle,
      )
      return () => {
        isOver = true
        sending.destroy()
      }
    },
    close: exchange.close,
  }
}

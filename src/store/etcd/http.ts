// Requests to one member: JSON over HTTP, as etcd's own gateway takes it (docs/decisions/0013-etcd-by-its-gateway.md). An answer is
// one object, or of a stream one object a line.

import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { E, type Either } from '../../prelude.ts'
import { type Member, showMember } from '../url.ts'
import { objectIn } from './answer.ts'
import { connectionFault, type Fault, faultOf } from './fault.ts'

/** PEM. */
export type Tls = Readonly<{ ca: string | null; cert: string | null; key: string | null }>
export type Json = Readonly<Record<string, unknown>>
export type Request = Readonly<{ member: Member; path: string; body: Json; token: string | null }>

export type Http = Readonly<{
  post: (request: Request, timeoutMs: number) => Promise<Either<Fault, Json>>
  /** `end` is called once, unless the stream is stopped first. Returns how to stop it. */
  stream: (request: Request, hear: (line: Json) => void, end: (fault: Fault) => void) => () => void
  close: () => void
}>

const LATE = new Error('it did not answer in time')

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

/** `place`: the store, for sentences. */
export const makeHttp = (place: string, tls: Tls | null): Http => {
  const options = { keepAlive: true, maxFreeSockets: 16 }
  const secrets = Object.fromEntries(Object.entries(tls ?? {}).filter(([, pem]) => pem !== null))
  const agent = tls === null ? new http.Agent(options) : new https.Agent({ ...options, ...secrets })
  const request = tls === null ? http.request : https.request

  /** `settle` may be called more than once. */
  const begin = (
    { member, path, body, token }: Request,
    answered: (answer: IncomingMessage) => void,
    settle: (fault: Fault) => void,
  ): ClientRequest => {
    const { host, port } = member
    const text = JSON.stringify(body)
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      'grpc-metadata-hasleader': 'true',
      ...(token === null ? {} : { authorization: token }),
    }
    const sending = request({ host, port, path: `/v3/${path}`, method: 'POST', headers, agent })
    let isSent = false
    sending.on('socket', (socket) => {
      if (sending.reusedSocket) isSent = true
      else
        socket.once(tls === null ? 'connect' : 'secureConnect', () => {
          isSent = true
        })
    })
    sending.on('error', (defect) => settle(connectionFault(place, showMember(member), defect, isSent)))
    sending.on('response', (answer) => {
      answer.on('error', (defect) => settle(connectionFault(place, showMember(member), defect, true)))
      answered(answer)
    })
    sending.end(text)
    return sending
  }

  return {
    post: (asked, timeoutMs) =>
      new Promise((resolve) => {
        const sending = begin(
          asked,
          (answer) => {
            let text = ''
            answer.setEncoding('utf8')
            answer.on('data', (part) => {
              text += part
            })
            answer.on('end', () => {
              clearTimeout(timer)
              const json = readJson(text)
              const { statusCode = 0 } = answer
              const isEtcds = 'header' in json || 'result' in json
              const isRight = statusCode === 200 && isEtcds
              resolve(isRight ? E.right(json) : E.left(faultOf(place, statusCode, messageIn(json))))
            })
          },
          (fault) => {
            clearTimeout(timer)
            resolve(E.left(fault))
          },
        )
        const timer = setTimeout(() => sending.destroy(LATE), timeoutMs)
      }),
    stream: (asked, hear, end) => {
      let isOver = false
      const settle = (fault: Fault): void => {
        if (isOver) return
        isOver = true
        sending.destroy()
        end(fault)
      }
      const sending = begin(
        asked,
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
    close: () => agent.destroy(),
  }
}

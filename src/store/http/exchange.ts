// Requests to one server over HTTP, on connections that are kept. Whether a request that got no answer may have been done depends on
// whether it can have reached the server: the fault says so.

import http, { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import https from 'node:https'
import { E, type Either } from '../../prelude.ts'
import { type Member, showMember } from '../url.ts'
import { connectionFault, type Fault } from './fault.ts'
import type { Tls } from './tls.ts'

/** `path`: from the root. `body` null: there is none. */
export type Request = Readonly<{
  member: Member
  method: 'GET' | 'PUT'
  path: string
  headers: OutgoingHttpHeaders
  body: string | null
}>
export type Response = Readonly<{ status: number; header: (name: string) => string | null; text: string }>

export type Exchange = Readonly<{
  ask: (request: Request, timeoutMs: number) => Promise<Either<Fault, Response>>
  close: () => void
}>

const LATE = new Error('it did not answer in time')

/** `place`: the store, for sentences. */
export const makeExchange = (place: string, tls: Tls | null): Exchange => {
  const options = { keepAlive: true, maxFreeSockets: 16 }
  const secrets = Object.fromEntries(Object.entries(tls ?? {}).filter(([, pem]) => pem !== null))
  const agent = tls === null ? new http.Agent(options) : new https.Agent({ ...options, ...secrets })
  const request = tls === null ? http.request : https.request

  /** `settle` may be called more than once. */
  const begin = (
    { member, method, path, headers, body }: Request,
    answered: (answer: IncomingMessage) => void,
    settle: (fault: Fault) => void,
  ): ClientRequest => {
    const { host, port } = member
    const length = body === null ? {} : { 'content-length': Buffer.byteLength(body) }
    const sending = request({ host, port, path, method, headers: { ...headers, ...length }, agent })
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
    sending.end(body ?? undefined)
    return sending
  }

  return {
    ask: (asked, timeoutMs) =>
      new Promise((resolve) => {
        const answered = (answer: IncomingMessage): void => {
          let text = ''
          answer.setEncoding('utf8')
          answer.on('data', (part) => {
            text += part
          })
          answer.on('end', () => {
            clearTimeout(timer)
            const header = (name: string): string | null => {
              const value = answer.headers[name]
              return typeof value === 'string' ? value : null
            }
            resolve(E.right({ status: answer.statusCode ?? 0, header, text }))
          })
        }
        const sending = begin(asked, answered, (fault) => {
          clearTimeout(timer)
          resolve(E.left(fault))
        })
        const timer = setTimeout(() => sending.destroy(LATE), timeoutMs)
      }),
    close: () => agent.destroy(),
  }
}

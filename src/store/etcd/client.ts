// The cluster as one server: a request goes to the member that answered last, to the next when that one does not, and again until
// the patience is over. What may have been done is sent again only if the caller says that doing it twice does no harm.

import { setTimeout as sleep } from 'node:timers/promises'
import { E, type Either } from '../../prelude.ts'
import type { Member } from '../url.ts'
import type { Fault } from './fault.ts'
import { type Http, type Json, makeHttp, type Tls } from './http.ts'

export type ClientOptions = Readonly<{
  /** For sentences. */
  place: string
  members: ReadonlyArray<Member>
  login: Readonly<{ name: string; password: string }> | null
  tls: Tls | null
  /** So long one member may take to answer. */
  attemptMs: number
  /** So long a request is tried. */
  patienceMs: number
}>

export type Answer = Promise<Either<Fault, Json>>

export type Client = Readonly<{
  /** What changes nothing, or nothing more when it is done twice. */
  ask: (path: string, body: Json, patienceMs?: number) => Answer
  /** Left `Unclear`: it may have been done, or be done yet. */
  send: (path: string, body: Json) => Answer
  /** One attempt at one member. */
  askMember: (at: number, path: string, body: Json) => Answer
  /** A stream from a member; `at` counts on from the one that answered last. */
  stream: (at: number, path: string, body: Json, hear: (line: Json) => void, end: (fault: Fault) => void) => () => void
  /** The place of the member that answered last. */
  preferred: () => number
  close: () => void
}>

const BETWEEN_ROUNDS_MS = 100
/** A token that is refused as soon as it is given will be refused again. */
const MAX_LOGINS = 3

const isRefusal = (fault: Fault): fault is Extract<Fault, { tag: 'Refused' }> => fault.tag === 'Refused'

/** The token is had when first needed, and again when it is refused. */
const makeTokens = (http: Http, { login, attemptMs }: ClientOptions) => {
  let asking: Promise<Either<Fault, string | null>> | null = null
  let known: string | null = null
  const authenticate = async (member: Member): Promise<Either<Fault, string | null>> => {
    const body = { name: login?.name, password: login?.password }
    const answer = await http.post({ member, path: 'auth/authenticate', body, token: null }, attemptMs)
    asking = null
    if (E.isLeft(answer)) return answer.left.tag === 'Unclear' ? E.left({ ...answer.left, tag: 'Elsewhere' }) : answer
    known = String(answer.right['token'] ?? '')
    return E.right(known)
  }
  return {
    get: async (member: Member): Promise<Either<Fault, string | null>> => {
      if (login === null || known !== null) return E.right(known)
      asking ??= authenticate(member)
      return asking
    },
    forget: (token: string | null): void => {
      if (known === token) known = null
    },
  }
}

export const makeClient = (options: ClientOptions): Client => {
  const { place, members, attemptMs, patienceMs: usual } = options
  const http = makeHttp(place, options.tls)
  const tokens = makeTokens(http, options)
  let preferred = 0
  const memberAt = (at: number): Member => {
    const member = members[at % members.length]
    if (member === undefined) throw new Error('a cluster has members')
    return member
  }

  const attempt = async (at: number, path: string, body: Json): Answer => {
    const member = memberAt(at)
    for (let login = 1; ; login++) {
      const token = await tokens.get(member)
      if (E.isLeft(token)) return token
      const answer = await http.post({ member, path, body, token: token.right }, attemptMs)
      if (E.isRight(answer)) preferred = at % members.length
      if (E.isRight(answer) || answer.left.tag !== 'StaleToken' || login === MAX_LOGINS) return answer
      tokens.forget(token.right)
    }
  }

  const persist = async (path: string, body: Json, again: boolean, patienceMs: number): Answer => {
    const start = performance.now()
    const first = preferred
    let denials = 0
    for (let at = 0; ; at++) {
      const answer = await attempt(first + at, path, body)
      if (E.isRight(answer)) return answer
      const fault = answer.left
      if (!isRefusal(fault) && fault.tag !== 'Elsewhere' && !(again && fault.tag === 'Unclear')) return answer
      // Another member may have a better certificate.
      denials = isRefusal(fault) ? denials + 1 : 0
      if (isRefusal(fault) && (fault.error.tag !== 'StoreDenied' || denials === members.length)) return answer
      if (performance.now() - start > patienceMs) return answer
      if ((at + 1) % members.length === 0) await sleep(BETWEEN_ROUNDS_MS)
    }
  }

  return {
    ask: (path, body, patienceMs = usual) => persist(path, body, true, patienceMs),
    send: (path, body) => persist(path, body, false, usual),
    askMember: attempt,
    stream: (at, path, body, hear, end) => {
      let stop = (): void => {}
      let isStopped = false
      void tokens.get(memberAt(at)).then((token) => {
        if (isStopped) return
        if (E.isLeft(token)) return end(token.left)
        stop = http.stream({ member: memberAt(at), path, body, token: token.right }, hear, (fault) => {
          if (fault.tag === 'StaleToken') tokens.forget(token.right)
          end(fault)
        })
      })
      return () => {
        isStopped = true
        stop()
      }
    },
    preferred: () => preferred,
    close: http.close,
  }
}

// The cluster as one server (../http/members.ts), and the token that says who we are, where etcd asks for one.

import { E, type Either } from '../../prelude.ts'
import { memberAt, persist } from '../http/members.ts'
import type { Tls } from '../http/tls.ts'
import type { Member } from '../url.ts'
import type { Fault } from './fault.ts'
import { type Http, type Json, makeHttp } from './http.ts'

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

/** A token that is refused as soon as it is given will be refused again. */
const MAX_LOGINS = 3

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

  const attempt = async (at: number, path: string, body: Json): Answer => {
    const member = memberAt(members, at)
    for (let login = 1; ; login++) {
      const token = await tokens.get(member)
      if (E.isLeft(token)) return token
      const answer = await http.post({ member, path, body, token: token.right }, attemptMs)
      if (E.isRight(answer)) preferred = at % members.length
      if (E.isRight(answer) || answer.left.tag !== 'StaleToken' || login === MAX_LOGINS) return answer
      tokens.forget(token.right)
    }
  }

  const asking = (path: string, body: Json, again: boolean, patienceMs: number): Answer =>
    persist((at) => attempt(at, path, body), members.length, { first: preferred, again, patienceMs })

  return {
    ask: (path, body, patienceMs = usual) => asking(path, body, true, patienceMs),
    send: (path, body) => asking(path, body, false, usual),
    askMember: attempt,
    stream: (at, path, body, hear, end) => {
      let stop = (): void => {}
      let isStopped = false
      void tokens.get(memberAt(members, at)).then((token) => {
        if (isStopped) return
        if (E.isLeft(token)) return end(token.left)
        stop = http.stream({ member: memberAt(members, at), path, body, token: token.right }, hear, (fault) => {
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

// The cluster as one server (../http/members.ts), and the token that says who we are, where etcd asks for one.

import { E, type Either } from '../../prelude.ts'
import { memberAt, persist } from '../http/members.ts'
import type { Tls } from '../http/tls.ts'
import type { Member } from '../url.ts'
import type { Fault } from './fault.ts'
import { type Grpc, makeGrpc } from './grpc.ts'
import type { Message, Method } from './messages.ts'

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

export type Answer = Promise<Either<Fault, Message>>

export type Client = Readonly<{
  /** What changes nothing, or nothing more when it is done twice. */
  ask: (method: Method, message: Message, patienceMs?: number) => Answer
  /** Left `Unclear`: it may have been done, or be done yet. */
  send: (method: Method, message: Message) => Answer
  /** One attempt at one member. */
  askMember: (at: number, method: Method, message: Message) => Answer
  /** A stream from a member; `at` counts on from the one that answered last. */
  stream: (
    at: number,
    method: Method,
    message: Message,
    hear: (message: Message) => void,
    end: (fault: Fault) => void,
  ) => () => void
  /** The place of the member that answered last. */
  preferred: () => number
  close: () => void
}>

/** A token that is refused as soon as it is given will be refused again. */
const MAX_LOGINS = 3

/** The token is had when first needed, and again when it is refused. */
const makeTokens = (grpc: Grpc, { login, attemptMs }: ClientOptions) => {
  let asking: Promise<Either<Fault, string | null>> | null = null
  let known: string | null = null
  const authenticate = async (member: Member): Promise<Either<Fault, string | null>> => {
    const message = { name: login?.name, password: login?.password }
    const answer = await grpc.call({ member, method: 'authenticate', message, token: null }, attemptMs)
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
  const grpc = makeGrpc(place, options.tls)
  const tokens = makeTokens(grpc, options)
  let preferred = 0

  const attempt = async (at: number, method: Method, message: Message): Answer => {
    const member = memberAt(members, at)
    for (let login = 1; ; login++) {
      const token = await tokens.get(member)
      if (E.isLeft(token)) return token
      const answer = await grpc.call({ member, method, message, token: token.right }, attemptMs)
      if (E.isRight(answer)) preferred = at % members.length
      if (E.isRight(answer) || answer.left.tag !== 'StaleToken' || login === MAX_LOGINS) return answer
      tokens.forget(token.right)
    }
  }

  const asking = (method: Method, message: Message, again: boolean, patienceMs: number): Answer =>
    persist((at) => attempt(at, method, message), members.length, { first: preferred, again, patienceMs })

  return {
    ask: (method, message, patienceMs = usual) => asking(method, message, true, patienceMs),
    send: (method, message) => asking(method, message, false, usual),
    askMember: attempt,
    stream: (at, method, message, hear, end) => {
      let stop = (): void => {}
      let isStopped = false
      void tokens.get(memberAt(members, at)).then((token) => {
        if (isStopped) return
        if (E.isLeft(token)) return end(token.left)
        stop = grpc.stream({ member: memberAt(members, at), method, message, token: token.right }, hear, (fault) => {
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
    close: grpc.close,
  }
}

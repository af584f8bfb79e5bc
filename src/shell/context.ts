// Where a command runs and how it is to answer; and the look at a stack that most begin with.

import { type Errno, strerror } from '../kernel/errno.ts'
import type { Ask } from '../kernel/rtnl/request.ts'
import type { LinkFacts, Stack } from '../kernel/rtnl/stack.ts'
import { indexInName } from '../kernel/rtnl/unasked.ts'
import { type Family, isIp4 } from '../net/ip.ts'
import { type IfName, type Ns, parseIfName } from '../net/name.ts'
import { E } from '../prelude.ts'
import { type Done, failed, printed, QUIET } from './done.ts'
import { jsonOf, type Piece, textOf } from './piece.ts'
import { asking, type Refusal, type Talk } from './terminal.ts'

/** `family` null: any. `details`: how often `-d` was said. */
export type Options = Readonly<{
  family: Family | null
  json: boolean
  pretty: boolean
  details: boolean
  brief: boolean
  oneline: boolean
  force: boolean
  all: boolean
}>
export const PLAIN: Options = {
  family: null,
  json: false,
  pretty: false,
  details: false,
  brief: false,
  oneline: false,
  force: false,
  all: false,
}

/** `input`: what a pipe leads here. `beside`: it was to go on in the background. `run`: any command of the shell, in another namespace. */
export type Context = Readonly<{
  ns: Ns
  options: Options
  input: string
  beside: boolean
  run: (ns: Ns, words: ReadonlyArray<string>) => Talk<Done>
}>

const EMPTY: Stack = { links: [], addresses: [], routes: [], rules: [], neighbours: [], fdb: [], vlans: [] }

/** A namespace that has gone meanwhile has nothing. */
export function* lookAt(ns: Ns): Talk<Stack> {
  return (yield* asking((terminal) => terminal.stackOf(ns))) ?? EMPTY
}

export const linkCalled = (stack: Stack, name: string): LinkFacts | null => {
  const index = indexInName(name as IfName)
  // Cast: a name that is none is found nowhere; `if7` is the device of that number.
  return (
    stack.links.find((link) => link.name === name) ??
    (index === null ? null : (stack.links.find((link) => link.index === index) ?? null))
  )
}

/** Null: no device can have this name here. */
export const nameIn = (text: string): IfName | null => {
  const name = parseIfName(text)
  return E.isRight(name) ? name.right : null
}

/** As rtnl_talk tells of it: the kernel's own words, or strerror(3)'s. */
export const refusalText = ({ errno, words }: Refusal): string =>
  words === null ? `RTNETLINK answers: ${strerror[errno]}` : `Error: ${words}${words.endsWith('.') ? '' : '.'}`

/** `status`: what the program ends with when the kernel refuses; 2 for ip(8), 255 for bridge(8). */
export function* telling({ ns }: Context, ask: Ask, status = 2): Talk<Done> {
  const refusal = yield* asking((terminal) => terminal.ask({ ns, ask }))
  return refusal === null ? QUIET : failed(status, refusalText(refusal))
}

/** What the kernel would answer, had we asked it. */
export const answers = (errno: Errno, status = 2): Done => failed(status, refusalText({ errno, words: null }))

const NEWLINE_IN_ONE_LINE = '\\'
/** `_SL_` of iproute2: what parts the lines of one thing. */
export const lineBreak = ({ oneline }: Options): string => (oneline ? NEWLINE_IN_ONE_LINE : '\n')

/** Things as text, or all of them as one document. Those without text stand in the document only. */
export const shown = ({ json, pretty }: Options, things: ReadonlyArray<ReadonlyArray<Piece>>): Done =>
  printed(json ? jsonOf(things, pretty) : things.map(textOf).join(''))

export const familyWord = (ip: Parameters<typeof isIp4>[0]): 'inet' | 'inet6' => (isIp4(ip) ? 'inet' : 'inet6')

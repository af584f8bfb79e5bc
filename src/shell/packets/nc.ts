// nc(1) of OpenBSD over the wire: a client that says what it is given and prints what it hears, a look whether a port is open (-z), and
// a server, which may go on beside the commands (job.ts).
// Source: OpenBSD netcat 1.219 as Debian has it, netcat.c (main, readwrite, udptest).

import { type Ip, parseIp } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { type Context, lookAt, nameIn } from '../context.ts'
import { type Done, failed, notHere, QUIET } from '../done.ts'
import { errnoText } from '../errno-text.ts'
import type { Words } from '../match.ts'
import { asking, type Talk } from '../terminal.ts'
import { numberOf, U8, U16, U32 } from '../value.ts'
import { type Heard, NO_SETTINGS, type Wire } from '../wire.ts'
import { type Flags, type Letters, readFlags } from './flags.ts'
import { inBackground } from './job.ts'
import { LONGEST_MS } from './ping.ts'
import { isOfFamily, type Target, targetIn } from './target.ts'

const LETTERS: Letters = { valued: 'wpsqMTI', bare: '46nuvzNlkd' }
const USAGE = 'usage: nc [-46klNnuvz] [-p source_port] [-q seconds] [-s sourceaddr] [-w timeout] [destination] [port]'
/** Of a program that was interrupted (SIGINT). */
const INTERRUPTED = 130
/** How often and how far apart -z says something over UDP. */
const UDP_TRIES = 4
const UDP_GAP_MS = 1000

const familyIn = (flags: Flags['flags']): 4 | 6 | null => (flags.has('4') ? 4 : flags.has('6') ? 6 : null)

/** Also what a server is told, and that it was told too little. */
export function* listen(context: Context, words: Words, { flags, rest }: Flags): Talk<Done> {
  const named = flags.get('p') === undefined ? rest : [...rest, flags.get('p') ?? '']
  const port = numberOf(named.at(-1) ?? '', U16)
  const address = named.length > 1 ? targetIn(named[0] ?? '') : null
  if (named.length === 0 || named.length > 2) return failed(1, USAGE)
  if (port === null || port === 0) return failed(1, `nc: port number invalid: ${named.at(-1)}`)
  if (named.length > 1 && address === null) return failed(1, `nc: getaddrinfo: Name or service not known`)
  return yield* inBackground(context, 'nc', words, {
    does: 'listen',
    proto: flags.has('u') ? 'udp' : 'tcp',
    family: familyIn(flags),
    at: address?.ip ?? null,
    port,
    keep: flags.has('k'),
    says: context.input,
  })
}

type Call = Readonly<{
  host: string
  port: number
  target: Target
  proto: 'udp' | 'tcp'
  from: Ip | null
  waitMs: number | null
  loud: boolean
  only: boolean
  shuts: boolean
  input: string
}>

const failure = ({ host, port, proto, loud }: Call, why: string): Done =>
  loud ? failed(1, `nc: connect to ${host} port ${port} (${proto}) ${why}`) : { status: 1, stdout: '', stderr: '' }

const success = ({ host, port, proto, loud }: Call, stdout: string): Done => ({
  status: 0,
  stdout,
  stderr: loud ? `Connection to ${host} ${port} port [${proto}/*] succeeded!\n` : '',
})

const failedAt = (heard: ReadonlyArray<Heard>): string | null =>
  heard.flatMap((one) => (one.tag === 'failed' ? [one.errno] : []))[0] ?? null

/** `there`: connected; else an errno, or null if nothing came in time. `text`: what came along with that; `over`: the end, too. */
type Connected = Readonly<{ there: true | string | null; text: string; over: boolean }>

const textIn = (heard: ReadonlyArray<Heard>): string =>
  heard.map((one) => (one.tag === 'answer' ? one.text : '')).join('')
const isOver = (heard: ReadonlyArray<Heard>): boolean => heard.some(({ tag }) => tag === 'ended' || tag === 'failed')

function* connected(wire: Wire, socket: number, untilMs: number): Talk<Connected> {
  for (;;) {
    const heard = yield* asking(() => wire.hear(socket, untilMs))
    const there = heard.some(({ tag }) => tag === 'connected') || failedAt(heard)
    if (there !== null) return { there, text: textIn(heard), over: isOver(heard) }
    if (heard.length === 0) return { there: null, text: '', over: false }
  }
}

type Talked = Readonly<{ text: string; over: boolean }>

/** What the other side says until it ends, or is silent for too long; not over: it was interrupted in that. */
function* conversation(wire: Wire, socket: number, call: Call, begun: Talked, endMs: number): Talk<Talked> {
  let { text } = begun
  if (begun.over) return begun
  for (;;) {
    const nowMs = yield* asking(() => wire.nowMs())
    const heard = yield* asking(() => wire.hear(socket, Math.min(endMs, nowMs + (call.waitMs ?? LONGEST_MS))))
    text += textIn(heard)
    if (isOver(heard)) return { text, over: true }
    if (heard.length === 0) return { text, over: call.waitMs !== null }
  }
}

function* overTcp(wire: Wire, socket: number, call: Call): Talk<Done> {
  const beganMs = yield* asking(() => wire.nowMs())
  const endMs = beganMs + LONGEST_MS
  const begun = yield* connected(wire, socket, Math.min(endMs, beganMs + (call.waitMs ?? LONGEST_MS)))
  const { there } = begun
  if (there === null && call.waitMs !== null) return failure(call, 'timed out: Operation now in progress')
  if (there === null) return { ...QUIET, status: INTERRUPTED }
  if (there !== true) return failure(call, `failed: ${errnoText(there)}`)
  if (call.only) return success(call, '')
  if (call.input !== '') yield* asking(() => wire.send(socket, { proto: 'tcp', text: call.input }))
  if (call.shuts) yield* asking(() => wire.shut(socket))
  const { text, over } = yield* conversation(wire, socket, call, begun, endMs)
  return { ...success(call, text), status: over ? 0 : INTERRUPTED }
}

/** A port is taken for open that says nothing. */
function* looked(wire: Wire, socket: number, call: Call): Talk<Done> {
  for (let tries = 0; tries < UDP_TRIES; tries++) {
    const errno = yield* asking(() => wire.send(socket, { proto: 'udp', text: 'X' }))
    const nowMs = yield* asking(() => wire.nowMs())
    const heard = yield* asking(() => wire.hear(socket, nowMs + (tries === 0 ? 0 : UDP_GAP_MS)))
    if (errno !== null || failedAt(heard) !== null) return { status: 1, stdout: '', stderr: '' }
  }
  return success(call, '')
}

function* overUdp(wire: Wire, socket: number, call: Call): Talk<Done> {
  if (call.only) return yield* looked(wire, socket, call)
  const endMs = (yield* asking(() => wire.nowMs())) + LONGEST_MS
  if (call.input !== '') yield* asking(() => wire.send(socket, { proto: 'udp', text: call.input }))
  const { text, over } = yield* conversation(wire, socket, call, { text: '', over: false }, endMs)
  return { ...success(call, text), status: over ? 0 : INTERRUPTED }
}

const secondsIn = (text: string | undefined): number | null | 'wrong' => {
  if (text === undefined) return null
  return numberOf(text, U32) ?? 'wrong'
}

function* call(context: Context, wire: Wire, { flags, rest }: Flags): Talk<Done> {
  const [host, word, ...more] = rest
  if (host === undefined || word === undefined || more.length > 0) return failed(1, USAGE)
  const target = targetIn(host)
  const port = numberOf(word, U16)
  const wait = secondsIn(flags.get('w'))
  if (wait === 'wrong') return failed(1, `nc: timeout invalid: ${flags.get('w')}`)
  if (target === null || !isOfFamily(target, familyIn(flags)))
    return failed(1, `nc: getaddrinfo for host "${host}" port ${word}: Name or service not known`)
  if (port === null || port === 0) return failed(1, `nc: port number ${port === 0 ? 'too small' : 'invalid'}: ${word}`)
  const source = flags.get('s')
  const from = source === undefined ? null : parseIp(source)
  if (from !== null && E.isLeft(from)) return failed(1, `nc: getaddrinfo: Name or service not known`)
  if (target.zone !== null && nameIn(target.zone) === null) return failed(1, USAGE)
  const { links } = yield* lookAt(context.ns)
  if (target.zone !== null && !links.some(({ name }) => name === target.zone))
    return failed(1, `nc: getaddrinfo for host "${host}" port ${word}: Name or service not known`)
  const settings = {
    ...NO_SETTINGS,
    dev: target.zone,
    from: from === null ? null : from.right,
    ttl: flags.has('M') ? numberOf(flags.get('M') ?? '', U8) : null,
  }
  const proto = flags.has('u') ? 'udp' : 'tcp'
  const only = flags.has('z')
  const one: Call = {
    host,
    port,
    target,
    proto,
    from: settings.from,
    waitMs: wait === null ? null : wait * 1000,
    loud: flags.has('v'),
    only,
    shuts: flags.has('N') || flags.has('q'),
    input: context.input,
  }
  const opened = yield* asking(() => wire.open(context.ns, { proto, to: target.ip, port, ...settings }))
  if (opened.tag === 'refused') return failure(one, `failed: ${errnoText(opened.errno)}`)
  const done = yield* proto === 'tcp' ? overTcp(wire, opened.socket, one) : overUdp(wire, opened.socket, one)
  yield* asking(() => wire.close(opened.socket))
  return done
}

export function* nc(context: Context, words: Words, wire: Wire): Talk<Done> {
  const read = readFlags(words, LETTERS)
  if (E.isLeft(read))
    return read.left.letter.match(/[a-zA-Z]/) && read.left.tag === 'unknown'
      ? notHere(`nc -${read.left.letter}`)
      : failed(1, USAGE)
  return read.right.flags.has('l') ? yield* listen(context, words, read.right) : yield* call(context, wire, read.right)
}

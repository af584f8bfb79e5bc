// arping(8) of iputils over the wire: who has an address, on one device; whether somebody has it (-D); announcements (-U, -A).
// Source: iputils 20221126, arping.c.

import { type Ip, ip4, isIp4, parseIp, showIp } from '../../net/ip.ts'
import { type Mac, showMac } from '../../net/mac.ts'
import type { IfName } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { type Context, linkCalled, lookAt } from '../context.ts'
import { type Done, failed, type Read, refuse } from '../done.ts'
import type { Words } from '../match.ts'
import { asking, type Talk } from '../terminal.ts'
import { INT, numberOf } from '../value.ts'
import type { Heard, Sent, Wire } from '../wire.ts'
import { type Letters, readFlags } from './flags.ts'
import { LONGEST_MS } from './ping.ts'
import { targetIn } from './target.ts'

type Plan = Readonly<{
  name: string
  target: Ip
  dev: string | null
  from: Ip | null
  count: number | null
  deadlineMs: number | null
  mode: 'ask' | 'detect' | 'announce' | 'answer'
  first: boolean
  quiet: boolean
  broadcast: boolean
}>

const LETTERS: Letters = { valued: 'cwIsi', bare: 'fqbDUA0' }
const INTERVAL_MS = 1000
const USAGE = 'Usage: arping [-fqbDUA] [-c count] [-w timeout] [-I device] [-s source] destination'

const modeOf = (flags: ReadonlyMap<string, string>): Plan['mode'] => {
  if (flags.has('D')) return 'detect'
  if (flags.has('A')) return 'answer'
  return flags.has('U') ? 'announce' : 'ask'
}

const readPlan = (words: Words): Read<Plan> => {
  const read = readFlags(words, LETTERS)
  if (E.isLeft(read)) {
    const what = read.left.tag === 'unknown' ? 'invalid option' : 'option requires an argument'
    return refuse(2, `arping: ${what} -- '${read.left.letter}'\n\n${USAGE}`)
  }
  const { flags, rest } = read.right
  const [name, ...more] = rest
  if (name === undefined || more.length > 0) return refuse(2, USAGE)
  for (const letter of ['c', 'w']) {
    const text = flags.get(letter)
    if (text !== undefined && !numberOf(text, INT)) return refuse(1, `arping: invalid argument: '${text}'`)
  }
  const target = targetIn(name)
  if (target === null || !isIp4(target.ip)) return refuse(2, `arping: ${name}: Name or service not known`)
  const source = flags.get('s')
  const from = source === undefined ? null : parseIp(source)
  if (from !== null && (E.isLeft(from) || !isIp4(from.right))) return refuse(2, `arping: invalid source ${source}`)
  return E.right({
    name,
    target: target.ip,
    dev: flags.get('I') ?? null,
    from: from === null || E.isLeft(from) ? null : from.right,
    count: flags.has('c') ? Number(flags.get('c')) : null,
    deadlineMs: flags.has('w') ? Number(flags.get('w')) * 1000 : null,
    mode: modeOf(flags),
    first: flags.has('f') || flags.has('D'),
    quiet: flags.has('q'),
    broadcast: flags.has('b') || flags.has('U') || flags.has('A'),
  })
}

/** The address that a packet to the target would have there. */
function* sourceOf(
  { ns }: Context,
  { target, from, mode }: Plan,
  dev: IfName | null,
): Talk<Readonly<{ from: Ip; dev: IfName | null }> | null> {
  if (mode === 'detect') return { from: from ?? ip4(0), dev }
  if (mode !== 'ask') return { from: from ?? target, dev }
  const question = { to: target, from, iif: null, oif: dev, mark: 0, tos: 0, words: [] }
  const answer = yield* asking((terminal) => terminal.routeTo(ns, question))
  if (answer.tag !== 'route') return dev === null ? null : { from: from ?? ip4(0), dev }
  return { from: from ?? answer.src ?? ip4(0), dev: dev ?? answer.dev }
}

type Score = {
  readonly lines: string[]
  sent: number
  broadcasts: number
  received: number
  known: Mac | null
  sentMs: number
}

const hear = (score: Score, { quiet }: Plan, heard: Heard): void => {
  if (heard.tag !== 'arp') return
  score.received += 1
  score.known = heard.mac
  const ms = (heard.atMs - score.sentMs).toFixed(3)
  const how = heard.broadcast ? 'Broadcast' : 'Unicast'
  if (!quiet) score.lines.push(`${how} reply from ${showIp(heard.from)} [${showMac(heard.mac).toUpperCase()}]  ${ms}ms`)
}

const questionOf = (
  { target, mode, broadcast }: Plan,
  from: Ip,
  known: Mac | null,
): Extract<Sent, { proto: 'arp' }> => ({
  proto: 'arp',
  who: target,
  from,
  to: broadcast ? null : known,
  op: mode === 'answer' ? 'reply' : 'request',
})

function* loop(score: Score, plan: Plan, wire: Wire, socket: number, from: Ip): Talk<void> {
  const beganMs = yield* asking(() => wire.nowMs())
  const endMs = beganMs + Math.min(plan.deadlineMs ?? LONGEST_MS, LONGEST_MS)
  for (;;) {
    const nowMs = yield* asking(() => wire.nowMs())
    if (nowMs >= endMs || (plan.count !== null && score.sent >= plan.count)) return
    const question = questionOf(plan, from, score.known)
    score.sent += 1
    score.sentMs = nowMs
    if (question.to === null) score.broadcasts += 1
    yield* asking(() => wire.send(socket, question))
    const nextMs = Math.min(endMs, nowMs + INTERVAL_MS)
    for (;;) {
      const heard = yield* asking(() => wire.hear(socket, nextMs))
      for (const one of heard) hear(score, plan, one)
      if (score.received > 0 && (plan.first || score.received >= (plan.count ?? Number.POSITIVE_INFINITY))) return
      if (heard.length === 0) break
    }
  }
}

const statusOf = ({ mode }: Plan, { received }: Score): number => {
  if (mode === 'detect') return received > 0 ? 1 : 0
  return mode !== 'ask' || received > 0 ? 0 : 1
}

export function* arping(context: Context, words: Words, wire: Wire): Talk<Done> {
  const read = readPlan(words)
  if (E.isLeft(read)) return read.left
  const plan = read.right
  const stack = yield* lookAt(context.ns)
  const asked = plan.dev === null ? null : linkCalled(stack, plan.dev)
  if (plan.dev !== null && asked === null) return failed(2, `arping: Device ${plan.dev} not available.`)
  const way = yield* sourceOf(context, plan, asked?.name ?? null)
  const link = way === null || way.dev === null ? null : linkCalled(stack, way.dev)
  if (way === null || link === null)
    return failed(2, 'arping: No suitable device could be determined, please, use option -I.')
  if (!link.up) return failed(2, `arping: Interface "${link.name}" is down`)
  if (link.kind.kind === 'loopback') return failed(2, `arping: Interface "${link.name}" is not ARPable`)
  const opened = yield* asking(() => wire.open(context.ns, { proto: 'arp', dev: link.name }))
  if (opened.tag === 'refused') return failed(2, `arping: Device ${link.name} not available.`)
  const head = `ARPING ${plan.name} from ${showIp(way.from)} ${link.name}`
  const score: Score = { lines: [head], sent: 0, broadcasts: 0, received: 0, known: null, sentMs: 0 }
  yield* loop(score, plan, wire, opened.socket, way.from)
  yield* asking(() => wire.close(opened.socket))
  score.lines.push(
    `Sent ${score.sent} probes (${score.broadcasts} broadcast(s))`,
    `Received ${score.received} response(s)`,
  )
  return { status: statusOf(plan, score), stdout: `${score.lines.join('\n')}\n`, stderr: '' }
}

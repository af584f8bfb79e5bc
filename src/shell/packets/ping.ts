// ping(8) over the wire of a terminal, in the clock's time: what it prints of answers and errors, its statistics, its status. Without
// an end of its own it is interrupted after a minute, as any program here.
// Source: iputils 20221126, ping_common.c (main_loop, pinger, gather_statistics, finish).

import { isIp4, isMulticast } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import type { Context } from '../context.ts'
import { lookAt } from '../context.ts'
import { type Done, failed } from '../done.ts'
import { errnoText } from '../errno-text.ts'
import type { Words } from '../match.ts'
import { asking, type Talk } from '../terminal.ts'
import type { Heard, Opened, Wire } from '../wire.ts'
import { pingWords } from './icmp-words.ts'
import { type Plan, readPlan } from './ping-words.ts'
import { showTarget } from './target.ts'

/** What a program here may take at most, of the clock's time. */
export const LONGEST_MS = 60_000
/** A time stamp must have its place in the data. */
const TIMED_SIZE = 16

type Score = {
  readonly lines: string[]
  readonly complaints: string[]
  readonly sentMs: number[]
  readonly rttsUs: number[]
  readonly seen: Set<number>
  errors: number
  doubles: number
  pipe: number
}

const head = ({ name, target, dev, from, size }: Plan, local: string): string => {
  const origin = dev !== null || from !== null ? `from ${local} ${dev ?? ''}: ` : ''
  const ip = showTarget(target)
  return isIp4(target.ip)
    ? `PING ${name} (${ip}) ${origin}${size}(${size + 28}) bytes of data.`
    : `PING ${name}(${ip}) ${origin}${size} data bytes`
}

const rttText = (us: number): string => {
  if (us >= 100_000) return String(Math.floor((us + 500) / 1000))
  if (us >= 10_000) return (Math.floor((us + 50) / 100) / 10).toFixed(1)
  if (us >= 1000) return (Math.floor((us + 5) / 10) / 100).toFixed(2)
  return (us / 1000).toFixed(3)
}

const outstanding = (score: Score, seq: number): void => {
  score.pipe = Math.max(score.pipe, score.sentMs.length - seq + 1)
}

const hear = (score: Score, { size, quiet, target }: Plan, heard: Heard): void => {
  if (heard.tag === 'error') {
    if (heard.said.type !== 'redirect') {
      score.errors += 1
      outstanding(score, heard.seq)
    }
    const from = showTarget({ ip: heard.from, zone: null })
    if (!quiet) score.lines.push(`From ${from} icmp_seq=${heard.seq} ${pingWords(heard.said, heard.v6)}`)
    return
  }
  if (heard.tag !== 'answer') return
  const { seq, from, ttl, bytes, atMs } = heard
  const us = Math.round((atMs - (score.sentMs[seq - 1] ?? atMs)) * 1000)
  const isDouble = score.seen.has(seq)
  if (isDouble) score.doubles += 1
  score.seen.add(seq)
  score.rttsUs.push(us)
  outstanding(score, seq)
  if (quiet) return
  const time = size >= TIMED_SIZE ? ` time=${rttText(us)} ms` : ''
  const who = showTarget({ ip: from, zone: target.zone })
  score.lines.push(`${bytes + 8} bytes from ${who}: icmp_seq=${seq} ttl=${ttl}${time}${isDouble ? ' (DUP!)' : ''}`)
}

const ms = (us: number): string => (Math.trunc(us) / 1000).toFixed(3)

const rttLine = ({ rttsUs, pipe }: Score, { size }: Plan): string => {
  const parts: string[] = []
  if (rttsUs.length > 0 && size >= TIMED_SIZE) {
    const mean = rttsUs.reduce((sum, one) => sum + one, 0) / rttsUs.length
    const square = rttsUs.reduce((sum, one) => sum + one * one, 0) / rttsUs.length
    const deviation = Math.sqrt(Math.max(0, square - mean * mean))
    const all = [Math.min(...rttsUs), mean, Math.max(...rttsUs), deviation]
    parts.push(`rtt min/avg/max/mdev = ${all.map(ms).join('/')} ms`)
  }
  if (pipe > 1) parts.push(`pipe ${pipe}`)
  return parts.join(', ')
}

/** As %g has it. */
const percent = (part: number, whole: number): string => `${Number(((part / whole) * 100).toPrecision(6))}%`

const statistics = (score: Score, plan: Plan): ReadonlyArray<string> => {
  const sent = score.sentMs.length
  const received = score.seen.size
  const time = sent === 0 ? 0 : Math.floor((score.sentMs.at(-1) ?? 0) - (score.sentMs[0] ?? 0))
  const parts = [`${sent} packets transmitted`, `${received} received`]
  if (score.doubles > 0) parts.push(`+${score.doubles} duplicates`)
  if (score.errors > 0) parts.push(`+${score.errors} errors`)
  if (sent > 0) parts.push(`${percent(sent - received, sent)} packet loss`, `time ${time}ms`)
  return ['', `--- ${plan.name} ping statistics ---`, parts.join(', '), rttLine(score, plan)]
}

/** Why there is nothing to begin with. */
const refused = ({ errno }: Extract<Opened, { tag: 'refused' }>, { dev, from }: Plan): Done => {
  if (errno === 'ENODEV') return failed(2, `ping: SO_BINDTODEVICE ${dev}: No such device`)
  if (errno === 'EADDRNOTAVAIL' && from !== null) return failed(2, `ping: bind: ${errnoText(errno)}`)
  if (errno === 'EACCES')
    return failed(2, 'ping: Do you want to ping broadcast? Then -b. If not, check your local firewall rules')
  return failed(2, `ping: connect: ${errnoText(errno)}`)
}

const isEnough = (score: Score, { count, deadlineMs }: Plan): boolean =>
  (count !== null && score.seen.size + score.errors >= count) || (deadlineMs !== null && score.errors > 0)

function* sendOne(score: Score, plan: Plan, wire: Wire, socket: number): Talk<void> {
  const seq = score.sentMs.length + 1
  score.sentMs.push(yield* asking(() => wire.nowMs()))
  const errno = yield* asking(() => wire.send(socket, { proto: 'echo', seq: seq % 0x10000, size: plan.size }))
  if (errno === null) return
  if (errno.errno === 'EMSGSIZE') {
    score.errors += 1
    score.complaints.push(`ping: local error: message too long, mtu=${errno.mtu ?? 0}\n`)
  } else score.complaints.push(`ping: sendmsg: ${errnoText(errno.errno)}\n`)
}

/** Once all is sent: as long as an answer may need by what others needed. */
const lingering = (score: Score, { lingerMs, intervalMs }: Plan): number =>
  score.rttsUs.length > 0 ? Math.max((2 * Math.max(...score.rttsUs)) / 1000, intervalMs) : lingerMs

function* loop(score: Score, plan: Plan, wire: Wire, socket: number): Talk<void> {
  const beganMs = yield* asking(() => wire.nowMs())
  const endMs = beganMs + Math.min(plan.deadlineMs ?? LONGEST_MS, LONGEST_MS)
  let nextMs = beganMs
  let lastMs = endMs
  for (;;) {
    const nowMs = yield* asking(() => wire.nowMs())
    if (isEnough(score, plan) || nowMs >= endMs || nowMs >= lastMs) return
    const isMore = plan.count === null || plan.deadlineMs !== null || score.sentMs.length < plan.count
    if (isMore && nowMs >= nextMs) {
      yield* sendOne(score, plan, wire, socket)
      nextMs = nowMs + plan.intervalMs
      const isLast = plan.count !== null && plan.deadlineMs === null && score.sentMs.length >= plan.count
      if (isLast) {
        // What is there at once counts already.
        for (const heard of yield* asking(() => wire.hear(socket, nowMs))) hear(score, plan, heard)
        lastMs = Math.min(endMs, nowMs + lingering(score, plan))
      }
      continue
    }
    const untilMs = Math.min(isMore ? nextMs : lastMs, endMs)
    for (const heard of yield* asking(() => wire.hear(socket, untilMs))) hear(score, plan, heard)
  }
}

function* simulated(context: Context, words: Words, wire: Wire, family: 4 | 6 | null): Talk<Done> {
  const read = readPlan(words, family)
  if (E.isLeft(read)) return read.left
  const plan = read.right
  const { target, dev, from, ttl, tos, df, mark, size } = plan
  const { links } = yield* lookAt(context.ns)
  const has = (name: string | null): boolean => name === null || links.some((link) => link.name === name)
  if (!has(target.zone)) return failed(2, `ping: ${plan.name}: Name or service not known`)
  if (!has(dev)) return failed(2, `ping: SO_BINDTODEVICE ${dev}: No such device`)
  const broadcast = plan.broadcast || isMulticast(target.ip)
  const wish = {
    proto: 'echo',
    to: target.ip,
    size,
    from,
    dev: dev ?? target.zone,
    ttl,
    tos,
    df,
    mark,
    broadcast,
  } as const
  const opened = yield* asking(() => wire.open(context.ns, wish))
  if (opened.tag === 'refused') return refused(opened, plan)
  const local = opened.local === null ? '' : showTarget({ ip: opened.local, zone: target.zone })
  const score: Score = {
    lines: [head(plan, local)],
    complaints: [plan.warnings],
    sentMs: [],
    rttsUs: [],
    seen: new Set(),
    errors: 0,
    doubles: 0,
    pipe: 0,
  }
  yield* loop(score, plan, wire, opened.socket)
  yield* asking(() => wire.close(opened.socket))
  const received = score.seen.size
  const isPoor = received === 0 || (plan.deadlineMs !== null && plan.count !== null && received < plan.count)
  return {
    status: isPoor ? 1 : 0,
    stdout: `${[...score.lines, ...statistics(score, plan)].join('\n')}\n`,
    stderr: score.complaints.join(''),
  }
}

export const ping =
  (family: 4 | 6 | null) =>
  (context: Context, words: Words, wire: Wire): Talk<Done> =>
    simulated(context, words, wire, family)

// traceroute(8) over the wire: hop by hop, with UDP (the default), ICMP echo or TCP. The probes of a hop are sent at once.
// Source: traceroute 2.1 (Dmitry Butskoy), traceroute.c (print_probe, do_it).

import type { Ip } from '../../net/ip.ts'
import { isIp4, parseIp, showIp } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { type Context, lookAt, nameIn } from '../context.ts'
import { absentHere, type Done, failed, type Read, refuse } from '../done.ts'
import { errnoText } from '../errno-text.ts'
import type { Words } from '../match.ts'
import { asking, type Talk } from '../terminal.ts'
import { numberOf, U16 } from '../value.ts'
import { type Heard, NO_SETTINGS, type Opened, type Settings, type Wire, type Wish } from '../wire.ts'
import { type Letters, readFlags } from './flags.ts'
import { traceMark } from './icmp-words.ts'
import { isOfFamily, type Target, targetIn } from './target.ts'

type Plan = Readonly<{
  name: string
  target: Target
  how: 'echo' | 'udp' | 'tcp'
  port: number
  first: number
  most: number
  probes: number
  waitMs: number
  numeric: boolean
  settings: Settings
}>

const LETTERS: Letters = { valued: 'mqwpfsi', bare: '46nITUF' }
const USAGE = `Usage: traceroute [ -46nITF ] [ -f first_ttl ] [ -i device ] [ -m max_ttl ] [ -p port ] [ -q nqueries ]
                  [ -s src_addr ] [ -w wait ] host`
const FIRST_PORT = 33434
const TCP_PORT = 80
/** Of the whole packet. */
const LENGTHS = { 4: 60, 6: 80 } as const
const HEADERS = { 4: 28, 6: 48 } as const

const LIMITS: ReadonlyArray<readonly [letter: string, byDefault: number, most: number, name: string]> = [
  ['m', 30, 255, 'max hops'],
  ['q', 3, 10, 'probes per hop'],
  ['f', 1, 255, 'first hop'],
  ['p', 0, U16, 'port'],
]

const numbersIn = (flags: ReadonlyMap<string, string>): Read<ReadonlyMap<string, number>> => {
  const numbers = new Map<string, number>()
  for (const [letter, byDefault, most, name] of LIMITS) {
    const text = flags.get(letter)
    const value = text === undefined ? byDefault : numberOf(text, Number.MAX_SAFE_INTEGER)
    if (value === null) return refuse(2, `Cannot handle "-${letter}" option with arg \`${text}'`)
    if (value > most || (value === 0 && text !== undefined))
      return refuse(2, letter === 'q' ? 'no more than 10 probes per hop' : `${name} cannot be more than ${most}`)
    numbers.set(letter, value)
  }
  return E.right(numbers)
}

const settingsIn = (flags: ReadonlyMap<string, string>, { zone }: Target): Read<Settings> => {
  const [source, device] = [flags.get('s'), flags.get('i')]
  const from = source === undefined ? null : parseIp(source)
  const dev = device === undefined ? zone : nameIn(device)
  if (from !== null && E.isLeft(from)) return refuse(2, `Cannot handle "-s" option with arg \`${source}'`)
  if (device !== undefined && dev === null) return refuse(1, 'setsockopt SO_BINDTODEVICE: No such device')
  const df = flags.has('F') ? true : null
  return E.right({ ...NO_SETTINGS, from: from === null ? null : from.right, dev, df })
}

const methodOf = (flags: ReadonlyMap<string, string>): Plan['how'] => {
  if (flags.has('I')) return 'echo'
  return flags.has('T') ? 'tcp' : 'udp'
}

const readPlan = (words: Words): Read<Plan> => {
  const read = readFlags(words, LETTERS)
  if (E.isLeft(read))
    return refuse(2, `Bad option \`-${read.left.letter}' (argc ${words.indexOf(`-${read.left.letter}`) + 1})`)
  const { flags, rest } = read.right
  const [name, ...more] = rest
  if (name === undefined) return refuse(2, USAGE)
  if (more.length > 0) return absentHere('traceroute with a packet length')
  const target = targetIn(name)
  if (target === null)
    return refuse(2, `${name}: Name or service not known\nCannot handle "host" cmdline arg \`${name}' on position 1`)
  const family = flags.has('4') ? 4 : flags.has('6') ? 6 : null
  if (!isOfFamily(target, family))
    return refuse(
      2,
      `${name}: Address family for hostname not supported\nCannot handle "host" cmdline arg \`${name}' on position 1`,
    )
  const numbers = numbersIn(flags)
  if (E.isLeft(numbers)) return numbers
  const settings = settingsIn(flags, target)
  if (E.isLeft(settings)) return settings
  const how = methodOf(flags)
  const of = (letter: string): number => numbers.right.get(letter) ?? 0
  const wait = Number(flags.get('w') ?? '5')
  if (!(wait >= 0)) return refuse(2, `Cannot handle "-w" option with arg \`${flags.get('w')}'`)
  return E.right({
    name,
    target,
    how,
    port: of('p') || (how === 'tcp' ? TCP_PORT : FIRST_PORT),
    first: of('f'),
    most: of('m'),
    probes: of('q'),
    waitMs: Math.min(wait, 60) * 1000,
    numeric: flags.has('n'),
    settings: settings.right,
  })
}

/** `from` null: no answer came in time. `mark`: null on the way, else the end of it. */
type Probe = Readonly<{ from: Ip | null; ms: number; mark: string | null }>
const SILENT: Probe = { from: null, ms: 0, mark: null }

const answerIn = (heard: ReadonlyArray<Heard>, to: Ip, sentMs: number): Probe | null => {
  for (const one of heard) {
    const ms = one.atMs - sentMs
    if (one.tag === 'error') return { from: one.from, ms, mark: traceMark(one.said) }
    if (one.tag === 'answer') return { from: one.from, ms, mark: '' }
    if (one.tag === 'connected' || (one.tag === 'failed' && one.errno === 'ECONNREFUSED'))
      return { from: to, ms, mark: '' }
  }
  return null
}

/** `port`: of UDP, one for each probe. */
const wishFor = (plan: Plan, ttl: number, nth: number): Wish => {
  const { how, target, port, settings } = plan
  const to = target.ip
  const size = sizeOf(plan)
  if (how === 'echo') return { proto: 'echo', to, size, ...settings, ttl }
  return { proto: how, to, port: how === 'tcp' ? port : (port + nth) % 0x10000, ...settings, ttl }
}

const sizeOf = ({ target: { ip } }: Plan): number => {
  const family = isIp4(ip) ? 4 : 6
  return LENGTHS[family] - HEADERS[family]
}

/** An errno, where the sending call says one: then there is no use in going on. */
function* sendProbe(context: Context, plan: Plan, wire: Wire, ttl: number, nth: number): Talk<Opened> {
  const opened = yield* asking(() => wire.open(context.ns, wishFor(plan, ttl, nth)))
  if (opened.tag === 'refused' || plan.how === 'tcp') return opened
  const size = sizeOf(plan)
  const what =
    plan.how === 'echo'
      ? ({ proto: 'echo', seq: nth + 1, size } as const)
      : ({ proto: 'udp', text: '@'.repeat(size) } as const)
  const errno = yield* asking(() => wire.send(opened.socket, what))
  return errno === null || errno.errno === 'EPERM' ? opened : { tag: 'refused', ...errno }
}

/** The probes of one hop, or the errno of the first that cannot be sent. */
function* hop(context: Context, plan: Plan, wire: Wire, ttl: number): Talk<ReadonlyArray<Probe> | string> {
  const sentMs = yield* asking(() => wire.nowMs())
  const sockets: number[] = []
  for (let at = 0; at < plan.probes; at++) {
    const opened = yield* sendProbe(context, plan, wire, ttl, (ttl - 1) * plan.probes + at)
    if (opened.tag === 'refused') return opened.errno
    sockets.push(opened.socket)
  }
  const answers: Probe[] = []
  for (const socket of sockets) {
    let answer: Probe | null = null
    for (;;) {
      const heard = yield* asking(() => wire.hear(socket, sentMs + plan.waitMs))
      answer = answerIn(heard, plan.target.ip, sentMs)
      if (answer !== null || heard.length === 0) break
    }
    answers.push(answer ?? SILENT)
    yield* asking(() => wire.close(socket))
  }
  return answers
}

const hopText = (ttl: number, probes: ReadonlyArray<Probe>, numeric: boolean): string => {
  let text = `\n${String(ttl).padStart(2)} `
  let last: Ip | null = null
  for (const { from, ms, mark } of probes) {
    if (from === null) {
      text += ' *'
      continue
    }
    const shown = showIp(from)
    if (from !== last) text += numeric ? ` ${shown}` : ` ${shown} (${shown})`
    last = from
    text += `  ${ms.toFixed(3)} ms${mark === null || mark === '' ? '' : ` ${mark}`}`
  }
  return text
}

export function* traceroute(context: Context, words: Words, wire: Wire): Talk<Done> {
  const read = readPlan(words)
  if (E.isLeft(read)) return read.left
  const plan = read.right
  const { name, target, most, settings } = plan
  const { links } = yield* lookAt(context.ns)
  if (settings.dev !== null && !links.some((link) => link.name === settings.dev))
    return failed(1, 'setsockopt SO_BINDTODEVICE: No such device')
  const bytes = LENGTHS[isIp4(target.ip) ? 4 : 6]
  let text = `traceroute to ${name} (${showIp(target.ip)}), ${most} hops max, ${bytes} byte packets`
  for (let ttl = plan.first; ttl <= most; ttl++) {
    const probes = yield* hop(context, plan, wire, ttl)
    if (typeof probes === 'string') {
      const call = probes === 'EADDRNOTAVAIL' && settings.from !== null ? 'bind' : 'connect'
      return { status: 1, stdout: `${text}\n`, stderr: `${call}: ${errnoText(probes)}\n` }
    }
    text += hopText(ttl, probes, plan.numeric)
    if (probes.some(({ mark }) => mark !== null)) break
  }
  return { status: 0, stdout: `${text}\n`, stderr: '' }
}

// The command line of ping(8). Source: iputils 20221126, ping.c (main), ping_common.c (setup), iputils_common.c (strtol_or_err).

import { type Ip, isIp4, parseIp } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { nameIn } from '../context.ts'
import { absentHere, type Read, refuse } from '../done.ts'
import type { Words } from '../match.ts'
import { numberOf } from '../value.ts'
import { type Letters, readFlags } from './flags.ts'
import { isOfFamily, type Target, targetIn } from './target.ts'

/** `name`: the target as it was said. `count` null: until it is stopped. `lingerMs`: for the last answer, if none came so far. */
export type Plan = Readonly<{
  name: string
  target: Target
  from: Ip | null
  dev: IfName | null
  count: number | null
  deadlineMs: number | null
  lingerMs: number
  intervalMs: number
  size: number
  ttl: number | null
  tos: number | null
  mark: number
  df: boolean | null
  quiet: boolean
  broadcast: boolean
  /** What it complains of, and goes on. */
  warnings: string
}>

const LETTERS: Letters = { valued: 'cWwistIMmQ', bare: '46qnbOUDh' }
const LONG_MAX = '9223372036854775807'
const INT_MAX = 2147483647
const LINGER_S = '10'
const INTERVAL_S = '1'
/** Faster than this none goes here. */
const FASTEST_MS = 10

const USAGE = `
Usage
  ping [options] <destination>

Options:
  -4, -6  -b  -n  -q  -c <count>  -i <interval>  -I <interface>  -m <mark>  -M <do|dont|want>  -Q <tclass>  -s <size>
  -t <ttl>  -w <deadline>  -W <timeout>

For more details see ping(8).`

const number = (text: string, least: number, most: number, shown = String(most)): Read<number> => {
  const value = /^-?\d+$/.test(text) ? Number(text) : numberOf(text, Number.MAX_SAFE_INTEGER)
  if (value === null) return refuse(1, `ping: invalid argument: '${text}'`)
  return value < least || value > most
    ? refuse(1, `ping: invalid argument: '${text}': out of range: ${least} <= value <= ${shown}`)
    : E.right(value)
}

type Numbers = Readonly<Record<'c' | 't' | 's' | 'w' | 'm' | 'Q', number | null>>
const LIMITS: ReadonlyArray<readonly [keyof Numbers, least: number, most: number, shown?: string]> = [
  ['c', 1, Number.MAX_SAFE_INTEGER, LONG_MAX],
  ['t', 0, 255],
  ['s', 0, INT_MAX],
  ['w', 0, INT_MAX],
  ['m', 0, 4294967295],
  ['Q', 0, 255],
]

const readNumbers = (flags: ReadonlyMap<string, string>): Read<Numbers> => {
  const numbers: Record<keyof Numbers, number | null> = { c: null, t: null, s: null, w: null, m: null, Q: null }
  for (const [letter, least, most, shown] of LIMITS) {
    const text = flags.get(letter)
    if (text === undefined) continue
    const value = number(text, least, most, shown)
    if (E.isLeft(value)) return value
    numbers[letter] = value.right
  }
  return E.right(numbers)
}

const PMTUD: ReadonlyMap<string, boolean | null> = new Map([
  ['do', true],
  ['dont', false],
  ['want', null],
])

const SECONDS = /^\+?(\d+\.?\d*|\.\d+)$/
const garbage = (text: string): string =>
  SECONDS.test(text)
    ? ''
    : `ping: option argument contains garbage: ${text}\nping: this will become fatal error in the future\n`
const msIn = (text: string): number => (Number.parseFloat(text) || 0) * 1000

const familyIn = (flags: ReadonlyMap<string, string>, given: 4 | 6 | null): 4 | 6 | null => {
  if (flags.has('4')) return 4
  return flags.has('6') ? 6 : given
}

type Origin = Readonly<{ from: Ip | null; dev: IfName | null }>

const originIn = (text: string | undefined): Read<Origin> => {
  if (text === undefined) return E.right({ from: null, dev: null })
  const from = parseIp(text)
  if (E.isRight(from)) return E.right({ from: from.right, dev: null })
  const dev = nameIn(text)
  return dev === null ? refuse(2, `ping: SO_BINDTODEVICE ${text}: No such device`) : E.right({ from: null, dev })
}

const targetOf = (rest: Words, family: 4 | 6 | null): Read<Target> => {
  const [name, ...more] = rest
  if (name === undefined) return refuse(1, 'ping: usage error: Destination address required')
  if (more.length > 0) return absentHere('ping by way of hosts that are named')
  const target = targetIn(name)
  if (target === null) return refuse(2, `ping: ${name}: Name or service not known`)
  return isOfFamily(target, family)
    ? E.right(target)
    : refuse(2, `ping: ${name}: Address family for hostname not supported`)
}

/** `family`: of ping6. */
export const readPlan = (words: Words, given: 4 | 6 | null): Read<Plan> => {
  const read = readFlags(words, LETTERS)
  if (E.isLeft(read)) {
    const { tag, letter } = read.left
    const what = tag === 'unknown' ? 'invalid option' : 'option requires an argument'
    return refuse(2, `ping: ${what} -- '${letter}'\n${USAGE}`)
  }
  const { flags, rest } = read.right
  if (flags.has('h')) return refuse(2, USAGE)
  const numbers = readNumbers(flags)
  if (E.isLeft(numbers)) return numbers
  const pmtud = flags.get('M')
  if (pmtud !== undefined && !PMTUD.has(pmtud)) return refuse(2, `ping: invalid -M argument: ${pmtud}`)
  const origin = originIn(flags.get('I'))
  if (E.isLeft(origin)) return origin
  const target = targetOf(rest, familyIn(flags, given))
  if (E.isLeft(target)) return target
  const { c, t, s, w, m, Q } = numbers.right
  const [interval, linger] = [flags.get('i') ?? INTERVAL_S, flags.get('W') ?? LINGER_S]
  if (s !== null && s > 65507 && !isIp4(target.right.ip)) return absentHere('ping of jumbograms')
  return E.right({
    name: rest[0] ?? '',
    target: target.right,
    ...origin.right,
    count: c,
    deadlineMs: w === null || w === 0 ? null : w * 1000,
    lingerMs: msIn(linger),
    intervalMs: Math.max(FASTEST_MS, msIn(interval)),
    size: Math.min(s ?? 56, 65507),
    ttl: t === 0 ? null : t,
    tos: Q,
    mark: m ?? 0,
    df: PMTUD.get(pmtud ?? 'want') ?? null,
    quiet: flags.has('q'),
    broadcast: flags.has('b'),
    warnings: garbage(interval) + garbage(linger),
  })
}

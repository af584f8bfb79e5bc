// The programs that look at packets: ping(8), nc(1), and those that only a terminal itself may have (arping, traceroute, tcpdump, nft).
// A terminal that has the program runs it; else a probe stands for its packets, told without the times that it has none of.
// Source: ping(8) of iputils, nc(1) of OpenBSD.

import type { Probe, Verdict } from '../kernel/kernel.ts'
import { type Ip, isIp4, parseIp, showIp } from '../net/ip.ts'
import { type Port, parsePort } from '../net/port.ts'
import { E } from '../prelude.ts'
import type { Context } from './context.ts'
import { type Done, failed, notHere, printed } from './done.ts'
import type { Words } from './match.ts'
import { asking, type Talk } from './terminal.ts'

/** What the terminal runs by itself, or nothing. */
function* own({ ns }: Context, name: string, words: Words): Talk<Done | null> {
  return yield* asking((terminal) => terminal.program(ns, { name, words, input: '' }))
}

export const theirs = (name: string) =>
  function* (context: Context, words: Words): Talk<Done> {
    return (yield* own(context, name, words)) ?? notHere(name)
  }

function* probed(probe: Probe): Talk<Verdict | null> {
  return yield* asking((terminal) => terminal.probe(probe))
}

/** Letters with a value behind them, and without; null: another one. */
type Letters = Readonly<{ valued: string; bare: string }>
type Flags = Readonly<{ flags: ReadonlyMap<string, string>; rest: Words }>

const readFlags = (words: Words, { valued, bare }: Letters): Flags | string => {
  const flags = new Map<string, string>()
  const rest: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (!word.startsWith('-') || word === '-') {
      rest.push(word)
      continue
    }
    for (let i = 1; i < word.length; i++) {
      const letter = word[i] ?? ''
      if (bare.includes(letter)) flags.set(letter, '')
      else if (valued.includes(letter)) {
        flags.set(letter, word.slice(i + 1) || (words[++at] ?? ''))
        break
      } else return letter
    }
  }
  return { flags, rest }
}

const PING: Letters = { valued: 'cWwis', bare: '46qnb' }
/** More would only say the same. */
const MOST_PINGS = 10

const pingText = (to: Ip, count: number, arrived: boolean): string => {
  const address = showIp(to)
  const head = isIp4(to)
    ? `PING ${address} (${address}) 56(84) bytes of data.`
    : `PING ${address}(${address}) 56 data bytes`
  const answers = arrived ? Array.from({ length: count }, (_, i) => `64 bytes from ${address}: icmp_seq=${i + 1}`) : []
  const lost = arrived ? 0 : 100
  const sum = `${count} packets transmitted, ${arrived ? count : 0} received, ${lost}% packet loss`
  return `${[head, ...answers, '', `--- ${address} ping statistics ---`, sum, ''].join('\n')}\n`
}

export function* ping(context: Context, words: Words, family: 4 | 6 | null): Talk<Done> {
  const run = yield* own(context, 'ping', family === null ? words : [`-${family}`, ...words])
  if (run !== null) return run
  const read = readFlags(words, PING)
  if (typeof read === 'string') return notHere(`ping -${read}`)
  const [target] = read.rest
  if (target === undefined) return failed(1, 'ping: usage error: Destination address required')
  const to = parseIp(target)
  if (E.isLeft(to)) return failed(2, `ping: ${target}: Name or service not known`)
  const count = Number(read.flags.get('c') ?? 1)
  if (!Number.isInteger(count) || count < 1) return failed(1, `ping: invalid argument: '${read.flags.get('c')}'`)
  const verdict = yield* probed({ proto: 'icmp', ns: context.ns, to: to.right })
  if (verdict === null) return notHere('ping')
  if (verdict.tag === 'died' && verdict.how === 'unreachable' && verdict.where === context.ns)
    return failed(2, 'ping: connect: Network is unreachable')
  const arrived = verdict.tag === 'arrived'
  return { ...printed(pingText(to.right, Math.min(count, MOST_PINGS), arrived)), status: arrived ? 0 : 1 }
}

const NC: Letters = { valued: 'wps', bare: '46nuvzN' }
const HOW = { refused: 'Connection refused', unreachable: 'No route to host', timeout: 'Connection timed out' }

export function* nc(context: Context, words: Words): Talk<Done> {
  const run = yield* own(context, 'nc', words)
  if (run !== null) return run
  const read = readFlags(words, NC)
  if (typeof read === 'string') return notHere(`nc -${read}`)
  const [host, port] = read.rest
  if (host === undefined || port === undefined) return failed(1, 'usage: nc [-46nuvz] [-w timeout] destination port')
  const to = parseIp(host)
  const number = parsePort(port)
  if (E.isLeft(to)) return failed(1, `nc: getaddrinfo for host "${host}" port ${port}: Name or service not known`)
  if (E.isLeft(number)) return failed(1, `nc: port number invalid: ${port}`)
  return told(yield* probed(probeTo(context, to.right, number.right, read.flags.has('u'))), host, port, read.flags)
}

const probeTo = ({ ns }: Context, to: Ip, port: Port, udp: boolean): Probe => ({
  proto: udp ? 'udp' : 'tcp',
  ns,
  to,
  port,
  listener: null,
})

const told = (verdict: Verdict | null, host: string, port: string, flags: Flags['flags']): Done => {
  if (verdict === null) return notHere('nc')
  const proto = flags.has('u') ? 'udp' : 'tcp'
  const loud = flags.has('v')
  if (verdict.tag === 'arrived')
    return { status: 0, stdout: '', stderr: loud ? `Connection to ${host} ${port} port [${proto}/*] succeeded!\n` : '' }
  const why = `nc: connect to ${host} port ${port} (${proto}) failed: ${HOW[verdict.how]}`
  return loud ? failed(1, why) : { status: 1, stdout: '', stderr: '' }
}

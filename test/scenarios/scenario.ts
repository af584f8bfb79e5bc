// What Linux does, as data that both kernels are held to: a network in the words of ip(8), bridge(8), nft(8) and sysctl(8), and what
// happens in it then. The facts are those of the kernel's own selftests (tools/testing/selftests/net), the form is ours.

import type { FdbFacts, NeighbourFacts, RouteFacts } from '../../src/kernel/rtnl/stack.ts'
import type { Account, SendOptions, Try } from '../../src/kernel/traffic.ts'
import { type Frame, frame } from '../../src/kernel-sim/wire/ethernet.ts'
import { packet4 } from '../../src/kernel-sim/wire/ip4.ts'
import { encodeFrame } from '../../src/kernel-sim/wire/wire.ts'
import { ip, isIp4 } from '../../src/net/ip.ts'
import { BROADCAST, type Mac, parseMac } from '../../src/net/mac.ts'
import { ifName, type Ns, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { E } from '../../src/prelude.ts'

/**
 * What is expected of a try. `arrives`: where the request was delivered, and as what; null: nowhere. `at`, `notAt`: crossings,
 * written `netns device way`, that the request (or the frame) was, or was not, seen at.
 */
export type Expected = Readonly<{
  ends?: 'answered' | 'silence' | 'sent' | Readonly<{ errno: string }>
  arrives?: Readonly<{ ns: string; from?: string; to?: string; port?: number; ttl?: number }> | null
  from?: string
  ttl?: number
  at?: ReadonlyArray<string>
  notAt?: ReadonlyArray<string>
}>

/** A fact of a namespace's stack: that there is one like this, or none. */
export type Fact = Readonly<{ ns: string; is: boolean }> &
  Readonly<
    | { of: 'fdb'; like: Readonly<{ dev: string; mac: string; state?: FdbFacts['state']; dst?: string }> }
    | { of: 'neighbours'; like: Readonly<{ dev: string; ip: string; state?: NeighbourFacts['state'] }> }
    | { of: 'routes'; like: Readonly<{ to: string; type?: RouteFacts['type']; dev?: string; table?: number }> }
  >

/** `run`: as in the network's text. `fails`: with this errno. `shows`: what it prints has these words. `wait`: time passes, in ms. */
export type Step = Readonly<
  | { run: string }
  | { run: string; fails: string }
  | { shows: string; words: ReadonlyArray<string> }
  | { wait: number }
  | { attempt: Try; expect: Expected }
  | { fact: Fact }
>

/** What a kernel must have beyond the usual. */
export type Need = 'vlan' | 'vlan-filtering' | 'ipvlan' | 'dummy'

/**
 * `source`: the selftest. `spaces`: the namespaces; each has its loopback up, and forwards if it is in `routers`. `network`: a command on
 * each line, `-n NETNS` after the program's name says where; `nft NETNS` and `sysctl NETNS` likewise.
 */
export type Scenario = Readonly<{
  title: string
  source: string
  needs?: ReadonlyArray<Need>
  spaces: ReadonlyArray<string>
  routers?: ReadonlyArray<string>
  network: string
  steps: ReadonlyArray<Step>
}>

type Where = Readonly<{ listen?: string; port?: number; on?: number; as?: string }>

export const ping = (from: string, to: string, options: SendOptions = {}): Try => ({
  send: 'ping',
  ns: ns(from),
  to: ip(to),
  ...options,
})

/** `on`: the port that the server has, if it is another than the one asked for. */
export const ask = (
  send: 'udp' | 'tcp',
  from: string,
  to: string,
  at: number,
  { listen, on = at }: Where = {},
  options: SendOptions = {},
): Try => ({
  send,
  ns: ns(from),
  to: ip(to),
  port: port(at),
  listener: listen === undefined ? null : { ns: ns(listen), port: port(on) },
  ...options,
})

export const mac = (text: string): Mac => {
  const parsed = parseMac(text)
  if (E.isLeft(parsed)) throw new Error(parsed.left)
  return parsed.right
}

const TEST_PORT = 9

/** A datagram of IPv4 in a frame with any MACs. `vlan`: its tag. */
export const rawFrame = (
  from: string,
  dev: string,
  macs: Readonly<{ src: string; dst?: string }>,
  ips: Readonly<{ src: string; dst: string }> = { src: '192.0.2.1', dst: '192.0.2.2' },
  vlan: number | null = null,
): Try => {
  const [src, dst] = [ip(ips.src), ip(ips.dst)]
  if (!isIp4(src) || !isIp4(dst)) throw new Error('both are of IPv4')
  const body = { proto: 'udp', sport: TEST_PORT, dport: TEST_PORT, checked: true, payload: new Uint8Array(20) } as const
  const plain = frame(mac(macs.src), macs.dst === undefined ? BROADCAST : mac(macs.dst), packet4(src, dst, body))
  const tags: Frame['tags'] = vlan === null ? [] : [{ protocol: '802.1Q', vid: vlan, priority: 0, dei: false }]
  return { send: 'frame', ns: ns(from), dev: ifName(dev), bytes: encodeFrame({ ...plain, tags }) }
}

/** What is otherwise than expected, as sentences; none: all is well. */
export const differences = (expected: Expected, account: Account): ReadonlyArray<string> => {
  const found: string[] = []
  const { ends, arrives, from, ttl, at = [], notAt = [] } = expected
  const text = (value: unknown): string => JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? String(v) : v))
  if (ends !== undefined && text(account.ending) !== text(ends))
    found.push(`it ended as ${text(account.ending)} and not ${text(ends)}`)
  if (from !== undefined && account.answer?.from !== ip(from)) found.push(`the answer was not from ${from}`)
  if (ttl !== undefined && account.answer?.ttl !== ttl)
    found.push(`the answer had a TTL of ${account.answer?.ttl} and not ${ttl}`)
  if (arrives === null && account.arrivals.length > 0) found.push(`it arrived: ${text(account.arrivals)}`)
  if (arrives != null) {
    const isLike = (each: Account['arrivals'][number]): boolean =>
      each.ns === arrives.ns &&
      (arrives.from === undefined || each.from === ip(arrives.from)) &&
      (arrives.to === undefined || each.to === ip(arrives.to)) &&
      (arrives.port === undefined || each.port === arrives.port) &&
      (arrives.ttl === undefined || each.ttl === arrives.ttl)
    if (!account.arrivals.some(isLike)) found.push(`it arrived as ${text(account.arrivals)} and not ${text(arrives)}`)
  }
  const crossings = new Set(
    account.crossings
      .filter(({ what }) => what === 'request' || what === 'frame')
      .map((each) => `${each.ns} ${each.dev} ${each.way}`),
  )
  for (const each of at) if (!crossings.has(each)) found.push(`it was not seen at "${each}"`)
  for (const each of notAt) if (crossings.has(each)) found.push(`it was seen at "${each}"`)
  return found
}

export const spacesOf = ({ spaces }: Scenario): ReadonlyArray<Ns> => spaces.map((each) => ns(each))

/** The commands of a text, without what is only for its reader. */
export const linesOf = (text: string): ReadonlyArray<string> =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))

/** Which of these words a command has not printed. */
export const unsaid = (words: ReadonlyArray<string>, printed: string | null): ReadonlyArray<string> =>
  words.filter((each) => printed?.includes(each) !== true).map((each) => `"${each}" is not in ${printed}`)

/** A step, for whoever reads of a difference. */
export const told = (step: Step): string => {
  if ('run' in step) return step.run
  if ('shows' in step) return step.shows
  if ('wait' in step) return `after ${step.wait} ms`
  const value = 'attempt' in step ? step.attempt : step.fact
  return JSON.stringify(value, (key, v) => (key === 'bytes' ? '...' : typeof v === 'bigint' ? v.toString(16) : v))
}

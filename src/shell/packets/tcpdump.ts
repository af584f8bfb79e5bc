// The command line of tcpdump(8): which device, how many packets, which of them. What packets look like is the terminal's to say, which
// has them.
// Source: tcpdump 4.99, tcpdump.c; pcap-filter(7) as far as it is here: primitives that are all true (`and`).

import { parseIp } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { type Context, lookAt, nameIn } from '../context.ts'
import { absentHere, type Done, failed, type Read, refuse } from '../done.ts'
import type { Filter } from '../job.ts'
import type { Words } from '../match.ts'
import type { Talk } from '../terminal.ts'
import { INT, numberOf, U16 } from '../value.ts'
import { type Letters, readFlags } from './flags.ts'
import { inBackground } from './job.ts'

const LETTERS: Letters = { valued: 'icws', bare: 'nelUqtpv#' }
const EVERYTHING: Filter = { proto: null, host: null, src: null, dst: null, port: null }
const PROTOS = new Set(['arp', 'icmp', 'icmp6', 'ip', 'ip6', 'tcp', 'udp'])

const syntax = (): Read<never> => refuse(1, "tcpdump: can't parse filter expression: syntax error")

/** The first primitive of an expression, and what is left. */
const primitive = ([word = '', value, ...left]: Words): Read<Readonly<{ set: Partial<Filter>; left: Words }>> => {
  const behind = value === undefined ? [] : [value, ...left]
  // A cast: one of the set.
  if (PROTOS.has(word)) return E.right({ set: { proto: word as Filter['proto'] & string }, left: behind })
  if (word === 'port') {
    const port = numberOf(value ?? '', U16)
    return port === null ? refuse(1, `tcpdump: illegal port name: ${value ?? ''}`) : E.right({ set: { port }, left })
  }
  const isHost = word === 'host' || word === 'src' || word === 'dst'
  if (!isHost)
    return value === undefined && word === '' ? syntax() : absentHere(`tcpdump with the expression "${word}"`)
  const [address, rest] = value === 'host' ? [left[0], left.slice(1)] : [value, left]
  const ip = parseIp(address ?? '')
  return E.isLeft(ip)
    ? refuse(1, `tcpdump: unknown host '${address ?? ''}'`)
    : E.right({ set: { [word]: ip.right }, left: rest })
}

const readFilter = (words: Words): Read<Filter> => {
  let filter = EVERYTHING
  let left = words.flatMap((word) => word.split(/\s+/)).filter((word) => word !== '')
  while (left.length > 0) {
    const next = primitive(left)
    if (E.isLeft(next)) return next
    filter = { ...filter, ...next.right.set }
    const [and, ...rest] = next.right.left
    if (and === 'and' || and === '&&') {
      if (rest.length === 0) return syntax()
      left = rest
      continue
    }
    // `tcp port 80` is two primitives, too.
    left = [...next.right.left]
    if (and === 'or' || and === 'not' || and === '||' || and === '!')
      return absentHere(`tcpdump with "${and}" in its expression`)
  }
  return E.right(filter)
}

/** `-w` keeps packets as pcap in a file of the reader's. */
export function* tcpdump(context: Context, words: Words): Talk<Done> {
  const read = readFlags(words, LETTERS)
  if (E.isLeft(read)) {
    const what = read.left.tag === 'unknown' ? 'invalid option' : 'option requires an argument'
    return failed(1, `tcpdump: ${what} -- '${read.left.letter}'`)
  }
  const { flags, rest } = read.right
  const filter = readFilter(rest)
  if (E.isLeft(filter)) return filter.left
  const count = flags.has('c') ? numberOf(flags.get('c') ?? '', INT) : null
  if (flags.has('c') && (count === null || count === 0))
    return failed(1, `tcpdump: invalid packet count ${flags.get('c')}`)
  const { links } = yield* lookAt(context.ns)
  const name = flags.get('i') ?? links.find((link) => link.up && link.name !== 'lo')?.name ?? 'lo'
  const dev = name === 'any' ? null : nameIn(name)
  const link = links.find((one) => one.name === dev)
  if (name !== 'any' && link === undefined)
    return failed(1, `tcpdump: ${name}: No such device exists\n(No such device exists)`)
  if (link !== undefined && !link.up) return failed(1, `tcpdump: ${name}: That device is not up`)
  return yield* inBackground(context, 'tcpdump', words, {
    does: 'watch',
    dev,
    count,
    file: flags.get('w') ?? null,
    filter: filter.right,
    macs: flags.has('e'),
    times: !flags.has('t'),
  })
}

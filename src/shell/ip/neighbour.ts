// `ip neighbour`. Source: ip-neighbour(8); iproute2 6.1, ip/ipneigh.c (ipneigh_modify, do_show_or_flush, print_neigh).

import type { NeighbourRequest, NeighbourState } from '../../kernel/rtnl/request.ts'
import type { NeighbourFacts, Stack } from '../../kernel/rtnl/stack.ts'
import { type Cidr, covers } from '../../net/cidr.ts'
import { type Family, familyOf, type Ip, showIp, widthOf } from '../../net/ip.ts'
import { showMac } from '../../net/mac.ts'
import { E } from '../../prelude.ts'
import { type Context, linkCalled, lookAt, type Options, refusalText, shown, telling } from '../context.ts'
import { absentHere, type Done, failed, QUIET, type Read, refuse } from '../done.ts'
import { duplicate, garbage, incomplete, invalid, type Keyword, readWords, type Taken } from '../keyword.ts'
import { begins, type Words } from '../match.ts'
import { field, type Piece, text, where } from '../piece.ts'
import { asking, type Talk } from '../terminal.ts'
import { bytesOf, macOfBytes, readAddress, readPrefix } from '../value.ts'

type NeighbourWords = Readonly<{
  family: Family | null
  ip: Ip | null
  lladdr: string | null
  state: NeighbourState | null
  proxy: boolean
  dev: string | null
}>

const NO_WORDS: NeighbourWords = { family: null, ip: null, lladdr: null, state: null, proxy: false, dev: null }

/** Those that may be shortened, and those that may not (nud_state_a2n). */
const STATES: ReadonlyArray<readonly [word: string, state: string, short: boolean]> = [
  ['permanent', 'permanent', true],
  ['reachable', 'reachable', true],
  ['noarp', 'noarp', false],
  ['none', 'none', false],
  ['stale', 'stale', false],
  ['incomplete', 'incomplete', false],
  ['delay', 'delay', false],
  ['probe', 'probe', false],
  ['failed', 'failed', true],
]
const stateOf = (word: string): string | null =>
  STATES.find(([whole, , short]) => (short ? begins(word, whole) : word === whole))?.[1] ?? null

const ASKED = new Set<string>(['permanent', 'noarp', 'reachable', 'stale', 'failed'])
const isAsked = (state: string): state is NeighbourState => ASKED.has(state)

const NEIGHBOUR_USAGE = 'Usage: ip neigh { add | change | replace | del | show | flush } ...; see ip-neighbour(8)'

const KEYWORDS: ReadonlyArray<Keyword<NeighbourWords>> = [
  {
    is: 'lladdr',
    short: true,
    take: (lladdr, { lladdr: before }) => (before === null ? E.right({ lladdr }) : duplicate('lladdr', lladdr)),
  },
  {
    is: 'nud',
    take: (word) => {
      const state = stateOf(word)
      // Without the empty line that others have behind them.
      if (state === null) return refuse(255, `Error: argument "${word}" is wrong: nud state is bad`)
      return isAsked(state) ? E.right({ state }) : absentHere(`a neighbour put into the state ${state}`)
    },
  },
  {
    is: 'proxy',
    short: true,
    take: (word, { ip, family }) => {
      if (ip !== null) return duplicate('address', word)
      const read = readAddress(word, family)
      return E.isLeft(read) ? read : E.right({ ip: read.right, proxy: true })
    },
  },
  { is: ['router', 'extern_learn', 'managed', 'use'], rest: () => absentHere('flags of neighbours but proxy') },
  { is: 'dev', short: true, take: (dev) => E.right({ dev }) },
  { is: 'protocol', short: true, take: () => absentHere('a protocol of neighbours') },
]

const address = (words: Words, { family, ip }: NeighbourWords): Taken<NeighbourWords> => {
  const named = words[0] === 'to'
  const word = named ? words[1] : words[0]
  if (word === undefined) return incomplete()
  if (begins(word, 'help')) return refuse(255, NEIGHBOUR_USAGE)
  if (ip !== null) return garbage('to', word)
  const read = readAddress(word, family)
  return E.isLeft(read) ? read : E.right({ set: { ip: read.right }, left: words.slice(named ? 2 : 1) })
}

export function* modifyNeighbour(context: Context, verb: NeighbourRequest['do'], words: Words): Talk<Done> {
  const stack = yield* lookAt(context.ns)
  const read = readWords(words, { ...NO_WORDS, family: context.options.family }, KEYWORDS, address)
  if (E.isLeft(read)) return read.left
  const { ip, lladdr, state, proxy, dev } = read.right
  if (dev === null || ip === null) return failed(255, 'Device and destination are required arguments.')
  const link = linkCalled(stack, dev)
  if (link === null) return failed(1, `Cannot find device "${dev}"`)
  const bytes = lladdr === null || lladdr === 'null' ? null : bytesOf(lladdr)
  if (bytes === null && lladdr !== null && lladdr !== 'null') return failed(1, `"${lladdr}" is invalid lladdr.`)
  const mac = bytes === null ? null : macOfBytes(bytes)
  if (bytes !== null && mac === null) return failed(2, 'Error: Invalid link address.')
  return yield* telling(context, {
    on: 'neighbour',
    do: verb,
    dev: link.name,
    ip,
    ...(mac === null ? {} : { mac }),
    ...(state === null ? {} : { state }),
    ...(proxy ? { proxy } : {}),
  })
}

/** `states` null: the usual ones. */
type Selection = Readonly<{
  family: Family | null
  dev: string | null
  to: Cidr | null
  states: ReadonlyArray<string> | 'all' | null
  proxy: boolean
  master: string | null | undefined
}>

const selectionWords = (stack: Stack): ReadonlyArray<Keyword<Selection>> => [
  { is: 'dev', take: (dev, before) => (before.dev === null ? E.right({ dev }) : duplicate('dev', dev)) },
  {
    is: 'master',
    take: (word) => {
      const link = linkCalled(stack, word)
      return link === null ? invalid(word, 'Device does not exist\n') : E.right({ master: link.name })
    },
  },
  { is: 'nomaster', set: { master: null } },
  {
    is: 'nud',
    take: (word, { states }) => {
      if (word === 'all') return E.right({ states: 'all' })
      const state = stateOf(word)
      if (state === null) return refuse(255, `Error: argument "${word}" is wrong: nud state is bad`)
      return E.right({ states: [...(states === null || states === 'all' ? [] : states), state] })
    },
  },
  { is: 'proxy', set: { proxy: true } },
  { is: ['vrf', 'unused', 'protocol'], rest: () => absentHere('neighbours by vrf, protocol or use') },
]

const target = (words: Words, { family }: Selection): Taken<Selection> => {
  const named = words[0] === 'to'
  const word = named ? words[1] : words[0]
  if (word === undefined) return incomplete()
  if (begins(word, 'help')) return refuse(255, NEIGHBOUR_USAGE)
  const prefix = readPrefix(word, family)
  if (E.isLeft(prefix)) return prefix
  const { cidr, word: all } = prefix.right
  return E.right({
    set: all ? {} : { to: cidr, family: family ?? familyOf(cidr.ip) },
    left: words.slice(named ? 2 : 1),
  })
}

const selectionOf = (words: Words, stack: Stack, family: Family | null): Read<Selection> => {
  const nothing: Selection = { family, dev: null, to: null, states: null, proxy: false, master: undefined }
  const read = readWords(words, nothing, selectionWords(stack), target)
  if (E.isLeft(read) || read.right.dev === null) return read
  const link = linkCalled(stack, read.right.dev)
  return link === null
    ? refuse(1, `Cannot find device "${read.right.dev}"`)
    : E.right({ ...read.right, dev: link.name })
}

const fits = (entry: NeighbourFacts, stack: Stack, selection: Selection, hidden: ReadonlyArray<string>): boolean => {
  const { family, dev, to, states, proxy, master } = selection
  const isAsked =
    states === null ? !hidden.includes(entry.state) : states === 'all' || states.includes(entry.state.toLowerCase())
  const over = stack.links.find(({ name }) => name === entry.dev)?.master ?? null
  return (
    entry.proxy === proxy &&
    (proxy || isAsked) &&
    (family === null || familyOf(entry.ip) === family) &&
    (dev === null || entry.dev === dev) &&
    (master === undefined || over === master) &&
    (to === null || covers(to, { ip: entry.ip, bits: widthOf(familyOf(entry.ip)) }))
  )
}

const chosen = (stack: Stack, selection: Selection, hidden: ReadonlyArray<string>): ReadonlyArray<NeighbourFacts> =>
  stack.neighbours
    .filter((entry) => fits(entry, stack, selection, hidden))
    .sort((a, b) => familyOf(a.ip) - familyOf(b.ip))

const brief = ({ ip, dev, mac }: NeighbourFacts): ReadonlyArray<Piece> => [
  { key: 'dst', value: showIp(ip), text: `${showIp(ip).padEnd(39)} ` },
  { key: 'dev', value: dev, text: `${dev.padEnd(16)} ` },
  ...(mac === null ? [] : [field('lladdr', showMac(mac), '%')]),
  text('\n'),
]

const pieces = (entry: NeighbourFacts, selection: Selection, options: Options): ReadonlyArray<Piece> => {
  if (options.brief) return brief(entry)
  return [
    field('dst', showIp(entry.ip), '% '),
    ...where(selection.dev === null, field('dev', entry.dev, 'dev % ')),
    ...(entry.mac === null ? [] : [field('lladdr', showMac(entry.mac), 'lladdr % ')]),
    ...where(entry.router, { key: 'router', value: null, text: 'router ' }),
    ...where(entry.proxy, { key: 'proxy', value: null, text: 'proxy ' }),
    ...where(entry.state !== 'NONE', { key: 'state', value: [entry.state], text: `${entry.state} ` }),
    text('\n'),
  ]
}

export function* showNeighbours({ ns, options }: Context, words: Words): Talk<Done> {
  const stack = yield* lookAt(ns)
  const read = selectionOf(words, stack, options.family)
  if (E.isLeft(read)) return read.left
  return shown(
    options,
    chosen(stack, read.right, ['NOARP', 'NONE']).map((entry) => pieces(entry, read.right, options)),
  )
}

/** Those that were put in for good stay, unless they are asked for by their state. */
export function* flushNeighbours({ ns, options }: Context, words: Words): Talk<Done> {
  if (words.length === 0) return failed(1, 'Flush requires arguments.')
  const stack = yield* lookAt(ns)
  const read = selectionOf(words, stack, options.family)
  if (E.isLeft(read)) return read.left
  for (const { dev, ip, proxy } of chosen(stack, read.right, ['PERMANENT', 'NOARP'])) {
    const ask: NeighbourRequest = { on: 'neighbour', do: 'delete', dev, ip, ...(proxy ? { proxy } : {}) }
    const refusal = yield* asking((terminal) => terminal.ask({ ns, ask }))
    if (refusal !== null && refusal.errno !== 'ENOENT') return failed(2, refusalText(refusal))
  }
  return QUIET
}

// `bridge fdb`. Source: bridge(8); iproute2 6.1, bridge/fdb.c (fdb_modify, fdb_show, fdb_get, print_fdb).

import type { FdbRequest } from '../../kernel/rtnl/request.ts'
import type { FdbFacts, Stack } from '../../kernel/rtnl/stack.ts'
import { type Ip, showIp } from '../../net/ip.ts'
import { type Mac, showMac } from '../../net/mac.ts'
import { E } from '../../prelude.ts'
import { type Context, linkCalled, lookAt, shown, telling } from '../context.ts'
import { absentHere, type Done, failed, notHere, type Read, refuse } from '../done.ts'
import { garbage, incomplete, type Keyword, readWords, type Taken } from '../keyword.ts'
import { begins, type Words } from '../match.ts'
import { field, type Piece, quiet, text, where } from '../piece.ts'
import type { Talk } from '../terminal.ts'
import { bytesOf, macOfBytes, numberOf, readAddress, U16, U32 } from '../value.ts'

type FdbWords = Readonly<{
  dev: string | null
  mac: string | null
  master: boolean
  self: boolean
  state: 'local' | 'static' | 'dynamic'
  sticky: boolean
  dst: Ip | null
  vni: number | null
  port: number | null
  via: string | null
  vlan: number | null
}>

const NO_WORDS: FdbWords = {
  dev: null,
  mac: null,
  master: false,
  self: false,
  state: 'local',
  sticky: false,
  dst: null,
  vni: null,
  port: null,
  via: null,
  vlan: null,
}

const wrong = (words: string): Read<never> => refuse(255, `Error: ${words}.`)
/** The message stands where the argument should, as it does there. */
const odd = (words: string, value: string): Read<never> => refuse(255, `Error: argument "${words}" is wrong: ${value}`)

const KEYWORDS: ReadonlyArray<Keyword<FdbWords>> = [
  { is: 'dev', take: (dev) => E.right({ dev }) },
  { is: 'dst', take: (word) => E.map((dst: Ip) => ({ dst }))(readAddress(word, null)) },
  {
    is: 'port',
    take: (word) => {
      const port = numberOf(word, U16)
      return port === null ? odd('invalid port', word) : E.right({ port })
    },
  },
  {
    is: 'vni',
    take: (word) => {
      const vni = numberOf(word, U32)
      return vni === null || vni >= 2 ** 24 ? odd('invalid VNI', word) : E.right({ vni })
    },
  },
  { is: 'via', take: (via) => E.right({ via }) },
  { is: 'self', set: { self: true } },
  { is: 'master', short: true, set: { master: true } },
  { is: 'router', short: true, rest: () => absentHere('the flag router of an entry') },
  { is: ['local', 'permanent'], short: true, set: { state: 'local' } },
  { is: ['temp', 'static'], short: true, set: { state: 'static' } },
  { is: 'dynamic', short: true, set: { state: 'dynamic' } },
  {
    is: 'vlan',
    short: true,
    take: (word) => {
      const vlan = numberOf(word, U16)
      return vlan === null || vlan >= 4096 ? wrong('invalid vlan id') : E.right({ vlan })
    },
  },
  {
    is: ['use', 'extern_learn', 'src_vni', 'nhid'],
    rest: () => absentHere('use, extern_learn, src_vni and nhid of an entry'),
  },
  { is: 'sticky', short: true, set: { sticky: true } },
]

const FDB_USAGE = 'Usage: bridge fdb { add | append | replace | del | show | get } ...; see bridge(8)'

const address = (words: Words, { mac }: FdbWords): Taken<FdbWords> => {
  const named = words[0] === 'to'
  const word = named ? words[1] : words[0]
  if (word === undefined) return incomplete()
  if (begins(word, 'help')) return refuse(255, FDB_USAGE)
  return mac !== null ? garbage('to', word) : E.right({ set: { mac: word }, left: words.slice(named ? 2 : 1) })
}

/** sscanf(3) of six numbers; what is behind them counts for nothing. */
const readMac = (word: string): Read<Mac> => {
  const mac = macOfBytes(bytesOf(word.split(':').slice(0, 6).join(':')) ?? [])
  return mac === null ? refuse(255, `Invalid mac address ${word}`) : E.right(mac)
}

export function* changeFdb(context: Context, verb: FdbRequest['do'], words: Words): Talk<Done> {
  const stack = yield* lookAt(context.ns)
  const read = readWords(words, NO_WORDS, KEYWORDS, address)
  if (E.isLeft(read)) return read.left
  const { dev, mac, master, self, state, sticky, dst, vni, port, via, vlan } = read.right
  if (dev === null || mac === null) return failed(255, 'Device and address are required arguments.')
  const below = via === null ? null : linkCalled(stack, via)
  if (via !== null && below === null) return failed(255, `Cannot find device "${via}"`)
  const own = readMac(mac)
  if (E.isLeft(own)) return own.left
  const link = linkCalled(stack, dev)
  if (link === null) return failed(255, `Cannot find device "${dev}"`)
  if (master && self) return notHere('an entry of both the bridge and the device; ask twice')
  const ask: FdbRequest = {
    on: 'fdb',
    do: verb,
    dev: link.name,
    mac: own.right,
    of: master ? 'master' : 'self',
    ...(verb === 'delete' && state === 'local' ? {} : { state }),
    ...(sticky ? { sticky } : {}),
    ...(dst === null ? {} : { dst }),
    ...(vni === null ? {} : { vni }),
    ...(port === null ? {} : { port }),
    ...(below === null ? {} : { via: below.name }),
    ...(vlan === null ? {} : { vlan }),
  }
  return yield* telling(context, ask, 255)
}

type Selection = Readonly<{
  dev: string | null
  bridge: string | null
  vlan: number | null
  state: string | null
  dynamic: boolean
}>

const SELECTION: ReadonlyArray<Keyword<Selection>> = [
  { is: ['brport', 'dev', 'port'], take: (dev) => E.right({ dev }) },
  { is: 'br', take: (bridge) => E.right({ bridge }) },
  {
    is: 'vlan',
    take: (word) => {
      const vlan = numberOf(word, U16)
      return vlan === null ? wrong('invalid vlan id') : E.right({ vlan })
    },
  },
  {
    is: 'state',
    take: (word) => {
      const states = ['permanent', 'static', 'stale', 'reachable', 'noarp']
      const state = states.find((one) => begins(word, one))
      return state === undefined ? odd('invalid state', word) : E.right({ state })
    },
  },
  { is: 'dynamic', short: true, set: { dynamic: true } },
]

const select = (words: Words, stack: Stack): Read<Selection> => {
  const nothing: Selection = { dev: null, bridge: null, vlan: null, state: null, dynamic: false }
  const read = readWords(words, nothing, SELECTION, (left) =>
    begins(left[0] ?? '', 'help') ? refuse(255, FDB_USAGE) : E.right({ set: {}, left: left.slice(1) }),
  )
  if (E.isLeft(read)) return read
  const { dev, bridge } = read.right
  const over = bridge === null ? null : linkCalled(stack, bridge)
  if (bridge !== null && over === null) return refuse(255, `Cannot find bridge device "${bridge}"`)
  const link = dev === null ? null : linkCalled(stack, dev)
  if (dev !== null && link === null) return refuse(255, `Cannot find device "${dev}"`)
  return E.right({ ...read.right, dev: link?.name ?? null, bridge: over?.name ?? null })
}

const fits = (entry: FdbFacts, stack: Stack, { dev, bridge, vlan, state, dynamic }: Selection): boolean => {
  const master = stack.links.find(({ name }) => name === entry.dev)?.master ?? null
  return (
    (dev === null || entry.dev === dev) &&
    (bridge === null || entry.dev === bridge || master === bridge) &&
    (vlan === null || entry.vlan === vlan) &&
    (state === null || entry.state === state || (state === 'noarp' && entry.state === 'static')) &&
    (!dynamic || entry.state !== 'permanent')
  )
}

/** `isOfOne`: the device is not said again. */
const pieces = (entry: FdbFacts, isOfOne: boolean): ReadonlyArray<Piece> => {
  const { mac, dev, dst, vlan, port, vni, via, flags, master, state } = entry
  return [
    field('mac', showMac(mac), '% '),
    ...where(!isOfOne, field('ifname', dev, 'dev % ')),
    ...(dst === null ? [] : [field('dst', showIp(dst), 'dst % ')]),
    ...(vlan === null ? [] : [field('vlan', vlan, 'vlan % ')]),
    ...(port === null ? [] : [field('port', port, 'port % ')]),
    ...(vni === null ? [] : [field('vni', vni, 'vni % ')]),
    ...(via === null ? [] : [field('viaIf', via, 'via % ')]),
    { key: 'flags', value: flags, text: flags.map((flag) => `${flag} `).join('') },
    ...(master === null ? [] : [field('master', master, 'master % ')]),
    quiet('state', state),
    text(`${state}\n`),
  ]
}

export function* showFdb({ ns, options }: Context, words: Words): Talk<Done> {
  const stack = yield* lookAt(ns)
  const read = select(words, stack)
  if (E.isLeft(read)) return read.left
  const isOfOne = read.right.dev !== null
  const index = (dev: string): number => stack.links.find(({ name }) => name === dev)?.index ?? 0
  return shown(
    options,
    stack.fdb
      .filter((entry) => fits(entry, stack, read.right))
      .sort((a, b) => index(a.dev) - index(b.dev))
      .map((entry) => pieces(entry, isOfOne)),
  )
}

type Got = Readonly<{
  mac: string | null
  bridge: string | null
  dev: string | null
  vlan: number | null
  self: boolean
}>
const GET_WORDS: ReadonlyArray<Keyword<Got>> = [
  { is: 'br', take: (bridge) => E.right({ bridge }) },
  { is: ['brport', 'dev'], take: (dev) => E.right({ dev }) },
  { is: 'self', set: { self: true } },
  { is: 'master', short: true, set: {} },
  {
    is: 'vlan',
    take: (word) => {
      const vlan = numberOf(word, U16)
      return vlan === null ? wrong('invalid vlan id') : E.right({ vlan })
    },
  },
]

export function* getFdb({ ns, options }: Context, words: Words): Talk<Done> {
  const stack = yield* lookAt(ns)
  const nothing: Got = { mac: null, bridge: null, dev: null, vlan: null, self: false }
  const read = readWords(words, nothing, GET_WORDS, (left) =>
    E.right({ set: { mac: left[0] ?? '' }, left: left.slice(1) }),
  )
  if (E.isLeft(read)) return read.left
  const { mac, bridge, dev, vlan, self } = read.right
  if (mac === null) return failed(255, 'Device and address are required arguments.')
  const own = readMac(mac)
  if (E.isLeft(own)) return own.left
  for (const name of [bridge, dev]) {
    if (name === null || linkCalled(stack, name) !== null) continue
    return failed(255, name === bridge ? `Cannot find bridge device "${name}"` : `Cannot find device "${name}"`)
  }
  const found = stack.fdb.find(
    (entry) =>
      entry.mac === own.right &&
      entry.vlan === vlan &&
      entry.flags.includes('self') === self &&
      (bridge === null || entry.master === bridge) &&
      (dev === null || entry.dev === dev || entry.master === dev),
  )
  return found === undefined ? failed(255, 'Error: Fdb entry not found.') : shown(options, [pieces(found, false)])
}

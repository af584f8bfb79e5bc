// `bridge link`. Source: bridge(8); iproute2 6.1, bridge/link.c (brlink_modify, print_linkinfo).

import type { PortOptions } from '../../kernel/rtnl/kind.ts'
import type { LinkFacts } from '../../kernel/rtnl/stack.ts'
import { E } from '../../prelude.ts'
import { type Context, lineBreak, linkCalled, lookAt, type Options, shown, telling } from '../context.ts'
import { absentHere, type Done, failed, type Read, refuse } from '../done.ts'
import { type Around, flagsOf, flagsPiece, nameWithLower, nearLower, portState } from '../ip/link-show.ts'
import { around } from '../ip/show.ts'
import { duplicate, type Keyword, ON_OFF, oneOf, readWords } from '../keyword.ts'
import type { Words } from '../match.ts'
import { field, type Piece, text, where } from '../piece.ts'
import type { Talk } from '../terminal.ts'
import { numberOf, U8 } from '../value.ts'

type PortWords = Readonly<{ dev: string | null; options: PortOptions }>

type Flag = Exclude<keyof PortOptions, 'state' | 'priority' | 'cost'>
/** In bridge(8)'s order of showing, too; between them stands what no stack holds. */
const FLAGS: ReadonlyArray<readonly [word: string, key: Flag]> = [
  ['hairpin', 'hairpin'],
  ['guard', 'guard'],
  ['root_block', 'rootBlock'],
  ['fastleave', 'fastLeave'],
  ['learning', 'learning'],
  ['flood', 'flood'],
  ['mcast_flood', 'mcastFlood'],
  ['bcast_flood', 'bcastFlood'],
  ['neigh_suppress', 'neighSuppress'],
  ['isolated', 'isolated'],
  ['locked', 'locked'],
]

const flagKeyword = ([is, key]: readonly [string, Flag]): Keyword<PortWords> => ({
  is,
  take: (word, { options }) => {
    const value = oneOf(is, word, ON_OFF)
    return E.isLeft(value) ? value : E.right({ options: { ...options, [key]: value.right } })
  },
})

const STATES: ReadonlyArray<string> = ['disabled', 'listening', 'learning', 'forwarding', 'blocking']

const readState = (word: string, { options }: PortWords): Read<Partial<PortWords>> => {
  const digits = /^\d+/.exec(word) === null ? null : numberOf(word, U8)
  if (digits !== null) return E.right({ options: { ...options, state: digits } })
  const state = STATES.indexOf(word.toLowerCase())
  return state < 0 ? refuse(255, 'Error: invalid STP port state') : E.right({ options: { ...options, state } })
}

/** atoi(3), in as many bits as the kernel has. */
const leading = (word: string, bits: number): number => {
  const digits = /^\s*[+-]?\d+/.exec(word)?.[0]
  return digits === undefined ? 0 : Number(BigInt.asUintN(bits, BigInt(digits.trim().replace(/^\+/, ''))))
}

const PORT_USAGE =
  'Usage: bridge link set dev DEV [ cost COST ] [ priority PRIO ] [ state STATE ] [ FLAG { on | off } ] ...'

const KEYWORDS: ReadonlyArray<Keyword<PortWords>> = [
  { is: 'dev', take: (dev) => E.right({ dev }) },
  ...FLAGS.map(flagKeyword),
  { is: 'cost', take: (word, { options }) => E.right({ options: { ...options, cost: leading(word, 32) } }) },
  { is: 'priority', take: (word, { options }) => E.right({ options: { ...options, priority: leading(word, 16) } }) },
  { is: 'state', take: readState },
  { is: 'master', rest: (left) => E.right({ set: {}, left }) },
  { is: 'self', rest: () => absentHere('bridge link set ... self') },
  {
    is: [
      'learning_sync',
      'mcast_router',
      'mcast_to_unicast',
      'vlan_tunnel',
      'hwmode',
      'backup_port',
      'mab',
      'mcast_max_groups',
    ],
    take: (value) => absentHere(`an option of a port (${value})`),
  },
  { is: 'nobackup_port', rest: () => absentHere('nobackup_port') },
]

export function* setPort(context: Context, words: Words): Talk<Done> {
  const stack = yield* lookAt(context.ns)
  const nothing: PortWords = { dev: null, options: {} }
  const read = readWords(words, nothing, KEYWORDS, () => refuse(255, PORT_USAGE))
  if (E.isLeft(read)) return read.left
  const { dev, options } = read.right
  if (dev === null) return failed(255, 'Device is a required argument.')
  const link = linkCalled(stack, dev)
  if (link === null) return failed(255, `Cannot find bridge device "${dev}"`)
  return yield* telling(context, { on: 'port', do: 'set', dev: link.name, options }, 255)
}

const onOff = (key: string, word: string, value: boolean): Piece => ({
  key,
  value,
  text: `${word} ${value ? 'on' : 'off'} `,
})

const pieces = (link: LinkFacts, near: Around, options: Options): ReadonlyArray<Piece> => {
  const { port } = link
  if (port === null || link.master === null) return []
  const lower = nearLower(link, near)
  return [
    { key: 'ifindex', value: link.index, text: `${link.index}: ` },
    ...(lower?.at === 'here' ? [{ key: 'link', value: lower.name, text: '' }] : []),
    { key: 'ifname', value: link.name, text: `${nameWithLower(link.name, lower)}: ` },
    flagsPiece(flagsOf(link)),
    field('mtu', link.mtu, 'mtu % '),
    field('master', link.master, 'master % '),
    field('state', portState(port.state), 'state % '),
    field('priority', port.priority, 'priority % '),
    field('cost', port.cost, 'cost % '),
    ...where(options.details, text(`${lineBreak(options)}    `)),
    ...(options.details ? FLAGS.map(([word, key]) => onOff(word, word, port[key])) : []),
    text('\n'),
  ]
}

type Shown = Readonly<{ dev: string | null }>
const SHOW_WORDS: ReadonlyArray<Keyword<Shown>> = [
  { is: 'dev', take: (dev, before) => (before.dev === null ? E.right({ dev }) : duplicate('dev', dev)) },
]

export function* showPorts({ ns, options }: Context, words: Words): Talk<Done> {
  const stack = yield* lookAt(ns)
  // What is no keyword is passed over.
  const read = readWords<Shown>(words, { dev: null }, SHOW_WORDS, (left) => E.right({ set: {}, left: left.slice(1) }))
  if (E.isLeft(read)) return read.left
  const { dev } = read.right
  const link = dev === null ? null : linkCalled(stack, dev)
  if (dev !== null && link === null) return failed(255, `Cannot find device "${dev}"`)
  const near = yield* around(ns, stack)
  const ports = stack.links.filter((one) => one.port !== null && (link === null || one.name === link.name))
  return shown(
    options,
    ports.map((one) => pieces(one, near, options)),
  )
}

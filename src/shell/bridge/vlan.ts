// `bridge vlan`. Source: bridge(8); iproute2 6.1, bridge/vlan.c (vlan_modify, vlan_show, print_vlan_info).

import type { VlanRequest } from '../../kernel/rtnl/request.ts'
import type { Stack, VlanFacts } from '../../kernel/rtnl/stack.ts'
import { E } from '../../prelude.ts'
import { type Context, linkCalled, lookAt, type Options, shown, telling } from '../context.ts'
import { absentHere, type Done, failed, printed, refuse } from '../done.ts'
import { type Keyword, readWords } from '../keyword.ts'
import { begins, type Words } from '../match.ts'
import { field, list, type Piece, quiet, text } from '../piece.ts'
import type { Talk } from '../terminal.ts'

type VlanWords = Readonly<{
  dev: string | null
  vid: string | null
  pvid: boolean
  untagged: boolean
  self: boolean
}>

const NO_WORDS: VlanWords = { dev: null, vid: null, pvid: false, untagged: false, self: false }
const VLAN_USAGE = 'Usage: bridge vlan { add | del | show } ...; see bridge(8)'

const KEYWORDS: ReadonlyArray<Keyword<VlanWords>> = [
  { is: 'dev', take: (dev) => E.right({ dev }) },
  { is: 'vid', take: (vid) => E.right({ vid }) },
  { is: 'self', set: { self: true } },
  { is: 'master', set: {} },
  { is: 'pvid', set: { pvid: true } },
  { is: 'untagged', set: { untagged: true } },
  { is: 'tunnel_info', rest: () => absentHere('tunnel_info of a VLAN') },
]

/** atoi(3) */
const leading = (word: string): number => Number(/^\s*[+-]?\d+/.exec(word)?.[0] ?? 0)
const VIDS = 4096

export function* changeVlan(context: Context, verb: VlanRequest['do'], words: Words): Talk<Done> {
  const stack = yield* lookAt(context.ns)
  const read = readWords(words, NO_WORDS, KEYWORDS, () => refuse(255, VLAN_USAGE))
  if (E.isLeft(read)) return read.left
  const { dev, vid, pvid, untagged, self } = read.right
  if (dev === null || vid === null) return failed(255, 'Device and VLAN ID are required arguments.')
  const link = linkCalled(stack, dev)
  if (link === null) return failed(255, `Cannot find bridge device "${dev}"`)
  const [first = '', last] = vid.split('-')
  const id = leading(first)
  const until = last === undefined ? null : leading(last)
  if (id >= VIDS || id < 0) return failed(255, `Invalid VLAN ID "${id}"`)
  if (until !== null && (until >= VIDS || id >= until)) return failed(255, `Invalid VLAN range "${id}-${until}"`)
  if (until !== null && pvid) return failed(255, `pvid cannot be configured for a vlan range`)
  const ask: VlanRequest = {
    on: 'vlan',
    do: verb,
    dev: link.name,
    id,
    ...(until === null ? {} : { until }),
    ...(pvid ? { pvid } : {}),
    ...(untagged ? { untagged } : {}),
    ...(self ? { self } : {}),
  }
  return yield* telling(context, ask, 255)
}

type Selection = Readonly<{ dev: string | null; vid: number | null }>
const SELECTION: ReadonlyArray<Keyword<Selection>> = [
  { is: 'dev', take: (dev) => E.right({ dev }) },
  { is: 'vid', take: (word) => E.right({ vid: leading(word) }) },
]

/** IFNAMSIZ and a little, as the head has it. */
const WIDTH = 18
const HEAD = `${'port'.padEnd(WIDTH)}vlan-id  \n`

const vlanPieces = ({ id, pvid, untagged }: VlanFacts, indent: string): ReadonlyArray<Piece> => [
  text(indent),
  field('vlan', id, '%'),
  ...(pvid || untagged
    ? [
        {
          key: 'flags',
          value: [...(pvid ? ['PVID'] : []), ...(untagged ? ['Egress Untagged'] : [])],
          text: `${pvid ? ' PVID' : ''}${untagged ? ' Egress Untagged' : ''}`,
        },
      ]
    : []),
  text('\n'),
]

const portPieces = (dev: string, vlans: ReadonlyArray<VlanFacts>): ReadonlyArray<Piece> => [
  quiet('ifname', dev),
  list(
    'vlans',
    vlans.map((vlan, at) => vlanPieces(vlan, (at === 0 ? dev : '').padEnd(WIDTH))),
  ),
]

const document = (stack: Stack, { dev, vid }: Selection, options: Options): Done => {
  const things = stack.links.flatMap(({ name }) => {
    const own = stack.vlans.filter((vlan) => vlan.dev === name && (vid === null || vlan.id === vid))
    return own.length === 0 || (dev !== null && dev !== name) ? [] : [portPieces(name, own)]
  })
  const done = shown(options, things)
  return options.json ? done : printed(HEAD + done.stdout)
}

export function* showVlans({ ns, options }: Context, words: Words): Talk<Done> {
  const stack = yield* lookAt(ns)
  const nothing: Selection = { dev: null, vid: null }
  const read = readWords(words, nothing, SELECTION, (left) =>
    begins(left[0] ?? '', 'help') ? refuse(255, VLAN_USAGE) : E.right({ set: {}, left: left.slice(1) }),
  )
  if (E.isLeft(read)) return read.left
  const { dev } = read.right
  const link = dev === null ? null : linkCalled(stack, dev)
  if (dev !== null && link === null) return failed(255, `Cannot find device "${dev}"`)
  return document(stack, { ...read.right, dev: link?.name ?? null }, options)
}

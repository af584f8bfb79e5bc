// `ip link add` and `ip link set`: the words that both understand, as iplink_parse reads them, and what they ask the kernel for.
// Source: ip-link(8); iproute2 6.1, ip/iplink.c (iplink_parse, iplink_modify).

import type { LinkSettings } from '../../kernel/rtnl/request.ts'
import type { Stack } from '../../kernel/rtnl/stack.ts'
import type { Mac } from '../../net/mac.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { parseNs } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { linkCalled, nameIn } from '../context.ts'
import { absentHere, type Done, failed, type Read, refuse } from '../done.ts'
import { duplicate, garbage, incomplete, invalid, type Keyword, readWords, type Taken } from '../keyword.ts'
import type { Words } from '../match.ts'
import { groupOf } from '../names.ts'
import { bytesOf, INT, macOfBytes, numberIn, numberOf } from '../value.ts'

/** What is there to be named. */
export type Sight = Readonly<{ stack: Stack; spaces: ReadonlyArray<Ns> }>

/** As it was written. `type` has the words behind it, which the kind reads. */
export type LinkWords = Readonly<{
  dev: string | null
  name: string | null
  index: number | null
  below: string | null
  mac: string | null
  mtu: number | null
  txqlen: number | null
  group: number | null
  to: Ns | null
  master: string | null | undefined
  alias: string | null
  addrGenMode: LinkSettings['addrGenMode'] | null
  up: boolean | null
  type: string | null
  args: Words
}>

export const NO_WORDS: LinkWords = {
  dev: null,
  name: null,
  index: null,
  below: null,
  mac: null,
  mtu: null,
  txqlen: null,
  group: null,
  to: null,
  master: undefined,
  alias: null,
  addrGenMode: null,
  up: null,
  type: null,
  args: [],
}

const IFNAMSIZ = 16
/** __check_ifname of lib/utils.c. */
const isName = (text: string): boolean => text !== '' && !/[/\s]/.test(text)

/** `pid` and paths of namespaces are the machine's, which no simulation has. */
const namespaceIn =
  ({ spaces }: Sight) =>
  (text: string): Read<{ to: Ns }> => {
    const ns = parseNs(text)
    if (E.isRight(ns) && spaces.includes(ns.right)) return E.right({ to: ns.right })
    return /^[0-9]+$/.test(text)
      ? absentHere(`a namespace by the number of a process (netns ${text})`)
      : invalid(text, 'Invalid "netns" value\n')
  }

/** Words that the real program understands, with a value or two, and the requests have no place for. */
const OTHERS: ReadonlyArray<string> = [
  'xdp',
  'xdpgeneric',
  'multicast',
  'allmulticast',
  'promisc',
  'trailers',
  'arp',
  'carrier',
  'vf',
  'vrf',
  'dynamic',
  'mode',
  'state',
  'numtxqueues',
  'numrxqueues',
  'link-netns',
  'link-netnsid',
  'protodown',
  'protodown_reason',
  'gso_max_size',
  'gso_max_segs',
  'gro_max_size',
  'parentdev',
  'broadcast',
  'brd',
]

const once = (
  key: string,
  isThere: (soFar: LinkWords) => boolean,
  read: (value: string) => Read<Partial<LinkWords>>,
): Pick<Extract<Keyword<LinkWords>, { take: unknown }>, 'take'> => ({
  take: (value, soFar) => (isThere(soFar) ? duplicate(key, value) : read(value)),
})

const number = (key: keyof LinkWords, why: string): ((text: string) => Read<Partial<LinkWords>>) => {
  const read = numberIn(INT, why)
  return (text) => {
    const value = read(text)
    return E.isLeft(value) ? value : E.right({ [key]: value.right })
  }
}

const modeOf = (text: string): Read<Partial<LinkWords>> => {
  if (text === 'eui64' || text === 'none') return E.right({ addrGenMode: text })
  return text === 'stable_secret' || text === 'random'
    ? absentHere(`addrgenmode ${text}`)
    : invalid(text, 'invalid addrgenmode\n')
}

const keywordsIn = (sight: Sight): ReadonlyArray<Keyword<LinkWords>> => [
  { is: 'up', set: { up: true } },
  { is: 'down', set: { up: false } },
  {
    is: 'name',
    ...once(
      'name',
      ({ name }) => name !== null,
      (text) =>
        isName(text) && text.length < IFNAMSIZ ? E.right({ name: text }) : invalid(text, '"name" not a valid ifname'),
    ),
  },
  {
    is: 'index',
    short: true,
    ...once(
      'index',
      ({ index }) => index !== null,
      (text) => {
        const value = numberOf(text, INT)
        return value === null || value === 0 ? invalid(text, 'Invalid "index" value') : E.right({ index: value })
      },
    ),
  },
  { is: 'link', short: true, take: (text) => E.right({ below: text }) },
  { is: 'address', short: true, take: (text) => E.right({ mac: text }) },
  {
    is: ['txqueuelen', 'qlen', 'txqlen'],
    short: true,
    ...once('txqueuelen', ({ txqlen }) => txqlen !== null, number('txqlen', 'Invalid "txqueuelen" value\n')),
  },
  { is: 'mtu', ...once('mtu', ({ mtu }) => mtu !== null, number('mtu', 'Invalid "mtu" value\n')) },
  { is: 'netns', ...once('netns', ({ to }) => to !== null, namespaceIn(sight)) },
  {
    is: 'master',
    short: true,
    take: (text) =>
      linkCalled(sight.stack, text) === null ? invalid(text, 'Device does not exist\n') : E.right({ master: text }),
  },
  { is: 'nomaster', short: true, set: { master: null } },
  { is: 'type', short: true, rest: ([type, ...args]) => typed(type, args) },
  { is: 'alias', short: true, take: (text) => E.right({ alias: text }) },
  {
    is: 'group',
    ...once(
      'group',
      ({ group }) => group !== null,
      (text) => {
        const value = groupOf(text)
        return value === null ? invalid(text, 'Invalid "group" value\n') : E.right({ group: value })
      },
    ),
  },
  { is: 'addrgenmode', short: true, take: modeOf },
  { is: OTHERS, take: (value) => absentHere(`a link's setting (${value})`) },
]

/** All that follows belongs to the kind. */
const typed = (type: string | undefined, args: Words): Taken<LinkWords> =>
  type === undefined ? incomplete() : E.right({ set: { type, args }, left: [] })

const withoutKeyword = (words: Words, { dev }: LinkWords): Taken<LinkWords> => {
  const named = words[0] === 'dev'
  const word = named ? words[1] : words[0]
  if (word === undefined) return incomplete()
  if (word === 'help' && !named) return refuse(255, LINK_USAGE)
  if (dev !== null) return garbage('dev', word)
  if (!isName(word)) return invalidName(word)
  return E.right({ set: { dev: word }, left: words.slice(named ? 2 : 1) })
}

/** Without the empty line that others have behind them. */
const invalidName = (word: string): Read<never> =>
  refuse(255, `Error: argument "${word}" is wrong: "dev" not a valid ifname`)

export const LINK_USAGE =
  'Usage: ip link { add | set | delete | show } ...; see ip-link(8), and "help" for what is here'

export const readLinkWords = (words: Words, sight: Sight): Read<LinkWords> =>
  readWords(words, NO_WORDS, keywordsIn(sight), withoutKeyword)

/** In which the kernel refuses names that are too long (nla_policy). */
export const TOO_LONG: Done = failed(2, 'Error: Attribute failed policy validation.')

/** A name for a new device: as the kernel looks at it. */
export const newName = (text: string): Read<IfName> => {
  if (text.length >= IFNAMSIZ) return E.left(TOO_LONG)
  const name = nameIn(text)
  if (name !== null) return E.right(name)
  if (text.includes(':') || text === '.' || text === '..') return refuse(2, 'RTNETLINK answers: Invalid argument')
  return absentHere(`a device called "${text}"`)
}

export const macOf = (text: string): Read<Mac> => {
  const bytes = bytesOf(text)
  if (bytes === null) return refuse(1, `"${text}" is invalid lladdr.`)
  const mac = macOfBytes(bytes)
  return mac === null ? refuse(2, 'RTNETLINK answers: Invalid argument') : E.right(mac)
}

/** What `add` and `set` share. */
export const settingsOf = (words: LinkWords): Read<LinkSettings> => {
  const mac = words.mac === null ? E.right(null) : macOf(words.mac)
  if (E.isLeft(mac)) return mac
  return E.right({
    ...(words.up === null ? {} : { up: words.up }),
    ...(mac.right === null ? {} : { mac: mac.right }),
    ...(words.mtu === null ? {} : { mtu: words.mtu }),
    ...(words.group === null ? {} : { group: words.group }),
    ...(words.txqlen === null ? {} : { txqlen: words.txqlen }),
    ...(words.alias === null ? {} : { alias: words.alias }),
    ...(words.addrGenMode === null || words.addrGenMode === undefined ? {} : { addrGenMode: words.addrGenMode }),
  })
}

const noDevice = (name: string): Read<never> => refuse(1, `Cannot find device "${name}"`)

/** By the name it has now, where it was called by its number. */
export const knownName = ({ stack }: Sight, name: string): Read<IfName> => {
  const link = linkCalled(stack, name)
  return link === null ? noDevice(name) : E.right(link.name)
}

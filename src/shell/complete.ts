// What may stand where the cursor is: commands, objects and verbs, keywords, and the names of devices and namespaces that are there.

import { BRIDGE_OBJECTS } from './bridge/bridge.ts'
import { lookAt } from './context.ts'
import { IP_OBJECTS } from './ip/ip.ts'
import type { Words } from './match.ts'
import { COMMANDS, type Shell, spaceOf } from './shell.ts'
import { asking, type Talk } from './terminal.ts'

type Objects = ReadonlyArray<readonly [name: string, verbs: ReadonlyArray<string>]>

const OBJECTS: Readonly<Record<string, Objects>> = { ip: IP_OBJECTS, bridge: BRIDGE_OBJECTS }
const OPTIONS: Readonly<Record<string, Words>> = {
  ip: ['-4', '-6', '-brief', '-details', '-json', '-oneline', '-pretty', '-netns', '-batch', '-force'],
  bridge: ['-details', '-json', '-oneline', '-pretty', '-netns'],
  sysctl: ['-n', '-w', '-q', '-e'],
  ping: ['-4', '-6', '-I', '-M', '-W', '-b', '-c', '-i', '-m', '-n', '-q', '-s', '-t', '-w'],
  arping: ['-A', '-D', '-I', '-U', '-b', '-c', '-f', '-q', '-s', '-w'],
  traceroute: ['-4', '-6', '-F', '-I', '-T', '-f', '-i', '-m', '-n', '-p', '-q', '-s', '-w'],
  nc: ['-4', '-6', '-N', '-k', '-l', '-n', '-s', '-u', '-v', '-w', '-z'],
  tcpdump: ['-c', '-e', '-i', '-n', '-t', '-w'],
}
const QUALITIES = ['delay', 'duplicate', 'jitter', 'loss', 'rate', 'reorder']
/** Programs that name a device behind this option. */
const DEVICE_OPTION: Readonly<Record<string, string>> = {
  ping: '-I',
  ping6: '-I',
  arping: '-I',
  traceroute: '-i',
  tcpdump: '-i',
}
const KINDS = ['bridge', 'dummy', 'ipvlan', 'macvlan', 'veth', 'vlan', 'vxlan']
const KEYWORDS: Readonly<Record<string, Words>> = {
  link: [
    'address',
    'alias',
    'dev',
    'down',
    'group',
    'master',
    'mtu',
    'name',
    'netns',
    'nomaster',
    'peer',
    'type',
    'up',
  ],
  address: ['brd', 'dev', 'label', 'metric', 'nodad', 'noprefixroute', 'peer', 'scope', 'to'],
  route: ['blackhole', 'default', 'dev', 'metric', 'mtu', 'nexthop', 'onlink', 'proto', 'scope', 'src', 'table', 'via'],
  rule: ['from', 'fwmark', 'goto', 'iif', 'lookup', 'not', 'oif', 'priority', 'suppress_prefixlength', 'table', 'to'],
  neigh: ['dev', 'lladdr', 'nud', 'proxy'],
  fdb: [
    'br',
    'brport',
    'dev',
    'dst',
    'dynamic',
    'local',
    'master',
    'permanent',
    'self',
    'static',
    'sticky',
    'via',
    'vlan',
    'vni',
  ],
  vlan: ['dev', 'pvid', 'self', 'untagged', 'vid'],
}
/** Behind them stands a device, a namespace, or a kind. */
const BEFORE_DEVICE = new Set(['dev', 'master', 'link', 'iif', 'oif', 'br', 'brport', 'via'])
const BEFORE_SPACE = new Set(['netns', '-n', '-netns', 'exec', 'del', 'delete'])

function* devices(shell: Shell): Talk<Words> {
  return (yield* lookAt(spaceOf(shell))).links.map(({ name }) => name)
}

function* hosts(): Talk<Words> {
  return yield* asking((terminal) => terminal.hosts())
}
function* segments(): Talk<Words> {
  return (yield* asking((terminal) => terminal.network.segments())).map(({ name }) => name)
}

/** Of cnm's own words; null: it is none. `before`: the words behind it that are whole. */
function* ownWords(command: string, before: Words): Talk<Words | null> {
  const [first] = before
  switch (command) {
    case 'host':
      return before.length === 0 ? ['add', 'list', ...(yield* hosts())] : []
    case 'segment':
      if (before.length === 0) return ['add', 'list', 'set']
      if (before.length === 1) return first === 'set' ? yield* segments() : []
      return before.length % 2 === 0 ? QUALITIES : []
    case 'plug':
      if (before.length === 0) return yield* hosts()
      return before.length === 2 ? yield* segments() : []
    case 'cut':
      return before.length === 0 ? yield* segments() : yield* hosts()
    case 'heal':
      return before.length === 0 ? yield* segments() : []
    case 'kill':
    case 'wait':
      return (yield* asking((terminal) => terminal.jobs())).map(({ number }) => `%${number}`)
    default:
      return null
  }
}

/** `words`: those before the cursor; the last has begun, and may be empty. All that fit. */
export function* completions(shell: Shell, words: Words): Talk<Words> {
  const begun = words.at(-1) ?? ''
  const fitting = (all: Words): Words => [...new Set(all)].filter((word) => word.startsWith(begun)).sort()
  const [command = '', ...before] = words.slice(0, -1)
  if (words.length <= 1) return fitting(COMMANDS)
  const own = yield* ownWords(command, before)
  if (own !== null) return fitting(own)
  const objects = OBJECTS[command]
  if (DEVICE_OPTION[command] !== undefined && DEVICE_OPTION[command] === before.at(-1))
    return fitting(yield* devices(shell))
  if (begun.startsWith('-')) return fitting(OPTIONS[command] ?? [])
  const last = before.at(-1) ?? ''
  const plain = before.filter((word) => !word.startsWith('-'))
  const object = objects?.find(([name]) => plain[0] !== undefined && name.startsWith(plain[0]))
  if (last === 'type') return fitting(KINDS)
  if (BEFORE_SPACE.has(last) && (object?.[0] === 'netns' || last.startsWith('-') || last === 'netns'))
    return fitting(yield* asking((terminal) => terminal.namespaces()))
  if (BEFORE_DEVICE.has(last)) return fitting(yield* devices(shell))
  if (objects === undefined) return []
  if (object === undefined) return fitting(objects.map(([name]) => name))
  if (plain.length < 2) return fitting(object[1])
  const key = object[0].startsWith('neigh') ? 'neigh' : object[0]
  return fitting([...(KEYWORDS[key] ?? []), ...(yield* devices(shell))])
}

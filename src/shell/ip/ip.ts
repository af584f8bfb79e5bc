// ip(8): its options, its objects and their verbs, found by how they begin. Source: iproute2 6.1, ip/ip.c, and do_* of each object.

import type { Family } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { type Context, type Options, PLAIN } from '../context.ts'
import { absentHere, type Done, failed, joined, notHere, printed, type Read, refuse } from '../done.ts'
import { splitWords } from '../line/words.ts'
import { begins, firstOf, type Words } from '../match.ts'
import { asking, type Talk } from '../terminal.ts'
import { absent, bound, type Thing, usage } from '../verb.ts'
import { flushAddresses, modifyAddress } from './address.ts'
import { addLink, deleteLink, setLink } from './link.ts'
import { LINK_USAGE } from './link-words.ts'
import { flushNeighbours, modifyNeighbour, showNeighbours } from './neighbour.ts'
import { changeNetns, execIn, identify, listNetns, namespaceCalled, noNamespace } from './netns.ts'
import { flushRoutes, getRoute, modifyRoute, showRoutes } from './route.ts'
import { ROUTE_USAGE } from './route-words.ts'
import { flushRules, modifyRule, showRules } from './rule.ts'
import { showAddresses, showLinks } from './show.ts'
import { changeTap, showTaps } from './tuntap.ts'

const LINK: Thing = {
  name: 'link',
  bare: showLinks,
  verbs: [
    ['add', addLink],
    ['set', setLink],
    ['change', setLink],
    ['replace', absent('ip link replace')],
    ['delete', deleteLink],
    ['show', showLinks],
    ['lst', showLinks],
    ['list', showLinks],
    ['xstats', absent('ip link xstats')],
    ['afstats', absent('ip link afstats')],
    ['property', absent('ip link property')],
    ['help', usage(LINK_USAGE)],
  ],
}

const ADDRESS: Thing = {
  name: 'address',
  bare: showAddresses,
  verbs: [
    ['add', bound(modifyAddress, 'add')],
    // What is there is changed, what is not is added (inet_rtm_newaddr).
    ['change', bound(modifyAddress, 'replace')],
    ['chg', bound(modifyAddress, 'replace')],
    ['replace', bound(modifyAddress, 'replace')],
    ['delete', bound(modifyAddress, 'delete')],
    ['show', showAddresses],
    ['lst', showAddresses],
    ['list', showAddresses],
    ['flush', flushAddresses],
    ['save', absent('ip address save')],
    ['showdump', absent('ip address showdump')],
    ['restore', absent('ip address restore')],
    ['help', usage('Usage: ip address { add | replace | delete | show | flush } ...; see ip-address(8)')],
  ],
}

const ROUTE: Thing = {
  name: 'route',
  bare: showRoutes,
  verbs: [
    ['list', showRoutes],
    ['show', showRoutes],
    ['lst', showRoutes],
    ['get', getRoute],
    ['add', bound(modifyRoute, 'add')],
    ['change', bound(modifyRoute, 'change')],
    ['chg', bound(modifyRoute, 'change')],
    ['replace', bound(modifyRoute, 'replace')],
    ['prepend', absent('ip route prepend')],
    ['append', bound(modifyRoute, 'append')],
    ['test', absent('ip route test')],
    ['delete', bound(modifyRoute, 'delete')],
    ['flush', flushRoutes],
    ['save', absent('ip route save')],
    ['restore', absent('ip route restore')],
    ['showdump', absent('ip route showdump')],
    ['help', usage(ROUTE_USAGE)],
  ],
}

const RULE: Thing = {
  name: 'rule',
  bare: showRules,
  verbs: [
    ['list', showRules],
    ['lst', showRules],
    ['show', showRules],
    ['save', absent('ip rule save')],
    ['restore', absent('ip rule restore')],
    ['add', bound(modifyRule, 'add')],
    ['delete', bound(modifyRule, 'delete')],
    ['flush', flushRules],
    ['help', usage('Usage: ip rule { add | del | list | flush } ...; see ip-rule(8)')],
  ],
}

const NEIGHBOUR: Thing = {
  name: 'neigh',
  bare: showNeighbours,
  verbs: [
    ['add', bound(modifyNeighbour, 'add')],
    ['change', bound(modifyNeighbour, 'change')],
    ['chg', bound(modifyNeighbour, 'change')],
    ['replace', bound(modifyNeighbour, 'replace')],
    ['delete', bound(modifyNeighbour, 'delete')],
    ['get', absent('ip neigh get')],
    ['show', showNeighbours],
    ['lst', showNeighbours],
    ['list', showNeighbours],
    ['flush', flushNeighbours],
    ['help', usage('Usage: ip neigh { add | change | replace | del | show | flush } ...; see ip-neighbour(8)')],
  ],
}

const NETNS: Thing = {
  name: 'netns',
  bare: listNetns,
  verbs: [
    ['list', listNetns],
    ['show', listNetns],
    ['lst', listNetns],
    ['list-id', absent('ip netns list-id')],
    ['help', usage('Usage: ip netns { list | add | delete | exec | identify } ...; see ip-netns(8)')],
    ['add', bound(changeNetns, 'add')],
    ['set', absent('ip netns set')],
    ['delete', bound(changeNetns, 'delete')],
    ['identify', identify],
    ['pids', absent('processes')],
    ['exec', execIn],
    ['monitor', absent('ip netns monitor')],
    ['attach', absent('processes')],
  ],
}

const TUNTAP: Thing = {
  name: 'tuntap',
  bare: showTaps,
  verbs: [
    ['add', bound(changeTap, 'add')],
    ['delete', bound(changeTap, 'delete')],
    ['show', showTaps],
    ['lst', showTaps],
    ['list', showTaps],
    ['help', usage('Usage: ip tuntap { add | del | show } dev NAME mode tap; see ip-tuntap(8)')],
  ],
}

const elsewhere = (...names: ReadonlyArray<string>): ReadonlyArray<readonly [string, string]> =>
  names.map((name) => [name, name] as const)

/** In ip(8)'s order: `ip t` is a tunnel. A text is what is not here. */
const OBJECTS: ReadonlyArray<readonly [whole: string, thing: Thing | string]> = [
  ['address', ADDRESS],
  ...elsewhere('addrlabel', 'maddress'),
  ['route', ROUTE],
  ['rule', RULE],
  ['neighbor', NEIGHBOUR],
  ['neighbour', NEIGHBOUR],
  ...elsewhere('ntable', 'ntbl'),
  ['link', LINK],
  ...elsewhere('l2tp', 'fou', 'ila', 'macsec', 'tunnel', 'tunl'),
  ['tuntap', TUNTAP],
  ['tap', TUNTAP],
  ...elsewhere('token', 'tcpmetrics', 'monitor'),
  ...elsewhere('xfrm', 'mroute', 'mrule'),
  ['netns', NETNS],
  ...elsewhere('netconf', 'vrf', 'sr', 'nexthop', 'mptcp', 'ioam'),
  ['help', 'help'],
  ...elsewhere('stats'),
]

const IP_USAGE = `Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { address | link | neighbour | netns | route | rule | tuntap }
       OPTIONS := { -4 | -6 | -br[ief] | -d[etails] | -j[son] | -o[neline] | -p[retty] | -f[amily] { inet | inet6 } |
                    -n[etns] name | -b[atch] filename | -force }`

type Called = Readonly<{ options: Options; ns: string | null; batch: string | null; left: Words }>

/** Those that change nothing that is shown here. */
const IGNORED = ['human', 'human-readable', 'iec', 'resolve', 'timestamp', 'tshort', 'Numeric', 'echo']

const FLAGS: ReadonlyArray<readonly [whole: string, set: Partial<Options>]> = [
  ['details', { details: true }],
  ['oneline', { oneline: true }],
  ['force', { force: true }],
  ['brief', { brief: true }],
  ['json', { json: true }],
  ['pretty', { pretty: true }],
  ['all', { all: true }],
]

const FAMILIES: ReadonlyArray<readonly [word: string, family: Family | null]> = [
  ['inet', 4],
  ['inet6', 6],
]

const VERSION = 'ip utility, iproute2-6.1.0, as cnm has it\n'

/** What an option is. `-b` is a batch, for that is asked for before brief. */
const optionOf = (word: string): string | null => {
  const name = word.replace(/^--?/, '')
  if (['4', '6', '0', 'M', 'B'].includes(name)) return name
  const all = [
    'loops',
    'family',
    'human',
    'human-readable',
    'iec',
    'stats',
    'statistics',
    'details',
    'resolve',
    'oneline',
  ]
  const more = ['timestamp', 'tshort', 'Version', 'force', 'batch', 'brief', 'json', 'rcvbuf', 'color', 'help', 'netns']
  const whole = [...all, ...more, 'Numeric', 'all', 'echo', 'pretty'].find((each) => begins(name, each))
  return whole ?? (name.startsWith('color=') || name.startsWith('c=') ? 'color' : null)
}

const readOptions = (words: Words): Read<Called> => {
  let called: Called = { options: PLAIN, ns: null, batch: null, left: words }
  const set = (options: Partial<Options>, left: Words): void => {
    called = { ...called, options: { ...called.options, ...options }, left }
  }
  for (;;) {
    const [word, ...left] = called.left
    if (word === undefined || !word.startsWith('-')) return E.right(called)
    if (word === '--') return E.right({ ...called, left })
    const option = optionOf(word)
    const flag = FLAGS.find(([whole]) => whole === option)
    if (option === null) return refuse(255, `Option "${word}" is unknown, try "ip -help".`)
    if (flag !== undefined) set(flag[1], left)
    else if (option === '4' || option === '6') set({ family: option === '4' ? 4 : 6 }, left)
    else if (IGNORED.includes(option) || option === 'color') set({}, left)
    else {
      const valued = optionWithValue(option, called, left)
      if (E.isLeft(valued)) return valued
      called = valued.right
    }
  }
}

const optionWithValue = (option: string, called: Called, [value, ...left]: Words): Read<Called> => {
  switch (option) {
    case 'Version':
      return E.left(printed(VERSION))
    case 'help':
      return refuse(255, IP_USAGE)
    case 'netns':
      return value === undefined ? E.left(noNamespace('(null)')) : E.right({ ...called, ns: value, left })
    case 'batch':
      return value === undefined
        ? refuse(255, 'Command line is not complete. Try option "help"')
        : E.right({ ...called, batch: value, left })
    case 'family': {
      const family = FAMILIES.find(([word]) => word === value)
      if (value === undefined) return refuse(255, 'Command line is not complete. Try option "help"')
      return family === undefined
        ? absentHere(`ip -family ${value}`)
        : E.right({ ...called, options: { ...called.options, family: family[1] }, left })
    }
    default:
      return absentHere(`ip -${option}`)
  }
}

export function* ip(context: Context, words: Words): Talk<Done> {
  const read = readOptions(words)
  if (E.isLeft(read)) return read.left
  const { options, ns: name, batch, left } = read.right
  let { ns } = context
  if (name !== null) {
    const known = yield* namespaceCalled(name)
    if (known === null) return noNamespace(name)
    ns = known
  }
  const inside: Context = { ...context, ns, options }
  if (batch !== null) return yield* runBatch(inside, batch)
  return left.length === 0 ? failed(255, IP_USAGE) : yield* object(inside, left)
}

function* object(context: Context, [word = '', ...words]: Words): Talk<Done> {
  const thing = firstOf(word, OBJECTS)
  if (thing === null) return failed(1, `Object "${word}" is unknown, try "ip help".`)
  if (thing === 'help') return failed(255, IP_USAGE)
  if (typeof thing === 'string') return notHere(`ip ${thing}`)
  const [verb, ...rest] = words
  if (verb === undefined) return yield* thing.bare(context, [])
  const found = firstOf(verb, thing.verbs)
  return found === null
    ? failed(255, `Command "${verb}" is unknown, try "ip ${thing.name} help".`)
    : yield* found(context, rest)
}

/** One command a line, without its `ip`; it ends at the first that fails, unless forced. */
function* runBatch(context: Context, path: string): Talk<Done> {
  const file = yield* asking((terminal) => terminal.file(path))
  if (file === null) return failed(1, `Cannot open file "${path}" for reading: No such file or directory`)
  const all: Done[] = []
  let status = 0
  for (const [at, line] of file.split('\n').entries()) {
    const words = splitWords(line)
    if (words.length === 0) continue
    const done = yield* object(context, words)
    all.push(done)
    if (done.status === 0) continue
    all.push(failed(1, `Command failed ${path}:${at + 1}`))
    status = 1
    if (!context.options.force) break
  }
  return { ...joined(all), status }
}

export const IP_OBJECTS: ReadonlyArray<readonly [name: string, verbs: ReadonlyArray<string>]> = OBJECTS.flatMap(
  ([name, thing]) => (typeof thing === 'string' ? [] : [[name, thing.verbs.map(([verb]) => verb)] as const]),
)

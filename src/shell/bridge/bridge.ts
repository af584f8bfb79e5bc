// bridge(8): its options, objects and verbs. What it refuses by itself ends with 255. Source: iproute2 6.1, bridge/bridge.c.

import { E } from '../../prelude.ts'
import { type Context, type Options, PLAIN } from '../context.ts'
import { absentHere, type Done, failed, notHere, printed, type Read, refuse } from '../done.ts'
import { namespaceCalled, noNamespace } from '../ip/netns.ts'
import { begins, firstOf, type Words } from '../match.ts'
import type { Talk } from '../terminal.ts'
import { absent, bound, type Thing, usage } from '../verb.ts'
import { changeFdb, getFdb, showFdb } from './fdb.ts'
import { setPort, showPorts } from './link.ts'
import { changeVlan, showVlans } from './vlan.ts'

const LINK: Thing = {
  name: 'link',
  bare: showPorts,
  verbs: [
    ['set', setPort],
    ['show', showPorts],
    ['lst', showPorts],
    ['list', showPorts],
    ['help', usage('Usage: bridge link { set | show } ...; see bridge(8)')],
  ],
}
const FDB: Thing = {
  name: 'fdb',
  bare: showFdb,
  verbs: [
    ['add', bound(changeFdb, 'add')],
    ['append', bound(changeFdb, 'append')],
    ['replace', bound(changeFdb, 'replace')],
    ['delete', bound(changeFdb, 'delete')],
    ['get', getFdb],
    ['show', showFdb],
    ['lst', showFdb],
    ['list', showFdb],
    ['flush', absent('bridge fdb flush')],
    ['help', usage('Usage: bridge fdb { add | append | replace | del | show | get } ...; see bridge(8)')],
  ],
}
const VLAN: Thing = {
  name: 'vlan',
  bare: showVlans,
  verbs: [
    ['add', bound(changeVlan, 'add')],
    ['delete', bound(changeVlan, 'delete')],
    ['show', showVlans],
    ['lst', showVlans],
    ['list', showVlans],
    ['tunnelshow', absent('bridge vlan tunnelshow')],
    ['set', absent('bridge vlan set')],
    ['global', absent('bridge vlan global')],
    ['help', usage('Usage: bridge vlan { add | del | show } ...; see bridge(8)')],
  ],
}

const BRIDGE_USAGE = `Usage: bridge [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { link | fdb | vlan }
       OPTIONS := { -d[etails] | -o[neline] | -n[etns] name | -p[retty] | -j[son] }`

const OBJECTS: ReadonlyArray<readonly [whole: string, thing: Thing | string]> = [
  ['link', LINK],
  ['fdb', FDB],
  ['mdb', 'mdb'],
  ['vlan', VLAN],
  ['vni', 'vni'],
  ['monitor', 'monitor'],
  ['help', 'help'],
]

const OPTIONS = ['help', 'Version', 'stats', 'statistics', 'details', 'oneline', 'timestamp', 'family']
const MORE_OPTIONS = ['netns', 'compressvlans', 'force', 'json', 'pretty', 'batch']

type Called = Readonly<{ options: Options; ns: string | null; left: Words }>

const FLAGS: Readonly<Record<string, Partial<Options>>> = {
  details: { details: true },
  oneline: { oneline: true },
  json: { json: true },
  pretty: { pretty: true },
  force: { force: true },
  timestamp: {},
}

const readOptions = (words: Words): Read<Called> => {
  let called: Called = { options: PLAIN, ns: null, left: words }
  for (;;) {
    const [word, value, ...rest] = called.left
    if (word === undefined || !word.startsWith('-')) return E.right(called)
    const left = called.left.slice(1)
    if (word === '--') return E.right({ ...called, left })
    const name = word.replace(/^--?/, '')
    const isColor = name !== 'c' && begins(name.replace(/=.*/, ''), 'color')
    const option = isColor ? 'timestamp' : [...OPTIONS, ...MORE_OPTIONS].find((each) => begins(name, each))
    const flag = option === undefined ? undefined : FLAGS[option]
    if (flag !== undefined) called = { ...called, options: { ...called.options, ...flag }, left }
    else if (option === undefined) return refuse(255, `Option "${word}" is unknown, try "bridge help".`)
    else if (option === 'Version') return E.left(printed('bridge utility, 6.1.0, as cnm has it\n'))
    else if (option === 'help') return refuse(255, BRIDGE_USAGE)
    else if (option === 'netns' && value !== undefined) called = { ...called, ns: value, left: rest }
    else return absentHere(`bridge -${option}`)
  }
}

export function* bridge(context: Context, words: Words): Talk<Done> {
  const read = readOptions(words)
  if (E.isLeft(read)) return read.left
  const { options, ns: name, left } = read.right
  let { ns } = context
  if (name !== null) {
    const known = yield* namespaceCalled(name)
    if (known === null) return noNamespace(name)
    ns = known
  }
  const [word, verb, ...rest] = left
  if (word === undefined) return failed(255, BRIDGE_USAGE)
  const thing = firstOf(word, OBJECTS)
  if (thing === null) return failed(255, `Object "${word}" is unknown, try "bridge help".`)
  if (thing === 'help') return failed(255, BRIDGE_USAGE)
  if (typeof thing === 'string') return notHere(`bridge ${thing}`)
  const inside: Context = { ...context, ns, options }
  if (verb === undefined) return yield* thing.bare(inside, [])
  const found = firstOf(verb, thing.verbs)
  return found === null
    ? failed(255, `Command "${verb}" is unknown, try "bridge ${thing.name} help".`)
    : yield* found(inside, rest)
}

export const BRIDGE_OBJECTS: ReadonlyArray<readonly [name: string, verbs: ReadonlyArray<string>]> = OBJECTS.flatMap(
  ([name, thing]) => (typeof thing === 'string' ? [] : [[name, thing.verbs.map(([verb]) => verb)] as const]),
)

// Stacks as lines of text, and what is different in one that comes after another: what is new, what is gone, and of a link what
// changed. Lines are for people; two kernels that tell the same text were told the same.

import type { Request } from '../../../src/kernel/rtnl/request.ts'
import type { HopFacts, LinkFacts, Stack } from '../../../src/kernel/rtnl/stack.ts'
import { commandOf } from '../../../src/kernel/rtnl/words.ts'
import type { Account, Ending, Try } from '../../../src/kernel/traffic.ts'
import { decodeFrame } from '../../../src/kernel-sim/wire/wire.ts'
import { showCidr } from '../../../src/net/cidr.ts'
import { type Ip, showIp } from '../../../src/net/ip.ts'
import { showMac } from '../../../src/net/mac.ts'
import type { Ns } from '../../../src/net/name.ts'
import { E } from '../../../src/prelude.ts'

export type Stacks = ReadonlyMap<Ns, Stack>

/** `ns: the command`. */
export const commandLine = (request: Request): string => {
  const { tool, text } = commandOf(request, String)
  return `${request.ns}: ${tool === 'nsenter' ? '' : `${tool} `}${text}`
}

/** `ns: the try`. */
export const tryLine = (attempt: Try): string => {
  const { ns, send } = attempt
  if (attempt.send === 'frame' || attempt.send === 'tap')
    return `${ns}: ${send} dev ${attempt.dev} ${frameText(attempt.bytes)}`
  const { to, from, dev, size, ttl, df } = attempt
  const options = words(
    from !== undefined && `from ${showIp(from)}`,
    dev !== undefined && `dev ${dev}`,
    size !== undefined && `size ${size}`,
    ttl !== undefined && `ttl ${ttl}`,
    df === true && 'df',
  )
  const target =
    attempt.send === 'ping'
      ? showIp(to)
      : words(showIp(to), String(attempt.port), attempt.listener === null && 'nobody')
  return words(`${ns}: ${send}`, target, options)
}

const frameText = (bytes: Uint8Array): string => {
  const frame = decodeFrame(bytes)
  if (E.isLeft(frame)) throw new Error('no frame')
  const { src, dst, tags, payload } = frame.right
  return words(
    `${showMac(src)} > ${showMac(dst)}`,
    ...tags.map(({ protocol, vid }) => `${protocol} ${vid}`),
    (payload.tag === 'ip4' || payload.tag === 'ip6') && `${showIp(payload.src)} > ${showIp(payload.dst)}`,
  )
}

export const endingWord = (ending: Ending): string => (typeof ending === 'string' ? ending : ending.errno)

/** Whom a request reached, whose the answer was, and where what was seen. */
export const accountLines = ({ arrivals, answer, crossings }: Account): ReadonlyArray<string> => [
  ...arrivals.map(({ ns, from, to, port, ttl }) =>
    words(`${ns} has it from ${showIp(from)} to ${showIp(to)}`, port !== null && `port ${port}`, `ttl ${ttl}`),
  ),
  ...(answer === null ? [] : [`answer from ${showIp(answer.from)} ttl ${answer.ttl}`]),
  ...crossings.map(({ ns, dev, way, what }) => `${what} ${way} at ${ns} ${dev}`),
]

const words = (...parts: ReadonlyArray<string | false | null>): string =>
  parts.filter((part) => part !== false && part !== null && part !== '').join(' ')
const via = (ip: Ip | null): string | null => ip && `via ${showIp(ip)}`
const hop = ({ via: next, dev, weight, flags }: HopFacts): string =>
  words(via(next), dev, weight !== 1 && `weight ${weight}`, ...flags)

const textOf = (value: unknown): string =>
  typeof value === 'object' && value !== null ? Object.values(value).join('/') : String(value)
const under = (path: string, facts: object): ReadonlyArray<readonly [string, string]> =>
  Object.entries(facts).map(([key, value]) => [`${path}${key}`, textOf(value)] as const)

/**
 * By name and value, without the link's index and name; a port's by `port.` and theirs. Without its queueing discipline and its device
 * below elsewhere, which were not asked for when these facts were recorded.
 */
const factsOf = ({
  name: _,
  index: __,
  qdisc: ___,
  far: ____,
  mac,
  kind: { kind, ...options },
  port,
  ...rest
}: LinkFacts) => [
  ['kind', kind] as const,
  ...under('', options),
  ['mac', showMac(mac)] as const,
  ...under('', rest),
  ...under('port.', port ?? {}),
]

/** What goes without saying of a new link, and of a new port. */
const USUAL: ReadonlySet<string> = new Set([
  ...['below=null', 'promiscuity=0', 'master=null', 'alias=null', 'group=0', 'txqlen=1000', 'addrGenMode=0'],
  ...['ageingTime=30000', 'stp=false', 'priority=32768', 'vlanFiltering=false', 'vlanProtocol=802.1Q'],
  ...['vlanDefaultPvid=1', 'mcastSnooping=true'],
  'port.priority=32',
  ...['hairpin', 'guard', 'rootBlock', 'fastLeave', 'neighSuppress', 'isolated', 'locked'].map(
    (key) => `port.${key}=false`,
  ),
  ...['learning', 'flood', 'mcastFlood', 'bcastFlood'].map((key) => `port.${key}=true`),
])

const linkLine = (link: LinkFacts): string =>
  `link ${link.index} ${link.name}: ${factsOf(link)
    .map(([key, value]) => (key === 'kind' ? value : `${key}=${value}`))
    .filter((fact) => !USUAL.has(fact))
    .join(' ')}`

/** What changed of a link that has become a port, or was one. */
const changesOf = (was: LinkFacts, link: LinkFacts): ReadonlyArray<string> => {
  const past = new Map<string, string>([['name', was.name], ...factsOf(was)])
  const now = new Map<string, string>([['name', link.name], ...factsOf(link)])
  const changed = [...now].flatMap(([key, value]) => {
    const before = past.get(key)
    if (before === undefined) return USUAL.has(`${key}=${value}`) ? [] : [`${key} ${value}`]
    return before === value ? [] : [`${key} ${before} -> ${value}`]
  })
  return was.port !== null && link.port === null ? [...changed, 'no port'] : changed
}

const linkChanges = (before: ReadonlyArray<LinkFacts>, after: ReadonlyArray<LinkFacts>): ReadonlyArray<string> => {
  const old = new Map(before.map((link) => [link.index, link]))
  const now = new Set(after.map(({ index }) => index))
  return [
    ...before.filter(({ index }) => !now.has(index)).map((link) => `- link ${link.index} ${link.name}`),
    ...after.flatMap((link) => {
      const was = old.get(link.index)
      if (was === undefined) return [`+ ${linkLine(link)}`]
      const changed = changesOf(was, link)
      return changed.length === 0 ? [] : [`~ link ${link.index} ${link.name}: ${changed.join(', ')}`]
    }),
  ]
}

const others = (stack: Stack): ReadonlyArray<string> => [
  ...stack.addresses.map(({ dev, cidr, peer, broadcast, scope, label, metric, flags }) =>
    words(
      `address ${showCidr(cidr)} dev ${dev}`,
      peer && `peer ${showIp(peer)}`,
      broadcast !== null && `broadcast ${showIp(broadcast)}`,
      `scope ${scope}`,
      label !== null && label !== dev && `label ${label}`,
      metric !== null && `metric ${metric}`,
      ...flags,
    ),
  ),
  ...stack.routes.map(({ to, type, hops, metric, table, proto, scope, tos, src, mtu }) =>
    words(
      `route ${type} ${showCidr(to)}`,
      hops.map(hop).join(', '),
      `table ${table} proto ${proto} scope ${scope}`,
      metric !== 0 && `metric ${metric}`,
      tos !== 0 && `tos ${tos}`,
      src !== null && `src ${showIp(src)}`,
      mtu !== null && `mtu ${mtu}`,
    ),
  ),
  ...stack.neighbours.map(({ dev, ip, mac, state }) =>
    words(`neighbour ${showIp(ip)} dev ${dev}`, mac !== null && showMac(mac), state),
  ),
  ...stack.fdb.map(({ dev, mac, master, vlan, state, flags }) =>
    words(
      `fdb ${showMac(mac)} dev ${dev}`,
      master !== null && `master ${master}`,
      vlan !== null && `vlan ${vlan}`,
      state,
      ...flags,
    ),
  ),
  ...stack.vlans.map(({ dev, id, pvid, untagged }) =>
    words(`vlan ${id} dev ${dev}`, pvid && 'pvid', untagged && 'untagged'),
  ),
]

/** Lines with the same text count. */
const without = (these: ReadonlyArray<string>, those: ReadonlyArray<string>): ReadonlyArray<string> => {
  const left = new Map<string, number>()
  for (const line of those) left.set(line, (left.get(line) ?? 0) + 1)
  return these.filter((line) => {
    const n = left.get(line) ?? 0
    left.set(line, n - 1)
    return n <= 0
  })
}

const EMPTY: Stack = { links: [], addresses: [], routes: [], rules: [], neighbours: [], fdb: [], vlans: [] }

/** In lines that begin with the namespace, and `+`, `-` or `~`. */
export const changes = (before: Stacks, after: Stacks): ReadonlyArray<string> =>
  [...new Set([...before.keys(), ...after.keys()])].flatMap((ns) => {
    const was = before.get(ns) ?? EMPTY
    const is = after.get(ns) ?? EMPTY
    return [
      ...linkChanges(was.links, is.links),
      ...without(others(was), others(is)).map((line) => `- ${line}`),
      ...without(others(is), others(was)).map((line) => `+ ${line}`),
    ].map((line) => `${ns} ${line}`)
  })

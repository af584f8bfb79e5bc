// How ip(8) shows a link: of what the kernel tells (kernel/rtnl/stack.ts), in all its forms. What a stack does not hold (statistics,
// queues, the limits of drivers, a bridge's timers) is not shown; docs/shell.md lists it.
// Source: iproute2 6.1, ip/ipaddress.c (print_linkinfo, print_linkinfo_brief, print_link_flags, print_linktype), ip/iplink_*.c.

import { MIN_MTU6 } from '../../kernel/cascade.ts'
import type { KindFacts, LinkFacts, Stack } from '../../kernel/rtnl/stack.ts'
import { isIp4, isMulticast, showIp } from '../../net/ip.ts'
import { showMac } from '../../net/mac.ts'
import type { Ns } from '../../net/name.ts'
import { absurd } from '../../prelude.ts'
import { lineBreak, type Options } from '../context.ts'
import { groupName } from '../names.ts'
import { field, group, type Piece, quiet, text, where } from '../piece.ts'

/** The stacks in which a link's other end may be, and the namespace that is shown. */
export type Around = Readonly<{ ns: Ns; stacks: ReadonlyMap<Ns, Stack> }>

const FLAGS_OF: Readonly<Record<KindFacts['kind'], ReadonlyArray<string>>> = {
  loopback: ['LOOPBACK'],
  dummy: ['BROADCAST', 'NOARP'],
  veth: ['BROADCAST', 'MULTICAST'],
  bridge: ['BROADCAST', 'MULTICAST'],
  vlan: ['BROADCAST', 'MULTICAST'],
  vxlan: ['BROADCAST', 'MULTICAST'],
  macvlan: ['BROADCAST', 'MULTICAST'],
  ipvlan: ['BROADCAST', 'MULTICAST'],
  tap: ['BROADCAST', 'MULTICAST'],
  other: ['BROADCAST', 'MULTICAST'],
}

/** `below`: the device it is on is down (iproute2's M-DOWN). IFF_RUNNING is the operational state's. */
export const flagsOf = (link: LinkFacts, below = false): ReadonlyArray<string> => {
  const running = link.up && (link.operstate === 'up' || link.operstate === 'unknown')
  return [
    ...(link.up && !running ? ['NO-CARRIER'] : []),
    ...FLAGS_OF[link.kind.kind],
    ...(link.up ? ['UP'] : []),
    ...(link.up && link.carrier ? ['LOWER_UP'] : []),
    ...(below ? ['M-DOWN'] : []),
  ]
}

/** What it is on, or its other end: by name here, by number elsewhere. `isDown`: it is here, and down. */
export type Lower = Readonly<
  { at: 'here'; name: string; isDown: boolean } | { at: 'elsewhere'; index: number; ns: Ns; nsid: number }
>

/** Its other end, or what it is on elsewhere. */
const farEnd = ({ kind, far }: LinkFacts): LinkFacts['far'] => (kind.kind === 'veth' ? kind.peer : far)

const otherEnds = (links: ReadonlyArray<LinkFacts>, here: Ns): ReadonlyArray<Ns> => {
  const all = links.flatMap((link) => farEnd(link)?.ns ?? [])
  return [...new Set(all)].filter((ns) => ns !== here)
}
/** The namespaces that a link of these has its other end in. */
export const spacesBehind = otherEnds

/** The number by which the kernel knows another namespace: they are given out as links need them. */
const nsidOf = (links: ReadonlyArray<LinkFacts>, here: Ns, ns: Ns): number => otherEnds(links, here).indexOf(ns)

export const lowerOf = (link: LinkFacts, { ns, stacks }: Around): Lower | null => {
  const here = stacks.get(ns)?.links ?? []
  const { kind } = link
  const name = kind.kind === 'veth' ? (kind.peer?.ns === ns ? kind.peer.name : null) : link.below
  if (name !== null && kind.kind !== 'vxlan') {
    const found = here.find((one) => one.name === name)
    return { at: 'here', name, isDown: found?.up === false }
  }
  const peer = farEnd(link)
  if (peer === null) return null
  const index = stacks.get(peer.ns)?.links.find((one) => one.name === peer.name)?.index
  return index === undefined ? null : { at: 'elsewhere', index, ns: peer.ns, nsid: nsidOf(here, ns, peer.ns) }
}

/**
 * Where the namespace of the other end is not told, its number is looked up here; nothing is told where it is the link's own
 * (inet6_fill_ifinfo, br_fill_ifinfo).
 */
export const nearLower = (link: LinkFacts, around: Around): Lower | null => {
  const lower = lowerOf(link, around)
  if (lower === null || lower.at === 'here') return lower
  if (lower.index === link.index) return null
  const found = around.stacks.get(around.ns)?.links.find(({ index }) => index === lower.index)
  return { at: 'here', name: found?.name ?? `if${lower.index}`, isDown: found?.up === false }
}

const lowerKey = (lower: Lower | null): ReadonlyArray<Piece> => {
  if (lower === null) return []
  return lower.at === 'here' ? [quiet('link', lower.name)] : [quiet('link_index', lower.index)]
}
export const nameWithLower = (name: string, lower: Lower | null): string => {
  if (lower === null) return name
  return `${name}@${lower.at === 'here' ? lower.name : `if${lower.index}`}`
}

export const flagsPiece = (flags: ReadonlyArray<string>): Piece => ({
  key: 'flags',
  value: flags,
  text: `<${flags.join(',')}> `,
})

const stateWord = ({ operstate }: LinkFacts): string => operstate.toUpperCase()

/** Padded as `%-16s ` and `%-14s ` are. */
export const briefHead = (link: LinkFacts, lower: Lower | null): ReadonlyArray<Piece> => [
  ...lowerKey(lower),
  { key: 'ifname', value: link.name, text: `${nameWithLower(link.name, lower).padEnd(16)} ` },
  { key: 'operstate', value: stateWord(link), text: `${stateWord(link).padEnd(14)} ` },
]

export const briefLink = (link: LinkFacts, around: Around): ReadonlyArray<Piece> => {
  const lower = lowerOf(link, around)
  const isDown = lower?.at === 'here' && lower.isDown
  return [
    ...briefHead(link, lower),
    { key: 'address', value: showMac(link.mac), text: `${showMac(link.mac)} ` },
    flagsPiece(flagsOf(link, isDown)),
    text('\n'),
  ]
}

const onOff = (value: boolean): string => (value ? 'on' : 'off')
const bit = (value: boolean): number => (value ? 1 : 0)

/** The MAC's bytes are not padded. */
const bridgeId = (priority: number, mac: LinkFacts['mac']): string =>
  `${priority.toString(16).padStart(4, '0')}.${showMac(mac)
    .split(':')
    .map((byte) => byte.replace(/^0/, ''))
    .join(':')}`

const bridgeData = (link: LinkFacts, kind: Extract<KindFacts, { kind: 'bridge' }>): ReadonlyArray<Piece> => [
  field('ageing_time', kind.ageingTime, 'ageing_time % '),
  field('stp_state', bit(kind.stp), 'stp_state % '),
  field('priority', kind.priority, 'priority % '),
  field('vlan_filtering', bit(kind.vlanFiltering), 'vlan_filtering % '),
  field('vlan_protocol', kind.vlanProtocol, 'vlan_protocol % '),
  field('bridge_id', bridgeId(kind.priority, link.mac), 'bridge_id % '),
  field('vlan_default_pvid', kind.vlanDefaultPvid, 'vlan_default_pvid % '),
  field('mcast_snooping', bit(kind.mcastSnooping), 'mcast_snooping % '),
]

/** A word for true, the same with `no` for false; some are silent where false. */
const yesNo = (key: string, word: string, value: boolean | undefined, silent = false): ReadonlyArray<Piece> =>
  silent && value !== true ? [] : [{ key, value: value === true, text: `${value === true ? '' : 'no'}${word} ` }]

const vxlanData = ({ below }: LinkFacts, kind: Extract<KindFacts, { kind: 'vxlan' }>): ReadonlyArray<Piece> => {
  const { remote, local } = kind
  const far = remote !== undefined && isMulticast(remote) ? 'group' : 'remote'
  const six = remote !== undefined && !isIp4(remote) ? '6' : ''
  return [
    field('id', kind.vni, 'id % '),
    ...(remote === undefined ? [] : [field(`${far}${six}`, showIp(remote), `${far} % `)]),
    ...(local === undefined ? [] : [field(isIp4(local) ? 'local' : 'local6', showIp(local), 'local % ')]),
    ...(below === null ? [] : [field('link', below, 'dev % ')]),
    field('port', kind.port, 'dstport % '),
    { key: 'learning', value: kind.learning === true, text: kind.learning === true ? '' : 'nolearning ' },
    ...yesNo('proxy', 'proxy', kind.proxy, true),
    ...yesNo('rsc', 'rsc', kind.rsc, true),
    ...yesNo('l2miss', 'l2miss', kind.l2miss, true),
    ...yesNo('l3miss', 'l3miss', kind.l3miss, true),
    { key: 'ttl', value: kind.ttl ?? 0, text: `ttl ${(kind.ttl ?? 0) === 0 ? 'auto' : kind.ttl} ` },
    (kind.ageing ?? 0) === 0
      ? { key: 'ageing', value: 0, text: 'ageing none ' }
      : field('ageing', kind.ageing ?? 0, 'ageing % '),
    ...yesNo('udp_csum', 'udpcsum', kind.udpCsum),
    ...yesNo('udp_zero_csum6_tx', 'udp6zerocsumtx', kind.udpZeroCsum6Tx),
    ...yesNo('udp_zero_csum6_rx', 'udp6zerocsumrx', kind.udpZeroCsum6Rx),
  ]
}

/** All that ip-tuntap(8) makes without being told more. */
const TAP_DATA: ReadonlyArray<Piece> = [
  field('type', 'tap', 'type % '),
  { key: 'pi', value: false, text: 'pi off ' },
  { key: 'vnet_hdr', value: false, text: 'vnet_hdr off ' },
  quiet('multi_queue', false),
  { key: 'persist', value: true, text: 'persist on ' },
]

const kindData = (link: LinkFacts): ReadonlyArray<Piece> | null => {
  const { kind } = link
  switch (kind.kind) {
    case 'bridge':
      return bridgeData(link, kind)
    case 'vxlan':
      return vxlanData(link, kind)
    case 'vlan':
      return [field('protocol', kind.protocol, 'protocol % '), field('id', kind.id, 'id % ')]
    case 'macvlan':
      return [field('mode', kind.mode, 'mode % ')]
    case 'ipvlan':
      return [field('mode', kind.mode, ' mode % '), field('mode_flag', kind.flag, '% ')]
    case 'tap':
      return TAP_DATA
    case 'loopback':
    case 'dummy':
    case 'veth':
    case 'other':
      return null
    default:
      return absurd(kind, 'kindData')
  }
}

const STATES = ['disabled', 'listening', 'learning', 'forwarding', 'blocking']
export const portState = (state: number): string => STATES[state] ?? `state (${state})`

const portData = (port: NonNullable<LinkFacts['port']>): ReadonlyArray<Piece> => {
  const flag = (key: string, word: string, value: boolean): Piece => ({ key, value, text: `${word} ${onOff(value)} ` })
  return [
    field('state', portState(port.state), 'state % '),
    field('priority', port.priority, 'priority % '),
    field('cost', port.cost, 'cost % '),
    flag('hairpin', 'hairpin', port.hairpin),
    flag('guard', 'guard', port.guard),
    flag('root_block', 'root_block', port.rootBlock),
    flag('fastleave', 'fastleave', port.fastLeave),
    flag('learning', 'learning', port.learning),
    flag('flood', 'flood', port.flood),
    flag('mcast_flood', 'mcast_flood', port.mcastFlood),
    flag('bcast_flood', 'bcast_flood', port.bcastFlood),
    flag('neigh_suppress', 'neigh_suppress', port.neighSuppress),
    flag('isolated', 'isolated', port.isolated),
    flag('locked', 'locked', port.locked),
  ]
}

/** As the kernel calls it. */
export const kindName = (kind: KindFacts): string => {
  if (kind.kind === 'other') return kind.name
  return kind.kind === 'tap' ? 'tun' : kind.kind
}

/** The kind, and the port of a bridge; nothing for what has neither. */
const linkInfo = (link: LinkFacts, options: Options): ReadonlyArray<Piece> => {
  const { kind, port } = link
  const name = kindName(kind)
  if (kind.kind === 'loopback' || (name === '' && port === null)) return []
  const data = kindData(link)
  const slave = [
    text(`${lineBreak(options)}    `),
    field('info_slave_kind', 'bridge', '%_slave '),
    group('info_slave_data', port === null ? [] : portData(port)),
  ]
  return [
    group('linkinfo', [
      text(`${lineBreak(options)}    `),
      field('info_kind', name, '% '),
      ...(data === null ? [] : [group('info_data', data)]),
      ...(port === null ? [] : slave),
    ]),
  ]
}

/** What has too small an MTU for IPv6 is none of its devices, but for loopback (addrconf_notify). */
const hasIPv6 = ({ kind, mtu }: LinkFacts): boolean => kind.kind === 'loopback' || mtu >= MIN_MTU6

const ADDR_GEN_MODES = ['eui64', 'none', 'stable_secret', 'random']

/** How much of a link is told: `link` has its mode, `address` has not; of `inet6` is what IPv6 knows of it. */
export type View = 'link' | 'address' | 'inet6'

const netnsPiece = (lower: Lower | null): ReadonlyArray<Piece> =>
  lower?.at === 'elsewhere' ? [{ key: 'link_netnsid', value: lower.nsid, text: ` link-netns ${lower.ns}` }] : []

/** The second line, and what `-d` adds. `hasAddress`: not where addresses of one family are shown. */
const below = (link: LinkFacts, lower: Lower | null, view: View, options: Options): ReadonlyArray<Piece> => {
  const type = link.kind.kind === 'loopback' ? 'loopback' : 'ether'
  const everybody = link.kind.kind === 'loopback' ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff'
  const mode = ADDR_GEN_MODES[link.addrGenMode] ?? String(link.addrGenMode)
  const head = [
    text(lineBreak(options)),
    { key: 'link_type', value: type, text: `    link/${type} ` },
    field('address', showMac(link.mac), '%'),
  ]
  // IPv6 tells no more of it.
  if (view === 'inet6') return head
  return [
    ...head,
    { key: 'broadcast', value: everybody, text: ` brd ${everybody}` },
    ...netnsPiece(lower),
    ...(options.details
      ? [
          field('promiscuity', link.promiscuity, ' promiscuity % '),
          ...linkInfo(link, options),
          ...where(view === 'link' && hasIPv6(link), field('inet6_addr_gen_mode', mode, 'addrgenmode % ')),
        ]
      : []),
    ...(link.alias === null || !(view === 'link' || options.details)
      ? []
      : [text(`${lineBreak(options)}    alias `), { key: 'ifalias', value: link.alias, text: link.alias }]),
  ]
}

/** One link without the newline behind it. `family` as asked for: with one, there is no second line but with `-d`. */
export const linkPieces = (link: LinkFacts, around: Around, view: View, options: Options): ReadonlyArray<Piece> => {
  const lower = view === 'inet6' ? nearLower(link, around) : lowerOf(link, around)
  const isDown = lower?.at === 'here' && lower.isDown
  const whole = view !== 'inet6'
  return [
    { key: 'ifindex', value: link.index, text: `${link.index}: ` },
    ...lowerKey(lower),
    { key: 'ifname', value: link.name, text: `${nameWithLower(link.name, lower)}: ` },
    flagsPiece(flagsOf(link, isDown)),
    field('mtu', link.mtu, 'mtu % '),
    ...where(whole, field('qdisc', link.qdisc, 'qdisc % ')),
    ...(whole && link.master !== null ? [field('master', link.master, 'master % ')] : []),
    field('operstate', stateWord(link), 'state % '),
    ...where(view === 'link', field('linkmode', 'DEFAULT', 'mode % ')),
    ...where(whole, field('group', groupName(link.group), 'group % ')),
    ...(link.txqlen === 0 ? [] : [{ key: 'txqlen', value: link.txqlen, text: `qlen ${link.txqlen}` }]),
    ...(view === 'link' || options.family === null || options.details
      ? below(link, lower, view, options)
      : netnsPiece(lower)),
  ]
}

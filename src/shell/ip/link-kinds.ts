// The words of each kind of link: `ip link add ... type KIND ARGS`, and those of them that can be changed.
// Source: ip-link(8); iproute2 6.1, ip/iplink_{bridge,vlan,vxlan,macvlan,ipvlan}.c, ip/link_veth.c.

import type { BridgeOptions, KindChange, NewKind, NewPeer, VxlanOptions } from '../../kernel/rtnl/kind.ts'
import { isMulticast } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { linkCalled } from '../context.ts'
import { absentHere, type Read, refuse } from '../done.ts'
import { duplicate, invalid, type Keyword, readWords } from '../keyword.ts'
import type { Words } from '../match.ts'
import { isAny, numberIn, readAddress, U8, U16, U32 } from '../value.ts'
import { knownName, macOf, newName, readLinkWords, type Sight } from './link-words.ts'

/** `said`: what the program remarks before it asks. */
export type KindWords<K> = Readonly<{ kind: K; said: string }>

/** Only what was said. */
const present = <A extends object>(value: A): A =>
  // Cast: what is left out was optional.
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as A

const stranger =
  (kind: string) =>
  ([word = '']: Words): Read<never> =>
    refuse(1, `${kind}: unknown ${kind === 'macvlan' || kind === 'ipvlan' ? 'option' : 'command'} "${word}"?`)

type Bridge = { -readonly [K in keyof BridgeOptions]-?: BridgeOptions[K] | undefined }
const NO_BRIDGE: Bridge = {
  ageingTime: undefined,
  stp: undefined,
  priority: undefined,
  vlanFiltering: undefined,
  vlanProtocol: undefined,
  vlanDefaultPvid: undefined,
  mcastSnooping: undefined,
}

const numeric = <S>(is: string, key: keyof S, most: number, why: string): Keyword<S> => ({
  is,
  short: true,
  take: (text) => {
    const value = numberIn(most, why)(text)
    // Cast: the caller names a key that holds numbers.
    return E.isLeft(value) ? value : E.right({ [key]: value.right } as Partial<S>)
  },
})
/** A number where the kernel asks for zero or not. */
const truth = <S>(is: string, key: keyof S, most: number, why: string): Keyword<S> => ({
  is,
  short: true,
  take: (text) => {
    const value = numberIn(most, why)(text)
    // Cast: the caller names a key that holds truth values.
    return E.isLeft(value) ? value : E.right({ [key]: value.right !== 0 } as Partial<S>)
  },
})

const BRIDGE_OTHERS = [
  'fdb_flush',
  'forward_delay',
  'hello_time',
  'max_age',
  'group_fwd_mask',
  'group_address',
  'no_linklocal_learn',
  'vlan_stats_enabled',
  'vlan_stats_per_port',
  'mcast_vlan_snooping',
  'mcast_router',
  'mcast_query_use_ifaddr',
  'mcast_querier',
  'mcast_hash_elasticity',
  'mcast_hash_max',
  'mcast_last_member_count',
  'mcast_startup_query_count',
  'mcast_last_member_interval',
  'mcast_membership_interval',
  'mcast_querier_interval',
  'mcast_query_interval',
  'mcast_query_response_interval',
  'mcast_startup_query_interval',
  'mcast_stats_enabled',
  'mcast_igmp_version',
  'mcast_mld_version',
  'nf_call_iptables',
  'nf_call_ip6tables',
  'nf_call_arptables',
]

const absentWords = <S>(kind: string, words: ReadonlyArray<string>): Keyword<S> => ({
  is: words,
  rest: ([value = '']) => absentHere(`an option of type ${kind} (${value})`),
})

const BRIDGE: ReadonlyArray<Keyword<Bridge>> = [
  numeric('ageing_time', 'ageingTime', U32, 'invalid ageing_time'),
  truth('stp_state', 'stp', U32, 'invalid stp_state'),
  numeric('priority', 'priority', U16, 'invalid priority'),
  truth('vlan_filtering', 'vlanFiltering', U8, 'invalid vlan_filtering'),
  {
    is: 'vlan_protocol',
    short: true,
    take: (text) =>
      /^(802\.1q|0x8100)$/i.test(text)
        ? E.right({ vlanProtocol: '802.1Q' })
        : /^(802\.1ad|0x88a8)$/i.test(text)
          ? E.right({ vlanProtocol: '802.1ad' })
          : invalid(text, 'invalid vlan_protocol'),
  },
  numeric('vlan_default_pvid', 'vlanDefaultPvid', U16, 'invalid vlan_default_pvid'),
  truth('mcast_snooping', 'mcastSnooping', U8, 'invalid mcast_snooping'),
  absentWords('bridge', BRIDGE_OTHERS),
]

const bridgeWords = (args: Words): Read<BridgeOptions> => {
  const read = readWords<Bridge>(args, NO_BRIDGE, BRIDGE, stranger('bridge'))
  // Cast: what was not said is left out.
  return E.isLeft(read) ? read : E.right(present(read.right) as BridgeOptions)
}

type Vxlan = Partial<VxlanOptions> & Readonly<{ target?: 'group' | 'remote' }>

const farEnd = (is: 'group' | 'remote'): Keyword<Vxlan> => ({
  is,
  short: true,
  take: (text, { target }) => {
    if (target !== undefined)
      return target === is ? duplicate(is, text) : refuse(1, 'vxlan: both group and remote cannot be specified')
    const ip = readAddress(text, null)
    if (E.isLeft(ip)) return ip
    if ((is === 'group') !== isMulticast(ip.right))
      return invalid(text, is === 'group' ? 'invalid group address' : 'invalid remote address')
    return E.right({ target: is, remote: ip.right })
  },
})

/** A word, and the same with `no` before it. */
const switchWord = (is: string, key: keyof Vxlan): ReadonlyArray<Keyword<Vxlan>> => [
  { is, short: true, set: { [key]: true } },
  { is: `no${is}`, short: true, set: { [key]: false } },
]

const vxlanKeywords = (sight: Sight): ReadonlyArray<Keyword<Vxlan>> => [
  { is: ['id', 'vni'], short: true, take: (text) => read24(text) },
  farEnd('group'),
  farEnd('remote'),
  {
    is: 'local',
    short: true,
    take: (text) => {
      const ip = readAddress(text, null)
      if (E.isLeft(ip)) return ip
      return isMulticast(ip.right) ? invalid(text, 'invalid local address') : E.right({ local: ip.right })
    },
  },
  {
    is: 'dev',
    short: true,
    take: (text) =>
      linkCalled(sight.stack, text) === null
        ? refuse(255, `Cannot find device "${text}"`)
        : E.map((dev: NonNullable<VxlanOptions['dev']>) => ({ dev }))(knownName(sight, text)),
  },
  {
    is: ['ttl', 'hoplimit'],
    short: true,
    take: (text) =>
      text === 'inherit'
        ? absentHere('ttl inherit')
        : text === 'auto'
          ? E.right({ ttl: 0 })
          : E.map((ttl: number) => ({ ttl }))(numberIn(U8, 'invalid TTL')(text)),
  },
  numeric('ageing', 'ageing', U32, 'ageing timer'),
  numeric('dstport', 'port', U16, 'dst port'),
  ...switchWord('learning', 'learning'),
  ...switchWord('proxy', 'proxy'),
  ...switchWord('rsc', 'rsc'),
  ...switchWord('l2miss', 'l2miss'),
  ...switchWord('l3miss', 'l3miss'),
  ...switchWord('udpcsum', 'udpCsum'),
  ...switchWord('udp6zerocsumtx', 'udpZeroCsum6Tx'),
  ...switchWord('udp6zerocsumrx', 'udpZeroCsum6Rx'),
  absentWords('vxlan', [
    'tos',
    'dsfield',
    'df',
    'flowlabel',
    'label',
    'maxaddress',
    'srcport',
    'remcsumtx',
    'noremcsumtx',
    'remcsumrx',
    'noremcsumrx',
    'external',
    'noexternal',
    'gbp',
    'gpe',
    'vnifilter',
    'novnifilter',
  ]),
]

const read24 = (text: string): Read<Vxlan> => E.map((vni: number) => ({ vni }))(numberIn(0xffffff, 'invalid id')(text))

const NO_PORT = `vxlan: destination port not specified
Will use Linux kernel default (non-standard value)
Use 'dstport 4789' to get the IANA assigned value
Use 'dstport 0' to get default and quiet this message
`

const vxlanWords = (args: Words, sight: Sight): Read<Vxlan> => {
  const read = readWords<Vxlan>(args, {}, vxlanKeywords(sight), stranger('vxlan'))
  if (E.isLeft(read)) return read
  const { target, remote, ...rest } = read.right
  if (target === 'group' && rest.dev === undefined) return refuse(1, "vxlan: 'group' requires 'dev' to be specified")
  return E.right(remote === undefined || isAny(remote) ? rest : { ...rest, remote })
}

const MACVLAN_MODES = (['private', 'vepa', 'bridge', 'passthru'] as const).map((mode) => [mode, mode] as const)
const MACVLAN_SAID = '"private", "vepa", "bridge", "passthru" or "source"'

type Macvlan = Readonly<{ mode?: (typeof MACVLAN_MODES)[number][0] }>
const macvlanWords = (args: Words): Read<Macvlan> =>
  readWords<Macvlan>(
    args,
    {},
    [
      {
        is: 'mode',
        short: true,
        take: (text) => {
          const mode = MACVLAN_MODES.find(([word]) => word === text)?.[0]
          if (mode !== undefined) return E.right({ mode })
          return text === 'source'
            ? absentHere('macvlan mode source')
            : refuse(1, `Error: argument of "mode" must be ${MACVLAN_SAID}, not "${text}"`)
        },
      },
      absentWords('macvlan', ['flag', 'nopromisc', 'macaddr', 'bcqueuelen']),
    ],
    stranger('macvlan'),
  )

type Ipvlan = Omit<Extract<NewKind, { kind: 'ipvlan' }>, 'kind'>
const ipvlanWords = (args: Words): Read<Ipvlan> =>
  readWords<Ipvlan>(
    args,
    {},
    [
      {
        is: 'mode',
        short: true,
        take: (text) =>
          text === 'l2' || text === 'l3' || text === 'l3s'
            ? E.right({ mode: text })
            : refuse(1, 'Error: argument of "mode" must be either "l2", "l3" or "l3s"'),
      },
      { is: 'private', short: true, set: { flag: 'private' } },
      { is: 'vepa', short: true, set: { flag: 'vepa' } },
      { is: 'bridge', short: true, set: { flag: 'bridge' } },
    ],
    stranger('ipvlan'),
  )

type Vlan = Readonly<{ id?: number; protocol?: '802.1Q' | '802.1ad' }>
const vlanWords = (args: Words): Read<Vlan> =>
  readWords<Vlan>(
    args,
    {},
    [
      {
        is: 'protocol',
        short: true,
        take: (text) =>
          /^(802\.1q|0x8100)$/i.test(text)
            ? E.right({ protocol: '802.1Q' })
            : /^(802\.1ad|0x88a8)$/i.test(text)
              ? E.right({ protocol: '802.1ad' })
              : invalid(text, 'protocol is invalid'),
      },
      numeric<Vlan>('id', 'id', U16, 'id is invalid'),
      absentWords('vlan', [
        'reorder_hdr',
        'gvrp',
        'mvrp',
        'loose_binding',
        'bridge_binding',
        'ingress-qos-map',
        'egress-qos-map',
      ]),
    ],
    stranger('vlan'),
  )

const peerWords = (args: Words, sight: Sight): Read<NewPeer> => {
  const [peer, ...words] = args
  if (peer === undefined) return E.right({})
  if (peer !== 'peer') return refuse(1, 'Usage: ip link <options> type veth [peer <options>]')
  const read = readLinkWords(words, sight)
  if (E.isLeft(read)) return read
  const { name, dev, mac, mtu, to, type } = read.right
  if (type !== null) return refuse(255, 'Error: "type" is not for a peer')
  const called = name ?? dev
  const known = called === null ? E.right(undefined) : newName(called)
  if (E.isLeft(known)) return known
  const address = mac === null ? E.right(undefined) : macOf(mac)
  if (E.isLeft(address)) return address
  return E.right(
    // Cast: what was not said is left out.
    present({ name: known.right, ns: to ?? undefined, mac: address.right, mtu: mtu ?? undefined }) as NewPeer,
  )
}

const kinded = <K extends string, O>(kind: K, read: Read<O>, said = ''): Read<KindWords<{ kind: K } & O>> =>
  E.isLeft(read) ? read : E.right({ kind: { kind, ...read.right }, said })

/** Kinds that the real program has a file for, and the requests have none. */
const ABSENT_KINDS = new Set(
  `amt bareudp bond dsa erspan geneve gre gretap gtp ifb ip6erspan ip6gre ip6gretap ip6tnl ipip ipoib ipvtap macsec
macvtap netdevsim nlmon rmnet sit team vcan vrf vti vti6 vxcan wwan xfrm virt_wifi hsr can lowpan tun`.split(/\s+/),
)
const UNKNOWN_KIND = 'Error: Unknown device type.'

export const newKind = (type: string, args: Words, sight: Sight): Read<KindWords<NewKind>> => {
  switch (type) {
    case 'dummy':
      return args.length === 0 ? E.right({ kind: { kind: 'dummy' }, said: '' }) : stranger('dummy')(args)
    case 'veth': {
      const peer = peerWords(args, sight)
      return E.isLeft(peer) ? peer : E.right({ kind: { kind: 'veth', peer: peer.right }, said: '' })
    }
    case 'bridge':
      return kinded('bridge', bridgeWords(args))
    case 'vxlan': {
      const read = vxlanWords(args, sight)
      if (E.isLeft(read)) return read
      const { vni, ...rest } = read.right
      if (vni === undefined) return refuse(1, 'vxlan: missing virtual network identifier')
      return E.right({ kind: { kind: 'vxlan', vni, ...rest }, said: rest.port === undefined ? NO_PORT : '' })
    }
    case 'macvlan':
      return kinded('macvlan', macvlanWords(args))
    case 'ipvlan':
      return kinded('ipvlan', ipvlanWords(args))
    case 'vlan': {
      const read = vlanWords(args)
      if (E.isLeft(read)) return read
      const { id, ...rest } = read.right
      return id === undefined
        ? refuse(2, 'Error: VLAN properties not specified.')
        : E.right({ kind: { kind: 'vlan', id, ...rest }, said: '' })
    }
    default:
      return ABSENT_KINDS.has(type) ? absentHere(`a link of type ${type}`) : refuse(2, UNKNOWN_KIND)
  }
}

/** Null: a kind without anything that could be changed, which the program does not look at either. */
export const changedKind = (type: string, args: Words, sight: Sight): Read<KindChange | null> => {
  switch (type) {
    case 'bridge': {
      const read = bridgeWords(args)
      return E.isLeft(read) ? read : E.right({ kind: 'bridge', ...read.right })
    }
    case 'vxlan': {
      const read = vxlanWords(args, sight)
      if (E.isLeft(read)) return read
      const { vni: _, port: __, ...rest } = read.right
      return E.right({ kind: 'vxlan', ...rest })
    }
    case 'macvlan': {
      const read = macvlanWords(args)
      if (E.isLeft(read)) return read
      return E.right(read.right.mode === undefined ? null : { kind: 'macvlan', mode: read.right.mode })
    }
    case 'ipvlan': {
      const read = ipvlanWords(args)
      return E.isLeft(read) ? read : E.right({ kind: 'ipvlan', ...read.right })
    }
    default:
      return args.length === 0 ? E.right(null) : absentHere(`settings of type ${type}`)
  }
}

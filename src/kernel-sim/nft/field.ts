// The fields that selectors can name, and the types of what they give.
// Sources: nft(8) "PAYLOAD EXPRESSIONS", "META EXPRESSIONS", "CONNTRACK EXPRESSIONS", "FIB EXPRESSIONS"; nftables src/proto.c.

import { type Type, type TypeName, typeNamed } from './datatype.ts'
import type { CtKey, Expression, MetaKey, PayloadProtocol, Selector } from './expression.ts'

type FieldSpec = TypeName | readonly [TypeName, bits: number]

export const PORTS = { sport: 'inet_service', dport: 'inet_service' } as const

const PAYLOAD: Readonly<Record<PayloadProtocol, Readonly<Record<string, FieldSpec>>>> = {
  ether: { saddr: 'ether_addr', daddr: 'ether_addr', type: 'ether_type' },
  vlan: { id: ['integer', 12] },
  arp: {
    operation: 'arp_op',
    htype: ['integer', 16],
    ptype: 'ether_type',
    hlen: ['integer', 8],
    plen: ['integer', 8],
    'saddr ip': 'ipv4_addr',
    'daddr ip': 'ipv4_addr',
    'saddr ether': 'ether_addr',
    'daddr ether': 'ether_addr',
  },
  ip: {
    saddr: 'ipv4_addr',
    daddr: 'ipv4_addr',
    protocol: 'inet_proto',
    ttl: ['integer', 8],
    length: ['integer', 16],
    id: ['integer', 16],
    dscp: 'dscp',
    version: ['integer', 4],
    'frag-off': ['integer', 16],
  },
  ip6: {
    saddr: 'ipv6_addr',
    daddr: 'ipv6_addr',
    nexthdr: 'inet_proto',
    hoplimit: ['integer', 8],
    length: ['integer', 16],
    dscp: 'dscp',
    version: ['integer', 4],
    flowlabel: ['integer', 20],
  },
  icmp: { type: 'icmp_type', code: 'icmp_code', checksum: ['integer', 16] },
  icmpv6: { type: 'icmpv6_type', code: 'icmpv6_code', checksum: ['integer', 16] },
  tcp: { ...PORTS, flags: 'tcp_flag', sequence: ['integer', 32], ackseq: ['integer', 32], window: ['integer', 16] },
  udp: { ...PORTS, length: ['integer', 16] },
  udplite: PORTS,
  sctp: PORTS,
  dccp: PORTS,
  th: PORTS,
}

/** The fields that rules may set; the others follow from what a packet is (lengths, versions, types, checksums). */
const SETTABLE: Readonly<Partial<Record<PayloadProtocol, ReadonlySet<string>>>> = {
  ether: new Set(['saddr', 'daddr']),
  vlan: new Set(['id']),
  arp: new Set(['saddr ip', 'daddr ip', 'saddr ether', 'daddr ether']),
  ip: new Set(['saddr', 'daddr', 'ttl', 'id', 'dscp', 'frag-off']),
  ip6: new Set(['saddr', 'daddr', 'hoplimit', 'dscp', 'flowlabel']),
  tcp: new Set(['sport', 'dport', 'flags', 'sequence', 'ackseq', 'window']),
  udp: new Set(['sport', 'dport']),
  th: new Set(['sport', 'dport']),
}
export const isSettable = (protocol: PayloadProtocol, field: string): boolean => SETTABLE[protocol]?.has(field) ?? false

/** The number by which the layer below announces a protocol. */
export const TRANSPORT: Readonly<Partial<Record<PayloadProtocol, number>>> = {
  icmp: 1,
  icmpv6: 58,
  tcp: 6,
  udp: 17,
  udplite: 136,
  sctp: 132,
  dccp: 33,
}

const META: Readonly<Record<MetaKey, TypeName>> = {
  length: 'integer',
  protocol: 'ether_type',
  mark: 'mark',
  iif: 'iface_index',
  oif: 'iface_index',
  iifname: 'ifname',
  oifname: 'ifname',
  nfproto: 'nf_proto',
  l4proto: 'inet_proto',
  pkttype: 'pkt_type',
}

/** Keys of real nft for which the simulated kernel has nothing to tell. */
export const FOREIGN_META: ReadonlySet<string> = new Set([
  'priority',
  'iiftype',
  'oiftype',
  'skuid',
  'skgid',
  'nftrace',
  'rtclassid',
  'secmark',
  'ibrname',
  'obrname',
  'cpu',
  'iifgroup',
  'oifgroup',
  'cgroup',
  'random',
  'ipsec',
  'iifkind',
  'oifkind',
  'ibrpvid',
  'ibrvproto',
  'time',
  'day',
  'hour',
  'sdif',
  'sdifname',
])

const CT: Readonly<Record<Exclude<CtKey, 'saddr' | 'daddr'>, FieldSpec>> = {
  state: 'ct_state',
  status: 'ct_status',
  mark: 'mark',
  direction: 'ct_dir',
  zone: ['integer', 16],
  protocol: 'inet_proto',
  l3proto: 'nf_proto',
  'proto-src': 'inet_service',
  'proto-dst': 'inet_service',
}

export const FOREIGN_CT: ReadonlySet<string> = new Set([
  'expiration',
  'helper',
  'label',
  'bytes',
  'packets',
  'avgpkt',
  'count',
  'id',
  'event',
  'secmark',
  'timeout',
  'expectation',
])

const specType = (spec: FieldSpec): Type => (typeof spec === 'string' ? typeNamed(spec) : typeNamed(spec[0], spec[1]))

export const isProtocol = (word: string): word is PayloadProtocol => Object.hasOwn(PAYLOAD, word)
export const isMetaKey = (word: string): word is MetaKey => Object.hasOwn(META, word)
export const isCtKey = (word: string): word is CtKey => word === 'saddr' || word === 'daddr' || Object.hasOwn(CT, word)

/** The type of a header field; null if the protocol has no such field. */
export const payloadType = (protocol: PayloadProtocol, field: string): Type | null => {
  const fields = PAYLOAD[protocol]
  const spec = Object.hasOwn(fields, field) ? fields[field] : undefined
  return spec === undefined ? null : specType(spec)
}

const selectorType = (selector: Selector): Type => {
  switch (selector.tag) {
    case 'payload':
      return payloadType(selector.protocol, selector.field) ?? typeNamed('integer')
    case 'meta':
      return typeNamed(META[selector.key])
    case 'ct':
      if (selector.key === 'saddr' || selector.key === 'daddr')
        return typeNamed(selector.family === 'ip6' ? 'ipv6_addr' : 'ipv4_addr')
      return specType(CT[selector.key])
    case 'fib':
      if (selector.result === 'type') return typeNamed('fib_addrtype')
      if (selector.present) return typeNamed('boolean')
      return typeNamed(selector.result === 'oif' ? 'iface_index' : 'ifname')
    case 'numgen':
    case 'jhash':
    case 'symhash':
      return typeNamed('integer')
  }
}

/**
 * The types of what an expression gives, one for each part of a concatenation; of a map, those of its values: null where it
 * is a named one, which only the table knows.
 */
export const typesOf = (expression: Expression): ReadonlyArray<Type> | null => {
  switch (expression.tag) {
    case 'value':
      return [expression.type]
    case 'bits':
      return typesOf(expression.left)
    case 'concat': {
      const types: Type[] = []
      for (const part of expression.parts) {
        const inner = typesOf(part)
        if (inner === null) return null
        types.push(...inner)
      }
      return types
    }
    case 'map':
      return expression.map.tag === 'named' || expression.map.data === 'verdict' ? null : expression.map.data
    default:
      return [selectorType(expression)]
  }
}

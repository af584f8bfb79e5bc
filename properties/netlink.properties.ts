// The netlink codec: encoding and decoding are each other's inverse, and nothing that arrives makes the decoders throw, read
// outside of what they were given, or run on for ever.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { type Attr, decodeAttrs, encodeAttrs } from '../src/kernel-linux/netlink/attr.ts'
import { type AddressMessage, decodeAddress, encodeAddress } from '../src/kernel-linux/netlink/codec/address.ts'
import {
  type BridgePortMessage,
  decodeBridgePort,
  encodeBridgePort,
} from '../src/kernel-linux/netlink/codec/bridge-port.ts'
import type { LinkInfo, SlaveInfo } from '../src/kernel-linux/netlink/codec/kinds.ts'
import { decodeLink, encodeLink, type LinkMessage } from '../src/kernel-linux/netlink/codec/link.ts'
import type { LinkAttrs, LinkHeader } from '../src/kernel-linux/netlink/codec/link-base.ts'
import { decodeNeigh, encodeNeigh, type NeighMessage } from '../src/kernel-linux/netlink/codec/neigh.ts'
import { decodeNsid, encodeNsid, type NsidMessage } from '../src/kernel-linux/netlink/codec/nsid.ts'
import { decodeRoute, encodeRoute, type NextHop, type RouteMessage } from '../src/kernel-linux/netlink/codec/route.ts'
import { decodeRule, encodeRule, type RuleMessage } from '../src/kernel-linux/netlink/codec/rule.ts'
import { BATCH_BYTES, BATCH_MESSAGES, batchesOf } from '../src/kernel-linux/netlink/conversation.ts'
import {
  decodeMessages,
  type Message,
  messageSize,
  type Request,
  verdictOf,
  verdictOfDone,
  writeMessage,
} from '../src/kernel-linux/netlink/message.ts'
import { changeOf } from '../src/kernel-linux/netlink/monitor.ts'
import { ackOf } from '../src/kernel-linux/netlink/refusal.ts'
import { type Ip, ip4, ip6, MAX6 } from '../src/net/ip.ts'
import { mac } from '../src/net/mac.ts'

const u8 = fc.nat(0xff)
const u16 = fc.nat(0xffff)
const u32 = fc.nat(0xffffffff)
const s32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const bool = fc.boolean()
/** As the kernel takes them: no NUL within. */
const text = fc.string({ unit: 'binary', maxLength: 80 }).filter((one) => !one.includes('\0'))
const macs = fc.nat(2 ** 48 - 1).map(mac)
const ip4s = u32.map(ip4)
const ip6s = fc.bigInt({ min: 0n, max: MAX6 }).map(ip6)
const ips: fc.Arbitrary<Ip> = fc.oneof(ip4s, ip6s)

const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(parts.flatMap((part) => [...part]))

/** Records with any of these keys. */
const some = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { requiredKeys: [] })

const linkHeader: fc.Arbitrary<LinkHeader> = fc.record({ family: u8, type: u16, index: s32, flags: u32, change: u32 })
const linkAttrs: fc.Arbitrary<LinkAttrs> = some({
  name: text,
  mac: macs,
  broadcast: macs,
  mtu: u32,
  link: u32,
  linkNetnsid: s32,
  qdisc: text,
  master: u32,
  txqlen: u32,
  operstate: u8,
  carrier: bool,
  alias: text,
  group: u32,
  promiscuity: u32,
  numTxQueues: u32,
  numRxQueues: u32,
  netNsPid: u32,
  netNsFd: u32,
  targetNetnsid: s32,
  newNetnsid: s32,
  newIfindex: s32,
  minMtu: u32,
  maxMtu: u32,
  extMask: u32,
})

const bridgeOptions = some({
  forwardDelay: u32,
  helloTime: u32,
  maxAge: u32,
  ageingTime: u32,
  stpState: u32,
  priority: u16,
  vlanFiltering: bool,
  vlanProtocol: u16,
  vlanDefaultPvid: u16,
  groupFwdMask: u16,
  groupAddress: macs,
  mcastRouter: u8,
  mcastSnooping: bool,
  mcastQuerier: bool,
  mcastIgmpVersion: u8,
  mcastMldVersion: u8,
  nfCallIptables: bool,
  nfCallIp6tables: bool,
  nfCallArptables: bool,
})
const portOptions = some({
  state: u8,
  priority: u16,
  cost: u32,
  hairpin: bool,
  guard: bool,
  rootBlock: bool,
  fastLeave: bool,
  learning: bool,
  flood: bool,
  mcastFlood: bool,
  bcastFlood: bool,
  mcastToUnicast: bool,
  multicastRouter: u8,
  proxyArp: bool,
  vlanTunnel: bool,
  groupFwdMask: u16,
  neighSuppress: bool,
  isolated: bool,
  locked: bool,
})
const vxlanOptions = some({
  id: u32,
  group: ip4s,
  group6: ip6s,
  local: ip4s,
  local6: ip6s,
  link: u32,
  port: u16,
  ttl: u8,
  tos: u8,
  df: u8,
  learning: bool,
  ageing: u32,
  limit: u32,
  proxy: bool,
  rsc: bool,
  l2miss: bool,
  l3miss: bool,
  udpCsum: bool,
  udpZeroCsum6Tx: bool,
  udpZeroCsum6Rx: bool,
  collectMetadata: bool,
})
const KNOWN = ['dummy', 'veth', 'bridge', 'vxlan', 'vlan', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap']
const otherKind = fc.record({
  kind: fc.constant('other' as const),
  name: fc.oneof(
    text.filter((name) => !KNOWN.includes(name)),
    // Names that every object of JavaScript answers to.
    fc.constantFrom('constructor', 'toString', '__proto__'),
  ),
})
const peer = fc.tuple(linkHeader, linkAttrs).map(([header, attrs]) => ({ ...header, ...attrs }))
const info: fc.Arbitrary<LinkInfo> = fc.oneof(
  fc.constant({ kind: 'dummy' as const }),
  fc.constant({ kind: 'veth' as const }),
  fc.record({ kind: fc.constant('veth' as const), peer }),
  fc.record({ kind: fc.constant('bridge' as const), options: bridgeOptions }),
  fc.record({ kind: fc.constant('vxlan' as const), options: vxlanOptions }),
  fc.record({
    kind: fc.constant('vlan' as const),
    options: some({ id: u16, flags: fc.record({ flags: u32, mask: u32 }), protocol: u16 }),
  }),
  fc.record({
    kind: fc.constantFrom('macvlan' as const, 'macvtap' as const),
    options: some({ mode: u32, flags: u16 }),
  }),
  fc.record({ kind: fc.constantFrom('ipvlan' as const, 'ipvtap' as const), options: some({ mode: u16, flags: u16 }) }),
  otherKind,
)
const slave: fc.Arbitrary<SlaveInfo> = fc.oneof(
  fc.record({ kind: fc.constant('bridge' as const), options: portOptions }),
  fc.record({ kind: fc.constant('other' as const), name: text.filter((name) => name !== 'bridge') }),
)
const links: fc.Arbitrary<LinkMessage> = fc
  .tuple(
    linkHeader,
    linkAttrs,
    some({ linkinfo: some({ info, slave }), afSpec: some({ inet6: some({ addrGenMode: u8 }) }) }),
  )
  .map(([header, attrs, rest]) => ({ ...header, ...attrs, ...rest }))

const ports: fc.Arbitrary<BridgePortMessage> = fc
  .tuple(
    linkHeader,
    some({
      name: text,
      master: u32,
      mtu: u32,
      options: portOptions,
      spec: fc.record({ flags: u16, vlans: fc.array(fc.record({ vid: u16, flags: u16 }), { maxLength: 20 }) }),
      extMask: u32,
    }),
  )
  .map(([header, attrs]) => ({ ...header, ...attrs }))

const addresses: fc.Arbitrary<AddressMessage> = fc
  .tuple(
    fc.record({ family: u8, bits: u8, flags: u8, scope: u8, index: u32 }),
    some({
      local: ips,
      address: ips,
      broadcast: ip4s,
      label: text,
      allFlags: u32,
      priority: u32,
      proto: u8,
      targetNetnsid: s32,
    }),
  )
  .map(([header, attrs]) => ({ ...header, ...attrs }))

const hops: fc.Arbitrary<NextHop> = fc
  .tuple(
    fc.record({ index: s32, flags: u8, weight: fc.integer({ min: 1, max: 256 }) }),
    some({ gateway: ips, via: ips }),
  )
  .map(([hop, attrs]) => ({ ...hop, ...attrs }))
const routes: fc.Arbitrary<RouteMessage> = fc
  .tuple(
    fc.record({
      family: u8,
      dstBits: u8,
      srcBits: u8,
      tos: u8,
      table: u8,
      protocol: u8,
      scope: u8,
      type: u8,
      flags: u32,
    }),
    some({
      dst: ips,
      src: ips,
      iif: u32,
      oif: u32,
      gateway: ips,
      via: ips,
      prefSrc: ips,
      priority: u32,
      metrics: some({ mtu: u32, advmss: u32, hoplimit: u32 }),
      multipath: fc.array(hops, { maxLength: 4 }),
      allTable: u32,
      mark: u32,
      pref: u8,
      nextHopId: u32,
    }),
  )
  .map(([header, attrs]) => ({ ...header, ...attrs }))

const rules: fc.Arbitrary<RuleMessage> = fc
  .tuple(
    fc.record({ family: u8, dstBits: u8, srcBits: u8, tos: u8, table: u8, action: u8, flags: u32 }),
    some({
      dst: ips,
      src: ips,
      iifname: text,
      oifname: text,
      goto: u32,
      priority: u32,
      fwmark: u32,
      fwmask: u32,
      suppressPrefixlen: u32,
      suppressIfgroup: u32,
      allTable: u32,
      protocol: u8,
      ipProto: u8,
    }),
  )
  .map(([header, attrs]) => ({ ...header, ...attrs }))

const neighs: fc.Arbitrary<NeighMessage> = fc
  .tuple(
    fc.record({ family: u8, index: s32, state: u16, flags: u8, type: u8 }),
    some({
      dst: ips,
      mac: macs,
      vlan: u16,
      port: u16,
      vni: u32,
      srcVni: u32,
      via: u32,
      master: u32,
      linkNetnsid: s32,
      protocol: u8,
      nextHopId: u32,
      extFlags: u32,
    }),
  )
  .map(([header, attrs]) => ({ ...header, ...attrs }))

const nsids: fc.Arbitrary<NsidMessage> = some({ nsid: s32, pid: u32, fd: u32, targetNsid: s32, currentNsid: s32 })

type Codec<A> = Readonly<{
  what: string
  values: fc.Arbitrary<A>
  encode: (value: A) => Uint8Array
  decode: (bytes: Uint8Array) => A | null
}>
/** A codec, with its type forgotten: what it encodes is what its own arbitrary gave. */
const codec = <A>({ what, values, encode, decode }: Codec<A>) => ({
  what,
  decode: (bytes: Uint8Array): unknown => decode(bytes),
  bytes: values.map(encode),
  pairs: values.map((value) => ({ value: value as unknown, again: decode(encode(value)) as unknown })),
})
const CODECS = [
  codec({ what: 'links', values: links, encode: encodeLink, decode: decodeLink }),
  codec({ what: 'bridge ports', values: ports, encode: encodeBridgePort, decode: decodeBridgePort }),
  codec({ what: 'addresses', values: addresses, encode: encodeAddress, decode: decodeAddress }),
  codec({ what: 'routes', values: routes, encode: encodeRoute, decode: decodeRoute }),
  codec({ what: 'rules', values: rules, encode: encodeRule, decode: decodeRule }),
  codec({ what: 'neighbours', values: neighs, encode: encodeNeigh, decode: decodeNeigh }),
  codec({ what: 'namespace ids', values: nsids, encode: encodeNsid, decode: decodeNsid }),
]

const bytes = (maxLength: number) => fc.uint8Array({ maxLength })
const FLAGS = [0, 0x8000, 0x4000, 0xc000]
const attrs: fc.Arbitrary<ReadonlyArray<Attr>> = fc.array(
  fc.record({ type: fc.nat(0x3fff), flags: fc.constantFrom(...FLAGS), payload: bytes(40) }),
  { maxLength: 12 },
)
const messages: fc.Arbitrary<ReadonlyArray<Message>> = fc.array(
  fc.record({ type: u16, flags: u16, seq: u32, port: u32, body: bytes(40) }),
  { maxLength: 8 },
)

const encodeMessages = (all: ReadonlyArray<Message>): Uint8Array => {
  const into = new Uint8Array(all.reduce((size, message) => size + messageSize(message), 0))
  all.reduce((at, message) => writeMessage(into, at, message), 0)
  return into
}

/** Bytes with a few of them changed, and cut or grown at the end. */
const mutated = (from: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(from, fc.array(fc.tuple(fc.nat(), u8), { maxLength: 6 }), fc.nat(), bytes(6))
    .map(([whole, changes, cut, more]) => {
      const copy = Uint8Array.from(whole)
      for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value
      return concat([copy.subarray(0, copy.length - (cut % 5)), more])
    })

/** The same bytes in the middle of others: a decoder that reads outside would find different neighbours. */
const embedded = (whole: Uint8Array, around: number): Uint8Array => {
  const big = new Uint8Array(whole.length + 64).fill(around)
  big.set(whole, 32)
  return big.subarray(32, 32 + whole.length)
}

describe('attributes', () => {
  test.prop([attrs])('decoding gives back what was encoded', (all) => {
    expect(decodeAttrs(encodeAttrs(all))).toEqual(all)
  })
  test.prop([attrs, attrs])('the encoding of two lists is that of one after the other', (a, b) => {
    expect(encodeAttrs([...a, ...b])).toEqual(concat([encodeAttrs(a), encodeAttrs(b)]))
  })
  test.prop([attrs])('an encoding is aligned to four bytes', (all) => {
    expect(encodeAttrs(all).length % 4).toBe(0)
  })
  test.prop([mutated(attrs.map(encodeAttrs))])('what is decoded lies within what was given', (whole) => {
    const found = decodeAttrs(whole) ?? []
    expect(found.reduce((size, { payload }) => size + 4 + payload.length, 0)).toBeLessThanOrEqual(whole.length)
  })
})

describe('messages', () => {
  test.prop([messages])('decoding gives back what was encoded', (all) => {
    expect(decodeMessages(encodeMessages(all))).toEqual(all)
  })
  test.prop([fc.oneof(bytes(200), mutated(messages.map(encodeMessages)))])(
    'no datagram makes the decoders throw, down to the verdict and the change',
    (datagram) => {
      for (const message of decodeMessages(datagram) ?? []) {
        verdictOf(message)
        verdictOfDone(message)
        changeOf(message, null)
      }
    },
  )
  test.prop([u16, bytes(60), u32])(
    'no offset makes the search for the offending attribute throw',
    (type, body, offset) => {
      ackOf({ type, flags: 0, body }, { code: 22, text: null, offset, missing: offset })
    },
  )
})

describe('batches', () => {
  const requests: fc.Arbitrary<ReadonlyArray<Request>> = fc.array(
    fc.record({ type: u16, flags: u16, body: fc.nat(9000).map((size) => new Uint8Array(size)) }),
    { maxLength: 600, size: 'max' },
  )
  test.prop([requests])('batches hold all requests in order, and none is too large unless it is one request', (all) => {
    const batches = batchesOf(all)
    expect(batches.flat()).toEqual(all)
    for (const batch of batches) {
      const size = batch.reduce((sum, request) => sum + messageSize(request), 0)
      expect(batch.length).toBeGreaterThan(0)
      expect(batch.length).toBeLessThanOrEqual(BATCH_MESSAGES)
      expect(batch.length === 1 || size <= BATCH_BYTES).toBe(true)
    }
  })
})

for (const { what, decode, bytes: encoded, pairs } of CODECS) {
  describe(what, () => {
    test.prop([pairs])('decoding gives back what was encoded', ({ value, again }) => {
      expect(again).toEqual(value)
    })
    test.prop([fc.oneof(bytes(120), mutated(encoded))])(
      'nothing makes the decoder throw, and what lies around it changes nothing',
      (whole) => {
        expect(decode(embedded(whole, 0xff))).toEqual(decode(embedded(whole, 0)))
      },
    )
    test.prop([encoded, fc.integer({ min: 0x3000, max: 0x3fff }), bytes(20)])(
      'an attribute that nobody knows is passed over',
      (whole, type, payload) => {
        const more = encodeAttrs([{ type, flags: 0, payload }])
        expect(decode(concat([whole, more]))).toEqual(decode(whole))
      },
    )
  })
}

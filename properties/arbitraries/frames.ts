// Frames of every kind that the wire knows, in their one form: no message as bytes that has a type, no number beyond its
// field. What an error quotes may be longer than it may quote.

import fc from 'fast-check'
import type { Arp } from '../../src/kernel-sim/wire/arp.ts'
import type { Body4, Body6, Raw } from '../../src/kernel-sim/wire/body.ts'
import type { Echo } from '../../src/kernel-sim/wire/echo.ts'
import type { Frame, RawPayload, VlanTag } from '../../src/kernel-sim/wire/ethernet.ts'
import { type GroupRecord, RECORDS } from '../../src/kernel-sim/wire/group-record.ts'
import { type Error4, EXCEEDED4, PROBLEM4, REDIRECT4, UNREACHABLE4 } from '../../src/kernel-sim/wire/icmp4.ts'
import { type Error6, EXCEEDED6, PROBLEM6, UNREACHABLE6 } from '../../src/kernel-sim/wire/icmp6.ts'
import type { Igmp } from '../../src/kernel-sim/wire/igmp.ts'
import type { Packet4 } from '../../src/kernel-sim/wire/ip4.ts'
import type { Packet6 } from '../../src/kernel-sim/wire/ip6.ts'
import type { Mld } from '../../src/kernel-sim/wire/mld.ts'
import type { Discovery } from '../../src/kernel-sim/wire/nd.ts'
import type { NdOption } from '../../src/kernel-sim/wire/nd-options.ts'
import type { Packet } from '../../src/kernel-sim/wire/nested.ts'
import { quote4, quote6, quoteOfRedirect } from '../../src/kernel-sim/wire/quote.ts'
import type { Tcp } from '../../src/kernel-sim/wire/tcp.ts'
import type { TcpOptions } from '../../src/kernel-sim/wire/tcp-options.ts'
import type { Udp } from '../../src/kernel-sim/wire/udp.ts'
import { VXLAN_PORTS } from '../../src/kernel-sim/wire/vxlan.ts'
import { type Ip4, type Ip6, ip4, ip6, MAX6 } from '../../src/net/ip.ts'
import { mac } from '../../src/net/mac.ts'

const bool = fc.boolean()
const u8 = fc.nat(0xff)
/** The ends of the range more often than chance has it: sums overflow there. */
const u16 = fc.oneof({ weight: 3, arbitrary: fc.nat(0xffff) }, fc.constantFrom(0, 1, 0xfffe, 0xffff))
const u32 = fc.oneof({ weight: 3, arbitrary: fc.nat(0xffffffff) }, fc.constantFrom(0, 0xffffffff))
const macs = fc.nat(2 ** 48 - 1).map(mac)
const ip4s = u32.map(ip4)
const ip6s = fc.bigInt({ min: 0n, max: MAX6 }).map(ip6)
const data = (maxLength: number) => fc.uint8Array({ maxLength })
/** Of application data: short mostly, and now and then longer than an error quotes or an MTU holds. */
const payload = fc.oneof(
  { weight: 15, arbitrary: data(40) },
  fc.tuple(fc.integer({ min: 500, max: 3000 }), u8).map(([length, first]) => new Uint8Array(length).fill(first)),
)
const oneOf = <const T extends readonly unknown[]>(values: T) => fc.constantFrom<T[number]>(...values)

export const arp: fc.Arbitrary<Arp> = fc.record({
  tag: fc.constant('arp'),
  op: oneOf(['request', 'reply']),
  senderMac: macs,
  sender: ip4s,
  targetMac: macs,
  target: ip4s,
})

const noSack = fc.record({
  mss: fc.option(u16),
  sackPermitted: bool,
  timestamps: fc.option(fc.record({ value: u32, echo: u32 })),
  windowScale: fc.option(u8),
})
const sack = fc.array(fc.record({ from: u32, to: u32 }), { maxLength: 2 })
const tcpOptions: fc.Arbitrary<TcpOptions> = fc
  .tuple(noSack, sack)
  .map(([options, blocks]) => ({ ...options, sack: blocks }))
  .filter(({ mss, windowScale, sack }) => sack.length < 2 || mss === null || windowScale === null)
/** Kinds without a value: TCP fast open's cookie, and fill in front. */
const otherOptions = fc.constantFrom(Uint8Array.of(34, 4, 7, 9), Uint8Array.of(1, 1, 1, 1), Uint8Array.of(3, 3, 7, 0))

export const tcp: fc.Arbitrary<Tcp> = fc.record({
  proto: fc.constant('tcp'),
  sport: u16,
  dport: u16,
  seq: u32,
  ack: u32,
  flags: fc.nat(0x1ff),
  window: u16,
  urgent: u16,
  options: fc.oneof({ weight: 4, arbitrary: tcpOptions }, otherOptions),
  payload,
})

const plainUdp: fc.Arbitrary<Udp> = fc.record({
  proto: fc.constant('udp'),
  sport: u16,
  dport: u16.filter((port) => !VXLAN_PORTS.has(port)),
  checked: bool,
  payload,
})

const echo = <Proto extends 'icmp' | 'icmp6'>(proto: Proto): fc.Arbitrary<Echo<Proto>> =>
  fc.record({ proto: fc.constant(proto), type: oneOf(['echo-request', 'echo-reply']), id: u16, seq: u16, payload })

const records = <A extends Ip4 | Ip6>(ips: fc.Arbitrary<A>): fc.Arbitrary<ReadonlyArray<GroupRecord<A>>> =>
  fc.array(fc.record({ kind: oneOf(RECORDS), group: ips, sources: fc.array(ips, { maxLength: 3 }) }), { maxLength: 4 })
export const igmp: fc.Arbitrary<Igmp> = fc.record({
  proto: fc.constant('igmp'),
  type: fc.constant('report3'),
  records: records(ip4s),
})
export const mld: fc.Arbitrary<Mld> = fc.record({
  proto: fc.constant('icmp6'),
  type: fc.constant('mld2-report'),
  records: records(ip6s),
})

/** OSPF, GRE, SCTP, and none that IPv6 takes for an extension header we know. */
const raw: fc.Arbitrary<Raw> = fc.record({
  proto: fc.constant('raw'),
  protocol: fc.constantFrom(47, 59, 89, 132, 253),
  bytes: data(60),
})

const ip4With = (body: fc.Arbitrary<Body4>): fc.Arbitrary<Packet4> =>
  fc.record({
    tag: fc.constant('ip4'),
    src: ip4s,
    dst: ip4s,
    ttl: u8,
    tos: u8,
    id: u16,
    df: bool,
    mf: fc.constant(false),
    offset: fc.constant(0),
    routerAlert: bool,
    body,
  })

const ip6With = (body: fc.Arbitrary<Body6>): fc.Arbitrary<Packet6> =>
  fc.record({
    tag: fc.constant('ip6'),
    src: ip6s,
    dst: ip6s,
    ttl: u8,
    tos: u8,
    flow: fc.nat(0xfffff),
    routerAlert: bool,
    fragment: fc.constant(null),
    body,
  })

/** What errors are about. */
export const plain4: fc.Arbitrary<Packet4> = ip4With(fc.oneof(tcp, plainUdp, echo('icmp'), igmp, raw))
const linkOption: fc.Arbitrary<NdOption> = fc.record({ tag: oneOf(['source', 'target']), mac: macs })
const ndOption: fc.Arbitrary<NdOption> = fc.oneof(
  linkOption,
  fc.record({ tag: fc.constant('mtu'), mtu: u32 }),
  fc.record({ tag: fc.constant('nonce'), nonce: fc.nat(2 ** 48 - 1) }),
  fc.record({
    tag: fc.constant('prefix'),
    ip: ip6s,
    bits: fc.nat(128),
    onLink: bool,
    autonomous: bool,
    validS: u32,
    preferredS: u32,
  }),
  fc.record({
    tag: fc.constant('raw'),
    type: fc.constantFrom(24, 25, 31),
    bytes: fc.uint8Array({ minLength: 14, maxLength: 14 }),
  }),
)

const discovery = (redirected: fc.Arbitrary<NdOption>): fc.Arbitrary<Discovery> => {
  const options = fc.array(ndOption, { maxLength: 3 })
  const proto = fc.constant('icmp6')
  return fc.oneof(
    fc.record({ proto, type: fc.constant('router-solicitation'), options }),
    fc.record({ proto, type: fc.constant('neighbour-solicitation'), target: ip6s, options }),
    fc.record({
      proto,
      type: fc.constant('neighbour-advertisement'),
      target: ip6s,
      router: bool,
      solicited: bool,
      override: bool,
      options,
    }),
    fc.record({
      proto,
      type: fc.constant('router-advertisement'),
      hopLimit: u8,
      managed: bool,
      other: bool,
      defaultS: u16,
      reachableMs: u32,
      retransMs: u32,
      options,
    }),
    fc.record({
      proto,
      type: fc.constant('redirect'),
      target: ip6s,
      destination: ip6s,
      options: fc.tuple(linkOption, redirected),
    }),
  )
}

export const plain6: fc.Arbitrary<Packet6> = ip6With(fc.oneof(tcp, plainUdp, echo('icmp6'), mld, raw))

/** Fragments, as they are cut and as they might be made up. */
const fragment4: fc.Arbitrary<Packet4> = fc
  .tuple(ip4With(raw), fc.integer({ min: 1, max: 8000 }), bool)
  .map(([packet, eights, mf]) => ({ ...packet, offset: eights * 8, mf }))
const head: fc.Arbitrary<Packet4> = fc
  .tuple(ip4With(fc.oneof(tcp, plainUdp, echo('icmp'))), u16, u16)
  .map(([packet, length, checksum]) => {
    const { body } = packet
    if (body.proto === 'tcp' || (body.proto === 'icmp' && 'payload' in body))
      return { ...packet, mf: true, body: { proto: 'head', of: body, length: 0, checksum } }
    if (body.proto !== 'udp') return packet
    return { ...packet, mf: true, body: { proto: 'head', of: { ...body, checked: checksum !== 0 }, length, checksum } }
  })
const fragment6: fc.Arbitrary<Packet6> = fc
  .tuple(ip6With(raw), u32, fc.nat(8000), bool)
  .map(([packet, id, eights, mf]) => ({ ...packet, fragment: { id, offset: eights * 8, mf } }))

const quoted4 = fc.oneof(plain4, fragment4, head).map((packet) => quote4(packet))
const quoted6 = fc.oneof(plain6, fragment6).map((packet) => quote6(packet))

const error4: fc.Arbitrary<Error4> = fc
  .tuple(
    quoted4,
    fc.oneof(
      fc.record({ type: fc.constant('unreachable'), code: oneOf(UNREACHABLE4), mtu: u16 }),
      fc.record({ type: fc.constant('time-exceeded'), code: oneOf(EXCEEDED4) }),
      fc.record({ type: fc.constant('redirect'), code: oneOf(REDIRECT4), gateway: ip4s }),
      fc.record({ type: fc.constant('parameter-problem'), code: oneOf(PROBLEM4), pointer: u8 }),
    ),
  )
  .map(([quote, what]) => ({ proto: 'icmp', ...what, ...quote }))

const error6: fc.Arbitrary<Error6> = fc
  .tuple(
    quoted6,
    fc.oneof(
      fc.record({ type: fc.constant('unreachable'), code: oneOf(UNREACHABLE6) }),
      fc.record({ type: fc.constant('packet-too-big'), mtu: u32 }),
      fc.record({ type: fc.constant('time-exceeded'), code: oneOf(EXCEEDED6) }),
      fc.record({ type: fc.constant('parameter-problem'), code: oneOf(PROBLEM6), pointer: u32 }),
    ),
  )
  .map(([quote, what]) => ({ proto: 'icmp6', ...what, ...quote }))

const redirected: fc.Arbitrary<NdOption> = plain6.map((about) => ({ tag: 'redirected', ...quoteOfRedirect(about, 8) }))

const rawPayload: fc.Arbitrary<RawPayload> = fc.record({
  tag: fc.constant('raw'),
  etherType: fc.constantFrom(0x0026, 0x88cc, 0x9000, 0x8847),
  bytes: data(60),
})
const tag: fc.Arbitrary<VlanTag> = fc.record({
  protocol: oneOf(['802.1Q', '802.1ad']),
  vid: fc.nat(4095),
  priority: fc.nat(7),
  dei: bool,
})
const noTrailer = fc.constant(new Uint8Array(0))

/** A packet whose VXLAN has yet so many frames within frames. */
const packetOf = (depth: number): fc.Arbitrary<Packet> => {
  const tunnel: fc.Arbitrary<Udp>[] =
    depth === 0
      ? []
      : [
          fc.record({
            proto: fc.constant('udp'),
            sport: u16,
            dport: fc.constantFrom(...VXLAN_PORTS),
            checked: bool,
            payload: fc.record({ tag: fc.constant('vxlan'), vni: fc.nat(0xffffff), frame: frameOf(depth - 1) }),
          }),
        ]
  const bodies4: fc.Arbitrary<Body4> = fc.oneof(tcp, plainUdp, echo('icmp'), error4, igmp, raw, ...tunnel)
  const bodies6: fc.Arbitrary<Body6> = fc.oneof(
    tcp,
    plainUdp,
    echo('icmp6'),
    error6,
    mld,
    discovery(redirected),
    raw,
    ...tunnel,
  )
  return fc.oneof(
    { weight: 4, arbitrary: ip4With(bodies4) },
    { weight: 4, arbitrary: ip6With(bodies6) },
    fragment4,
    head,
    fragment6,
  )
}

const frameOf = (depth: number): fc.Arbitrary<Frame> => {
  const rest = { dst: macs, src: macs, tags: fc.array(tag, { maxLength: 3 }) }
  return fc.oneof(
    { weight: 6, arbitrary: fc.record({ ...rest, payload: packetOf(depth), trailer: noTrailer }) },
    fc.record({ ...rest, payload: fc.oneof(arp, packetOf(0)), trailer: data(20) }),
    fc.record({ ...rest, payload: rawPayload, trailer: noTrailer }),
  )
}

export const packet: fc.Arbitrary<Packet> = packetOf(1)
export const frame: fc.Arbitrary<Frame> = frameOf(2)

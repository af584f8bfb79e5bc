// Packets in the words of tcpdump(8) with -n, as far as packets are values here.
// Source: tcpdump 4.99: print-arp.c, print-icmp.c, print-icmp6.c, print-tcp.c, print-udp.c, print-ip.c, print-ether.c, print-vxlan.c.

import type { Step } from '../../../kernel-sim/datapath/step.ts'
import type { Arp } from '../../../kernel-sim/wire/arp.ts'
import { type Body, protocolOf } from '../../../kernel-sim/wire/body.ts'
import type { Frame, Payload } from '../../../kernel-sim/wire/ethernet.ts'
import type { Error4 } from '../../../kernel-sim/wire/icmp4.ts'
import type { Icmp6 } from '../../../kernel-sim/wire/icmp6.ts'
import type { Packet } from '../../../kernel-sim/wire/nested.ts'
import { FLAG, type Tcp } from '../../../kernel-sim/wire/tcp.ts'
import { lengthOf, lengthOfPacket } from '../../../kernel-sim/wire/wire.ts'
import { type Ip, showIp } from '../../../net/ip.ts'
import { BROADCAST, isGroup, showMac, ZERO_MAC } from '../../../net/mac.ts'

const HEADERS = { ip4: 20, ip6: 40 } as const
/** Of what IP carries, without a fragment's header. */
const lengthOfBody = (packet: Packet): number =>
  lengthOfPacket(packet) - HEADERS[packet.tag] - (packet.tag === 'ip6' && packet.fragment !== null ? 8 : 0)

const arpText = ({ op, sender, senderMac, target, targetMac }: Arp): string => {
  if (op === 'reply') return `ARP, Reply ${showIp(sender)} is-at ${showMac(senderMac)}, length 28`
  const named = targetMac === ZERO_MAC || targetMac === BROADCAST ? '' : ` (${showMac(targetMac)})`
  return `ARP, Request who-has ${showIp(target)}${named} tell ${showIp(sender)}, length 28`
}

const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmp6' }

/** The port that a quoted packet was for. */
const quotedPort = ({ body }: Packet): number | null => {
  const whole = body.proto === 'head' ? body.of : body
  return whole.proto === 'tcp' || whole.proto === 'udp' ? whole.dport : null
}

const PROHIBITED: Readonly<Record<string, string>> = {
  'admin-prohibited': 'admin prohibited filter',
  'net-prohibited': 'admin prohibited',
  'host-prohibited': 'admin prohibited',
}

const unreachable4 = ({ code, about, mtu }: Extract<Error4, { type: 'unreachable' }>): string => {
  const dst = showIp(about.dst)
  const protocol = protocolOf(about.body)
  switch (code) {
    case 'net':
    case 'host':
      return `${code} ${dst} unreachable`
    case 'protocol':
      return `${dst} protocol ${protocol} unreachable`
    case 'port': {
      const port = quotedPort(about)
      return port === null
        ? `${dst} protocol ${protocol} port 0 unreachable`
        : `${dst} ${PROTOCOLS[protocol]} port ${port} unreachable`
    }
    case 'fragmentation-needed':
      return `${dst} unreachable - need to frag${mtu === 0 ? '' : ` (mtu ${mtu})`}`
    case 'admin-prohibited':
    case 'host-prohibited':
      return `host ${dst} unreachable - ${PROHIBITED[code]}`
    case 'net-prohibited':
      return `net ${dst} unreachable - ${PROHIBITED[code]}`
    default:
      return `${dst} unreachable - ${code.replaceAll('-', ' ')}`
  }
}

const error4 = (error: Error4): string => {
  switch (error.type) {
    case 'unreachable':
      return unreachable4(error)
    case 'time-exceeded':
      return error.code === 'transit' ? 'time exceeded in-transit' : 'ip reassembly time exceeded'
    case 'redirect':
      return `redirect ${showIp(error.about.dst)} to ${error.code} ${showIp(error.gateway)}`
    case 'parameter-problem':
      return `parameter problem - octet ${error.pointer}`
  }
}

const UNREACHABLE6: Readonly<Record<string, (dst: string, port: number | null, protocol: number) => string>> = {
  'no-route': (dst) => `unreachable route ${dst}`,
  'admin-prohibited': (dst) => ` unreachable prohibited ${dst}`,
  'beyond-scope': (dst) => `beyond scope ${dst}`,
  address: (dst) => `unreachable address ${dst}`,
  port: (dst, port, protocol) => `unreachable port, ${dst} ${PROTOCOLS[protocol] ?? 'protocol'} port ${port ?? 0}`,
}

const icmp6Text = (m: Icmp6): string => {
  if ('payload' in m) return `${m.type === 'echo-request' ? 'echo request' : 'echo reply'}, id ${m.id}, seq ${m.seq}`
  if ('about' in m) {
    const dst = showIp(m.about.dst)
    switch (m.type) {
      case 'unreachable':
        return `destination unreachable, ${UNREACHABLE6[m.code]?.(dst, quotedPort(m.about), protocolOf(m.about.body)) ?? m.code}`
      case 'packet-too-big':
        return `packet too big, mtu ${m.mtu}`
      case 'time-exceeded':
        return m.code === 'transit' ? `time exceeded in-transit for ${dst}` : 'ip reassembly time exceeded'
      case 'parameter-problem':
        return `parameter problem, ${m.code.replaceAll('-', ' ')} - octet ${m.pointer}`
    }
  }
  switch (m.type) {
    case 'neighbour-solicitation':
      return `neighbor solicitation, who has ${showIp(m.target)}`
    case 'neighbour-advertisement':
      return `neighbor advertisement, tgt is ${showIp(m.target)}`
    case 'router-solicitation':
      return 'router solicitation'
    case 'router-advertisement':
      return 'router advertisement'
    case 'redirect':
      return `redirect, ${showIp(m.target)} to ${showIp(m.destination)}`
    case 'mld2-report':
      return `multicast listener report v2, ${m.records.length} group record(s)`
  }
}

const MARKS: ReadonlyArray<readonly [flag: keyof typeof FLAG, mark: string]> = [
  ['FIN', 'F'],
  ['SYN', 'S'],
  ['RST', 'R'],
  ['PSH', 'P'],
  ['ACK', '.'],
  ['URG', 'U'],
]

const optionsText = ({ options }: Tcp): string => {
  if (options instanceof Uint8Array) return ''
  const { mss, sackPermitted, timestamps, windowScale } = options
  const parts: string[] = []
  if (mss !== null) parts.push(`mss ${mss}`)
  if (sackPermitted) parts.push('sackOK')
  if (timestamps !== null) {
    if (mss === null) parts.push('nop', 'nop')
    parts.push(`TS val ${timestamps.value} ecr ${timestamps.echo}`)
  }
  if (windowScale !== null) parts.push('nop', `wscale ${windowScale}`)
  return parts.length === 0 ? '' : `, options [${parts.join(',')}]`
}

/** `talks`: where a conversation is counted from: what its first acknowledgement said, and whose that was. */
type Begun = Readonly<{ macs: boolean; talks: Map<string, Readonly<{ from: string; seq: number; ack: number }>> }>

/** All numbers of the first are told as they are. */
const counted = ({ seq, ack, flags }: Tcp, from: string, to: string, { talks }: Begun) => {
  if ((flags & FLAG.ACK) === 0) return { seq, ack }
  const key = [from, to].sort().join(' ')
  const known = talks.get(key)
  if (known === undefined || (flags & FLAG.SYN) !== 0) {
    talks.set(key, { from, seq, ack: ack - 1 })
    return { seq, ack }
  }
  const [own, other] = known.from === from ? [known.seq, known.ack] : [known.ack, known.seq]
  return { seq: (seq - own) >>> 0, ack: (ack - other) >>> 0 }
}

const tcpText = (tcp: Tcp, from: string, to: string, begun: Begun): string => {
  const { flags, payload, window } = tcp
  const marks = MARKS.filter(([flag]) => (flags & FLAG[flag]) !== 0).map(([, mark]) => mark)
  const { seq, ack } = counted(tcp, from, to, begun)
  const isSeen = payload.length > 0 || (flags & (FLAG.SYN | FLAG.FIN | FLAG.RST)) !== 0
  const until = payload.length > 0 ? `:${(seq + payload.length) >>> 0}` : ''
  const parts = [`Flags [${marks.join('')}]`]
  if (isSeen) parts.push(`seq ${seq}${until}`)
  if ((flags & FLAG.ACK) !== 0) parts.push(`ack ${ack}`)
  return `${parts.join(', ')}, win ${window}${optionsText(tcp)}, length ${payload.length}`
}

const endOf = (ip: Ip, port: number): string => `${showIp(ip)}.${port}`
const VXLAN_PORTS = new Set([4789])

const bodyText = (packet: Packet, begun: Begun): string => {
  const { src, dst, body } = packet
  const between = `${showIp(src)} > ${showIp(dst)}:`
  switch (body.proto) {
    case 'tcp': {
      const [from, to] = [endOf(src, body.sport), endOf(dst, body.dport)]
      return `${from} > ${to}: ${tcpText(body, from, to, begun)}`
    }
    case 'udp': {
      const ends = `${endOf(src, body.sport)} > ${endOf(dst, body.dport)}:`
      if (!('tag' in body.payload)) return `${ends} UDP, length ${body.payload.length}`
      if (!VXLAN_PORTS.has(body.dport)) return `${ends} UDP, length ${lengthOfBody(packet) - 8}`
      return `${ends} VXLAN, flags [I] (0x08), vni ${body.payload.vni}\n${frameText(body.payload.frame, begun)}`
    }
    case 'icmp':
      return `${between} ICMP ${icmpText(body)}, length ${lengthOfBody(packet)}`
    case 'icmp6':
      return `${between} ICMP6, ${icmp6Text(body)}, length ${lengthOfBody(packet)}`
    case 'igmp':
      return `${between} igmp v3 report, ${body.records.length} group record(s)`
    case 'raw':
      return `${between} ${rawText(body, packet.tag === 'ip4' && packet.offset > 0)}`
    case 'head':
      return bodyText({ ...packet, body: body.of } as Packet, begun)
  }
}

const icmpText = (body: Extract<Body, { proto: 'icmp' }>): string => {
  if ('about' in body) return error4(body)
  return `echo ${body.type === 'echo-request' ? 'request' : 'reply'}, id ${body.id}, seq ${body.seq}`
}

const rawText = ({ protocol, bytes }: Extract<Body, { proto: 'raw' }>, isLater: boolean): string =>
  isLater ? `ip-proto-${protocol}` : ` ip-proto-${protocol} ${bytes.length}`

const packetText = (packet: Packet, begun: Begun): string => {
  if (packet.tag === 'ip4') return `IP ${bodyText(packet, begun)}`
  const { fragment, src, dst } = packet
  if (fragment === null) return `IP6 ${bodyText(packet, begun)}`
  const piece = `frag (${fragment.offset}|${lengthOfBody(packet)})`
  const between = `${showIp(src)} > ${showIp(dst)}: `
  // Of the first, what it is the beginning of is told behind.
  const inner = fragment.offset > 0 ? '' : ` ${bodyText(packet, begun).replace(between, '')}`
  return `IP6 ${between}${piece}${inner}`
}

const payloadText = (payload: Payload, begun: Begun): string => {
  switch (payload.tag) {
    case 'arp':
      return arpText(payload)
    case 'ip4':
    case 'ip6':
      return packetText(payload, begun)
    case 'raw':
      return `ethertype Unknown (0x${payload.etherType.toString(16).padStart(4, '0')}), length ${payload.bytes.length}`
  }
}

const ETHER_TYPES = { arp: 'ARP (0x0806)', ip4: 'IPv4 (0x0800)', ip6: 'IPv6 (0x86dd)', raw: 'Unknown' } as const
const TAG_TYPES = { '802.1Q': '802.1Q (0x8100)', '802.1ad': '802.1Q-QinQ (0x88a8)' } as const

/** `-e`: what is around the packet, which then is not called by its protocol any more. */
const macsText = (frame: Frame): string => {
  const { src, dst, tags, payload } = frame
  const [outer, ...inner] = [...tags.map(({ protocol }) => TAG_TYPES[protocol]), ETHER_TYPES[payload.tag]]
  const marks = tags.map(({ vid, priority }, at) => `vlan ${vid}, p ${priority}, ethertype ${inner[at]}, `).join('')
  return `${showMac(src)} > ${showMac(dst)}, ethertype ${outer}, length ${lengthOf(frame)}: ${marks}`
}

const PROTOCOL = /^(IP6?|ARP,) /

const frameText = (frame: Frame, begun: Begun): string => {
  const text = payloadText(frame.payload, begun)
  return begun.macs ? macsText(frame) + text.replace(PROTOCOL, '') : text
}

const MS_PER_DAY = 86_400_000
const padded = (n: number, width: number): string => String(n).padStart(width, '0')
const timeText = (ms: number): string => {
  const us = Math.round((ms % MS_PER_DAY) * 1000)
  const s = Math.floor(us / 1_000_000)
  return `${padded(Math.floor(s / 3600), 2)}:${padded(Math.floor(s / 60) % 60, 2)}:${padded(s % 60, 2)}.${padded(us % 1_000_000, 6)} `
}

/** Which device, and which way, where all are watched. */
const deviceText = ({ dev, event, frame }: Step): string => {
  const group = frame?.dst === BROADCAST ? 'B' : frame !== null && isGroup(frame.dst) ? 'M' : 'In'
  return `${(dev ?? '').padEnd(5)} ${(event.tag === 'transmitted' ? 'Out' : group).padEnd(3)} `
}

export type Telling = Readonly<{ times: boolean; macs: boolean; devices: boolean }>

/** A line for each packet (two, where one is in another). */
export const tcpdumpText = (seen: ReadonlyArray<Step>, { times, macs, devices }: Telling): string => {
  const begun: Begun = { macs: macs && !devices, talks: new Map() }
  return seen
    .map((step) => {
      const { frame, atMs } = step
      const head = `${times ? timeText(atMs) : ''}${devices ? deviceText(step) : ''}`
      return frame === null ? '' : `${head}${frameText(frame, begun)}\n`
    })
    .join('')
}

// Steps and reasons in words for somebody who is learning how a packet travels. The only file of the data path that writes prose.

import { type Ip, showIp } from '../../net/ip.ts'
import { BROADCAST, showMac } from '../../net/mac.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { absurd } from '../../prelude.ts'
import type { Body } from '../wire/body.ts'
import type { Payload } from '../wire/ethernet.ts'
import type { Error4 } from '../wire/icmp4.ts'
import type { Error6, Icmp6 } from '../wire/icmp6.ts'
import type { Packet } from '../wire/nested.ts'
import { FLAG } from '../wire/tcp.ts'
import { portsOf } from './netfilter/tuple.ts'
import type { DropReason, RuleAt, Step } from './step.ts'

/** What to call things; each may leave a name as it is. */
export type Names = Readonly<{
  ns: (ns: Ns) => string
  dev: (ns: Ns, dev: IfName) => string
  ip: (ip: Ip) => string
}>

export const NO_NAMES: Names = { ns: (ns) => ns, dev: (_, dev) => dev, ip: showIp }

export const whereText = ({ ns, dev }: Pick<Step, 'ns' | 'dev'>, names: Names): string =>
  dev === null ? names.ns(ns) : `${names.ns(ns)}, ${names.dev(ns, dev)}`

const ruleText = ({ chain, text, about }: RuleAt): string =>
  text === '' ? `the policy of chain ${chain}` : `the rule "${about ?? text}" (chain ${chain})`

const TYPES = {
  unreachable: 'says that nobody can reach it',
  blackhole: 'swallows it',
  prohibit: 'forbids it',
  throw: 'says to look elsewhere, and there is nothing else',
} as const

const PORT_STATES = ['disabled', 'listening', 'learning', 'forwarding', 'blocking'] as const

const FRAGMENTS = {
  timeout: 'the other fragments of the packet have not come in time',
  overlap: 'its fragments overlap',
  malformed: 'it is no part of a packet that could be',
} as const

const CABLES = {
  lost: 'it was lost on the cable',
  cut: 'the cable is cut',
  unplugged: 'there is no cable',
} as const

/** Why a device, a bridge or a tunnel gave a frame to nobody. */
type DeviceReason = Extract<
  DropReason,
  {
    tag:
      | 'port-inactive'
      | 'port-state'
      | 'port-locked'
      | 'same-port'
      | 'isolated-ports'
      | 'no-flood'
      | 'vlan-not-member'
      | 'link-local-group'
      | 'nobody-else'
      | 'other-host'
      | 'no-remote'
      | 'no-tunnel'
      | 'learned-elsewhere'
      | 'macvlan-mode'
      | 'ipvlan-private'
      | 'source-mac'
      | 'own-mac'
      | 'tunnel-loop'
      | 'no-tunnel-route'
      | 'answered-instead'
      | 'nested-too-deep'
  }
>

const deviceReasonText = (reason: DeviceReason, device: (dev: IfName) => string, names: Names): string => {
  switch (reason.tag) {
    case 'port-inactive':
      return `it is a port of ${device(reason.bridge)}, and one of the two is down`
    case 'port-state':
      return `the port is ${PORT_STATES[reason.state] ?? 'closed'}, says ${device(reason.bridge)}`
    case 'port-locked':
      return `the port is locked, and ${device(reason.bridge)} was not told that ${showMac(reason.mac)} is behind it`
    case 'same-port':
      return 'a bridge does not send a frame back out of the port it came from'
    case 'isolated-ports':
      return `it and ${device(reason.to)} are isolated ports, which do not reach each other`
    case 'no-flood':
      return `${device(reason.to)} takes no frames whose MAC the bridge does not know`
    case 'vlan-not-member':
      return `VLAN ${reason.vid} does not go there`
    case 'link-local-group':
      return `frames to ${showMac(reason.mac)} do not leave their link`
    case 'nobody-else':
      return `no other port of ${device(reason.bridge)} could take it`
    case 'other-host':
      return `it is for ${showMac(reason.mac)}, another machine`
    case 'no-remote':
      return `${device(reason.dev)} does not know behind which host ${showMac(reason.mac)} is`
    case 'no-tunnel':
      return `no VXLAN device on port ${reason.port} has the network ${reason.vni}`
    case 'learned-elsewhere':
      return `${showMac(reason.mac)} belongs behind another host`
    case 'macvlan-mode':
      return `macvlans of mode ${reason.mode} do not reach each other`
    case 'ipvlan-private':
      return 'ipvlans of a private device do not reach each other'
    case 'source-mac':
      return `${showMac(reason.mac)} cannot be the MAC of a sender`
    case 'own-mac':
      return `it comes from outside with a MAC of its own host, ${showMac(reason.mac)}`
    case 'tunnel-loop':
      return `the way to the other end of ${device(reason.dev)} leads through itself`
    case 'no-tunnel-route':
      return `${device(reason.dev)} cannot send to the host at ${names.ip(reason.remote)} (${reason.errno})`
    case 'answered-instead':
      return `${device(reason.dev)} has answered for the one that was asked`
    case 'nested-too-deep':
      return `it has come back to ${device(reason.dev)} again and again`
  }
}

/** A full clause that says why a packet went no further in `ns`. */
export const reasonText = (reason: DropReason, ns: Ns, names: Names = NO_NAMES): string => {
  const device = (dev: IfName): string => names.dev(ns, dev)
  switch (reason.tag) {
    case 'rule':
      return `${ruleText(reason.at)} drops it`
    case 'no-route':
      return `there is no route to ${names.ip(reason.to)}`
    case 'route-type':
      return `the route to ${names.ip(reason.to)} ${TYPES[reason.type]} (${reason.type})`
    case 'rule-type':
      return `the routing rule for ${names.ip(reason.to)} ${TYPES[reason.type]} (${reason.type})`
    case 'no-source':
      return `there is no source address of its own for ${names.ip(reason.to)}`
    case 'not-unicast':
      return `${names.ip(reason.to)} is a broadcast or multicast address`
    case 'no-neighbour':
      return `nobody on ${device(reason.dev)} answers for ${names.ip(reason.ip)}`
    case 'link-down':
      return `${device(reason.dev)} is down or gone`
    case 'no-carrier':
      return `the other end of ${device(reason.dev)} is down or gone`
    case 'too-big':
      return `it has ${reason.length} bytes, and no more than ${reason.mtu} may go there (MTU)`
    case 'port-inactive':
    case 'port-state':
    case 'port-locked':
    case 'same-port':
    case 'isolated-ports':
    case 'no-flood':
    case 'vlan-not-member':
    case 'link-local-group':
    case 'nobody-else':
    case 'other-host':
    case 'no-remote':
    case 'no-tunnel':
    case 'learned-elsewhere':
    case 'macvlan-mode':
    case 'ipvlan-private':
    case 'source-mac':
    case 'own-mac':
    case 'tunnel-loop':
    case 'no-tunnel-route':
    case 'answered-instead':
    case 'nested-too-deep':
      return deviceReasonText(reason, device, names)
    case 'storm':
      return `the network is still busy after ${reason.frames} frames: there is a loop of bridges`
    case 'martian-source':
      return `${names.ip(reason.ip)} cannot be the source of a packet here`
    case 'martian-destination':
      return `${names.ip(reason.ip)} cannot be the destination of a packet from outside`
    case 'reverse-path':
      return `${names.ip(reason.ip)} is not reached the way it came (rp_filter)`
    case 'ipv6-disabled':
      return 'IPv6 is disabled there (disable_ipv6)'
    case 'not-forwarding':
      return `it is for somebody else, and IPv${reason.family} forwarding is off`
    case 'ttl-exceeded':
      return 'its TTL is used up'
    case 'fragment':
      return FRAGMENTS[reason.why]
    case 'no-protocol':
      return `nobody there speaks protocol ${reason.protocol}`
    case 'no-listener':
      return `nothing listens on ${reason.proto}/${reason.port}`
    case 'no-socket':
      return 'no socket expects it'
    case 'own-socket':
      return 'a socket here expects it, and so it is not forwarded'
    case 'no-free-port':
      return `every port of ${names.ip(reason.ip)} is taken by another conversation`
    case 'cable':
      return CABLES[reason.why]
    default:
      return absurd(reason, 'reasonText')
  }
}

/** ICMPv6 has other words for what means the same. */
const codeText = (code: string): string => {
  if (code === 'no-route') return 'net'
  return code === 'address' ? 'host' : code.replaceAll('-', ' ')
}

const errorText = (error: Error4 | Error6, names: Names): string => {
  const about = `about the packet to ${names.ip(error.about.dst)}`
  switch (error.type) {
    case 'unreachable':
      return error.code === 'fragmentation-needed'
        ? `ICMP "fragmentation needed" (MTU ${error.mtu}) ${about}`
        : `ICMP "${codeText(error.code)} unreachable" ${about}`
    case 'packet-too-big':
      return `ICMP "packet too big" (MTU ${error.mtu}) ${about}`
    case 'time-exceeded':
      return `ICMP "time exceeded" ${about}`
    case 'redirect':
      return `ICMP redirect to ${names.ip(error.gateway)} ${about}`
    case 'parameter-problem':
      return `ICMP "parameter problem" ${about}`
  }
}

const DISCOVERY: Readonly<Partial<Record<Icmp6['type'], string>>> = {
  'neighbour-solicitation': 'neighbour solicitation',
  'neighbour-advertisement': 'neighbour advertisement',
  'router-solicitation': 'router solicitation',
  'router-advertisement': 'router advertisement',
  redirect: 'redirect to a better router',
  'mld2-report': 'multicast listener report',
}

const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'] as const

/** A bare ACK that resets or pushes is known by what it does. */
const flagsText = (flags: number): string => {
  const set = FLAGS.filter((name) => (flags & FLAG[name]) !== 0 && name !== 'PSH')
  if ((flags & FLAG.RST) !== 0) return 'RST'
  return set.length === 0 ? 'segment' : set.join('-')
}

const bytesText = (bytes: number): string => (bytes === 0 ? '' : ` with ${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`)

const bodyText = (body: Body, names: Names): string => {
  switch (body.proto) {
    case 'tcp':
      return `TCP ${flagsText(body.flags)}${bytesText(body.payload.length)}`
    case 'udp':
      return 'tag' in body.payload ? `VXLAN ${body.payload.vni} in a UDP datagram` : 'UDP datagram'
    case 'icmp':
    case 'icmp6':
      if ('payload' in body) return body.type === 'echo-request' ? 'ICMP echo request' : 'ICMP echo reply'
      return 'about' in body ? errorText(body, names) : (DISCOVERY[body.type] ?? 'ICMP message')
    case 'head':
      return `beginning of a ${bodyText(body.of, names)}`
    case 'igmp':
      return 'IGMP report'
    case 'raw':
      return `packet of protocol ${body.protocol}`
  }
}

const end = (ip: Ip, port: number | null, names: Names): string => {
  const name = names.ip(ip)
  if (port === null) return name
  return name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`
}

const endsText = (packet: Packet, names: Names): string => {
  const ports = portsOf(packet.body)
  return `${end(packet.src, ports?.sport ?? null, names)} to ${end(packet.dst, ports?.dport ?? null, names)}`
}

/** Questions and answers of the link, which are called by their names alone. */
const isOfTheLink = ({ body }: Packet): boolean =>
  body.proto === 'igmp' || (body.proto === 'icmp6' && !('payload' in body) && !('about' in body))

const pieceText = (packet: Packet): string => {
  const { offset, mf } = packet.tag === 'ip4' ? packet : (packet.fragment ?? { offset: 0, mf: false })
  return offset > 0 || mf ? `, a fragment from byte ${offset}` : ''
}

/** `TCP SYN 172.18.0.2:32768 to 172.19.0.2:80, TTL 63`, or a question about an address. */
export const payloadText = (payload: Payload, names: Names = NO_NAMES): string => {
  switch (payload.tag) {
    case 'arp':
      return `ARP ${payload.op}`
    case 'ip4':
    case 'ip6':
      return isOfTheLink(payload)
        ? bodyText(payload.body, names)
        : `${bodyText(payload.body, names)} ${endsText(payload, names)}, TTL ${payload.ttl}${pieceText(payload)}`
    case 'raw':
      return `frame of type 0x${payload.etherType.toString(16).padStart(4, '0')}`
  }
}

const isPacket = (payload: Payload): payload is Packet => payload.tag === 'ip4' || payload.tag === 'ip6'

const translation = (
  before: Packet,
  after: Payload,
  part: 'source' | 'destination' | 'quoted',
  names: Names,
): string => {
  if (!isPacket(after)) return ''
  if (part === 'quoted') return `translates the error and the packet it quotes: ${endsText(after, names)}`
  const of = ({ src, dst, body }: Packet): string => {
    const ports = portsOf(body)
    const port = ports === null ? null : part === 'source' ? ports.sport : ports.dport
    return end(part === 'source' ? src : dst, port, names)
  }
  return `changes the ${part} ${of(before)} to ${of(after)}`
}

const macsText = ({ frame }: Step): string =>
  frame === null || (frame.src === 0 && frame.dst === 0)
    ? ''
    : ` (from MAC ${showMac(frame.src)} to ${frame.dst === BROADCAST ? 'all' : showMac(frame.dst)})`

const eventText = (step: Step, names: Names): string => {
  const { event, payload, ns } = step
  const dev = (name: IfName): string => names.dev(ns, name)
  switch (event.tag) {
    case 'sent':
      return `sends ${payloadText(payload, names)}`
    case 'routed':
      return event.via === null
        ? `the route to it is ${dev(event.dev)}, directly`
        : `the route to it is ${dev(event.dev)} by the gateway ${names.ip(event.via)}`
    case 'routed-local':
      return isPacket(payload) ? `${names.ip(payload.dst)} is an address of its own` : ''
    case 'accepted':
      return `${ruleText(event.at)} lets it pass`
    case 'logged':
      return `${ruleText(event.at)} writes it to the log${event.prefix === null ? '' : ` as "${event.prefix.trim()}"`}`
    case 'translated': {
      const who = event.by === null ? 'connection tracking' : ruleText(event.by)
      return `${who} ${translation(event.before, payload, event.part, names)}`
    }
    case 'forwarded':
      return `forwards it${isPacket(payload) ? `, TTL now ${payload.ttl}` : ''}`
    case 'fragmented':
      return `sends it in ${event.pieces} fragments of at most ${event.mtu} bytes`
    case 'reassembled':
      return `has all ${event.pieces} fragments: ${payloadText(payload, names)}`
    case 'asked':
      return `asks everybody on the link who has ${names.ip(event.ip)}`
    case 'answered':
      return `answers ${event.proxy ? 'for another ' : ''}that ${names.ip(event.ip)} is at MAC ${showMac(event.mac)}`
    case 'transmitted':
      return `the frame leaves${macsText(step)}`
    case 'received':
      return `the frame arrives${macsText(step)}`
    case 'learned':
      return `${dev(event.bridge)} learns that MAC ${showMac(event.mac)} is behind ${dev(event.from)}`
    case 'bridged':
      return `${dev(event.bridge)} knows that MAC behind ${dev(event.to)}`
    case 'flooded': {
      const what = isPacket(payload) && !isOfTheLink(payload) ? 'frame' : payloadText(payload, names)
      return `${dev(event.bridge)} sends the ${what} to ${event.ports === 1 ? 'one port' : `${event.ports} ports`}`
    }
    case 'encapsulated':
      return `puts the frame into a datagram to ${names.ip(event.remote)} (VXLAN ${event.vni})`
    case 'decapsulated':
      return `takes the frame out of a datagram from ${names.ip(event.remote)} (VXLAN ${event.vni})`
    case 'missed-mac':
      return `does not know behind which host MAC ${showMac(event.mac)} is (l2miss)`
    case 'missed-ip':
      return `does not know which MAC has ${names.ip(event.ip)} (l3miss)`
    case 'tagged':
      return `marks the frame as one of VLAN ${event.vid}`
    case 'untagged':
      return `takes the mark of VLAN ${event.vid} off the frame`
    case 'delivered':
      return `takes in ${payloadText(payload, names)}`
    case 'probed':
      return 'has heard nothing, and sends its last segment once more'
    case 'dropped':
      return `dropped ${payloadText(payload, names)}: ${reasonText(event.reason, ns, names)}`
    default:
      return absurd(event, 'eventText')
  }
}

/** One line: where, and what happens there. */
export const stepText = (step: Step, names: Partial<Names> = {}): string => {
  const all = { ...NO_NAMES, ...names }
  return `${whereText(step, all)}: ${eventText(step, all)}`
}

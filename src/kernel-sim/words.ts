// Steps and reasons in words for somebody who is learning how a packet travels. The only file here that writes prose.

import { type Ip, showIp } from '../net/ip.ts'
import { BROADCAST, showMac } from '../net/mac.ts'
import type { IfName, Ns } from '../net/name.ts'
import type { Body, Packet, Payload } from './packet.ts'
import type { DropReason, RuleAt, Step } from './trace.ts'

/** What to call things; each may leave a name as it is. */
export type Names = Readonly<{
  ns: (ns: Ns) => string
  dev: (ns: Ns, dev: IfName) => string
  ip: (ip: Ip) => string
}>

export const NO_NAMES: Names = { ns: (ns) => ns, dev: (_, dev) => dev, ip: showIp }

export const whereText = ({ ns, dev }: Pick<Step, 'ns' | 'dev'>, names: Names): string =>
  dev === null ? names.ns(ns) : `${names.ns(ns)}, ${names.dev(ns, dev)}`

const ruleText = ({ chain, rule }: RuleAt): string => `the rule "${rule.about}" (chain ${chain})`

/** A full clause that says why a packet went no further in `ns`. */
export const reasonText = (reason: DropReason, ns: Ns, names: Names = NO_NAMES): string => {
  const device = (dev: IfName): string => names.dev(ns, dev)
  switch (reason.tag) {
    case 'rule':
      return `${ruleText(reason.at)} drops it`
    case 'no-route':
      return `there is no route to ${names.ip(reason.to)}`
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
    case 'port-inactive':
      return `it is a port of ${device(reason.bridge)}, and one of the two is down`
    case 'same-port':
      return 'a bridge does not send a frame back out of the port it came from'
    case 'isolated-ports':
      return `it and ${device(reason.to)} are isolated ports, which do not reach each other`
    case 'nobody-else':
      return `no other port of ${device(reason.bridge)} could take it`
    case 'other-host':
      return `it is for ${showMac(reason.mac)}, another machine`
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
    case 'no-listener':
      return `nothing listens on ${reason.proto}/${reason.port}`
    case 'no-socket':
      return 'no socket expects it'
    case 'no-free-port':
      return `every port of ${names.ip(reason.ip)} is taken by another conversation`
  }
}

const icmpText = (body: Body & { proto: 'icmp' }, names: Names): string => {
  switch (body.type) {
    case 'echo-request':
      return 'ICMP echo request'
    case 'echo-reply':
      return 'ICMP echo reply'
    case 'time-exceeded':
      return `ICMP "time exceeded" about the packet to ${names.ip(body.about.dst)}`
    case 'unreachable':
      return `ICMP "${body.code} unreachable" about the packet to ${names.ip(body.about.dst)}`
  }
}

const bodyText = (body: Body, names: Names): string => {
  switch (body.proto) {
    case 'tcp':
      return `TCP ${body.flags}`
    case 'udp':
      return 'UDP datagram'
    case 'icmp':
      return icmpText(body, names)
  }
}

const end = (ip: Ip, port: number | null, names: Names): string => {
  const name = names.ip(ip)
  if (port === null) return name
  return name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`
}

const endsText = ({ src, dst, body }: Packet, names: Names): string => {
  const ports = 'sport' in body
  return `${end(src, ports ? body.sport : null, names)} to ${end(dst, ports ? body.dport : null, names)}`
}

/** `TCP SYN 172.18.0.2:32768 to 172.19.0.2:80, TTL 63`, or a question about an address. */
export const payloadText = (payload: Payload, names: Names = NO_NAMES): string => {
  switch (payload.tag) {
    case 'arp':
      return `ARP ${payload.op}`
    case 'nd':
      return payload.op === 'solicit' ? 'neighbour solicitation' : 'neighbour advertisement'
    case 'ip':
      return `${bodyText(payload.body, names)} ${endsText(payload, names)}, TTL ${payload.ttl}`
  }
}

const translation = (
  before: Packet,
  after: Payload,
  part: 'source' | 'destination' | 'quoted',
  names: Names,
): string => {
  if (after.tag !== 'ip') return ''
  if (part === 'quoted') return `translates the error and the packet it quotes: ${endsText(after, names)}`
  const of = (p: Packet): string => {
    const { body } = p
    const port = 'sport' in body ? (part === 'source' ? body.sport : body.dport) : null
    return end(part === 'source' ? p.src : p.dst, port, names)
  }
  return `changes the ${part} ${of(before)} to ${of(after)}`
}

const macsText = ({ macs }: Step): string =>
  macs === null || (macs.src === 0 && macs.dst === 0)
    ? ''
    : ` (from MAC ${showMac(macs.src)} to ${macs.dst === BROADCAST ? 'all' : showMac(macs.dst)})`

const eventText = (step: Step, names: Names): string => {
  const { event, packet, ns } = step
  const dev = (name: IfName): string => names.dev(ns, name)
  switch (event.tag) {
    case 'sent':
      return `sends ${payloadText(packet, names)}`
    case 'routed':
      return event.via === null
        ? `the route to it is ${dev(event.dev)}, directly`
        : `the route to it is ${dev(event.dev)} by the gateway ${names.ip(event.via)}`
    case 'routed-local':
      return packet.tag === 'ip' ? `${names.ip(packet.dst)} is an address of its own` : ''
    case 'accepted':
      return `${ruleText(event.at)} lets it pass`
    case 'translated': {
      const who = event.by === null ? 'connection tracking' : ruleText(event.by)
      return `${who} ${translation(event.before, packet, event.part, names)}`
    }
    case 'forwarded':
      return `forwards it${packet.tag === 'ip' ? `, TTL now ${packet.ttl}` : ''}`
    case 'asked':
      return `asks everybody on the link who has ${names.ip(event.ip)}`
    case 'answered':
      return `answers that ${names.ip(event.ip)} is at MAC ${showMac(event.mac)}`
    case 'transmitted':
      return `the frame leaves${macsText(step)}`
    case 'received':
      return `the frame arrives${macsText(step)}`
    case 'bridged':
      return `${dev(event.bridge)} knows that MAC behind ${dev(event.to)}`
    case 'flooded':
      return `the bridge sends the ${packet.tag === 'ip' ? 'frame' : payloadText(packet, names)} to ${
        event.ports === 1 ? 'one port' : `${event.ports} ports`
      }`
    case 'delivered':
      return `takes in ${payloadText(packet, names)}`
    case 'dropped':
      return `dropped ${payloadText(packet, names)}: ${reasonText(event.reason, ns, names)}`
  }
}

/** One line: where, and what happens there. */
export const stepText = (step: Step, names: Partial<Names> = {}): string => {
  const all = { ...NO_NAMES, ...names }
  return `${whereText(step, all)}: ${eventText(step, all)}`
}

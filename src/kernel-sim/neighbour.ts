// Finding the MAC of a next hop: ARP for IPv4, neighbour discovery for IPv6. An entry is trusted for REACHABLE_MS and then
// asked for again; Linux's states STALE, DELAY and PROBE are not told apart.
// Linux asks three times, a second apart, and only then fails the packets that waited (EHOSTUNREACH, or an ICMP host
// unreachable from a router). Here they fail when nobody has answered by the time that the network is quiet.
// Sources: RFC 826, RFC 4861, net/ipv4/arp.c, net/ipv6/ndisc.c, net/core/neighbour.c.

import { type Ip, type Ip6, ip4, ip6, isIp4, isLoopback } from '../net/ip.ts'
import { BROADCAST, type Mac, macOfGroup6, ZERO_MAC } from '../net/mac.ts'
import type { IfName, Ns } from '../net/name.ts'
import { getIn, setIn } from '../net/pmap.ts'
import type { Flow } from './conntrack.ts'
import { countLost } from './counters.ts'
import { transmit } from './link.ts'
import type { LinkEntry } from './link-entry.ts'
import { isLocal, localsOf, ownAddress } from './local.ts'
import type { Arp, Discovery, Frame, Packet } from './packet.ts'
import { policyOf } from './policy.ts'
import { select4, select6 } from './route.ts'
import { drop, note, putSpace, type Run, spaceOf } from './run.ts'
import { type NeighbourEntry, type NsEntry, nsWith } from './state.ts'

/** base_reachable_time_ms. */
export const REACHABLE_MS = 30_000

const keyOf = (dev: IfName, ip: Ip): string => `${dev} ${ip}`
const waitKey = (ns: Ns, dev: IfName, ip: Ip): string => `${ns} ${dev} ${ip}`

/** ff02::1:ff00:0/104 and the low 24 bits of the address (RFC 4291 section 2.7.1). */
const solicitedNode = (ip: Ip6): Ip6 => ip6((0xff02n << 112n) | 0x1ff000000n | (ip & 0xffffffn))

const ask = (run: Run, space: NsEntry, link: LinkEntry, next: Ip, packet: Packet) => {
  const { ns } = space
  if (isIp4(next)) {
    const src = isLocal(space, packet.src) ? packet.src : select4(space, link.name, next)
    const sender = src !== null && isIp4(src) ? src : ip4(0)
    const arp: Arp = { tag: 'arp', op: 'request', sender, senderMac: link.mac, target: next }
    note(run, ns, link.name, arp, { tag: 'asked', ip: next })
    transmit(run, ns, link.name, { src: link.mac, dst: BROADCAST, payload: arp }, null)
    return
  }
  const dst = solicitedNode(next)
  const here = localsOf(space).all6.find((own) => own.dev === link.name && own.cidr.ip === packet.src)
  const src = here?.cidr.ip ?? select6(space, link.name, dst)
  if (src === null) return
  const nd: Discovery = { tag: 'nd', op: 'solicit', src, dst, target: next, mac: link.mac }
  note(run, ns, link.name, nd, { tag: 'asked', ip: next })
  transmit(run, ns, link.name, { src: link.mac, dst: macOfGroup6(dst), payload: nd }, null)
}

/** What was set by hand to last is trusted for good. */
const isTrusted = (run: Run, { set, seenMs }: NeighbourEntry): boolean =>
  set === 'permanent' || set === 'noarp' || run.world.nowMs - seenMs <= REACHABLE_MS

/** Sends a packet to its next hop, at once or when its MAC is known. */
export const sendTo = (run: Run, ns: Ns, dev: IfName, next: Ip, packet: Packet, flow: Flow | null) => {
  const space = spaceOf(run, ns)
  const link = space === undefined ? undefined : getIn(space.links, dev)
  if (space === undefined || link === undefined || !link.up) {
    if (link !== undefined) countLost(run, ns, dev)
    return drop(run, ns, dev, packet, { tag: 'link-down', dev })
  }
  if (link.spec.type === 'loopback')
    return transmit(run, ns, dev, { src: ZERO_MAC, dst: ZERO_MAC, payload: packet }, flow)
  const known = getIn(space.neighbours, keyOf(dev, next))
  if (known?.mac != null && isTrusted(run, known))
    return transmit(run, ns, dev, { src: link.mac, dst: known.mac, payload: packet }, null)
  const key = waitKey(ns, dev, next)
  const queue = run.waiting.get(key)
  if (queue !== undefined) {
    queue.push({ ns, dev, next, packet })
    return
  }
  run.waiting.set(key, [{ ns, dev, next, packet }])
  ask(run, space, link, next, packet)
}

/** Takes note of a neighbour, and sends what waited for it. */
const learn = (run: Run, space: NsEntry, link: LinkEntry, ip: Ip, mac: Mac) => {
  const key = keyOf(link.name, ip)
  const seenMs = run.world.nowMs
  const known = getIn(space.neighbours, key)
  const isFixed = known?.set === 'permanent' || known?.set === 'noarp'
  if (!isFixed && (known?.mac !== mac || known.seenMs !== seenMs)) {
    const entry = { ip, dev: link.name, mac, seenMs, set: null }
    putSpace(run, nsWith(space, { neighbours: setIn(space.neighbours, key, entry) }))
  }
  const waited = waitKey(space.ns, link.name, ip)
  const packets = run.waiting.get(waited)
  if (packets === undefined) return
  run.waiting.delete(waited)
  for (const { packet } of packets)
    transmit(run, space.ns, link.name, { src: link.mac, dst: mac, payload: packet }, null)
}

const answer = (run: Run, space: NsEntry, link: LinkEntry, ip: Ip, frame: Frame) => {
  note(run, space.ns, link.name, frame.payload, { tag: 'answered', ip, mac: link.mac })
  transmit(run, space.ns, link.name, frame, null)
}

/** Whether a question from `sender` would be answered: as a packet from it to `target` would be taken in. */
const answers = (space: NsEntry, dev: IfName, target: Ip, sender: Ip): boolean => {
  if (ownAddress(space, target, dev) === null) return false
  if (isLoopback(target) && !policyOf(space, dev).routeLocalnet) return false
  return sender === 0 || !isLocal(space, sender)
}

const knows = (run: Run, space: NsEntry, dev: IfName, ip: Ip): boolean =>
  getIn(space.neighbours, keyOf(dev, ip)) !== undefined || run.waiting.has(waitKey(space.ns, dev, ip))

/** ARP: own addresses of any device are answered for (arp_ignore 0). Only who asks us, or is known, is learned. */
export const receiveArp = (run: Run, space: NsEntry, link: LinkEntry, arp: Arp) => {
  const { sender, senderMac, target } = arp
  const isAsked = arp.op === 'request' && answers(space, link.name, target, sender)
  if (sender !== 0 && (isAsked || knows(run, space, link.name, sender))) learn(run, space, link, sender, senderMac)
  if (!isAsked) return
  const payload: Arp = { tag: 'arp', op: 'reply', sender: target, senderMac: link.mac, target: sender }
  answer(run, space, link, target, { src: link.mac, dst: senderMac, payload })
}

/** Neighbour discovery: unlike ARP, only addresses of the very device are answered for. */
export const receiveDiscovery = (run: Run, space: NsEntry, link: LinkEntry, nd: Discovery) => {
  if (policyOf(space, link.name).disabled6) return
  if (nd.op === 'advertise') {
    if (knows(run, space, link.name, nd.target)) learn(run, space, link, nd.target, nd.mac)
    return
  }
  if (!localsOf(space).all6.some((own) => own.dev === link.name && own.cidr.ip === nd.target)) return
  learn(run, space, link, nd.src, nd.mac)
  const { target } = nd
  const payload: Discovery = { tag: 'nd', op: 'advertise', src: target, dst: nd.src, target, mac: link.mac }
  answer(run, space, link, target, { src: link.mac, dst: nd.mac, payload })
}

/** Nobody has answered: the packets that still wait are dropped. */
export const giveUp = (run: Run) => {
  for (const packets of run.waiting.values())
    for (const { ns, dev, next, packet } of packets) drop(run, ns, dev, packet, { tag: 'no-neighbour', ip: next, dev })
  run.waiting.clear()
}

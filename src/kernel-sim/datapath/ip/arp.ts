// ARP as it comes in: who asks for an address of ours, or for one that we answer for, and what is learned of that.
// Proxied answers are given at once; Linux waits for up to 0.8 s, at random (proxy_delay).
// Sources: net/ipv4/arp.c (arp_process, arp_ignore, arp_filter, arp_fwd_proxy), RFC 826, RFC 1027.

import { contains } from '../../../net/cidr.ts'
import { type Ip4, ip4, isLoopback, isMulticast } from '../../../net/ip.ts'
import { BROADCAST, isGroup } from '../../../net/mac.ts'
import { hasIn } from '../../../net/pmap.ts'
import { SCOPES } from '../../control/scope.ts'
import { type Arp, arpAnnouncement } from '../../wire/arp.ts'
import { type Device, deviceOf } from '../plane.ts'
import type { Skb } from '../skb.ts'
import { note } from '../step.ts'
import { ownersOf } from './address.ts'
import { isWay, type Verdict, wayOut } from './fib.ts'
import { type Incoming, verdictOn } from './fib-input.ts'
import { typeOf } from './lookup.ts'
import { keyOf, knownNeighbour, LOCK_MS, learn, neighbourOf } from './neighbour.ts'
import { type Policy, policyOf } from './policy.ts'
import { sendArp } from './solicit.ts'

/** Whether a device has `tip`, of a scope that is wide enough, in one subnet with `sip` (0: whatever that is). */
const confirms = ({ link }: Device, sip: Ip4, tip: Ip4, widest: number): boolean =>
  link.addresses.some(({ cidr, scope }) => cidr.ip === tip && scope <= widest) &&
  link.addresses.some(({ cidr, peer }) => {
    const subnet = { ip: peer ?? cidr.ip, bits: cidr.bits }
    return contains(subnet, tip) && (sip === 0 || contains(subnet, sip))
  })

/**
 * arp_ignore: 1, only an address of this very device is answered for; 2, and only to its subnet; 3, no address of the host's own
 * scope; 8, none.
 */
const isIgnored = (dev: Device, arpIgnore: number, sip: Ip4, tip: Ip4): boolean => {
  switch (arpIgnore) {
    case 1:
      return !confirms(dev, ip4(0), tip, SCOPES.host)
    case 2:
      return !confirms(dev, sip, tip, SCOPES.host)
    case 3:
      return !ownersOf(dev.space.entry, tip).some((name) => {
        const other = deviceOf(dev.space, name)
        return other !== null && confirms(other, ip4(0), tip, SCOPES.link)
      })
    case 8:
      return true
    default:
      return false
  }
}

/** arp_filter: only where an answer to the asker would leave. */
const isFiltered = (dev: Device, sip: Ip4, tip: Ip4): boolean => {
  const way = wayOut(dev.space, { dst: sip, src: tip, dev: null, tos: 0, mark: 0, foreign: false })
  return !isWay(way) || way.dev !== dev
}

const answer = (dev: Device, { sender, senderMac, target }: Arp, proxy: boolean) => {
  const { space, link } = dev
  const reply: Arp = {
    tag: 'arp',
    op: 'reply',
    senderMac: link.mac,
    sender: target,
    targetMac: senderMac,
    target: sender,
  }
  if (space.plane.watch !== null)
    note(space, dev, 'neighbour', reply, { tag: 'answered', ip: target, mac: link.mac, proxy })
  sendArp(dev, senderMac, reply)
}

/** Who asks us is known from then on. */
const noteAsker = (dev: Device, { sender, senderMac }: Arp): void =>
  learn(neighbourOf(dev, sender), { mac: senderMac, state: 'stale', override: true, weak: false, router: null })

/** A question from nobody: whether anybody has the address (duplicate address detection). */
const answerProbe = (dev: Device, arp: Arp, { arpIgnore }: Policy) => {
  const isOurs = arp.op === 'request' && typeOf(dev.space.entry, arp.target) === 'local'
  if (isOurs && !isIgnored(dev, arpIgnore, arp.sender, arp.target)) answer(dev, arp, false)
}

/** Whether a question for somebody elsewhere is ours to answer. */
const isProxied = (dev: Device, target: Ip4, verdict: Verdict, { proxyArp }: Policy): boolean =>
  verdict.tag === 'forward' &&
  verdict.way.dev !== dev &&
  (proxyArp || hasIn(dev.space.entry.proxies, keyOf(dev, target)))

/** Answers a question; false if it is nothing to us. */
const answerRequest = (dev: Device, arp: Arp, policy: Policy): boolean => {
  const incoming: Incoming = { dst: arp.target, src: arp.sender, tos: 0, mark: 0, hashed: null }
  const verdict = verdictOn(dev.space, dev, incoming)
  if (verdict.tag === 'deliver' && verdict.type === 'local') {
    const isSilent =
      isIgnored(dev, policy.arpIgnore, arp.sender, arp.target) ||
      (policy.arpFilter && isFiltered(dev, arp.sender, arp.target))
    if (isSilent) return true
    noteAsker(dev, arp)
    answer(dev, arp, false)
    return true
  }
  if (!isProxied(dev, arp.target, verdict, policy)) return false
  noteAsker(dev, arp)
  answer(dev, arp, true)
  return true
}

/**
 * What is said by others is noted of those that are known already. `isForMany`: to more than us. They are looked for by the sender's address
 * (neigh_lookup), by which nobody is known on loopback: the one neighbour there has none.
 */
const hear = (dev: Device, { op, sender, senderMac, target }: Arp, isForMany: boolean) => {
  const known = dev.link.spec.type === 'loopback' ? null : knownNeighbour(dev, sender)
  if (known === null) return
  const isGratuitous = sender === target
  const override = isGratuitous || dev.space.plane.nowMs - known.updatedMs > LOCK_MS
  const state = op === 'reply' && !isForMany ? 'reachable' : 'stale'
  learn(known, { mac: senderMac, state, override, weak: false, router: null })
}

/** arp_rcv, arp_process. */
export const receiveArp = (dev: Device, skb: Skb) => {
  const { space, link } = dev
  const { spec } = link
  if (spec.type === 'ipvlan' && spec.mode !== 'l2') return
  const at = { family: 'arp', hook: 'input', iif: dev, oif: null, next: null } as const
  const passed = space.entry.firewall === null ? skb : space.plane.parts.passFrame(space, at, skb)
  const arp = passed?.frame.payload
  if (passed === null || arp?.tag !== 'arp') return
  const policy = policyOf(dev)
  if (isMulticast(arp.target) || (isLoopback(arp.target) && !policy.routeLocalnet)) return
  if (arp.sender === 0) return answerProbe(dev, arp, policy)
  if (arp.op === 'request' && answerRequest(dev, arp, policy)) return
  hear(dev, arp, isGroup(passed.frame.dst))
}

/** Tells everybody on the link where an address is. */
export const announce4 = (dev: Device, ip: Ip4): void => sendArp(dev, BROADCAST, arpAnnouncement(dev.link.mac, ip))

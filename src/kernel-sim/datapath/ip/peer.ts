// What is kept of those who were told something (struct inet_peer), so that nobody is told too much: each millisecond lets an address hear
// more errors, or redirects. What a router says of IPv4 where nothing leads: five errors at once and then one a second. Of IPv4's redirects,
// one, then each after twice as long (from 40 ms), nine at most, until 20.48 s of silence; with the first, errors are used up. Of IPv6's,
// six at once and then one a second, for each destination and each sender. Other errors are not limited, as where
// net.ipv4.icmp_ratemask and net.ipv6.icmp.ratelimit are 0.
// Sources: net/ipv4/route.c (ip_error, ip_rt_send_redirect), net/ipv4/icmp.c (inet_peer_xrlim_allow), net/ipv4/inetpeer.c.

import { type Ip, type Ip4, type Ip6, showIp } from '../../../net/ip.ts'
import { getIn, setIn } from '../../../net/pmap.ts'
import type { NsEntry, PeerEntry } from '../../state.ts'
import type { Space } from '../plane.ts'
import { routingOf } from './fib.ts'

/** Nobody has heard of it for so long. */
const FRESH_MS = 60_000

const peerOf = (space: Space, ip: Ip): PeerEntry =>
  routingOf(space).peers.get(ip) ??
  getIn(space.entry.peers, showIp(ip)) ?? { ip, tokensMs: 0, lastMs: space.plane.nowMs - FRESH_MS, redirects: 0 }

const keep = (space: Space, peer: PeerEntry): void => {
  routingOf(space).peers.set(peer.ip, peer)
}

/** Takes one of at most so many tokens, of which there is a new one every so often. */
const takeToken = (space: Space, ip: Ip, most: number, everyMs: number): boolean => {
  const { nowMs } = space.plane
  const peer = peerOf(space, ip)
  const tokensMs = peer.lastMs === nowMs ? peer.tokensMs : Math.min(peer.tokensMs + nowMs - peer.lastMs, most * everyMs)
  const isEnough = tokensMs >= everyMs
  keep(space, { ...peer, tokensMs: isEnough ? tokensMs - everyMs : tokensMs, lastMs: nowMs })
  return isEnough
}

const EVERY_MS = 1000
const [ERRORS4, REDIRECTS6] = [5, 6]

/** Whether a sender is told that a router has no way for it. */
export const mayHearOfRoute4 = (space: Space, ip: Ip4): boolean => takeToken(space, ip, ERRORS4, EVERY_MS)

export const mayBeRedirected6 = (space: Space, ip: Ip6): boolean => takeToken(space, ip, REDIRECTS6, EVERY_MS)

/** An error of ICMPv6 is always told, and uses up the redirects. */
export const hearError6 = (space: Space, ip: Ip6): void => {
  takeToken(space, ip, REDIRECTS6, 0)
}

const [LOAD_MS, MOST, SILENCE_MS] = [20, 9, 20_480]

export const mayBeRedirected4 = (space: Space, ip: Ip4): boolean => {
  const { nowMs } = space.plane
  const peer = peerOf(space, ip)
  const isForgotten = nowMs > peer.lastMs + SILENCE_MS
  const redirects = isForgotten ? 0 : peer.redirects
  const isEnough = redirects >= MOST
  const isTold = !isEnough && (redirects === 0 || nowMs > peer.lastMs + LOAD_MS * 2 ** redirects)
  keep(space, {
    ip,
    tokensMs: isForgotten ? 0 : peer.tokensMs,
    lastMs: isTold || isEnough ? nowMs : peer.lastMs,
    redirects: isTold ? redirects + 1 : redirects,
  })
  return isTold
}

/** For the entry of a plane that is closed. */
export const closePeers = ({ routing, entry }: Space): NsEntry['peers'] => {
  let { peers } = entry
  for (const peer of routing?.peers.values() ?? []) peers = setIn(peers, showIp(peer.ip), peer)
  return peers
}

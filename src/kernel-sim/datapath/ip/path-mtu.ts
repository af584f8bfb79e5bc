// How much fits on the path to an address: the route's or the device's MTU, or less if an ICMP error or a tunnel here has told so within
// the last ten minutes. Routers do not look at it, they have their devices' MTUs.
// Sources: net/ipv4/route.c (__ip_rt_update_pmtu, ipv4_mtu), net/ipv6/route.c (__ip6_rt_update_pmtu), RFC 1191, RFC 8201.

import { type Ip, isIp4, isLinkLocal } from '../../../net/ip.ts'
import { getIn, setIn } from '../../../net/pmap.ts'
import { type NsEntry, pathKey } from '../../state.ts'
import type { Packet } from '../../wire/nested.ts'
import { type Device, deviceOf, type Parts, type Space } from '../plane.ts'
import type { Skb } from '../skb.ts'
import { ownersOf } from './address.ts'
import { isWay, learnedOf, notePath, type Wanted, type Way, wayOut } from './fib.ts'

/** mtu_expires. */
const EXPIRES_MS = 600_000
/** min_pmtu: what is less is not believed, and then packets may be cut on their way. */
const MIN4 = 552
const MIN6 = 1280

/** `locked`: packets may be cut on their way, whatever their sender would like. */
export const pathMtu = (space: Space, way: Way, dst: Ip): Readonly<{ mtu: number; locked: boolean }> => {
  const { mtu = null, locked = false } = learnedOf(space, way.dev, way.hop, dst) ?? {}
  return mtu === null || mtu > way.mtu ? { mtu: way.mtu, locked: false } : { mtu, locked }
}

type Learner = Pick<Wanted, 'dst' | 'src' | 'dev' | 'tos' | 'mark' | 'foreign'>

const learn = (space: Space, by: Learner, told: number): void => {
  const { dst } = by
  const way = wayOut(space, by)
  if (!isWay(way)) return
  const { mtu: before } = pathMtu(space, way, dst)
  const isLess = isIp4(dst) ? told <= before : told < before && told >= MIN6
  if (!isLess) return
  const locked = isIp4(dst) && told < MIN4
  const mtu = locked ? Math.min(before, MIN4) : told
  const { dev, hop: via } = way
  const gateway = learnedOf(space, dev, via, dst)?.gateway ?? null
  notePath(space, { ip: dst, dev: dev.name, via, mtu, gateway, locked, untilMs: space.plane.nowMs + EXPIRES_MS })
}

/** Nobody looks at an error about a later piece of an IPv6 packet: it does not tell of which protocol it was (icmpv6_notify). */
const isOfLaterPiece = (packet: Packet): boolean =>
  packet.tag === 'ip6' && packet.fragment !== null && packet.fragment.offset > 0

/**
 * Takes note of an ICMP error about a packet of ours that was too long. `by`: where it came in, and so on whose link a link-local address
 * is. `from`: whose way it is about.
 */
export const noteTooBig: Parts['noteTooBig'] = (by, about, told, { dev, mark }) => {
  const { space } = by
  const { dst, src, tos } = about
  if (isOfLaterPiece(about) || ownersOf(space.entry, src).length === 0) return
  learn(space, { dst, src, dev: dev ?? (isLinkLocal(dst) ? by : null), tos, mark, foreign: false }, told)
}

/**
 * Takes note that a tunnel has no room for a packet that this namespace's IP sends by it. IPv4 looks for the route by the tunnel's device
 * again, unless that is a bridge's port (ip_rt_update_pmtu); IPv6 has it still.
 */
export const noteNarrow = ({ space, link, ...tunnel }: Device, { frame, meta, dst: hop }: Skb, mtu: number): void => {
  const { payload: packet } = frame
  if (hop === undefined || (packet.tag !== 'ip4' && packet.tag !== 'ip6')) return
  const name = packet.tag === 'ip6' ? hop.dev.name : link.port === null ? tunnel.name : null
  const dev = name === null ? null : deviceOf(space, name)
  const { dst, src, tos } = packet
  learn(space, { dst, src, dev, tos, mark: meta.mark, foreign: true }, mtu)
}

/** What was learned of paths, for the entry of a plane that is closed. */
export const closePaths = (space: Space): NsEntry['paths'] => {
  let { paths } = space.entry
  for (const learned of [...(space.routing?.paths.values() ?? [])].flat()) {
    const key = pathKey(learned)
    if (getIn(paths, key) !== learned) paths = setIn(paths, key, learned)
  }
  return paths
}

// What becomes of a packet that came in: whether it is for this host, goes on, or ends. Remembered as ways out are (fib.ts).
// Sources: net/ipv4/route.c (ip_route_input_slow, __mkroute_input), net/ipv4/fib_frontend.c (fib_validate_source),
// net/ipv6/route.c (ip6_route_input).

import {
  type Ip,
  type Ip4,
  type Ip6,
  isIp4,
  isLinkLocal,
  isLoopback,
  isMulticast,
  isUnspecified,
  MAX4,
} from '../../../net/ip.ts'
import { loopbackName } from '../../state.ts'
import { type Device, deviceOf, type Space } from '../plane.ts'
import type { DropReason } from '../step.ts'
import { ownersOf } from './address.ts'
import {
  bySource,
  gateway4,
  gatewaysTo,
  isDeadEnd6,
  isLocalGroup,
  isStrict6,
  isZeroNet,
  knownAt,
  noWayOf,
  type Verdict,
  wayOf,
  waysOf,
} from './fib.ts'
import { inGroup4, inGroup6 } from './groups.ts'
import { type Answer, type Found, find, find4, type Hashed } from './lookup.ts'
import { policyOf } from './policy.ts'
import type { Flow, Refusal } from './rules.ts'
import { tablesOf } from './tables.ts'

const DELIVER: Readonly<Record<'local' | 'broadcast' | 'multicast', Verdict>> = {
  local: { tag: 'deliver', type: 'local' },
  broadcast: { tag: 'deliver', type: 'broadcast' },
  multicast: { tag: 'deliver', type: 'multicast' },
}

const refuse = (reason: DropReason, errno: Refusal['errno'] | null = null): Verdict => ({
  tag: 'refuse',
  reason,
  errno,
})

/** What came in, as far as its route depends on it. `hashed`: what decides among several hops, if not its own addresses. */
export type Incoming = Readonly<{ dst: Ip; src: Ip; tos: number; mark: number; hashed: Hashed | null }>

/**
 * fib_validate_source: whether an address can have sent this to the device. True: the sender is on the device's own link, which
 * is not looked at where nobody needs to know. `oif`: by which device the packet is to leave.
 */
const validate4 = (
  space: Space,
  dev: Device,
  src: Ip4,
  dst: Ip,
  tos: number,
  oif: Device | null,
): DropReason | boolean => {
  const { entry } = space
  const { rpFilter, sendRedirects, acceptLocal } = policyOf(dev)
  if (rpFilter === 0 && (oif !== dev || !sendRedirects)) {
    if (acceptLocal) return false
    if (!entry.customRules[4] && !tablesOf(entry.routes).hasOwnLocal)
      return ownersOf(entry, src).length > 0 ? { tag: 'martian-source', ip: src } : false
  }
  // As the answer would come in.
  const iif = oif?.name ?? loopbackName(entry)
  const flow: Flow = { dst: src, src: dst, iif, oif: null, tos, mark: 0, strict: false }
  const back = find4(entry, flow)
  const unreached: DropReason | boolean = rpFilter !== 0 ? { tag: 'reverse-path', ip: src } : false
  if ('errno' in back) return unreached
  if (back.route.type !== 'unicast' && (back.route.type !== 'local' || !acceptLocal))
    return { tag: 'martian-source', ip: src }
  if (back.route.hops.some((hop) => hop.dev === dev.name)) return back.hop.direct
  if (!dev.link.addresses.some(({ cidr }) => isIp4(cidr.ip))) return unreached
  if (rpFilter === 1) return { tag: 'reverse-path', ip: src }
  const here = find4(entry, { ...flow, oif: dev.name })
  return !('errno' in here) && here.route.type === 'unicast' && here.hop.direct
}

/** Addresses that cannot come from a wire (ip_route_input_slow). */
const martian4 = (dev: Device, src: Ip4, dst: Ip4): DropReason | null => {
  if (isMulticast(src) || src === MAX4) return { tag: 'martian-source', ip: src }
  if (dst === MAX4 || (src === 0 && dst === 0)) return null
  if (isZeroNet(src)) return { tag: 'martian-source', ip: src }
  if (isZeroNet(dst)) return { tag: 'martian-destination', ip: dst }
  if (!isLoopback(src) && !isLoopback(dst)) return null
  if (policyOf(dev).routeLocalnet) return null
  return isLoopback(dst) ? { tag: 'martian-destination', ip: dst } : { tag: 'martian-source', ip: src }
}

const broadcast4 = (space: Space, dev: Device, src: Ip4, dst: Ip4, tos: number): Verdict => {
  if (isZeroNet(src)) return DELIVER.broadcast
  const bad = validate4(space, dev, src, dst, tos, null)
  return typeof bad === 'boolean' ? DELIVER.broadcast : refuse(bad)
}

/** ip_mc_validate_source. */
const multicast4 = (space: Space, dev: Device, src: Ip4, dst: Ip4, tos: number): Verdict => {
  if (!inGroup4(dev, dst)) return refuse({ tag: 'not-unicast', to: dst })
  const isBad =
    isMulticast(src) ||
    src === MAX4 ||
    (isLoopback(src) && !policyOf(dev).routeLocalnet) ||
    (isZeroNet(src) && !isLocalGroup(dst))
  if (isBad) return refuse({ tag: 'martian-source', ip: src })
  if (isZeroNet(src)) return DELIVER.multicast
  const bad = validate4(space, dev, src, dst, tos, null)
  return typeof bad === 'boolean' ? DELIVER.multicast : refuse(bad)
}

const forward4 = (space: Space, dev: Device, src: Ip4, dst: Ip4, tos: number, found: Found): Verdict => {
  const { route, hop } = found
  const out = hop.dev === null ? null : deviceOf(space, hop.dev)
  if (out === null) return refuse({ tag: 'no-route', to: dst })
  const near = validate4(space, dev, src, dst, tos, out)
  if (typeof near !== 'boolean') return refuse(near)
  const redirect = out === dev && near && policyOf(out).sendRedirects
  const gateways = gatewaysTo(space, out, gateway4(hop), dst)
  return { tag: 'forward', way: wayOf('unicast', out, null, { route, hop }, { ...gateways, redirect }) }
}

const input4 = (space: Space, dev: Device, { dst: to, src: from, tos, mark, hashed }: Incoming): Verdict => {
  // Casts: the caller has looked at the family.
  const [src, dst] = [from as Ip4, to as Ip4]
  if (isMulticast(dst)) return multicast4(space, dev, src, dst, tos)
  const bad = martian4(dev, src, dst)
  if (bad !== null) return refuse(bad)
  if (dst === MAX4 || (src === 0 && dst === 0)) return broadcast4(space, dev, src, dst, tos)
  const flow: Flow = { dst, src, iif: dev.name, oif: null, tos, mark, strict: false }
  const found: Answer = find(space.entry, flow, hashed ?? flow)
  const { forwarding4 } = policyOf(dev)
  if ('errno' in found) {
    const { reason } = noWayOf(found, dst)
    return refuse(reason, forwarding4 ? found.errno : null)
  }
  if (found.route.type === 'broadcast') return broadcast4(space, dev, src, dst, tos)
  if (found.route.type === 'local') {
    const wrong = validate4(space, dev, src, dst, tos, null)
    return typeof wrong === 'boolean' ? DELIVER.local : refuse(wrong)
  }
  if (!forwarding4) return refuse({ tag: 'not-forwarding', family: 4 })
  if (found.route.type !== 'unicast') return refuse({ tag: 'martian-destination', ip: dst })
  return forward4(space, dev, src, dst, tos, found)
}

const scopeOfGroup = (group: Ip6): number => Number((group >> 112n) & 0xfn)

/** Addresses that cannot come from this device (ip6_rcv_core). */
export const martian6 = ({ link }: Device, src: Ip6, dst: Ip6): DropReason | null => {
  if (isMulticast(src)) return { tag: 'martian-source', ip: src }
  const scope = isMulticast(dst) ? scopeOfGroup(dst) : null
  if (scope === 0) return { tag: 'martian-destination', ip: dst }
  if (link.spec.type === 'loopback') return null
  if (isLoopback(src)) return { tag: 'martian-source', ip: src }
  return isLoopback(dst) || scope === 1 ? { tag: 'martian-destination', ip: dst } : null
}

/** A host that does not forward IPv6 says so only of what it has no route for (ip6_pkt_drop). */
const input6 = (space: Space, dev: Device, { dst: to, src: from, tos, mark, hashed }: Incoming): Verdict => {
  // Casts: the caller has looked at the family.
  const [src, dst] = [from as Ip6, to as Ip6]
  const bad = martian6(dev, src, dst)
  if (bad !== null) return refuse(bad)
  // ip6_pol_route_input: what came in by a device had better leave by it.
  const flow: Flow = { dst, src, iif: dev.name, oif: null, tos, mark, strict: isStrict6(dst), near: dev.name }
  const found = find(space.entry, flow, hashed ?? flow)
  // The route to groups is in the table `local`, which rules of somebody's own may leave out; a route to all is none to groups.
  if (isMulticast(dst) && !('errno' in found) && isMulticast(found.route.to.ip))
    return inGroup6(dev, dst) ? DELIVER.multicast : refuse({ tag: 'not-unicast', to: dst })
  if ('errno' in found) return refuse(noWayOf(found, dst).reason, found.errno)
  const { route, hop } = found
  if (route.type === 'local' || route.type === 'anycast') return DELIVER.local
  const out = hop.dev === null ? null : deviceOf(space, hop.dev)
  if (out === null) return refuse({ tag: 'no-route', to: dst })
  if (isDeadEnd6(route, out)) return refuse({ tag: 'no-route', to: dst }, 'ENETUNREACH')
  if (!policyOf(dev).forwarding6) return refuse({ tag: 'not-forwarding', family: 6 })
  const redirect = out === dev
  if (!redirect && isUnspecified(src)) return refuse({ tag: 'martian-source', ip: src })
  const way = wayOf('unicast', out, null, found, { via: hop.via, redirect, stays: !redirect && isLinkLocal(src) })
  return { tag: 'forward', way }
}

/** What becomes of a packet that a device has handed up, and that is past prerouting. */
export const verdictOn = (space: Space, dev: Device, incoming: Incoming): Verdict => {
  const memory = waysOf(space)
  const isFixed =
    (incoming.mark === 0 || !memory.byMark) && (incoming.tos === 0 || !memory.byTos) && incoming.hashed === null
  if (memory.lastIn === null || memory.lastIn.dev !== dev) memory.lastIn = { dev, known: knownAt(memory.in, dev) }
  const known = bySource(memory.lastIn.known, incoming.dst)
  const before = isFixed ? known.get(incoming.src) : undefined
  if (before !== undefined) return before
  const verdict = isIp4(incoming.dst) ? input4(space, dev, incoming) : input6(space, dev, incoming)
  if (isFixed) known.set(incoming.src, verdict)
  return verdict
}

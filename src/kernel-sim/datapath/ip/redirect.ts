// Redirects: a router tells a sender on the same link by whom it would better send, and not too often (peer.ts). Who is told so over
// IPv4 goes by the other router from then on, if he knows its MAC; else he asks for that, and goes by it when he is told again. That a host
// goes by redirects of IPv6 is not modelled.
// Sources: net/ipv4/route.c (ip_rt_send_redirect, __ip_do_redirect), net/ipv6/ndisc.c (ndisc_send_redirect).

import { type Ip, type Ip6, isIp4, isLinkLocal } from '../../../net/ip.ts'
import type { Error4 } from '../../wire/icmp4.ts'
import type { Packet4 } from '../../wire/ip4.ts'
import { type Packet6, packet6 } from '../../wire/ip6.ts'
import type { NdOption } from '../../wire/nd-options.ts'
import { quote4, quoteOfRedirect } from '../../wire/quote.ts'
import type { Device, Parts, Space } from '../plane.ts'
import { linkLocalOf } from './address.ts'
import { tell4 } from './errors.ts'
import { isWay, learnedOf, notePath, wayOut } from './fib.ts'
import { typeOf } from './lookup.ts'
import { isValid, knownNeighbour, neighbourOf, prepare } from './neighbour.ts'
import { mayBeRedirected4, mayBeRedirected6 } from './peer.ts'
import { policyOf } from './policy.ts'
import { sendDiscovery } from './solicit.ts'

/** `gateway`: by whom it leaves, or where it goes to if that is on the link. */
export const redirect4 = (space: Space, packet: Packet4, via: Ip | null): void => {
  const gateway = via ?? packet.dst
  if (!isIp4(gateway) || !mayBeRedirected4(space, packet.src)) return
  const body = (mtu: number): Error4 => ({
    proto: 'icmp',
    type: 'redirect',
    code: 'host',
    gateway,
    ...quote4(packet, mtu),
  })
  tell4(space, packet, body, true)
}

/** ip_rt_gc_timeout. */
const EXPIRES_MS = 300_000

/** Only the gateway that is in use may name another, on any subnet of its link (shared_media). */
export const redirected: Parts['redirected'] = (by, router, { gateway, about }, { dev, mark }) => {
  const { space } = by
  if (gateway === router || !policyOf(by).acceptRedirects) return
  const { src, dst, tos } = about
  const way = wayOut(space, { dst, src, dev, tos, mark, foreign: false })
  if (!isWay(way) || way.via !== router || typeOf(space.entry, gateway) !== 'unicast') return
  const neighbour = neighbourOf(way.dev, gateway)
  if (!isValid(neighbour)) return prepare(neighbour)
  const { dev: out, hop: via } = way
  const { mtu = null, locked = false } = learnedOf(space, out, via, dst) ?? {}
  notePath(space, { ip: dst, dev: out.name, via, mtu, gateway, locked, untilMs: space.plane.nowMs + EXPIRES_MS })
}

/** From the device's link-local address, to a sender on its link, of a target that is the destination or a router there. */
export const redirect6 = (space: Space, dev: Device, packet: Packet6, via: Ip | null): void => {
  const target = via !== null && !isIp4(via) ? via : packet.dst
  const own = linkLocalOf(dev.link)
  if (!mayBeRedirected6(space, packet.dst) || own === null) return
  if (target !== packet.dst && !isLinkLocal(target)) return
  const wanted = { dst: packet.src, src: own, dev, tos: 0, mark: 0, foreign: false }
  const back = wayOut(space, wanted)
  if (!isWay(back) || back.via !== null || !mayBeRedirected6(space, packet.src)) return
  sendDiscovery(back.dev, { ...packet6(own, packet.src, redirectOf(dev, packet, target)), ttl: 255 })
}

const MAC_OPTION = 8

const redirectOf = (dev: Device, packet: Packet6, target: Ip6): Packet6['body'] => {
  const known = knownNeighbour(dev, target)
  const mac: ReadonlyArray<NdOption> = known !== null && isValid(known) ? [{ tag: 'target', mac: known.mac }] : []
  const redirected: NdOption = { tag: 'redirected', ...quoteOfRedirect(packet, mac.length * MAC_OPTION) }
  return { proto: 'icmp6', type: 'redirect', target, destination: packet.dst, options: [...mac, redirected] }
}

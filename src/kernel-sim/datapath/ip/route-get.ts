// What `ip route get` says: where a packet would go, and from which address.
// Sources: net/ipv4/route.c (inet_rtm_getroute), net/ipv6/route.c (inet6_rtm_getroute), ip-route(8).

import type { Ip } from '../../../net/ip.ts'
import type { IfName } from '../../../net/name.ts'
import { type Device, deviceOf, type SendErrno, type Space } from '../plane.ts'
import { isWay, meantBy, type Verdict, type Way, wayOut } from './fib.ts'
import { verdictOn } from './fib-input.ts'
import { pathMtu } from './path-mtu.ts'

/** `iif`: of a packet that came in by that device (then `from` is needed). */
export type RouteAsk = Readonly<{
  to: Ip
  from?: Ip
  iif?: string
  oif?: string
  mark?: number
  tos?: number
}>

/** `src`: the address that it gets. `hop`: the gateway that the route names, where a redirect has told of another. `mtu`: learned of the path, else what the route says, null if neither. `table`: null where no table was asked. */
export type RouteTold = Readonly<{
  type: 'unicast' | 'local' | 'broadcast' | 'multicast'
  to: Ip
  dev: IfName
  via: Ip | null
  hop: Ip | null
  src: Ip | null
  table: number | null
  mtu: number | null
}>

/** EXDEV: reverse path filtering. */
export type RouteRefusal = Readonly<{ errno: SendErrno | 'EXDEV' }>

const toldOf = (space: Space, { to, from }: RouteAsk, way: Way): RouteTold => {
  const { mtu } = pathMtu(space, way, to)
  const { type, dev, via, hop, source, table } = way
  return {
    type,
    to,
    dev: dev.name,
    via,
    hop,
    src: from ?? source,
    table,
    mtu: mtu < way.mtu ? mtu : (way.route?.mtu ?? null),
  }
}

const asIncoming = (dev: Device, { to, from, mark = 0, tos = 0 }: RouteAsk): Verdict =>
  verdictOn(dev.space, dev, { dst: to, src: from ?? to, mark, tos, hashed: null })

const ofIncoming = (space: Space, dev: Device, ask: RouteAsk): RouteTold | RouteRefusal => {
  const verdict = asIncoming(dev, ask)
  const to = ask.to
  switch (verdict.tag) {
    case 'forward':
      return { ...toldOf(space, ask, verdict.way), src: null }
    case 'deliver':
      return { type: verdict.type, to, dev: dev.name, via: null, hop: null, src: null, table: null, mtu: null }
    case 'refuse': {
      const { errno, reason } = verdict
      if (reason.tag === 'reverse-path') return { errno: 'EXDEV' }
      if (errno !== null && errno !== 'EAGAIN') return { errno }
      return { errno: reason.tag === 'not-forwarding' || reason.tag === 'no-route' ? 'EHOSTUNREACH' : 'EINVAL' }
    }
  }
}

/** The answer to `ip route get`. */
export const routeGet = (space: Space, ask: RouteAsk): RouteTold | RouteRefusal => {
  const { from = null, mark = 0, tos = 0 } = ask
  const at = ask.iif ?? ask.oif
  const dev = at === undefined ? null : deviceOf(space, at)
  if (at !== undefined && dev === null) return { errno: 'ENODEV' }
  if (ask.iif !== undefined && dev !== null) return ofIncoming(space, dev, ask)
  const to = meantBy(space, ask.to, from, dev)
  const way = wayOut(space, { dst: to, src: from, dev, tos, mark, foreign: false })
  return isWay(way) ? toldOf(space, { ...ask, to }, way) : { errno: way.errno }
}

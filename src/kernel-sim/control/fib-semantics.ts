// Which IPv4 routes Linux accepts: what a type, a scope and its hops may be, and how a gateway is reached.
// Invariant: the order of the checks is the kernel's, so that of two faults the same one is told.
// Source: net/ipv4/fib_semantics.c (fib_create_info, fib_check_nh, fib_valid_prefsrc).

import type { Errno } from '../../kernel/errno.ts'
import type { NextHop } from '../../kernel/rtnl/request.ts'
import { type Ip, isIp4 } from '../../net/ip.ts'
import { E, type Either } from '../../prelude.ts'
import type { LinkEntry } from '../link-entry.ts'
import { type HopEntry, type RouteEntry, TABLES } from '../state.ts'
import { linkOf, type Space } from './draft.ts'
import { type Found, lookInTable, lookup4, typeOf } from './fib-trie.ts'
import { runs4 } from './inet.ts'
import { checkDevice } from './route6.ts'
import { SCOPES } from './scope.ts'
import { hop, isEnd, type NewRoute } from './table.ts'

/** The widest scope that a type may have (fib_props). */
const WIDEST: Readonly<Partial<Record<RouteEntry['type'], number>>> = {
  local: SCOPES.host,
  broadcast: SCOPES.link,
  anycast: SCOPES.link,
}

/** What is asked for, before its hops are looked at; without any, `hops` is empty. `several`: they were asked for as a list (RTA_MULTIPATH). */
export type Wanted4 = Omit<NewRoute, 'hops'> & Readonly<{ hops: ReadonlyArray<NextHop>; several: boolean }>

/** Whether an address is nobody's here, nor of several (inet_addr_type). */
const isStranger = (space: Space, ip: Ip): boolean => typeOf(space, ip, TABLES.local) === 'unicast'

const entryOf = (
  { weight, onlink }: NextHop,
  dev: LinkEntry,
  via: Ip | null,
  direct: boolean = via === null,
): HopEntry => hop(dev.name, via, { weight: weight ?? 1, onlink: onlink ?? false, direct })

const checkOnLink = (
  space: Space,
  asked: NextHop,
  dev: LinkEntry | null,
  via: Ip,
  scope: number,
): Either<Errno, HopEntry> => {
  if (scope >= SCOPES.link) return E.left('EINVAL')
  if (dev === null) return E.left('ENODEV')
  if (!dev.up) return E.left('ENETDOWN')
  return isStranger(space, via) ? E.right(entryOf(asked, dev, via)) : E.left('EINVAL')
}

/** The route to a gateway; a table of its own is looked in first. */
const wayTo = (space: Space, via: Ip, dev: LinkEntry | null, scope: number, table: number): Found | Errno => {
  const wanted = { to: via, scope: Math.max(scope + 1, SCOPES.link), dev }
  const near = table === TABLES.main ? 'EAGAIN' : lookInTable(space, table, wanted)
  return typeof near === 'string' ? lookup4(space, wanted) : near
}

/** A gateway that is reached by a route to ourselves is none: it has that route's scope (fib_check_nh_v4_gw). */
const checkGateway = (
  space: Space,
  asked: NextHop,
  dev: LinkEntry | null,
  via: Ip,
  { scope, table }: Wanted4,
): Either<Errno, HopEntry> => {
  const found = wayTo(space, via, dev, scope, table)
  if (typeof found === 'string') return E.left(found)
  if (found.route.type !== 'unicast' && found.route.type !== 'local') return E.left('EINVAL')
  const way = found.hop.dev === null ? null : linkOf(space, found.hop.dev)
  if (way === null) return E.left('EINVAL')
  return way.up ? E.right(entryOf(asked, way, via, found.route.scope >= SCOPES.host)) : E.left('ENETDOWN')
}

/** A gateway of IPv6 is looked at as IPv6 would, and its device's carrier is not looked at (fib_check_nh_v6_gw). */
const checkVia6 = (space: Space, asked: NextHop, via: Ip, { table }: Wanted4): Either<Errno, HopEntry> => {
  const dev = checkDevice(space, asked, table)
  return E.isLeft(dev) ? dev : E.right({ ...entryOf(asked, dev.right, via), linkdown: dev.right.lower ? null : false })
}

/** A gateway of 0.0.0.0 is none. */
const checkHop = (space: Space, asked: NextHop, wanted: Wanted4): Either<Errno, HopEntry> => {
  const dev = asked.dev === undefined ? null : linkOf(space, asked.dev)
  const via = asked.via === undefined || asked.via === 0 ? null : asked.via
  if (via !== null && !isIp4(via)) return checkVia6(space, asked, via, wanted)
  if (via !== null && asked.onlink === true) return checkOnLink(space, asked, dev, via, wanted.scope)
  if (via !== null) return checkGateway(space, asked, dev, via, wanted)
  if (asked.onlink === true) return E.left('EINVAL')
  if (dev === null || !runs4(dev)) return E.left('ENODEV')
  return dev.up ? E.right(entryOf(asked, dev, null)) : E.left('ENETDOWN')
}

/** A route to ourselves has one device, which need not be up. */
const checkHost = (space: Space, hops: ReadonlyArray<NextHop>): Either<Errno, ReadonlyArray<HopEntry>> => {
  const [only, second] = hops
  if (second !== undefined || (only?.via !== undefined && only.via !== 0)) return E.left('EINVAL')
  const dev = only?.dev === undefined ? null : linkOf(space, only.dev)
  return dev === null ? E.left('ENODEV') : E.right([entryOf(only ?? {}, dev, null)])
}

const checkHops = (space: Space, wanted: Wanted4): Either<Errno, ReadonlyArray<HopEntry>> => {
  if (wanted.scope === SCOPES.host) return checkHost(space, wanted.hops)
  const asked = wanted.hops.length === 0 ? [{}] : wanted.hops
  const hops: HopEntry[] = []
  for (const one of asked) {
    const checked = checkHop(space, one, wanted)
    if (E.isLeft(checked)) return checked
    hops.push(checked.right)
  }
  return E.right(hops)
}

/** The source must be an own address: of the table, or of `local`. */
const fitsSource = (space: Space, { source, type, to, table }: Wanted4): boolean => {
  if (source === null || !isIp4(source) || (type === 'local' && source === to.ip)) return true
  const near = table === TABLES.main ? TABLES.local : table
  return [near, TABLES.local].some((each) => typeOf(space, source, each) === 'local')
}

/** Whether a gateway, a device or a list of hops is asked for; 0.0.0.0 is none. */
const hasWay = ({ hops, several }: Wanted4): boolean =>
  several || hops.some(({ via, dev }) => dev !== undefined || (via !== undefined && via !== 0))

/** The route with its hops as they are, or why there can be none. */
export const checkRoute4 = (space: Space, wanted: Wanted4): Either<Errno, NewRoute> => {
  const { type, scope } = wanted
  if ((WIDEST[type] ?? 0) > scope) return E.left('EINVAL')
  if (isEnd(type)) return hasWay(wanted) ? E.left('EINVAL') : E.right({ ...wanted, hops: [] })
  if (scope > SCOPES.host) return E.left('EINVAL')
  const hops = checkHops(space, wanted)
  if (E.isLeft(hops)) return hops
  return fitsSource(space, wanted) ? E.right({ ...wanted, hops: hops.right }) : E.left('EINVAL')
}

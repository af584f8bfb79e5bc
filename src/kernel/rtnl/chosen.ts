// What ip(8) and bridge(8) choose where a request says nothing: the kernel is never asked without it, so it is part of what a
// request means, whichever kernel is asked. What the kernel chooses (a metric of IPv6, a rule's priority) is not here.
// Source: iproute2's iproute.c (iproute_modify), ipaddress.c (ipaddr_modify, default_scope), iprule.c (iprule_modify).

import { lastOf } from '../../net/cidr.ts'
import { type Ip4, isIp4, isLoopback } from '../../net/ip.ts'
import type { AddressRequest, RouteRequest, RuleAction, RuleRequest, Scope } from './request.ts'

export const MAIN_TABLE = 254
export const LOCAL_TABLE = 255
/** `boot`: by hand. */
export const BOOT_PROTO = 3

/** rt_scopes of iproute2, and include/uapi/linux/rtnetlink.h. */
const SCOPES = { global: 0, site: 200, link: 253, host: 254 }
export const NOWHERE = 255
export const scopeNumber = (scope: Scope): number => (typeof scope === 'number' ? scope : SCOPES[scope])

/** IPv6 finds the scope of an address by itself. */
export const addressScope = ({ do: verb, cidr: { ip }, scope }: AddressRequest): number =>
  scope !== undefined
    ? scopeNumber(scope)
    : verb !== 'delete' && isIp4(ip) && isLoopback(ip)
      ? SCOPES.host
      : SCOPES.global

/** `+` is the last address of the subnet, of the peer's if there is one; a net of two addresses or of one has none, nor a deletion. */
export const broadcastOf = ({ do: verb, cidr, peer, broadcast }: AddressRequest): Ip4 | undefined => {
  if (broadcast !== '+') return broadcast
  if (verb === 'delete') return undefined
  const subnet = { ip: peer ?? cidr.ip, bits: cidr.bits }
  const last = lastOf(subnet)
  return subnet.bits > 30 || !isIp4(last) ? undefined : last
}

/** Routes of the kernel's own sorts go into its own table. */
export const routeTable = ({ table, type }: RouteRequest): number =>
  table ?? (type === 'local' || type === 'broadcast' ? LOCAL_TABLE : MAIN_TABLE)

/** A route of IPv4 without a gateway reaches no further than its link; a deletion takes one of any scope. */
export const routeScope = ({ do: verb, to, type, via, hops, scope }: RouteRequest): number => {
  if (scope !== undefined) return scopeNumber(scope)
  if (!isIp4(to.ip)) return SCOPES.global
  if (type === 'local') return SCOPES.host
  if (type === 'broadcast') return SCOPES.link
  if (verb === 'delete') return NOWHERE
  if (type !== undefined && type !== 'unicast') return SCOPES.global
  return via === undefined && (hops === undefined || hops.length === 0) ? SCOPES.link : SCOPES.global
}

/** A new rule looks the main table up; a deletion takes a rule with any action. */
export const ruleAction = ({ do: verb, action }: RuleRequest): RuleAction | null =>
  action ?? (verb === 'add' ? { lookup: MAIN_TABLE } : null)

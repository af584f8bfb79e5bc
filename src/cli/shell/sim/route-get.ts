// What the simulated kernel answers to `ip route get`: the way that the data path would take, with what the route behind it says.

import { type RouteTold, routeGet } from '../../../kernel-sim/datapath/ip/route-get.ts'
import { PARTS } from '../../../kernel-sim/datapath/wired.ts'
import type { Fabric } from '../../../kernel-sim/fabric/fabric.ts'
import { onFabric } from '../../../kernel-sim/fabric/fabric.ts'
import type { NsEntry, RouteEntry } from '../../../kernel-sim/state.ts'
import { pathKey, TABLES } from '../../../kernel-sim/state.ts'
import { contains } from '../../../net/cidr.ts'
import { type Ip, isIp4 } from '../../../net/ip.ts'
import { LO, type Ns } from '../../../net/name.ts'
import { getIn, valuesOf } from '../../../net/pmap.ts'
import type { RouteAnswer, RouteQuestion } from '../../../shell/terminal.ts'
import { spaceAt } from './session.ts'

/** The route that was taken: of those that lead there so, the most particular. */
const behind = ({ routes }: NsEntry, { table, dev, hop: via }: RouteTold, to: Ip): RouteEntry | null => {
  const leading = valuesOf(routes).filter(
    (route) =>
      route.table === table &&
      isIp4(route.to.ip) === isIp4(to) &&
      contains(route.to, to) &&
      route.hops.some((hop) => hop.dev === dev && hop.via === via),
  )
  return [...leading].sort((a, b) => b.to.bits - a.to.bits || a.metric - b.metric)[0] ?? null
}

const LIMITED_BROADCAST = 0xffffffff
const KERNEL = 2
const MS_PER_S = 1000

/** IPv4 names the table of what is looked up in one; of groups and of 255.255.255.255 none is. */
const tableOf = (entry: NsEntry, { to, iif }: RouteQuestion, { type, table }: RouteTold): number | null => {
  if (!isIp4(to)) return type === 'local' || type === 'multicast' ? TABLES.local : table
  if (type === 'multicast' || to === LIMITED_BROADCAST) return null
  if (type === 'unicast') return table
  return iif === null || entry.customRules ? TABLES.local : null
}

const answerOf = (entry: NsEntry, nowMs: number, question: RouteQuestion, told: RouteTold): RouteAnswer => {
  const { type, via, hop, src } = told
  const { to, iif } = question
  const route = behind(entry, told, to)
  const learned =
    told.mtu === null && via === hop ? undefined : getIn(entry.paths, pathKey({ ip: to, dev: told.dev, via: hop }))
  return {
    tag: 'route',
    type,
    via,
    dev: type === 'local' && iif !== null ? LO : told.dev,
    src,
    table: tableOf(entry, question, told),
    proto: type === 'unicast' ? (route?.proto ?? KERNEL) : KERNEL,
    metric: type === 'local' ? 0 : (route?.metric ?? 256),
    mtu: told.mtu ?? route?.mtu ?? null,
    redirected: via !== hop,
    expiresS: learned === undefined ? null : Math.max(0, Math.ceil((learned.untilMs - nowMs) / MS_PER_S) - 1),
  }
}

/** Nothing changes by it. */
export const routeTo = (fabric: Fabric, host: string, ns: Ns, question: RouteQuestion): RouteAnswer => {
  const { to, from, iif, oif, mark, tos } = question
  return onFabric(PARTS, fabric, (plane): RouteAnswer => {
    const space = spaceAt(plane, { host, ns })
    if (space === null) return { tag: 'refused', errno: 'ENETUNREACH' }
    const told = routeGet(space, {
      to,
      mark,
      tos,
      ...(from === null ? {} : { from }),
      ...(iif === null ? {} : { iif }),
      ...(oif === null ? {} : { oif }),
    })
    return 'errno' in told ? { tag: 'refused', errno: told.errno } : answerOf(space.entry, plane.nowMs, question, told)
  }).result
}

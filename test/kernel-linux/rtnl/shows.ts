// Whether a stack shows what was asked for, and done. Read from the request alone: each thing that it says has a place where the
// kernel tells it.

import { broadcastOf, routeTable, scopeNumber } from '../../../src/kernel/rtnl/chosen.ts'
import type {
  AddressRequest,
  Ask,
  FdbRequest,
  NeighbourRequest,
  NewLink,
  NextHop,
  RouteRequest,
  RuleRequest,
  SetLink,
  VlanRequest,
} from '../../../src/kernel/rtnl/request.ts'
import type { LinkFacts, Stack } from '../../../src/kernel/rtnl/stack.ts'
import { networkOf, sameCidr } from '../../../src/net/cidr.ts'
import { isIp4 } from '../../../src/net/ip.ts'
import { LO, type Ns } from '../../../src/net/name.ts'

type Stacks = ReadonlyMap<Ns, Stack>

/** Whether each thing that was said is told so; what was not said may be anything. */
const tells = (told: object, said: object): boolean => {
  const facts = new Map<string, unknown>(Object.entries(told))
  return Object.entries(said).every(
    ([key, value]) => value === undefined || JSON.stringify(facts.get(key), plain) === JSON.stringify(value, plain),
  )
}
const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value)

/** A veth's peer, a VXLAN's own device and its port 0 are told elsewhere, or otherwise. */
const kindTold = (link: LinkFacts, kind: NewLink['kind'] | SetLink['kind']): boolean => {
  if (kind === undefined) return true
  const { peer, dev, port, ...said } = { peer: null, dev: undefined, port: undefined, ...kind }
  return tells(link.kind, { ...said, ...(port === 0 ? {} : { port }) }) && (dev === undefined || link.below === dev)
}

const GEN_MODES = { eui64: 0, none: 1 }

const linkShown = (stacks: Stacks, here: Ns, ask: NewLink | SetLink): boolean => {
  const name = ask.do === 'add' ? ask.name : (ask.name ?? ask.dev)
  const link = stacks.get(ask.to ?? here)?.links.find((one) => one.name === name)
  if (link === undefined) return false
  const { up, mtu, txqlen, group } = ask
  // A passthru takes the MAC of the device below.
  const mac = ask.kind?.kind === 'macvlan' && ask.kind.mode === 'passthru' ? undefined : ask.mac
  const { index } = ask.do === 'add' ? ask : {}
  const { alias, addrGenMode } = ask.do === 'set' ? ask : {}
  // A move takes a link down, and out of its bridge.
  const moved = ask.do === 'set' && ask.to !== undefined && ask.to !== here
  return (
    tells(link, { mac, mtu, txqlen, group, index, alias: alias === '' ? null : alias }) &&
    (moved || tells(link, { up, master: ask.master })) &&
    (addrGenMode === undefined || link.addrGenMode === GEN_MODES[addrGenMode]) &&
    kindTold(link, ask.kind)
  )
}

const addressShown = ({ addresses }: Stack, ask: AddressRequest): boolean => {
  const there = addresses.find(({ dev, cidr, peer }) => {
    if (dev !== ask.dev || cidr.ip !== ask.cidr.ip || cidr.bits !== ask.cidr.bits) return false
    return ask.peer === undefined || peer === ask.peer
  })
  if (ask.do === 'delete') return there === undefined
  // 0.0.0.0 is taken, and nothing comes of it (__inet_insert_ifa).
  if (there === undefined) return ask.cidr.ip === 0
  const four = isIp4(ask.cidr.ip)
  return tells(there, {
    metric: ask.metric,
    ...(four
      ? {
          broadcast: broadcastOf(ask),
          label: ask.label,
          scope: ask.scope === undefined ? undefined : scopeNumber(ask.scope),
        }
      : {}),
  })
}

/** What leads nowhere in IPv6 has the loopback device. */
const hopsSaid = ({ to, type = 'unicast', via, dev, hops = [] }: RouteRequest): ReadonlyArray<NextHop> => {
  if (!isIp4(to.ip) && !['unicast', 'local', 'broadcast'].includes(type)) return []
  return hops.length > 0 ? hops : [{ ...(via === undefined ? {} : { via }), ...(dev === undefined ? {} : { dev }) }]
}

/** IPv6 takes host bits away, has no scopes, and its routes of one metric become the hops of one. */
const routeShown = ({ routes }: Stack, ask: RouteRequest): boolean => {
  const four = isIp4(ask.to.ip)
  const there = routes.filter(
    (route) =>
      sameCidr(route.to, four ? ask.to : networkOf(ask.to)) &&
      route.table === routeTable(ask) &&
      tells(route, {
        type: ask.type,
        metric: ask.metric === 0 && !four ? undefined : ask.metric,
        proto: ask.proto,
        tos: ask.tos,
        src: ask.src,
        mtu: ask.mtu,
        scope: four && ask.scope !== undefined ? scopeNumber(ask.scope) : undefined,
      }) &&
      hopsSaid(ask).every(
        ({ via, dev }) => (via ?? dev) === undefined || route.hops.some((hop) => tells(hop, { via, dev })),
      ),
  )
  return ask.do === 'delete' ? there.length === 0 : there.length > 0
}

const ruleShown = ({ rules }: Stack, { on, do: verb, from, to, mark, not, ...said }: RuleRequest): boolean => {
  const there = rules.some(
    (rule) =>
      tells(rule, { ...said, not }) &&
      (from === undefined || from.bits === 0 || (rule.from !== null && sameCidr(rule.from, from))) &&
      (to === undefined || to.bits === 0 || (rule.to !== null && sameCidr(rule.to, to))) &&
      (mark === undefined || tells(rule.mark ?? {}, mark)),
  )
  // A deletion takes the first one that fits, and there may be others.
  return verb === 'delete' || there
}

const neighbourShown = ({ neighbours }: Stack, ask: NeighbourRequest): boolean => {
  // On the loopback device IPv4 has one neighbour for all addresses (arp_hash, neigh_key_eq32 of 0.0.0.0).
  const to = ask.dev === LO && isIp4(ask.ip) && ask.proxy !== true ? 0 : ask.ip
  const there = neighbours.find(({ dev, ip, proxy }) => dev === ask.dev && ip === to && proxy === (ask.proxy ?? false))
  if (ask.do === 'delete') return there === undefined || there.state === 'FAILED'
  if (there === undefined) return false
  return ask.proxy === true || tells(there, { mac: ask.mac, state: (ask.state ?? 'permanent').toUpperCase() })
}

const FDB_STATES = { local: 'permanent', static: 'static', dynamic: '' }

const fdbShown = ({ fdb }: Stack, ask: FdbRequest): boolean => {
  // One that was learned looks the same, and is left out.
  if (ask.of === 'master' && ask.state === 'dynamic') return true
  const there = fdb.some(
    (entry) =>
      entry.dev === ask.dev &&
      entry.mac === ask.mac &&
      // What a bridge keeps itself is told as of a port that it is of its own.
      (entry.flags.includes('self') || entry.master === entry.dev) === (ask.of === 'self') &&
      tells(entry, { dst: ask.dst, vni: ask.vni, port: ask.port, via: ask.via, vlan: ask.vlan }) &&
      (ask.do === 'delete' || ask.of === 'self' || entry.state === FDB_STATES[ask.state ?? 'local']) &&
      entry.flags.includes('sticky') === (ask.sticky ?? false),
  )
  return ask.do === 'delete' || there
}

const vlanShown = ({ vlans }: Stack, { do: verb, dev, id, until = id, pvid, untagged }: VlanRequest): boolean => {
  const there = vlans.filter((vlan) => vlan.dev === dev && vlan.id >= id && vlan.id <= until)
  return verb === 'delete'
    ? there.length === 0
    : there.length === until - id + 1 && there.every((vlan) => tells(vlan, { pvid, untagged }))
}

/** Of a request that was done, in the namespace `here`. */
export const shows = (stacks: Stacks, here: Ns, ask: Ask): boolean => {
  const stack = stacks.get(here)
  if (ask.on === 'netns') return (ask.do === 'add') === (stack !== undefined)
  if (stack === undefined) return false
  switch (ask.on) {
    case 'link':
      if (ask.do !== 'delete') return linkShown(stacks, here, ask)
      return stack.links.every((link) => ('dev' in ask ? link.name !== ask.dev : link.group !== ask.group))
    case 'port': {
      const { cost, ...options } = ask.options
      const port = stack.links.find(({ name }) => name === ask.dev)?.port ?? null
      return port !== null && tells(port, cost === 0 ? options : ask.options)
    }
    case 'vlan':
      return vlanShown(stack, ask)
    case 'address':
      return addressShown(stack, ask)
    case 'route':
      return routeShown(stack, ask)
    case 'rule':
      return ruleShown(stack, ask)
    case 'neighbour':
      return neighbourShown(stack, ask)
    case 'fdb':
      return fdbShown(stack, ask)
    case 'tap': {
      const there = stack.links.some(({ name, kind }) => name === ask.dev && kind.kind === 'tap')
      return there === (ask.do === 'add')
    }
    case 'sysctl':
      return true
  }
}

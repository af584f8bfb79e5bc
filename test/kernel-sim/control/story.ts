// Requests in few words to the stacks of two namespaces, and what the stacks tell then, in lines. Every line in the tests that use
// this was seen on Linux 6.18 first, with duplicate address detection off.

import type {
  AddressRequest,
  Ask,
  NeighbourRequest,
  NewLink,
  Request,
  RouteRequest,
  SetLink,
} from '../../../src/kernel/rtnl/request.ts'
import type { LinkFacts, RouteFacts, Stack } from '../../../src/kernel/rtnl/stack.ts'
import { askWorld } from '../../../src/kernel-sim/control.ts'
import { stackOf } from '../../../src/kernel-sim/stack.ts'
import { EMPTY_WORLD, type World, worldWithout } from '../../../src/kernel-sim/state.ts'
import { cidr, showCidr } from '../../../src/net/cidr.ts'
import { ip, showIp } from '../../../src/net/ip.ts'
import { mac, showMac } from '../../../src/net/mac.ts'
import { ifName, LO, type Ns, ns } from '../../../src/net/name.ts'

export const H = ns('h')
export const C = ns('c')

export const macOf = (n: number) => mac(0x020000000000 + n)
export const bridge = (name: string, more: Partial<NewLink> = {}): Ask => ({
  on: 'link',
  do: 'add',
  name: ifName(name),
  kind: { kind: 'bridge' },
  ...more,
})
export const pair = (name: string, peer: string, more: Partial<NewLink> = {}): Ask => ({
  on: 'link',
  do: 'add',
  name: ifName(name),
  mac: macOf(1),
  kind: { kind: 'veth', peer: { name: ifName(peer), mac: macOf(2) } },
  ...more,
})
export const set = (name: string, to: Omit<SetLink, 'on' | 'do' | 'dev'>): Ask => ({
  on: 'link',
  do: 'set',
  dev: ifName(name),
  ...to,
})
export const up = (name: string): Ask => set(name, { up: true })
export const down = (name: string): Ask => set(name, { up: false })
export const has = (name: string, text: string, more: Partial<AddressRequest> = {}): Ask => ({
  on: 'address',
  do: 'add',
  dev: ifName(name),
  cidr: cidr(text),
  ...more,
})
export const route = (
  to: string,
  more: Omit<Partial<RouteRequest>, 'to' | 'via' | 'dev'> & { via?: string; dev?: string },
): Ask => {
  const { via, dev, ...rest } = more
  return {
    on: 'route',
    do: 'add',
    to: cidr(to),
    ...(via === undefined ? {} : { via: ip(via) }),
    ...(dev === undefined ? {} : { dev: ifName(dev) }),
    ...rest,
  }
}
export const neighbour = (name: string, address: string, more: Partial<NeighbourRequest> = {}): Ask => ({
  on: 'neighbour',
  do: 'add',
  dev: ifName(name),
  ip: ip(address),
  ...more,
})
/** A pair of devices v0 and v1 that are up. */
export const WIRE: ReadonlyArray<Ask> = [pair('v0', 'v1'), up('v0'), up('v1')]
export const LOOPBACK: Ask = up(LO)

const BEGIN: ReadonlyArray<Request> = [H, C].map((space) => ({ ns: space, ask: { on: 'netns', do: 'add' } }))
const obey = (world: World, requests: ReadonlyArray<Request>) => {
  let now = world
  const errnos = requests.map((request) => {
    const result = askWorld(now, request)
    now = result.world
    return result.errno
  })
  return { world: now, errnos }
}

const stackIn = (world: World, space: Ns): Stack => {
  const stack = stackOf(world, space)
  if (stack === null) throw new Error(`no namespace ${space}`)
  return stack
}

/** The errnos of requests to `h`, and what both stacks tell after the last. */
export const tellOn = (machine: World, asks: ReadonlyArray<Ask>) => {
  const { world } = obey(machine, BEGIN)
  const told = obey(
    world,
    asks.map((ask) => ({ ns: H, ask })),
  )
  return { errnos: told.errnos, h: stackIn(told.world, H), c: stackIn(told.world, C) }
}
const DEBIAN: World = { ...EMPTY_WORLD, linux: { major: 6, minor: 1 } }
/** The errnos of these requests to `h`, and what both stacks tell after the last; the kernel has no VLANs on bridges. */
export const tell = (...asks: ReadonlyArray<Ask>) => tellOn(worldWithout('vlan-filtering'), asks)
/** The same of a kernel that has everything: Debian's 6.1. */
export const tellWhole = (...asks: ReadonlyArray<Ask>) => tellOn(DEBIAN, asks)
/** The errno of the last request. */
export const last = (...asks: ReadonlyArray<Ask>): string | null => tell(...asks).errnos.at(-1) ?? null

/** The errno of the last request to another machine. */
export const lastOn = (machine: World, ...asks: ReadonlyArray<Ask>): string | null =>
  tellOn(machine, asks).errnos.at(-1) ?? null

/** `device MAC [vlan] state [flags] [where to]`. */
export const fdbLines = ({ fdb }: Stack): ReadonlyArray<string> =>
  fdb.map(({ dev, mac: of, vlan, state, flags, dst, vni, port, via }) =>
    [
      ...[dev, showMac(of), ...(vlan === null ? [] : [`vlan ${vlan}`]), state, ...flags],
      ...(dst === null ? [] : [`dst ${showIp(dst)}`]),
      ...(vni === null ? [] : [`vni ${vni}`]),
      ...(port === null ? [] : [`port ${port}`]),
      ...(via === null ? [] : [`via ${via}`]),
    ].join(' '),
  )

export const vlanLines = ({ vlans }: Stack): ReadonlyArray<string> =>
  vlans.map(({ dev, id, pvid, untagged }) =>
    [dev, id, ...(pvid ? ['pvid'] : []), ...(untagged ? ['untagged'] : [])].join(' '),
  )

const hopsOf = ({ hops }: RouteFacts): string =>
  hops
    .map(({ via, dev, weight, flags }) =>
      [via === null ? '' : `via ${showIp(via)}`, dev ?? '', weight === 1 ? '' : `weight ${weight}`, ...flags]
        .filter((word) => word !== '')
        .join(' '),
    )
    .join(', ')

/** `type prefix hops [metric] [src]`. */
const lineOf = (fact: RouteFacts): string =>
  [
    fact.type,
    showCidr(fact.to),
    hopsOf(fact),
    fact.metric === 0 ? '' : `metric ${fact.metric}`,
    fact.src === null ? '' : `src ${showIp(fact.src)}`,
  ]
    .filter((word) => word !== '')
    .join(' ')

const routesOf = ({ routes }: Stack, table: number, four: boolean): ReadonlyArray<string> =>
  routes.filter((fact) => fact.table === table && (typeof fact.to.ip === 'number') === four).map(lineOf)
export const main4 = (stack: Stack): ReadonlyArray<string> => routesOf(stack, 254, true)
export const local4 = (stack: Stack): ReadonlyArray<string> => routesOf(stack, 255, true)
export const main6 = (stack: Stack): ReadonlyArray<string> => routesOf(stack, 254, false)
export const local6 = (stack: Stack): ReadonlyArray<string> => routesOf(stack, 255, false)

/** `prefix [peer] [flags]`, in the kernel's order. */
export const addressesOn = ({ addresses }: Stack, name: string): ReadonlyArray<string> =>
  addresses
    .filter(({ dev }) => dev === name)
    .map(({ cidr: own, peer, flags }) =>
      [showCidr(own), peer === null ? '' : `peer ${showIp(peer)}`, ...flags.filter((flag) => flag !== 'permanent')]
        .filter((word) => word !== '')
        .join(' '),
    )

export const linkIn = ({ links }: Stack, name: string): LinkFacts => {
  const link = links.find((one) => one.name === name)
  if (link === undefined) throw new Error(`no device ${name}`)
  return link
}

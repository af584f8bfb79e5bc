// A terminal to the simulated kernel: one world, which is a value, so that keeping the present and going back there cost nothing.

import type { Errno } from '../../kernel/errno.ts'
import type { KernelError } from '../../kernel/kernel.ts'
import type { Ask, Request } from '../../kernel/rtnl/request.ts'
import type { SysctlName } from '../../kernel/sysctl.ts'
import { draftOf, spaceOf } from '../../kernel-sim/control/draft.ts'
import { readSysctl } from '../../kernel-sim/control/sysctl.ts'
import { askWorld, hostWorld } from '../../kernel-sim/control.ts'
import { routeGet } from '../../kernel-sim/datapath/ip/route-get.ts'
import { spaceOf as spaceIn } from '../../kernel-sim/datapath/plane.ts'
import { runProbe } from '../../kernel-sim/datapath/probe.ts'
import { PARTS } from '../../kernel-sim/datapath/wired.ts'
import { onWorld } from '../../kernel-sim/datapath/world.ts'
import { nftCommand } from '../../kernel-sim/rulesets.ts'
import { stackOf } from '../../kernel-sim/stack.ts'
import { isNameless, type World } from '../../kernel-sim/state.ts'
import { isIp4 } from '../../net/ip.ts'
import { HOST, type Ns } from '../../net/name.ts'
import { valuesOf } from '../../net/pmap.ts'
import { E } from '../../prelude.ts'
import type { Answer, Program, RouteAnswer, RouteQuestion, Terminal } from '../../shell/terminal.ts'
import { readText } from './file.ts'

const now =
  <A>(find: () => A): Answer<A> =>
  async () =>
    E.right<KernelError, A>(find())

const NO_GATEWAY: ReadonlySet<Errno> = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'EACCES'])

/** The words that Linux has beside an errno, where a request can mean but one thing by it. The simulation tells errnos only. */
const wordsFor = (ask: Ask, errno: Errno): string | null => {
  if (ask.on === 'address') {
    const four = isIp4(ask.cidr.ip)
    if (errno === 'EEXIST') return four ? 'ipv4: Address already assigned' : 'ipv6: address already assigned'
    if (errno === 'EADDRNOTAVAIL' && ask.do === 'delete')
      return four ? 'ipv4: Address not found' : 'ipv6: address not found'
  }
  // fib_check_nh says it whatever the search for the gateway came to.
  if (ask.on === 'route' && ask.via !== undefined && isIp4(ask.to.ip) && NO_GATEWAY.has(errno))
    return 'Nexthop has invalid gateway'
  if (ask.on === 'link' && ask.do === 'set' && ask.mtu !== undefined && errno === 'EINVAL')
    return ask.mtu > 1500 ? 'mtu greater than device maximum' : 'mtu less than device minimum'
  return null
}

const routeTo = (world: World, ns: Ns, { to, from, oif }: RouteQuestion): RouteAnswer =>
  onWorld(PARTS, world, (plane, host): RouteAnswer => {
    const space = spaceIn(plane, host, ns)
    // What the kernel tells of a route of IPv6 beside its way is not found by a packet.
    if (space === null || !isIp4(to) || from !== null || oif !== null) return { tag: 'absent' }
    const told = routeGet(space, { to })
    if ('errno' in told) {
      const { errno } = told
      return errno === 'EMSGSIZE' || errno === 'EXDEV' ? { tag: 'absent' } : { tag: 'refused', errno }
    }
    if (told.type !== 'unicast' && told.type !== 'local') return { tag: 'absent' }
    return { tag: 'route', via: told.via, dev: told.dev, src: told.src, mtu: told.mtu, local: told.type === 'local' }
  }).result

const ONE_HOST = 'host'

/** `put` sets another world in place of the present one. */
export type SimTerminal = Terminal & Readonly<{ world: () => World; put: (next: World) => void }>

export const simTerminal = (initial: World = hostWorld()): SimTerminal => {
  let world = initial
  let death: string | null = null
  const kept = new Map<string, World>()
  const told = (request: Request): Errno | null => {
    const { world: next, errno } = askWorld(world, request)
    world = next
    return errno
  }
  return {
    kernel: 'sim',
    hosts: () => now(() => [ONE_HOST]),
    goTo: (host) => now(() => host === ONE_HOST),
    namespaces: () =>
      now(() =>
        valuesOf(world.namespaces)
          .map(({ ns }) => ns)
          .filter((ns) => ns !== HOST && !isNameless(ns)),
      ),
    ask: (request) =>
      now(() => {
        const errno = told(request)
        return errno === null ? null : { errno, words: wordsFor(request.ask, errno) }
      }),
    stackOf: (ns) => now(() => stackOf(world, ns)),
    sysctl: (ns, name) =>
      now(() => {
        const space = spaceOf(draftOf(world), ns)
        // Cast: a name that is none is not found.
        return space === null ? null : readSysctl(space, name as SysctlName)
      }),
    routeTo: (ns, question) => now(() => routeTo(world, ns, question)),
    program: (ns, { name, words, input }: Program) =>
      now(() => {
        const ran =
          name === 'nft'
            ? nftCommand(world, ns, words, (path) => (path === '-' && input !== '' ? input : readText(path)))
            : null
        if (ran === null) return null
        world = ran.world
        return ran.said
      }),
    probe: (probe) =>
      now(() => {
        const { world: next, verdict } = runProbe(PARTS, world, probe, { trace: false })
        world = next
        if (verdict.tag === 'died')
          death = `${verdict.why ?? 'nobody answered'}${verdict.where === null ? '' : ` (${verdict.where})`}`
        return verdict
      }),
    why: () => now(() => death),
    snapshot: (name) =>
      now(() => {
        kept.set(name, world)
        return true as const
      }),
    back: (name) =>
      now(() => {
        const then = kept.get(name)
        if (then !== undefined) world = then
        return then !== undefined
      }),
    file: (path) => now(() => readText(path)),
    world: () => world,
    put: (next) => {
      world = next
    },
  }
}

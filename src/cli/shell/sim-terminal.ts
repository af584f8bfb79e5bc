// A terminal to the simulated kernel: hosts on a fabric and the programs beside the commands, which are a value, so that keeping the
// present and going back there cost nothing.

import type { Errno } from '../../kernel/errno.ts'
import type { Ask, Request } from '../../kernel/rtnl/request.ts'
import type { SysctlName } from '../../kernel/sysctl.ts'
import { draftOf, spaceOf } from '../../kernel-sim/control/draft.ts'
import { readSysctl } from '../../kernel-sim/control/sysctl.ts'
import { askWorld, hostWorld } from '../../kernel-sim/control.ts'
import { emptyFabric, withHost } from '../../kernel-sim/fabric/fabric.ts'
import { nftCommand } from '../../kernel-sim/rulesets.ts'
import { stackOf } from '../../kernel-sim/stack.ts'
import { isNameless, type World } from '../../kernel-sim/state.ts'
import { isIp4 } from '../../net/ip.ts'
import { HOST, type Ns } from '../../net/name.ts'
import { getIn, keysUnder, setIn, valuesOf } from '../../net/pmap.ts'
import type { Done } from '../../shell/done.ts'
import type { Program, Terminal } from '../../shell/terminal.ts'
import { FILES, type Files } from './file.ts'
import { now } from './sim/answer.ts'
import { finish, start } from './sim/jobs.ts'
import { networkOf } from './sim/network.ts'
import { routeTo } from './sim/route-get.ts'
import { onNow, type Session, stepsToCome, worldHere } from './sim/session.ts'
import { whyOf } from './sim/why.ts'
import { wireOf } from './sim/wire.ts'

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

const FIRST_HOST = 'host'
const SEED = 1

/** `put` sets another world in place of the present host's. */
export type SimTerminal = Terminal & Readonly<{ world: () => World; put: (next: World) => void }>

export const simTerminal = (initial: World = hostWorld(), files: Files = FILES): SimTerminal => {
  const session: Session = {
    now: {
      fabric: withHost(emptyFabric(SEED), FIRST_HOST, initial),
      here: FIRST_HOST,
      jobs: [],
      nextJob: 1,
      steps: [],
    },
    kept: new Map(),
    sockets: new Map(),
    nextSocket: 1,
  }
  const world = (): World => worldHere(session)
  const put = (next: World): void => {
    const { fabric, here } = session.now
    session.now = { ...session.now, fabric: { ...fabric, hosts: setIn(fabric.hosts, here, next) } }
  }
  const told = (request: Request): Errno | null => {
    const { world: next, errno } = askWorld(world(), request)
    put(next)
    return errno
  }
  const nft = (ns: Ns, { name, words, input }: Program): Done | null => {
    if (name !== 'nft') return null
    const read = (path: string) => (path === '-' && input !== '' ? input : files.read(path))
    const ran = nftCommand(world(), ns, words, read)
    if (ran === null) return null
    put(ran.world)
    return ran.said
  }
  const hosts = (): ReadonlyArray<string> => keysUnder(session.now.fabric.hosts, '')
  return {
    kernel: 'sim',
    hosts: () => now(() => [session.now.here, ...hosts().filter((host) => host !== session.now.here)]),
    goTo: (host) =>
      now(() => {
        const isThere = getIn(session.now.fabric.hosts, host) !== undefined
        if (isThere) session.now = { ...session.now, here: host }
        return isThere
      }),
    namespaces: () =>
      now(() =>
        valuesOf(world().namespaces)
          .map(({ ns }) => ns)
          .filter((ns) => ns !== HOST && !isNameless(ns)),
      ),
    ask: (request) =>
      now(() => {
        const errno = told(request)
        return errno === null ? null : { errno, words: wordsFor(request.ask, errno) }
      }),
    stackOf: (ns) => now(() => stackOf(world(), ns)),
    sysctl: (ns, name) =>
      now(() => {
        const space = spaceOf(draftOf(world()), ns)
        // Cast: a name that is none is not found.
        return space === null ? null : readSysctl(space, name as SysctlName)
      }),
    routeTo: (ns, question) => now(() => routeTo(session.now.fabric, session.now.here, ns, question)),
    program: (ns, one) => now(() => nft(ns, one)),
    wire: () => now(() => wireOf(session)),
    begin: () =>
      now(() => {
        session.now = { ...session.now, steps: [] }
      }),
    why: () =>
      now(() => {
        const isAlone = hosts().length === 1
        return whyOf(session.now.steps, isAlone) ?? whyOf(stepsToCome(session), isAlone)
      }),
    sleep: (ms) => now(() => onNow(session, ({ plane, go }) => go(plane.nowMs + ms, () => false))),
    start: (ns, program, job) => now(() => start(session, ns, program, job)),
    jobs: () => now(() => session.now.jobs.map(({ number, line }) => ({ number, line }))),
    finish: (job, how) => now(() => finish(session, job, how, files)),
    network: networkOf(session),
    snapshot: (name) =>
      now(() => {
        session.kept.set(name, session.now)
        return true as const
      }),
    back: (name) =>
      now(() => {
        const then = session.kept.get(name)
        if (then !== undefined) session.now = then
        return then !== undefined
      }),
    file: (path) => now(() => files.read(path)),
    world,
    put,
  }
}

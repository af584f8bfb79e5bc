// A terminal to the running kernel: in a lab of fresh namespaces of its own, which whoever opens it takes down. Commands go through the
// same front end as with the simulated kernel; nft and the programs that look at packets are the machine's own.

import { setTimeout } from 'node:timers/promises'
import { strerror } from '../../kernel/errno.ts'
import type { KernelError } from '../../kernel/kernel.ts'
import type { Request } from '../../kernel/rtnl/request.ts'
import type { SysctlName } from '../../kernel/sysctl.ts'
import { bareWords } from '../../kernel-linux/errno.ts'
import { type Lab, netnsPath } from '../../kernel-linux/names.ts'
import { realNames } from '../../kernel-linux/observe.ts'
import { portError } from '../../kernel-linux/place.ts'
import { askLinux, type Way } from '../../kernel-linux/rtnl/ask.ts'
import { stacksOf } from '../../kernel-linux/rtnl/stack.ts'
import { type Run, runWithin } from '../../kernel-linux/run.ts'
import { throughProc } from '../../kernel-linux/sysctl/in-process.ts'
import { HOST, type Ns, parseNs } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import type { Done } from '../../shell/done.ts'
import type { Answer, Program, Refusal, RouteAnswer, Terminal } from '../../shell/terminal.ts'
import { readText } from './file.ts'
import { jobsOf } from './linux/jobs.ts'
import { FIRST_HOST, hostNames, networkOn, prefixOf } from './linux/network.ts'
import { LONGEST_MS, runProgram } from './linux/program.ts'

const now =
  <A>(value: A): Answer<A> =>
  async () =>
    E.right<KernelError, A>(value)

const STOPPED: KernelError = { tag: 'KernelUnavailable', what: 'the shell was stopped', hint: null }
/** Their answers are the real program's, with the real status. */
const OWN_PROGRAMS = new Set(['nft', 'ping', 'nc', 'arping', 'traceroute', 'tcpdump'])

/** The namespaces of a host by the names that commands know them by. */
const spacesOf = async (prefix: string): Promise<ReadonlyArray<Ns>> => {
  const names = [...(await realNames())].filter((real) => real.startsWith(prefix)).sort()
  return names.flatMap((real) => {
    const ns = parseNs(real.slice(prefix.length))
    return E.isRight(ns) ? [ns.right] : []
  })
}

/** One host: its namespaces, and how they are asked. */
const hostOf = (lab: Lab, host: string, way: Way, run: Run) => {
  const names = hostNames(lab, host)
  const sysctls = throughProc((ns) => {
    const real = names(ns)
    return real === null ? null : netnsPath(real)
  })
  const sysctl = async (ns: Ns, name: string): Promise<Either<KernelError, string | null>> => {
    if (E.isLeft(sysctls)) return E.left(portError('sysctl', sysctls.left))
    // Cast: a name that is none is not found.
    const found = await sysctls.right.look(ns, [name as SysctlName])
    return E.isLeft(found) ? found : E.right(found.right[0]?.value ?? null)
  }
  return { names, prefix: prefixOf(lab, host), ask: askLinux(names, way, run), sysctl }
}
type Host = ReturnType<typeof hostOf>

/** After `stop` nothing more is begun, and programs that still run are interrupted. */
export const linuxTerminal = (lab: Lab, way: Way, stop: AbortSignal): Terminal => {
  const run = runWithin(1)
  const known = new Map<string, Host>()
  const hostCalled = (name: string): Host => {
    const host = known.get(name) ?? hostOf(lab, name, way, run)
    known.set(name, host)
    return host
  }
  let here = FIRST_HOST
  const present = (): Host => hostCalled(here)
  const jobs = jobsOf(stop)

  const askAt = async (host: Host, request: Request): Promise<Either<KernelError, Refusal | null>> => {
    if (stop.aborted) return E.left(STOPPED)
    const answer = await host.ask(request)
    if (E.isLeft(answer) || answer.right === null) return answer as Either<KernelError, null>
    const { errno, detail } = answer.right
    const words = bareWords(detail)
    return E.right({ errno, words: words === strerror[errno] ? null : words })
  }
  const program = async (ns: Ns, one: Program): Promise<Either<KernelError, Done | null>> => {
    if (stop.aborted) return E.left(STOPPED)
    const real = present().names(ns)
    return E.right(real === null || !OWN_PROGRAMS.has(one.name) ? null : await runProgram(real, one, stop))
  }
  const routeTo = async (ns: Ns, words: ReadonlyArray<string>): Promise<Either<KernelError, RouteAnswer>> => {
    const ran = await run(present().names(ns), 'ip', words)
    return E.isLeft(ran) ? ran : E.right({ tag: 'said', done: ran.right })
  }
  const network = networkOn(lab, run, async (host) => {
    const made = await askAt(hostCalled(host), { ns: HOST, ask: { on: 'netns', do: 'add' } })
    return E.isLeft(made) ? made : E.right(made.right === null ? null : `host: ${made.right.words ?? made.right.errno}`)
  })
  return {
    kernel: 'linux',
    hosts: () => async () => E.right([here, ...network.hosts().filter((host) => host !== here)]),
    goTo: (host) => async () => {
      const isThere = network.hosts().includes(host)
      if (isThere) here = host
      return E.right(isThere)
    },
    namespaces: () => async () => E.right((await spacesOf(present().prefix)).filter((ns) => ns !== HOST)),
    ask: (request) => () => askAt(present(), request),
    stackOf: (ns) => async () => {
      const { names, prefix } = present()
      const stacks = await stacksOf(names, await spacesOf(prefix))
      return E.isLeft(stacks) ? stacks : E.right(stacks.right.get(ns) ?? null)
    },
    sysctl: (ns, name) => () => present().sysctl(ns, name),
    routeTo:
      (ns, { words }) =>
      () =>
        routeTo(ns, words),
    program: (ns, one) => () => program(ns, one),
    wire: () => now(null),
    begin: () => now(undefined),
    why: () => now(null),
    sleep: (ms) => async () => {
      await setTimeout(Math.min(ms, LONGEST_MS), null, { signal: stop }).catch(() => {})
      return E.right(undefined)
    },
    start: (ns, one) => async () => {
      if (stop.aborted) return E.left(STOPPED)
      const real = present().names(ns)
      return E.right(real === null ? 'there is no such namespace' : await jobs.start(real, one))
    },
    jobs: () => async () => E.right(jobs.all()),
    finish: (job, how) => async () => E.right(await jobs.finish(job, how)),
    network,
    snapshot: () => now(null),
    back: () => now(null),
    file: (path) => now(readText(path)),
  }
}

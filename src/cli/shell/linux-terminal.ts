// A terminal to the running kernel: in a lab of fresh namespaces of its own, which whoever opens it takes down. Commands go through the
// same front end as with the simulated kernel; nft and the programs that look at packets are the machine's own.

import { strerror } from '../../kernel/errno.ts'
import type { KernelError } from '../../kernel/kernel.ts'
import type { Request } from '../../kernel/rtnl/request.ts'
import type { SysctlName } from '../../kernel/sysctl.ts'
import { bareWords } from '../../kernel-linux/errno.ts'
import { type Lab, labNames, labPrefix, netnsPath } from '../../kernel-linux/names.ts'
import { realNames } from '../../kernel-linux/observe.ts'
import { portError } from '../../kernel-linux/place.ts'
import { askLinux, type Way } from '../../kernel-linux/rtnl/ask.ts'
import { stacksOf } from '../../kernel-linux/rtnl/stack.ts'
import { runWithin } from '../../kernel-linux/run.ts'
import { throughProc } from '../../kernel-linux/sysctl/in-process.ts'
import { HOST, type Ns, parseNs } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import type { Done } from '../../shell/done.ts'
import type { Answer, Program, Refusal, RouteAnswer, Terminal } from '../../shell/terminal.ts'
import { readText } from './file.ts'
import { runProgram } from './program.ts'

const now =
  <A>(value: A): Answer<A> =>
  async () =>
    E.right<KernelError, A>(value)

const STOPPED: KernelError = { tag: 'KernelUnavailable', what: 'the shell was stopped', hint: null }
const ONE_HOST = 'host'
/** Their answers are the real program's, with the real status. */
const OWN_PROGRAMS = new Set(['nft', 'ping', 'nc', 'arping', 'traceroute', 'tcpdump'])

/** The namespaces of the lab by the names that commands know them by. */
const spacesOf = async (lab: Lab): Promise<ReadonlyArray<Ns>> => {
  const prefix = labPrefix(lab)
  const names = [...(await realNames())].filter((real) => real.startsWith(prefix)).sort()
  return names.flatMap((real) => {
    const ns = parseNs(real.slice(prefix.length))
    return E.isRight(ns) ? [ns.right] : []
  })
}

/** After `stop` nothing more is begun, and programs that still run are interrupted. */
export const linuxTerminal = (lab: Lab, way: Way, stop: AbortSignal): Terminal => {
  const names = labNames(lab)
  const run = runWithin(1)
  const askKernel = askLinux(names, way, run)
  const sysctls = throughProc((ns) => {
    const real = names(ns)
    return real === null ? null : netnsPath(real)
  })

  const ask = async (request: Request): Promise<Either<KernelError, Refusal | null>> => {
    if (stop.aborted) return E.left(STOPPED)
    const answer = await askKernel(request)
    if (E.isLeft(answer) || answer.right === null) return answer as Either<KernelError, null>
    const { errno, detail } = answer.right
    const words = bareWords(detail)
    return E.right({ errno, words: words === strerror[errno] ? null : words })
  }
  const program = async (ns: Ns, one: Program): Promise<Either<KernelError, Done | null>> => {
    if (stop.aborted) return E.left(STOPPED)
    const real = names(ns)
    return E.right(real === null || !OWN_PROGRAMS.has(one.name) ? null : await runProgram(real, one, stop))
  }
  const routeTo = async (ns: Ns, words: ReadonlyArray<string>): Promise<Either<KernelError, RouteAnswer>> => {
    const ran = await run(names(ns), 'ip', words)
    return E.isLeft(ran) ? ran : E.right({ tag: 'said', done: ran.right })
  }
  const sysctl = async (ns: Ns, name: string): Promise<Either<KernelError, string | null>> => {
    if (E.isLeft(sysctls)) return E.left(portError('sysctl', sysctls.left))
    // Cast: a name that is none is not found.
    const found = await sysctls.right.look(ns, [name as SysctlName])
    return E.isLeft(found) ? found : E.right(found.right[0]?.value ?? null)
  }
  return {
    kernel: 'linux',
    hosts: () => now([ONE_HOST]),
    goTo: (host) => now(host === ONE_HOST),
    namespaces: () => async () => E.right((await spacesOf(lab)).filter((ns) => ns !== HOST)),
    ask: (request) => () => ask(request),
    stackOf: (ns) => async () => {
      const stacks = await stacksOf(names, await spacesOf(lab))
      return E.isLeft(stacks) ? stacks : E.right(stacks.right.get(ns) ?? null)
    },
    sysctl: (ns, name) => () => sysctl(ns, name),
    routeTo:
      (ns, { words }) =>
      () =>
        routeTo(ns, words),
    program: (ns, one) => () => program(ns, one),
    probe: () => now(null),
    why: () => now(null),
    snapshot: () => now(null),
    back: () => now(null),
    file: (path) => now(readText(path)),
  }
}

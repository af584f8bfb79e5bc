// Starts the tools, in a namespace if asked. `ip` and `bridge` enter it themselves (-n); the others are started by
// nsenter(1), which, unlike `ip netns exec`, leaves the mounts alone. /proc/sys/net is that of the reader's namespace.

import { execa } from 'execa'
import type { KernelError } from '../kernel/kernel.ts'
import { E, type Either } from '../prelude.ts'
import { limitOf } from './limit.ts'
import { netnsPath } from './names.ts'

export const TOOLS = ['ip', 'bridge', 'ss', 'nft', 'sysctl', 'ping', 'nsenter', 'unshare'] as const
/** conntrack(8) is used where it is there. */
export type Tool = (typeof TOOLS)[number] | 'conntrack'

/** Debian's packages. */
export const PACKAGE: Readonly<Record<Tool, string>> = {
  ip: 'iproute2',
  bridge: 'iproute2',
  ss: 'iproute2',
  nft: 'nftables',
  sysctl: 'procps',
  ping: 'iputils-ping',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  conntrack: 'conntrack',
}

export type Ran = Readonly<{ status: number; stdout: string; stderr: string }>
/**
 * `real`: a name below /run/netns, or null for the namespace of this process. Left: the tool could not be started, or did not end by
 * itself, so that what it did not do was refused by nobody.
 */
export type Run = (
  real: string | null,
  tool: Tool,
  args: ReadonlyArray<string>,
  input?: string,
) => Promise<Either<KernelError, Ran>>

export const unavailable = (what: string, hint: string | null = null): KernelError => ({
  tag: 'KernelUnavailable',
  what,
  hint,
})

const missing = (tool: Tool): KernelError =>
  unavailable(
    `the program ${tool} was not found`,
    `apt-get install ${[...new Set(TOOLS.map((each) => PACKAGE[each]))].join(' ')} (${tool} is in ${PACKAGE[tool]})`,
  )

/** The words that start a program in a namespace. */
export const inNamespace = (real: string | null, words: ReadonlyArray<string>): ReadonlyArray<string> =>
  real === null ? words : ['nsenter', `--net=${netnsPath(real)}`, '--', ...words]

const argvOf = (real: string | null, tool: Tool, args: ReadonlyArray<string>): ReadonlyArray<string> =>
  tool === 'ip' || tool === 'bridge'
    ? [tool, ...(real === null ? [] : ['-n', real]), ...args]
    : inNamespace(real, [tool, ...args])

/** What nsenter answers when it finds no program of that name. */
const NOT_FOUND = 127

/** Where Debian keeps the tools; `su` without `-` leaves these out. */
export const searchPath = (): string => [process.env['PATH'], '/usr/local/sbin', '/usr/sbin', '/sbin'].join(':')

export const runWithin = (processes: number, path = searchPath()): Run => {
  const limit = limitOf(processes)
  return (real, tool, args, input = '') =>
    limit(async () => {
      const [file = '', ...rest] = argvOf(real, tool, args)
      const ran = await execa(file, rest, {
        input,
        reject: false,
        stripFinalNewline: false,
        maxBuffer: 1 << 28,
        env: { LC_ALL: 'C', PATH: path },
        // Out of the terminal's sight: Ctrl-C is for this process, which lets what it has begun come to its end.
        detached: true,
      })
      if (ran.code === 'ENOENT') return E.left(missing(file === tool ? tool : 'nsenter'))
      if (file !== tool && ran.exitCode === NOT_FOUND) return E.left(missing(tool))
      if (ran.exitCode === undefined)
        return E.left(unavailable(`${tool} ended before it was done (${ran.signal ?? ran.code ?? 'no status'})`))
      return E.right({ status: ran.exitCode, stdout: ran.stdout, stderr: ran.stderr })
    })
}

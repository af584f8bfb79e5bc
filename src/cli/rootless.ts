// `--rootless`: the same command line once more, in a user namespace in which this user is root, with namespaces of its own for
// networks and mounts. Whatever it makes can be seen in there only, and goes with the last process in it. Node has threads, and
// a process with threads cannot enter a new user namespace (unshare(2), EINVAL), so unshare(1) starts it.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { lookAtUserns } from '../kernel-linux/capabilities/look.ts'
import { NETNS_DIR } from '../kernel-linux/names.ts'
import { searchPath } from '../kernel-linux/run.ts'
import { E, type Either } from '../prelude.ts'
import { EXIT } from './exit.ts'
import { type Problem, problem } from './problem.ts'

/** What the script below ends with when it cannot prepare the place; none of our own statuses. */
const UNPREPARED = 125

/**
 * A place of our own for the names of namespaces, and then the command, which ends when we do, however that is. $1 is what is
 * covered: the directory of the names, or one above it where there is none yet.
 */
const PREPARED = `mount -t tmpfs -o mode=755 cnm "$1" && mkdir -p "$2" || exit ${UNPREPARED}
shift 2
exec setpriv --pdeathsig KILL -- "$@"`

const RUN = '/run'
const WORDS = ['--user', '--map-root-user', '--net', '--mount', '--propagation', 'private', '--', 'sh', '-c', PREPARED]

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** How it ended, as shells report it. Signals are handed on; from a terminal they come to both. */
const ended = (words: ReadonlyArray<string>): Promise<number | Error> =>
  new Promise((resolve) => {
    const covered = existsSync(NETNS_DIR) ? NETNS_DIR : RUN
    const env = { ...process.env, PATH: searchPath() }
    const child = spawn('unshare', [...WORDS, 'cnm', covered, NETNS_DIR, ...words], { stdio: 'inherit', env })
    const pass = (signal: NodeJS.Signals): void => {
      child.kill(signal)
    }
    for (const signal of SIGNALS) process.on(signal, pass)
    const end = (how: number | Error): void => {
      for (const signal of SIGNALS) process.off(signal, pass)
      resolve(how)
    }
    child.once('error', end)
    child.once('close', (code, signal) => end(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
  })

/** Of a command line the words that say the same without `--rootless`, to be said on the kernel of that namespace. */
export const withinWords = ([verb = '', ...rest]: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = rest.indexOf('--')
  return [verb, '--kernel', 'linux', ...rest.filter((word, at) => word !== '--rootless' || (end >= 0 && at > end))]
}

/** `args`: what this process was called with. Right: the status of what was done. */
export const rootless = async (args: ReadonlyArray<string>): Promise<Either<Problem, number>> => {
  if (process.platform !== 'linux') return problem(EXIT.machine, `this is ${process.platform}, not Linux`)
  const userns = await lookAtUserns()
  if (userns.is === 'lacking')
    return problem(EXIT.machine, `no user namespace can be made here: ${userns.why}; run it as root`)
  const [script = ''] = process.argv.slice(1)
  const status = await ended([process.execPath, ...process.execArgv, script, ...withinWords(args)])
  if (status instanceof Error)
    return problem(EXIT.machine, `unshare could not be started: ${status.message}; apt-get install util-linux`)
  return status === UNPREPARED
    ? problem(EXIT.machine, 'nothing can be mounted in a user namespace here; run it as root')
    : E.right(status)
}

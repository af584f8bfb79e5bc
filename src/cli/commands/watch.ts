// cnm doctor --watch: stays, and puts right what somebody changes on the host, as soon as the kernel tells of it; now and then also
// by itself, for what the kernel does not tell.

import { setTimeout as sleep } from 'node:timers/promises'
import { type NetlinkError, showNetlinkError } from '../../kernel-linux/netlink/error.ts'
import { watchHost } from '../../kernel-linux/watch.ts'
import { E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import { exitOf, untilSignal } from '../guard.ts'
import { bellOf } from '../host/bell.ts'
import { besidePlace } from '../host/kept.ts'
import { kernelOf } from '../host/open.ts'
import { type Looked, type WatchOptions as LookOptions, lookerOf } from '../host/watch.ts'
import type { Io } from '../io.ts'
import { type Problem, problem } from '../problem.ts'

/** `every`: seconds. */
export type WatchOptions = LookOptions & Readonly<{ every: number }>

/** News comes in swarms. */
const SETTLE_MS = 50

/** With each repair that follows a repair the time doubles: somebody may want the same otherwise. */
export const settleMs = (repairs: number, everyMs: number): number => Math.min(SETTLE_MS * 2 ** repairs, everyMs)
/** So many times as long as the last look took, there is no other: at most a third of the time is spent on looking. */
const REST = 2
/** When to look again by itself. */
const BUSY_MS = 100
const FAILED_MS = 1000

const pauseMs = (looked: Either<Problem, Looked>, everyMs: number): number => {
  if (E.isLeft(looked)) return Math.min(FAILED_MS, everyMs)
  return looked.right === 'busy' ? BUSY_MS : everyMs
}

/** Says what went wrong, and the same not twice in a row. */
const complainer = (io: Io): ((problem: Problem | null) => void) => {
  let said = ''
  return (problem) => {
    const lines = problem?.lines ?? []
    if (lines.join('\n') !== said) for (const line of lines) io.err(line)
    said = lines.join('\n')
  }
}

const cannotHear = (error: NetlinkError): Either<Problem, never> =>
  problem(EXIT.machine, `the changes of this machine cannot be heard: ${showNetlinkError(error)}`)

const watching = async (io: Io, options: WatchOptions, stop: AbortSignal): Promise<Either<Problem, number>> => {
  const kernel = await kernelOf(options)
  if (E.isLeft(kernel)) return kernel
  const bell = bellOf()
  let failed: NetlinkError | null = null
  const heard = watchHost({
    hear: (end) => {
      failed ??= end
      bell.ring()
    },
  })
  if (E.isLeft(heard)) {
    await kernel.right.close()
    return cannotHear(heard.left)
  }
  const beside = besidePlace(options.store)
  const look = lookerOf(io, options, kernel.right, beside)
  const complain = complainer(io)
  const everyMs = options.every * 1000
  let repairs = 0
  io.err('watching this host; Ctrl-C ends it')
  try {
    while (!stop.aborted && failed === null) {
      bell.still()
      const start = performance.now()
      const looked = await look(stop)
      complain(E.isLeft(looked) ? looked.left : null)
      if (!(await io.ready())) return E.right(EXIT.ok)
      const end = performance.now()
      repairs = E.isRight(looked) && looked.right === 'repaired' ? repairs + 1 : 0
      await bell.wait(pauseMs(looked, everyMs), stop)
      const restMs = end + REST * (end - start) - performance.now()
      if (!stop.aborted)
        await sleep(Math.max(settleMs(repairs, everyMs), restMs), undefined, { signal: stop }).catch(() => {})
    }
    return failed === null ? E.right(EXIT.ok) : cannotHear(failed)
  } finally {
    heard.right.close()
    await beside.close()
    await kernel.right.close()
  }
}

export const watch = async (io: Io, options: WatchOptions): Promise<Either<Problem, number>> => {
  if (options.kernel === 'sim')
    return problem(EXIT.wrong, '--watch is for the kernel of this machine: nothing changes on a simulated one')
  const { value, signal } = await untilSignal((stop) => watching(io, options, stop))
  return signal === null || E.isLeft(value) ? value : E.right(exitOf(signal))
}

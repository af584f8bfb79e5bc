// Whatever a benchmark makes on the machine goes away behind it: when it ends, when it throws, and when a signal or a defect ends
// the process. Namespaces that a killed benchmark left are taken away by the next one, which knows them by their name.

import { existsSync, readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname } from 'node:path'
import { removeLab } from '../../src/kernel-linux/lab.ts'
import { type Lab, labNames, labOfName, NETNS_DIR, parseLab } from '../../src/kernel-linux/names.ts'
import { createNetns, prepareNetnsDir } from '../../src/kernel-linux/netlink/netns.ts'
import { HOST, type Ns } from '../../src/net/name.ts'
import { E, type Either } from '../../src/prelude.ts'

type Undo = () => Promise<unknown> | unknown
/** Takes what is to be done behind the benchmark; the last first. */
export type Later = (undo: Undo) => void

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const undos: Undo[] = []
let stopping: Promise<never> | null = null

const undoTo = async (length: number): Promise<void> => {
  while (undos.length > length) {
    try {
      await undos.pop()?.()
    } catch (error) {
      console.error('a benchmark could not take away what it had made:', error)
    }
  }
}

const stopWith = (code: number): void => {
  stopping ??= undoTo(0).then(() => process.exit(code))
}
const stop = (signal: (typeof SIGNALS)[number]): void => stopWith(128 + constants.signals[signal])

const DEFECT = 70
const crash = (error: unknown): void => {
  console.error(error)
  stopWith(DEFECT)
}

/** Runs a benchmark, and then what it said is to be done behind it. */
export const tidily = async <A>(work: (later: Later) => Promise<A>): Promise<A> => {
  const outermost = undos.length === 0
  const before = undos.length
  if (outermost) {
    await removeLeftovers()
    for (const signal of SIGNALS) process.on(signal, stop)
    process.on('uncaughtException', crash)
  }
  try {
    return await work((undo) => undos.push(undo))
  } finally {
    // What was torn down under a benchmark makes it fail: nothing to report.
    if (stopping !== null) await stopping
    await undoTo(before)
    if (outermost) {
      for (const signal of SIGNALS) process.off(signal, stop)
      process.off('uncaughtException', crash)
    }
  }
}

export const right = <A>(result: Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const NAME = /^bench-.*-([1-9][0-9]*)$/

/** The lab of a part of a benchmark; it is removed behind it. */
export const labFor = (later: Later, what: string): Lab => {
  const lab = right(parseLab(`bench-${what}-${process.pid}`))
  later(async () => right(await removeLab(lab)))
  return lab
}

const removeLeftovers = async (): Promise<void> => {
  const names = existsSync(NETNS_DIR) ? readdirSync(NETNS_DIR) : []
  for (const lab of new Set(names.map(labOfName))) {
    const pid = NAME.exec(lab ?? '')?.[1]
    if (lab !== null && pid !== undefined && !existsSync(`/proc/${pid}`)) right(await removeLab(lab))
  }
}

/** The file of a namespace of a lab. */
export const pathIn = (lab: Lab, ns: Ns = HOST): string => {
  const real = labNames(lab)(ns)
  if (real === null) throw new Error('a lab has no namespace that is this process’s own')
  return real.startsWith('/') ? real : `${NETNS_DIR}/${real}`
}

/** Makes a namespace of a lab. */
export const makeSpace = (lab: Lab, ns: Ns = HOST): string => {
  const path = pathIn(lab, ns)
  right(prepareNetnsDir(dirname(path)))
  right(createNetns(path))
  return path
}

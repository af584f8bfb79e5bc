// How signals end a piece of work: either what it made is taken down first, whatever ends it (its own end, a failure, Ctrl-C, a
// closed terminal), or what it has begun is let come to its end, and nothing more is begun.

import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
type Ending = (typeof SIGNALS)[number]

/** 128 and the signal's number, as shells report it. */
export const exitOf = (signal: Ending): number => 128 + constants.signals[signal]

export type Guarded<A> = Readonly<{ tag: 'done'; value: A } | { tag: 'stopped'; signal: Ending }>

/**
 * Runs `work`, then `cleanUp`, in every case and once. A signal stops the work: `stop` is aborted, and what still runs of
 * it is not waited for, so `cleanUp` must bear company. Further signals wait for the end of the cleaning.
 */
export const guarded = async <A>(
  work: (stop: AbortSignal) => Promise<A>,
  cleanUp: (end: 'done' | 'failed' | 'stopped', value: A | null) => Promise<void>,
): Promise<Guarded<A>> => {
  const controller = new AbortController()
  let heard: (signal: Ending) => void = () => {}
  const signalled = new Promise<Ending>((resolve) => {
    heard = resolve
  })
  for (const signal of SIGNALS) process.on(signal, heard)
  try {
    const running = work(controller.signal)
    running.catch(() => {})
    const first = await Promise.race([
      running.then((value): Guarded<A> => ({ tag: 'done', value })),
      signalled.then((signal): Guarded<A> => ({ tag: 'stopped', signal })),
    ]).catch(async (error: unknown) => {
      await cleanUp('failed', null)
      throw error
    })
    if (first.tag === 'stopped') controller.abort()
    await cleanUp(first.tag, first.tag === 'done' ? first.value : null)
    return first
  } finally {
    for (const signal of SIGNALS) process.off(signal, heard)
  }
}

/** `signal` null: none came. */
export type Finished<A> = Readonly<{ value: A; signal: Ending | null }>

/**
 * Runs work that leaves nothing by half: a signal aborts `stop`, upon which it begins nothing more, and is waited for. A second
 * signal ends the process as if nobody listened.
 */
export const untilSignal = async <A>(work: (stop: AbortSignal) => Promise<A>): Promise<Finished<A>> => {
  const controller = new AbortController()
  let signal: Ending | null = null
  const deafen = (): void => {
    for (const each of SIGNALS) process.off(each, hear)
  }
  const hear = (heard: Ending): void => {
    signal = heard
    deafen()
    controller.abort()
  }
  for (const each of SIGNALS) process.on(each, hear)
  try {
    const value = await work(controller.signal)
    return { value, signal }
  } finally {
    deafen()
  }
}

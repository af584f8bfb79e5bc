// Time as stores use it, so that a test or a simulation can pass its own.

/** Does `work` once, that much later. Returns how to withdraw it. */
export type Clock = Readonly<{ after: (ms: number, work: () => void) => () => void }>

/** Timers of it alone do not keep the process alive. */
export const systemClock: Clock = {
  after: (ms, work) => {
    const timer = setTimeout(work, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

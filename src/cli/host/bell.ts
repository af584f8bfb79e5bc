// Rings when there is news; who waits for it is woken at once, and who comes later finds that it rang.

export type Bell = Readonly<{
  ring: () => void
  /** Forgets that it rang. */
  still: () => void
  /** Until it rings, the time is over, or `stop` aborts. */
  wait: (ms: number, stop: AbortSignal) => Promise<void>
}>

export const bellOf = (): Bell => {
  let rang = false
  let wake: () => void = () => {}
  return {
    ring: () => {
      rang = true
      wake()
    },
    still: () => {
      rang = false
    },
    wait: (ms, stop) =>
      new Promise((resolve) => {
        const end = (): void => {
          clearTimeout(timer)
          stop.removeEventListener('abort', end)
          wake = () => {}
          resolve()
        }
        const timer = setTimeout(end, ms)
        stop.addEventListener('abort', end)
        wake = end
        if (rang || stop.aborted) end()
      }),
  }
}

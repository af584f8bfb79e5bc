// At most so many at a time; the others wait in the order they came.

export type Limit = <A>(task: () => Promise<A>) => Promise<A>

export const limitOf = (atOnce: number): Limit => {
  let running = 0
  const waiting: Array<() => void> = []
  const leave = (): void => {
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }
  return async (task) => {
    if (running < atOnce) running += 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await task()
    } finally {
      leave()
    }
  }
}

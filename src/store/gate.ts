// So many at once; the others wait for their turn, in order.

export type Gate = <A>(work: () => Promise<A>) => Promise<A>

export const makeGate = (most: number): Gate => {
  let free = most
  const waiting: Array<() => void> = []
  return async (work) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    }
  }
}

// Long work is cut into stretches, so that whoever else has business in this process waits for one of them at most.

/** Lets everything that waits have its turn on the event loop. A browser has no setImmediate. */
export const breathe = (): Promise<void> =>
  new Promise((resolve) => void (typeof setImmediate === 'function' ? setImmediate(resolve) : setTimeout(resolve)))

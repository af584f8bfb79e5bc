// Long work is cut into stretches, so that whoever else has business in this process waits for one of them at most.

/** Lets others have their turn. */
export type Breathe = () => Promise<void>

/** Everything that waits on the event loop. A browser has no setImmediate. */
export const systemBreath: Breathe = () =>
  new Promise((resolve) => void (typeof setImmediate === 'function' ? setImmediate(resolve) : setTimeout(resolve)))

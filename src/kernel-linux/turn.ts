// Long work is cut into pieces, so that nothing else waits for more than one of them.

/** Lets everything that waits have its turn on the event loop. */
export const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

// The heap as it is after a full collection, for benchmarks of memory.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
// A cast: the flag above puts gc into new contexts.
const gc = runInNewContext('gc') as () => void

/** Twice: the first may leave what only weak references held. */
export const collect = (): void => {
  gc()
  gc()
}

export const heapUsedMb = (): number => process.memoryUsage().heapUsed / 1e6

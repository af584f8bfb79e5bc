// Drivers whose networks hold nothing, of which there is one each: `host`, for a container that shares the host's
// namespace, and `null` (Docker's network `none`), for one with a loopback device and nothing else, which every sandbox has.

import type { Driver } from './driver.ts'
import { PLAIN } from './plain.ts'

const holdingNothing = (type: string): Driver => ({
  ...PLAIN,
  type,
  addresses: false,
  single: true,
  network: () => [],
  endpoint: () => [],
})

export const host = holdingNothing('host')
export const nullDriver = holdingNothing('null')

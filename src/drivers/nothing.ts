// Drivers whose networks hold nothing, of which there is one each: `host`, for a container that shares the host's
// namespace, and `null` (Docker's network `none`), for one with a loopback device and nothing else, which every sandbox has.

import { E } from '../prelude.ts'
import type { Driver } from './driver.ts'

const holdingNothing = (type: string): Driver => ({
  type,
  scope: 'local',
  addresses: false,
  severalSubnets: false,
  single: true,
  configure: () => E.right({}),
  accepts: (config) => Object.keys(config).length === 0,
  objection: () => null,
  network: () => [],
  endpoint: () => [],
})

export const host = holdingNothing('host')
export const nullDriver = holdingNothing('null')

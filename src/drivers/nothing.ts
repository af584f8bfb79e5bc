// Drivers whose networks hold nothing, of which there is one each: `host`, for a container that shares the host's
// namespace, and `null` (Docker's network `none`), for one with a loopback device and nothing else, which every sandbox has.

import type { Driver } from './driver.ts'
import { PLAIN } from './plain.ts'

const holdingNothing = (type: string, about: string): Driver => ({
  ...PLAIN,
  type,
  about,
  options: {},
  addresses: false,
  single: true,
  network: () => [],
  endpoint: () => [],
})

export const host = holdingNothing(
  'host',
  'A container of this network shares the namespace of the host: its devices, its addresses, its ports. There is one such network.',
)
export const nullDriver = holdingNothing(
  'null',
  'A container of this network has a loopback device and nothing else. There is one such network; Docker calls it `none`.',
)

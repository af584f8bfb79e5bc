// The null driver (Docker's network `none`): a container with a loopback device and nothing else, which every sandbox has.

import { E } from '../prelude.ts'
import type { Driver } from './driver.ts'

export const nullDriver: Driver = {
  type: 'null',
  scope: 'local',
  addresses: false,
  single: true,
  configure: () => E.right({}),
  objection: () => null,
  network: () => [],
  endpoint: () => [],
}

// The host driver: a container that shares the host's namespace. Nothing to hold.

import { E } from '../prelude.ts'
import type { Driver } from './driver.ts'

export const host: Driver = {
  type: 'host',
  scope: 'local',
  addresses: false,
  single: true,
  configure: () => E.right({}),
  objection: () => null,
  network: () => [],
  endpoint: () => [],
}

// The rules of a driver that asks for nothing special: bridges of one host with a gateway each, say. A driver says what is its own.

import type { DriverRules } from '../model/rules.ts'
import type { NetworkPool } from '../model/types.ts'
import { E } from '../prelude.ts'

export const exitByGateway = ({ gateway }: Pick<NetworkPool, 'gateway'>): ReturnType<DriverRules['exit']> =>
  gateway === null ? null : { by: 'gateway', via: gateway }

export const PLAIN: Omit<DriverRules, 'type'> = {
  scope: 'local',
  addresses: true,
  severalSubnets: false,
  single: false,
  ownMac: () => true,
  seats: () => null,
  below: () => null,
  devices: () => [],
  configure: () => E.right({}),
  accepts: (config) => Object.keys(config).length === 0,
  internal: () => false,
  objection: () => null,
  conflict: () => null,
  gateway: () => 'always',
  exit: (_, pool) => exitByGateway(pool),
  needsGateway: false,
  prefix: () => 'eth',
}

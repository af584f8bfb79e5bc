// What `decide` must know of a driver. Drivers are values of this type and more (src/drivers/driver.ts); the model sees
// no more of them than this.

import type { Family } from '../net/ip.ts'
import type { Either } from '../prelude.ts'
import type { CnmError } from './error.ts'
import type { DriverConfig, NetworkScope, Texts } from './types.ts'

export type DriverRules = Readonly<{
  type: string
  /** Where the network exists: on this host, or on all of a cluster. */
  scope: NetworkScope
  /** Whether its networks have subnets and its endpoints addresses. */
  addresses: boolean
  /** Whether its networks may have several subnets of one family. */
  severalSubnets: boolean
  /** Whether there is one network of this driver at most. */
  single: boolean
  /** Reads the user's options and fills defaults. */
  configure: (options: Texts) => Either<CnmError, DriverConfig>
  /** Whether `configure` can have made this. */
  accepts: (config: DriverConfig) => boolean
  /** Why such a network cannot have these families, or null. */
  objection: (network: string, config: DriverConfig, families: ReadonlyArray<Family>) => CnmError | null
}>

/** The drivers of this engine, by type. */
export type Rules = ReadonlyMap<string, DriverRules>

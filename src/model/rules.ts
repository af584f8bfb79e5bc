// What `decide` must know of a driver. Drivers are values of this type and more (src/drivers/driver.ts); the model sees
// no more of them than this.

import type { HostDevice } from '../net/host-facts.ts'
import type { Family } from '../net/ip.ts'
import type { IfName } from '../net/name.ts'
import type { Either } from '../prelude.ts'
import type { CnmError } from './error.ts'
import type { DriverConfig, Exit, NetworkPool, NetworkScope, PoolSpec, Texts } from './types.ts'

/** A network that is to be: `asked` are its pools as they were asked for. */
export type Plan = Readonly<{
  network: string
  config: DriverConfig
  internal: boolean
  asked: ReadonlyArray<PoolSpec>
}>

/** Whether a pool has a gateway: in any case, if one was asked for, or not even then. */
export type GatewayRule = 'always' | 'asked' | 'never'

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
  /** Whether an endpoint may be given a MAC address. */
  ownMac: (config: DriverConfig) => boolean
  /** How many of a network's endpoints can be joined at once; null: any number. */
  seats: (config: DriverConfig) => number | null
  /** The device of the host that its endpoints stand on, if it is not the network's own. It carries those of one driver. */
  below: (config: DriverConfig) => IfName | null
  /** The devices of the host that a network with these options would be about, so that `configure` is told of them. */
  devices: (options: Texts) => ReadonlyArray<IfName>
  /** Reads the user's options and fills defaults. `devices` are those of them that are there; null: nobody has looked. */
  configure: (options: Texts, devices: ReadonlyArray<HostDevice> | null) => Either<CnmError, DriverConfig>
  /** Whether `configure` can have made this. */
  accepts: (config: DriverConfig) => boolean
  /** Whether such a network is internal, whatever was asked for. */
  internal: (config: DriverConfig) => boolean
  /** Why there cannot be such a network, or null. */
  objection: (plan: Plan) => CnmError | null
  /** Why it cannot be beside this other one of the driver, or null. That two drivers want one device is known without. */
  conflict: (plan: Plan, other: Readonly<{ network: string; config: DriverConfig }>) => CnmError | null
  gateway: (config: DriverConfig, family: Family) => GatewayRule
  /** How containers leave by a pool of a network that is not internal; null: they do not. */
  exit: (config: DriverConfig, pool: Pick<NetworkPool, 'subnet' | 'gateway' | 'aux'>) => Exit | null
  /**
   * Whether its endpoints, being no way out themselves, count on there being one: a sandbox of theirs that no other network leads out
   * of gets an endpoint on the gateway network (decide/gateway.ts).
   */
  needsGateway: boolean
  /** What interfaces are called inside, before their number. */
  prefix: (config: DriverConfig) => string
}>

/** The drivers of this engine, by type. */
export type Rules = ReadonlyMap<string, DriverRules>

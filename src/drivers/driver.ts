// What a driver is: rules the model asks for, and two pure functions that say which kernel objects its networks and
// endpoints are made of. There are no verbs, so there are no inverses to forget: leaving, deleting, rolling back and
// repairing are all `diff`.

import type { Fragment } from '../kernel/state.ts'
import type { JoinedEndpoint, Linked } from '../model/queries.ts'
import type { DriverRules } from '../model/rules.ts'
import type { DriverConfig, Network, PortBinding, Sandbox } from '../model/types.ts'
import type { OptionSpecs } from './options.ts'

export type NetworkView = Readonly<{ network: Network; config: DriverConfig }>

/**
 * A joined endpoint. `publishes`: the ports of its sandbox that it answers for, being the way out of a family. `linked`: whom it is
 * to reach, or be reached by, even where the network keeps its containers apart.
 */
export type EndpointView = Readonly<{
  network: Network
  config: DriverConfig
  endpoint: JoinedEndpoint
  sandbox: Sandbox
  publishes: Readonly<{ 4: ReadonlyArray<PortBinding>; 6: ReadonlyArray<PortBinding> }>
  linked: ReadonlyArray<Linked>
}>

export type Driver = DriverRules &
  Readonly<{
    /** What it is, in a sentence or two for its users. */
    about: string
    options: OptionSpecs
    network: (view: NetworkView) => Fragment
    endpoint: (view: EndpointView) => Fragment
  }>

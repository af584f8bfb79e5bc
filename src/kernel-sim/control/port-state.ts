// The states of bridge ports: a port with carrier on a bridge that is up takes part, and a bridge has carrier while a port does.
// Invariant: `live` of a bridge is how many of its ports forward.
// Source: net/bridge/br_stp.c (br_port_state_selection), br_stp_if.c, br_if.c (br_port_carrier_check).

import type { Errno } from '../../kernel/errno.ts'
import type { IfName } from '../../net/name.ts'
import { keysUnder } from '../../net/pmap.ts'
import { type LinkEntry, portWith } from '../link-entry.ts'
import { flushPort } from './bridge-fdb.ts'
import { hasCarrier, setLower } from './carrier.ts'
import { change, linkOf, type Space } from './draft.ts'
import { costOf } from './port-cost.ts'

/** BR_STATE_*. */
export const STATES = { disabled: 0, listening: 1, learning: 2, forwarding: 3, blocking: 4 } as const

const bridgeOf = (space: Space, { port }: LinkEntry): LinkEntry | null =>
  port === null ? null : linkOf(space, port.bridge)

/** A bridge has carrier while a port forwards (br_port_state_selection). */
export const selectStates = (space: Space, name: IfName): void => {
  const bridge = linkOf(space, name)
  if (bridge !== null) setLower(space, name, bridge.live > 0, checkCarrier)
}

/** A port is in another state, and what the bridge makes of it. */
const putState = (space: Space, dev: IfName, state: number): void => {
  const link = linkOf(space, dev)
  const bridge = link === null ? null : bridgeOf(space, link)
  if (link?.port == null || bridge === null) return
  const by = Number(state === STATES.forwarding) - Number(link.port.state === STATES.forwarding)
  change(space, link, { port: portWith(link.port, { state }) })
  change(space, bridge, { live: bridge.live + by })
  selectStates(space, bridge.name)
}

/** A port takes part no more (br_stp_disable_port): what would age behind it is forgotten. */
export const disablePort = (space: Space, dev: IfName): void => {
  const link = linkOf(space, dev)
  if (link?.port == null) return
  flushPort(space, link.port.bridge, dev, 'aging')
  putState(space, dev, STATES.disabled)
}

const firstState = (bridge: LinkEntry): number => (bridge.bridge?.stp === true ? STATES.listening : STATES.forwarding)

/** A port with carrier on a bridge that is up takes part, another does not. */
export const checkPort = (space: Space, { name }: LinkEntry): void => {
  const link = linkOf(space, name)
  const bridge = link === null ? null : bridgeOf(space, link)
  if (link?.port == null || bridge?.up !== true) return
  const isOff = link.port.state === STATES.disabled
  if (hasCarrier(link) && isOff) putState(space, name, firstState(bridge))
  else if (!hasCarrier(link) && !isOff) disablePort(space, name)
}

/** A port's carrier is looked at again, and with it what its driver says of its speed (br_port_carrier_check). */
export const checkCarrier = (space: Space, { name }: LinkEntry): void => {
  const link = linkOf(space, name)
  if (link?.port == null) return
  if (!link.port.costSet && hasCarrier(link))
    change(space, link, { port: portWith(link.port, { cost: costOf(space, link) }) })
  checkPort(space, link)
}

/** The bridge came up, or went down. */
export const switchPorts = (space: Space, bridge: LinkEntry): void => {
  for (const name of keysUnder(bridge.ports, '')) {
    const port = linkOf(space, name)
    if (port === null) continue
    if (bridge.up) checkPort(space, port)
    else if (port.port?.state !== STATES.disabled) disablePort(space, port.name)
  }
}

/** bridge(8) sets a state: it is kept if it is `disabled`, or not yet forwarding. Nothing is forgotten. */
export const setState = (space: Space, link: LinkEntry, state: number): Errno | null => {
  const bridge = bridgeOf(space, link)
  if (state > STATES.blocking || bridge === null) return 'EINVAL'
  if (bridge.bridge?.stp === true) return 'EBUSY'
  if (!link.up || (!link.lower && state !== STATES.disabled)) return 'ENETDOWN'
  putState(space, link.name, state === STATES.blocking ? STATES.forwarding : state)
  return null
}

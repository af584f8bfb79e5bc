// The states of bridge ports: a port with carrier on a bridge that is up takes part, and a bridge has carrier while a port does.
// Invariant: `live` of a bridge is how many of its ports forward.
// Source: net/bridge/br_stp.c (br_port_state_selection), br_stp_if.c, br_if.c (br_port_carrier_check).

import type { Errno } from '../../kernel/errno.ts'
import type { IfName } from '../../net/name.ts'
import { entriesOf, keysUnder, removeIn, sizeOfMap } from '../../net/pmap.ts'
import { type LinkEntry, linkWith } from '../state.ts'
import { hasCarrier, setLower } from './carrier.ts'
import { change, linkOf, putLink, type Space } from './draft.ts'

/** BR_STATE_*. */
export const STATES = { disabled: 0, listening: 1, learning: 2, forwarding: 3, blocking: 4 } as const

/** What a bridge has learned behind a port is forgotten. */
export const forgetLearned = (bridge: LinkEntry, port: IfName): LinkEntry => {
  if (sizeOfMap(bridge.fdb) === 0) return bridge
  let { fdb } = bridge
  for (const [mac, { dev }] of entriesOf(bridge.fdb)) if (dev === port) fdb = removeIn(fdb, mac)
  return linkWith(bridge, { fdb })
}

const bridgeOf = (space: Space, { port }: LinkEntry): LinkEntry | null =>
  port === null ? null : linkOf(space, port.bridge)

/** A bridge has carrier while a port forwards (br_port_state_selection). */
export const selectStates = (space: Space, name: IfName): void => {
  const bridge = linkOf(space, name)
  if (bridge !== null) setLower(space, name, bridge.live > 0, checkPort)
}

/** A port is in another state; what it leaves, and what the bridge makes of it. */
export const putState = (space: Space, dev: IfName, state: number): void => {
  const link = linkOf(space, dev)
  const bridge = link === null ? null : bridgeOf(space, link)
  if (link?.port == null || bridge === null) return
  const by = Number(state === STATES.forwarding) - Number(link.port.state === STATES.forwarding)
  change(space, link, { port: { ...link.port, state } })
  const kept = state === STATES.disabled ? forgetLearned(bridge, dev) : bridge
  putLink(space, linkWith(kept, { live: bridge.live + by }))
  selectStates(space, bridge.name)
}

const firstState = (bridge: LinkEntry): number => (bridge.bridge?.stp === true ? STATES.listening : STATES.forwarding)

/** A port with carrier on a bridge that is up takes part, another does not (br_port_carrier_check). */
export const checkPort = (space: Space, { name }: LinkEntry): void => {
  const link = linkOf(space, name)
  const bridge = link === null ? null : bridgeOf(space, link)
  if (link?.port == null || bridge?.up !== true) return
  const isOff = link.port.state === STATES.disabled
  if (hasCarrier(link) && isOff) putState(space, name, firstState(bridge))
  else if (!hasCarrier(link) && !isOff) putState(space, name, STATES.disabled)
}

/** The bridge came up, or went down. */
export const switchPorts = (space: Space, bridge: LinkEntry): void => {
  for (const name of keysUnder(bridge.ports, '')) {
    const port = linkOf(space, name)
    if (port === null) continue
    if (bridge.up) checkPort(space, port)
    else if (port.port?.state !== STATES.disabled) putState(space, port.name, STATES.disabled)
  }
}

/** bridge(8) sets a state: it is kept if it is `disabled`, or not yet forwarding. */
export const setState = (space: Space, link: LinkEntry, state: number): Errno | null => {
  const bridge = bridgeOf(space, link)
  if (state > STATES.blocking || bridge === null) return 'EINVAL'
  if (bridge.bridge?.stp === true) return 'EBUSY'
  if (!link.up || (!link.lower && state !== STATES.disabled)) return 'ENETDOWN'
  putState(space, link.name, state === STATES.blocking ? STATES.forwarding : state)
  return null
}

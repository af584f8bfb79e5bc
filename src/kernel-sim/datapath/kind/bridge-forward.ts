// How frames leave a bridge: by one port, or by all that may have them.
// Source: net/bridge/br_forward.c (should_deliver, __br_forward, br_dev_queue_push_xmit, br_flood).

import { STATES } from '../../control/port-state.ts'
import { ETHERNET, lengthBesideTag, transmit } from '../device.ts'
import type { Device } from '../plane.ts'
import type { Skb } from '../skb.ts'
import { type DropReason, drop, note } from '../step.ts'
import { isMember, leaving } from './bridge-vlan.ts'
import type { FdbMemory } from './fdb.ts'
import { fits } from './forward.ts'

/**
 * A frame on its way through a bridge. `from`: the port by which it came, null if the host itself sends it. `vid`: its VLAN, 0 if the
 * bridge does not filter.
 */
export type Passing = Readonly<{ bridge: Device; memory: FdbMemory; from: Device | null; skb: Skb; vid: number }>
export type Cast = 'unicast' | 'multicast' | 'broadcast'

/** Why a port may not have a frame; null if it may. */
const forbids = ({ memory, from, vid }: Passing, to: Device): DropReason | null => {
  const { port, vlans } = to.link
  if (port === null) return { tag: 'same-port' }
  if (to === from && !port.hairpin) return { tag: 'same-port' }
  if (port.state !== STATES.forwarding) return { tag: 'port-state', bridge: port.bridge, state: port.state }
  if (memory.options.vlanFiltering && !isMember(vlans, vid)) return { tag: 'vlan-not-member', vid }
  if (port.isolated && from?.link.port?.isolated === true) return { tag: 'isolated-ports', to: to.name }
  return null
}

/** By a port that may have it: past the hooks of the family bridge. */
const deliver = ({ memory, from, skb, vid }: Passing, to: Device) => {
  const { space, link } = to
  const out = memory.options.vlanFiltering ? leaving(skb, link.vlans, vid) : skb
  const passed = space.entry.firewall === null ? out : throughHooks(from, out, to)
  if (passed === null) return
  const length = lengthBesideTag(passed.frame)
  if (fits(to, passed, length)) {
    transmit(to, passed)
    return
  }
  const { payload } = passed.frame
  drop(space, to, 'bridge', payload, { tag: 'too-big', mtu: link.mtu, length: length - ETHERNET }, passed.frame)
}

const throughHooks = (from: Device | null, skb: Skb, to: Device): Skb | null => {
  const { space } = to
  const { parts } = space.plane
  const family = 'bridge'
  const hook = from === null ? 'output' : 'forward'
  const passed = parts.passFrame(space, { family, hook, iif: from, oif: to, next: null }, skb)
  if (passed === null) return null
  return parts.passFrame(space, { family, hook: 'postrouting', iif: null, oif: to, next: null }, passed)
}

/** To the port behind which its destination is. */
export const forward = (passing: Passing, to: Device) => {
  const { bridge, from, skb } = passing
  const { space } = bridge
  const { frame } = skb
  const reason = forbids(passing, to)
  if (reason !== null) return drop(space, from ?? bridge, 'bridge', frame.payload, reason, frame)
  if (space.plane.watch !== null)
    note(space, from ?? bridge, 'bridge', frame.payload, { tag: 'bridged', bridge: bridge.name, to: to.name }, frame)
  deliver(passing, to)
}

/** Whether a port has floods of this kind; those of groups that the host itself sends reach all. */
const hasFloods = ({ link: { port } }: Device, cast: Cast, isOwn: boolean): boolean => {
  if (port === null) return false
  switch (cast) {
    case 'unicast':
      return port.flood
    case 'multicast':
      return port.mcastFlood || isOwn
    case 'broadcast':
      return port.bcastFlood || isOwn
  }
}

const mayFlood = (passing: Passing, to: Device, cast: Cast, isAnswered: boolean): boolean =>
  hasFloods(to, cast, passing.from === null) &&
  !(isAnswered && to.link.port?.neighSuppress === true) &&
  forbids(passing, to) === null

/** To all ports that may have it. `isAnswered`: its question was answered, so ports with `neighSuppress` need not hear it. */
export const flood = (passing: Passing, cast: Cast, isAnswered: boolean) => {
  const { bridge, memory, from, skb } = passing
  const { space } = bridge
  const { frame } = skb
  if (space.plane.watch !== null) {
    const ports = memory.ports.filter((to) => mayFlood(passing, to, cast, isAnswered)).length
    if (ports > 0)
      note(space, from ?? bridge, 'bridge', frame.payload, { tag: 'flooded', bridge: bridge.name, ports }, frame)
  }
  let isSent = false
  for (const to of memory.ports) {
    if (!mayFlood(passing, to, cast, isAnswered)) continue
    isSent = true
    deliver(passing, to)
  }
  if (!isSent && cast === 'unicast')
    drop(space, from ?? bridge, 'bridge', frame.payload, { tag: 'nobody-else', bridge: bridge.name }, frame)
}

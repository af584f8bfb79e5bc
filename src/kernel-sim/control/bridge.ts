// Bridges and their ports: joining and leaving. Source: net/bridge/br_if.c (br_add_if, br_del_if), net/core/rtnetlink.c
// (do_set_master).

import type { Errno } from '../../kernel/errno.ts'
import { isGroup, ZERO_MAC } from '../../net/mac.ts'
import type { IfName } from '../../net/name.ts'
import { keysUnder, removeIn, setIn } from '../../net/pmap.ts'
import type { LinkEntry, PortEntry } from '../link-entry.ts'
import { addLocal, flushPort, forgetPortMac, notePortMac } from './bridge-fdb.ts'
import { flushVlans, initVlans } from './bridge-vlan.ts'
import { followMtu } from './device.ts'
import { change, linkAt, linkOf, type Space } from './draft.ts'
import { followMac } from './mac.ts'
import { costOf } from './port-cost.ts'
import { checkPort, disablePort, STATES } from './port-state.ts'
import { isTapped } from './stacked.ts'
import { carries } from './vxlan.ts'

const newPort = (bridge: IfName, cost: number): PortEntry => ({
  bridge,
  costSet: false,
  state: STATES.disabled,
  priority: 32,
  cost,
  hairpin: false,
  guard: false,
  rootBlock: false,
  fastLeave: false,
  learning: true,
  flood: true,
  mcastFlood: true,
  bcastFlood: true,
  neighSuppress: false,
  isolated: false,
  locked: false,
})

/** Takes a link off its bridge, if it is on one. */
export const leave = (space: Space, name: IfName): void => {
  const link = linkOf(space, name)
  if (link?.port == null) return
  const { bridge } = link.port
  disablePort(space, name)
  forgetPortMac(space, bridge, name, link.mac)
  flushVlans(space, name)
  flushPort(space, bridge, name, 'all')
  const master = linkOf(space, bridge)
  const now = linkOf(space, name)
  if (master === null || now === null) return
  change(space, now, { port: null })
  change(space, master, { ports: removeIn(master.ports, name) })
  followMtu(space, bridge, name)
  followMac(space, bridge)
}

const refusal = (space: Space, link: LinkEntry, master: LinkEntry): Errno | null => {
  if (master.spec.type !== 'bridge') return 'EOPNOTSUPP'
  if (link.spec.type === 'loopback' || link.mac === ZERO_MAC || isGroup(link.mac)) return 'EINVAL'
  if (link.spec.type === 'bridge') return 'ELOOP'
  if (isTapped(space, link)) return 'EBUSY'
  if (link.spec.type === 'ipvlan') return 'EINVAL'
  return carries(space, master, { ns: space.ns, name: link.name }) ? 'EBUSY' : null
}

/** Why a link that is free, or another's port, is not taken by this master; null: it is, or there is none to take it. */
export const refusesMaster = (space: Space, link: LinkEntry, index: number | null): Errno | null => {
  if (index === null) return null
  const wanted = linkAt(space, index)
  if (wanted === null) return 'EINVAL'
  return link.port?.bridge === wanted.name ? null : refusal(space, link, wanted)
}

/**
 * do_set_master: a link leaves its bridge before the new one is asked. That is known by its index, which is looked for where the
 * link is by now. Null: none.
 */
export const setMaster = (space: Space, name: IfName, index: number | null): Errno | null => {
  const link = linkOf(space, name)
  const wanted = index === null ? null : linkAt(space, index)
  if (link === null || (wanted !== null && link.port?.bridge === wanted.name)) return null
  if (link.port !== null) leave(space, name)
  const now = linkOf(space, name)
  if (index === null || now === null) return null
  const errno = refusesMaster(space, now, index)
  if (errno !== null || wanted === null) return errno
  change(space, now, { port: newPort(wanted.name, costOf(space, now)) })
  const bridge = linkOf(space, wanted.name) ?? wanted
  const since = space.now.nextOrder++
  change(space, bridge, { ports: setIn(bridge.ports, name, since) })
  notePortMac(space, wanted.name, name, now.mac, since)
  addLocal(space, wanted.name, name, now.mac, 0)
  initVlans(space, name, wanted.bridge?.vlanDefaultPvid ?? 0)
  followMac(space, wanted.name)
  checkPort(space, now)
  followMtu(space, wanted.name, name)
  return null
}

/** Lets all ports of a bridge go. */
export const releasePorts = (space: Space, { name }: LinkEntry): void => {
  // Cast: the keys of a bridge's ports are their names.
  for (const port of keysUnder(linkOf(space, name)?.ports ?? { root: null }, '')) leave(space, port as IfName)
}

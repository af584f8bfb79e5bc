// Bridges and their ports: joining and leaving. Source: net/bridge/br_if.c (br_add_if, br_del_if), net/core/rtnetlink.c
// (do_set_master).

import type { Errno } from '../../kernel/errno.ts'
import type { PortOptions } from '../../kernel/rtnl/kind.ts'
import { isGroup, ZERO_MAC } from '../../net/mac.ts'
import type { IfName } from '../../net/name.ts'
import { keysUnder, removeIn, setIn } from '../../net/pmap.ts'
import type { LinkEntry } from '../state.ts'
import { addLocal, flushPort, forgetPortMac, notePortMac } from './bridge-fdb.ts'
import { followMtu } from './device.ts'
import { change, linkOf, type Space } from './draft.ts'
import { followMac } from './mac.ts'
import { checkPort, disablePort, STATES } from './port-state.ts'
import { isTapped } from './stacked.ts'
import { carries } from './vxlan.ts'

export const NEW_PORT: Required<PortOptions> = {
  state: STATES.disabled,
  priority: 32,
  cost: 2,
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
}

/** Takes a link off its bridge, if it is on one. */
export const leave = (space: Space, name: IfName): void => {
  const link = linkOf(space, name)
  if (link?.port == null) return
  const { bridge } = link.port
  disablePort(space, name)
  forgetPortMac(space, bridge, name, link.mac)
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

/** do_set_master: a link leaves its bridge before the new one is asked. Null: none. */
export const setMaster = (space: Space, name: IfName, master: IfName | null): Errno | null => {
  const link = linkOf(space, name)
  if (link === null || link.port?.bridge === master) return null
  if (link.port !== null) leave(space, name)
  const wanted = master === null ? null : linkOf(space, master)
  const now = linkOf(space, name)
  if (wanted === null || now === null) return null
  const errno = refusal(space, now, wanted)
  if (errno !== null) return errno
  change(space, now, { port: { ...NEW_PORT, bridge: wanted.name } })
  const since = space.now.nextOrder++
  change(space, wanted, { ports: setIn(wanted.ports, name, since) })
  notePortMac(space, wanted.name, name, now.mac, since)
  addLocal(space, wanted.name, name, now.mac, 0)
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

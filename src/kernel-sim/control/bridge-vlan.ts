// The VLANs of a bridge and its ports: which there are, which of them is that of untagged frames, and what they bring to the FDB.
// Invariant: every VLAN of a port or bridge has its MAC in the FDB, once for all that share it.
// Source: net/bridge/br_netlink.c (br_process_vlan_info), net/bridge/br_vlan.c (nbp_vlan_add, br_vlan_add, nbp_vlan_delete,
// br_vlan_delete, __br_vlan_set_default_pvid, nbp_vlan_init).

import type { Errno } from '../../kernel/errno.ts'
import type { VlanRequest } from '../../kernel/rtnl/request.ts'
import { isGroup, ZERO_MAC } from '../../net/mac.ts'
import type { IfName } from '../../net/name.ts'
import { valuesOf } from '../../net/pmap.ts'
import { fdbOf, fdbOfPort, withoutFdb } from '../fdb.ts'
import { type LinkEntry, NO_VLANS, type VlanTable } from '../link-entry.ts'
import { addLocal, changeFdb, deleteLocal } from './bridge-fdb.ts'
import { change, linkOf, type Space } from './draft.ts'

const MOST_VLANS = 4095

/** `pvid`: what comes untagged is of it. */
type How = Readonly<{ pvid: boolean; untagged: boolean }>
const DEFAULT: How = { pvid: true, untagged: true }

const isLacking = (space: Space): boolean => space.draft.world.lacks.has('vlan-filtering')

/** The bridge whose FDB has this one's entries: its own, or that of the port. */
const bridgeOf = ({ name, port }: LinkEntry): IfName => port?.bridge ?? name

const withVlan = ({ pvid, untagged }: VlanTable, vlan: number, how: How): VlanTable => ({
  pvid: how.pvid ? vlan : pvid === vlan ? 0 : pvid,
  untagged: new Map([...untagged, [vlan, how.untagged] as const].sort(([a], [b]) => a - b)),
})

const withoutVlan = ({ pvid, untagged }: VlanTable, vlan: number): VlanTable => ({
  pvid: pvid === vlan ? 0 : pvid,
  untagged: new Map([...untagged].filter(([other]) => other !== vlan)),
})

/** One that is there has this told anew. A bridge without a MAC can have none. */
const addVlan = (space: Space, name: IfName, vlan: number, how: How): Errno | null => {
  const link = linkOf(space, name)
  if (link === null) return null
  const isNew = !link.vlans.untagged.has(vlan)
  if (isNew && (link.mac === ZERO_MAC || isGroup(link.mac))) return 'EINVAL'
  change(space, link, { vlans: withVlan(link.vlans, vlan, how) })
  if (isNew) addLocal(space, bridgeOf(link), link.port === null ? null : name, link.mac, vlan)
  return null
}

/** Takes a VLAN with the MAC that it brought, and what would age in it; what somebody put in stays. */
const dropVlan = (space: Space, name: IfName, vlan: number): void => {
  const link = linkOf(space, name)
  if (link?.vlans.untagged.has(vlan) !== true) return
  const bridge = bridgeOf(link)
  const dev = link.port === null ? null : name
  const fdb = linkOf(space, bridge)?.fdb
  const own = fdb === undefined ? null : fdbOf(fdb, link.mac, vlan)
  if (own?.state === 'local' && !own.byUser && own.dev === dev) deleteLocal(space, bridge, own)
  if (dev !== null)
    changeFdb(space, bridge, (all) =>
      fdbOfPort(all, dev)
        .filter((entry) => entry.state === 'dynamic' && entry.vlan === vlan)
        .reduce(withoutFdb, all),
    )
  const now = linkOf(space, name) ?? link
  change(space, now, { vlans: withoutVlan(now.vlans, vlan) })
}

/** A port that joins, or a new bridge, is in the bridge's default VLAN. */
export const initVlans = (space: Space, name: IfName, defaultPvid: number): void => {
  if (!isLacking(space) && defaultPvid !== 0) addVlan(space, name, defaultPvid, DEFAULT)
}

/** A port that leaves; what the FDB had of it goes with the port. */
export const flushVlans = (space: Space, name: IfName): void => {
  const link = linkOf(space, name)
  if (link !== null && link.vlans !== NO_VLANS) change(space, link, { vlans: NO_VLANS })
}

const isDefault = ({ vlans: { pvid, untagged } }: LinkEntry, vlan: number): boolean =>
  vlan !== 0 && pvid === vlan && untagged.get(vlan) === true

/** Those who have nothing else have the new default in the place of the old one; 0: none. */
export const setDefaultPvid = (space: Space, bridge: LinkEntry, old: number, next: number): Errno | null => {
  const ports = valuesOf(bridge.fdb.macs).map(({ port }) => port)
  for (const name of [bridge.name, ...ports]) {
    const link = linkOf(space, name)
    if (link === null) continue
    const follows = old === 0 || isDefault(link, old)
    if (!follows || link.vlans.untagged.has(next)) continue
    const errno = next === 0 ? null : addVlan(space, name, next, DEFAULT)
    if (errno !== null) return errno
    if (old !== 0) dropVlan(space, name, old)
  }
  return null
}

const obey = (space: Space, { do: verb, dev, id, until = id, pvid = false, untagged = false }: VlanRequest) => {
  for (let vlan = id; vlan <= until; vlan++) {
    if (verb === 'delete') dropVlan(space, dev, vlan)
    else {
      const errno = addVlan(space, dev, vlan, { pvid, untagged })
      if (errno !== null) return errno
    }
  }
  return null
}

/** `bridge vlan`. What is not there is deleted without a complaint. */
export const askVlan = (space: Space, ask: VlanRequest): Errno | null => {
  const link = linkOf(space, ask.dev)
  if (link === null) return 'ENODEV'
  const isThere = ask.self === true ? link.spec.type === 'bridge' : link.port !== null
  if (!isThere) return 'EOPNOTSUPP'
  if (ask.id <= 0 || ask.id >= MOST_VLANS || (ask.until !== undefined && ask.until >= MOST_VLANS)) return 'EINVAL'
  if (isLacking(space)) return ask.do === 'add' ? 'EOPNOTSUPP' : null
  return obey(space, ask)
}

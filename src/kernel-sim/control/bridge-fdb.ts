// What a bridge knows of MACs without having learned it: its own and those of its ports, as they come, change and go.
// Invariant: where several ports have a MAC, or the bridge too, one entry stands for all; it goes when the last of them does.
// Source: net/bridge/br_fdb.c (fdb_add_local, fdb_delete_local, br_fdb_changeaddr, br_fdb_change_mac_address,
// br_fdb_delete_by_port).

import { isGroup, type Mac, ZERO_MAC } from '../../net/mac.ts'
import type { IfName } from '../../net/name.ts'
import { removeIn, setIn, valuesUnder } from '../../net/pmap.ts'
import { fdbOf, fdbOfPort, withFdb, withoutFdb } from '../fdb.ts'
import type { Fdb, FdbEntry, LinkEntry } from '../link-entry.ts'
import { change, linkOf, type Space } from './draft.ts'

/** With what `f` makes of the bridge's table. */
export const changeFdb = (space: Space, bridge: IfName, f: (fdb: Fdb, link: LinkEntry) => Fdb): void => {
  const link = linkOf(space, bridge)
  if (link === null) return
  const fdb = f(link.fdb, link)
  if (fdb !== link.fdb) change(space, link, { fdb })
}

/** As many digits for each MAC, so that their order is that of the MACs. */
const underMac = (mac: Mac): string => `${2 ** 49 + mac} `
const macKey = (mac: Mac, port: IfName): string => underMac(mac) + port
const withMacs = ({ entries, ofPort }: Fdb, macs: Fdb['macs']): Fdb => ({ entries, ofPort, macs })

/** A port has this MAC, from now on or no more. */
export const notePortMac = (space: Space, bridge: IfName, port: IfName, mac: Mac, since: number): void =>
  changeFdb(space, bridge, (fdb) => withMacs(fdb, setIn(fdb.macs, macKey(mac, port), { mac, port, since })))
export const forgetPortMac = (space: Space, bridge: IfName, port: IfName, mac: Mac): void =>
  changeFdb(space, bridge, (fdb) => withMacs(fdb, removeIn(fdb.macs, macKey(mac, port))))

/** The VLANs of a port, or of the bridge itself, that an entry without one stands for too. */
const vlansOf = (space: Space, { vlans }: LinkEntry): ReadonlyArray<number> =>
  space.draft.world.lacks.has('vlan-filtering') ? [] : [...vlans.untagged.keys()]

const hasVlan = (space: Space, name: IfName, vlan: number): boolean =>
  vlan === 0 || linkOf(space, name)?.vlans.untagged.has(vlan) === true

/** The MAC of a port, or of the bridge itself (null), is the host's; the first who says so keeps the entry. */
export const addLocal = (space: Space, bridge: IfName, dev: IfName | null, mac: Mac, vlan: number): void => {
  if (mac === ZERO_MAC || isGroup(mac)) return
  changeFdb(space, bridge, (fdb) =>
    fdbOf(fdb, mac, vlan)?.state === 'local'
      ? fdb
      : withFdb(fdb, { mac, vlan, dev, state: 'local', byUser: false, sticky: false, seenMs: 0 }),
  )
}

/** The port that joined last, of those with this MAC, but for one. */
const otherPort = (space: Space, { macs }: Fdb, { mac, vlan, dev }: FdbEntry): IfName | null => {
  let last: Readonly<{ port: IfName; since: number }> | null = null
  for (const other of valuesUnder(macs, underMac(mac)))
    if (other.port !== dev && (last === null || other.since > last.since) && hasVlan(space, other.port, vlan))
      last = other
  return last?.port ?? null
}

/** One who had this entry has it no more: another port with that MAC takes it, or the bridge. */
export const deleteLocal = (space: Space, bridge: IfName, entry: FdbEntry): void =>
  changeFdb(space, bridge, (fdb, link) => {
    const heir = otherPort(space, fdb, entry)
    if (heir !== null) return withFdb(fdb, { ...entry, dev: heir, byUser: false })
    const isBridges = entry.dev !== null && link.mac === entry.mac && hasVlan(space, bridge, entry.vlan)
    return isBridges ? withFdb(fdb, { ...entry, dev: null, byUser: false }) : withoutFdb(fdb, entry)
  })

/** A port has another MAC. */
export const changePortMac = (space: Space, bridge: IfName, port: LinkEntry, mac: Mac): void => {
  const held = linkOf(space, bridge)
  if (held === null) return
  for (const entry of fdbOfPort(held.fdb, port.name))
    if (entry.state === 'local' && !entry.byUser) deleteLocal(space, bridge, entry)
  for (const vlan of [0, ...vlansOf(space, port)]) addLocal(space, bridge, port.name, mac, vlan)
}

/** The bridge has another MAC: before it has it. */
export const changeBridgeMac = (space: Space, bridge: LinkEntry, mac: Mac): void => {
  for (const vlan of [0, ...vlansOf(space, bridge)]) {
    const now = linkOf(space, bridge.name) ?? bridge
    const held = fdbOf(now.fdb, bridge.mac, vlan)
    if (held?.state === 'local' && held.dev === null && !held.byUser) deleteLocal(space, bridge.name, held)
    addLocal(space, bridge.name, null, mac, vlan)
  }
}

/** What is known behind a port goes; `aging` only what would age. */
export const flushPort = (space: Space, bridge: IfName, port: IfName, which: 'all' | 'aging'): void => {
  const link = linkOf(space, bridge)
  if (link === null) return
  for (const entry of fdbOfPort(link.fdb, port)) {
    if (which === 'aging' && entry.state !== 'dynamic') continue
    if (entry.state === 'local') deleteLocal(space, bridge, entry)
    else changeFdb(space, bridge, (fdb) => withoutFdb(fdb, entry))
  }
}

// `bridge fdb`: who keeps the entry (a port's bridge, a bridge, a VXLAN, or the device's own filter), and what a bridge makes of it.
// Source: net/core/rtnetlink.c (rtnl_fdb_add, rtnl_fdb_del, ndo_dflt_fdb_add, ndo_dflt_fdb_del), net/bridge/br_fdb.c (br_fdb_add,
// fdb_add_entry, br_fdb_delete), drivers/net/macvlan.c (macvlan_fdb_add, macvlan_fdb_del).

import type { Errno } from '../../kernel/errno.ts'
import type { FdbRequest } from '../../kernel/rtnl/request.ts'
import { isGroup, type Mac, ZERO_MAC } from '../../net/mac.ts'
import type { IfName } from '../../net/name.ts'
import { valuesOf } from '../../net/pmap.ts'
import { fdbOf, withFdb, withoutFdb } from '../fdb.ts'
import type { FdbEntry, LinkEntry } from '../link-entry.ts'
import { changeFdb } from './bridge-fdb.ts'
import { linkOf, type Space } from './draft.ts'
import { hear, hearMore, isHeard, unhear } from './filter.ts'
import { STATES } from './port-state.ts'
import { askRemotes } from './vxlan-fdb.ts'

/** VLAN_VID_MASK. */
const NO_VLAN = 4095

const canLearn = ({ port }: LinkEntry): boolean =>
  port === null || port.state === STATES.learning || port.state === STATES.forwarding

/** `dev` null: the bridge itself (fdb_add_entry). */
const addEntry = (space: Space, bridge: IfName, link: LinkEntry, ask: FdbRequest, vlan: number): Errno | null => {
  const { state = 'local', sticky = false, mac } = ask
  const dev = link.port === null ? null : link.name
  if (state === 'dynamic' && !canLearn(link)) return 'EPERM'
  if (dev === null && state !== 'local') return 'EINVAL'
  if (sticky && state === 'local') return 'EINVAL'
  const held = fdbOf(linkOf(space, bridge)?.fdb ?? link.fdb, mac, vlan)
  if (held !== null && ask.do === 'add') return 'EEXIST'
  const entry: FdbEntry = { mac, vlan, dev, state, byUser: true, sticky, seenMs: space.draft.world.nowMs }
  changeFdb(space, bridge, (fdb) => withFdb(fdb, entry))
  return null
}

const deleteEntry = (space: Space, bridge: IfName, link: LinkEntry, mac: Mac, vlan: number): Errno | null => {
  const held = fdbOf(linkOf(space, bridge)?.fdb ?? link.fdb, mac, vlan)
  if (held === null || held.dev !== (link.port === null ? null : link.name)) return 'ENOENT'
  changeFdb(space, bridge, (fdb) => withoutFdb(fdb, held))
  return null
}

/** A bridge knows the VLANs of its ports. */
const isOfPort = (space: Space, { fdb }: LinkEntry, vlan: number): boolean =>
  valuesOf(fdb.macs).some(({ port }) => linkOf(space, port)?.vlans.untagged.has(vlan) === true)

/** Without a VLAN it is of all: of none in particular, and of each that the port has. */
const askBridge = (space: Space, bridge: IfName, link: LinkEntry, ask: FdbRequest): Errno | null => {
  const { vlans } = link
  if (ask.do !== 'delete' && ask.mac === ZERO_MAC) return 'EINVAL'
  if (ask.vlan !== undefined && !vlans.untagged.has(ask.vlan)) {
    if (ask.do === 'delete' && space.draft.world.lacks.has('vlan-filtering')) return 'ENOENT'
    const isKnown = link.port === null && ask.do === 'delete' && isOfPort(space, link, ask.vlan)
    return isKnown ? 'ENOENT' : 'EINVAL'
  }
  const all = ask.vlan === undefined ? [0, ...vlans.untagged.keys()] : [ask.vlan]
  if (ask.do === 'delete') {
    const done = all.map((vlan) => deleteEntry(space, bridge, link, ask.mac, vlan))
    return done.includes(null) ? null : 'ENOENT'
  }
  for (const vlan of all) {
    const errno = addEntry(space, bridge, link, ask, vlan)
    if (errno !== null) return errno
  }
  return null
}

/** A filter is of MACs, which are the device's own: nothing else can be said of them. */
const askFilter = (space: Space, link: LinkEntry, ask: FdbRequest): Errno | null => {
  const { do: verb, state = 'local', vlan, mac } = ask
  if (verb === 'delete') {
    if (state !== 'local') return 'EINVAL'
    return unhear(space, link.name, mac) ? null : 'ENOENT'
  }
  if (state !== 'local' || vlan !== undefined) return 'EINVAL'
  if (isHeard(link, mac)) return verb === 'add' ? 'EEXIST' : null
  hear(space, link.name, mac)
  return null
}

const askMacvlan = (space: Space, link: LinkEntry, isPassthru: boolean, ask: FdbRequest): Errno | null => {
  if (!isPassthru && !isGroup(ask.mac)) return 'EOPNOTSUPP'
  if (ask.do === 'delete') return unhear(space, link.name, ask.mac) ? null : 'ENOENT'
  if (ask.do === 'replace') return 'EOPNOTSUPP'
  return hearMore(space, link, ask.mac) ? null : 'EEXIST'
}

const askSelf = (space: Space, link: LinkEntry, ask: FdbRequest): Errno | null => {
  switch (link.spec.type) {
    case 'bridge':
      return askBridge(space, link.name, link, ask)
    case 'vxlan':
      return askRemotes(space, link, link.spec, ask)
    case 'macvlan':
      return askMacvlan(space, link, link.spec.mode === 'passthru', ask)
    default:
      return askFilter(space, link, ask)
  }
}

export const askFdb = (space: Space, ask: FdbRequest): Errno | null => {
  const link = linkOf(space, ask.dev)
  if (link === null) return 'ENODEV'
  if (link.spec.type === 'loopback') return 'EINVAL'
  if (ask.vlan !== undefined && (ask.vlan <= 0 || ask.vlan >= NO_VLAN)) return 'EINVAL'
  if (ask.of === 'self') return askSelf(space, link, ask)
  return link.port === null ? 'EOPNOTSUPP' : askBridge(space, link.port.bridge, link, ask)
}

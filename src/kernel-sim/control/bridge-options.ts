// What a bridge and its ports are told of themselves, option after option.
// Source: net/bridge/br_netlink.c (br_changelink, br_setport), br_vlan.c (br_vlan_set_default_pvid), bridge(8).

import type { Errno } from '../../kernel/errno.ts'
import type { BridgeOptions } from '../../kernel/rtnl/kind.ts'
import type { SetPort } from '../../kernel/rtnl/request.ts'
import { type LinkEntry, portWith } from '../link-entry.ts'
import { setDefaultPvid } from './bridge-vlan.ts'
import { change, linkOf, type Space } from './draft.ts'
import { setState } from './port-state.ts'

const MOST_PRIORITY = 0xffff

/** VLAN_VID_MASK less one. */
const MOST_PVID = 4094

/** What a bridge refuses before anything is looked at; a kernel without VLANs hears nothing of them (br_validate). */
export const invalidBridge = ({ draft }: Space, { vlanDefaultPvid = 0 }: BridgeOptions): Errno | null =>
  vlanDefaultPvid > MOST_PVID && !draft.world.lacks.has('vlan-filtering') ? 'EINVAL' : null

/** What is said of VLANs. A kernel without them refuses to be told whether to filter, and hears nothing of the rest. */
const setVlans = (space: Space, link: LinkEntry, asked: BridgeOptions): Errno | null => {
  const { bridge } = link
  if (bridge === null) return null
  if (space.draft.world.lacks.has('vlan-filtering')) return asked.vlanFiltering === undefined ? null : 'EOPNOTSUPP'
  const { vlanFiltering = bridge.vlanFiltering, vlanProtocol = bridge.vlanProtocol } = asked
  const pvid = asked.vlanDefaultPvid ?? bridge.vlanDefaultPvid
  const now = change(space, link, { bridge: { ...bridge, vlanFiltering, vlanProtocol } })
  if (pvid === bridge.vlanDefaultPvid) return null
  const errno = setDefaultPvid(space, now, bridge.vlanDefaultPvid, pvid)
  const set = linkOf(space, link.name)
  if (errno === null && set?.bridge != null) change(space, set, { bridge: { ...set.bridge, vlanDefaultPvid: pvid } })
  return errno
}

/** Options one after the other; those before a refused one are kept (br_changelink). */
export const setOptions = (space: Space, link: LinkEntry, asked: BridgeOptions): Errno | null => {
  const { bridge } = link
  if (bridge === null) return 'EOPNOTSUPP'
  const { ageingTime = bridge.ageingTime, stp = bridge.stp, priority = bridge.priority } = asked
  if (priority > MOST_PRIORITY) return 'EINVAL'
  const errno = setVlans(space, change(space, link, { bridge: { ...bridge, ageingTime, stp, priority } }), asked)
  if (errno !== null) return errno
  const now = linkOf(space, link.name)
  if (now?.bridge != null && asked.mcastSnooping !== undefined)
    change(space, now, { bridge: { ...now.bridge, mcastSnooping: asked.mcastSnooping } })
  return null
}

const MOST_PORT_PRIORITY = 63
const MOST_COST = 65_535

/** `bridge link set`; flags first, then cost, priority and state (br_setport). */
export const setPort = (space: Space, { dev, options }: SetPort): Errno | null => {
  const link = linkOf(space, dev)
  if (link === null) return 'ENODEV'
  if (link.port === null) return 'EOPNOTSUPP'
  const { state, priority, cost, ...flags } = options
  change(space, link, { port: portWith(link.port, flags) })
  const put = (to: Readonly<{ cost?: number; costSet?: boolean; priority?: number }>): void => {
    const now = linkOf(space, dev)
    if (now?.port != null) change(space, now, { port: portWith(now.port, to) })
  }
  // bridge(8) leaves out a cost of 0.
  if (cost !== undefined && cost !== 0) {
    if (cost > MOST_COST) return 'ERANGE'
    put({ cost, costSet: true })
  }
  if (priority !== undefined) {
    if (priority > MOST_PORT_PRIORITY) return 'ERANGE'
    put({ priority })
  }
  const now = linkOf(space, dev)
  return state === undefined || now === null ? null : setState(space, now, state)
}

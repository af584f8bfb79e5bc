// What a bridge and its ports are told of themselves, option after option.
// Source: net/bridge/br_netlink.c (br_changelink, br_setport), br_vlan.c (br_vlan_set_default_pvid), bridge(8).

import type { Errno } from '../../kernel/errno.ts'
import type { BridgeOptions } from '../../kernel/rtnl/kind.ts'
import type { SetPort } from '../../kernel/rtnl/request.ts'
import type { LinkEntry } from '../state.ts'
import { change, linkOf, type Space } from './draft.ts'
import { setState } from './port-state.ts'

const MOST_PRIORITY = 0xffff
const MOST_PVID = 4094

/** Options one after the other; those before a refused one are kept. */
export const setOptions = (space: Space, link: LinkEntry, asked: BridgeOptions): Errno | null => {
  const { bridge } = link
  if (bridge === null) return 'EOPNOTSUPP'
  if ((asked.priority ?? 0) > MOST_PRIORITY) return 'EINVAL'
  const pvid = asked.vlanDefaultPvid
  const next = { ...bridge, ...asked, vlanDefaultPvid: bridge.vlanDefaultPvid }
  const errno =
    pvid === undefined || pvid === bridge.vlanDefaultPvid
      ? null
      : pvid > MOST_PVID
        ? 'EINVAL'
        : next.vlanFiltering
          ? 'EPERM'
          : null
  const kept = errno === null ? (pvid ?? bridge.vlanDefaultPvid) : bridge.vlanDefaultPvid
  change(space, link, {
    bridge: {
      ...next,
      vlanDefaultPvid: kept,
      mcastSnooping: errno === null ? next.mcastSnooping : bridge.mcastSnooping,
    },
  })
  return errno
}

const MOST_PORT_PRIORITY = 63
const MOST_COST = 65_535

/** `bridge link set`; flags first, then cost, priority and state (br_setport). */
export const setPort = (space: Space, { dev, options }: SetPort): Errno | null => {
  const link = linkOf(space, dev)
  if (link === null) return 'ENODEV'
  if (link.port === null) return 'EOPNOTSUPP'
  const { state, priority, cost, ...flags } = options
  change(space, link, { port: { ...link.port, ...flags } })
  const put = (to: Readonly<{ cost?: number; priority?: number }>): void => {
    const now = linkOf(space, dev)
    if (now?.port != null) change(space, now, { port: { ...now.port, ...to } })
  }
  // bridge(8) leaves out a cost of 0.
  if (cost !== undefined && cost !== 0) {
    if (cost > MOST_COST) return 'ERANGE'
    put({ cost })
  }
  if (priority !== undefined) {
    if (priority > MOST_PORT_PRIORITY) return 'ERANGE'
    put({ priority })
  }
  const now = linkOf(space, dev)
  return state === undefined || now === null ? null : setState(space, now, state)
}

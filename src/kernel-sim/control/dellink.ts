// Links are deleted, with all that sits on them: the other end of a veth, the devices on one.
// Source: net/core/rtnetlink.c (rtnl_delete_link, rtnl_group_dellink), drivers/net/veth.c, net/bridge/br_if.c (br_dev_delete).

import type { Errno } from '../../kernel/errno.ts'
import type { DeleteLink } from '../../kernel/rtnl/request.ts'
import type { IfName } from '../../net/name.ts'
import type { LinkEntry } from '../link-entry.ts'
import { stop6 } from './addrconf.ts'
import { leave, releasePorts } from './bridge.ts'
import { setDown } from './device.ts'
import { stop4 } from './devinet.ts'

import { dropLink, found, linkOf, linksOf, type Space } from './draft.ts'
import { dropRoutes4 } from './fib-frontend.ts'

import { giveMac } from './mac.ts'
import { forgetAll } from './neigh.ts'
import { followPlace } from './relations.ts'

/** Takes from a device all that its namespace had put on it. */
export const strip = (space: Space, name: IfName): void => {
  forgetAll(space, name, null)
  leave(space, name)
  stop6(space, name, true)
  stop4(space, name)
  const link = linkOf(space, name)
  if (link !== null) dropRoutes4(space, link)
}

const forgetLink = (space: Space, link: LinkEntry): void => {
  followPlace(space, link, { ns: space.ns, name: link.name }, null)
  dropLink(space, linkOf(space, link.name) ?? link)
}

/** The device below has its own MAC again when a passthru macvlan goes. */
const restoreMac = (space: Space, { spec, below }: LinkEntry): void => {
  const mac = spec.type === 'macvlan' ? spec.restore : null
  const lower = below === null || mac === null ? null : found(space, below)
  if (lower !== null && mac !== null && lower.link.mac !== mac) giveMac(lower.space, lower.link, mac)
}

const uninstall = (space: Space, link: LinkEntry): void => {
  if (link.up) setDown(space, link)
  if (link.spec.type === 'bridge') releasePorts(space, link)
  strip(space, link.name)
  const now = linkOf(space, link.name)
  if (now === null) return
  forgetLink(space, now)
  restoreMac(space, now)
}

/** Removes a link with all that sits on it. */
export const removeLink = (space: Space, link: LinkEntry): void => {
  for (const place of link.above) {
    const on = found(space, place)
    if (on !== null) removeLink(on.space, on.link)
  }
  const end = link.spec.type === 'veth' ? found(space, link.spec.peer) : null
  uninstall(space, linkOf(space, link.name) ?? link)
  if (end === null) return
  for (const place of end.link.above) {
    const on = found(end.space, place)
    if (on !== null) removeLink(on.space, on.link)
  }
  uninstall(end.space, linkOf(end.space, end.link.name) ?? end.link)
}

const deleteGroup = (space: Space, group: number): Errno | null => {
  if (group === 0) return 'EPERM'
  const members = linksOf(space).filter((link) => link.group === group)
  if (members.length === 0) return 'ENODEV'
  if (members.some(({ spec }) => spec.type === 'loopback')) return 'EOPNOTSUPP'
  for (const { name } of members) {
    const link = linkOf(space, name)
    if (link !== null) removeLink(space, link)
  }
  return null
}

export const deleteLink = (space: Space, ask: DeleteLink): Errno | null => {
  if ('group' in ask) return deleteGroup(space, ask.group)
  const link = linkOf(space, ask.dev)
  if (link === null) return 'ENODEV'
  if (link.spec.type === 'loopback' || link.spec.type === 'nic') return 'EOPNOTSUPP'
  removeLink(space, link)
  return null
}

// Membership in a bridge. Sources: net/core/rtnetlink.c (do_set_master), net/bridge/br_if.c (br_add_if, br_del_if).

import type { Errno } from '../../kernel/errno.ts'
import type { BridgePort } from '../../kernel/object.ts'
import { removeIn, setIn } from '../../net/pmap.ts'
import type { LinkEntry } from '../state.ts'
import { followPorts, forgetLearned, spreadCarrier } from './device.ts'
import { change, type Draft, linkOf, type Space, spaceOf } from './draft.ts'

/** Takes a link from the books of its bridge, if it is on one. */
export const leaveBridge = (space: Space, { name, port }: LinkEntry): void => {
  const bridge = port === null ? null : linkOf(space, port.bridge)
  if (bridge === null) return
  const left = change(space, forgetLearned(bridge, name), { ports: removeIn(bridge.ports, name) })
  followPorts(space, left, name)
}

/** Takes a link off its bridge, if it is on one; the link. */
export const release = (space: Space, link: LinkEntry): LinkEntry => {
  if (link.port === null) return link
  leaveBridge(space, link)
  return change(space, link, { port: null })
}

const refusal = (link: LinkEntry, master: LinkEntry): Errno | null => {
  if (master.spec.type !== 'bridge') return 'EOPNOTSUPP'
  if (link.spec.type === 'loopback') return 'EINVAL'
  return link.spec.type === 'bridge' ? 'ELOOP' : null
}

/** Puts a link on a bridge with plain flags; a link that is on it already keeps its own. */
const enslave = (draft: Draft, { ns, dev, bridge }: BridgePort): Errno | null => {
  const space = spaceOf(draft, ns)
  if (space === null) return 'ENOENT'
  const link = linkOf(space, dev)
  const master = linkOf(space, bridge)
  if (link === null || master === null) return 'ENODEV'
  if (link.port?.bridge === bridge) return null
  const errno = refusal(link, master)
  if (errno !== null) return errno
  const member = change(space, release(space, link), { port: { bridge, isolated: false, hairpin: false } })
  const joined = change(space, master, { ports: setIn(master.ports, dev, space.now.nextOrder++) })
  followPorts(space, joined, dev)
  spreadCarrier(space, member)
  return null
}

const setFlags = (draft: Draft, { ns, dev, isolated, hairpin }: BridgePort): Errno | null => {
  const space = spaceOf(draft, ns)
  if (space === null) return 'ENOENT'
  const link = linkOf(space, dev)
  if (link === null) return 'ENODEV'
  if (link.port === null) return 'EOPNOTSUPP'
  change(space, link, { port: { ...link.port, isolated, hairpin } })
  return null
}

/** Flags are sent only where they differ from what `from` says (null: a link that joins, which has plain ones then). */
export const putPort = (draft: Draft, from: BridgePort | null, to: BridgePort): Errno | null => {
  const was = from !== null && from.bridge === to.bridge ? from : null
  const errno = was === null ? enslave(draft, to) : null
  const same = (was?.isolated ?? false) === to.isolated && (was?.hairpin ?? false) === to.hairpin
  return errno !== null || same ? errno : setFlags(draft, to)
}

/** Releasing a link that is on no bridge is no error. */
export const deletePort = (draft: Draft, { ns, dev }: BridgePort): Errno | null => {
  const space = spaceOf(draft, ns)
  if (space === null) return 'ENOENT'
  const link = linkOf(space, dev)
  if (link === null) return 'ENODEV'
  release(space, link)
  return null
}

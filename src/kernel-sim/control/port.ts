// Membership in a bridge. Sources: net/core/rtnetlink.c (do_set_master), net/bridge/br_if.c (br_add_if, br_del_if).

import type { Errno } from '../../kernel/errno.ts'
import type { BridgePort } from '../../kernel/object.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { getIn } from '../../net/pmap.ts'
import { E } from '../../prelude.ts'
import type { LinkEntry, World } from '../state.ts'
import { followPorts, forgetLearned, spreadCarrier } from './device.ts'
import { done, linkOf, nsOf, type Result, refuse, withLink } from './world.ts'

/** Takes a link off its bridge, if it is on one. */
export const release = (world: World, ns: Ns, name: IfName): World => {
  const bridge = linkOf(world, ns, name)?.port?.bridge
  if (bridge === undefined) return world
  const freed = withLink(world, ns, name, (link) => ({ ...link, port: null }))
  const left = withLink(freed, ns, bridge, (link) => ({
    ...forgetLearned(link, name),
    ports: link.ports.filter((port) => port !== name),
  }))
  return followPorts(left, ns, bridge, name)
}

const refusal = (link: LinkEntry, master: LinkEntry): Errno | null => {
  if (master.spec.type !== 'bridge') return 'EOPNOTSUPP'
  if (link.spec.type === 'loopback') return 'EINVAL'
  return link.spec.type === 'bridge' ? 'ELOOP' : null
}

/** Puts a link on a bridge with plain flags; a link that is on it already keeps its own. */
const enslave = (world: World, ns: Ns, name: IfName, bridge: IfName): Result => {
  const space = nsOf(world, ns)
  if (space === undefined) return refuse('ENOENT')
  const link = getIn(space.links, name)
  const master = getIn(space.links, bridge)
  if (link === undefined || master === undefined) return refuse('ENODEV')
  if (link.port?.bridge === bridge) return done(world)
  const errno = refusal(link, master)
  if (errno !== null) return refuse(errno)
  const port = { bridge, isolated: false, hairpin: false }
  const freed = withLink(release(world, ns, name), ns, name, (old) => ({ ...old, port }))
  const joined = withLink(freed, ns, bridge, (old) => ({ ...old, ports: [...old.ports, name] }))
  return done(spreadCarrier(followPorts(joined, ns, bridge, name), ns, name))
}

const setFlags = (world: World, { ns, dev, isolated, hairpin }: BridgePort): Result => {
  if (nsOf(world, ns) === undefined) return refuse('ENOENT')
  const link = linkOf(world, ns, dev)
  if (link === undefined) return refuse('ENODEV')
  const { port } = link
  if (port === null) return refuse('EOPNOTSUPP')
  return done(withLink(world, ns, dev, (old) => ({ ...old, port: { ...port, isolated, hairpin } })))
}

/** Flags are sent only where they differ from what `from` says (null: a link that joins). */
export const putPort = (world: World, from: BridgePort | null, to: BridgePort): Result => {
  const was = from !== null && from.bridge === to.bridge ? from : null
  const joined = was === null ? enslave(world, to.ns, to.dev, to.bridge) : done(world)
  const same = (was?.isolated ?? false) === to.isolated && (was?.hairpin ?? false) === to.hairpin
  return E.isLeft(joined) || same ? joined : setFlags(joined.right, to)
}

/** Releasing a link that is on no bridge is no error. */
export const deletePort = (world: World, { ns, dev }: BridgePort): Result => {
  if (nsOf(world, ns) === undefined) return refuse('ENOENT')
  return linkOf(world, ns, dev) === undefined ? refuse('ENODEV') : done(release(world, ns, dev))
}

// Links are made, changed and deleted. Sources: net/core/rtnetlink.c (rtnl_newlink, do_setlink), drivers/net/veth.c,
// net/bridge/br_if.c (br_dev_delete).

import { freshLoopback } from '../../kernel/cascade.ts'
import type { Errno } from '../../kernel/errno.ts'
import { type Link, PLAIN_MTU } from '../../kernel/object.ts'
import { type Mac, macFromHex, ZERO_MAC } from '../../net/mac.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { emptyMap, hasIn, removeIn } from '../../net/pmap.ts'
import type { LinkEntry, NsEntry, World } from '../state.ts'
import { fitsMac, fitsMtu, forgetNeighbours, setDown, setMac, setMtu, setUp } from './device.ts'
import { runs6 } from './inet.ts'
import { release } from './port.ts'
import { forgetSysctls, inheritSysctls, isReserved } from './sysctl.ts'
import { flushRoutes } from './table.ts'
import { done, linkOf, nsOf, putLink, type Result, refuse, withLink, withNs } from './world.ts'

/** IFALIASZ less its NUL. */
const MAX_ALIAS = 255

/** Two FNV-1a hashes, for a MAC that Linux would choose at random and a simulation may not. */
const bornMac = (ns: Ns, name: IfName): Mac => {
  const hash = (seed: number): string => {
    let h = seed
    for (const c of `${ns}/${name}`) h = Math.imul(h ^ c.charCodeAt(0), 0x01000193)
    return (h >>> 0).toString(16).padStart(8, '0')
  }
  return macFromHex(hash(0x811c9dc5) + hash(0x9dc5811c))
}

/** Puts a link that is down into its namespace. */
const install = (space: NsEntry, { name, spec, mac, mtu, alias }: Omit<Link, 'kind' | 'ns' | 'up'>): NsEntry => {
  const link: LinkEntry = {
    index: space.nextIndex,
    name,
    spec,
    mac,
    mtu,
    up: false,
    alias,
    port: null,
    ports: [],
    addresses: [],
    routes: [],
    mtuSet: spec.type === 'bridge' && mtu !== PLAIN_MTU,
    ready6: false,
    pinned4: [],
    fdb: emptyMap(),
  }
  const held = inheritSysctls(putLink({ ...space, nextIndex: space.nextIndex + 1 }, link), name, 4)
  return runs6(link) ? inheritSysctls(held, name, 6) : held
}

export const installLoopback = (space: NsEntry): NsEntry => install(space, freshLoopback(space.ns))

const has = (world: World, ns: Ns, name: IfName): boolean => linkOf(world, ns, name) !== undefined

const peerRefusal = (world: World, { ns, name, spec }: Link): Errno | null => {
  if (spec.type !== 'veth') return null
  const { peer } = spec
  if (has(world, peer.ns, peer.name) || (peer.ns === ns && peer.name === name)) return 'EEXIST'
  return isReserved(peer.name) ? 'EINVAL' : null
}

/** In the order in which iproute2 and the kernel look. */
const refusal = (world: World, link: Link): Errno | null => {
  const { ns, name, spec } = link
  const taken = has(world, ns, name)
  if (nsOf(world, ns) === undefined) return 'ENOENT'
  if (spec.type === 'loopback') return taken ? 'EEXIST' : 'EOPNOTSUPP'
  if (spec.type === 'veth' && nsOf(world, spec.peer.ns) === undefined) return 'ENOENT'
  if (!fitsMac(link.mac)) return 'EADDRNOTAVAIL'
  if (spec.type === 'veth' && !fitsMtu('veth', link.mtu)) return 'EINVAL'
  if (taken) return 'EEXIST'
  if (!fitsMtu(spec.type, link.mtu) || (link.alias?.length ?? 0) > MAX_ALIAS) return 'EINVAL'
  return peerRefusal(world, link) ?? (isReserved(name) ? 'EINVAL' : null)
}

/** A veth brings its other end: down, of 1500 bytes, with a MAC of its own. */
export const createLink = (world: World, link: Link): Result => {
  const errno = refusal(world, link)
  if (errno !== null) return refuse(errno)
  const { ns, name, spec } = link
  let next = world
  if (spec.type === 'veth') {
    const { peer } = spec
    const mac = bornMac(peer.ns, peer.name)
    const other = {
      name: peer.name,
      spec: { type: 'veth', peer: { ns, name } },
      mac,
      mtu: PLAIN_MTU,
      alias: null,
    } as const
    next = withNs(next, peer.ns, (space) => install(space, other))
  }
  next = withNs(next, ns, (space) => install(space, link))
  return done(link.up ? setUp(next, ns, name) : next)
}

/** Only what differs between `from` and `to` is sent; nothing is, for nothing. A MAC of zero means any. */
export const changeLink = (world: World, from: Link, to: Link): Result => {
  const { ns, name } = to
  const mac = from.mac !== to.mac && to.mac !== ZERO_MAC
  const mtu = from.mtu !== to.mtu
  const up = from.up !== to.up
  const alias = from.alias !== to.alias
  if (!mac && !mtu && !up && !alias) return done(world)
  if (nsOf(world, ns) === undefined) return refuse('ENOENT')
  const link = linkOf(world, ns, name)
  if (link === undefined) return refuse('ENODEV')
  if (mac && !fitsMac(to.mac)) return refuse('EADDRNOTAVAIL')
  if (mtu && !fitsMtu(link.spec.type, to.mtu)) return refuse('EINVAL')
  if (alias && (to.alias?.length ?? 0) > MAX_ALIAS) return refuse('EINVAL')
  let next = world
  if (mac) next = setMac(next, ns, name, to.mac)
  if (mtu) next = setMtu(next, ns, name, to.mtu)
  if (up && to.up !== link.up) next = to.up ? setUp(next, ns, name) : setDown(next, ns, name)
  return done(alias ? withLink(next, ns, name, (old) => ({ ...old, alias: to.alias })) : next)
}

const uninstall = (world: World, ns: Ns, name: IfName): World => {
  const ports = linkOf(world, ns, name)?.ports ?? []
  const freed = ports.reduce((next, port) => release(next, ns, port), release(world, ns, name))
  return withNs(freed, ns, (space) => {
    if (!hasIn(space.links, name)) return space
    const flushed = forgetNeighbours(flushRoutes(space, name, null), name)
    const forgotten = forgetSysctls(forgetSysctls(flushed, name, 4), name, 6)
    return { ...forgotten, links: removeIn(forgotten.links, name) }
  })
}

/** Removes a link with all that sits on it, and a veth's other end. */
export const removeLink = (world: World, ns: Ns, link: LinkEntry): World => {
  const next = uninstall(world, ns, link.name)
  return link.spec.type === 'veth' ? uninstall(next, link.spec.peer.ns, link.spec.peer.name) : next
}

export const deleteLink = (world: World, { ns, name }: Link): Result => {
  if (nsOf(world, ns) === undefined) return refuse('ENOENT')
  const link = linkOf(world, ns, name)
  if (link === undefined) return refuse('ENODEV')
  return link.spec.type === 'loopback' ? refuse('EOPNOTSUPP') : done(removeLink(world, ns, link))
}

// Links are made, changed and deleted. Sources: net/core/rtnetlink.c (rtnl_newlink, do_setlink), drivers/net/veth.c,
// net/bridge/br_if.c (br_dev_delete).

import { freshLoopback } from '../../kernel/cascade.ts'
import type { Errno } from '../../kernel/errno.ts'
import { type Link, PLAIN_MTU } from '../../kernel/object.ts'
import { type Mac, mac as macOf, ZERO_MAC } from '../../net/mac.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { emptyMap, entriesOf } from '../../net/pmap.ts'
import { type LinkEntry, linkWith } from '../state.ts'
import { fitsMac, fitsMtu, forgetNeighbours, setDown, setMac, setMtu, setUp } from './device.ts'
import { change, type Draft, dropLink, linkOf, putLink, type Space, spaceOf } from './draft.ts'
import { runs6 } from './inet.ts'
import { leaveBridge, release } from './port.ts'
import { isReserved } from './sysctl.ts'
import { dropRoutes } from './table.ts'

/** IFALIASZ less its NUL. */
const MAX_ALIAS = 255

/** FNV-1a of 32 bits. */
const hash = (seed: number, text: string): number => {
  let h = seed
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/** Unicast and locally administered; from two hashes where Linux chooses at random, which a simulation may not. */
const bornMac = (ns: Ns, name: IfName): Mac => {
  const text = `${ns}/${name}`
  const high = ((hash(0x811c9dc5, text) & 0xfeffffff) | 0x02000000) >>> 0
  return macOf(high * 2 ** 16 + (hash(0x9dc5811c, text) >>> 16))
}

/** Puts a link that is down into its namespace. */
const install = (space: Space, { name, spec, mac, mtu, alias }: Omit<Link, 'kind' | 'ns' | 'up'>): LinkEntry => {
  const link: LinkEntry = {
    index: space.now.nextIndex++,
    name,
    spec,
    mac,
    mtu,
    up: false,
    alias,
    port: null,
    ports: emptyMap(),
    addresses: [],
    routes: [],
    mtuSet: spec.type === 'bridge' && mtu !== PLAIN_MTU,
    ready6: false,
    conf: space.now.confDefault,
    pinned4: [],
    fdb: emptyMap(),
  }
  return putLink(space, runs6(link) ? link : linkWith(link, { conf: { ...link.conf, 6: {} } }))
}

export const installLoopback = (space: Space): LinkEntry => install(space, freshLoopback(space.ns))

const peerRefusal = (other: Space, { ns, name }: Link, peer: Readonly<{ ns: Ns; name: IfName }>): Errno | null => {
  if (linkOf(other, peer.name) !== null || (peer.ns === ns && peer.name === name)) return 'EEXIST'
  return isReserved(peer.name) ? 'EINVAL' : null
}

/** In the order in which iproute2 and the kernel look. */
const refusal = (space: Space, link: Link): Errno | null => {
  const { name, spec } = link
  const taken = linkOf(space, name) !== null
  if (spec.type === 'loopback') return taken ? 'EEXIST' : 'EOPNOTSUPP'
  const other = spec.type === 'veth' ? spaceOf(space.draft, spec.peer.ns) : null
  if (spec.type === 'veth' && other === null) return 'ENOENT'
  if (!fitsMac(link.mac)) return 'EADDRNOTAVAIL'
  if (spec.type === 'veth' && !fitsMtu('veth', link.mtu)) return 'EINVAL'
  if (taken) return 'EEXIST'
  if (!fitsMtu(spec.type, link.mtu) || (link.alias?.length ?? 0) > MAX_ALIAS) return 'EINVAL'
  const errno = spec.type === 'veth' && other !== null ? peerRefusal(other, link, spec.peer) : null
  return errno ?? (isReserved(name) ? 'EINVAL' : null)
}

/** A veth brings its other end: down, of 1500 bytes, with a MAC of its own. */
export const createLink = (draft: Draft, link: Link): Errno | null => {
  const { ns, name, spec } = link
  const space = spaceOf(draft, ns)
  if (space === null) return 'ENOENT'
  const errno = refusal(space, link)
  if (errno !== null) return errno
  const other = spec.type === 'veth' ? spaceOf(draft, spec.peer.ns) : null
  if (spec.type === 'veth' && other !== null) {
    const mac = bornMac(spec.peer.ns, spec.peer.name)
    const back = { type: 'veth', peer: { ns, name } } as const
    install(other, { name: spec.peer.name, spec: back, mac, mtu: PLAIN_MTU, alias: null })
  }
  const installed = install(space, link)
  if (link.up) setUp(space, installed)
  return null
}

/** Only what differs between `from` and `to` is sent; nothing is, for nothing. A MAC of zero means any. */
export const changeLink = (draft: Draft, from: Link, to: Link): Errno | null => {
  const { ns, name } = to
  const mac = from.mac !== to.mac && to.mac !== ZERO_MAC
  const mtu = from.mtu !== to.mtu
  const up = from.up !== to.up
  const alias = from.alias !== to.alias
  if (!mac && !mtu && !up && !alias) return null
  const space = spaceOf(draft, ns)
  if (space === null) return 'ENOENT'
  const link = linkOf(space, name)
  if (link === null) return 'ENODEV'
  if (mac && !fitsMac(to.mac)) return 'EADDRNOTAVAIL'
  if (mtu && !fitsMtu(link.spec.type, to.mtu)) return 'EINVAL'
  if (alias && (to.alias?.length ?? 0) > MAX_ALIAS) return 'EINVAL'
  const present = (): LinkEntry => linkOf(space, name) ?? link
  if (mac) setMac(space, link, to.mac)
  if (mtu) setMtu(space, present(), to.mtu)
  if (up && to.up !== link.up) (to.up ? setUp : setDown)(space, present())
  if (alias) change(space, present(), { alias: to.alias })
  return null
}

const releasePorts = (space: Space, bridge: LinkEntry): void => {
  for (const [name] of entriesOf(bridge.ports)) {
    const port = linkOf(space, name)
    if (port !== null) release(space, port)
  }
}

const uninstall = (space: Space, link: LinkEntry): void => {
  if (link.spec.type === 'bridge') releasePorts(space, link)
  forgetNeighbours(space, link.name)
  leaveBridge(space, link)
  dropRoutes(space, link)
  dropLink(space, link.name)
}

/** Removes a link with all that sits on it, and a veth's other end. */
export const removeLink = (space: Space, link: LinkEntry): void => {
  uninstall(space, link)
  if (link.spec.type !== 'veth') return
  const { ns, name } = link.spec.peer
  const other = spaceOf(space.draft, ns)
  const end = other === null ? null : linkOf(other, name)
  if (other !== null && end !== null) uninstall(other, end)
}

export const deleteLink = (draft: Draft, { ns, name }: Link): Errno | null => {
  const space = spaceOf(draft, ns)
  if (space === null) return 'ENOENT'
  const link = linkOf(space, name)
  if (link === null) return 'ENODEV'
  if (link.spec.type === 'loopback') return 'EOPNOTSUPP'
  removeLink(space, link)
  return null
}

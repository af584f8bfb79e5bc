// Links are made. Invariant: the order of the checks is that of ip-link(8) and then of the kernel; a link that its master
// refuses, or that cannot be opened, is taken back.
// Source: net/core/rtnetlink.c (__rtnl_newlink, rtnl_newlink_create), drivers/net/veth.c (veth_newlink), net/bridge/br_netlink.c.

import { freshLoopback } from '../../kernel/cascade.ts'
import type { Errno } from '../../kernel/errno.ts'
import { PLAIN_MTU } from '../../kernel/object.ts'
import type { BridgeOptions, NewPeer } from '../../kernel/rtnl/kind.ts'
import type { NewLink } from '../../kernel/rtnl/request.ts'
import { type IfName, ifName } from '../../net/name.ts'
import { hasIn } from '../../net/pmap.ts'
import { setMaster } from './bridge.ts'
import { setOptions } from './bridge-options.ts'
import { notify } from './carrier.ts'
import { removeLink } from './dellink.ts'
import { fitsMac, fitsMtu } from './device.ts'
import { linkOf, type Space, spaceOf } from './draft.ts'
import { bornMac, install, NEW_BRIDGE } from './link-facts.ts'
import { checkPort } from './port-state.ts'
import { askUp } from './setlink.ts'
import { isReserved } from './sysctl.ts'

export const installLoopback = (space: Space): void => {
  const { name, spec, mac, mtu } = freshLoopback(space.ns)
  install(space, { name, spec, mac, mtu })
}

/** Whether a device may be registered under this name and index. */
const registers = (space: Space, name: IfName, index: number | undefined): Errno | null => {
  if (linkOf(space, name) !== null) return 'EEXIST'
  if (isReserved(name)) {
    // It had an index by the time that its sysctls were refused their directory.
    if (index === undefined) space.now.nextIndex += 1
    return 'EINVAL'
  }
  return index !== undefined && hasIn(space.now.indexes, String(index)) ? 'EBUSY' : null
}

const invalidPeer = ({ mac, mtu }: NewPeer): Errno | null => {
  if (mac !== undefined && !fitsMac(mac)) return 'EADDRNOTAVAIL'
  return mtu !== undefined && !fitsMtu('veth', mtu) ? 'EINVAL' : null
}

/** What a kind says of the settings before anything is looked up (`validate` of its rtnl_link_ops). */
const invalid = ({ mac, mtu, kind }: NewLink): Errno | null => {
  if (mac !== undefined && !fitsMac(mac)) return 'EADDRNOTAVAIL'
  if (kind.kind !== 'veth') return null
  return mtu !== undefined && !fitsMtu('veth', mtu) ? 'EINVAL' : invalidPeer(kind.peer)
}

const own = ({ name, index, group, txqlen }: NewLink) => ({
  name,
  index: index ?? null,
  ...(group === undefined ? {} : { group }),
  ...(txqlen === undefined ? {} : { txqlen }),
})

/** The first of veth0, veth1 and so on that is free (dev_alloc_name). */
const freeName = (space: Space): IfName => {
  for (let n = 0; ; n++) {
    const name = ifName(`veth${n}`)
    if (linkOf(space, name) === null) return name
  }
}

/** The other end is registered first, and has its index even if this end is refused then. */
const addVeth = (space: Space, ask: NewLink, asked: NewPeer, near: Space): Errno | null => {
  const there = asked.ns === undefined ? near : spaceOf(space.draft, asked.ns)
  if (there === null) return 'ENOENT'
  const peer = asked.name ?? freeName(there)
  const refused = registers(there, peer, undefined)
  if (refused !== null) return refused
  const spec = { type: 'veth', peer: { ns: space.ns, name: ask.name } } as const
  const mac = asked.mac ?? bornMac(there.ns, peer)
  const end = install(there, { name: peer, spec, mac, mtu: asked.mtu ?? PLAIN_MTU })
  const errno = registers(space, ask.name, ask.index)
  if (errno !== null) {
    removeLink(there, { ...end, spec: { type: 'dummy' } })
    return errno
  }
  install(space, {
    ...own(ask),
    spec: { type: 'veth', peer: { ns: there.ns, name: peer } },
    mac: ask.mac ?? bornMac(space.ns, ask.name),
    mtu: ask.mtu ?? PLAIN_MTU,
  })
  notify(there, peer, checkPort)
  notify(space, ask.name, checkPort)
  return null
}

const addBridge = (space: Space, ask: NewLink, options: BridgeOptions): Errno | null => {
  const errno = registers(space, ask.name, ask.index)
  if (errno !== null) return errno
  const mac = ask.mac ?? bornMac(space.ns, ask.name)
  const mtu = ask.mtu ?? PLAIN_MTU
  const macSet = ask.mac !== undefined
  const link = install(space, { ...own(ask), spec: { type: 'bridge' }, mac, mtu, macSet, bridge: NEW_BRIDGE })
  const refused = setOptions(space, link, options)
  if (refused !== null) removeLink(space, linkOf(space, ask.name) ?? link)
  return refused
}

const addDummy = (space: Space, ask: NewLink): Errno | null => {
  const errno = registers(space, ask.name, ask.index)
  if (errno !== null) return errno
  const mac = ask.mac ?? bornMac(space.ns, ask.name)
  install(space, { ...own(ask), spec: { type: 'dummy' }, mac, mtu: ask.mtu ?? PLAIN_MTU })
  return null
}

/** Registers the device in `target`; `near` is where it was asked for. */
const register = (target: Space, ask: NewLink, near: Space): Errno | null => {
  const { kind } = ask
  switch (kind.kind) {
    case 'veth':
      return addVeth(target, ask, kind.peer, near)
    case 'bridge': {
      const { kind: _, ...options } = kind
      return addBridge(target, ask, options)
    }
    case 'dummy':
      return addDummy(target, ask)
    case 'vlan':
    case 'vxlan':
    case 'macvlan':
    case 'ipvlan':
      return 'EOPNOTSUPP'
  }
}

/** Up before its master, unlike a link that is changed (rtnl_configure_link, then do_set_master). */
const configure = (space: Space, { name, up, master }: NewLink): Errno | null => {
  const link = linkOf(space, name)
  const errno = up === true && link !== null ? askUp(space, link, true) : null
  return errno ?? (master === undefined ? null : setMaster(space, name, master))
}

export const newLink = (space: Space, ask: NewLink): Errno | null => {
  const refused = invalid(ask)
  if (refused !== null) return refused
  const target = ask.to === undefined ? space : spaceOf(space.draft, ask.to)
  if (target === null) return 'ENOENT'
  const isThere =
    ask.index === undefined ? linkOf(target, ask.name) !== null : hasIn(target.now.indexes, String(ask.index))
  if (isThere) return 'EEXIST'
  if (ask.mtu !== undefined && !fitsMtu(ask.kind.kind, ask.mtu)) return 'EINVAL'
  const errno = register(target, ask, space)
  if (errno !== null) return errno
  const failed = configure(target, ask)
  const made = failed === null ? null : linkOf(target, ask.name)
  if (made !== null) removeLink(target, made)
  return failed
}

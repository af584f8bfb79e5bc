// Links are made. Invariant: the order of the checks is that of ip-link(8) and then of the kernel; a link that its master
// refuses, or that cannot be opened, is taken back.
// Source: net/core/rtnetlink.c (__rtnl_newlink, rtnl_newlink_create), drivers/net/veth.c (veth_newlink), net/bridge/br_netlink.c.

import { freshLoopback } from '../../kernel/cascade.ts'
import type { Errno } from '../../kernel/errno.ts'
import { PLAIN_MTU } from '../../kernel/object.ts'
import type { BridgeOptions, NewKind, NewPeer, VxlanOptions } from '../../kernel/rtnl/kind.ts'
import type { NewLink } from '../../kernel/rtnl/request.ts'
import { type IfName, ifName } from '../../net/name.ts'
import { hasIn } from '../../net/pmap.ts'
import type { LinkEntry } from '../link-entry.ts'
import { isSince } from '../version.ts'
import { setMaster } from './bridge.ts'
import { addLocal } from './bridge-fdb.ts'
import { invalidBridge, setOptions } from './bridge-options.ts'
import { initVlans } from './bridge-vlan.ts'
import { notify } from './carrier.ts'
import { removeLink } from './dellink.ts'
import { fitsMtu } from './device.ts'
import { change, found, linkOf, type Space, spaceOf } from './draft.ts'
import { bornMac, install, NEW_BRIDGE } from './link-facts.ts'
import { fitsMac } from './mac.ts'
import { checkCarrier } from './port-state.ts'
import { askUp, indexAsked } from './setlink.ts'
import { planned, shareIpvlan } from './stacked.ts'
import { isReserved } from './sysctl.ts'
import { enlist, plannedVxlan } from './vxlan.ts'
import { setDefault } from './vxlan-fdb.ts'

export const installLoopback = (space: Space): void => {
  const { name, mac, mtu } = freshLoopback(space.ns)
  install(space, { name, spec: { type: 'loopback' }, mac, mtu })
}

/** Whether a device may be registered under this name and index. */
const registers = (space: Space, name: IfName, index: number | undefined): Errno | null => {
  if (linkOf(space, name) !== null) return 'EEXIST'
  if (index !== undefined && hasIn(space.now.indexes, String(index))) return 'EBUSY'
  if (isReserved(name)) {
    // It had an index by the time that its sysctls were refused their directory.
    if (index === undefined) space.now.nextIndex += 1
    return 'EINVAL'
  }
  return null
}

const invalidPeer = ({ mac, mtu }: NewPeer): Errno | null => {
  if (mac !== undefined && !fitsMac(mac)) return 'EADDRNOTAVAIL'
  return mtu !== undefined && !fitsMtu('veth', mtu) ? 'EINVAL' : null
}

/** Before 6.13 the other end was looked at when it was made. */
const isPeerFirst = ({ draft }: Space): boolean => isSince(draft.world.linux, 6, 13)

/** What a kind says of the settings before anything is looked up (`validate` of its rtnl_link_ops). */
const invalid = (space: Space, { mac, mtu, kind }: NewLink): Errno | null => {
  if (kind.kind !== 'ipvlan' && mac !== undefined && !fitsMac(mac)) return 'EADDRNOTAVAIL'
  switch (kind.kind) {
    case 'bridge':
      return invalidBridge(space, kind)
    case 'veth':
      if (mtu !== undefined && !fitsMtu('veth', mtu)) return 'EINVAL'
      return isPeerFirst(space) ? invalidPeer(kind.peer) : null
    case 'vxlan':
      return mtu !== undefined && !fitsMtu('vxlan', mtu) ? 'EINVAL' : null
    case 'vlan':
      return kind.id >= MOST_VLANS ? 'ERANGE' : null
    default:
      return null
  }
}

/** VLAN_VID_MASK. */
const MOST_VLANS = 4095

/** The first of veth0, veth1 and so on that is free (dev_alloc_name). */
const freeName = (space: Space): IfName => {
  for (let n = 0; ; n++) {
    const name = ifName(`veth${n}`)
    if (linkOf(space, name) === null) return name
  }
}

/** The other end is registered first, and has its index even if this end is refused then. */
const addVeth = (space: Space, ask: NewLink, asked: NewPeer, near: Space): Errno | null => {
  const wrong = isPeerFirst(space) ? null : invalidPeer(asked)
  if (wrong !== null) return wrong
  const there = asked.ns === undefined ? near : spaceOf(space.draft, asked.ns)
  if (there === null) return 'ENOENT'
  const peer = asked.name ?? freeName(there)
  const refused = registers(there, peer, undefined)
  if (refused !== null) return refused
  const spec = { type: 'veth', peer: { ns: space.ns, name: ask.name } } as const
  const mac = asked.mac ?? bornMac(there, peer)
  const end = install(there, { name: peer, spec, mac, mtu: asked.mtu ?? PLAIN_MTU })
  const errno = registers(space, ask.name, ask.index)
  if (errno !== null) {
    removeLink(there, { ...end, spec: { type: 'dummy' } })
    return errno
  }
  const toPeer = { type: 'veth', peer: { ns: there.ns, name: peer } } as const
  const ownMac = ask.mac ?? bornMac(space, ask.name)
  install(space, { name: ask.name, spec: toPeer, mac: ownMac, mtu: ask.mtu ?? PLAIN_MTU }, ask)
  notify(there, peer, checkCarrier)
  notify(space, ask.name, checkCarrier)
  return null
}

const addBridge = (space: Space, ask: NewLink, options: BridgeOptions): Errno | null => {
  const errno = registers(space, ask.name, ask.index)
  if (errno !== null) return errno
  const mac = ask.mac ?? bornMac(space, ask.name)
  const mtu = ask.mtu ?? PLAIN_MTU
  const macSet = ask.mac !== undefined
  const link = install(space, { name: ask.name, spec: { type: 'bridge' }, mac, mtu, macSet, bridge: NEW_BRIDGE }, ask)
  initVlans(space, link.name, NEW_BRIDGE.vlanDefaultPvid)
  addLocal(space, link.name, null, mac, 0)
  const refused = setOptions(space, linkOf(space, ask.name) ?? link, options)
  if (refused !== null) removeLink(space, linkOf(space, ask.name) ?? link)
  return refused
}

const addDummy = (space: Space, ask: NewLink): Errno | null => {
  const errno = registers(space, ask.name, ask.index)
  if (errno !== null) return errno
  const mac = ask.mac ?? bornMac(space, ask.name)
  install(space, { name: ask.name, spec: { type: 'dummy' }, mac, mtu: ask.mtu ?? PLAIN_MTU }, ask)
  return null
}

/** It hangs on a device of where it was asked for. */
const hang = (target: Space, link: LinkEntry, near: Space): void => {
  const below = link.below === null ? null : found(near, link.below)
  if (below === null) return
  const place = { ns: target.ns, name: link.name }
  change(below.space, below.link, { above: [...below.link.above, place] })
}

const addVxlan = (target: Space, ask: NewLink, options: VxlanOptions, near: Space): Errno | null => {
  const plan = plannedVxlan(near, options, ask.mtu)
  if (typeof plan === 'string') return plan
  const errno = registers(target, ask.name, ask.index)
  if (errno !== null) return errno
  const { spec, below, mtu = PLAIN_MTU } = plan
  const mac = ask.mac ?? bornMac(target, ask.name)
  const link = install(target, { name: ask.name, spec, mac, mtu, below }, ask)
  setDefault(target, link, null, spec)
  enlist(target, link)
  hang(target, link, near)
  return null
}

/** 802.1Q, macvlan, ipvlan. */
const addStacked = (target: Space, ask: NewLink, near: Space): Errno | null => {
  const plan = planned(near, ask)
  if (typeof plan === 'string') return plan
  const errno = registers(target, ask.name, ask.index)
  if (errno !== null) return errno
  const { spec, below, mtu, follows } = plan
  const mac = plan.mac ?? ask.mac ?? bornMac(target, ask.name)
  const lower = found(near, below)?.link.lower ?? false
  const link = install(target, { name: ask.name, spec, mac, mtu, below, lower, macSet: !follows }, ask)
  hang(target, link, near)
  if (spec.type === 'ipvlan') shareIpvlan(target, link, { mode: spec.mode, flag: spec.flag, next: spec.next })
  // Nobody looks at an ipvlan that has carrier.
  if (spec.type !== 'ipvlan' || !lower) notify(target, ask.name, checkCarrier)
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
    case 'vxlan': {
      const { kind: _, ...options } = kind
      return addVxlan(target, ask, options, near)
    }
    case 'vlan':
    case 'macvlan':
    case 'ipvlan':
      return addStacked(target, ask, near)
  }
}

/** Up before its master, unlike a link that is changed (rtnl_configure_link, then do_set_master). */
const configure = (space: Space, { name, up }: NewLink, master: number | null): Errno | null => {
  const link = linkOf(space, name)
  const errno = up === true && link !== null ? askUp(space, link, true) : null
  return errno ?? (master === null ? null : setMaster(space, name, master))
}

/** Whether this kernel has no devices of a kind. */
const lacks = ({ draft }: Space, { kind }: NewKind): boolean =>
  kind !== 'bridge' && kind !== 'veth' && draft.world.lacks.has(kind)

export const newLink = (space: Space, ask: NewLink): Errno | null => {
  const isUnknown = lacks(space, ask.kind)
  const refused = isUnknown ? null : invalid(space, ask)
  if (refused !== null) return refused
  const target = ask.to === undefined ? space : spaceOf(space.draft, ask.to)
  if (target === null) return 'ENOENT'
  // Before 6.15 it was looked for where it was asked for.
  const at = isSince(space.draft.world.linux, 6, 15) ? target : space
  const isThere = ask.index === undefined ? linkOf(at, ask.name) !== null : hasIn(at.now.indexes, String(ask.index))
  if (isThere) return 'EEXIST'
  if (isUnknown) return 'EOPNOTSUPP'
  if (ask.mtu !== undefined && !fitsMtu(ask.kind.kind, ask.mtu)) return 'EINVAL'
  const master = indexAsked(space, ask.master)
  const errno = register(target, ask, space)
  if (errno !== null) return errno
  const failed = configure(target, ask, master)
  const made = failed === null ? null : linkOf(target, ask.name)
  if (made !== null) removeLink(target, made)
  return failed
}

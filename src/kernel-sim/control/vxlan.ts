// VXLANs: which are accepted, what a change may say, the device below, and the socket that one which is up hears by.
// Invariant: `vxlans` of a namespace has exactly those that send by its stack, wherever they are.
// Source: drivers/net/vxlan/vxlan_core.c (vxlan_nl2conf, vxlan_config_validate, vxlan_config_apply, vxlan_open, vxlan_stop,
// vxlan_changelink, vxlan_change_mtu).

import type { Errno } from '../../kernel/errno.ts'
import type { VxlanOptions } from '../../kernel/rtnl/kind.ts'
import { VXLAN_PORT } from '../../kernel/rtnl/link-words.ts'
import { type Family, familyOf, type Ip, isIp4, isLinkLocal, isMulticast, isUnspecified } from '../../net/ip.ts'
import type { Ns } from '../../net/name.ts'
import { entriesUnder, removeIn, setIn, valuesOf } from '../../net/pmap.ts'
import type { LinkEntry, Place, VxlanSpec } from '../link-entry.ts'
import { change, found, linkAt, linkOf, type Space, spaceOf } from './draft.ts'
import { disabled6, runs4, runs6 } from './inet.ts'
import type { On } from './stacked.ts'
import { forgetAging, setDefault } from './vxlan-fdb.ts'

const DEFAULT_AGEING_S = 300
const MIN_MTU = 68
const MAX_MTU = 65_535

/** What a packet of this family grows by: IP, UDP, VXLAN and Ethernet. */
export const HEADROOM: Readonly<Record<Family, number>> = { 4: 50, 6: 70 }

const NEW: Omit<VxlanSpec, 'vni' | 'net'> = {
  type: 'vxlan',
  family: 4,
  via: 0,
  port: VXLAN_PORT,
  ttl: 0,
  learning: true,
  ageing: DEFAULT_AGEING_S,
  proxy: false,
  rsc: false,
  l2miss: false,
  l3miss: false,
  udpCsum: true,
  udpZeroCsum6Tx: false,
  udpZeroCsum6Rx: false,
}

export type Asked = Partial<VxlanOptions>
/** What a VXLAN is to be; `family` null while no address says it. */
type Wanted = Readonly<{ spec: VxlanSpec; remoteFamily: Family | null; localFamily: Family | null }>

const isGiven = (ip: Ip | undefined): ip is Ip => ip !== undefined && !isUnspecified(ip)

/** `old` null: a new one. A number of 0 means the kernel's own, as where nothing is said. */
const wantedOf = (asked: Asked, old: VxlanSpec | null, net: Ns, via: number): Wanted => {
  const { dev: _, ageing, port, remote, local, ...rest } = asked
  const base: VxlanSpec = old ?? { ...NEW, net, vni: 0 }
  const spec: VxlanSpec = {
    ...base,
    ...rest,
    ...(remote === undefined ? {} : { remote }),
    ...(local === undefined ? {} : { local }),
    port: port === undefined || port === 0 ? base.port : port,
    ageing: (ageing ?? base.ageing) || DEFAULT_AGEING_S,
    via,
  }
  const familyBy = (ip: Ip | undefined) => (ip === undefined ? (old?.family ?? null) : familyOf(ip))
  return { spec, remoteFamily: familyBy(remote), localFamily: familyBy(local) }
}

/** What cannot be said of one that is there. */
const unchangeable = (asked: Asked, { family }: VxlanSpec, mtu: number | undefined): boolean =>
  (asked.remote !== undefined && familyOf(asked.remote) !== family) ||
  (asked.local !== undefined && familyOf(asked.local) !== family) ||
  mtu !== undefined ||
  [asked.proxy, asked.rsc, asked.l2miss, asked.l3miss].some((flag) => flag !== undefined) ||
  [asked.udpCsum, asked.udpZeroCsum6Tx, asked.udpZeroCsum6Rx].some((flag) => flag !== undefined)

/** A link-local address speaks to its like only. */
const mixesScopes = ({ local, remote }: VxlanSpec): boolean => {
  const far = isGiven(remote) ? remote : null
  if (isGiven(local) && isLinkLocal(local)) return far !== null && !isLinkLocal(far) && !isLinkLocalGroup(far)
  return far !== null && isLinkLocal(far)
}
const isLinkLocalGroup = (ip: Ip): boolean => typeof ip === 'bigint' && ip >> 112n === 0xff02n
const isLocalOnly = ({ local, family }: VxlanSpec): boolean => family === 6 && isGiven(local) && isLinkLocal(local)

/** What a packet is told by, of whom it is for: two with the same cannot be. */
const heardBy = ({ port, family, udpZeroCsum6Rx, vni }: VxlanSpec): string =>
  `${socketOf(port, family, udpZeroCsum6Rx)}${vni} `
const socketOf = (port: number, family: Family, zeroCsum6: boolean): string => `${port} ${family} ${zeroCsum6} `
const keyOf = (spec: VxlanSpec, { ns, name }: Place): string => `${heardBy(spec)}${ns}/${name}`

const isTaken = (net: Space, spec: VxlanSpec, self: Place | null): boolean =>
  entriesUnder(net.now.vxlans, heardBy(spec)).some(([, place]) => {
    if (self !== null && place.ns === self.ns && place.name === self.name) return false
    const other = found(net, place)?.link.spec
    return other?.type === 'vxlan' && (!isLocalOnly(spec) || other.via === spec.via)
  })

type Checked = Readonly<{ spec: VxlanSpec; lower: LinkEntry | null }>

/** vxlan_config_validate. */
const checked = (
  net: Space,
  { spec: asked, remoteFamily, localFamily }: Wanted,
  self: Place | null,
): Checked | Errno => {
  const family = remoteFamily ?? localFamily ?? 4
  if ((localFamily ?? family) !== family) return 'EINVAL'
  const spec = { ...asked, family }
  if (spec.local !== undefined && isMulticast(spec.local)) return 'EINVAL'
  if (family === 6 && mixesScopes(spec)) return 'EINVAL'
  const lower = spec.via === 0 ? null : linkAt(net, spec.via)
  if (spec.via !== 0) {
    if (lower === null) return 'ENODEV'
    if (family === 6 && runs6(lower) && disabled6(lower)) return 'EPERM'
  } else if ((spec.remote !== undefined && isMulticast(spec.remote)) || isLocalOnly(spec)) return 'EINVAL'
  return isTaken(net, spec, self) ? 'EEXIST' : { spec, lower }
}

const fits = ({ family }: VxlanSpec, lower: LinkEntry): number => Math.max(lower.mtu - HEADROOM[family], MIN_MTU)

/** What a new VXLAN is, and its MTU: as large as the device below allows, at most. Left out: nothing is below it. */
export const plannedVxlan = (
  net: Space,
  asked: VxlanOptions,
  mtu: number | undefined,
): Readonly<{ spec: VxlanSpec; below: Place | null; mtu: number | undefined }> | Errno => {
  const dev = asked.dev === undefined ? null : linkOf(net, asked.dev)
  const plan = checked(net, wantedOf(asked, null, net.ns, dev?.index ?? 0), null)
  if (typeof plan === 'string') return plan
  const { spec, lower } = plan
  const most = lower === null ? MAX_MTU : fits(spec, lower)
  return {
    spec,
    below: lower === null ? null : { ns: net.ns, name: lower.name },
    mtu: lower === null ? mtu : Math.min(mtu ?? most, most),
  }
}

/** Writes a VXLAN into the book of those that send by a stack. */
export const enlist = (space: Space, link: LinkEntry): void => {
  if (link.spec.type !== 'vxlan') return
  const net = spaceOf(space.draft, link.spec.net)
  const place = { ns: space.ns, name: link.name }
  if (net !== null) net.now.vxlans = setIn(net.now.vxlans, keyOf(link.spec, place), place)
}

/** It is elsewhere now, or (null) gone. */
export const relist = (space: Space, { spec }: LinkEntry, from: Place, to: Place | null): void => {
  const net = spec.type === 'vxlan' ? spaceOf(space.draft, spec.net) : null
  if (spec.type !== 'vxlan' || net === null) return
  const rest = removeIn(net.now.vxlans, keyOf(spec, from))
  net.now.vxlans = to === null ? rest : setIn(rest, keyOf(spec, to), to)
}

/** Those that send by a stack. */
export const sendersBy = (net: Space): ReadonlyArray<On> =>
  valuesOf(net.now.vxlans).flatMap((place) => found(net, place) ?? [])

/** The namespace whose stack they send by has another name now: it was `from`. */
export const renameNet = (moved: Space, from: Ns): void => {
  const { ns } = moved
  for (const [key, place] of entriesUnder(moved.now.vxlans, '')) {
    const at = place.ns === from ? { ns, name: place.name } : place
    const on = found(moved, at)
    moved.now.vxlans = removeIn(moved.now.vxlans, key)
    if (on === null || on.link.spec.type !== 'vxlan') continue
    const spec = { ...on.link.spec, net: ns }
    change(on.space, on.link, { spec })
    moved.now.vxlans = setIn(moved.now.vxlans, keyOf(spec, at), at)
  }
}

/** Whether `name` is somewhere above this device: it stands on it, or has it as a port. */
export const carries = (space: Space, { above, port }: LinkEntry, { ns, name }: Place): boolean =>
  [...above, ...(port === null ? [] : [{ ns: space.ns, name: port.bridge }])].some((place) => {
    if (place.ns === ns && place.name === name) return true
    const on = found(space, place)
    return on !== null && carries(on.space, on.link, { ns, name })
  })

const standOn = (space: Space, link: LinkEntry, net: Space, lower: LinkEntry): void => {
  const self = { ns: space.ns, name: link.name }
  const old = link.below === null ? null : found(space, link.below)
  if (old !== null)
    change(old.space, old.link, {
      above: old.link.above.filter((place) => place.ns !== self.ns || place.name !== self.name),
    })
  const now = linkOf(net, lower.name) ?? lower
  change(net, now, { above: [...now.above, self] })
  const own = linkOf(space, link.name) ?? link
  // The kernel tells nobody of an MTU that is cut this way.
  const mtu = own.spec.type === 'vxlan' ? Math.min(own.mtu, fits(own.spec, lower)) : own.mtu
  change(space, own, { below: { ns: net.ns, name: lower.name }, mtu })
}

/** vxlan_changelink. `mtu`: what the same message says of it. */
export const changeVxlan = (space: Space, link: LinkEntry, asked: Asked, mtu: number | undefined): Errno | null => {
  const { spec: old } = link
  if (old.type !== 'vxlan') return 'EOPNOTSUPP'
  if (unchangeable(asked, old, mtu)) return 'EOPNOTSUPP'
  const net = spaceOf(space.draft, old.net)
  if (net === null) return 'ENODEV'
  const self = { ns: space.ns, name: link.name }
  const dev = asked.dev === undefined ? null : linkOf(space, asked.dev)
  const plan = checked(net, wantedOf(asked, old, old.net, dev?.index ?? old.via), self)
  if (typeof plan === 'string') return plan
  const { spec, lower } = plan
  const isSame = lower === null || (link.below?.ns === net.ns && link.below.name === lower.name)
  const isSelf = lower !== null && net.ns === self.ns && lower.name === self.name
  const errno = isSame ? null : isSelf || carries(space, link, { ns: net.ns, name: lower.name }) ? 'EBUSY' : null
  if (errno !== null) return errno
  const refused = setDefault(space, link, old, spec)
  if (refused !== null) return refused
  change(space, linkOf(space, link.name) ?? link, { spec })
  relist(space, { ...link, spec: old }, self, null)
  enlist(space, linkOf(space, link.name) ?? link)
  if (!isSame) standOn(space, linkOf(space, link.name) ?? link, net, lower)
  return null
}

/** The device below, by its number in the stack that is sent by. */
export const underlayOf = (space: Space, spec: VxlanSpec): LinkEntry | null => {
  const net = spaceOf(space.draft, spec.net)
  return net === null || spec.via === 0 ? null : linkAt(net, spec.via)
}

export const refusesVxlanMtu = (space: Space, spec: VxlanSpec, mtu: number): boolean => {
  const lower = underlayOf(space, spec)
  return lower !== null && mtu > lower.mtu - HEADROOM[spec.family]
}

/** Those with a socket of this port that takes other packets. */
const isPortBusy = (space: Space, { net: ns, port, family, udpZeroCsum6Rx }: VxlanSpec): boolean => {
  const net = spaceOf(space.draft, ns)
  if (net === null) return false
  return entriesUnder(net.now.vxlans, socketOf(port, family, !udpZeroCsum6Rx)).some(
    ([, place]) => found(net, place)?.link.up === true,
  )
}

/** A group is joined on a device that speaks its family. */
const refusesGroup = (space: Space, spec: VxlanSpec): Errno | null => {
  const { remote } = spec
  if (remote === undefined || !isMulticast(remote)) return null
  const lower = underlayOf(space, spec)
  if (lower === null) return 'ENODEV'
  if (isIp4(remote)) return runs4(lower) ? null : 'ENODEV'
  return runs6(lower) ? null : 'EINVAL'
}

/** What opening one is refused for. */
export const refusesVxlanUp = (space: Space, spec: VxlanSpec): Errno | null =>
  isPortBusy(space, spec) ? 'EADDRINUSE' : refusesGroup(space, spec)

/** One that is closed forgets what would age. */
export const closeVxlan = (space: Space, link: LinkEntry): void => forgetAging(space, link.name)

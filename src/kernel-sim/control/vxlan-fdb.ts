// Where a VXLAN sends: the remotes of each MAC, and those of the zero MAC for all others.
// Source: drivers/net/vxlan/vxlan_core.c (vxlan_fdb_add, vxlan_fdb_parse, vxlan_fdb_update, vxlan_fdb_delete, vxlan_flush).

import type { Errno } from '../../kernel/errno.ts'
import type { FdbRequest } from '../../kernel/rtnl/request.ts'
import { type Ip, isIp4, isUnspecified } from '../../net/ip.ts'
import { isGroup, type Mac, ZERO_MAC } from '../../net/mac.ts'
import type { IfName } from '../../net/name.ts'
import { getIn, removeIn, setIn, valuesOf } from '../../net/pmap.ts'
import type { LinkEntry, RemoteEntry, RemotesEntry, VxlanSpec } from '../link-entry.ts'
import { change, linkOf, type Space } from './draft.ts'

const key = String

const sameRemote = (a: RemoteEntry, b: RemoteEntry): boolean =>
  a.ip === b.ip && a.port === b.port && a.vni === b.vni && a.via === b.via

/** Many may hear these frames. */
const isOfMany = (mac: Mac): boolean => mac === ZERO_MAC || isGroup(mac)

const put = (space: Space, dev: IfName, entry: RemotesEntry): void => {
  const link = linkOf(space, dev)
  if (link !== null) change(space, link, { remotes: setIn(link.remotes, key(entry.mac), entry) })
}

const drop = (space: Space, dev: IfName, mac: Mac): void => {
  const link = linkOf(space, dev)
  if (link !== null) change(space, link, { remotes: removeIn(link.remotes, key(mac)) })
}

type Said = Pick<RemotesEntry, 'mac' | 'state' | 'sticky'>
type Verb = Exclude<FdbRequest['do'], 'delete'>

/** What is said of an entry holds even where its remotes are refused. */
const update = (space: Space, dev: IfName, verb: Verb, said: Said, remote: RemoteEntry): Errno | null => {
  const { mac } = said
  const seenMs = space.draft.world.nowMs
  const held = getIn(linkOf(space, dev)?.remotes ?? { root: null }, key(mac))
  if (held === undefined) {
    if (verb === 'replace' && isOfMany(mac)) return 'EOPNOTSUPP'
    put(space, dev, { ...said, remotes: [remote], seenMs })
    return null
  }
  if (verb === 'add') return 'EEXIST'
  const next = { ...held, ...said, seenMs }
  put(space, dev, next)
  if (verb === 'replace' && isOfMany(mac)) return 'EOPNOTSUPP'
  if (held.remotes.some((one) => sameRemote(one, remote))) return null
  if (verb === 'replace') put(space, dev, { ...next, remotes: [remote, ...held.remotes.slice(1)] })
  else if (isOfMany(mac)) put(space, dev, { ...next, remotes: [...held.remotes, remote] })
  return null
}

/** `remote` null: all of them. One that is not among them is deleted without a complaint. */
const remove = (space: Space, dev: IfName, mac: Mac, remote: RemoteEntry | null): Errno | null => {
  const held = getIn(linkOf(space, dev)?.remotes ?? { root: null }, key(mac))
  if (held === undefined) return 'ENOENT'
  const others = remote === null ? [] : held.remotes.filter((one) => !sameRemote(one, remote))
  if (remote !== null && others.length === held.remotes.length) return null
  if (others.length === 0) drop(space, dev, mac)
  else put(space, dev, { ...held, remotes: others })
  return null
}

const remoteOf = (space: Space, spec: VxlanSpec, ip: Ip, { port, vni, via }: FdbRequest): RemoteEntry => ({
  ip,
  port: port === undefined || port === 0 ? spec.port : port,
  vni: vni ?? spec.vni,
  via: via === undefined ? 0 : (linkOf(space, via)?.index ?? 0),
})

/** `bridge fdb ... self` of a VXLAN. */
export const askRemotes = (space: Space, { name }: LinkEntry, spec: VxlanSpec, ask: FdbRequest): Errno | null => {
  const { dst, mac, state = 'local', sticky = false } = ask
  if (ask.do === 'delete') {
    const remote = dst === undefined || isUnspecified(dst) ? null : remoteOf(space, spec, dst, ask)
    return remove(space, name, mac, remote)
  }
  if (dst === undefined) return 'EINVAL'
  if ((isIp4(dst) ? 4 : 6) !== spec.family) return 'EAFNOSUPPORT'
  return update(space, name, ask.do, { mac, state, sticky }, remoteOf(space, spec, dst, ask))
}

const ownRemote = ({ remote, port, vni, via }: VxlanSpec): RemoteEntry | null =>
  remote === undefined || isUnspecified(remote) ? null : { ip: remote, port, vni, via }

const OWN: Said = { mac: ZERO_MAC, state: 'local', sticky: false }

/** Where everything else goes is another remote now: its entry comes before the old one goes. `old` null: a new device. */
export const setDefault = (space: Space, { name }: LinkEntry, old: VxlanSpec | null, spec: VxlanSpec): Errno | null => {
  if (old !== null && (old.remote ?? null) === (spec.remote ?? null)) return null
  const next = ownRemote(spec)
  const errno = next === null ? null : update(space, name, 'append', OWN, next)
  const last = old === null ? null : ownRemote(old)
  if (errno === null && last !== null) remove(space, name, ZERO_MAC, last)
  return errno
}

/** What would age goes at once; what is known of the zero MAC stays. */
export const forgetAging = (space: Space, dev: IfName): void => {
  const link = linkOf(space, dev)
  if (link === null) return
  for (const { mac, state } of valuesOf(link.remotes))
    if (state === 'dynamic' && mac !== ZERO_MAC) drop(space, dev, mac)
}

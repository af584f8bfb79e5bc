// What a VXLAN knows of MACs while frames pass: where to send, and what it learns of who sent. Read and put back as a bridge's FDB (fdb.ts).
// Source: drivers/net/vxlan/vxlan_core.c (vxlan_find_mac_tx, vxlan_snoop, vxlan_cleanup).

import { type Ip, isIp4, isLinkLocal } from '../../../net/ip.ts'
import type { Mac } from '../../../net/mac.ts'
import { getIn, type PMap, setIn } from '../../../net/pmap.ts'
import type { RemoteEntry, RemotesEntry, VxlanSpec } from '../../link-entry.ts'
import type { Device } from '../plane.ts'

export type RemotesMemory = {
  readonly was: PMap<RemotesEntry>
  readonly known: Map<Mac, RemotesEntry | null>
  readonly changed: Set<Mac>
}

const memoryOf = (dev: Device): RemotesMemory => {
  if (dev.remotes === null) dev.remotes = { was: dev.link.remotes, known: new Map(), changed: new Set() }
  return dev.remotes
}

const heldOf = ({ was, known }: RemotesMemory, mac: Mac): RemotesEntry | null => {
  const held = known.get(mac)
  if (held !== undefined) return held
  const loaded = getIn(was, String(mac)) ?? null
  known.set(mac, loaded)
  return loaded
}

/** An age of 0 s is none. */
const hasAged = ({ ageing }: VxlanSpec, { state, seenMs }: RemotesEntry, nowMs: number): boolean =>
  state === 'dynamic' && ageing > 0 && nowMs - seenMs >= ageing * 1000

/** What is known of a MAC; of zero, what is done with all others. */
export const remotesOf = (dev: Device, spec: VxlanSpec, mac: Mac): RemotesEntry | null => {
  const held = heldOf(memoryOf(dev), mac)
  return held === null || hasAged(spec, held, dev.space.plane.nowMs) ? null : held
}

const put = ({ known, changed }: RemotesMemory, entry: RemotesEntry) => {
  known.set(entry.mac, entry)
  changed.add(entry.mac)
}

/**
 * A frame from this MAC has come from a remote, by the device `via` (its index). False: it is known to be elsewhere for good, and the
 * frame is not to be trusted. Only link-local remotes are told apart by where they are.
 */
export const snoop = (dev: Device, spec: VxlanSpec, mac: Mac, from: Ip, via: number): boolean => {
  const memory = memoryOf(dev)
  const { nowMs } = dev.space.plane
  const scope = !isIp4(from) && isLinkLocal(from) ? via : 0
  const held = remotesOf(dev, spec, mac)
  if (held === null) {
    const remote: RemoteEntry = { ip: from, port: spec.port, vni: spec.vni, via: scope }
    put(memory, { mac, state: 'dynamic', sticky: false, remotes: [remote], seenMs: nowMs })
    return true
  }
  const [first, ...others] = held.remotes
  const isSame = first === undefined || (first.ip === from && first.via === scope)
  if (held.seenMs !== nowMs) put(memory, { ...held, seenMs: nowMs })
  if (isSame) return true
  if (held.state !== 'dynamic') return false
  put(memory, { ...held, remotes: [{ ...first, ip: from }, ...others], seenMs: nowMs })
  return true
}

/** The table as a value again; the very one if nothing has changed. */
export const closeRemotes = ({ was, known, changed }: RemotesMemory): PMap<RemotesEntry> => {
  let remotes = was
  for (const mac of changed) {
    const entry = known.get(mac)
    if (entry != null) remotes = setIn(remotes, String(mac), entry)
  }
  return remotes
}

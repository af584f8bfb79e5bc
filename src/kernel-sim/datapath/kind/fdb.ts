// What a bridge knows of MACs while frames pass: each entry is read from the table that the control plane keeps (LinkEntry.fdb)
// when it is first asked for, and put back when the plane is closed, if it has changed.
// Invariant: whoever finds an entry finds one that has not aged.
// Source: net/bridge/br_fdb.c (br_fdb_find_rcu, br_fdb_update, br_fdb_cleanup).

import type { BridgeOptions } from '../../../kernel/rtnl/kind.ts'
import type { Mac } from '../../../net/mac.ts'
import { entriesOf, getIn } from '../../../net/pmap.ts'
import { fdbKey, withFdb } from '../../fdb.ts'
import type { Fdb, FdbEntry } from '../../link-entry.ts'
import type { Frame } from '../../wire/ethernet.ts'
import { type Device, deviceOf } from '../plane.ts'
import { note } from '../step.ts'

/** An entry: `dev` is the port, null the bridge itself. */
export type Known = {
  readonly mac: Mac
  readonly vlan: number
  readonly state: FdbEntry['state']
  readonly byUser: boolean
  readonly sticky: boolean
  dev: Device | null
  seenMs: number
  isChanged: boolean
}
type Table = Map<Mac, Known | null>

/** `ports`: the last to join first, as Linux has them. `suppresses`: one of them has neighbours that we answer for. */
export type FdbMemory = {
  readonly was: Fdb
  readonly options: Required<BridgeOptions>
  readonly ageingMs: number
  readonly ports: ReadonlyArray<Device>
  readonly suppresses: boolean
  /** Of no VLAN, and of each. */
  readonly plain: Table
  readonly ofVlan: Map<number, Table>
  readonly changed: Known[]
}

const portsOf = ({ space, link }: Device): ReadonlyArray<Device> =>
  [...entriesOf(link.ports)].sort(([, a], [, b]) => b - a).flatMap(([name]) => deviceOf(space, name) ?? [])

const MS_PER_CENTISECOND = 10

const openFdb = (bridge: Device, options: Required<BridgeOptions>): FdbMemory => {
  const ports = portsOf(bridge)
  return {
    was: bridge.link.fdb,
    options,
    ageingMs: options.ageingTime * MS_PER_CENTISECOND,
    ports,
    suppresses: ports.some(({ link }) => link.port?.neighSuppress === true),
    plain: new Map(),
    ofVlan: new Map(),
    changed: [],
  }
}

/** Null: the device is no bridge. */
export const fdbOf = (bridge: Device): FdbMemory | null => {
  if (bridge.fdb === null && bridge.link.bridge !== null) bridge.fdb = openFdb(bridge, bridge.link.bridge)
  return bridge.fdb
}

const tableOf = ({ plain, ofVlan }: FdbMemory, vlan: number): Table => {
  if (vlan === 0) return plain
  const known = ofVlan.get(vlan)
  if (known !== undefined) return known
  const fresh: Table = new Map()
  ofVlan.set(vlan, fresh)
  return fresh
}

const load = ({ space }: Device, { was }: FdbMemory, table: Table, mac: Mac, vlan: number): Known | null => {
  const entry = getIn(was.entries, fdbKey(mac, vlan))
  const dev = entry?.dev == null ? null : deviceOf(space, entry.dev)
  const isThere = entry !== undefined && (entry.dev === null || dev !== null)
  const known: Known | null = isThere ? { ...entry, dev, isChanged: false } : null
  table.set(mac, known)
  return known
}

/** Also one that has aged. */
const heldOf = (bridge: Device, memory: FdbMemory, mac: Mac, vlan: number): Known | null => {
  const table = tableOf(memory, vlan)
  const known = table.get(mac)
  return known === undefined ? load(bridge, memory, table, mac, vlan) : known
}

const hasAged = ({ ageingMs }: FdbMemory, { state, seenMs }: Known, nowMs: number): boolean =>
  state === 'dynamic' && nowMs - seenMs >= ageingMs

/** What is known of a MAC in a VLAN (0: without). */
export const find = (bridge: Device, memory: FdbMemory, mac: Mac, vlan: number): Known | null => {
  const known = heldOf(bridge, memory, mac, vlan)
  return known === null || hasAged(memory, known, bridge.space.plane.nowMs) ? null : known
}

const touch = (memory: FdbMemory, known: Known) => {
  if (known.isChanged) return
  known.isChanged = true
  memory.changed.push(known)
}

/** A frame has come by this port. What is the host's own, or sticky, stays where it is; a bridge without age learns nothing. */
export const learn = (bridge: Device, memory: FdbMemory, port: Device, frame: Frame, vlan: number) => {
  if (memory.ageingMs === 0) return
  const mac = frame.src
  const { plane } = bridge.space
  const { nowMs } = plane
  const known = heldOf(bridge, memory, mac, vlan)
  if (known === null || hasAged(memory, known, nowMs)) {
    const fresh: Known = {
      mac,
      vlan,
      state: 'dynamic',
      byUser: false,
      sticky: false,
      dev: port,
      seenMs: nowMs,
      isChanged: false,
    }
    tableOf(memory, vlan).set(mac, fresh)
    touch(memory, fresh)
  } else {
    if (known.state === 'local' || (known.dev === port && known.seenMs === nowMs)) return
    known.seenMs = nowMs
    touch(memory, known)
    if (known.dev === port || known.sticky) return
    known.dev = port
  }
  if (plane.watch !== null)
    note(
      bridge.space,
      bridge,
      'bridge',
      frame.payload,
      { tag: 'learned', bridge: bridge.name, mac, from: port.name },
      frame,
    )
}

/** The table as a value again; the very one if nothing has changed. */
export const closeFdb = ({ was, changed }: FdbMemory): Fdb =>
  changed.reduce(
    (fdb, { mac, vlan, dev, state, byUser, sticky, seenMs }) =>
      withFdb(fdb, { mac, vlan, dev: dev === null ? null : dev.name, state, byUser, sticky, seenMs }),
    was,
  )

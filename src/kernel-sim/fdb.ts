// The forwarding database of a bridge as a value: what is known of each MAC, and what each port has of it.
// Invariant: `ofPort` names exactly the entries that have a port, so nobody looks at those of other ports.
// Source: net/bridge/br_fdb.c (struct net_bridge_fdb_entry).

import type { Mac } from '../net/mac.ts'
import type { IfName } from '../net/name.ts'
import { getIn, removeIn, setIn, valuesUnder } from '../net/pmap.ts'
import type { Fdb, FdbEntry } from './link-entry.ts'

/** In decimal; what is of one VLAN only has that behind it. */
export const fdbKey = (mac: Mac, vlan = 0): string => (vlan === 0 ? String(mac) : `${mac} ${vlan}`)

export const fdbOf = ({ entries }: Fdb, mac: Mac, vlan = 0): FdbEntry | null =>
  getIn(entries, fdbKey(mac, vlan)) ?? null

const keyOf = ({ mac, vlan }: FdbEntry): string => fdbKey(mac, vlan)

export const withoutFdb = (fdb: Fdb, entry: FdbEntry): Fdb => {
  const key = keyOf(entry)
  return {
    entries: removeIn(fdb.entries, key),
    ofPort: entry.dev === null ? fdb.ofPort : removeIn(fdb.ofPort, `${entry.dev} ${key}`),
    macs: fdb.macs,
  }
}

/** With an entry in the place of what was known of its MAC in its VLAN. */
export const withFdb = (fdb: Fdb, entry: FdbEntry): Fdb => {
  const key = keyOf(entry)
  const held = getIn(fdb.entries, key)
  const ofPort =
    held === undefined || held.dev === null || held.dev === entry.dev
      ? fdb.ofPort
      : removeIn(fdb.ofPort, `${held.dev} ${key}`)
  return {
    entries: setIn(fdb.entries, key, entry),
    ofPort: entry.dev === null ? ofPort : setIn(ofPort, `${entry.dev} ${key}`, key),
    macs: fdb.macs,
  }
}

/** The entries of a port. */
export const fdbOfPort = ({ entries, ofPort }: Fdb, port: IfName): ReadonlyArray<FdbEntry> => {
  const found: FdbEntry[] = []
  for (const key of valuesUnder(ofPort, `${port} `)) {
    const entry = getIn(entries, key)
    if (entry !== undefined) found.push(entry)
  }
  return found
}

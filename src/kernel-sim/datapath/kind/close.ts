// What traffic has changed of devices, as values again: what bridges and VXLANs have learned, and what has passed. And what is forgotten
// with time, whether frames pass or not.
// Invariant: an entry that nothing changed is the very same one.
// Sources: net/bridge/br_fdb.c (br_fdb_cleanup), drivers/net/vxlan/vxlan_core.c (vxlan_cleanup).

import { draftOf, getIn, removeIn, setIn, valuesOf } from '../../../net/pmap.ts'
import { withoutFdb } from '../../fdb.ts'
import { type LinkEntry, linkWith } from '../../link-entry.ts'
import { onlyLearned } from '../../memo.ts'
import { NO_TALLY, type NsEntry, nsWith, type Tally } from '../../state.ts'
import type { Count, Device, Space } from '../plane.ts'
import { closeFdb } from './fdb.ts'
import { closeRemotes } from './remotes.ts'

const learnedBy = ({ link, fdb, remotes }: Device): LinkEntry => {
  const next = fdb === null ? link.fdb : closeFdb(fdb)
  const far = remotes === null ? link.remotes : closeRemotes(remotes)
  return next === link.fdb && far === link.remotes ? link : linkWith(link, { fdb: next, remotes: far })
}

const isNothing = ({ rxPackets, rxDropped, txPackets, txDropped, txErrors }: Count): boolean =>
  rxPackets === 0 && rxDropped === 0 && txPackets === 0 && txDropped === 0 && txErrors === 0

const sum = (a: Tally, b: Count): Tally => ({
  rxPackets: a.rxPackets + b.rxPackets,
  rxBytes: a.rxBytes + b.rxBytes,
  rxDropped: a.rxDropped + b.rxDropped,
  txPackets: a.txPackets + b.txPackets,
  txBytes: a.txBytes + b.txBytes,
  txDropped: a.txDropped + b.txDropped,
  txErrors: a.txErrors + b.txErrors,
})

/** A namespace's entry with what its devices have learned and counted. */
export const closeDevices = (space: Space, entry: NsEntry): NsEntry => {
  const links = draftOf(entry.links)
  let { tallies } = entry
  for (const dev of space.devices.values()) {
    if (dev === null) continue
    const link = learnedBy(dev)
    if (link !== dev.link) links.set(dev.name, link)
    if (!isNothing(dev.tally)) tallies = setIn(tallies, dev.name, sum(getIn(tallies, dev.name) ?? NO_TALLY, dev.tally))
  }
  const now = links.done()
  if (now === entry.links && tallies === entry.tallies) return entry
  if (now !== entry.links) onlyLearned(entry.links, now)
  return nsWith(entry, { links: now, tallies })
}

const MS_PER_CENTISECOND = 10

const agedBridge = (link: LinkEntry, nowMs: number): LinkEntry => {
  const ageingMs = (link.bridge?.ageingTime ?? 0) * MS_PER_CENTISECOND
  let { fdb } = link
  for (const entry of valuesOf(fdb.entries))
    if (entry.state === 'dynamic' && nowMs - entry.seenMs >= ageingMs) fdb = withoutFdb(fdb, entry)
  return fdb === link.fdb ? link : linkWith(link, { fdb })
}

const agedVxlan = (link: LinkEntry, ageingS: number, nowMs: number): LinkEntry => {
  let { remotes } = link
  if (ageingS === 0) return link
  for (const { mac, state, seenMs } of valuesOf(remotes))
    if (state === 'dynamic' && nowMs - seenMs >= ageingS * 1000) remotes = removeIn(remotes, String(mac))
  return remotes === link.remotes ? link : linkWith(link, { remotes })
}

const aged = (link: LinkEntry, nowMs: number): LinkEntry => {
  switch (link.spec.type) {
    case 'bridge':
      return agedBridge(link, nowMs)
    case 'vxlan':
      return agedVxlan(link, link.spec.ageing, nowMs)
    default:
      return link
  }
}

/** A namespace's entry without what its bridges and VXLANs have forgotten by now. For whoever moves the clock, or looks. */
export const agedDevices = (entry: NsEntry, nowMs: number): NsEntry => {
  const links = draftOf(entry.links)
  for (const link of valuesOf(entry.links)) {
    const next = aged(link, nowMs)
    if (next !== link) links.set(link.name, next)
  }
  const now = links.done()
  if (now === entry.links) return entry
  onlyLearned(entry.links, now)
  return nsWith(entry, { links: now })
}

// Which two ends make a veth. An end knows the other's index, and the other namespace only by a number of its own
// (link_netnsid). `ip netns list-id` in one namespace turns its numbers into names; a resolved end resolves its other end
// too. Host namespaces hold one end of most pairs, so asking the namespace with the most open ends settles nearly all.

import type { IfName, Ns } from '../net/name.ts'
import type { RawLink } from './decode/links.ts'

/** The links of each namespace that was looked at. */
export type Dumps = ReadonlyMap<Ns, ReadonlyArray<RawLink>>
/** For each namespace that was asked: the namespaces behind its numbers, as far as we looked at them. */
export type Nsids = ReadonlyMap<Ns, ReadonlyMap<number, Ns>>
export type End = Readonly<{ ns: Ns; name: IfName }>
/** The other end, by `endKey`. */
export type Peers = ReadonlyMap<string, End>

export const endKey = (ns: Ns, index: number): string => `${index} ${ns}`

/** An end whose other end is nowhere in the dumps has no entry: its namespace was not looked at, or is going away. */
export const peersOf = (dumps: Dumps, nsids: Nsids): Peers => {
  const names = new Map<string, IfName>()
  for (const [ns, links] of dumps) for (const link of links) names.set(endKey(ns, link.index), link.name)
  const peers = new Map<string, End>()
  for (const [ns, links] of dumps) {
    for (const { index, name, type } of links) {
      if (type.type !== 'veth') continue
      const { nsid } = type.peer
      const peerNs = nsid === null ? ns : nsids.get(ns)?.get(nsid)
      const peerName = peerNs === undefined ? undefined : names.get(endKey(peerNs, type.peer.index))
      if (peerNs === undefined || peerName === undefined) continue
      peers.set(endKey(ns, index), { ns: peerNs, name: peerName })
      peers.set(endKey(peerNs, type.peer.index), { ns, name })
    }
  }
  return peers
}

/** The namespace to ask next, or null when asking would not help. */
export const nextToAsk = (dumps: Dumps, nsids: Nsids, peers: Peers): Ns | null => {
  let next: Ns | null = null
  let most = 0
  for (const [ns, links] of dumps) {
    if (nsids.has(ns)) continue
    const open = links.filter((link) => link.type.type === 'veth' && !peers.has(endKey(ns, link.index))).length
    if (open > most) {
      next = ns
      most = open
    }
  }
  return next
}

// What a turn changes of what hosts share, as a transaction: what must be as it was for it to be right. Whoever finds one changed decides
// anew. What is asked of the store so, two hosts never have: an id, a name, an address, a subnet.
// An endpoint rests on its network being there; a network that goes, on nothing having come to it. Properties: cluster.properties.ts.

import { isElsewhere, isShared } from '../model/cluster.ts'
import type { Endpoint, HostId, Model, Network } from '../model/types.ts'
import { changesBetween, getIn } from '../net/pmap.ts'
import type { Write } from '../store/store.ts'
import {
  claimsOfEndpoint,
  claimsOfNetwork,
  endpointKey,
  endpointRecord,
  LAST,
  networkKey,
  networkRecord,
  SPACE,
  useKey,
} from './layout.ts'

/** `absent`: what must not be there; `known`: what must be as it is known to be. A key of `writes` may be among them. */
export type SharedChange = Readonly<{
  writes: ReadonlyArray<Write>
  absent: ReadonlyArray<string>
  known: ReadonlyArray<string>
}>

type Draft = Readonly<{
  writes: Map<string, string | null>
  absent: Set<string>
  known: Set<string>
  given: Set<string>
  taken: Set<string>
}>

/** The shared networks of a version, and the shared endpoints of this host. */
const sharedNetwork = (model: Model, network: Network | undefined): Network | undefined =>
  network !== undefined && isShared(model, network) ? network : undefined

const endpointOfOurs = (model: Model, endpoint: Endpoint | undefined): Endpoint | undefined => {
  if (endpoint === undefined || isElsewhere(model, endpoint.id)) return undefined
  return sharedNetwork(model, getIn(model.networks, endpoint.network)) === undefined ? undefined : endpoint
}

const changeNetwork = (draft: Draft, host: HostId, was: Network | undefined, is: Network | undefined): void => {
  for (const claim of was === undefined ? [] : claimsOfNetwork(was)) draft.given.add(claim)
  for (const claim of is === undefined ? [] : claimsOfNetwork(is)) draft.taken.add(claim)
  if (was !== undefined) {
    draft.known.add(networkKey(was.id)).add(useKey(was.id))
    draft.writes.set(networkKey(was.id), null).set(useKey(was.id), null)
  }
  if (is === undefined) return
  if (was === undefined) draft.absent.add(networkKey(is.id))
  draft.known.add(SPACE)
  draft.writes.set(SPACE, host).set(networkKey(is.id), networkRecord(is))
}

const changeEndpoint = (
  draft: Draft,
  before: Model,
  host: HostId,
  was: Endpoint | undefined,
  is: Endpoint | undefined,
): void => {
  for (const claim of was === undefined ? [] : claimsOfEndpoint(was)) draft.given.add(claim)
  for (const claim of is === undefined ? [] : claimsOfEndpoint(is)) draft.taken.add(claim)
  if (was !== undefined && is === undefined) draft.writes.set(endpointKey(was.id), null)
  if (is === undefined) return
  draft.writes.set(endpointKey(is.id), endpointRecord({ host, endpoint: is }))
  if (was !== undefined) return
  draft.absent.add(endpointKey(is.id))
  draft.writes.set(useKey(is.network), host)
  if (sharedNetwork(before, getIn(before.networks, is.network)) !== undefined) draft.known.add(networkKey(is.network))
}

/** From one version to another, of which what is elsewhere is the same in both. */
export const sharedChange = (before: Model, after: Model): SharedChange => {
  const { host } = after.cluster
  if (host === null) return { writes: [], absent: [], known: [] }
  const draft: Draft = { writes: new Map(), absent: new Set(), known: new Set(), given: new Set(), taken: new Set() }
  for (const change of changesBetween(before.networks, after.networks)) {
    const [was, is] = [sharedNetwork(before, change.before), sharedNetwork(after, change.after)]
    if (was !== undefined || is !== undefined) changeNetwork(draft, host, was, is)
  }
  for (const change of changesBetween(before.endpoints, after.endpoints)) {
    const [was, is] = [endpointOfOurs(before, change.before), endpointOfOurs(after, change.after)]
    if (was !== undefined || is !== undefined) changeEndpoint(draft, before, host, was, is)
  }
  const { writes, absent, known, given, taken } = draft
  for (const claim of given) if (!taken.has(claim)) writes.set(claim, null)
  for (const claim of taken)
    if (!given.has(claim)) {
      writes.set(claim, host)
      absent.add(claim)
    }
  if (writes.size > 0) writes.set(LAST, host)
  return { writes: [...writes].map(([key, value]) => ({ key, value })), absent: [...absent], known: [...known] }
}

// What is shared, as the store has it and as a host knows it, in one form for both; and whether what the store has is sound: a claim for
// each name and address of the records that are there, and for nothing else.

import {
  claimsOfEndpoint,
  claimsOfNetwork,
  endpointKey,
  endpointRecord,
  networkKey,
  networkRecord,
  readKey,
} from '../../../src/cluster/layout.ts'
import { isShared } from '../../../src/model/cluster.ts'
import { decodeStored } from '../../../src/model/codec.ts'
import type { HostId, Model } from '../../../src/model/types.ts'
import { getIn, valuesOf } from '../../../src/net/pmap.ts'
import { E } from '../../../src/prelude.ts'
import type { Entry } from '../../../src/store/store.ts'
import type { Listed } from './protocol.ts'

const sorted = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value
/** The same for the same record, whoever wrote it. */
const canonical = (record: string): string => JSON.stringify(JSON.parse(record), sorted)

/** By the keys of the store. */
export const sharedIn = (model: Model, self: HostId): Readonly<Record<string, string>> => {
  const networks = valuesOf(model.networks).filter((network) => isShared(model, network))
  const isOnOne = new Set(networks.map(({ id }) => id))
  return Object.fromEntries([
    ...networks.map((network) => [networkKey(network.id), canonical(networkRecord(network))] as const),
    ...valuesOf(model.endpoints)
      .filter(({ network }) => isOnOne.has(network))
      .map((endpoint) => {
        const host = getIn(model.cluster.elsewhere, endpoint.id) ?? self
        return [endpointKey(endpoint.id), canonical(endpointRecord({ host, endpoint }))] as const
      }),
  ])
}

const CLAIM = 'claim/'

/** What the records of a store claim, and what cannot be read of them. */
const claimsIn = (
  entries: ReadonlyArray<Entry>,
): Readonly<{ claims: ReadonlyArray<string>; wrong: ReadonlyArray<string> }> => {
  const claims: string[] = []
  const wrong: string[] = []
  for (const { key, value } of entries) {
    const about = readKey(key)
    if (about?.of !== 'network' && about?.of !== 'endpoint') continue
    const event = decodeStored(`${about.of === 'network' ? 'network' : 'peer'}/${about.id}`, value)
    if (E.isLeft(event)) wrong.push(`${key} cannot be read: ${event.left}`)
    else if (event.right?.tag === 'NetworkCreated') claims.push(...claimsOfNetwork(event.right.network))
    else if (event.right?.tag === 'PeerIs') {
      const { endpoint } = event.right.peer
      claims.push(...claimsOfEndpoint(endpoint))
      if (!entries.some((entry) => entry.key === networkKey(endpoint.network)))
        wrong.push(`${key} is on network ${endpoint.network}, which is not there`)
    }
  }
  return { claims, wrong }
}

const twice = (claims: ReadonlyArray<string>): ReadonlyArray<string> =>
  claims.filter((claim, i) => claims.indexOf(claim) !== i)

export const listedIn = (entries: ReadonlyArray<Entry>): NonNullable<Listed> => {
  const keys = new Set(entries.map(({ key }) => key))
  const { claims, wrong } = claimsIn(entries)
  const claimed = new Set(claims)
  const about = entries.map((entry) => ({ entry, key: readKey(entry.key) }))
  const records = about.filter(({ key }) => key?.of === 'network' || key?.of === 'endpoint')
  return {
    shared: Object.fromEntries(records.map(({ entry }) => [entry.key, canonical(entry.value)])),
    present: about.flatMap(({ key }) => (key?.of === 'presence' ? [key.host] : [])),
    wrong: [
      ...wrong,
      ...twice(claims).map((claim) => `${claim} is claimed by two records`),
      ...claims.filter((claim) => !keys.has(claim)).map((claim) => `${claim} is not there, and a record has it`),
      ...[...keys]
        .filter((key) => key.startsWith(CLAIM) && !claimed.has(key))
        .map((key) => `${key} is there, and no record has it`),
      ...about
        .filter(({ key }) => key?.of === 'use' && !keys.has(networkKey(key.id)))
        .map(({ entry }) => `${entry.key} is there, and its network is not`),
    ],
  }
}

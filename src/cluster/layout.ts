// Where hosts that share a store have what in it. What is below `g/` is everybody's, and everybody watches it; claims say that a name or
// an address is taken, each by being there; what is below `h/HOST/` is that host's alone. Claims need not be watched: they come and go
// in the transactions of the objects that make them.

import { wholeId } from '../ipam/pool-id.ts'
import { encode } from '../model/codec.ts'
import type { Endpoint, EndpointId, HostId, Network, NetworkId, Peer } from '../model/types.ts'
import { showIp } from '../net/ip.ts'
import { showMac } from '../net/mac.ts'

export const SHARED = 'g/'
const NETWORK = `${SHARED}network/`
const ENDPOINT = `${SHARED}endpoint/`
const USE = `${SHARED}use/`
const PRESENCE = `${SHARED}host/`
/** One for each host that was ever here and has not been forgotten. */
export const MEMBER = `${SHARED}member/`
const FENCE = 'fence/'
export const CLAIM = 'claim/'

/** Written by whoever makes a shared network, and compared: two never choose a subnet or a name at once. */
export const SPACE = `${SHARED}space`

/** Written by each transaction that changes what is shared: who has heard of the last one has heard of all. */
export const LAST = `${SHARED}last`

export const networkKey = (id: NetworkId): string => NETWORK + id
export const endpointKey = (id: EndpointId): string => ENDPOINT + id
/** Written by whoever makes an endpoint on the network, and compared by whoever removes the network: it knows of them all. */
export const useKey = (id: NetworkId): string => USE + id
/** Held by a host's engine while it runs. */
export const presenceKey = (host: HostId): string => PRESENCE + host
/** Of every host that was ever here, until it is forgotten. */
export const memberKey = (host: HostId): string => MEMBER + host
/** Compared by every transaction of a host, and written anew by whoever takes its place or clears what it had. */
export const fenceKey = (host: HostId): string => FENCE + host

const LOCAL = 'h/'
export const localPrefix = (host: HostId): string => `${LOCAL}${host}/`

/** Whether only hosts that share a store write such a key. */
export const isSharedKey = (key: string): boolean =>
  [SHARED, LOCAL, FENCE, CLAIM].some((prefix) => key.startsWith(prefix))

export type SharedKey = Readonly<
  | { of: 'network'; id: NetworkId }
  | { of: 'endpoint'; id: EndpointId }
  | { of: 'use'; id: NetworkId }
  | { of: 'presence' | 'member'; host: HostId }
  | { of: 'space' | 'last' }
>

/** What a key below `g/` is about; null: nothing of ours. Casts: keys are made above. */
export const readKey = (key: string): SharedKey | null => {
  if (key === SPACE) return { of: 'space' }
  if (key === LAST) return { of: 'last' }
  if (key.startsWith(ENDPOINT)) return { of: 'endpoint', id: key.slice(ENDPOINT.length) as EndpointId }
  if (key.startsWith(NETWORK)) return { of: 'network', id: key.slice(NETWORK.length) as NetworkId }
  if (key.startsWith(USE)) return { of: 'use', id: key.slice(USE.length) as NetworkId }
  if (key.startsWith(PRESENCE)) return { of: 'presence', host: key.slice(PRESENCE.length) as HostId }
  if (key.startsWith(MEMBER)) return { of: 'member', host: key.slice(MEMBER.length) as HostId }
  return null
}

export const claimsOfNetwork = ({ name }: Network): ReadonlyArray<string> => [`${CLAIM}network/${name}`]

/** A MAC that follows from an address is its owner's by that; one that was asked for may be anybody's. */
export const claimsOfEndpoint = ({ network, name, addresses, linkLocal, asked }: Endpoint): ReadonlyArray<string> => [
  `${CLAIM}name/${network}/${name}`,
  ...addresses.map(({ pool, cidr }) => `${CLAIM}address/${wholeId(pool)}/${showIp(cidr.ip)}`),
  ...linkLocal.map((ip) => `${CLAIM}address/${network}/${showIp(ip)}`),
  ...(asked.mac === null ? [] : [`${CLAIM}mac/${network}/${showMac(asked.mac)}`]),
]

export const networkRecord = (network: Network): string => encode(network)
export const endpointRecord = ({ host, endpoint }: Peer): string => encode({ host, endpoint })
/** Without reading it. */
export const isRecordOf = (host: HostId, record: string): boolean => record.startsWith(`{"host":"${host}",`)

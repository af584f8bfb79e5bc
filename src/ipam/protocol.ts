// What is asked of an address manager, in the words of Docker's IpamDriver plugin protocol: one request type and one
// response type for each method, their JSON fields spelled as on the wire. The built-in drivers answer these, and so does
// a remote one.

import { E, type Either, type TaskEither } from '../prelude.ts'
import type { IpamError } from './error.ts'

/** Options of an address request: the address is for a gateway; look behind the last one given. */
export const ADDRESS_TYPE = 'RequestAddressType'
export const FOR_GATEWAY = 'com.docker.network.gateway'
export const SERIAL = 'com.docker.network.ipam.serial'

type Options = Readonly<Record<string, string>>

export type IpamRequest = Readonly<
  | { Method: 'GetCapabilities' }
  | { Method: 'GetDefaultAddressSpaces' }
  /** `Pool` and `SubPool` are prefixes or "". `V6` counts only where `Pool` is "": a prefix has its own family. */
  | { Method: 'RequestPool'; AddressSpace: string; Pool: string; SubPool: string; Options: Options; V6: boolean }
  | { Method: 'ReleasePool'; PoolID: string }
  /** `Address` "" asks for any. */
  | { Method: 'RequestAddress'; PoolID: string; Address: string; Options: Options }
  | { Method: 'ReleaseAddress'; PoolID: string; Address: string }
>
export type IpamMethod = IpamRequest['Method']

export type IpamResponses = Readonly<{
  GetCapabilities: Readonly<{ RequiresMACAddress: boolean; RequiresRequestReplay: boolean }>
  GetDefaultAddressSpaces: Readonly<{ LocalDefaultAddressSpace: string; GlobalDefaultAddressSpace: string }>
  /** `Pool` is the prefix that was given; `Data` may name a gateway under `com.docker.network.gateway`. */
  RequestPool: Readonly<{ PoolID: string; Pool: string; Data: Options }>
  ReleasePool: Readonly<Record<never, never>>
  /** `Address` with the prefix length of its pool; "" if the manager gives out none. */
  RequestAddress: Readonly<{ Address: string; Data: Options }>
  ReleaseAddress: Readonly<Record<never, never>>
}>
export type IpamResponse = IpamResponses[IpamMethod]

/** Why a remote address manager gave nothing: its own words, or that it could not be heard. */
export type RemoteIpamError = Readonly<
  | { tag: 'IpamSays'; driver: string; method: IpamMethod; error: string }
  | { tag: 'IpamUnreachable'; driver: string; method: IpamMethod; why: string }
>

/**
 * The contract of a remote address manager: the answer has the type of the request's method. Calls may be repeated; one
 * that cannot answer `GetCapabilities` has none of them.
 */
export interface RemoteIpam {
  readonly name: string
  readonly ask: <M extends IpamMethod>(
    request: IpamRequest & Readonly<{ Method: M }>,
  ) => TaskEither<RemoteIpamError, IpamResponses[M]>
}

/** A built-in address manager: a pure answer to a request, and the state after it. A refusal changes nothing. */
export type Answer<State> = (state: State, request: IpamRequest) => Either<IpamError, Answered<State>>
export type Answered<State> = Readonly<{ state: State; response: IpamResponse }>

const invalid = (what: string): Either<IpamError, never> => E.left({ tag: 'InvalidRequest', what })

type Fields = Readonly<Record<string, unknown>>
export const isFields = (json: unknown): json is Fields =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

const text = (fields: Fields, name: string): string | null => {
  const value = fields[name] ?? ''
  return typeof value === 'string' ? value : null
}

const options = (fields: Fields): Options | null => {
  const value = fields['Options'] ?? {}
  if (!isFields(value)) return null
  const entries = Object.entries(value)
  // A cast: every value has been seen to be a string.
  return entries.every(([, each]) => typeof each === 'string') ? (Object.fromEntries(entries) as Options) : null
}

/** Reads a request from JSON. A field that is absent is empty, as in Go; one that is unknown is passed over. */
export const readRequest = (json: unknown): Either<IpamError, IpamRequest> => {
  if (!isFields(json)) return invalid('it is no JSON object')
  const method = text(json, 'Method')
  const [PoolID, Address] = [text(json, 'PoolID'), text(json, 'Address')]
  const [AddressSpace, Pool, SubPool] = [text(json, 'AddressSpace'), text(json, 'Pool'), text(json, 'SubPool')]
  const Options = options(json)
  const V6 = json['V6'] ?? false
  switch (method) {
    case 'GetCapabilities':
    case 'GetDefaultAddressSpaces':
      return E.right({ Method: method })
    case 'RequestPool':
      if (AddressSpace === null || Pool === null || SubPool === null)
        return invalid('AddressSpace, Pool and SubPool are strings')
      if (Options === null) return invalid('Options is an object of strings')
      return typeof V6 === 'boolean'
        ? E.right({ Method: method, AddressSpace, Pool, SubPool, Options, V6 })
        : invalid('V6 is true or false')
    case 'ReleasePool':
      return PoolID === null ? invalid('PoolID is a string') : E.right({ Method: method, PoolID })
    case 'RequestAddress':
      if (PoolID === null || Address === null) return invalid('PoolID and Address are strings')
      return Options === null
        ? invalid('Options is an object of strings')
        : E.right({ Method: method, PoolID, Address, Options })
    case 'ReleaseAddress':
      return PoolID === null || Address === null
        ? invalid('PoolID and Address are strings')
        : E.right({ Method: method, PoolID, Address })
    default:
      return invalid(
        method === null || method === ''
          ? 'it has no Method'
          : `there is no method ${JSON.stringify(method.slice(0, 40))}`,
      )
  }
}

// The `default` address manager behind the protocol: reads the texts of a request, and answers from the allocator's state.

import { type Cidr, cidrFamily, showCidr } from '../net/cidr.ts'
import { type Family, isUnspecified, parseIp } from '../net/ip.ts'
import { E, type Either } from '../prelude.ts'
import type { IpamError } from './error.ts'
import { parseSpace } from './pool-id.ts'
import { parsePrefix } from './prefix.ts'
import { type Answer, type Answered, type IpamRequest, SERIAL } from './protocol.ts'
import {
  type Excluded,
  excluding,
  type Given,
  NOTHING_EXCLUDED,
  type PoolRequest,
  releaseIp,
  releasePool,
  requestIp,
  requestPool,
} from './space.ts'
import type { Ipam } from './types.ts'

/** What the host itself uses (its resolvers, its on-link routes); a free choice in the local space overlaps none of it. */
export type HostPrefixes = ReadonlyArray<Cidr>

const NOTHING = {}

type RequestPool = Extract<IpamRequest, { Method: 'RequestPool' }>

const poolRequest = (
  { AddressSpace: name, Pool, SubPool, V6 }: RequestPool,
  host: Excluded,
): Either<IpamError, PoolRequest> => {
  const space = parseSpace(name)
  if (E.isLeft(space)) return space
  const any = (family: Family, size: number | null): Either<IpamError, PoolRequest> =>
    SubPool === ''
      ? E.right({
          tag: 'any',
          space: space.right,
          family,
          size,
          exclude: space.right === 'LocalDefault' ? host : NOTHING_EXCLUDED,
        })
      : E.left({ tag: 'InvalidSubPool', asked: SubPool, pool: Pool, fault: 'noPool' })
  if (Pool === '') return any(V6 ? 6 : 4, null)
  const subnet = parsePrefix(Pool)
  if (E.isLeft(subnet)) return E.left({ tag: 'InvalidPool', asked: Pool, fault: subnet.left })
  const { ip, bits } = subnet.right
  if (isUnspecified(ip)) return any(cidrFamily(subnet.right), bits === 0 ? null : bits)
  if (SubPool === '') return E.right({ tag: 'exactly', space: space.right, subnet: subnet.right, range: null })
  const range = parsePrefix(SubPool)
  return E.isLeft(range)
    ? E.left({ tag: 'InvalidSubPool', asked: SubPool, pool: Pool, fault: range.left })
    : E.right({ tag: 'exactly', space: space.right, subnet: subnet.right, range: range.right })
}

const givePool = (ipam: Ipam, request: RequestPool, host: Excluded): Either<IpamError, Answered<Ipam>> => {
  const asked = poolRequest(request, host)
  if (E.isLeft(asked)) return asked
  const given = requestPool(ipam, asked.right)
  if (E.isLeft(given)) return given
  const { id, subnet } = given.right.pool
  return E.right({ state: given.right.ipam, response: { PoolID: id, Pool: showCidr(subnet), Data: {} } })
}

const done = (state: Ipam): Answered<Ipam> => ({ state, response: NOTHING })

/** The answers on a host that uses these prefixes itself. */
export const answerDefault = (prefixes: HostPrefixes): Answer<Ipam> => {
  const host = excluding(prefixes)
  return (ipam, request) => {
    switch (request.Method) {
      case 'GetCapabilities':
        return E.right({ state: ipam, response: { RequiresMACAddress: false, RequiresRequestReplay: true } })
      case 'GetDefaultAddressSpaces':
        return E.right({
          state: ipam,
          response: { LocalDefaultAddressSpace: 'LocalDefault', GlobalDefaultAddressSpace: 'GlobalDefault' },
        })
      case 'RequestPool':
        return givePool(ipam, request, host)
      case 'ReleasePool':
        return E.map(done)(releasePool(ipam, request.PoolID))
      case 'RequestAddress': {
        const preferred = request.Address === '' ? E.right(null) : parseIp(request.Address)
        if (E.isLeft(preferred)) return E.left({ tag: 'InvalidAddress', asked: request.Address })
        const serial = request.Options[SERIAL] === 'true'
        return E.map(({ ipam: state, ip, subnet }: Given) => ({
          state,
          response: { Address: showCidr({ ip, bits: subnet.bits }), Data: {} },
        }))(requestIp(ipam, request.PoolID, { preferred: preferred.right, serial }))
      }
      case 'ReleaseAddress': {
        const ip = parseIp(request.Address)
        return E.isLeft(ip)
          ? E.left({ tag: 'InvalidAddress', asked: request.Address })
          : E.map(done)(releaseIp(ipam, request.PoolID, ip.right))
      }
    }
  }
}

// May this endpoint be made or removed, and which addresses does it get? Source: libnetwork's CreateEndpoint.

import { chooseIp } from '../../ipam/space.ts'
import { type Ip, type Ip4, isIp4 } from '../../net/ip.ts'
import { type Mac, macFromHex, macFromIp4 } from '../../net/mac.ts'
import { getIn, hasIn } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import type { CreateEndpoint, DeleteEndpoint } from '../command.ts'
import type { CnmError } from '../error.ts'
import type { CnmEvent } from '../event.ts'
import { fail, findEndpoint, findNetwork } from '../model.ts'
import { endpointNamed } from '../queries.ts'
import type { Endpoint, EndpointAddress, Model, Network } from '../types.ts'
import { poolHolding, poolOfFamily, subnetsOf } from './network.ts'

const addressOf = (
  model: Model,
  network: Network,
  family: 4 | 6,
  preferred: Ip | null,
): Either<CnmError, EndpointAddress | null> => {
  const pool = preferred === null ? poolOfFamily(network.pools, family) : poolHolding(network.pools, preferred)
  if (pool === undefined)
    return preferred === null
      ? E.right(null)
      : fail({
          tag: 'NoSuchSubnet',
          network: network.name,
          ip: preferred,
          subnets: subnetsOf(network.pools, preferred),
        })
  return E.map((ip: Ip) => ({ pool: pool.pool, cidr: { ip, bits: pool.subnet.bits } }))(
    chooseIp(model.ipam, pool.pool, preferred),
  )
}

/** From its IPv4 address, so that an address that is used again is at the same MAC (P21); else from its id. */
const macOf = (id: string, addresses: ReadonlyArray<EndpointAddress>): Mac => {
  const first = addresses.map(({ cidr }) => cidr.ip).find((ip): ip is Ip4 => isIp4(ip))
  return first === undefined ? macFromHex(id) : macFromIp4(first)
}

export const createEndpoint = (model: Model, command: CreateEndpoint): Either<CnmError, ReadonlyArray<CnmEvent>> => {
  const { id, name, aliases } = command
  const found = findNetwork(model, command.network)
  if (hasIn(model.endpoints, id)) return fail({ tag: 'IdTaken', what: 'endpoint', id })
  if (name.trim() === '') return fail({ tag: 'NameEmpty', what: 'endpoint' })
  if (E.isLeft(found)) return found
  const network = found.right
  if (endpointNamed(model, network.id, name) !== undefined)
    return fail({ tag: 'EndpointNameTaken', name, network: network.name })
  const v4 = addressOf(model, network, 4, command.ipv4)
  if (E.isLeft(v4)) return v4
  const v6 = addressOf(model, network, 6, command.ipv6)
  if (E.isLeft(v6)) return v6
  const addresses = [v4.right, v6.right].filter((address) => address !== null)
  const mac = command.mac ?? macOf(id, addresses)
  const endpoint: Endpoint = { id, network: network.id, name, aliases, mac, addresses, attachment: null }
  return E.right([{ tag: 'EndpointCreated', endpoint }])
}

export const deleteEndpoint = (
  model: Model,
  { id, force }: DeleteEndpoint,
): Either<CnmError, ReadonlyArray<CnmEvent>> => {
  const found = findEndpoint(model, id)
  if (E.isLeft(found)) return found
  const { name, attachment } = found.right
  if (attachment === null) return E.right([{ tag: 'EndpointDeleted', id }])
  const container = getIn(model.sandboxes, attachment.sandbox)?.container ?? attachment.sandbox
  if (!force) return fail({ tag: 'IsJoined', endpoint: name, container })
  return E.right([
    { tag: 'Left', endpoint: id },
    { tag: 'EndpointDeleted', id },
  ])
}

// The stored ledger of plugins, each field with what it may hold, in the order in which plugin/wanted.ts writes them.

import { type Cidr, cidrFamily, isNetwork } from '../../net/cidr.ts'
import { widthOf } from '../../net/ip.ts'
import { parseIfName } from '../../net/name.ts'
import type { Joined } from '../plugin/answer.ts'
import type { Call } from '../plugin/ledger.ts'
import type {
  CreateEndpointCall,
  CreateNetworkCall,
  Creation,
  EndpointOptions,
  IpamData,
  JoinCall,
  NetworkOptions,
  PluginInterface,
} from '../plugin/protocol.ts'
import { isId, type StaticRoute } from '../types.ts'
import {
  and,
  type Decoder,
  dictionary,
  flag,
  integer,
  list,
  nullable,
  oneOf,
  parsed,
  record,
  text,
  where,
} from './decoder.ts'
import { address, address4, address6 } from './objects.ts'

const id = where((value): value is string => isId(value), '64 hexadecimal digits')
const texts = dictionary(text)

const ipamData = list(
  record<IpamData>({
    AddressSpace: oneOf('LocalDefault', 'GlobalDefault'),
    Pool: text,
    Gateway: text,
    AuxAddresses: texts,
  }),
)

const createNetwork: Decoder<CreateNetworkCall> = record({
  Method: oneOf('CreateNetwork'),
  NetworkID: id,
  Options: record<NetworkOptions>({
    'com.docker.network.generic': texts,
    'com.docker.network.enable_ipv4': flag,
    'com.docker.network.enable_ipv6': flag,
    'com.docker.network.internal': flag,
  }),
  IPv4Data: ipamData,
  IPv6Data: ipamData,
})

const createEndpoint: Decoder<CreateEndpointCall> = record({
  Method: oneOf('CreateEndpoint'),
  NetworkID: id,
  EndpointID: id,
  Interface: record<PluginInterface>({ Address: text, AddressIPv6: text, MacAddress: text }),
  Options: record<EndpointOptions>({
    'com.docker.network.endpoint.exposedports': list(
      record<EndpointOptions['com.docker.network.endpoint.exposedports'][number]>({ Proto: integer, Port: integer }),
    ),
  }),
})

const join: Decoder<JoinCall> = record({ Method: oneOf('Join'), NetworkID: id, EndpointID: id, SandboxKey: text })

const creation: Decoder<Creation> = (value) => {
  const method = typeof value === 'object' && value !== null && 'Method' in value ? value.Method : null
  if (method === 'CreateNetwork') return createNetwork(value)
  return method === 'CreateEndpoint' ? createEndpoint(value) : join(value)
}

const prefix = and(
  record<Cidr>({ ip: address, bits: integer }),
  (cidr) => cidr.bits >= 0 && cidr.bits <= widthOf(cidrFamily(cidr)) && isNetwork(cidr),
  'a prefix',
)

const joined: Decoder<Joined> = record({
  device: nullable(parsed(parseIfName, 'the name of a device')),
  prefix: text,
  gateway4: nullable(address4),
  gateway6: nullable(address6),
  routes: list(record<StaticRoute>({ to: prefix, via: nullable(address) })),
})

const number = and(integer, (n) => n > 0, 'the number of a call')

/** A join that is there was answered, and nothing else was. */
const isAnswered = ({ state, creation: { Method }, joined: answer }: Call): boolean =>
  (answer !== null) === (state === 'there' && Method === 'Join')

export const decodeCall: Decoder<Call> = and(
  record<Call>({
    plugin: text,
    creation,
    state: oneOf('asked', 'there', 'going'),
    joined: nullable(joined),
    number,
  }),
  isAnswered,
  'the answer to a join',
)

export const decodeLast: Decoder<number> = number

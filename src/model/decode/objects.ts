// The stored objects, each field with what it may hold. What an object must be beside others (its network exists, its address
// is nobody else's) is checked when a model is made of them: invariants.ts. Fields are in the order in which `decide` writes
// them, so that what is read would be stored the same.

import { poolOf, SPACES } from '../../ipam/pool-id.ts'
import { isHostPrefix } from '../../ipam/prefix.ts'
import type { PoolId } from '../../ipam/types.ts'
import { type Cidr, cidrFamily, contains, covers, isNetwork } from '../../net/cidr.ts'
import { type Family, type Ip, type Ip4, type Ip6, isLinkLocal, MAX4, MAX6, widthOf } from '../../net/ip.ts'
import type { Mac } from '../../net/mac.ts'
import { HOST, parseNewIfName, parseNs } from '../../net/name.ts'
import { isPort, type Port, TRANSPORTS } from '../../net/port.ts'
import { parseHostId } from '../cluster.ts'
import { ENDPOINT_SYSCTL, isUnicastMac, SYSCTL_VALUE } from '../decide/endpoint.ts'
import { SANDBOX_SYSCTL, SANDBOX_SYSCTL_VALUE } from '../decide/sandbox.ts'
import {
  type Attachment,
  type DriverConfig,
  type Endpoint,
  type EndpointAddress,
  type EndpointWishes,
  type Exit,
  type ExposedPort,
  type ExtraHost,
  isId,
  type Link,
  type Network,
  type NetworkPool,
  type Peer,
  type PoolSpec,
  type PortBinding,
  type Sandbox,
  type StaticRoute,
} from '../types.ts'
import {
  and,
  type Decoder,
  dictionary,
  flag,
  integer,
  isObject,
  list,
  nullable,
  oneOf,
  parsed,
  record,
  text,
  where,
} from './decoder.ts'
import { formerEndpoint, formerNetwork, formerSandbox } from './former.ts'

const id = <A extends string>(): Decoder<A> => where((value): value is A => isId(value), '64 hexadecimal digits')
const named = and(text, (value) => value.trim() !== '', 'a name')
const texts = dictionary(text)

const isWord = (value: unknown): value is number => Number.isInteger(value) && !Object.is(value, -0)
const isAddress4 = (value: unknown): value is Ip4 => isWord(value) && value >= 0 && value <= MAX4
const isAddress6 = (value: unknown): value is Ip6 => typeof value === 'bigint' && value >= 0n && value <= MAX6
const isAddress = (value: unknown): value is Ip => isAddress4(value) || isAddress6(value)
const isMac = (value: unknown): value is Mac => isWord(value) && value >= 0 && value < 2 ** 48

export const address = where(isAddress, 'an address')
const ip = address
export const address4 = where(isAddress4, 'an IPv4 address')
export const address6 = where(isAddress6, 'an IPv6 address')
const mac = and(where(isMac, 'a MAC address'), isUnicastMac, 'the address of one interface')
const family = where((value): value is Family => value === 4 || value === 6, '4 or 6')
const port = where((value): value is Port => isWord(value) && isPort(value), 'a port')
const transport = oneOf(...TRANSPORTS)
const ifName = parsed(parseNewIfName, 'an interface name')

const cidr = and(
  record<Cidr>({ ip, bits: integer }),
  (it) => it.bits >= 0 && it.bits <= widthOf(cidrFamily(it)),
  'a prefix length',
)
const subnet = and(cidr, (it) => isNetwork(it) && isHostPrefix(it), 'a subnet')

const spec: Decoder<PoolSpec> = record({
  family,
  subnet: nullable(cidr),
  range: nullable(cidr),
  gateway: nullable(ip),
  aux: dictionary(ip),
})

const byGateway = record<Extract<Exit, { by: 'gateway' }>>({ by: oneOf('gateway'), via: ip })
const byDevice = record<Readonly<{ by: 'device' | 'nothing' }>>({ by: oneOf('device', 'nothing') })
const exit: Decoder<Exit> = (value) =>
  isObject(value) && Object.hasOwn(value, 'via') ? byGateway(value) : byDevice(value)

const isPool = ({ pool, subnet: whole, range, gateway, exit: way, aux }: NetworkPool): boolean =>
  SPACES.some((space) => poolOf(space, whole, range).id === pool) &&
  covers(whole, range) &&
  (gateway === null || contains(whole, gateway)) &&
  (way?.by !== 'gateway' || contains(whole, way.via)) &&
  Object.values(aux).every((each) => contains(whole, each))

/** A pool's id is compared with the one that its subnet and range make. */
const poolId = where((value): value is PoolId => typeof value === 'string', 'a pool')

const pool = and(
  record<NetworkPool>({
    pool: poolId,
    subnet,
    range: and(cidr, isNetwork, 'a range'),
    gateway: nullable(ip),
    exit: nullable(exit),
    aux: dictionary(ip),
  }),
  isPool,
  'a pool with its own addresses',
)

type ConfigValue = DriverConfig[string]
const configValue: Decoder<ConfigValue> = where(
  (value): value is ConfigValue =>
    value === null || typeof value === 'string' || typeof value === 'boolean' || isFiniteNumber(value),
  'a value',
)
const isFiniteNumber = (value: unknown): value is number => Number.isFinite(value) && !Object.is(value, -0)

const isEmpty = (object: object): boolean => Object.keys(object).length === 0

const lendsOnly = ({ driver, scope, config, internal, attachable, ingress, configFrom, pools }: Network): boolean =>
  driver === 'null' &&
  scope === 'local' &&
  isEmpty(config) &&
  !(internal || attachable || ingress) &&
  configFrom === null &&
  pools.length === 0

const isAscending = (numbers: ReadonlyArray<number>): boolean =>
  numbers.every((n, i) => i === 0 || n >= (numbers[i - 1] ?? n))

const network: Decoder<Network> = and(
  record<Network>({
    id: id(),
    name: named,
    driver: text,
    scope: oneOf('local', 'global'),
    options: texts,
    asked: list(spec),
    config: dictionary(configValue),
    internal: flag,
    attachable: flag,
    ingress: flag,
    configOnly: flag,
    configFrom: nullable(id()),
    labels: texts,
    pools: and(list(pool), (pools) => isAscending(pools.map((each) => cidrFamily(each.subnet))), 'IPv4 first'),
  }),
  (network) => !network.configOnly || lendsOnly(network),
  'a network that only lends its configuration',
)

export const decodeNetwork: Decoder<Network> = (value) => network(formerNetwork(value))

const exposed = list(record<ExposedPort>({ port, transport }))

const wishes: Decoder<EndpointWishes> = record({
  ipv4: nullable(address4),
  ipv6: nullable(address6),
  mac: nullable(mac),
  ifName: nullable(ifName),
})

const attachment: Decoder<Attachment> = record<Attachment>({
  sandbox: id(),
  priority: integer,
  ifName,
  routes: list(record<StaticRoute>({ to: and(cidr, isNetwork, 'a destination'), via: nullable(ip) })),
  links: list(record<Link>({ to: named, alias: nullable(text) })),
})

const sysctls = and(
  texts,
  (values) => Object.entries(values).every(([name, value]) => ENDPOINT_SYSCTL.test(name) && SYSCTL_VALUE.test(value)),
  'sysctls of an interface',
)

const isUnique = (values: ReadonlyArray<unknown>): boolean => new Set(values).size === values.length

/** What was asked for is what there is. */
const granted = ({ asked, addresses, mac: own }: Endpoint): boolean =>
  [asked.ipv4, asked.ipv6].every((each) => each === null || addresses.some(({ cidr: { ip: has } }) => has === each)) &&
  (asked.mac === null || asked.mac === own)

const endpoint: Decoder<Endpoint> = and(
  record<Endpoint>({
    id: id(),
    network: id(),
    name: named,
    aliases: list(text),
    asked: wishes,
    mac,
    addresses: and(
      list(record<EndpointAddress>({ pool: poolId, cidr })),
      (addresses) => isUnique(addresses.map((each) => cidrFamily(each.cidr))),
      'one address of a family',
    ),
    linkLocal: and(list(ip), (ips) => ips.every(isLinkLocal) && isUnique(ips), 'link-local addresses'),
    resolution: flag,
    sysctls,
    exposed,
    attachment: nullable(attachment),
  }),
  granted,
  'what was asked for',
)

export const decodeEndpoint: Decoder<Endpoint> = (value) => endpoint(formerEndpoint(value))

const peer: Decoder<Peer> = record<Peer>({ host: parsed(parseHostId, 'a host'), endpoint: decodeEndpoint })

export const decodePeer: Decoder<Peer> = (value) => peer(value)

const sandbox: Decoder<Sandbox> = and(
  record<Sandbox>({
    id: id(),
    container: named,
    hostname: text,
    ns: parsed(parseNs, 'a namespace'),
    external: nullable(record<NonNullable<Sandbox['external']>>({ path: nullable(named) })),
    domainname: text,
    extraHosts: list(record<ExtraHost>({ name: text, ip })),
    dns: record<Sandbox['dns']>({ servers: list(ip), search: list(text), options: list(text) }),
    exposed,
    labels: texts,
    sysctls: and(
      texts,
      (values) =>
        Object.entries(values).every(([name, value]) => SANDBOX_SYSCTL.test(name) && SANDBOX_SYSCTL_VALUE.test(value)),
      'sysctls of a namespace',
    ),
    ports: list(record<PortBinding>({ hostIp: nullable(ip), hostPort: port, containerPort: port, transport })),
  }),
  ({ ns, external, sysctls: values }) => ns !== HOST || (external === null && Object.keys(values).length === 0),
  'a namespace of its own for a key and for sysctls',
)

export const decodeSandbox: Decoder<Sandbox> = (value) => sandbox(formerSandbox(value))

// Why a command was not obeyed: a closed union of values, and one table per audience. A new tag without a row in each
// table does not compile. Classes are libnetwork's (types.go), statuses Docker's (httpstatus).

import { explainIpam, type IpamError, ipamErrorClass } from '../ipam/error.ts'
import type { Cidr } from '../net/cidr.ts'
import { showCidr } from '../net/cidr.ts'
import { type Ip, isIp4, showIp } from '../net/ip.ts'
import { type Mac, showMac } from '../net/mac.ts'
import type { Port, Transport } from '../net/port.ts'
import type { PluginMethod } from './plugin/protocol.ts'
import type { NetworkScope, PortBinding } from './types.ts'

export type Noun = 'network' | 'endpoint' | 'sandbox'

/** `network`: whose subnet it was, where the command did not say the subnet itself. */
type AddressError = IpamError & Readonly<{ network?: string }>

export type CnmError =
  | AddressError
  | Readonly<
      | { tag: 'NotFound'; what: Noun; id: string }
      | { tag: 'IdTaken'; what: Noun; id: string }
      | { tag: 'NameEmpty'; what: Noun; id: string }
      | { tag: 'NetworkNameTaken'; name: string }
      | { tag: 'EndpointNameTaken'; name: string; network: string }
      | { tag: 'SandboxTaken'; container: string; ns: string; by: string }
      | { tag: 'ContainerTaken'; container: string; sandbox: string }
      | { tag: 'InvalidKey'; container: string; why: 'empty' | 'host' }
      | { tag: 'KeyTaken'; container: string; path: string; by: string }
      | { tag: 'ConfigOnlyOptions'; network: string; options: ReadonlyArray<string> }
      | { tag: 'ConfigOfConfig'; network: string; config: string }
      | { tag: 'ConfigAndOwn'; network: string; config: string; own: ReadonlyArray<string> }
      | { tag: 'NoSuchConfig'; network: string; config: string }
      | { tag: 'ConfigInUse'; network: string; networks: ReadonlyArray<string> }
      | { tag: 'NoEndpointsHere'; network: string; endpoint: string }
      | { tag: 'ScopeTooLow'; network: string; driver: string; scope: NetworkScope; least: NetworkScope }
      | { tag: 'NoSwarm'; network: string }
      | { tag: 'IngressScope'; network: string; driver: string }
      | { tag: 'IngressTaken'; network: string; existing: string }
      | { tag: 'IngressHeld'; network: string }
      | { tag: 'UnknownDriver'; driver: string; known: ReadonlyArray<string> }
      | { tag: 'BadOption'; driver: string; option: string; value: string; expected: string }
      | { tag: 'NoAddressFamily'; network: string }
      | { tag: 'FamilyTwice'; network: string; family: 4 | 6 }
      | { tag: 'WrongFamily'; network: string; family: 4 | 6; subnet: Cidr }
      | { tag: 'MtuTooSmall'; network: string; mtu: number; least: number }
      /** `type`: as ip-link(8) names it, null for hardware. */
      | { tag: 'NotABridge'; device: string; type: string | null }
      | { tag: 'DefaultBridgeMissing'; bridge: string }
      | { tag: 'SameBridge'; network: string; bridge: string; by: string }
      | { tag: 'IsolatedNotInternal'; network: string }
      | { tag: 'GatewayOfInternal'; network: string; gateway: Ip }
      | { tag: 'OnlyOne'; driver: string; existing: string }
      /** Two networks that cannot be on one device of the host: of two drivers, one of them in mode passthru, or of a driver with one on each. */
      | {
          tag: 'ParentTaken'
          network: string
          parent: string
          by: string
          why: 'one driver' | 'passthru' | 'one network'
        }
      | { tag: 'NetworkFull'; network: string; endpoint: string; most: number }
      | { tag: 'GatewayOutside'; network: string; gateway: Ip; subnet: Cidr }
      | { tag: 'AuxOutside'; network: string; name: string; ip: Ip; subnet: Cidr }
      | { tag: 'RangeAlone'; network: string; range: Cidr }
      | { tag: 'HostBits'; network: string; subnet: Cidr }
      | { tag: 'NotUnicast'; network: string; subnet: Cidr }
      | { tag: 'NoSuchSubnet'; network: string; ip: Ip; subnets: ReadonlyArray<Cidr> }
      | { tag: 'NoAddressLeft'; network: string; endpoint: string; family: 4 | 6; subnets: ReadonlyArray<Cidr> }
      | { tag: 'IPv6Off'; endpoint: string; ip: Ip }
      | { tag: 'IPv6OffInside'; endpoint: string; ip: Ip; container: string }
      | { tag: 'NotLinkLocal'; endpoint: string; ip: Ip }
      /** `by` null: the host, whose side of the network has it. */
      | { tag: 'LinkLocalTaken'; network: string; ip: Ip; by: string | null }
      | { tag: 'LinkLocalInSubnet'; network: string; ip: Ip; subnet: Cidr }
      | { tag: 'BadMac'; endpoint: string; mac: Mac }
      | { tag: 'NoOwnMac'; endpoint: string; mac: Mac; network: string }
      | { tag: 'MacTaken'; endpoint: string; mac: Mac; by: string; network: string }
      | { tag: 'BadSysctl'; endpoint: string; sysctl: string; why: 'name' | 'value' }
      | { tag: 'BadSandboxSysctl'; container: string; sysctl: string; why: 'name' | 'value' | 'host' }
      | { tag: 'HasEndpoints'; network: string; endpoints: ReadonlyArray<string> }
      | { tag: 'OnOtherHost'; endpoint: string; host: string }
      | { tag: 'AlreadyJoined'; endpoint: string; container: string }
      | { tag: 'IsJoined'; endpoint: string; container: string }
      | { tag: 'NotJoined'; endpoint: string }
      | { tag: 'OtherSandbox'; endpoint: string; joined: string; asked: string }
      | { tag: 'InterfaceTaken'; ifName: string; container: string }
      | {
          tag: 'BadRoute'
          endpoint: string
          to: Cidr
          via: Ip | null
          why: 'destination' | 'family' | 'no address' | 'next hop'
        }
      /** `network`: by which the sandbox gets there. */
      | { tag: 'RouteTaken'; endpoint: string; to: Cidr; network: string }
      | { tag: 'NoSuchLink'; endpoint: string; to: string; network: string }
      | { tag: 'LinkTwice'; endpoint: string; to: string; network: string }
      | { tag: 'SharesHost'; container: string; network: string }
      | { tag: 'PortTaken'; port: PortBinding; by: string }
      | { tag: 'PortInUse'; port: PortBinding }
      | { tag: 'PortsExhausted'; container: string; containerPort: Port; transport: Transport }
      /** `key`: of the kernel object; `object`: the same in words. */
      | { tag: 'Clash'; key: string; object: string; owners: ReadonlyArray<string> }
      | { tag: 'KernelRefused'; operation: string; errno: string }
      | { tag: 'PluginRefused'; plugin: string; method: PluginMethod; object: string; why: string }
      | { tag: 'PluginUnreachable'; plugin: string; method: PluginMethod; object: string; why: string }
      | { tag: 'Unavailable'; what: string; hint: string | null }
    >

export type ErrorClass = 'NotFound' | 'InvalidParameter' | 'Forbidden' | 'Conflict' | 'Unavailable' | 'Internal'

export const errorClass: Readonly<Record<CnmError['tag'], ErrorClass>> = {
  NotFound: 'NotFound',
  IdTaken: 'Conflict',
  NameEmpty: 'InvalidParameter',
  NetworkNameTaken: 'Conflict',
  EndpointNameTaken: 'Forbidden',
  SandboxTaken: 'Forbidden',
  ContainerTaken: 'Forbidden',
  InvalidKey: 'InvalidParameter',
  KeyTaken: 'Forbidden',
  ConfigOnlyOptions: 'Forbidden',
  ConfigOfConfig: 'Forbidden',
  ConfigAndOwn: 'Forbidden',
  NoSuchConfig: 'NotFound',
  ConfigInUse: 'Forbidden',
  NoEndpointsHere: 'Forbidden',
  ScopeTooLow: 'Forbidden',
  NoSwarm: 'Forbidden',
  IngressScope: 'Forbidden',
  IngressTaken: 'Forbidden',
  IngressHeld: 'Forbidden',
  UnknownDriver: 'NotFound',
  BadOption: 'InvalidParameter',
  NoAddressFamily: 'InvalidParameter',
  FamilyTwice: 'Forbidden',
  WrongFamily: 'InvalidParameter',
  MtuTooSmall: 'InvalidParameter',
  NotABridge: 'InvalidParameter',
  DefaultBridgeMissing: 'Forbidden',
  SameBridge: 'Forbidden',
  IsolatedNotInternal: 'InvalidParameter',
  GatewayOfInternal: 'InvalidParameter',
  OnlyOne: 'Forbidden',
  ParentTaken: 'Forbidden',
  NetworkFull: 'Forbidden',
  GatewayOutside: 'InvalidParameter',
  AuxOutside: 'Forbidden',
  RangeAlone: 'InvalidParameter',
  HostBits: 'InvalidParameter',
  NotUnicast: 'InvalidParameter',
  NoSuchSubnet: 'InvalidParameter',
  NoAddressLeft: 'Unavailable',
  IPv6Off: 'InvalidParameter',
  IPv6OffInside: 'Forbidden',
  NotLinkLocal: 'InvalidParameter',
  LinkLocalTaken: 'Forbidden',
  LinkLocalInSubnet: 'InvalidParameter',
  BadMac: 'InvalidParameter',
  NoOwnMac: 'InvalidParameter',
  MacTaken: 'Forbidden',
  BadSysctl: 'InvalidParameter',
  BadSandboxSysctl: 'InvalidParameter',
  HasEndpoints: 'Forbidden',
  AlreadyJoined: 'Forbidden',
  OnOtherHost: 'Forbidden',
  IsJoined: 'Forbidden',
  NotJoined: 'Forbidden',
  OtherSandbox: 'Forbidden',
  InterfaceTaken: 'Forbidden',
  BadRoute: 'InvalidParameter',
  RouteTaken: 'Conflict',
  NoSuchLink: 'InvalidParameter',
  LinkTwice: 'Forbidden',
  SharesHost: 'Forbidden',
  PortTaken: 'Conflict',
  PortInUse: 'Conflict',
  PortsExhausted: 'Unavailable',
  Clash: 'Conflict',
  KernelRefused: 'Internal',
  PluginRefused: 'Internal',
  PluginUnreachable: 'Unavailable',
  Unavailable: 'Unavailable',
  ...ipamErrorClass,
}

export const httpStatus: Readonly<Record<ErrorClass, 400 | 403 | 404 | 409 | 500 | 503>> = {
  InvalidParameter: 400,
  Forbidden: 403,
  NotFound: 404,
  Conflict: 409,
  Internal: 500,
  Unavailable: 503,
}

const beforePort = (ip: Ip): string => (isIp4(ip) ? `${showIp(ip)}:` : `[${showIp(ip)}]:`)

export const showBinding = (port: PortBinding): string =>
  `${port.hostIp === null ? '' : beforePort(port.hostIp)}${port.hostPort}/${port.transport}`

const listed = (items: ReadonlyArray<string>): string => items.map((item) => `"${item}"`).join(', ')

type ModelError = Exclude<CnmError, AddressError>
type Sentences = { readonly [T in ModelError['tag']]: (error: Extract<ModelError, { tag: T }>) => string }

const WHY_ALONE: Readonly<Record<Extract<ModelError, { tag: 'ParentTaken' }>['why'], string>> = {
  'one driver': 'a device carries macvlans or ipvlans, not both',
  passthru: 'mode passthru has its device to itself',
  'one network': 'a device carries one network of ipvlans',
}

const WHY_NO_ROUTE: Readonly<Record<Extract<ModelError, { tag: 'BadRoute' }>['why'], string>> = {
  destination: 'its destination is not a subnet that packets are routed to',
  family: 'its next hop is of the other family',
  'no address': 'the endpoint has no address of that family',
  'next hop': 'its next hop is not another address in the subnet of the endpoint',
}

const WHY_NO_SYSCTL: Readonly<Record<Extract<ModelError, { tag: 'BadSandboxSysctl' }>['why'], string>> = {
  name: 'it is not one of a whole network namespace, such as net.core.somaxconn (those of an interface belong to its endpoint)',
  value: 'its value is empty or not of one line',
  host: 'its namespace is that of the host',
}

const SENTENCES: Sentences = {
  NotFound: (error) => `there is no ${error.what} "${error.id}"`,
  IdTaken: (error) => `a ${error.what} with the id ${error.id} exists already`,
  NameEmpty: (error) => `the ${error.what} ${error.id} needs a name`,
  NetworkNameTaken: (error) => `a network named "${error.name}" exists already`,
  EndpointNameTaken: (error) => `network "${error.network}" has an endpoint named "${error.name}" already`,
  SandboxTaken: (error) =>
    `sandbox "${error.container}" cannot have the namespace "${error.ns}": it belongs to sandbox "${error.by}"`,
  ContainerTaken: (error) => `a sandbox named "${error.container}" exists already`,
  InvalidKey: (error) =>
    error.why === 'empty'
      ? `the key of sandbox "${error.container}" is empty; it is the path of a network namespace`
      : `sandbox "${error.container}" shares the namespace of the host, so it has no key of its own`,
  KeyTaken: (error) =>
    `sandbox "${error.container}" cannot have the namespace at ${error.path}: it belongs to sandbox "${error.by}"`,
  ConfigOnlyOptions: (error) =>
    `network "${error.network}" only lends its configuration and cannot be given ${error.options.join(', ')}`,
  ConfigOfConfig: (error) =>
    `network "${error.network}" only lends its configuration and cannot take that of "${error.config}"`,
  ConfigAndOwn: (error) =>
    `network "${error.network}" takes its configuration from "${error.config}" and cannot have ${error.own.join(', ')} of its own`,
  NoSuchConfig: (error) =>
    `network "${error.network}" asks for the configuration of "${error.config}", but no configuration-only network is named so`,
  ConfigInUse: (error) => `the configuration of network "${error.network}" is in use by ${listed(error.networks)}`,
  NoEndpointsHere: (error) =>
    `network "${error.network}" only lends its configuration and cannot have endpoint "${error.endpoint}"`,
  ScopeTooLow: (error) =>
    `network "${error.network}" cannot have scope ${error.scope}: driver ${error.driver} needs ${error.least}`,
  NoSwarm: (error) => `network "${error.network}" asks for scope swarm, but there is no swarm; ask for local or global`,
  IngressScope: (error) =>
    `network "${error.network}" cannot be the ingress network: driver ${error.driver} is not global`,
  IngressTaken: (error) => `network "${error.network}" cannot be the ingress network: "${error.existing}" is`,
  IngressHeld: (error) => `network "${error.network}" is the ingress network; only force removes it`,
  UnknownDriver: (error) => `there is no network driver "${error.driver}"; known are ${error.known.join(', ')}`,
  BadOption: (error) =>
    `option ${error.option} of driver ${error.driver} is "${error.value}", expected ${error.expected}`,
  NoAddressFamily: (error) => `network "${error.network}" has neither IPv4 nor IPv6`,
  FamilyTwice: (error) =>
    `network "${error.network}" asks for two IPv${error.family} subnets; its driver takes one of each family`,
  WrongFamily: (error) => `subnet ${showCidr(error.subnet)} of network "${error.network}" is not IPv${error.family}`,
  MtuTooSmall: (error) =>
    `network "${error.network}" has IPv6, which needs an MTU of ${error.least} at least, not ${error.mtu}`,
  NotABridge: (error) =>
    `driver bridge cannot use "${error.device}" of the host: it is no bridge${error.type === null ? '' : ` but of type ${error.type}`}`,
  DefaultBridgeMissing: (error) =>
    `driver bridge makes docker0 alone as the default bridge, and the host has no bridge "${error.bridge}"`,
  SameBridge: (error) =>
    `network "${error.network}" cannot be on bridge "${error.bridge}": network "${error.by}" is on it`,
  IsolatedNotInternal: (error) =>
    `network "${error.network}" has gateway mode isolated, which only an internal network can have`,
  GatewayOfInternal: (error) =>
    `network "${error.network}" is internal and cannot have the gateway ${showIp(error.gateway)}`,
  OnlyOne: (error) => `driver ${error.driver} has one network only, "${error.existing}"`,
  ParentTaken: (error) =>
    `network "${error.network}" cannot be on ${error.parent}, where network "${error.by}" is: ${WHY_ALONE[error.why]}`,
  NetworkFull: (error) =>
    `endpoint "${error.endpoint}" cannot join: network "${error.network}" has room for ${error.most === 1 ? 'one' : error.most}`,
  GatewayOutside: (error) =>
    `gateway ${showIp(error.gateway)} of network "${error.network}" is not in its subnet ${showCidr(error.subnet)}`,
  AuxOutside: (error) =>
    `auxiliary address ${error.name} (${showIp(error.ip)}) of network "${error.network}" is not in its subnet ${showCidr(error.subnet)}`,
  RangeAlone: (error) =>
    `range ${showCidr(error.range)} of network "${error.network}" needs a subnet named that it is a part of`,
  HostBits: (error) => `subnet ${showCidr(error.subnet)} of network "${error.network}" has bits set behind its prefix`,
  NotUnicast: (error) =>
    `subnet ${showCidr(error.subnet)} of network "${error.network}" is not one that hosts can have`,
  NoSuchSubnet: (error) =>
    `address ${showIp(error.ip)} is in no subnet of network "${error.network}" (${error.subnets.map(showCidr).join(', ') || 'it has none of that family'})`,
  NoAddressLeft: (error) =>
    `network "${error.network}" has no IPv${error.family} address left for endpoint "${error.endpoint}" (${error.subnets.map(showCidr).join(', ')})`,
  IPv6Off: (error) => `endpoint "${error.endpoint}" asks for ${showIp(error.ip)} and for no IPv6`,
  IPv6OffInside: (error) =>
    `endpoint "${error.endpoint}" has ${showIp(error.ip)}, but sandbox "${error.container}" switches IPv6 off by a sysctl; make one of the two without`,
  NotLinkLocal: (error) =>
    `${showIp(error.ip)} of endpoint "${error.endpoint}" is not a link-local address (169.254.0.0/16 or fe80::/10)`,
  LinkLocalTaken: (error) =>
    `link-local address ${showIp(error.ip)} of network "${error.network}" belongs to ${error.by === null ? 'the host' : `"${error.by}"`} already`,
  LinkLocalInSubnet: (error) =>
    `${showIp(error.ip)} cannot be a link-local address of network "${error.network}": it lies in its subnet ${showCidr(error.subnet)}`,
  BadMac: (error) =>
    `${showMac(error.mac)} of endpoint "${error.endpoint}" is not an address that one interface can have`,
  NoOwnMac: (error) =>
    `endpoint "${error.endpoint}" asks for ${showMac(error.mac)}, but interfaces on network "${error.network}" have the MAC of the device below`,
  MacTaken: (error) =>
    `${showMac(error.mac)} of endpoint "${error.endpoint}" belongs to endpoint "${error.by}" of network "${error.network}" already`,
  BadSysctl: (error) =>
    error.why === 'name'
      ? `"${error.sysctl}" of endpoint "${error.endpoint}" is not a sysctl of an interface, such as net.ipv4.conf.IFNAME.log_martians`
      : `the value of sysctl ${error.sysctl} of endpoint "${error.endpoint}" is not one word`,
  BadSandboxSysctl: ({ container, sysctl, why }) =>
    `sandbox "${container}" cannot have the sysctl "${sysctl}": ${WHY_NO_SYSCTL[why]}`,
  HasEndpoints: (error) => `network "${error.network}" is in use by ${listed(error.endpoints)}`,
  AlreadyJoined: (error) => `endpoint "${error.endpoint}" has been joined by sandbox "${error.container}" already`,
  OnOtherHost: ({ endpoint, host }) =>
    `endpoint "${endpoint}" is on host ${host}: do it there; if that host is gone for good: cnm host forget ${host}`,
  IsJoined: (error) =>
    `endpoint "${error.endpoint}" is joined by sandbox "${error.container}"; leave it first, or force`,
  NotJoined: (error) => `endpoint "${error.endpoint}" is not joined by any sandbox`,
  OtherSandbox: (error) =>
    `endpoint "${error.endpoint}" is joined by sandbox "${error.joined}", not by "${error.asked}"`,
  InterfaceTaken: (error) => `sandbox "${error.container}" has an interface ${error.ifName} already`,
  BadRoute: ({ endpoint, to, via, why }) =>
    `endpoint "${endpoint}" cannot have the route to ${showCidr(to)}${via === null ? '' : ` by ${showIp(via)}`}: ${WHY_NO_ROUTE[why]}`,
  RouteTaken: (error) =>
    `endpoint "${error.endpoint}" cannot join: its sandbox gets to ${showCidr(error.to)} by network "${error.network}" already`,
  NoSuchLink: (error) =>
    `endpoint "${error.endpoint}" cannot link to "${error.to}": there is no other endpoint of that name on network "${error.network}"`,
  LinkTwice: (error) =>
    `endpoint "${error.endpoint}" cannot link to "${error.to}": its sandbox does so by another endpoint on network "${error.network}"`,
  SharesHost: (error) =>
    `sandbox "${error.container}" shares the namespace of the host and cannot join network "${error.network}"`,
  PortTaken: (error) => `port ${showBinding(error.port)} of the host is published by "${error.by}" already`,
  PortInUse: (error) => `port ${showBinding(error.port)} of the host is in use by another program`,
  PortsExhausted: (error) =>
    `no host port is free for port ${error.containerPort}/${error.transport} of "${error.container}"`,
  Clash: (error) => `${error.owners.join(' and ')} want the ${error.object} differently`,
  KernelRefused: (error) => `the kernel refused "${error.operation}": ${error.errno}`,
  PluginRefused: (error) => `plugin "${error.plugin}" refused ${error.method} of ${error.object}: ${error.why}`,
  PluginUnreachable: (error) =>
    `plugin "${error.plugin}" did not answer ${error.method} of ${error.object}: ${error.why}`,
  Unavailable: (error) => (error.hint === null ? error.what : `${error.what}; ${error.hint}`),
}

export const isOfModel = (error: CnmError): error is ModelError => error.tag in SENTENCES

/** One sentence for people: what was wrong with which object and, where there is one, the way out. */
export const explain = (error: CnmError): string => {
  if (!isOfModel(error))
    return error.network === undefined ? explainIpam(error) : `network "${error.network}": ${explainIpam(error)}`
  // A cast: the table has, under each tag, the sentence of that tag's errors.
  return (SENTENCES[error.tag] as (error: ModelError) => string)(error)
}

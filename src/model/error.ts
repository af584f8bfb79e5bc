// Why a command was not obeyed: a closed union of values, and one table per audience. A new tag without a row in each
// table does not compile. Classes are libnetwork's (types.go), statuses Docker's (httpstatus).

import { explainIpam, type IpamError, ipamErrorClass } from '../ipam/error.ts'
import type { Cidr } from '../net/cidr.ts'
import { showCidr } from '../net/cidr.ts'
import type { Ip } from '../net/ip.ts'
import { showIp } from '../net/ip.ts'
import type { PortBinding } from './types.ts'

export type Noun = 'network' | 'endpoint' | 'sandbox'

export type CnmError =
  | IpamError
  | Readonly<
      | { tag: 'NotFound'; what: Noun; id: string }
      | { tag: 'IdTaken'; what: Noun; id: string }
      | { tag: 'NameEmpty'; what: Noun }
      | { tag: 'NetworkNameTaken'; name: string }
      | { tag: 'EndpointNameTaken'; name: string; network: string }
      | { tag: 'SandboxTaken'; ns: string; by: string }
      | { tag: 'UnknownDriver'; driver: string; known: ReadonlyArray<string> }
      | { tag: 'BadOption'; driver: string; option: string; value: string; expected: string }
      | { tag: 'NoAddressFamily'; network: string }
      | { tag: 'FamilyTwice'; network: string; family: 4 | 6 }
      | { tag: 'WrongFamily'; network: string; family: 4 | 6; subnet: Cidr }
      | { tag: 'MtuTooSmall'; network: string; mtu: number; least: number }
      | { tag: 'OnlyOne'; driver: string; existing: string }
      | { tag: 'GatewayOutside'; network: string; gateway: Ip; subnet: Cidr }
      | { tag: 'HostBits'; network: string; subnet: Cidr }
      | { tag: 'NotUnicast'; network: string; subnet: Cidr }
      | { tag: 'NoSuchSubnet'; network: string; ip: Ip; subnets: ReadonlyArray<Cidr> }
      | { tag: 'HasEndpoints'; network: string; endpoints: ReadonlyArray<string> }
      | { tag: 'AlreadyJoined'; endpoint: string; container: string }
      | { tag: 'IsJoined'; endpoint: string; container: string }
      | { tag: 'NotJoined'; endpoint: string }
      | { tag: 'OtherSandbox'; endpoint: string; joined: string; asked: string }
      | { tag: 'InterfaceTaken'; ifName: string; container: string }
      | { tag: 'SharesHost'; container: string; network: string }
      | { tag: 'PortTaken'; port: PortBinding; by: string }
      | { tag: 'PortsExhausted'; transport: string }
      | { tag: 'Clash'; key: string; owners: ReadonlyArray<string> }
      | { tag: 'KernelRefused'; operation: string; errno: string }
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
  UnknownDriver: 'NotFound',
  BadOption: 'InvalidParameter',
  NoAddressFamily: 'InvalidParameter',
  FamilyTwice: 'Forbidden',
  WrongFamily: 'InvalidParameter',
  MtuTooSmall: 'InvalidParameter',
  OnlyOne: 'Forbidden',
  GatewayOutside: 'InvalidParameter',
  HostBits: 'InvalidParameter',
  NotUnicast: 'InvalidParameter',
  NoSuchSubnet: 'InvalidParameter',
  HasEndpoints: 'Forbidden',
  AlreadyJoined: 'Forbidden',
  IsJoined: 'Forbidden',
  NotJoined: 'Forbidden',
  OtherSandbox: 'Forbidden',
  InterfaceTaken: 'Forbidden',
  SharesHost: 'Forbidden',
  PortTaken: 'Conflict',
  PortsExhausted: 'Unavailable',
  Clash: 'Conflict',
  KernelRefused: 'Internal',
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

export const showBinding = (port: PortBinding): string =>
  `${port.hostIp === null ? '' : `${showIp(port.hostIp)}:`}${port.hostPort}/${port.transport}`

const listed = (items: ReadonlyArray<string>): string => items.map((item) => `"${item}"`).join(', ')

/** One sentence for people: what was wrong with which object and, where there is one, the way out. */
export const explain = (error: CnmError): string => {
  switch (error.tag) {
    case 'NotFound':
      return `there is no ${error.what} "${error.id}"`
    case 'IdTaken':
      return `a ${error.what} with the id ${error.id} exists already`
    case 'NameEmpty':
      return `a ${error.what} needs a name`
    case 'NetworkNameTaken':
      return `a network named "${error.name}" exists already`
    case 'EndpointNameTaken':
      return `network "${error.network}" has an endpoint named "${error.name}" already`
    case 'SandboxTaken':
      return `the namespace "${error.ns}" belongs to container "${error.by}" already`
    case 'UnknownDriver':
      return `there is no network driver "${error.driver}"; known are ${error.known.join(', ')}`
    case 'BadOption':
      return `option ${error.option} of driver ${error.driver} is "${error.value}", expected ${error.expected}`
    case 'NoAddressFamily':
      return `network "${error.network}" has neither IPv4 nor IPv6`
    case 'FamilyTwice':
      return `network "${error.network}" asks for two IPv${error.family} subnets; its driver takes one of each family`
    case 'WrongFamily':
      return `subnet ${showCidr(error.subnet)} of network "${error.network}" is not IPv${error.family}`
    case 'MtuTooSmall':
      return `network "${error.network}" has IPv6, which needs an MTU of ${error.least} at least, not ${error.mtu}`
    case 'OnlyOne':
      return `driver ${error.driver} has one network only, "${error.existing}"`
    case 'GatewayOutside':
      return `gateway ${showIp(error.gateway)} of network "${error.network}" is not in its subnet ${showCidr(error.subnet)}`
    case 'HostBits':
      return `subnet ${showCidr(error.subnet)} of network "${error.network}" has bits set behind its prefix`
    case 'NotUnicast':
      return `subnet ${showCidr(error.subnet)} of network "${error.network}" is not one that hosts can have`
    case 'NoSuchSubnet':
      return `address ${showIp(error.ip)} is in no subnet of network "${error.network}" (${error.subnets.map(showCidr).join(', ') || 'it has none of that family'})`
    case 'HasEndpoints':
      return `network "${error.network}" is in use by ${listed(error.endpoints)}`
    case 'AlreadyJoined':
      return `endpoint "${error.endpoint}" has been joined by container "${error.container}" already`
    case 'IsJoined':
      return `endpoint "${error.endpoint}" is joined by container "${error.container}"; leave it first, or force`
    case 'NotJoined':
      return `endpoint "${error.endpoint}" is not joined by any container`
    case 'OtherSandbox':
      return `endpoint "${error.endpoint}" is joined by container "${error.joined}", not by "${error.asked}"`
    case 'InterfaceTaken':
      return `container "${error.container}" has an interface ${error.ifName} already`
    case 'SharesHost':
      return `container "${error.container}" shares the namespace of the host and cannot join network "${error.network}"`
    case 'PortTaken':
      return `port ${showBinding(error.port)} of the host is published by container "${error.by}" already`
    case 'PortsExhausted':
      return `no free ${error.transport} port is left to publish on`
    case 'Clash':
      return `${error.owners.join(' and ')} want "${error.key}" differently`
    case 'KernelRefused':
      return `the kernel refused "${error.operation}": ${error.errno}`
    case 'Unavailable':
      return error.hint === null ? error.what : `${error.what}; ${error.hint}`
    default:
      return explainIpam(error)
  }
}

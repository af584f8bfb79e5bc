// Why an address or a pool was not given. Tags and classes follow libnetwork's IPAM; the sentences are ours, and each names
// its object.

import { type Cidr, showCidr } from '../net/cidr.ts'
import { type Family, type Ip, showIp } from '../net/ip.ts'
import type { AddressSpace, PoolId } from './types.ts'

/** What is wrong with a subnet or a range. */
export type PoolFault =
  | 'syntax'
  | 'hostBits'
  | 'notUnicast'
  | 'noDefaultOfSize'
  | 'noPool'
  | 'otherFamily'
  | 'outsidePool'
  | 'nullDriver'
  | 'sizeShorterThanBase'
  | 'sizeTooLong'

/** `asked` is text as it came from outside, of any length. */
export type IpamError = Readonly<
  | { tag: 'InvalidRequest'; what: string }
  | { tag: 'InvalidAddressSpace'; asked: string }
  | { tag: 'InvalidPool'; asked: string; fault: PoolFault }
  | { tag: 'InvalidSubPool'; asked: string; pool: string; fault: PoolFault }
  | { tag: 'InvalidPoolID'; asked: string }
  | { tag: 'InvalidAddress'; asked: string }
  | { tag: 'PoolOverlap'; asked: Cidr; with: Cidr; space: AddressSpace }
  | { tag: 'NoMoreSubnets'; family: Family; space: AddressSpace }
  | { tag: 'BadPool'; pool: PoolId }
  | { tag: 'PoolNotFound'; pool: PoolId }
  | { tag: 'IPAlreadyAllocated'; pool: PoolId; ip: Ip }
  | { tag: 'IPOutOfRange'; pool: PoolId; ip: Ip }
  | { tag: 'NoAvailableIPs'; pool: PoolId }
>

export type IpamErrorClass = 'InvalidParameter' | 'Forbidden' | 'NotFound' | 'Unavailable'

export const ipamErrorClass: Readonly<Record<IpamError['tag'], IpamErrorClass>> = {
  InvalidRequest: 'InvalidParameter',
  InvalidAddressSpace: 'InvalidParameter',
  InvalidPool: 'InvalidParameter',
  InvalidSubPool: 'InvalidParameter',
  InvalidPoolID: 'InvalidParameter',
  InvalidAddress: 'InvalidParameter',
  PoolOverlap: 'Forbidden',
  NoMoreSubnets: 'InvalidParameter',
  BadPool: 'InvalidParameter',
  PoolNotFound: 'NotFound',
  IPAlreadyAllocated: 'Forbidden',
  IPOutOfRange: 'InvalidParameter',
  NoAvailableIPs: 'Unavailable',
}

const FAULT: Readonly<Record<PoolFault, string>> = {
  syntax: 'is not a prefix such as 172.20.0.0/16 or fd00:1::/64',
  hostBits: 'has bits set behind its prefix',
  notUnicast: 'is not a prefix that hosts can have addresses of',
  noDefaultOfSize: 'is a size that no default pool can be split into',
  noPool: 'needs that pool named as a subnet, not left to choice',
  otherFamily: 'is of another family than its pool',
  outsidePool: 'does not lie in its pool',
  nullDriver: 'cannot be had: the null driver has no pools to choose from',
  sizeShorterThanBase: 'is larger than the base it is to be split from',
  sizeTooLong: 'has more bits than an address',
}

const LONGEST = 80
/** Text from outside, quoted and cut to a length that a line can bear. */
const quoted = (text: string): string => JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text)

/** One sentence for people. */
export const explainIpam = (error: IpamError): string => {
  switch (error.tag) {
    case 'InvalidRequest':
      return `not a request: ${error.what}`
    case 'InvalidAddressSpace':
      return `there is no address space ${quoted(error.asked)}; the default driver has LocalDefault and GlobalDefault, the null driver has null`
    case 'InvalidPool':
      return `the pool ${quoted(error.asked)} ${FAULT[error.fault]}`
    case 'InvalidSubPool':
      return `the sub-pool ${quoted(error.asked)} of ${quoted(error.pool)} ${FAULT[error.fault]}`
    case 'InvalidPoolID':
      return `${quoted(error.asked)} is not the id of a pool, such as LocalDefault/172.20.0.0/16`
    case 'InvalidAddress':
      return `${quoted(error.asked)} is not an IP address`
    case 'PoolOverlap':
      return `subnet ${showCidr(error.asked)} overlaps ${showCidr(error.with)}, which is in use in ${error.space}`
    case 'NoMoreSubnets':
      return `no IPv${error.family} subnet is free among the default pools of ${error.space}; name one, or remove a network`
    case 'BadPool':
    case 'PoolNotFound':
      return `there is no pool ${error.pool} in use`
    case 'IPAlreadyAllocated':
      return `address ${showIp(error.ip)} of pool ${error.pool} is in use already`
    case 'IPOutOfRange':
      return `address ${showIp(error.ip)} is not in pool ${error.pool}`
    case 'NoAvailableIPs':
      return `pool ${error.pool} has no free address`
  }
}

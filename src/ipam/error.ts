// Why an address or a pool was not given. Classes follow libnetwork's IPAM.

import type { Cidr } from '../net/cidr.ts'
import type { Family, Ip } from '../net/ip.ts'
import type { AddressSpace, PoolId } from './types.ts'

export type IpamError = Readonly<
  | { tag: 'PoolOverlap'; asked: Cidr; with: Cidr; space: AddressSpace }
  | { tag: 'PoolsExhausted'; family: Family; space: AddressSpace }
  | { tag: 'RangeOutsidePool'; range: Cidr; pool: Cidr }
  | { tag: 'UnknownPool'; pool: PoolId }
  | { tag: 'AddressTaken'; pool: PoolId; ip: Ip }
  | { tag: 'AddressOutsidePool'; pool: PoolId; ip: Ip }
  | { tag: 'PoolFull'; pool: PoolId }
>

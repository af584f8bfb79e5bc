// The words of address management: spaces, pools, and the state of a space as pure persistent data.

import type { Cidr } from '../net/cidr.ts'
import type { PMap } from '../net/pmap.ts'
import type { Brand } from '../prelude.ts'
import type { Ranges } from './ranges.ts'

/** Pools of one space do not overlap. Networks of one host use the local one. */
export type AddressSpace = 'LocalDefault' | 'GlobalDefault'

/** `<space>/<subnet>`, with `/<range>` for a pool that hands out from a part of its subnet. */
export type PoolId = string & Brand<'PoolId'>

/** A pool in use. `used` counts from the first address of `subnet`; automatic addresses come from `range`. */
export type Pool = Readonly<{ id: PoolId; space: AddressSpace; subnet: Cidr; range: Cidr; used: Ranges }>

/** A stretch of address space that is split into subnets of one size (prefix length) on demand. */
export type DefaultPool = Readonly<{ base: Cidr; size: number }>

export type Ipam = Readonly<{
  defaults: Readonly<Record<AddressSpace, ReadonlyArray<DefaultPool>>>
  pools: PMap<Pool>
}>

// The words of address management: spaces, subnets, pools, and the state of it all as pure persistent data.

import type { Cidr } from '../net/cidr.ts'
import type { Family } from '../net/ip.ts'
import type { PMap } from '../net/pmap.ts'
import type { Brand } from '../prelude.ts'
import type { AddressSet, Place } from './address-set.ts'

/** Subnets of one space do not overlap. Networks of one host use the local one, those that hosts share the global one. */
export type AddressSpace = 'LocalDefault' | 'GlobalDefault'

/** `<space>/<subnet>`, with `/<range>` for a sub-pool. */
export type PoolId = string & Brand<'PoolId'>

/** What was asked for and is in use: automatic addresses come from `range`, which is the subnet or (a sub-pool) a part of it. */
export type Pool = Readonly<{ id: PoolId; space: AddressSpace; subnet: Cidr; range: Cidr }>

/**
 * A subnet in use, kept as long as one pool on it is. All its pools share one set of addresses, so none is given out twice,
 * even when a preferred address lies outside the range that asks for it.
 */
export type Subnet = Readonly<{
  space: AddressSpace
  cidr: Cidr
  /** Places of the addresses in use, reserved ones included. */
  used: AddressSet
  /** The place behind the last automatic address: where a serial request looks first. */
  cursor: Place
  /** Whether the subnet itself is a pool. */
  whole: boolean
  /** The ranges of its sub-pools, by their ids; disjoint. */
  ranges: PMap<Cidr>
  /** Places of the addresses in these ranges. */
  covered: AddressSet
}>

/** A stretch of addresses that is split into subnets of one size (prefix length) on demand. */
export type DefaultPool = Readonly<{ base: Cidr; size: number }>
/** Ascending and disjoint: see `arrange` in defaults.ts. */
export type Defaults = Readonly<Record<AddressSpace, ReadonlyArray<DefaultPool>>>

export type Ipam = Readonly<{
  defaults: Defaults
  /** By the id of the pool that the whole subnet is, or would be. */
  subnets: PMap<Subnet>
  /** All addresses of the subnets in use, as places in the whole of their family. */
  taken: Readonly<Record<AddressSpace, Readonly<Record<Family, AddressSet>>>>
}>

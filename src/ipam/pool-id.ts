// The text that names a pool between requests: `LocalDefault/172.20.0.0/16`, and for a sub-pool
// `LocalDefault/172.20.0.0/16/172.20.1.0/24`, as libnetwork writes it.

import { type Cidr, parseCidr, sameCidr, showCidr } from '../net/cidr.ts'
import { E, type Either } from '../prelude.ts'
import type { IpamError } from './error.ts'
import type { AddressSpace, Pool, PoolId } from './types.ts'

export const SPACES: ReadonlyArray<AddressSpace> = ['LocalDefault', 'GlobalDefault']

/** `range` null or equal to `subnet`: the subnet itself. */
export const poolOf = (space: AddressSpace, subnet: Cidr, range: Cidr | null): Pool => {
  const whole = range === null || sameCidr(subnet, range)
  const text = `${space}/${showCidr(subnet)}${whole ? '' : `/${showCidr(range)}`}`
  // A cast: this is where the id of a pool is made.
  return { id: text as PoolId, space, subnet, range: range ?? subnet }
}

export const parseSpace = (text: string): Either<IpamError, AddressSpace> => {
  const space = SPACES.find((each) => each === text)
  return space === undefined ? E.left({ tag: 'InvalidAddressSpace', asked: text }) : E.right(space)
}

/** The id of the whole subnet that a pool belongs to. */
export const wholeId = (id: string): string => {
  const third = id.indexOf('/', id.indexOf('/', id.indexOf('/') + 1) + 1)
  return third <= id.indexOf('/') ? id : id.slice(0, third)
}

const LONGEST_ID = 200

/** Reads an id in its canonical spelling; the pool need not be in use. */
export const parsePoolId = (text: string): Either<IpamError, Pool> => {
  const invalid = E.left({ tag: 'InvalidPoolID', asked: text } as const)
  const parts = text.length > LONGEST_ID ? [] : text.split('/')
  if (parts.length !== 3 && parts.length !== 5) return invalid
  const space = parseSpace(parts[0] ?? '')
  if (E.isLeft(space)) return space
  const subnet = parseCidr(`${parts[1]}/${parts[2]}`)
  if (E.isLeft(subnet)) return invalid
  if (parts.length === 3) {
    const pool = poolOf(space.right, subnet.right, null)
    return pool.id === text ? E.right(pool) : invalid
  }
  const range = parseCidr(`${parts[3]}/${parts[4]}`)
  if (E.isLeft(range)) return invalid
  const pool = poolOf(space.right, subnet.right, range.right)
  return pool.id === text ? E.right(pool) : invalid
}

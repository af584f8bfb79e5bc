// Prefixes that a network may have: read strictly, canonical, and of addresses that hosts use.

import { type Cidr, cidr, isNetwork, overlaps, parseCidr } from '../net/cidr.ts'
import { E, type Either } from '../prelude.ts'
import type { PoolFault } from './error.ts'

/**
 * This network, loopback, multicast and what is kept above it (RFC 6890); of IPv6 also what maps or translates to IPv4
 * (::/8) and link-local (RFC 4291 section 2.4). IPv4 link-local is allowed: container agents have their networks there.
 */
const NOT_FOR_HOSTS = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', '::/8', 'fe80::/10', 'ff00::/8'].map(cidr)

export const isHostPrefix = (prefix: Cidr): boolean => !NOT_FOR_HOSTS.some((each) => overlaps(each, prefix))

/** What keeps a prefix from being a network's, or null. */
export const prefixFault = (prefix: Cidr): PoolFault | null =>
  isNetwork(prefix) ? (isHostPrefix(prefix) ? null : 'notUnicast') : 'hostBits'

const LONGEST = 50

/** Reads a prefix without judging it. */
export const parsePrefix = (text: string): Either<PoolFault, Cidr> => {
  const prefix = text.length > LONGEST ? E.left('') : parseCidr(text)
  return E.isLeft(prefix) ? E.left('syntax') : prefix
}

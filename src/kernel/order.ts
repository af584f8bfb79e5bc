// Which kinds come first. Creation walks up this table, deletion walks down: firewall before links, so that nothing can
// carry a packet before its rules are there; links before what sits on them; addresses before routes through them; forwarding
// when all else is there, but what new interfaces begin with before there are any.

import type { KernelObject, Kind, LinkSpec } from './object.ts'
import { isInherited } from './sysctl.ts'

const RANK: Readonly<Record<Kind, number>> = {
  netns: 0,
  'nft-table': 2,
  'nft-element': 3,
  link: 4,
  port: 5,
  address: 6,
  route: 7,
  sysctl: 8,
}
const INHERITED_RANK = 1

/** A small number; what comes first has the lowest. */
export const rankOf = (object: KernelObject): number =>
  object.kind === 'sysctl' && isInherited(object.name) ? INHERITED_RANK : RANK[object.kind]

/** What others are on comes before them: a bridge before its ports and before a VLAN on it, that before a macvlan on it. */
const LINK_RANK: Readonly<Record<LinkSpec['type'], number>> = {
  loopback: 0,
  dummy: 1,
  bridge: 1,
  vlan: 2,
  veth: 3,
  macvlan: 3,
  ipvlan: 3,
}

const within = (object: KernelObject): number => {
  if (object.kind === 'link') return LINK_RANK[object.spec.type]
  if (object.kind === 'route') return object.via === null ? 0 : 1
  return 0
}

/** Order of creation; stable for equals. Within routes: on-link ones first. */
export const compareRank = (a: KernelObject, b: KernelObject): number => rankOf(a) - rankOf(b) || within(a) - within(b)

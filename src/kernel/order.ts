// Which kinds come first. Creation walks up this table, deletion walks down: firewall before links, so that nothing can
// carry a packet before its rules are there; links before what sits on them; addresses before routes through them; forwarding
// when all else is there.

import type { KernelObject, Kind, LinkSpec } from './object.ts'

export const RANK: Readonly<Record<Kind, number>> = {
  netns: 0,
  'nft-table': 1,
  'nft-element': 2,
  link: 3,
  port: 4,
  address: 5,
  route: 6,
  sysctl: 7,
}

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
export const compareRank = (a: KernelObject, b: KernelObject): number =>
  RANK[a.kind] - RANK[b.kind] || within(a) - within(b)

// Defects of what hosts share: claims that are not made, compares that are left out, news that nobody waits for.

import { by } from './mutant.mjs'

const AGREE = by('cluster', '(P14)')

/** @type {ReadonlyArray<import('./mutant.mjs').Mutant>} */
export default [
  {
    name: 'address-not-claimed',
    bug: 'an endpoint does not claim its address, and two hosts give it at once',
    rows: [],
    property: 'P14',
    under: 'src/cluster/layout.ts',
    find: '...addresses.map(({ pool, cidr }) =>',
    replace: '...addresses.slice(0, 0).map(({ pool, cidr }) =>',
    by: AGREE,
  },
  {
    name: 'claims-not-compared',
    bug: 'an address is claimed without looking whether another has it',
    rows: [],
    property: 'P14',
    under: 'src/cluster/change.ts',
    find: '      absent.add(claim)\n',
    replace: '',
    by: AGREE,
  },
  {
    name: 'use-not-compared',
    bug: 'a network goes though something has come to it meanwhile',
    rows: [],
    property: 'P14',
    under: 'src/cluster/change.ts',
    find: 'draft.known.add(networkKey(was.id)).add(useKey(was.id))',
    replace: 'draft.known.add(networkKey(was.id))',
    by: AGREE,
  },
  {
    name: 'fence-not-compared',
    bug: 'a transaction that comes late follows what was read in its place',
    rows: [],
    property: 'P14',
    under: 'src/cluster/membership.ts',
    find: '      { key: fence, revision: fencedAt },\n      ...shared.absent',
    replace: '      ...shared.absent',
    by: AGREE,
  },
  {
    name: 'refused-unheard',
    bug: 'a command is refused for what others have changed, before that was heard',
    rows: [],
    property: 'P14',
    under: 'src/engine/turn.ts',
    find: 'const changesNothing = refused.length > 0 ||',
    replace: 'const changesNothing = refused.length > 1000 ||',
    by: AGREE,
  },
]

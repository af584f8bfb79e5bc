// Defects of the way to the wanted host: deletions done twice, rebuilt links without what was on them, wrong order, and
// strangers' things taken for ours.

import { by } from './mutant.mjs'

/** @type {ReadonlyArray<import('./mutant.mjs').Mutant>} */
export default [
  {
    name: 'forwarding-left-on',
    bug: 'sysctls are not set back, so the host goes on forwarding after the last network is gone',
    rows: ['m#12565', 'GHSA-232p-vwff-86mp'],
    property: 'P23',
    under: 'src/kernel/diff.ts',
    find: "=> !(object.kind === 'link' && object.spec.type === 'loopback')",
    replace: "=> object.kind !== 'sysctl' && !(object.kind === 'link' && object.spec.type === 'loopback')",
    by: by('teardown', '(P23)'),
  },
  {
    name: 'veth-deleted-twice',
    bug: 'the second end of a veth is thought to stay when the first is deleted',
    rows: ['m PR#53237'],
    property: 'P8',
    under: 'src/kernel/cascade.ts',
    find: '? [...own, ...onLink(state, peer)] : own',
    replace: '? own : own',
    by: by('sim', 'changes what is observed exactly as'),
  },
  {
    name: 'rebuilt-link-is-bare',
    bug: 'a link that is made anew does not get its addresses and routes back',
    rows: ['m#36069', 'm PR#49443'],
    property: 'P3',
    under: 'src/kernel/diff.ts',
    find: 'if (lost !== undefined) aim(key, lost)',
    replace: '',
    by: by('repair', 'that was made anew'),
  },
  {
    name: 'routes-before-addresses',
    bug: 'routes are set before the addresses that they need',
    rows: ['l#485'],
    property: 'P6',
    under: 'src/kernel/order.ts',
    find: 'address: 5,\n  route: 6,',
    replace: 'address: 6,\n  route: 5,',
    by: by('engine', 'gives back the same kernel state when an endpoint joins'),
  },
  {
    name: 'reload-forgets-elements',
    bug: 'the elements of a table that is made anew are thought to be there still',
    rows: ['l#2496', 'm PR#50443', 'm PR#49443'],
    property: 'P3',
    under: 'src/kernel/cascade.ts',
    find: 'keysUnder(look(), elementsIn(object.ns))',
    replace: "keysUnder(look(), 'nobody/')",
    by: by('sim', 'changes what is observed exactly as'),
  },
  {
    name: 'stranger-taken-for-ours',
    bug: 'a link of somebody else is taken for ours and changed',
    rows: ['6038ef390d', 'm#26341'],
    property: 'P7',
    under: 'src/kernel/owned.ts',
    find: 'alias?.startsWith(MARK) === true',
    replace: '(alias === null || alias.startsWith(MARK))',
    by: by('owned', 'touches nothing of others'),
  },
  {
    name: 'own-leftovers-kept',
    bug: 'what a crash left on the host is not known as ours and stays',
    rows: ['m#15151', 'l PR#1791'],
    property: 'P7',
    under: 'src/kernel/owned.ts',
    find: 'alias?.startsWith(MARK) === true',
    replace: 'alias === MARK',
    by: by('crash', 'power is lost'),
  },
]

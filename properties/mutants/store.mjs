// Defects of what is kept: fields that are forgotten, numbers that lose digits, transactions that do not compare.

import { by } from './mutant.mjs'

/** @type {ReadonlyArray<import('./mutant.mjs').Mutant>} */
export default [
  {
    name: 'field-forgotten',
    bug: 'that a network is internal is not stored',
    rows: ['m#42542', 'm#44925', 'm PR#48489'],
    property: 'P17',
    under: 'src/model/codec.ts',
    find: "tag: 'NetworkCreated', network }",
    replace: "tag: 'NetworkCreated', network: { ...network, internal: false } }",
    by: by('model', '(P17)'),
  },
  {
    name: 'ipv6-as-number',
    bug: 'an IPv6 address is read as a floating-point number',
    rows: ['m PR#45654', 'm PR#49520'],
    property: 'P17',
    under: 'src/model/codec.ts',
    find: 'return BigInt(number)',
    replace: 'return BigInt(Number(number))',
    by: by('model', '(P17)'),
  },
  {
    name: 'allocated-taken-for-asked',
    bug: 'after a restart the subnet that was allocated counts as asked for',
    rows: ['m PR#51134', 'm#33415'],
    property: 'P18',
    under: 'src/model/codec.ts',
    find: "tag: 'NetworkCreated', network }",
    replace:
      "tag: 'NetworkCreated', network: { ...network, asked: network.asked.map((spec, i) => ({ ...spec, subnet: network.pools[i]?.subnet ?? null })) } }",
    by: by('crash', 'answers as one that was never stopped'),
  },
  {
    name: 'compare-ignored',
    bug: 'a transaction happens although what it compared has changed',
    rows: ['c621624e2f'],
    property: 'P9',
    under: 'src/store/memory.ts',
    find: 'if (stale !== undefined) return',
    replace: 'if (stale !== undefined && compares.length > 9) return',
    by: by('store', 'on disk answers as the one in memory'),
  },
]

// The skeleton and its elements as nft(8) text.

import type { NftElement } from '../object.ts'
import type { Chain, Field, Match, Rule, SetSpec, Statement } from './rule.ts'
import { CHAINS, SETS, SKELETON_VERSION, TABLE } from './skeleton.ts'

/** The name of an empty chain, by which a version is recognised (`nft -j` 1.0 does not show a table's comment). */
export const versionChain = (version: number): string => `skeleton_${version}`

const concat = (fields: ReadonlyArray<Field>): string => fields.join(' . ')

const matchText = (match: Match): string => {
  switch (match.tag) {
    case 'in':
      return `${concat(match.fields)} @${match.set}`
    case 'network':
      return `${match.field} ${match.network.replace(/\/(32|128)$/, '')}`
    case 'family':
      return `meta nfproto ${match.family === 4 ? 'ipv4' : 'ipv6'}`
    case 'protocol':
      return `meta l4proto ${match.protocol}`
    case 'ct-state':
      return `ct state ${match.states.join(',')}`
    case 'ct-dnat':
      return 'ct status dnat'
    case 'fib-local':
      return `fib ${match.of} type local`
  }
}

const statementText = (statement: Statement): string => {
  switch (statement.tag) {
    case 'jump':
      return `jump ${statement.chain}`
    case 'dnat':
    case 'snat':
      return `${statement.tag} ${statement.family === 4 ? 'ip' : 'ip6'} to ${concat(statement.fields)} map @${statement.map}`
    case 'accept':
    case 'drop':
    case 'return':
    case 'masquerade':
      return statement.tag
  }
}

export const ruleText = (rule: Rule): string =>
  [...rule.matches.map(matchText), statementText(rule.statement), `comment "${rule.about}"`].join(' ')

const setText = (set: SetSpec): ReadonlyArray<string> => [
  `\t${set.value === null ? 'set' : 'map'} ${set.name} {`,
  `\t\ttype ${set.key.join(' . ')}${set.value === null ? '' : ` : ${set.value.join(' . ')}`}`,
  ...(set.interval ? ['\t\tflags interval'] : []),
  `\t\tcomment "${set.about}"`,
  '\t}',
]

const chainText = (chain: Chain): ReadonlyArray<string> => [
  `\tchain ${chain.name} {`,
  ...(chain.base === null
    ? []
    : [`\t\ttype ${chain.base.type} hook ${chain.base.hook} priority ${chain.base.priority}; policy accept;`]),
  ...chain.rules.map((rule) => `\t\t${ruleText(rule)}`),
  '\t}',
]

/** The whole table, as `nft -f` reads it. */
export const skeletonText = (): string =>
  [
    `table inet ${TABLE} {`,
    ...SETS.flatMap(setText),
    ...CHAINS.flatMap(chainText),
    `\tchain ${versionChain(SKELETON_VERSION)} {`,
    '\t}',
    '}',
  ].join('\n')

/** Interface names are quoted: nft would read some of them as keywords. */
const part = (spec: SetSpec | undefined, text: string, i: number): string =>
  spec?.key[i] === 'ifname' ? `"${text}"` : text

/** `{ "br0" . 172.18.0.0/16 }` or `{ tcp . 8080 : 172.18.0.2 . 80 }`. */
export const elementText = (element: NftElement): string => {
  const spec = SETS.find((set) => set.name === element.set)
  const key = element.key.map((text, i) => part(spec, text, i)).join(' . ')
  return element.value === null ? `{ ${key} }` : `{ ${key} : ${element.value.join(' . ')} }`
}

/** For deletion, nft wants a map's key alone. */
export const elementKeyText = (element: NftElement): string => elementText({ ...element, value: null })

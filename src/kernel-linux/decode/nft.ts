// `nft -j list table inet cnm`, as nft/listing.ts reads it: the skeleton's version by the name of its empty chain, and the elements of its sets and
// maps in the texts that firewall/elements.ts makes. Source of the shapes: libnftables-json(5).

import type { ElementType, SetSpec } from '../../kernel/firewall/rule.ts'
import { SETS } from '../../kernel/firewall/skeleton.ts'
import { versionChain } from '../../kernel/firewall/text.ts'
import type { NftElement, NftTable } from '../../kernel/object.ts'
import { parseCidr, showCidr } from '../../net/cidr.ts'
import { parseIp, showIp } from '../../net/ip.ts'
import type { Ns } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { fields, type Json, list, text, whole } from './json.ts'

/** The version of a table of our name that is not one of ours: it equals no skeleton, so it is replaced. */
const FOREIGN_SKELETON = 0

const addressText = (written: string): string => {
  const ip = parseIp(written)
  return E.isRight(ip) ? showIp(ip.right) : written
}

const partText = (type: ElementType | undefined, value: unknown): string | null => {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return type === 'ipv4_addr' || type === 'ipv6_addr' ? addressText(value) : value
  const prefix = fields(fields(value)['prefix'])
  const cidr = parseCidr(`${text(prefix['addr'])}/${whole(prefix['len'])}`)
  return E.isRight(cidr) ? showCidr(cidr.right) : null
}

const textsOf = (types: ReadonlyArray<ElementType>, value: unknown): ReadonlyArray<string> | null => {
  const concat = fields(value)['concat']
  const parts = Array.isArray(concat) ? concat : [value]
  const texts = parts.map((part, i) => partText(types[i], part)).filter((part) => part !== null)
  return texts.length === types.length ? texts : null
}

/** An entry of a set's `elem`, as the element it stands for; none if it is not of the set's shape. */
export const elementOf = (ns: Ns, spec: SetSpec, entry: unknown): ReadonlyArray<NftElement> => {
  const [key, value] = spec.value === null ? [entry, null] : list(entry)
  const keyTexts = textsOf(spec.key, key)
  const valueTexts = spec.value === null ? null : textsOf(spec.value, value)
  if (keyTexts === null || (spec.value !== null && valueTexts === null)) return []
  return [{ kind: 'nft-element', ns, set: spec.name, key: keyTexts, value: valueTexts }]
}

const versionOf = (chains: ReadonlyArray<string>): number => {
  const versions = chains.map((name) => Number(/^skeleton_(\d+)$/.exec(name)?.[1]))
  return versions.find((version, i) => versionChain(version) === chains[i]) ?? FOREIGN_SKELETON
}

const objectsOf = (json: unknown): ReadonlyArray<Json> => list(fields(json)['nftables']).map(fields)

/** The table itself; null: there is none. */
export const tableOf = (ns: Ns, json: unknown): NftTable | null => {
  const objects = objectsOf(json)
  if (!objects.some((object) => object['table'] !== undefined)) return null
  const chains = objects.map((object) => text(fields(object['chain'])['name'])).filter((name) => name !== null)
  return { kind: 'nft-table', ns, skeleton: versionOf(chains) }
}

/** The sets and maps of the skeleton that are there, each with its `elem`. */
export const setsOf = (json: unknown): ReadonlyArray<Readonly<{ spec: SetSpec; elem: ReadonlyArray<unknown> }>> =>
  objectsOf(json).flatMap((object) => {
    const set = fields(object['set'] ?? object['map'])
    const spec = SETS.find((one) => one.name === set['name'])
    return spec === undefined ? [] : [{ spec, elem: list(set['elem']) }]
  })

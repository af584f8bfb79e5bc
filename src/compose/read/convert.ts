// From the parser's nodes to our tree: anchors, aliases and merge keys (https://yaml.org/type/merge.html) resolved,
// duplicate keys refused. Aliases share what they stand for, and how much that is when written out has a limit.

import { isAlias, isMap, isScalar, isSeq, type Node, type Scalar as YamlScalar } from 'yaml'
import { E, type Either } from '../../prelude.ts'
import type { At } from '../at.ts'
import type { ComposeError } from '../error.ts'
import { type Directive, type Entry, isNull, type Mapping, type Tree } from '../tree.ts'

/** Values that aliases may add to one document. */
export const MOST_ALIASED = 100_000

type Measured = Readonly<{ tree: Tree; size: number }>

type Reading = {
  readonly place: (offset: number) => At
  readonly anchors: Map<string, Measured>
  readonly errors: ComposeError[]
  aliased: number
}

const directiveOf = (node: Node): Directive | null =>
  node.tag === '!reset' ? 'reset' : node.tag === '!override' ? 'override' : null

const startOfNode = (node: Node): number => node.range?.[0] ?? 0

const nothing = (at: At): Measured => ({
  tree: { tag: 'scalar', value: null, source: '', at, directive: null },
  size: 1,
})

const scalarValue = (node: YamlScalar): string | number | boolean | null => {
  const value = node.value
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}

const ofScalar = (node: YamlScalar, at: At): Measured => {
  const value = scalarValue(node)
  const source = typeof value === 'string' ? value : (node.source ?? '')
  return { tree: { tag: 'scalar', value, source, at, directive: directiveOf(node) }, size: 1 }
}

const ofAlias = (reading: Reading, name: string, at: At): Measured => {
  const found = reading.anchors.get(name)
  if (found === undefined) {
    reading.errors.push({ tag: 'Yaml', reason: `the alias *${name} has no anchor &${name} before it`, at })
    return nothing(at)
  }
  reading.aliased += found.size
  if (reading.aliased <= MOST_ALIASED) return found
  if (reading.aliased - found.size <= MOST_ALIASED)
    reading.errors.push({
      tag: 'TooComplex',
      reason: `the aliases of this file stand for more than ${MOST_ALIASED} values`,
      at,
    })
  return nothing(at)
}

/** The text of a key, or null if it is a list or a mapping. */
const keyOf = (key: unknown): string | null => {
  if (!isScalar(key)) return null
  return typeof key.value === 'string' ? key.value : (key.source ?? '')
}

/** What `<<` brings in: a mapping, or several of which the first to have a key wins. */
const merged = (reading: Reading, value: Tree, at: At): ReadonlyArray<readonly [string, Entry]> => {
  const sources = (value.tag === 'sequence' ? value.items : [value]).filter((source) => !isNull(source))
  const mappings = sources.filter((source): source is Mapping => source.tag === 'mapping')
  if (mappings.length !== sources.length)
    reading.errors.push({ tag: 'Yaml', reason: 'the merge key "<<" needs a mapping, or a list of mappings', at })
  return mappings.flatMap((mapping) => [...mapping.entries])
}

type Pairs = ReadonlyArray<Readonly<{ key: unknown; value: unknown }>>

const ofPairs = (reading: Reading, pairs: Pairs, at: At, directive: Directive | null): Measured => {
  const entries = new Map<string, Entry>()
  const inherited: (readonly [string, Entry])[] = []
  let size = 1
  for (const pair of pairs) {
    const key = keyOf(pair.key)
    // The parser makes keys and values nodes; a missing value is null.
    const keyNode = pair.key as Node | null
    const keyAt = keyNode?.range ? reading.place(keyNode.range[0]) : at
    if (key === null) {
      const reason = 'a key must be a text, not a list, a mapping or an alias'
      reading.errors.push({ tag: 'Yaml', reason, at: keyAt })
      continue
    }
    const { tree: value, size: more } = ofNode(reading, pair.value as Node | null, keyAt)
    size += more
    if (key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN') {
      inherited.push(...merged(reading, value, keyAt))
      continue
    }
    const first = entries.get(key)
    if (first !== undefined) reading.errors.push({ tag: 'DuplicateKey', key, first: first.keyAt, at: keyAt })
    else entries.set(key, { keyAt, value })
  }
  for (const [key, entry] of inherited) if (!entries.has(key)) entries.set(key, entry)
  return { tree: { tag: 'mapping', entries, at, directive }, size }
}

const ofNode = (reading: Reading, node: Node | null | undefined, keyAt: At): Measured => {
  if (node === null || node === undefined) return nothing(keyAt)
  const empty = node.range !== null && node.range !== undefined && node.range[0] === node.range[1]
  const at = empty ? keyAt : reading.place(startOfNode(node))
  if (isAlias(node)) return ofAlias(reading, node.source, at)
  const measured = isMap(node)
    ? ofPairs(reading, node.items, at, directiveOf(node))
    : isSeq(node)
      ? ofItems(reading, node.items, at, directiveOf(node))
      : isScalar(node)
        ? ofScalar(node, at)
        : nothing(at)
  if ('anchor' in node && typeof node.anchor === 'string') reading.anchors.set(node.anchor, measured)
  return measured
}

const ofItems = (reading: Reading, nodes: ReadonlyArray<unknown>, at: At, directive: Directive | null): Measured => {
  // The parser makes items nodes; `- ` alone is an empty scalar.
  const items = nodes.map((node) => ofNode(reading, node as Node | null, at))
  const size = items.reduce((sum, item) => sum + item.size, 1)
  return { tree: { tag: 'sequence', items: items.map((item) => item.tree), at, directive }, size }
}

/** Left: every mistake found. Right: null for a document without content. */
export const convert = (
  contents: Node | null,
  place: (offset: number) => At,
): Either<ReadonlyArray<ComposeError>, Tree | null> => {
  const reading: Reading = { place, anchors: new Map(), errors: [], aliased: 0 }
  const { tree } = ofNode(reading, contents, place(0))
  if (reading.errors.length > 0) return E.left(reading.errors)
  return E.right(tree.tag === 'scalar' && tree.value === null ? null : tree)
}

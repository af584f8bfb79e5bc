// How two trees become one (Compose Specification, "Merge and override"): mappings merge, sequences append, scalars are
// replaced; `!reset` takes away, `!override` replaces. A service's list of networks counts as a mapping, labels and sysctls likewise;
// `ipam.config` is keyed by its subnet. Ports are appended here and lose their duplicates once they are read.

import {
  child,
  type Directive,
  type Entry,
  isNull,
  type Mapping,
  type Path,
  type Scalar,
  type Tree,
  textOf,
} from '../tree.ts'

const empty = (item: Tree): Scalar => ({ tag: 'scalar', value: null, source: '', at: item.at, directive: null })

const mappingOf = (sequence: Extract<Tree, { tag: 'sequence' }>, entry: (text: string, item: Tree) => [string, Tree]) =>
  ({
    tag: 'mapping',
    at: sequence.at,
    directive: sequence.directive,
    entries: new Map(
      sequence.items.map((item): [string, Entry] => {
        const [key, value] = entry(textOf(item) ?? '', item)
        return [key, { keyAt: item.at, value }]
      }),
    ),
  }) satisfies Mapping

/** `KEY=VALUE`; without a `=` the value is empty. */
const pair = (text: string, item: Tree): [string, Tree] => {
  const [key = '', ...rest] = text.split('=')
  const value = rest.join('=')
  return [key, { tag: 'scalar', value, source: value, at: item.at, directive: null }]
}

/** Two spellings of one thing: lists that stand for mappings become them. */
const canonical = (tree: Tree, [top, , key, ...rest]: Path): Tree => {
  if (tree.tag !== 'sequence' || rest.length > 0) return tree
  if (top === 'services' && key === 'networks') return mappingOf(tree, (text, item) => [text, empty(item)])
  if ((top === 'networks' && key === 'labels') || (top === 'services' && key === 'sysctls'))
    return mappingOf(tree, pair)
  return tree
}

const mergeMappings = (base: Mapping, over: Mapping, path: Path): Mapping => {
  const entries = new Map(base.entries)
  for (const [key, { keyAt, value }] of over.entries) {
    const before = entries.get(key)
    const next = [...path, key]
    entries.set(
      key,
      before === undefined ? { keyAt, value } : { keyAt: before.keyAt, value: mergeTrees(before.value, value, next) },
    )
  }
  return { ...base, at: over.at, entries }
}

/** Pools of the same subnet are one. */
const mergePools = (base: ReadonlyArray<Tree>, over: ReadonlyArray<Tree>, path: Path): ReadonlyArray<Tree> => {
  const subnet = (pool: Tree): string | undefined => textOf(child(pool, 'subnet'))
  const pools = [...base]
  for (const pool of over) {
    const i = pools.findIndex((known) => subnet(known) !== undefined && subnet(known) === subnet(pool))
    const known = pools[i]
    if (known === undefined) pools.push(pool)
    else pools[i] = mergeTrees(known, pool, [...path, String(i)])
  }
  return pools
}

const isPools = (path: Path): boolean => path.length === 4 && path[0] === 'networks' && path[3] === 'config'

/** What is reset and then set again, or replaced and then merged into, still replaces what came before. */
const carried = (base: Tree): Directive | null => (base.directive === null ? null : 'override')

/**
 * `later` overrides `earlier`. Directives stay marked, so that what a service resets in its base (`extends`) is reset in
 * the files before as well; `settle` ends them.
 */
export const mergeTrees = (earlier: Tree, later: Tree, path: Path): Tree => {
  if (later.directive !== null) return later
  if (earlier.directive === 'reset') return { ...later, directive: 'override' }
  if (isNull(later)) return earlier
  const base = canonical(earlier, path)
  const over = canonical(later, path)
  if (base.tag === 'mapping' && over.tag === 'mapping')
    return { ...mergeMappings(base, over, path), directive: carried(base) }
  if (base.tag === 'sequence' && over.tag === 'sequence') {
    const items = isPools(path) ? mergePools(base.items, over.items, path) : [...base.items, ...over.items]
    return { ...over, items, directive: carried(base) }
  }
  return { ...over, directive: carried(base) }
}

/** The tree as it is meant in the end: without directives, and without what is reset. */
export const settle = (tree: Tree, path: Path = []): Tree => {
  const shaped = canonical(tree, path)
  switch (shaped.tag) {
    case 'scalar':
      return shaped
    case 'sequence': {
      const items = shaped.items.filter((item) => item.directive !== 'reset')
      return { ...shaped, directive: null, items: items.map((item, i) => settle(item, [...path, String(i)])) }
    }
    case 'mapping': {
      const kept = [...shaped.entries].filter(([, { value }]) => value.directive !== 'reset')
      const entries = kept.map(([key, { keyAt, value }]): [string, Entry] => [
        key,
        { keyAt, value: settle(value, [...path, key]) },
      ])
      return { ...shaped, directive: null, entries: new Map(entries) }
    }
  }
}

// A YAML document as plain data with places: what every stage from reading to normalising works on. Anchors, aliases and
// merge keys are resolved; keys are text; a value without text stands where its key stands.

import type { At } from './at.ts'

/** The tags `!reset` (take away what earlier files said) and `!override` (replace it instead of merging). */
export type Directive = 'reset' | 'override'

type Common = Readonly<{ at: At; directive: Directive | null }>

export type Scalar = Common &
  Readonly<{ tag: 'scalar'; value: string | number | boolean | null /** As written, unquoted. */; source: string }>
export type Sequence = Common & Readonly<{ tag: 'sequence'; items: ReadonlyArray<Tree> }>
export type Mapping = Common & Readonly<{ tag: 'mapping'; entries: ReadonlyMap<string, Entry> }>
export type Tree = Scalar | Sequence | Mapping

export type Entry = Readonly<{ keyAt: At; value: Tree }>

/** Keys and indices from the root. */
export type Path = ReadonlyArray<string>

export const child = (tree: Tree | undefined, key: string): Tree | undefined =>
  tree?.tag === 'mapping' ? tree.entries.get(key)?.value : undefined

/** The key with its place and value, in the order of the file; nothing if this is no mapping. */
export const entriesOf = (tree: Tree | undefined): ReadonlyArray<readonly [string, Entry]> =>
  tree?.tag === 'mapping' ? [...tree.entries] : []

export const itemsOf = (tree: Tree | undefined): ReadonlyArray<Tree> => (tree?.tag === 'sequence' ? tree.items : [])

/** The text of a scalar (numbers and booleans as written); undefined for null and for collections. */
export const textOf = (tree: Tree | undefined): string | undefined =>
  tree?.tag !== 'scalar' || tree.value === null ? undefined : typeof tree.value === 'string' ? tree.value : tree.source

export const isNull = (tree: Tree): boolean => tree.tag === 'scalar' && tree.value === null

/** Rebuilds a tree with its scalars changed; subtrees without change are kept. */
export const mapScalars = (tree: Tree, f: (scalar: Scalar, path: Path) => Scalar, path: Path = []): Tree => {
  switch (tree.tag) {
    case 'scalar':
      return f(tree, path)
    case 'sequence': {
      const items = tree.items.map((item, i) => mapScalars(item, f, [...path, String(i)]))
      return items.every((item, i) => item === tree.items[i]) ? tree : { ...tree, items }
    }
    case 'mapping': {
      const entries = new Map<string, Entry>()
      let changed = false
      for (const [key, entry] of tree.entries) {
        const value = mapScalars(entry.value, f, [...path, key])
        changed ||= value !== entry.value
        entries.set(key, value === entry.value ? entry : { ...entry, value })
      }
      return changed ? { ...tree, entries } : tree
    }
  }
}

/** As JSON, for the schema validator: what `!reset` takes away is left out. */
export const jsonOf = (tree: Tree): unknown => {
  switch (tree.tag) {
    case 'scalar':
      return tree.value
    case 'sequence':
      return tree.items.map(jsonOf)
    case 'mapping':
      return Object.fromEntries(
        [...tree.entries]
          .filter(([, entry]) => entry.value.directive !== 'reset')
          .map(([key, entry]) => [key, jsonOf(entry.value)]),
      )
  }
}

/** `services.web.ports[0]`. */
export const showPath = (path: Path): string =>
  path.reduce(
    (shown, step) => (/^\d+$/.test(step) ? `${shown}[${step}]` : shown === '' ? step : `${shown}.${step}`),
    '',
  )

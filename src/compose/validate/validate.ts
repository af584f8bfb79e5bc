// The third stage: one document against the schema, each mistake brought back to its line and column. Keys that the
// schema does not know are refused where it lists all of them; at the top and in services only if they look mistyped.

import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { At } from '../at.ts'
import type { ComposeError } from '../error.ts'
import { OTHER_SERVICE_KEYS, OTHER_TOP_KEYS, SERVICE_KEYS, TOP_KEYS } from '../keys.ts'
import type { Report } from '../report.ts'
import { nearest } from '../suggest.ts'
import { child, entriesOf, itemsOf, jsonOf, type Mapping, type Path, showPath, type Tree } from '../tree.ts'
import { schema } from './schema.ts'

let compiled: ValidateFunction | null = null
/** Compiled once, when first needed: it takes some milliseconds that `cnm --help` should not pay. */
const validator = (): ValidateFunction => {
  compiled ??= new Ajv({ allErrors: true, verbose: true, strict: false }).compile(schema)
  return compiled
}

const MOST = 100

const pathOf = (pointer: string): Path =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))

const step = (tree: Tree | undefined, key: string): Tree | undefined =>
  tree?.tag === 'sequence' ? tree.items[Number(key)] : child(tree, key)

const treeAt = (root: Tree, path: Path): Tree => path.reduce<Tree>((tree, key) => step(tree, key) ?? tree, root)

const keyAt = (root: Tree, path: Path, key: string): At => {
  const tree = treeAt(root, path)
  return (tree.tag === 'mapping' ? tree.entries.get(key)?.keyAt : undefined) ?? tree.at
}

const describe = (value: unknown): string => {
  if (value === null || value === undefined) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value !== 'string') return String(value)
  return `"${value.length > 40 ? `${value.slice(0, 37)}...` : value}"`
}

const what = (path: Path): string => (path.length === 0 ? 'the file' : showPath(path))

/** Ajv leaves `params`, `parentSchema` and `data` untyped; their shapes are its documented ones for our schema. */
const errorOf = (root: Mapping, error: ErrorObject): ComposeError | null => {
  const path = pathOf(error.instancePath)
  const parent = error.parentSchema as Readonly<{ description?: string; properties?: object }> | undefined
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params['additionalProperty'])
      const known = Object.keys(parent?.properties ?? {})
      const at = keyAt(root, path, key)
      return { tag: 'UnknownKey', path: what(path), key, suggestion: nearest(key, known), known, at }
    }
    case 'required': {
      const key = String(error.params['missingProperty'])
      return { tag: 'MissingKey', path: what(path), key, at: treeAt(root, path).at }
    }
    case 'propertyNames': {
      const key = String(error.params['propertyName'])
      const reason = `"${key}" is not a name: letters, digits, ".", "_" and "-"`
      return { tag: 'BadValue', path: what(path), reason, at: keyAt(root, path, key) }
    }
    case 'uniqueItems': {
      const items = itemsOf(treeAt(root, path))
      const [i, j] = [Number(error.params['i']), Number(error.params['j'])].toSorted((a, b) => a - b)
      const [first, second] = [items[i ?? 0], items[j ?? 0]]
      if (first === undefined || second === undefined) return null
      const name = second.tag === 'scalar' ? second.source : ''
      return { tag: 'NameTwice', what: `item of ${what(path)}`, name, first: first.at, at: second.at }
    }
    default: {
      // A name that breaks the pattern is told by `propertyNames`.
      if (error.propertyName !== undefined) return null
      const found = describe(error.data)
      const expected = parent?.description ?? 'something else'
      return { tag: 'WrongType', path: what(path), expected, found, at: treeAt(root, path).at }
    }
  }
}

const mistyped = (path: Path, tree: Tree | undefined, ours: ReadonlySet<string>, others: ReadonlySet<string>) =>
  entriesOf(tree).flatMap(([key, entry]): ReadonlyArray<ComposeError> => {
    if (ours.has(key) || others.has(key) || (key.startsWith('x-') && !key.startsWith('x-c'))) return []
    const suggestion = nearest(key, [...ours, ...others])
    return suggestion === null || !ours.has(suggestion)
      ? []
      : [{ tag: 'UnknownKey', path: what(path), key, suggestion, known: [...ours], at: entry.keyAt }]
  })

export const validate = (document: Mapping, report: Report): void => {
  const check = validator()
  if (!check(jsonOf(document)))
    for (const error of (check.errors ?? []).slice(0, MOST)) {
      const told = errorOf(document, error)
      if (told !== null) report.errors.push(told)
    }
  report.errors.push(...mistyped([], document, TOP_KEYS, OTHER_TOP_KEYS))
  for (const [name, entry] of entriesOf(child(document, 'services')))
    report.errors.push(...mistyped(['services', name], entry.value, SERVICE_KEYS, OTHER_SERVICE_KEYS))
  const include = document.entries.get('include')
  if (include !== undefined && itemsOf(include.value).length > 0)
    report.errors.push({
      tag: 'NotSupported',
      what: '"include"',
      instead: 'give the files one after the other',
      at: include.keyAt,
    })
}

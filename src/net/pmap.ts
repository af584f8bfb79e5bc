// A small ordered persistent map from strings. Old versions stay valid and share memory with new ones.
//
// Structure: a treap whose priorities are a hash of the key, so its shape depends only on its contents: equal maps have
// equal trees, iteration is in key order, and comparing two versions skips the subtrees they share.
// Costs: get, set, remove O(log n) expected; `changes` O(changed keys * log n); iteration O(n).

type Node<V> = Readonly<{
  key: string
  rank: number
  value: V
  left: Node<V> | null
  right: Node<V> | null
  size: number
}>

/** A persistent map; make one with `emptyMap` or `mapOf`. */
export type PMap<V> = Readonly<{ root: Node<V> | null }>

const EMPTY: PMap<never> = { root: null }
export const emptyMap = <V>(): PMap<V> => EMPTY

/** FNV-1a with a final mix (murmur3's), so that keys with a common prefix spread. */
const rankOf = (key: string): number => {
  let h = 0x811c9dc5
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193)
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Ties of rank are broken by key, so the shape stays unique. */
const above = <V>(a: Node<V>, b: Node<V>): boolean => a.rank > b.rank || (a.rank === b.rank && a.key < b.key)

const node = <V>(n: Node<V>, left: Node<V> | null, right: Node<V> | null): Node<V> => ({
  key: n.key,
  rank: n.rank,
  value: n.value,
  left,
  right,
  size: 1 + (left?.size ?? 0) + (right?.size ?? 0),
})

/** The tree with this entry; the same tree if it holds exactly this value already. */
const insert = <V>(at: Node<V> | null, key: string, rank: number, value: V): Node<V> => {
  if (at === null) return { key, rank, value, left: null, right: null, size: 1 }
  if (key < at.key) {
    const left = insert(at.left, key, rank, value)
    if (left === at.left) return at
    return above(left, at) ? node(left, left.left, node(at, left.right, at.right)) : node(at, left, at.right)
  }
  if (key === at.key)
    return value === at.value ? at : { key, rank, value, left: at.left, right: at.right, size: at.size }
  const right = insert(at.right, key, rank, value)
  if (right === at.right) return at
  return above(right, at) ? node(right, node(at, at.left, right.left), right.right) : node(at, at.left, right)
}

const merge = <V>(a: Node<V> | null, b: Node<V> | null): Node<V> | null => {
  if (a === null) return b
  if (b === null) return a
  return above(a, b) ? node(a, a.left, merge(a.right, b)) : node(b, merge(a, b.left), b.right)
}

const erase = <V>(at: Node<V> | null, key: string): Node<V> | null => {
  if (at === null) return null
  if (key < at.key) {
    const left = erase(at.left, key)
    return left === at.left ? at : node(at, left, at.right)
  }
  if (key === at.key) return merge(at.left, at.right)
  const right = erase(at.right, key)
  return right === at.right ? at : node(at, at.left, right)
}

export const getIn = <V>(map: PMap<V>, key: string): V | undefined => {
  let at = map.root
  while (at !== null) {
    if (key < at.key) at = at.left
    else if (key === at.key) return at.value
    else at = at.right
  }
  return undefined
}

export const hasIn = <V>(map: PMap<V>, key: string): boolean => {
  let at = map.root
  while (at !== null) {
    if (key < at.key) at = at.left
    else if (key === at.key) return true
    else at = at.right
  }
  return false
}

/** The map with this entry; the same map if it holds exactly this value already. */
export const setIn = <V>(map: PMap<V>, key: string, value: V): PMap<V> => {
  const root = insert(map.root, key, rankOf(key), value)
  return root === map.root ? map : { root }
}

/** The map without this key; the same map if it was not there. */
export const removeIn = <V>(map: PMap<V>, key: string): PMap<V> => {
  const root = erase(map.root, key)
  return root === map.root ? map : { root }
}

export const sizeOfMap = <V>(map: PMap<V>): number => map.root?.size ?? 0

function* walk<V>(at: Node<V> | null, from: string): Generator<readonly [string, V]> {
  if (at === null) return
  if (at.key >= from) {
    yield* walk(at.left, from)
    yield [at.key, at.value]
  }
  yield* walk(at.right, from)
}

/** Entries in key order, starting at the first key >= `from`. */
export const entriesOf = <V>(map: PMap<V>, from = ''): Generator<readonly [string, V]> => walk(map.root, from)

/** Entries whose key begins with `prefix`, in key order. Costs what it returns, and O(log n). */
export const entriesUnder = <V>(map: PMap<V>, prefix: string): ReadonlyArray<readonly [string, V]> => {
  const entries: Array<readonly [string, V]> = []
  const visit = (at: Node<V> | null): void => {
    if (at === null) return
    if (at.key.startsWith(prefix)) {
      visit(at.left)
      entries.push([at.key, at.value])
      visit(at.right)
    } else visit(at.key < prefix ? at.right : at.left)
  }
  visit(map.root)
  return entries
}

/** Values in key order. */
export const valuesOf = <V>(map: PMap<V>): ReadonlyArray<V> => {
  const values: V[] = []
  const visit = (at: Node<V> | null): void => {
    if (at === null) return
    visit(at.left)
    values.push(at.value)
    visit(at.right)
  }
  visit(map.root)
  return values
}

export const mapOf = <V>(entries: Iterable<readonly [string, V]>): PMap<V> => {
  let map: PMap<V> = emptyMap()
  for (const [key, value] of entries) map = setIn(map, key, value)
  return map
}

/** One key whose value differs by reference between two versions; `undefined` means absent. */
export type Change<V> = Readonly<{ key: string; before: V | undefined; after: V | undefined }>

/** Splits a tree at `key`: what is below, the value there, what is above. */
const split = <V>(at: Node<V> | null, key: string): readonly [Node<V> | null, Node<V> | null, Node<V> | null] => {
  if (at === null) return [null, null, null]
  if (key === at.key) return [at.left, at, at.right]
  if (key < at.key) {
    const [low, found, high] = split(at.left, key)
    return [low, found, node(at, high, at.right)]
  }
  const [low, found, high] = split(at.right, key)
  return [node(at, at.left, low), found, high]
}

/** The keys whose values differ by reference, in key order. Shared subtrees are skipped, so a small change is cheap. */
export const changesBetween = <V>(before: PMap<V>, after: PMap<V>): ReadonlyArray<Change<V>> => {
  const changes: Change<V>[] = []
  const visit = (a: Node<V> | null, b: Node<V> | null): void => {
    if (a === b) return
    if (a === null || (b !== null && above(b, a))) {
      if (b === null) return
      const [low, found, high] = split(a, b.key)
      visit(low, b.left)
      if (found?.value !== b.value || found === null) changes.push({ key: b.key, before: found?.value, after: b.value })
      visit(high, b.right)
      return
    }
    const [low, found, high] = split(b, a.key)
    visit(a.left, low)
    if (found?.value !== a.value || found === null) changes.push({ key: a.key, before: a.value, after: found?.value })
    visit(a.right, high)
  }
  visit(before.root, after.root)
  return changes
}

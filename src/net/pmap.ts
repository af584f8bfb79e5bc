// A small ordered persistent map from strings. Old versions stay valid and share memory with new ones.
//
// Structure: a treap whose priorities are a hash of the key, so its shape depends only on its contents: equal maps have
// equal trees, iteration is in key order, and comparing two versions skips the subtrees they share.
// Costs: get, set, remove O(log n) expected, O(n) for keys chosen against it; `changes` O(changed keys * log n); iteration O(n).

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

// Everything below goes by loops and not by recursion: whoever chooses the keys can, with some work, choose them so that
// the tree is deep, and a deep tree is slow but must not exhaust the stack.

/** The nodes from the root to where a key is or would be, and at each whether the way goes left. */
type Way<V> = Readonly<{ nodes: Node<V>[]; left: boolean[]; end: Node<V> | null }>

const wayTo = <V>(root: Node<V> | null, key: string): Way<V> => {
  const nodes: Node<V>[] = []
  const left: boolean[] = []
  let at = root
  while (at !== null) {
    const less = key < at.key
    if (!less && key === at.key) break
    nodes.push(at)
    left.push(less)
    at = less ? at.left : at.right
  }
  return { nodes, left, end: at }
}

/** The tree with this entry; the same tree if it holds exactly this value already. */
const insert = <V>(root: Node<V> | null, key: string, value: V): Node<V> => {
  const { nodes, left, end } = wayTo(root, key)
  if (end !== null && end.value === value && root !== null) return root
  let made: Node<V> =
    end === null
      ? { key, rank: rankOf(key), value, left: null, right: null, size: 1 }
      : { key, rank: end.rank, value, left: end.left, right: end.right, size: end.size }
  for (let i = nodes.length - 1; i >= 0; i--) {
    const at = nodes[i]
    if (at === undefined) break
    const rises = end === null && above(made, at)
    if (left[i] === true)
      made = rises ? node(made, made.left, node(at, made.right, at.right)) : node(at, made, at.right)
    else made = rises ? node(made, node(at, at.left, made.left), made.right) : node(at, at.left, made)
  }
  return made
}

/** One tree of two, where every key of `a` is below every key of `b`. */
const merge = <V>(a: Node<V> | null, b: Node<V> | null): Node<V> | null => {
  const spine: Node<V>[] = []
  const fromA: boolean[] = []
  let [low, high] = [a, b]
  while (low !== null && high !== null) {
    const upper = above(low, high)
    spine.push(upper ? low : high)
    fromA.push(upper)
    if (upper) low = low.right
    else high = high.left
  }
  let made = low ?? high
  for (let i = spine.length - 1; i >= 0; i--) {
    const at = spine[i]
    if (at === undefined) break
    made = fromA[i] === true ? node(at, at.left, made) : node(at, made, at.right)
  }
  return made
}

const erase = <V>(root: Node<V> | null, key: string): Node<V> | null => {
  const { nodes, left, end } = wayTo(root, key)
  if (end === null) return root
  let made = merge(end.left, end.right)
  for (let i = nodes.length - 1; i >= 0; i--) {
    const at = nodes[i]
    if (at === undefined) break
    made = left[i] === true ? node(at, made, at.right) : node(at, at.left, made)
  }
  return made
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
  const root = insert(map.root, key, value)
  return root === map.root ? map : { root }
}

/** The map without this key; the same map if it was not there. */
export const removeIn = <V>(map: PMap<V>, key: string): PMap<V> => {
  const root = erase(map.root, key)
  return root === map.root ? map : { root }
}

export const sizeOfMap = <V>(map: PMap<V>): number => map.root?.size ?? 0

/** The nodes in key order, from the first key >= `from`. */
function* inOrder<V>(root: Node<V> | null, from: string): Generator<Node<V>> {
  const waiting: Node<V>[] = []
  let at = root
  for (;;) {
    while (at !== null) {
      if (at.key >= from) waiting.push(at)
      at = at.key >= from ? at.left : at.right
    }
    const next = waiting.pop()
    if (next === undefined) return
    yield next
    at = next.right
  }
}

/** Entries in key order, starting at the first key >= `from`; whoever stops early pays for what was taken. */
export function* entriesOf<V>(map: PMap<V>, from = ''): Generator<readonly [string, V]> {
  for (const { key, value } of inOrder(map.root, from)) yield [key, value]
}

/** Entries whose key begins with `prefix`, in key order. Costs what it returns, and O(log n). */
export const entriesUnder = <V>(map: PMap<V>, prefix: string): ReadonlyArray<readonly [string, V]> => {
  const entries: Array<readonly [string, V]> = []
  for (const { key, value } of inOrder(map.root, prefix)) {
    if (!key.startsWith(prefix)) break
    entries.push([key, value])
  }
  return entries
}

/** Values in key order. */
export const valuesOf = <V>(map: PMap<V>): ReadonlyArray<V> => {
  const values: V[] = []
  for (const { value } of inOrder(map.root, '')) values.push(value)
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

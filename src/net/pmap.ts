// A small ordered persistent map from strings. Old versions stay valid and share memory with new ones.
//
// Structure: a Patricia trie (Morrison 1968) over UTF-16 code units. A branch stands at the first unit by which the keys below
// it differ, and has one kid for each unit found there, so its shape depends only on its contents: equal maps have equal
// trees, iteration is in key order, what begins with a prefix is one subtree, and comparing two versions skips what they share.
// Costs: with keys of k units, of which d tell it from others (3 to 6 for names and ids): get O(k), set and remove O(k + d)
// and d small arrays; what is under a prefix O(its size); `changesBetween` O(changed keys * d).

type Leaf<V> = Readonly<{ at: typeof LEAF; key: string; value: V }>
/**
 * `units` ascend, one for each of the `kids`, two or more. Every key below agrees with the others before `at`. A branch that
 * was made in an edit which is not over yet is nobody else's, and may still change.
 */
type Branch<V> = Readonly<{
  at: number
  units: ReadonlyArray<number>
  kids: ReadonlyArray<Node<V>>
  size: number
  edit: Edit | null
}>
/** The branches that a draft has made so far. */
type Edit = Branch<unknown>[]
type Node<V> = Leaf<V> | Branch<V>

/** A persistent map; make one with `emptyMap` or `mapOf`. */
export type PMap<V> = Readonly<{ root: Node<V> | null }>

const EMPTY: PMap<never> = { root: null }
export const emptyMap = <V>(): PMap<V> => EMPTY

const LEAF = -1
/** The unit of a key at the place where it has ended: before every other. */
const END = -1
const unitAt = (key: string, at: number): number => (at < key.length ? key.charCodeAt(at) : END)

const isLeaf = <V>(node: Node<V>): node is Leaf<V> => node.at === LEAF
const sizeOf = <V>(node: Node<V>): number => (isLeaf(node) ? 1 : node.size)

/** Where a unit is among those of a branch; where it would be, as `-1 - place`, if it is not. */
const placeOf = (units: ReadonlyArray<number>, unit: number): number => {
  let low = 0
  let high = units.length
  while (low < high) {
    const middle = (low + high) >>> 1
    // Cast: middle < length.
    if ((units[middle] as number) < unit) low = middle + 1
    else high = middle
  }
  return units[low] === unit ? low : -1 - low
}

// A branch has at least one kid at each place up to its last: what these casts say.
const kidAt = <V>({ kids }: Branch<V>, place: number): Node<V> => kids[place] as Node<V>

/** The first leaf below a node. */
const leafBelow = <V>(node: Node<V>): Leaf<V> => {
  let at = node
  while (!isLeaf(at)) at = kidAt(at, 0)
  return at
}

// The way of the key that was looked for last: the branches from the root, and the place that it took at each. Kept here
// and not made for each call, for most of what a call makes would be this. Nobody reads it but the call that walked it. And
// loops, not recursion: a tree is as deep as keys are long that begin alike, and that is for others to choose.
const passed: Branch<unknown>[] = []
const taken: number[] = []
let steps = 0

/** Walks a key's way to its leaf. Where there is no kid for it, the way goes on by the first. */
const walk = <V>(root: Node<V>, key: string): Leaf<V> => {
  steps = 0
  let node = root
  while (!isLeaf(node)) {
    const place = Math.max(0, placeOf(node.units, unitAt(key, node.at)))
    passed[steps] = node
    taken[steps] = place
    steps += 1
    node = kidAt(node, place)
  }
  return node
}

/** The first place at which two keys differ, from `from` on; `same` if they do not. */
const differ = (a: string, b: string, from: number): number => {
  const end = Math.min(a.length, b.length)
  for (let at = from; at < end; at++) if (a.charCodeAt(at) !== b.charCodeAt(at)) return at
  return a.length === b.length ? SAME : end
}
const SAME = Number.MAX_SAFE_INTEGER

const leafOf = <V>(root: Node<V> | null, key: string): Leaf<V> | null => {
  let node = root
  while (node !== null) {
    if (isLeaf(node)) return node.key === key ? node : null
    const place = placeOf(node.units, unitAt(key, node.at))
    node = place < 0 ? null : kidAt(node, place)
  }
  return null
}

export const getIn = <V>(map: PMap<V>, key: string): V | undefined => leafOf(map.root, key)?.value
export const hasIn = <V>(map: PMap<V>, key: string): boolean => leafOf(map.root, key) !== null

/** An array with one more item. By hand, as its counterpart below: V8's own ways cost five times as much. */
const inserted = <A>(items: ReadonlyArray<A>, place: number, item: A): ReadonlyArray<A> => {
  const next = items.slice()
  next.push(item)
  for (let i = next.length - 1; i > place; i--) next[i] = next[i - 1] as A
  next[place] = item
  return next
}

const removed = <A>(items: ReadonlyArray<A>, place: number): ReadonlyArray<A> => {
  const next = items.slice()
  for (let i = place + 1; i < next.length; i++) next[i - 1] = next[i] as A
  next.pop()
  return next
}

/** A new branch, told to the edit that made it. */
const noted = <V>(branch: Branch<V>): Branch<V> => {
  if (branch.edit !== null) branch.edit.push(branch)
  return branch
}

const withNewKid = <V>(
  { at, units, kids, size }: Branch<V>,
  unit: number,
  kid: Leaf<V>,
  edit: Edit | null,
): Branch<V> => {
  const place = -1 - placeOf(units, unit)
  return noted({ at, units: inserted(units, place, unit), kids: inserted(kids, place, kid), size: size + 1, edit })
}

/** The branch that tells a new leaf from everything below `node`. */
const fork = <V>(at: number, node: Node<V>, other: string, leaf: Leaf<V>, edit: Edit | null): Branch<V> => {
  const one = unitAt(other, at)
  const two = unitAt(leaf.key, at)
  const size = sizeOf(node) + 1
  return noted(
    one < two
      ? { at, units: [one, two], kids: [node, leaf], size, edit }
      : { at, units: [two, one], kids: [leaf, node], size, edit },
  )
}

/** A branch with another kid at a place, of `growth` more leaves than the one before. */
const withKid = <V>(branch: Branch<V>, place: number, kid: Node<V>, growth: number, edit: Edit | null): Branch<V> => {
  const { at, units, kids, size } = branch
  if (edit !== null && branch.edit === edit) {
    // Casts: this branch is the edit's own.
    ;(kids as Node<V>[])[place] = kid
    ;(branch as { size: number }).size = size + growth
    return branch
  }
  const next = kids.slice()
  next[place] = kid
  return noted({ at, units, kids: next, size: size + growth, edit })
}

/** A branch without one of its kids; the other one, if that was of two. */
const withoutKid = <V>(branch: Branch<V>, place: number, edit: Edit | null): Node<V> => {
  const { at, units, kids, size } = branch
  if (kids.length === 2) return kidAt(branch, 1 - place)
  return noted({ at, units: removed(units, place), kids: removed(kids, place), size: size - 1, edit })
}

/** The tree in which the node after so many steps of the way is another, of `growth` more leaves. */
const rebuilt = <V>(after: number, end: Node<V>, growth: number, edit: Edit | null): Node<V> => {
  let made = end
  // Casts: the way was walked in this tree.
  for (let i = after - 1; i >= 0; i--) made = withKid(passed[i] as Branch<V>, taken[i] as number, made, growth, edit)
  return made
}

/** The tree with this entry; the same tree if it holds exactly this value already. */
const put = <V>(root: Node<V> | null, key: string, value: V, edit: Edit | null): Node<V> => {
  const leaf: Leaf<V> = { at: LEAF, key, value }
  if (root === null) return leaf
  const near = walk(root, key)
  if (near.key === key) return near.value === value ? root : rebuilt(steps, leaf, 0, edit)
  const end = differ(key, near.key, 0)
  let before = steps
  while (before > 0 && (passed[before - 1] as Branch<V>).at >= end) before--
  const stop = before < steps ? (passed[before] as Branch<V>) : near
  const isPlace = !isLeaf(stop) && stop.at === end
  const made = isPlace ? withNewKid(stop, unitAt(key, end), leaf, edit) : fork(end, stop, near.key, leaf, edit)
  return rebuilt(before, made, 1, edit)
}

/** The tree without this key; the same tree if it was not there. */
const cut = <V>(root: Node<V> | null, key: string, edit: Edit | null): Node<V> | null => {
  if (root === null || walk(root, key).key !== key) return root
  const last = steps - 1
  return last < 0 ? null : rebuilt(last, withoutKid(passed[last] as Branch<V>, taken[last] as number, edit), -1, edit)
}

/** The map with this entry; the same map if it holds exactly this value already. */
export const setIn = <V>(map: PMap<V>, key: string, value: V): PMap<V> => {
  const root = put(map.root, key, value, null)
  return root === map.root ? map : { root }
}

/** The map without this key; the same map if it was not there. */
export const removeIn = <V>(map: PMap<V>, key: string): PMap<V> => {
  const root = cut(map.root, key, null)
  return root === map.root ? map : { root }
}

/** A map in the making: many changes, of which nobody sees those in between. Half the cost where keys are near each other. */
export type Draft<V> = Readonly<{
  get: (key: string) => V | undefined
  set: (key: string, value: V) => void
  remove: (key: string) => void
  /** As `valuesUnder`, of what is there now; and how many that are, without looking at them. */
  under: (prefix: string) => ReadonlyArray<V>
  sizeUnder: (prefix: string) => number
  /** What has been made so far, as a map that no later change reaches. */
  done: () => PMap<V>
}>

/** What an edit has made changes no more. */
const end = (edit: Edit): void => {
  for (const branch of edit) (branch as { edit: Edit | null }).edit = null
}

/** The map after all of these changes; null: gone. A draft, for changes that are known at once. */
export const changedIn = <V>(map: PMap<V>, changes: Iterable<readonly [string, V | null]>): PMap<V> => {
  let { root } = map
  const edit: Edit = []
  for (const [key, value] of changes) root = value === null ? cut(root, key, edit) : put(root, key, value, edit)
  end(edit)
  return root === map.root ? map : { root }
}

export const draftOf = <V>(map: PMap<V>): Draft<V> => {
  let { root } = map
  let edit: Edit = []
  return {
    get: (key) => leafOf(root, key)?.value,
    set: (key, value) => {
      root = put(root, key, value, edit)
    },
    remove: (key) => {
      root = cut(root, key, edit)
    },
    under: (prefix) => valuesBelow(under(root, prefix)),
    sizeUnder: (prefix) => sizeBelow(under(root, prefix)),
    done: () => {
      end(edit)
      edit = []
      return root === map.root ? map : { root }
    },
  }
}

const sizeBelow = <V>(top: Node<V> | null): number => (top === null ? 0 : sizeOf(top))
export const sizeOfMap = <V>({ root }: PMap<V>): number => sizeBelow(root)

/** The leaves below these nodes, the last node first; whoever stops early pays for what was taken. */
function* leavesOf<V>(waiting: Node<V>[]): Generator<Leaf<V>> {
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (isLeaf(node)) yield node
    else for (let i = node.kids.length - 1; i >= 0; i--) waiting.push(kidAt(node, i))
  }
}

/** The nodes that hold all keys >= `from`, and no other, the first of them last. */
const nodesFrom = <V>(root: Node<V>, from: string): Node<V>[] => {
  const { key } = walk(root, from)
  const end = differ(from, key, 0)
  const later: Node<V>[] = []
  let node = root
  while (!isLeaf(node) && node.at <= end) {
    const place = placeOf(node.units, unitAt(from, node.at))
    for (let i = node.kids.length - 1; i >= (place < 0 ? -1 - place : place + 1); i--) later.push(kidAt(node, i))
    if (place < 0) return later
    node = kidAt(node, place)
  }
  if (end === SAME || unitAt(from, end) < unitAt(key, end)) later.push(node)
  return later
}

/** Entries in key order, starting at the first key >= `from`; whoever stops early pays for what was taken. */
export function* entriesOf<V>({ root }: PMap<V>, from = ''): Generator<readonly [string, V]> {
  if (root === null) return
  for (const { key, value } of leavesOf(from === '' ? [root] : nodesFrom(root, from))) yield [key, value]
}

/** What is taken of each leaf below a node, in key order. */
const allBelow = <V, A>(top: Node<V> | null, taking: (leaf: Leaf<V>) => A): ReadonlyArray<A> => {
  if (top === null) return []
  if (isLeaf(top)) return [taking(top)]
  const all: A[] = []
  const waiting: Node<V>[] = [top]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (isLeaf(node)) all.push(taking(node))
    else for (let i = node.kids.length - 1; i >= 0; i--) waiting.push(kidAt(node, i))
  }
  return all
}

const whole = <A>(leaf: A): A => leaf

/** The subtree of the keys that begin with `prefix`. */
const under = <V>(root: Node<V> | null, prefix: string): Node<V> | null => {
  let node = root
  while (node !== null && !isLeaf(node) && node.at < prefix.length) {
    const place = placeOf(node.units, prefix.charCodeAt(node.at))
    node = place < 0 ? null : kidAt(node, place)
  }
  return node !== null && leafBelow(node).key.startsWith(prefix) ? node : null
}

/** Entries whose key begins with `prefix`, in key order. Costs what it returns. */
export const entriesUnder = <V>({ root }: PMap<V>, prefix: string): ReadonlyArray<readonly [string, V]> =>
  allBelow(under(root, prefix), ({ key, value }) => [key, value])

const valuesBelow = <V>(top: Node<V> | null): ReadonlyArray<V> => allBelow(top, ({ value }) => value)

/** Values whose key begins with `prefix`, in key order. Costs what it returns. */
export const valuesUnder = <V>({ root }: PMap<V>, prefix: string): ReadonlyArray<V> => valuesBelow(under(root, prefix))

/** Keys that begin with `prefix`, in order. Costs what it returns. */
export const keysUnder = <V>({ root }: PMap<V>, prefix: string): ReadonlyArray<string> =>
  allBelow(under(root, prefix), ({ key }) => key)

/** The value of the first key; undefined where there is none. */
export const firstIn = <V>({ root }: PMap<V>): V | undefined => (root === null ? undefined : leafBelow(root).value)

/** Values in key order. */
export const valuesOf = <V>({ root }: PMap<V>): ReadonlyArray<V> => valuesBelow(root)

export const mapOf = <V>(entries: Iterable<readonly [string, V]>): PMap<V> => {
  const draft = draftOf<V>(emptyMap())
  for (const [key, value] of entries) draft.set(key, value)
  return draft.done()
}

/** One key whose value differs by reference between two versions; `undefined` means absent. */
export type Change<V> = Readonly<{ key: string; before: V | undefined; after: V | undefined }>

/** A subtree in each version's place; null holds nothing. */
type Pair<V> = readonly [before: Node<V> | null, after: Node<V> | null]

/** Pairs the kids of two branches of one place by their units, the last first; kids that are shared are left out. */
const pairKids = <V>(a: Branch<V>, b: Branch<V>, waiting: Pair<V>[]): void => {
  let i = a.kids.length - 1
  let j = b.kids.length - 1
  while (i >= 0 || j >= 0) {
    const one = i < 0 ? END - 1 : (a.units[i] as number)
    const two = j < 0 ? END - 1 : (b.units[j] as number)
    const before = one < two ? null : kidAt(a, i--)
    const after = two < one ? null : kidAt(b, j--)
    if (before !== after) waiting.push([before, after])
  }
}

/** Pairs the kids of a branch with nothing, the last first, but for the one below which all of `other` would be. */
const pairWithin = <V>(upper: Branch<V>, other: Node<V>, key: string, flip: boolean, waiting: Pair<V>[]): void => {
  const add = (a: Node<V> | null, b: Node<V> | null): unknown => waiting.push(flip ? [b, a] : [a, b])
  const place = placeOf(upper.units, unitAt(key, upper.at))
  for (let i = upper.kids.length - 1; i >= 0; i--) {
    if (i === -2 - place) add(null, other)
    add(kidAt(upper, i), i === place ? other : null)
  }
  if (place === -1) add(null, other)
}

/** A pair of nodes that differ as pairs of smaller ones, the last first. */
const open = <V>(a: Node<V>, b: Node<V>, waiting: Pair<V>[]): void => {
  // An array of units is made with its branch and belongs to one place below one prefix.
  if (!isLeaf(a) && !isLeaf(b) && a.units === b.units) {
    pairKids(a, b, waiting)
    return
  }
  const one = leafBelow(a).key
  const two = leafBelow(b).key
  const end = differ(one, two, 0)
  const first = Math.min(isLeaf(a) ? SAME : a.at, isLeaf(b) ? SAME : b.at)
  if (end < first) {
    if (unitAt(one, end) < unitAt(two, end)) waiting.push([null, b], [a, null])
    else waiting.push([a, null], [null, b])
  } else if (!isLeaf(a) && !isLeaf(b) && a.at === b.at) pairKids(a, b, waiting)
  else if (!isLeaf(a) && (isLeaf(b) || a.at < b.at)) pairWithin(a, b, two, false, waiting)
  else if (!isLeaf(b)) pairWithin(b, a, one, true, waiting)
}

/** The keys whose values differ by reference, in key order. Shared subtrees are skipped, so a small change is cheap. */
export const changesBetween = <V>(before: PMap<V>, after: PMap<V>): ReadonlyArray<Change<V>> => {
  const changes: Change<V>[] = []
  const waiting: Pair<V>[] = [[before.root, after.root]]
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    const [a, b] = pair
    if (a === b) continue
    if (b === null) {
      for (const { key, value } of allBelow(a, whole)) changes.push({ key, before: value, after: undefined })
    } else if (a === null) {
      for (const { key, value } of allBelow(b, whole)) changes.push({ key, before: undefined, after: value })
    } else if (isLeaf(a) && isLeaf(b) && a.key === b.key) {
      if (a.value !== b.value) changes.push({ key: a.key, before: a.value, after: b.value })
    } else open(a, b, waiting)
  }
  return changes
}

// Reads an lmdb file without lmdb, which maps it into memory and believes what it finds there: on a damaged file it reads
// beyond its end (SIGBUS) or follows pointers anywhere. So every page that a tree names is looked at here first: that it is
// the page it should be, once, in bounds and in order. Source: lmdb's mdb.c (MDB_meta, MDB_page, MDB_node; data version 2,
// 64 bits, little endian) and midl.c (lists of free pages).

import { E, type Either } from '../../prelude.ts'

/** The bytes of a file from `offset` on, `length` of them; null if it ends before. */
export type ReadAt = (offset: number, length: number) => Buffer | null
export type Pair = readonly [key: Buffer, value: Buffer]
/** `ours` false: not an lmdb file that we can read at all. `where` is a page, `why` a clause about it. */
export type PageFault = Readonly<{ ours: boolean; where: string; why: string }>

const MAGIC = 0xbeefc0de
const DATA_VERSION = 2
const HEADER = 24
const NODE = 8
const META_END = 168
const NO_PAGE = 0xffffffffffff
const BRANCH = 0x01
const LEAF = 0x02
const OVERFLOW = 0x04
const META = 0x08
const BIG_DATA = 0x01
const MAX_DEPTH = 32
/** MDB_NOSUBDIR and MDB_INTEGERKEY, and none of the flags that make lmdb sort or map otherwise. */
const FREE_FLAGS = 0x4008
const MAIN_FLAGS = 0

/** A 64-bit number. What is in use stays far below 48 bits; anything above is as wrong as `NO_PAGE`. */
const wordAt = (bytes: Buffer, at: number): number =>
  bytes.readUInt16LE(at + 6) === 0 ? bytes.readUIntLE(at, 6) : NO_PAGE

type Tree = Readonly<{
  flags: number
  depth: number
  branches: number
  leaves: number
  overflows: number
  items: number
  root: number
}>
type Meta = Readonly<{ pageSize: number; free: Tree; main: Tree; lastPage: number; txn: number }>

const treeAt = (bytes: Buffer, at: number): Tree => ({
  flags: bytes.readUInt16LE(at + 4),
  depth: bytes.readUInt16LE(at + 6),
  branches: wordAt(bytes, at + 8),
  leaves: wordAt(bytes, at + 16),
  overflows: wordAt(bytes, at + 24),
  items: wordAt(bytes, at + 32),
  root: wordAt(bytes, at + 40),
})

const metaAt = (read: ReadAt, offset: number, page: 0 | 1): Either<PageFault, Meta> => {
  const bytes = read(offset, META_END)
  const where = `meta page ${page}`
  if (bytes === null) return E.left({ ours: page === 1, where, why: 'is not there' })
  if ((bytes.readUInt16LE(18) & META) === 0 || bytes.readUInt32LE(24) !== MAGIC)
    return E.left({ ours: page === 1, where, why: 'does not begin as those of lmdb do' })
  const version = bytes.readUInt32LE(28) & 0xffff
  if (version !== DATA_VERSION)
    return E.left({ ours: page === 1, where, why: `has data version ${version} of lmdb, not ${DATA_VERSION}` })
  const pageSize = bytes.readUInt32LE(48)
  if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0)
    return E.left({ ours: true, where, why: `asks for pages of ${pageSize} bytes` })
  const [free, main] = [treeAt(bytes, 48), treeAt(bytes, 96)]
  if (free.flags !== FREE_FLAGS || main.flags !== MAIN_FLAGS || wordAt(bytes, 32) !== 0)
    return E.left({ ours: true, where, why: 'asks for what cnm does not use' })
  return E.right({ pageSize, free, main, lastPage: wordAt(bytes, 144), txn: wordAt(bytes, 152) })
}

/**
 * The meta page in force. Transaction n writes page n mod 2, each after the other is on disk, so the two are always those of
 * the last two transactions; anything else would be an older state passing for the newest.
 */
const metaOf = (read: ReadAt): Either<PageFault, Meta> => {
  const even = metaAt(read, 0, 0)
  if (E.isLeft(even)) return even
  const odd = metaAt(read, even.right.pageSize, 1)
  if (E.isLeft(odd)) return odd
  const [a, b] = [even.right, odd.right]
  const fresh = a.txn === 0 && b.txn === 0
  if (a.pageSize !== b.pageSize || (!fresh && (a.txn % 2 !== 0 || Math.abs(a.txn - b.txn) !== 1)))
    return E.left({ ours: true, where: 'meta page 1', why: 'does not follow meta page 0' })
  return E.right(a.txn >= b.txn ? a : b)
}

type Walk = Readonly<{
  read: ReadAt
  meta: Meta
  /** lmdb compares the keys of its list of free pages as numbers. */
  compare: (a: Buffer, b: Buffer) => number
  taken: Set<number>
  pairs: Pair[]
  count: { branches: number; leaves: number; overflows: number }
}>

/** Right: the pages' bytes, taken. */
const takePages = (walk: Walk, first: number, pages: number, kind: number): Either<PageFault, Buffer> => {
  const { read, meta, taken } = walk
  const fault = (why: string) => E.left({ ours: true, where: `page ${first}`, why })
  if (first < 2 || first + pages - 1 > meta.lastPage) return fault('is outside of the file')
  for (let page = first; page < first + pages; page++) {
    if (taken.has(page)) return fault('is used twice')
    taken.add(page)
  }
  const bytes = read(first * meta.pageSize, pages * meta.pageSize)
  if (bytes === null) return fault('is beyond the end of the file')
  if (wordAt(bytes, 0) !== first || bytes.readUInt16LE(18) !== kind) return fault('is not what should be there')
  if (wordAt(bytes, 8) > meta.txn) return fault('is of a later transaction')
  return E.right(bytes)
}

/** The nodes of a branch or leaf page, where they begin. */
const nodesOf = (bytes: Buffer, page: number): Either<PageFault, ReadonlyArray<number>> => {
  const fault = (why: string) => E.left({ ours: true, where: `page ${page}`, why })
  const lower = bytes.readUInt16LE(20)
  const upper = bytes.readUInt16LE(22)
  if (lower === 0 || lower % 2 !== 0 || lower > upper || HEADER + upper > bytes.length)
    return fault('has no room for what it holds')
  const nodes: number[] = []
  for (let at = HEADER; at < HEADER + lower; at += 2) {
    const node = HEADER + bytes.readUInt16LE(at)
    if (node < HEADER + upper || node % 2 !== 0 || node + NODE > bytes.length) return fault('points outside of itself')
    if (node + NODE + bytes.readUInt16LE(node + 6) > bytes.length) return fault('has a key beyond its end')
    nodes.push(node)
  }
  return E.right(nodes)
}

const keyOf = (bytes: Buffer, node: number): Buffer =>
  bytes.subarray(node + NODE, node + NODE + bytes.readUInt16LE(node + 6))

const valueAt = (walk: Walk, bytes: Buffer, node: number, page: number): Either<PageFault, Buffer> => {
  const size = bytes.readUInt32LE(node)
  const flags = bytes.readUInt16LE(node + 4)
  const at = node + NODE + bytes.readUInt16LE(node + 6)
  const fault = (why: string) => E.left({ ours: true, where: `page ${page}`, why })
  if (flags === 0) {
    return at + size > bytes.length ? fault('has a value beyond its end') : E.right(bytes.subarray(at, at + size))
  }
  if (flags !== BIG_DATA || at + HEADER > bytes.length) return fault('has a node of an unknown kind')
  const pages = wordAt(bytes, at + 16)
  // More than needed: the value was longer when its transaction wrote it first.
  if (HEADER + size > pages * walk.meta.pageSize) return fault('has a value beyond its pages')
  const far = takePages(walk, wordAt(bytes, at), pages, OVERFLOW)
  if (E.isLeft(far)) return far
  if (far.right.readUInt32LE(20) !== pages) return fault('has a value of another size')
  walk.count.overflows += pages
  return E.right(far.right.subarray(HEADER, HEADER + size))
}

/** Adds what is below the page to the pairs, all keys at least `floor`. The answer is the first fault. */
const walkPage = (walk: Walk, page: number, height: number, floor: Buffer | null): PageFault | null => {
  const taken = takePages(walk, page, 1, height === 1 ? LEAF : BRANCH)
  if (E.isLeft(taken)) return taken.left
  const bytes = taken.right
  const nodes = nodesOf(bytes, page)
  if (E.isLeft(nodes)) return nodes.left
  const unordered: PageFault = { ours: true, where: `page ${page}`, why: 'has its keys out of order' }
  const { compare, pairs } = walk
  const follows = (key: Buffer): boolean => {
    const last = pairs.at(-1)
    return last === undefined || compare(last[0], key) < 0
  }

  if (height > 1) {
    walk.count.branches += 1
    for (const [i, node] of nodes.right.entries()) {
      // The first key of a branch page is not looked at by lmdb and may be empty.
      const least = i === 0 ? floor : keyOf(bytes, node)
      if (i > 0 && least !== null && !follows(least)) return unordered
      const child = bytes.readUInt32LE(node) + bytes.readUInt16LE(node + 4) * 2 ** 32
      const fault = walkPage(walk, child, height - 1, least)
      if (fault !== null) return fault
    }
    return null
  }
  walk.count.leaves += 1
  for (const node of nodes.right) {
    const key = keyOf(bytes, node)
    if (!follows(key) || (floor !== null && compare(key, floor) < 0)) return unordered
    const value = valueAt(walk, bytes, node, page)
    if (E.isLeft(value)) return value.left
    pairs.push([key, value.right])
  }
  return null
}

const walkTree = (walk: Walk, tree: Tree, name: string): PageFault | null => {
  const wrong = (why: string): PageFault => ({ ours: true, where: name, why })
  if (tree.root === NO_PAGE) return tree.items === 0 ? null : wrong('has lost its root')
  if (tree.depth < 1 || tree.depth > MAX_DEPTH) return wrong(`has a depth of ${tree.depth}`)
  const fault = walkPage(walk, tree.root, tree.depth, null)
  if (fault !== null) return fault
  const { branches, leaves, overflows } = walk.count
  return branches === tree.branches &&
    leaves === tree.leaves &&
    overflows === tree.overflows &&
    walk.pairs.length === tree.items
    ? null
    : wrong('does not hold as much as it should')
}

type Run = Readonly<{ first: number; last: number }>

/** The runs of pages that a list names: a page, or a negative count and the first of so many. Null: it is cut off or nonsense. */
const runsOf = (list: Buffer): ReadonlyArray<Run> | null => {
  const count = list.length < 8 ? NO_PAGE : wordAt(list, 0)
  if ((count + 1) * 8 > list.length) return null
  const runs: Run[] = []
  for (let i = 1; i <= count; i++) {
    const entry = list.readBigInt64LE(i * 8)
    if (entry === 0n) continue
    if (entry < 0n) i += 1
    if (i > count) return null
    const first = wordAt(list, i * 8)
    runs.push({ first, last: first + (entry < 0n ? Number(-entry) : 1) - 1 })
  }
  return runs
}

/**
 * What is free must not be in use, or the next transaction overwrites it; the last page must be somewhere, or the next
 * transaction writes far behind it.
 */
const freeFault = (lists: ReadonlyArray<Pair>, { read, taken, meta }: Walk): PageFault | null => {
  const wrong = (why: string): PageFault => ({ ours: true, where: 'the list of free pages', why })
  const used: Run[] = [...taken].map((page) => ({ first: page, last: page }))
  for (const [, list] of lists) {
    const runs = runsOf(list)
    if (runs === null) return wrong('is cut off')
    used.push(...runs)
  }
  used.sort((a, b) => a.first - b.first)
  let before = 1
  for (const { first, last } of used) {
    if (first <= before) return wrong(`has page ${first}, which is in use`)
    before = last
  }
  if (before > meta.lastPage) return wrong('has a page outside of the file')
  return before === meta.lastPage || read(meta.lastPage * meta.pageSize, meta.pageSize) !== null
    ? null
    : { ours: true, where: 'the last page', why: `is said to be page ${meta.lastPage}, far behind the end of the file` }
}

/** What is no number has no place in the order. */
const compareNumbers = (a: Buffer, b: Buffer): number =>
  a.length === 8 && b.length === 8 ? wordAt(a, 0) - wordAt(b, 0) : 0

/** All pairs of the file's main tree, in the order of their keys' bytes. Costs one reading of all pages in use. */
export const readPairs = (read: ReadAt): Either<PageFault, ReadonlyArray<Pair>> => {
  const found = metaOf(read)
  if (E.isLeft(found)) return found
  const meta = found.right
  const walk = (compare: Walk['compare'], taken: Set<number>): Walk => ({
    read,
    meta,
    compare,
    taken,
    pairs: [],
    count: { branches: 0, leaves: 0, overflows: 0 },
  })
  const main = walk(Buffer.compare, new Set())
  const free = walk(compareNumbers, main.taken)
  const fault = walkTree(main, meta.main, 'the tree of records') ?? walkTree(free, meta.free, 'the tree of free pages')
  if (fault !== null) return E.left(fault)
  if (free.pairs.some(([key]) => key.length !== 8))
    return E.left({ ours: true, where: 'the tree of free pages', why: 'has a key that is no number' })
  const overlap = freeFault(free.pairs, main)
  return overlap === null ? E.right(main.pairs) : E.left(overlap)
}

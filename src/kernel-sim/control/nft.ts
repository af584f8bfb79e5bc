// Operations on the firewall table `inet cnm` and the elements of its sets, on the one ruleset that a namespace has. Each does what
// nft does with the text that it stands for (kernel/print.ts); the skeleton's text is read once and put in by reference.
// Sources: nft(8), net/netfilter/nf_tables_api.c.

import type { Errno } from '../../kernel/errno.ts'
import { isStale, type PortChange, portChangeOf } from '../../kernel/firewall/published.ts'
import { SETS, type SetName, TABLE } from '../../kernel/firewall/skeleton.ts'
import { skeletonText } from '../../kernel/firewall/text.ts'
import type { NftElement, NftTable } from '../../kernel/object.ts'
import { type Ip, isLoopback } from '../../net/ip.ts'
import { draftOf, valuesOf } from '../../net/pmap.ts'
import { E } from '../../prelude.ts'
import { tupleKey } from '../datapath/netfilter/connection.ts'
import { basesFollow } from '../nft/bases.ts'
import type { Changed } from '../nft/change/edit.ts'
import { ABSENT } from '../nft/change/edit.ts'
import { addElements, deleteElements } from '../nft/change/elements.ts'
import { deleteTable as withoutTable } from '../nft/change/table.ts'
import { NO_INTERFACES } from '../nft/datatype.ts'
import type { NftError, Place } from '../nft/error.ts'
import { nft } from '../nft/nft.ts'
import type { RawElement, RawPart, RawWord } from '../nft/parse/raw.ts'
import { EMPTY_RULESET, findTable, type Ruleset, type Table, withTable } from '../nft/ruleset.ts'
import { type Draft, linksOf, type Space, spaceOf } from './draft.ts'

const HERE: Place = { line: 1, from: 1, to: 1 }
const IN_TABLE = { family: 'inet', table: TABLE, tableAt: HERE, at: HERE } as const
const NAMED = { name: TABLE, handle: null, at: HERE } as const

const readSkeleton = (): Table => {
  const options = { file: 'skeleton', json: false, handles: false }
  const { ruleset, stderr } = nft(EMPTY_RULESET, skeletonText(), { host: NO_INTERFACES, nowMs: 0 }, options)
  const table = findTable(ruleset, 'inet', TABLE)
  if (table === null) throw new Error(`the skeleton is not what nft can read: ${stderr}`)
  return table
}

let read: Table | null = null
/** It asks for nothing that is kept beside rules (counters, limits), so that all tables can share its rules. */
const skeletonTable = (): Table => {
  read ??= readSkeleton()
  return read
}

const put = (space: Space, before: Ruleset, after: Ruleset): null => {
  space.now.firewall = { ...after, generation: before.generation + 1 }
  return null
}

export const createTable = (draft: Draft, { ns }: NftTable): Errno | null => {
  const space = spaceOf(draft, ns)
  if (space === null) return 'ENOENT'
  const before = space.now.firewall ?? EMPTY_RULESET
  if (findTable(before, 'inet', TABLE) !== null) return 'EEXIST'
  const handle = before.nextTable
  return put(space, before, { ...withTable(before, { ...skeletonTable(), handle }), nextTable: handle + 1 })
}

/** What nft finds out by itself, as the errno that its words stand for. */
const FOUND_OUT: Readonly<Record<string, Errno>> = {
  [ABSENT]: 'ENOENT',
  'interval overlaps with an existing one': 'EEXIST',
  'element does not exist': 'ENOENT',
}

const errnoOf = (error: NftError): Errno =>
  error.kind === 'kernel' ? error.errno : (FOUND_OUT[error.message] ?? 'EINVAL')

const change = (draft: Draft, { ns }: NftTable | NftElement, act: (before: Ruleset) => Changed): Errno | null => {
  const space = spaceOf(draft, ns)
  const before = space?.now.firewall ?? null
  if (space === null || before === null) return 'ENOENT'
  const after = act(before)
  if (E.isLeft(after)) return errnoOf(after.left)
  return put(space, before, after.right)
}

export const deleteTable = (draft: Draft, table: NftTable): Errno | null =>
  change(draft, table, (before) =>
    withoutTable(before, { tag: 'delete-table', family: 'inet', table: NAMED, destroy: false, at: HERE }),
  )

const wordOf = (text: string): RawWord => ({ tag: 'word', text, wildcard: text.endsWith('*'), at: HERE })

const PREFIXES: ReadonlySet<SetName> = new Set(SETS.filter(({ interval }) => interval).map(({ name }) => name))

const partOf = (text: string, hasPrefixes: boolean): RawPart => {
  const slash = hasPrefixes ? text.indexOf('/') : -1
  if (slash < 0) return wordOf(text)
  return { tag: 'prefix', word: wordOf(text.slice(0, slash)), bits: Number(text.slice(slash + 1)), at: HERE }
}

/** As nft would read its text. */
const rawOf = ({ set, key, value }: NftElement): RawElement => {
  const hasPrefixes = PREFIXES.has(set)
  return {
    key: key.map((text) => partOf(text, hasPrefixes)),
    data: value === null ? null : { tag: 'parts', parts: value.map(wordOf), at: HERE },
    comment: null,
    timeoutMs: null,
    expiresMs: null,
    at: HERE,
  }
}

const inSet = (element: NftElement) => ({ name: element.set, handle: null, at: HERE })

export const createElement = (draft: Draft, element: NftElement): Errno | null => {
  const environment = { host: NO_INTERFACES, nowMs: draft.world.nowMs }
  const command = { tag: 'add-elements', create: true, set: inSet(element), elements: [rawOf(element)] } as const
  const errno = change(draft, element, (before) =>
    followed(before, addElements(before, { ...IN_TABLE, ...command }, environment)),
  )
  if (errno === null) forget(draft, portChangeOf({ verb: 'create', object: element }))
  return errno
}

export const deleteElement = (draft: Draft, element: NftElement): Errno | null => {
  const environment = { host: NO_INTERFACES, nowMs: draft.world.nowMs }
  const elements = [rawOf({ ...element, value: null })]
  const command = { tag: 'delete-elements', destroy: false, set: inSet(element), elements } as const
  const errno = change(draft, element, (before) =>
    followed(before, deleteElements(before, { ...IN_TABLE, ...command }, environment)),
  )
  if (errno === null) forget(draft, portChangeOf({ verb: 'delete', object: element }))
  return errno
}

const isOurs =
  (space: Space) =>
  (ip: Ip): boolean =>
    isLoopback(ip) || linksOf(space).some(({ addresses }) => addresses.some(({ cidr }) => cidr.ip === ip))

/** Forgets the conversations that a port had another answer for when they began. */
const forget = (draft: Draft, moved: PortChange | null): void => {
  const space = moved === null ? null : spaceOf(draft, moved.ns)
  const tracked = space?.now.tracked ?? null
  if (moved === null || space === null || tracked === null) return
  const stale = valuesOf(tracked.connections).filter(({ original, reply }) =>
    isStale(
      moved,
      {
        proto: original.proto,
        to: { ip: original.dst, port: original.dport },
        answers: { ip: reply.src, port: reply.sport },
      },
      isOurs(space),
    ),
  )
  if (stale.length === 0) return
  const tuples = draftOf(tracked.tuples)
  const connections = draftOf(tracked.connections)
  for (const { id, original, reply } of stale) {
    tuples.remove(tupleKey(original))
    tuples.remove(tupleKey(reply))
    connections.remove(String(id))
  }
  space.now.tracked = { ...tracked, tuples: tuples.done(), connections: connections.done() }
}

/** Chains are as they were, and so is what was made of them. */
const followed = (before: Ruleset, after: Changed): Changed => {
  if (E.isRight(after)) basesFollow(before.tables, after.right.tables)
  return after
}

// `ip link add`, `set` and `delete`. Source: ip-link(8); iproute2 6.1, ip/iplink.c (do_iplink, iplink_modify).

import type { NewLink, SetLink } from '../../kernel/rtnl/request.ts'
import { E } from '../../prelude.ts'
import { answers, type Context, linkCalled, lookAt, telling } from '../context.ts'
import { type Done, failed, joined, notHere } from '../done.ts'
import type { Words } from '../match.ts'
import { asking, type Talk } from '../terminal.ts'
import { changedKind, newKind } from './link-kinds.ts'
import { knownName, type LinkWords, newName, readLinkWords, type Sight, settingsOf } from './link-words.ts'

const NO_DEVICE = 'Not enough information: "dev" argument is required.'

/** What is remarked before the kernel is asked stands before what it answers. */
const remarked = (said: string, done: Done): Done => ({ ...done, stderr: said + done.stderr })

export function* sightOf({ ns }: Context): Talk<Sight> {
  return { stack: yield* lookAt(ns), spaces: yield* asking((terminal) => terminal.namespaces()) }
}

const absentKind = (type: string): boolean => type.endsWith('_slave')

export function* addLink(context: Context, words: Words): Talk<Done> {
  const sight = yield* sightOf(context)
  const read = readLinkWords(words, sight)
  if (E.isLeft(read)) return read.left
  const { name, dev, index, below, master, to, type, args } = read.right
  if (type === null) return failed(1, 'Not enough information: "type" argument is required')
  if (absentKind(type)) return notHere(`ip link add type ${type}`)
  const kind = newKind(type, args, sight)
  if (E.isLeft(kind)) return kind.left
  const settings = settingsOf(read.right)
  if (E.isLeft(settings)) return settings.left
  const called = name ?? dev
  if (called === null) return notHere('a device whose name the kernel chooses')
  const lower = below === null ? E.right(null) : knownName(sight, below)
  if (E.isLeft(lower)) return lower.left
  const upper = master === null || master === undefined ? E.right(null) : knownName(sight, master)
  if (E.isLeft(upper)) return upper.left
  const fresh = newName(called)
  if (E.isLeft(fresh)) return remarked(kind.right.said, fresh.left)
  if (settings.right.alias !== undefined || settings.right.addrGenMode !== undefined)
    return notHere('ip link add with alias or addrgenmode; set them afterwards')
  const ask: NewLink = {
    on: 'link',
    do: 'add',
    name: fresh.right,
    kind: kind.right.kind,
    ...settings.right,
    ...(index === null ? {} : { index }),
    ...(lower.right === null ? {} : { dev: lower.right }),
    ...(upper.right === null ? {} : { master: upper.right }),
    ...(to === null ? {} : { to }),
  }
  return remarked(kind.right.said, yield* telling(context, ask))
}

/** Said alone, a group is where to look; with a device, what it is put into. */
const ofGroup = ({ dev, group }: LinkWords): number | null => (dev === null ? group : null)

export function* setLink(context: Context, words: Words): Talk<Done> {
  const sight = yield* sightOf(context)
  const read = readLinkWords(words, sight)
  if (E.isLeft(read)) return read.left
  const group = ofGroup(read.right)
  if (group !== null) return yield* setGroup(context, sight, group, read.right)
  return yield* setOne(context, sight, read.right)
}

function* setGroup(context: Context, sight: Sight, group: number, words: LinkWords): Talk<Done> {
  const members = sight.stack.links.filter((link) => link.group === group)
  if (members.length === 0) return answers('ENODEV')
  const all: Done[] = []
  for (const { name } of members) {
    const done = yield* setOne(context, sight, { ...words, dev: name, group: null })
    if (done.status !== 0) return done
    all.push(done)
  }
  return joined(all)
}

function* setOne(context: Context, sight: Sight, words: LinkWords): Talk<Done> {
  const { dev, index, name, to, master, type, args } = words
  if (dev === null) return failed(255, NO_DEVICE)
  if (index !== null) return failed(255, 'index can be used only when creating devices.')
  const kind = type === null ? E.right(null) : changedKind(type, args, sight)
  if (E.isLeft(kind)) return kind.left
  const settings = settingsOf(words)
  if (E.isLeft(settings)) return settings.left
  if (words.below !== null) return notHere('ip link set with link')
  const known = knownName(sight, dev)
  if (E.isLeft(known)) return known.left
  const upper = master === null || master === undefined ? E.right(master) : knownName(sight, master)
  if (E.isLeft(upper)) return upper.left
  const fresh = name === null || name === dev ? E.right(null) : newName(name)
  if (E.isLeft(fresh)) return fresh.left
  const ask: SetLink = {
    on: 'link',
    do: 'set',
    dev: known.right,
    ...settings.right,
    ...(fresh.right === null ? {} : { name: fresh.right }),
    ...(upper.right === undefined ? {} : { master: upper.right }),
    ...(to === null ? {} : { to }),
    ...(kind.right === null ? {} : { kind: kind.right }),
  }
  return yield* telling(context, ask)
}

export function* deleteLink(context: Context, words: Words): Talk<Done> {
  const sight = yield* sightOf(context)
  const read = readLinkWords(words, sight)
  if (E.isLeft(read)) return read.left
  const group = ofGroup(read.right)
  if (group !== null) return yield* telling(context, { on: 'link', do: 'delete', group })
  const { dev } = read.right
  if (dev === null) return failed(255, NO_DEVICE)
  const link = linkCalled(sight.stack, dev)
  if (link === null) return failed(1, `Cannot find device "${dev}"`)
  return yield* telling(context, { on: 'link', do: 'delete', dev: link.name })
}

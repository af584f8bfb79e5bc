// What `ip link show`, `ip address show` and `ip address flush` are asked to show: one reading of words for all, and which links and
// addresses fit. Source: iproute2 6.1, ip/ipaddress.c (ipaddr_list_flush_or_save, ipaddr_filter, print_linkinfo).

import type { AddressFacts, LinkFacts, Stack } from '../../kernel/rtnl/stack.ts'
import { type Cidr, covers } from '../../net/cidr.ts'
import { type Family, familyOf } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { linkCalled, type Options } from '../context.ts'
import { absentHere, type Read, refuse } from '../done.ts'
import { invalid, type Keyword, onceAs, readWords } from '../keyword.ts'
import type { Words } from '../match.ts'
import { groupOf, scopeOf } from '../names.ts'
import { readPrefix } from '../value.ts'
import { kindName } from './link-show.ts'

/** `master` null: without one. `flags`: those an address must have, or must not. */
export type Selection = Readonly<{
  dev: string | null
  family: Family | null
  to: Cidr | null
  scope: number | null
  up: boolean
  label: string | null
  group: number | null
  master: string | null | undefined
  kind: string | null
  flags: ReadonlyArray<readonly [flag: string, there: boolean]>
}>

const EVERYTHING: Omit<Selection, 'family'> = {
  dev: null,
  to: null,
  scope: null,
  up: false,
  label: null,
  group: null,
  master: undefined,
  kind: null,
  flags: [],
}

/** By the words that ask for them; some for the opposite. */
const FLAG_WORDS: ReadonlyArray<readonly [word: string, flag: string, there: boolean]> = [
  ['secondary', 'secondary', true],
  ['temporary', 'temporary', true],
  ['primary', 'secondary', false],
  ['permanent', 'permanent', true],
  ['dynamic', 'permanent', false],
  ['tentative', 'tentative', true],
  ['deprecated', 'deprecated', true],
  ['dadfailed', 'dadfailed', true],
  ['nodad', 'nodad', true],
  ['noprefixroute', 'noprefixroute', true],
  ['home', 'home', true],
  ['mngtmpaddr', 'mngtmpaddr', true],
  ['autojoin', 'autojoin', true],
]

const flagKeywords: ReadonlyArray<Keyword<Selection>> = FLAG_WORDS.flatMap(([word, flag, there]) =>
  [word, `-${word}`].map((is, i) => ({
    is,
    rest: (left: Words, { flags }: Selection) =>
      E.right({ set: { flags: [...flags, [flag, there === (i === 0)] as const] }, left }),
  })),
)

const keywordsIn = (stack: Stack): ReadonlyArray<Keyword<Selection>> => [
  {
    is: 'to',
    take: (text, { family }) => {
      const prefix = readPrefix(text, family)
      return E.isLeft(prefix)
        ? prefix
        : E.right({ to: prefix.right.cidr, family: family ?? familyOf(prefix.right.cidr.ip) })
    },
  },
  {
    is: 'scope',
    take: (text) => {
      const scope = scopeOf(text)
      return scope !== null || text === 'all' ? E.right({ scope }) : invalid(text, 'invalid "scope"\n')
    },
  },
  { is: 'up', set: { up: true } },
  ...flagKeywords,
  { is: 'label', take: (label) => E.right({ label, family: 4 }) },
  {
    is: 'group',
    take: (text) => {
      const group = groupOf(text)
      return group === null ? invalid(text, 'Invalid "group" value\n') : E.right({ group })
    },
  },
  {
    is: 'master',
    take: (text) => {
      const link = linkCalled(stack, text)
      return link === null ? invalid(text, 'Device does not exist\n') : E.right({ master: link.name })
    },
  },
  { is: 'nomaster', set: { master: null } },
  { is: 'type', take: (kind) => E.right({ kind }) },
  { is: ['vrf', 'proto'], take: (value) => absentHere(`a selection by ${value}`) },
]

const SHOW_USAGE = 'Usage: ip { link | address } show [ dev DEVICE ] [ up ] [ type TYPE ] [ master DEVICE ] ...'

export const readSelection = (words: Words, stack: Stack, { family }: Options): Read<Selection> => {
  const read = readWords<Selection>(
    words,
    { ...EVERYTHING, family },
    keywordsIn(stack),
    onceAs(
      'dev',
      ({ dev }) => dev !== null,
      (dev) => (dev === 'help' ? refuse(255, SHOW_USAGE) : E.right({ dev })),
    ),
  )
  if (E.isLeft(read) || read.right.dev === null) return read
  const link = linkCalled(stack, read.right.dev)
  return link === null
    ? refuse(1, `Device "${read.right.dev}" does not exist.`)
    : E.right({ ...read.right, dev: link.name })
}

const kindOf = ({ kind }: LinkFacts): string => (kind.kind === 'loopback' ? '' : kindName(kind))

const isOfKind = (link: LinkFacts, wanted: string): boolean =>
  wanted === 'bridge_slave' ? link.port !== null : kindOf(link) === wanted

/** Those the kernel is asked for. */
export const linksAsked = ({ links }: Stack, { dev, master, kind }: Selection): ReadonlyArray<LinkFacts> =>
  links.filter(
    (link) =>
      (dev === null || link.name === dev) &&
      (master === undefined || link.master === master) &&
      (kind === null || isOfKind(link, kind)),
  )

/** Of those, the ones that the program passes over: their places stay in JSON. */
export const isPassedOver = (link: LinkFacts, { up, group }: Selection): boolean =>
  (up && !link.up) || (group !== null && link.group !== group)

/** fnmatch(3), as far as labels need it. */
const fitsLabel = (label: string, pattern: string): boolean => {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  try {
    return new RegExp(`^${source}$`).test(label)
  } catch {
    return label === pattern
  }
}

export const fitsAddress = (address: AddressFacts, selection: Selection): boolean => {
  const { family, to, scope, label, flags } = selection
  const own = { ip: address.peer ?? address.cidr.ip, bits: address.cidr.bits }
  return (
    (family === null || familyOf(address.cidr.ip) === family) &&
    (scope === null || address.scope === scope) &&
    (to === null || covers(to, { ip: address.cidr.ip, bits: 128 }) || covers(to, own)) &&
    (label === null || fitsLabel(address.label ?? address.dev, label)) &&
    flags.every(([flag, there]) => address.flags.includes(flag) === there)
  )
}

/** A link is shown for its addresses that fit; without any at all it is, where no family is asked for. */
export const hasWhatFits = (stack: Stack, link: LinkFacts, selection: Selection): boolean => {
  const own = stack.addresses.filter(({ dev }) => dev === link.name)
  return own.length === 0 ? selection.family === null : own.some((address) => fitsAddress(address, selection))
}

// `ip link show` and `ip address show`. Source: ip-link(8), ip-address(8); iproute2 6.1, ip/ipaddress.c.

import type { AddressFacts, LinkFacts, Stack } from '../../kernel/rtnl/stack.ts'
import { familyOf, showIp } from '../../net/ip.ts'
import type { Ns } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { type Context, familyWord, lineBreak, lookAt, type Options, shown } from '../context.ts'
import type { Done } from '../done.ts'
import type { Words } from '../match.ts'
import { scopeName } from '../names.ts'
import { field, list, type Piece, quiet, text, where } from '../piece.ts'
import type { Talk } from '../terminal.ts'
import { type Around, briefHead, briefLink, linkPieces, lowerOf, nearLower, spacesBehind } from './link-show.ts'
import { fitsAddress, hasWhatFits, isPassedOver, linksAsked, readSelection, type Selection } from './selection.ts'

/** The stack, and those in which other ends of its links are. */
export function* around(ns: Ns, stack: Stack): Talk<Around> {
  const stacks = new Map<Ns, Stack>([[ns, stack]])
  for (const other of spacesBehind(stack.links, ns)) stacks.set(other, yield* lookAt(other))
  return { ns, stacks }
}

export function* showLinks(context: Context, words: Words): Talk<Done> {
  const { ns, options } = context
  const stack = yield* lookAt(ns)
  const read = readSelection(words, stack, { ...options, family: null })
  if (E.isLeft(read)) return read.left
  const near = yield* around(ns, stack)
  const one = (link: LinkFacts): ReadonlyArray<Piece> => {
    if (isPassedOver(link, read.right)) return []
    return options.brief ? briefLink(link, near) : [...linkPieces(link, near, 'link', options), text('\n')]
  }
  return shown(options, linksAsked(stack, read.right).map(one))
}

const FOREVER = 4294967295

const flagPieces = (flags: ReadonlyArray<string>): ReadonlyArray<Piece> => {
  const told = flags.includes('permanent') ? flags : [...flags, 'dynamic']
  return told.filter((flag) => flag !== 'permanent').map((flag) => ({ key: flag, value: true, text: `${flag} ` }))
}

/** Without the newline behind it. */
const addressPieces = (address: AddressFacts, link: LinkFacts, options: Options): ReadonlyArray<Piece> => {
  const { cidr, broadcast, scope, label, flags } = address
  const word = familyWord(cidr.ip)
  return [
    ...where(options.oneline, text(`${link.index}: ${link.name}`)),
    { key: 'family', value: word, text: `    ${word} ` },
    ...briefAddress(address),
    ...(broadcast === null ? [] : [field('broadcast', showIp(broadcast), 'brd % ')]),
    field('scope', scopeName(scope), 'scope % '),
    ...flagPieces(flags),
    ...(label === null ? [] : [field('label', label, '%')]),
    text(`${lineBreak(options)}       valid_lft forever preferred_lft forever`),
    quiet('valid_life_time', FOREVER),
    quiet('preferred_life_time', FOREVER),
    text('\n'),
  ]
}

/** What is told of an address however little of it is asked for. */
const briefAddress = ({ cidr, peer, metric }: AddressFacts): ReadonlyArray<Piece> => [
  field('local', showIp(cidr.ip), '%'),
  ...(peer === null ? [] : [field('address', showIp(peer), ' peer %')]),
  field('prefixlen', cidr.bits, '/% '),
  ...(metric === null ? [] : [field('metric', metric, 'metric % ')]),
]

/** IPv4's before IPv6's, each family in the kernel's order. */
const addressesOf = (stack: Stack, link: LinkFacts, selection: Selection): ReadonlyArray<AddressFacts> =>
  stack.addresses
    .filter((address) => address.dev === link.name && fitsAddress(address, selection))
    .sort((a, b) => familyOf(a.cidr.ip) - familyOf(b.cidr.ip))

export function* showAddresses(context: Context, words: Words): Talk<Done> {
  const { ns, options } = context
  const stack = yield* lookAt(ns)
  const read = readSelection(words, stack, options)
  if (E.isLeft(read)) return read.left
  const selection = read.right
  const near = yield* around(ns, stack)
  // A dump of all is one of IPv6's own, which knows less of a link; one device is asked for as a link.
  const sixth = options.family === 6 && selection.dev === null
  const of = { ...options, family: selection.family }
  const one = (link: LinkFacts): ReadonlyArray<Piece> => {
    if (isPassedOver(link, selection)) return []
    const own = addressesOf(stack, link, selection)
    if (options.brief) {
      const lower = sixth ? nearLower(link, near) : lowerOf(link, near)
      return [...briefHead(link, lower), list('addr_info', own.map(briefAddress)), text('\n')]
    }
    const head = options.oneline ? [] : [...linkPieces(link, near, sixth ? 'inet6' : 'address', of), text('\n')]
    return [
      ...head,
      list(
        'addr_info',
        own.map((address) => addressPieces(address, link, options)),
      ),
    ]
  }
  const links = linksAsked(stack, selection).filter((link) => hasWhatFits(stack, link, selection))
  return shown(options, links.map(one))
}

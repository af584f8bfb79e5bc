// `ip address add`, `replace`, `delete` and `flush`. Source: ip-address(8); iproute2 6.1, ip/ipaddress.c (ipaddr_modify).

import type { AddressRequest, Scope } from '../../kernel/rtnl/request.ts'
import type { Stack } from '../../kernel/rtnl/stack.ts'
import type { Cidr } from '../../net/cidr.ts'
import { type Family, familyOf, type Ip, type Ip4, isIp4, showIp } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { answers, type Context, linkCalled, lookAt, refusalText, telling } from '../context.ts'
import { absentHere, type Done, failed, QUIET, type Read, refuse } from '../done.ts'
import { duplicate, garbage, incomplete, type Keyword, readWords, type Taken } from '../keyword.ts'
import type { Words } from '../match.ts'
import { scopeOf } from '../names.ts'
import { asking, type Talk } from '../terminal.ts'
import { numberIn, readAddress, readPrefix, U32 } from '../value.ts'
import { fitsAddress, isPassedOver, linksAsked, readSelection } from './selection.ts'

type AddressWords = Readonly<{
  family: Family | null
  local: Readonly<{ cidr: Cidr; whole: boolean; text: string }> | null
  peer: Readonly<{ cidr: Cidr; whole: boolean }> | null
  broadcast: Ip | '+' | '-' | null
  scope: number | null
  dev: string | null
  label: string | null
  metric: number | null
  nodad: boolean
  noprefixroute: boolean
}>

const NO_WORDS: AddressWords = {
  family: null,
  local: null,
  peer: null,
  broadcast: null,
  scope: null,
  dev: null,
  label: null,
  metric: null,
  nodad: false,
  noprefixroute: false,
}

const readMetric = numberIn(U32, '"metric" value is invalid\n')

const KEYWORDS: ReadonlyArray<Keyword<AddressWords>> = [
  {
    is: ['peer', 'remote'],
    take: (text, { family, peer }) => {
      if (peer !== null) return duplicate('peer', text)
      const prefix = readPrefix(text, family)
      if (E.isLeft(prefix)) return prefix
      const { cidr, whole } = prefix.right
      return E.right({ peer: { cidr, whole }, family: family ?? familyOf(cidr.ip) })
    },
  },
  {
    is: ['broadcast', 'brd'],
    short: true,
    take: (text, { family, broadcast }) => {
      if (broadcast !== null) return duplicate('broadcast', text)
      if (text === '+' || text === '-') return E.right({ broadcast: text })
      const ip = readAddress(text, family)
      return E.isLeft(ip) ? ip : E.right({ broadcast: ip.right, family: family ?? familyOf(ip.right) })
    },
  },
  {
    is: 'scope',
    take: (text) => {
      const scope = scopeOf(text)
      // Without the empty line that others have behind them.
      return scope === null
        ? refuse(255, `Error: argument "${text}" is wrong: invalid scope value.`)
        : E.right({ scope })
    },
  },
  { is: 'dev', take: (dev) => E.right({ dev }) },
  { is: 'label', take: (label) => E.right({ label }) },
  {
    is: ['metric', 'priority', 'preference'],
    short: true,
    take: (text) => E.map((metric: number) => ({ metric }))(readMetric(text)),
  },
  { is: 'nodad', set: { nodad: true } },
  { is: 'noprefixroute', set: { noprefixroute: true } },
  {
    is: ['valid_lft', 'preferred_lft', 'anycast', 'proto'],
    take: (value) => absentHere(`an address with a lifetime, an anycast address or a protocol (${value})`),
  },
  {
    is: ['home', 'mngtmpaddr', 'autojoin', 'optimistic'],
    rest: () => absentHere('the flags home, mngtmpaddr, autojoin and optimistic of an address'),
  },
]

const ADDRESS_USAGE = 'Usage: ip address { add | replace | delete | show | flush } ...; see ip-address(8)'

const local = (words: Words, { family, local: before }: AddressWords): Taken<AddressWords> => {
  const named = words[0] === 'local'
  const word = named ? words[1] : words[0]
  if (word === undefined) return incomplete()
  if (word === 'help') return refuse(255, ADDRESS_USAGE)
  if (before !== null) return garbage('local', word)
  const prefix = readPrefix(word, family)
  if (E.isLeft(prefix)) return prefix
  const { cidr, whole } = prefix.right
  return E.right({
    set: { local: { cidr, whole, text: word }, family: family ?? familyOf(cidr.ip) },
    left: words.slice(named ? 2 : 1),
  })
}

const WILDCARD = (text: string): string => `Warning: Executing wildcard deletion to stay compatible with old scripts.
         Explicitly specify the prefix length (${text}) to avoid this warning.
         This special behaviour is likely to disappear in further releases,
         fix your scripts!
`

/** Without a prefix length a deletion of IPv4 takes the first address of that number, whatever its prefix. */
const wildcard = (stack: Stack, dev: string, ip: Ip): Cidr =>
  stack.addresses.find((address) => address.dev === dev && address.cidr.ip === ip)?.cidr ?? { ip, bits: 32 }

type Verb = AddressRequest['do']

const broadcastOf = ({ broadcast, family }: AddressWords, verb: Verb): Read<Ip4 | '+' | undefined> => {
  if (broadcast === null || broadcast === '-') return E.right(undefined)
  if (broadcast === '+')
    return verb !== 'delete' && family !== 4 ? refuse(1, 'Broadcast can be set only for IPv4 addresses') : E.right('+')
  return isIp4(broadcast) ? E.right(broadcast) : refuse(1, 'Broadcast can be set only for IPv4 addresses')
}

export function* modifyAddress(context: Context, verb: Verb, words: Words): Talk<Done> {
  const stack = yield* lookAt(context.ns)
  const read = readWords(words, { ...NO_WORDS, family: context.options.family }, KEYWORDS, local)
  if (E.isLeft(read)) return read.left
  const { local: own, peer, dev, scope, label, metric, nodad, noprefixroute } = read.right
  if (dev === null) return failed(1, 'Not enough information: "dev" argument is required.')
  const broadcast = broadcastOf(read.right, verb)
  if (E.isLeft(broadcast)) return broadcast.left
  const link = linkCalled(stack, dev)
  if (link === null) return failed(1, `Cannot find device "${dev}"`)
  if (own === null) return answers('EOPNOTSUPP')
  const wild = verb === 'delete' && own.whole && peer === null && isIp4(own.cidr.ip)
  const bits = peer === null ? own.cidr.bits : peer.cidr.bits
  const ask: AddressRequest = {
    on: 'address',
    do: verb,
    dev: link.name,
    cidr: wild ? wildcard(stack, link.name, own.cidr.ip) : { ip: own.cidr.ip, bits },
    ...(peer === null || peer.cidr.ip === own.cidr.ip ? {} : { peer: peer.cidr.ip }),
    ...(broadcast.right === undefined ? {} : { broadcast: broadcast.right }),
    // Cast: a number is a scope.
    ...(scope === null ? {} : { scope: scope as Scope }),
    ...(label === null ? {} : { label }),
    ...(metric === null ? {} : { metric }),
    ...(nodad ? { nodad } : {}),
    ...(noprefixroute ? { noprefixroute } : {}),
  }
  const done = yield* telling(context, ask)
  return wild ? { ...done, stderr: WILDCARD(`${showIp(own.cidr.ip)}/32`) + done.stderr } : done
}

/** A flush is told ten times that there is more to do, and gives up. */
const ROUNDS = 10

/** Secondary addresses may go with their primary one. */
export function* flushAddresses(context: Context, words: Words): Talk<Done> {
  const { ns, options } = context
  if (words.length === 0) return failed(1, 'Flush requires arguments.')
  for (let round = 0; round < ROUNDS; round++) {
    const stack = yield* lookAt(ns)
    const read = readSelection(words, stack, options)
    if (E.isLeft(read)) return read.left
    const selection = read.right
    const links = linksAsked(stack, selection).filter((link) => !isPassedOver(link, selection))
    const there = new Set<string>(links.map(({ name }) => name))
    const all = stack.addresses.filter((address) => there.has(address.dev) && fitsAddress(address, selection))
    if (all.length === 0) return QUIET
    for (const { dev, cidr, peer } of all) {
      const ask: AddressRequest = { on: 'address', do: 'delete', dev, cidr, ...(peer === null ? {} : { peer }) }
      const refusal = yield* asking((terminal) => terminal.ask({ ns, ask }))
      if (refusal !== null && refusal.errno !== 'EADDRNOTAVAIL') return failed(2, refusalText(refusal))
    }
  }
  return failed(1, `*** Flush remains incomplete after ${ROUNDS} rounds. ***`)
}

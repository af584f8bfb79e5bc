// What programs in the namespaces of stack-programs.ts send when all requests are done. A `Pick` is drawn before anybody knows which
// addresses there will be, so it says which by number; `aimed` makes it a `Try` at what the stacks hold then.

import fc from 'fast-check'
import type { LinkFacts, Stack } from '../../src/kernel/rtnl/stack.ts'
import type { SendOptions, Try } from '../../src/kernel/traffic.ts'
import { nthOf } from '../../src/net/cidr.ts'
import { type Ip, ip, isIp4, isLinkLocal, isLoopback, isMulticast, isUnspecified } from '../../src/net/ip.ts'
import { type IfName, type Ns, ns as namespace } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { often, present, seldom } from './choices.ts'

export type Stacks = Readonly<Record<string, Stack>>

/** Numbers stand for one of those there are. `length`: of the MTU of a device, and so much more. */
type Pick = Readonly<{
  send: 'ping' | 'udp' | 'tcp'
  sender: number
  target: number
  of: 'owned' | 'near' | 'strange'
  isOpen: boolean
  length?: Readonly<{ mtu: number; more: number }>
  from?: Readonly<{ of: 'own' | 'any'; which: number }>
  dev?: number
  ttl?: number
  df?: boolean
  tos?: number
  mark?: number
}>

const ANY = fc.nat(999)

const pick: fc.Arbitrary<Pick> = fc
  .record({
    send: fc.constantFrom('ping' as const, 'ping' as const, 'udp' as const, 'tcp' as const),
    sender: ANY,
    target: ANY,
    of: often(['owned' as const], ['near' as const], ['strange' as const]),
    isOpen: often([true], [false]),
    length: seldom(fc.record({ mtu: ANY, more: fc.constantFrom(-60, -50, -1, 0, 1, 1500) })),
    from: seldom(fc.record({ of: often(['own' as const], ['any' as const]), which: ANY })),
    dev: seldom(ANY),
    ttl: seldom(fc.constantFrom(1, 2, 3)),
    df: seldom(fc.boolean()),
    tos: seldom(fc.constant(0x10)),
    mark: seldom(fc.constant(3)),
  })
  .map(present)

/** More of them would be rationed: of five packets with no route a sender is told at once (ip_error). */
const MOST = 5
export const picks: fc.Arbitrary<ReadonlyArray<Pick>> = fc.array(pick, { minLength: 2, maxLength: MOST, size: 'max' })
export type Picks = ReadonlyArray<Pick>

const STRANGERS: ReadonlyArray<Ip> = [
  '10.0.0.9',
  '10.9.0.7',
  '10.77.0.1',
  '10.0.0.255',
  'fd00::9',
  'fd09::7',
  'fd77::1',
  '127.0.0.1',
  '::1',
  '0.0.0.0',
  '255.255.255.255',
].map(ip)

const addressesOf = ({ addresses }: Stack): ReadonlyArray<Ip> => addresses.map(({ cidr }) => cidr.ip)

const addressesIn = (stacks: Stacks, ns: Ns): ReadonlyArray<Ip> => {
  const stack = stacks[ns]
  return stack === undefined ? [] : addressesOf(stack)
}

/** Not the host's own, which every host has. */
const isWorthIt = (one: Ip): boolean => !isLoopback(one)

/** Whom a stack speaks of: the other ends, neighbours, remotes, whoever is first where a route leads to. */
const spokenOf = ({ addresses, neighbours, links, routes }: Stack): ReadonlyArray<Ip> => [
  ...addresses.flatMap(({ peer, broadcast }) => [peer, broadcast].filter((one) => one !== null)),
  ...neighbours.map((neighbour) => neighbour.ip),
  ...links.flatMap(({ kind }) => (kind.kind === 'vxlan' && kind.remote !== undefined ? [kind.remote] : [])),
  ...routes
    .filter(({ to, table }) => table !== 255 && to.bits > 0)
    .map(({ to }) => nthOf(to, isIp4(to.ip) && to.bits === 32 ? 0n : 1n)),
]

const isTarget = (one: Ip): boolean => !isMulticast(one) && !isUnspecified(one)

const nth = <A>(all: ReadonlyArray<A>, n: number): A | undefined => all[n % all.length]

const targetsOf = (stacks: Stacks, of: Pick['of']): ReadonlyArray<Ip> => {
  const all = Object.values(stacks)
  switch (of) {
    case 'owned':
      return all.flatMap(addressesOf).filter(isWorthIt)
    case 'near':
      return all.flatMap(spokenOf).filter(isTarget)
    case 'strange':
      return STRANGERS
  }
}

/** What is within a packet, without the headers of IP and what follows. */
const headersOf = (to: Ip, send: Pick['send']): number => (isIp4(to) ? 20 : 40) + (send === 'tcp' ? 20 : 8)

const LONGEST = 9000

const sizeOf = (links: ReadonlyArray<LinkFacts>, to: Ip, { send, length }: Pick): number | undefined => {
  if (length === undefined) return send === 'tcp' ? 100 : undefined
  const mtus = links.filter(({ mtu }) => mtu <= LONGEST).map(({ mtu }) => mtu)
  return Math.max(0, (nth(mtus, length.mtu) ?? 1500) + length.more - headersOf(to, send))
}

/** A link-local address is on some device. */
const devOf = ({ links }: Stack, to: Ip, { dev, target }: Pick): IfName | undefined =>
  dev !== undefined || isLinkLocal(to) ? nth(links, dev ?? target)?.name : undefined

/** The first of the ports that are asked for. */
const FIRST_PORT = 7000

/** Who has an address to send from, mostly. */
const senderOf = (stacks: Stacks, to: Ip, { sender }: Pick): Ns | undefined => {
  const all = Object.keys(stacks)
    .sort()
    .map((each) => namespace(each))
  const some = all.filter((ns) =>
    addressesIn(stacks, ns).some(
      (own) => isIp4(own) === isIp4(to) && isWorthIt(own) && isLinkLocal(own) === isLinkLocal(to),
    ),
  )
  return nth(some.length === 0 || sender % 8 === 0 ? all : some, sender >> 3)
}

/** Null: there is nobody to send. */
const oneAimed = (stacks: Stacks, picked: Pick, n: number): Try | null => {
  const targets = targetsOf(stacks, picked.of)
  const to = nth(targets.length === 0 ? STRANGERS : targets, picked.target)
  const ns = to === undefined ? undefined : senderOf(stacks, to, picked)
  const stack = ns === undefined ? undefined : stacks[ns]
  if (to === undefined || ns === undefined || stack === undefined) return null
  const sources = picked.from?.of === 'own' ? addressesOf(stack) : Object.values(stacks).flatMap(addressesOf)
  const fitting = sources.filter((one) => isIp4(one) === isIp4(to))
  const { ttl, df, tos, mark, send } = picked
  const options: SendOptions = present({
    ...{ ttl, df, tos, mark },
    from: picked.from === undefined ? undefined : nth(fitting, picked.from.which),
    size: sizeOf(stack.links, to, picked),
    dev: devOf(stack, to, picked),
  })
  if (send === 'ping') return { send, ns, to, ...options }
  const asked = port(FIRST_PORT + n)
  const owner = Object.keys(stacks).find((space) => addressesIn(stacks, namespace(space)).includes(to)) ?? ns
  return {
    ...{ send, ns, to, port: asked },
    listener: picked.isOpen ? { ns: namespace(owner), port: asked } : null,
    ...options,
  }
}

export const aimed = (stacks: Stacks, some: Picks): ReadonlyArray<Try> =>
  some.flatMap((picked, n) => oneAimed(stacks, picked, n) ?? [])

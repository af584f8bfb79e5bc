// Words of options as values: addresses, pairs, numbers. What is wrong is said with the option's name.

import { startOf } from '../../compose/at.ts'
import { printable } from '../../compose/error.ts'
import { parseShortPort } from '../../compose/normalise/port.ts'
import type { CreateEndpoint, PoolSpec, PortRequest } from '../../model/command.ts'
import type { Link, StaticRoute } from '../../model/types.ts'
import { type Cidr, cidrFamily, contains, covers, parseCidr, showCidr } from '../../net/cidr.ts'
import { type Ip, type Ip4, type Ip6, isIp4, isIp6, parseIp, showIp } from '../../net/ip.ts'
import { parseMac } from '../../net/mac.ts'
import { allOf, E, type Either, traverse } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import type { Problem } from '../problem.ts'

/** The command line is wrong. */
export const misused = (line: string): Either<Problem, never> =>
  E.left({ exit: EXIT.wrong, lines: [printable(`cnm: ${line}`)] })

/** A word of an option. `parse` says what is wrong as a clause. */
export const read = <A>(
  option: string,
  text: string,
  parse: (text: string) => Either<string, A>,
): Either<Problem, A> => {
  const value = parse(text)
  return E.isLeft(value) ? misused(`${option}: ${value.left}`) : value
}

/** Null: it was not given. */
export const optional = <A>(
  option: string,
  text: string | undefined,
  parse: (text: string) => Either<string, A>,
): Either<Problem, A | null> => (text === undefined ? E.right(null) : read(option, text, parse))

const parseIp4 = (text: string): Either<string, Ip4> => {
  const ip = parseIp(text)
  return E.isRight(ip) && isIp4(ip.right) ? E.right(ip.right) : E.left(`"${text}" is not an IPv4 address`)
}
const parseIp6 = (text: string): Either<string, Ip6> => {
  const ip = parseIp(text)
  return E.isRight(ip) && isIp6(ip.right) ? E.right(ip.right) : E.left(`"${text}" is not an IPv6 address`)
}

/** A name or a setting in a file whose lines are parted at blanks: hosts(5), resolv.conf(5). */
export const oneWord = (text: string): Either<string, string> =>
  /^[^\s\p{Cc}]+$/u.test(text) ? E.right(text) : E.left(`"${text}" is not one word`)

export const readWords = (option: string, texts: ReadonlyArray<string> = []): Either<Problem, ReadonlyArray<string>> =>
  traverse(texts, (text) => read(option, text, oneWord))

/** The options of an endpoint that is to be made, as written. */
export type EndpointWords = Readonly<{
  ip?: string
  ip6?: string
  alias?: ReadonlyArray<string>
  linkLocalIp?: ReadonlyArray<string>
  macAddress?: string
}>
type Wishes = Pick<CreateEndpoint, 'ipv4' | 'ipv6' | 'mac' | 'aliases' | 'linkLocal'>

export const readWishes = (words: EndpointWords): Either<Problem, Wishes> =>
  allOf({
    ipv4: optional('--ip', words.ip, parseIp4),
    ipv6: optional('--ip6', words.ip6, parseIp6),
    mac: optional('--mac-address', words.macAddress, parseMac),
    aliases: readWords('--alias', words.alias),
    linkLocal: traverse(words.linkLocalIp ?? [], (text) => read('--link-local-ip', text, parseIp)),
  })

const PRIORITY = /^-?[0-9]{1,9}$/
export const readPriority = (text: string | undefined): Either<Problem, number> =>
  text === undefined
    ? E.right(0)
    : read('--gw-priority', text, (each) =>
        PRIORITY.test(each) ? E.right(Number(each)) : E.left(`"${each}" is not a whole number`),
      )

/** `KEY=VALUE`; a lone KEY has an empty value, as Docker reads it. Of two for one key the later counts. */
export const readPairs = (
  option: string,
  texts: ReadonlyArray<string> = [],
): Either<Problem, Readonly<Record<string, string>>> => {
  const pairs = traverse(texts, (text): Either<Problem, readonly [string, string]> => {
    const [, key = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(text) ?? []
    return key === '' ? misused(`${option}: "${text}" has no key; write KEY=VALUE`) : E.right([key, value])
  })
  return E.isLeft(pairs) ? pairs : E.right(Object.fromEntries(pairs.right))
}

/** `ENDPOINT[:ALIAS]`. */
export const readLinks = (texts: ReadonlyArray<string> = []): Either<Problem, ReadonlyArray<Link>> =>
  traverse(texts, (text) =>
    read('--link', text, (each) => {
      const [, to = '', alias = null] = /^([^:\s\p{Cc}]+)(?::([^:\s\p{Cc}]+))?$/u.exec(each) ?? []
      return to === '' ? E.left(`"${each}" is not an endpoint such as db or db:database`) : E.right({ to, alias })
    }),
  )

/** `DESTINATION[=NEXT-HOP]`. */
export const readRoutes = (texts: ReadonlyArray<string> = []): Either<Problem, ReadonlyArray<StaticRoute>> =>
  traverse(texts, (text) => {
    const [destination = '', hop] = text.split(/=(.*)/s)
    return allOf({ to: read('--route', destination, parseCidr), via: optional('--route', hop, parseIp) })
  })

/** `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, with ranges. */
export const readPorts = (texts: ReadonlyArray<string> = []): Either<Problem, ReadonlyArray<PortRequest>> => {
  const ports = traverse(texts, (text) => read('-p', text, (each) => parseShortPort(each, startOf('-p'))))
  if (E.isLeft(ports)) return ports
  return E.right(
    ports.right
      .flat()
      .map(({ hostIp, hostPorts, containerPort, transport }) => ({ hostIp, hostPorts, containerPort, transport })),
  )
}

/** The options of `network create` that are about pools, as written. */
export type PoolWords = Readonly<{
  subnet?: ReadonlyArray<string>
  gateway?: ReadonlyArray<string>
  ipRange?: ReadonlyArray<string>
  auxAddress?: ReadonlyArray<string>
  ipv4: boolean
  ipv6: boolean
}>

type Part = Readonly<{ option: string; shown: string; within: (subnet: Cidr) => boolean }>

const homeless = (subnets: ReadonlyArray<Cidr>, parts: ReadonlyArray<Part>): Either<Problem, void> => {
  const lost = parts.find(({ within }) => !subnets.some(within))
  if (lost === undefined) return E.right(undefined)
  return subnets.length === 0
    ? misused(`${lost.option} ${lost.shown} needs a subnet that holds it; add --subnet`)
    : misused(`${lost.option} ${lost.shown} is in no --subnet: ${subnets.map(showCidr).join(', ')}`)
}

const unwanted = (subnets: ReadonlyArray<Cidr>, { ipv4, ipv6 }: PoolWords): Either<Problem, void> => {
  const of = (family: 4 | 6): Cidr | undefined => subnets.find((each) => cidrFamily(each) === family)
  const six = of(6)
  const four = of(4)
  if (!ipv6 && six !== undefined) return misused(`--subnet ${showCidr(six)} is IPv6; add --ipv6`)
  if (!ipv4 && four !== undefined)
    return misused(`--subnet ${showCidr(four)} is IPv4, which --ipv4=false turns off; leave out one of them`)
  return E.right(undefined)
}

/** Each gateway, range and auxiliary address belongs to the subnet that holds it, as in Docker. */
export const readPools = (words: PoolWords): Either<Problem, ReadonlyArray<PoolSpec>> => {
  const subnets = traverse(words.subnet ?? [], (text) => read('--subnet', text, parseCidr))
  const gateways = traverse(words.gateway ?? [], (text) => read('--gateway', text, parseIp))
  const ranges = traverse(words.ipRange ?? [], (text) => read('--ip-range', text, parseCidr))
  const pairs = readPairs('--aux-address', words.auxAddress)
  if (E.isLeft(subnets)) return subnets
  if (E.isLeft(gateways)) return gateways
  if (E.isLeft(ranges)) return ranges
  if (E.isLeft(pairs)) return pairs
  const aux = traverse(Object.entries(pairs.right), ([name, text]) =>
    E.map((ip: Ip) => [name, ip] as const)(read(`--aux-address ${name}`, text, parseIp)),
  )
  if (E.isLeft(aux)) return aux
  const parts: ReadonlyArray<Part> = [
    ...gateways.right.map((ip) => ({ option: '--gateway', shown: showIp(ip), within: (s: Cidr) => contains(s, ip) })),
    ...ranges.right.map((r) => ({ option: '--ip-range', shown: showCidr(r), within: (s: Cidr) => covers(s, r) })),
    ...aux.right.map(([, ip]) => ({
      option: '--aux-address',
      shown: showIp(ip),
      within: (s: Cidr) => contains(s, ip),
    })),
  ]
  const housed = homeless(subnets.right, parts)
  if (E.isLeft(housed)) return housed
  const sensible = unwanted(subnets.right, words)
  if (E.isLeft(sensible)) return sensible
  const written = subnets.right.map(
    (subnet): PoolSpec => ({
      family: cidrFamily(subnet),
      subnet,
      range: ranges.right.find((range) => covers(subnet, range)) ?? null,
      gateway: gateways.right.find((ip) => contains(subnet, ip)) ?? null,
      aux: Object.fromEntries(aux.right.filter(([, ip]) => contains(subnet, ip))),
    }),
  )
  const free = ([4, 6] as const)
    .filter((family) => (family === 4 ? words.ipv4 : words.ipv6) && !written.some((pool) => pool.family === family))
    .map((family): PoolSpec => ({ family, subnet: null, range: null, gateway: null, aux: {} }))
  return E.right([...written, ...free])
}

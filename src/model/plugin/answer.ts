// Reading what a plugin answered. As in Go, a field that is absent is empty and one that is unknown is passed over; what is
// there must be of its type, and must not contradict what was asked. Source: libnetwork's drivers/remote/driver.go.

import { type Cidr, isNetwork, parseCidr } from '../../net/cidr.ts'
import { type Ip, type Ip4, type Ip6, isIp4, isIp6, parseIp } from '../../net/ip.ts'
import { type IfName, parseIfName } from '../../net/name.ts'
import { E, type Either, traverse } from '../../prelude.ts'
import type { StaticRoute } from '../types.ts'
import type { PluginBody, PluginInterface } from './protocol.ts'

/** What a plugin says of a join: the device to bring inside, what to call it there, and the ways out through it. */
export type Joined = Readonly<{
  device: IfName | null
  prefix: string
  gateway4: Ip4 | null
  gateway6: Ip6 | null
  routes: ReadonlyArray<StaticRoute>
}>

/** Of a call other than Join there is nothing to know but that it was obeyed. */
export type PluginAnswer = Joined | null

type Fields = Readonly<Record<string, unknown>>
const isFields = (json: unknown): json is Fields => typeof json === 'object' && json !== null && !Array.isArray(json)

const wrong = (field: string, expected: string): Either<string, never> => E.left(`${field}: ${expected} expected`)

const object = (fields: Fields, name: string): Either<string, Fields> => {
  const value = fields[name] ?? {}
  return isFields(value) ? E.right(value) : wrong(name, 'an object')
}

const list = (fields: Fields, name: string): Either<string, ReadonlyArray<unknown>> => {
  const value = fields[name] ?? []
  return Array.isArray(value) ? E.right(value) : wrong(name, 'a list')
}

const text = (fields: Fields, name: string): Either<string, string> => {
  const value = fields[name] ?? ''
  return typeof value === 'string' ? E.right(value) : wrong(name, 'a text')
}

/** A text that a parser takes; "" is null. */
const parsed =
  <A>(parse: (written: string) => Either<unknown, A>, expected: string) =>
  (fields: Fields, name: string): Either<string, A | null> => {
    const written = text(fields, name)
    if (E.isLeft(written)) return written
    if (written.right === '') return E.right(null)
    const value = parse(written.right)
    return E.isLeft(value) ? wrong(name, expected) : value
  }

const ofFamily =
  <A extends Ip>(is: (ip: Ip) => ip is A) =>
  (written: string): Either<unknown, A> => {
    const ip = parseIp(written)
    if (E.isLeft(ip)) return ip
    return is(ip.right) ? E.right(ip.right) : E.left(null)
  }

const prefix = (written: string): Either<unknown, Cidr> => {
  const cidr = parseCidr(written)
  return E.isRight(cidr) && !isNetwork(cidr.right) ? E.left(null) : cidr
}

const device = parsed(parseIfName, 'the name of a device')
const gateway4 = parsed(ofFamily(isIp4), 'an IPv4 address')
const gateway6 = parsed(ofFamily(isIp6), 'an IPv6 address')
const destination = parsed(prefix, 'a prefix')
const nextHop = parsed(parseIp, 'an address')

/** `RouteType` 0 has a next hop, 1 has none. */
const readRoute = (json: unknown): Either<string, StaticRoute> => {
  if (!isFields(json)) return wrong('StaticRoutes', 'a list of objects')
  const to = destination(json, 'Destination')
  if (E.isLeft(to)) return to
  if (to.right === null) return wrong('Destination', 'a prefix')
  const via = nextHop(json, 'NextHop')
  if (E.isLeft(via)) return via
  const type = json['RouteType'] ?? 0
  if (type !== 0 && type !== 1) return wrong('RouteType', '0 or 1')
  if ((type === 0) === (via.right === null)) return wrong('NextHop', type === 0 ? 'an address' : 'nothing')
  return E.right({ to: to.right, via: via.right })
}

const readJoin = (json: Fields): Either<string, Joined> => {
  const names = object(json, 'InterfaceName')
  if (E.isLeft(names)) return names
  const source = device(names.right, 'SrcName')
  if (E.isLeft(source)) return source
  const inside = text(names.right, 'DstPrefix')
  if (E.isLeft(inside)) return inside
  const way4 = gateway4(json, 'Gateway')
  if (E.isLeft(way4)) return way4
  const way6 = gateway6(json, 'GatewayIPv6')
  if (E.isLeft(way6)) return way6
  const listed = list(json, 'StaticRoutes')
  if (E.isLeft(listed)) return listed
  const routes = traverse(listed.right, readRoute)
  if (E.isLeft(routes)) return routes
  return E.right({
    device: source.right,
    prefix: inside.right,
    gateway4: way4.right,
    gateway6: way6.right,
    routes: routes.right,
  })
}

const INTERFACE: ReadonlyArray<keyof PluginInterface> = ['Address', 'AddressIPv6', 'MacAddress']

/** A plugin may fill in what was left to it, and change nothing else. */
const readInterface = (json: Fields, asked: PluginInterface): Either<string, null> => {
  const given = object(json, 'Interface')
  if (E.isLeft(given)) return given
  for (const field of INTERFACE) {
    const value = text(given.right, field)
    if (E.isLeft(value)) return value
    if (value.right !== '' && value.right !== asked[field])
      return E.left(`${field}: it was "${asked[field]}", and is not the plugin's to change to "${value.right}"`)
  }
  return E.right(null)
}

/** Left: what is wrong with it, as a clause. */
export const readAnswer = (asked: PluginBody, json: unknown): Either<string, PluginAnswer> => {
  if (!isFields(json)) return E.left('it is no JSON object')
  if (asked.Method === 'Join') return readJoin(json)
  return asked.Method === 'CreateEndpoint' ? readInterface(json, asked.Interface) : E.right(null)
}

// dnat, snat, masquerade, redirect: where to, and of which family.
// Sources: nft(8) "NAT STATEMENTS"; nftables src/evaluate.c (stmt_evaluate_nat, nat_evaluate_family, nat_evaluate_transport).

import { E } from '../../../prelude.ts'
import { type Type, typeNamed } from '../datatype.ts'
import type { Place } from '../error.ts'
import type { NatFlag, Statement, Target, Translation } from '../expression.ts'
import { typesOf } from '../field.ts'
import type { Context } from './context.ts'
import { mapSource } from './match.ts'
import { rawPart } from './raw.ts'
import { operandOf } from './resolve.ts'
import { expression, startsSelector } from './selector.ts'
import { commaList } from './word.ts'

type Kind = Translation['kind']
type NatFamily = 'ip' | 'ip6'

const PORT = typeNamed('inet_service')

const target = (context: Context, type: Type, withPort: boolean): Target => {
  const { cursor } = context
  if (startsSelector(context)) {
    const of = expression(context)
    if (!cursor.take('map')) return { tag: 'map', of }
    const key = typesOf(of) ?? [typeNamed('integer')]
    const map = mapSource(context, key, (parts) => (withPort && parts === 2 ? [type, PORT] : [type]))
    return { tag: 'map', of: { tag: 'map', key: of, map } }
  }
  const operand = operandOf(type, rawPart(cursor), cursor.host)
  if (E.isLeft(operand)) {
    cursor.note(operand.left)
    return { tag: 'range', from: 0, to: 0 }
  }
  switch (operand.right.tag) {
    case 'value':
      return { tag: 'range', from: operand.right.value, to: operand.right.value }
    case 'range':
    case 'prefix':
      return operand.right
    default:
      return { tag: 'range', from: 0, to: 0 }
  }
}

const port = (context: Context, at: Place): Target => {
  const isKnown = context.transport !== null
  const found = target(context, PORT, false)
  if (!isKnown) context.cursor.meaning('transport protocol mapping is only valid after transport protocol match', at)
  return found
}

/** Whether a map gives a port besides the address. */
export const givesPort = (address: Target | null): boolean =>
  address?.tag === 'map' &&
  address.of.tag === 'map' &&
  address.of.map.tag === 'anonymous' &&
  address.of.map.data !== 'verdict' &&
  address.of.map.data?.length === 2

const familyFor = (context: Context, said: NatFamily | null, at: Place): NatFamily => {
  const { cursor, family, network } = context
  const own = family === 'ip' || family === 'ip6' ? family : null
  const known = own ?? (network === 'ip' || network === 'ip6' ? network : null)
  if (said !== null && known !== null && said !== known)
    cursor.meaning(
      `conflicting protocols specified: ${known} vs. ${said}. You must specify ip or ip6 family in nat statement`,
      at,
    )
  if (said === null && known === null) cursor.meaning('ip or ip6 must be specified with address for inet tables.', at)
  return said ?? known ?? 'ip'
}

const NAT_FLAGS: ReadonlyArray<NatFlag> = ['random', 'fully-random', 'persistent']

const flags = ({ cursor }: Context): ReadonlyArray<NatFlag> => {
  if (!cursor.isNext(...NAT_FLAGS)) return []
  const found = commaList(cursor, () => {
    const flag = NAT_FLAGS.find((each) => cursor.isNext(each))
    if (flag === undefined) cursor.refuse()
    cursor.next()
    return flag ?? 'random'
  })
  return NAT_FLAGS.filter((flag) => found.includes(flag))
}

const saidFamily = ({ cursor }: Context): NatFamily | null => {
  const family = cursor.peek().text
  // `dnat ip saddr map ...` begins with a field; `dnat ip to` and `dnat ip addr . port to` with a family.
  if ((family !== 'ip' && family !== 'ip6') || !['to', 'addr', 'prefix', 'interval'].includes(cursor.second().text))
    return null
  cursor.next()
  if (cursor.isNext('prefix', 'interval')) cursor.foreign('translation of prefixes', cursor.next().at)
  if (cursor.take('addr')) {
    cursor.expect('.')
    cursor.expect('port')
  }
  return family
}

const toAddress = (context: Context, kind: Kind, at: Place): Translation => {
  const { cursor } = context
  const said = saidFamily(context)
  cursor.take('to')
  if (cursor.isNext(':')) {
    const where = cursor.next().at
    return { kind, family: null, address: null, port: port(context, where), flags: flags(context) }
  }
  const family = familyFor(context, said, at)
  const address = target(context, typeNamed(family === 'ip' ? 'ipv4_addr' : 'ipv6_addr'), true)
  if (givesPort(address) && context.transport === null)
    cursor.meaning('transport protocol mapping is only valid after transport protocol match', cursor.since(at))
  const where = cursor.peek().at
  const toPort = cursor.take(':') ? port(context, where) : null
  const isListed = context.family !== 'ip' && context.family !== 'ip6'
  return {
    kind,
    family: isListed || givesPort(address) ? family : null,
    address,
    port: toPort,
    flags: flags(context),
  }
}

const toPort = (context: Context, kind: Kind): Translation => {
  const { cursor } = context
  const { at } = cursor.peek()
  let found: Target | null = null
  if (cursor.take('to')) {
    if (kind === 'masquerade') cursor.expect(':')
    else cursor.take(':')
    found = port(context, at)
  }
  return { kind, family: null, address: null, port: found, flags: flags(context) }
}

/** The statement after its word. */
export const translation = (context: Context, kind: Kind, at: Place): Statement => {
  const { family } = context
  if (family !== 'ip' && family !== 'ip6' && family !== 'inet')
    context.cursor.meaning('NAT is only supported for IPv4/IPv6', at)
  return {
    tag: 'nat',
    translation: kind === 'dnat' || kind === 'snat' ? toAddress(context, kind, at) : toPort(context, kind),
  }
}

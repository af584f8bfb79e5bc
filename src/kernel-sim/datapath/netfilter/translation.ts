// The NAT hooks: a fresh conversation's chains decide once where its ends are to be, and every packet is translated by that.
// Sources: net/netfilter/nf_nat_core.c (nf_nat_inet_fn), nf_nat_masquerade.c, nf_nat_redirect.c, nft_nat.c.

import { type Ip, ip4, ip6, isIp4, isLinkLocal } from '../../../net/ip.ts'
import { askChain } from '../../nft/evaluate.ts'
import type { Bounds, Wish } from '../../nft/sight.ts'
import type { HookAt, Space } from '../plane.ts'
import type { Held } from '../skb.ts'
import { drop, note, type RuleAt } from '../step.ts'
import type { Range } from './address.ts'
import { type Asked, placeOf, type Stage } from './asked.ts'
import type { Connection } from './connection.ts'
import { applied, type Passing } from './effects.ts'
import { bind, bindNowhere, translate } from './nat.ts'
import { type Part, quotedBy } from './rewrite.ts'

type NatStage = Stage & { tag: 'nat' }

/** The first address of a device that a redirected packet can be for: of IPv6, one as far-reaching as the one it was for. */
const ownAddress = ({ iif, hook }: HookAt, dst: Ip): Ip | null => {
  if (hook === 'output') return isIp4(dst) ? ip4(0x7f000001) : ip6(1n)
  const own = iif?.link.addresses.find(
    ({ cidr: { ip } }) => isIp4(ip) === isIp4(dst) && (isIp4(ip) || isLinkLocal(ip) === isLinkLocal(dst)),
  )
  return own?.cidr.ip ?? null
}

// Casts: a rule that translates gives addresses of the packet's family, and ports.
const addressesOf = (bounds: Bounds): Range<Ip> => bounds as Range<Ip>
const portsOf = (bounds: Bounds): Range<number> => bounds as Range<number>

/** Where a rule wants the packet's end to be; null: there is no such place here, and Linux drops the packet. */
const placeFor = (at: HookAt, { packet }: Held, { kind, address }: Wish, stays: Ip): Range<Ip> | null => {
  switch (kind) {
    case 'dnat':
    case 'snat':
      return address === null ? { from: stays, to: stays } : addressesOf(address)
    case 'redirect': {
      const own = ownAddress(at, packet.dst)
      return own === null ? null : { from: own, to: own }
    }
    case 'masquerade': {
      const source =
        at.oif === null ? null : at.oif.space.plane.parts.selectSource(at.oif, packet.dst, at.next ?? packet.dst)
      return source === null ? null : { from: source, to: source }
    }
  }
}

const bindAsWished = (space: Space, connection: Connection, part: Part, wish: Wish, address: Range<Ip>): void => {
  const { port, flags } = wish
  bind(space, connection, part, {
    address,
    port: port === null ? null : portsOf(port),
    random: flags.includes('random') || flags.includes('fully-random'),
    persistent: flags.includes('persistent'),
  })
}

const isDone = (connection: Connection, part: Part): boolean =>
  part === 'source' ? connection.sourceDone : connection.destinationDone

/** The packet after its conversation's translation was decided, and by which rule. Null: it may not go on, and that was told. */
const decide = (
  space: Space,
  asked: Asked,
  at: HookAt,
  given: Held,
  connection: Connection,
  stage: NatStage,
  passing: Passing,
): Readonly<{ held: Held; by: RuleAt | null }> | null => {
  const dev = at.oif ?? at.iif
  let held = given
  for (const chain of stage.chains) {
    asked.sight.packet = held.packet
    asked.sight.meta = held.meta
    const decision = askChain(asked.run, chain, asked.sight)
    if (asked.run.effects.length > 0) held = applied(space, asked, at, held, passing)
    if (decision.tag === 'drop' || decision.tag === 'reject') {
      const by = placeOf(space, decision.by ?? decision.base, at.hook)
      drop(space, dev, 'netfilter', held.packet, { tag: 'rule', at: by })
      return null
    }
    if (decision.tag !== 'translate') continue
    const { wish } = decision
    const stays = stage.part === 'source' ? connection.reply.dst : connection.reply.src
    const address = placeFor(at, held, wish, stays)
    if (address === null) {
      drop(space, dev, 'netfilter', held.packet, { tag: 'no-source', to: held.packet.dst })
      return null
    }
    bindAsWished(space, connection, stage.part, wish, address)
    return { held, by: space.plane.watch === null ? null : placeOf(space, decision.by, at.hook) }
  }
  bindNowhere(space, connection, stage.part)
  return { held, by: null }
}

/** Takes a packet through the NAT hook. Null: it ended there, and that was told. */
export const translated = (
  space: Space,
  asked: Asked,
  at: HookAt,
  given: Held,
  stage: NatStage,
  passing: Passing,
): Held | null => {
  const { flow } = given.meta
  if (flow === null || flow.connection === null) return given
  let held = given
  let by: RuleAt | null = null
  if (flow.state === 'new' && !isDone(flow.connection, stage.part)) {
    const decided = decide(space, asked, at, given, flow.connection, stage, passing)
    if (decided === null) return null
    held = decided.held
    by = decided.by
  }
  const packet = translate(held.packet, flow, stage.part)
  if (packet === held.packet) return held
  if (space.plane.watch !== null) {
    const part = quotedBy(packet) === null ? stage.part : 'quoted'
    note(space, at.oif ?? at.iif, 'netfilter', packet, { tag: 'translated', part, before: held.packet, by })
  }
  return { packet, meta: held.meta }
}

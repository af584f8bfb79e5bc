// What a rule that translates or rejects asks for, as functions of a packet.
// Sources: net/netfilter/nft_nat.c, nft_masq.c, nft_redir.c, nft_reject.c, nft_reject_inet.c.

import type { Datum } from './datatype.ts'
import type { Reject, Target, Translation } from './expression.ts'
import type { Run, Spot } from './run.ts'
import type { Bounds, Field, Wish } from './sight.ts'
import { dataFinder, valuesOf } from './value.ts'

const IPV4 = 2
const IPV6 = 10
const TCP = 6
const NFPROTO: Field = { tag: 'meta', key: 'nfproto' }
const L4PROTO: Field = { tag: 'meta', key: 'l4proto' }

const isFamily = ({ sight }: Run, family: 'ip' | 'ip6' | null): boolean =>
  family === null || sight.field(NFPROTO) === (family === 'ip' ? IPV4 : IPV6)

/** Whether a packet can be rejected so. */
export const mayReject = (run: Run, reject: Reject): boolean => {
  switch (reject.with) {
    case 'icmp':
      return isFamily(run, 'ip')
    case 'icmpv6':
      return isFamily(run, 'ip6')
    case 'tcp reset':
      return run.sight.field(L4PROTO) === TCP
    case 'icmpx':
      return true
  }
}

const lastOf = (value: Datum, bits: number): Datum =>
  typeof value === 'bigint' ? value | ((1n << BigInt(128 - bits)) - 1n) : Number(value) + 2 ** (32 - bits) - 1

type BoundsOf = (run: Run) => ReadonlyArray<Bounds> | null
const NO_BOUNDS: ReadonlyArray<Bounds> = []

/** The bounds that a target has, one for each part that it gives; null: its map has none. */
const boundsOf = (target: Target | null, spot: Spot): BoundsOf => {
  if (target === null) return () => NO_BOUNDS
  switch (target.tag) {
    case 'range': {
      const bounds = [{ from: target.from, to: target.to }]
      return () => bounds
    }
    case 'prefix': {
      const bounds = [{ from: target.value, to: lastOf(target.value, target.bits) }]
      return () => bounds
    }
    case 'map': {
      if (target.of.tag === 'map') {
        const find = dataFinder(target.of.key, target.of.map, spot)
        return (run) => {
          const data = find(run)
          return data?.tag === 'values' ? data.values : null
        }
      }
      const values = valuesOf(target.of, spot)
      return (run) => values(run)?.map((value) => ({ from: value, to: value })) ?? null
    }
  }
}

/** Null: the rule does not match. */
export const wishOf = (
  { kind, family, address, port, flags }: Translation,
  spot: Spot,
): ((run: Run) => Wish | null) => {
  const addresses = boundsOf(address, spot)
  const ports = boundsOf(port, spot)
  return (run) => {
    if (!isFamily(run, family)) return null
    const to = addresses(run)
    const toPort = to === null ? null : ports(run)
    if (to === null || toPort === null) return null
    return { kind, address: to[0] ?? null, port: toPort[0] ?? to[1] ?? null, flags }
  }
}

// `ip -s -j link show`: what passed every device of a namespace, foreign ones too.

import type { Counters, Traffic } from '../../kernel/kernel.ts'
import { parseIfName } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { fields, list, text } from './json.ts'

/** The kernel counts to 2^64; what a number cannot hold exactly is rounded. */
const count = (value: unknown): number => (typeof value === 'number' ? value : 0)

const trafficOf = (value: unknown): Traffic => {
  const { packets, bytes, errors, dropped } = fields(value)
  return { packets: count(packets), bytes: count(bytes), errors: count(errors), dropped: count(dropped) }
}

const countersOf = (value: unknown): ReadonlyArray<Counters> => {
  const link = fields(value)
  const name = parseIfName(text(link['ifname']) ?? '')
  const { rx, tx } = fields(link['stats64'])
  return E.isRight(name) ? [{ dev: name.right, rx: trafficOf(rx), tx: trafficOf(tx) }] : []
}

/** In order of their names. */
export const decodeCounters = (json: unknown): ReadonlyArray<Counters> =>
  list(json)
    .flatMap(countersOf)
    .sort((a, b) => (a.dev < b.dev ? -1 : 1))

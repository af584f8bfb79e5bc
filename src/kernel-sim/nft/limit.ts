// The token bucket of `limit`, in virtual time. A token is a nanosecond; a packet costs as many as go by between two.
// Source: net/netfilter/nft_limit.c.

import type { Limit } from './expression.ts'

export type Bucket = Readonly<{ tokens: number; atMs: number }>

const NS_PER_MS = 1_000_000
const PERIOD_NS: Readonly<Record<Limit['per'], number>> = {
  second: 1e9,
  minute: 60e9,
  hour: 3600e9,
  day: 86_400e9,
  week: 604_800e9,
}
const BYTES: Readonly<Record<Limit['unit'], number>> = { packets: 1, bytes: 1, kbytes: 1024, mbytes: 1024 * 1024 }
const DEFAULT_BURST = 5

const capacity = ({ rate, unit, per, burst, burstUnit }: Limit): number => {
  const period = PERIOD_NS[per]
  if (unit === 'packets') return Math.floor(period / rate) * (burst === 0 ? DEFAULT_BURST : burst)
  const bytes = rate * BYTES[unit]
  return Math.floor((period * (bytes + burst * BYTES[burstUnit])) / bytes)
}

const cost = ({ rate, unit, per }: Limit, length: number): number =>
  unit === 'packets' ? Math.floor(PERIOD_NS[per] / rate) : Math.floor((PERIOD_NS[per] * length) / (rate * BYTES[unit]))

export const fullBucket = (limit: Limit, nowMs: number): Bucket => ({ tokens: capacity(limit), atMs: nowMs })

/** Whether a packet of so many bytes matches the limit, and the bucket after it. */
export const spend = (limit: Limit, bucket: Bucket, length: number, nowMs: number): readonly [boolean, Bucket] => {
  const tokens = Math.min(capacity(limit), bucket.tokens + (nowMs - bucket.atMs) * NS_PER_MS)
  const left = tokens - cost(limit, length)
  return left >= 0 ? [!limit.over, { tokens: left, atMs: nowMs }] : [limit.over, { tokens, atMs: nowMs }]
}

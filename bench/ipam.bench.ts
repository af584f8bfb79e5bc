// What address management costs, through the allocator's own functions. Floors, in the same rounds, with the same answers:
// - bitmap: a plain mutable Uint32Array, lowest free address by a scan from its first word;
// - marked bitmap: the same, but it keeps the first word that may have a free address, and scans from there.
// Both forget their old versions; ours keeps every one.

import { ofRuns, setRange } from '../src/ipam/address-set.ts'
import { poolOf, wholeId } from '../src/ipam/pool-id.ts'
import { readSnapshot, writeSnapshot } from '../src/ipam/snapshot.ts'
import { freshIpam, NOTHING_EXCLUDED, releaseIp, requestIp, requestPool, takePool } from '../src/ipam/space.ts'
import { ipAt } from '../src/ipam/subnet.ts'
import type { Ipam, Pool } from '../src/ipam/types.ts'
import { cidr } from '../src/net/cidr.ts'
import { getIn, setIn } from '../src/net/pmap.ts'
import { E, type Either } from '../src/prelude.ts'
import { collect, heapUsedMb } from './lib/heap.ts'
import { type Bench, duration, median, type Result, rate } from './lib.ts'

const right = <A>(result: Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(`refused: ${JSON.stringify(result.left)}`)
  return result.right
}

/** xorshift32: 32 random bits a call, the same in every run. */
const random = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

type Start = Readonly<{ ipam: Ipam; pool: Pool }>

const withPool = (subnet: string): Start => {
  const pool = poolOf('LocalDefault', cidr(subnet), null)
  return { ipam: right(takePool(freshIpam(), pool)), pool }
}

/** A pool whose taken addresses are these, the reserved ones beside them. */
const withTaken = (subnet: string, ends: ReadonlyArray<number | bigint>): Start => {
  const { ipam, pool } = withPool(subnet)
  const fresh = getIn(ipam.subnets, wholeId(pool.id))
  if (fresh === undefined) throw new Error('a pool that was taken is not there')
  let used = ofRuns(fresh.used.bits, ends)
  const { low, high } = fresh.used
  if (low) used = setRange(used, typeof ends[0] === 'bigint' ? 0n : 0, typeof ends[0] === 'bigint' ? 0n : 0, true)
  if (high) used = setRange(used, 2 ** used.bits - 1, 2 ** used.bits - 1, true)
  return { ipam: { ...ipam, subnets: setIn(ipam.subnets, pool.id, { ...fresh, used }) }, pool }
}

// The floors.

type Bitmap = Readonly<{
  /** Whether it was taken. */
  clear: (n: number) => boolean
  takeLowest: () => number
}>

/** The words of a block of 2^bits with these runs taken, and its first and last address. */
const wordsOf = (bits: number, ends: ReadonlyArray<number>): Uint32Array => {
  const words = new Uint32Array(2 ** (bits - 5))
  const set = (n: number): void => {
    words[n >>> 5] = (words[n >>> 5] ?? 0) | (1 << (n & 31))
  }
  for (let i = 0; i < ends.length; i += 2) for (let n = ends[i] ?? 0; n <= (ends[i + 1] ?? -1); n++) set(n)
  set(0)
  set(2 ** bits - 1)
  return words
}

const bitmapOf = (words: Uint32Array, marked: boolean): Bitmap => {
  let mark = 0
  return {
    clear: (n) => {
      const mask = 1 << (n & 31)
      const word = words[n >>> 5] ?? 0
      if ((word & mask) === 0) return false
      words[n >>> 5] = word & ~mask
      mark = Math.min(mark, n >>> 5)
      return true
    },
    takeLowest: () => {
      for (let word = marked ? mark : 0; word < words.length; word++) {
        const free = ~(words[word] ?? 0)
        if (free === 0) continue
        const bit = 31 - Math.clz32(free & -free)
        words[word] = (words[word] ?? 0) | (1 << bit)
        mark = word
        return word * 32 + bit
      }
      return -1
    },
  }
}

// Filling a /16.

const FILL = 65_534
const fill16 = (): Promise<Result> => {
  const { ipam, pool } = withPool('10.1.0.0/16')
  const fill = (marked: boolean) => () => {
    const bitmap = bitmapOf(wordsOf(16, []), marked)
    for (let i = 0; i < FILL; i++) if (bitmap.takeLowest() < 0) throw new Error('full too soon')
  }
  return rate(FILL, {
    ours: () => {
      let now = ipam
      for (let i = 0; i < FILL; i++) now = right(requestIp(now, pool.id, { preferred: null, serial: false })).ipam
      return now
    },
    peers: { bitmap: fill(false), 'marked bitmap': fill(true) },
  })
}

// Random release, then allocation of the lowest free address.

/** Runs of a block of 2^bits in which each address is taken with this probability. */
const sprinkled = (bits: number, share: number): ReadonlyArray<number> => {
  const next = random(7)
  const limit = share * 2 ** 32
  const ends: number[] = []
  let open = false
  for (let n = 1; n < 2 ** bits - 1; n++) {
    const taken = next() < limit
    if (taken !== open) ends.push(open ? n - 1 : n)
    open = taken
  }
  if (open) ends.push(2 ** bits - 2)
  return ends
}

const PAIRS = 2000

/** Each call begins with the pool as it was, for lowest-first allocation soon leaves no low address free. */
const churner = ({ ipam, pool }: Start, randomPlace: () => number | bigint): (() => Ipam) => {
  const released = (now: Ipam): Ipam => {
    for (;;) {
      const next = right(releaseIp(now, pool.id, ipAt(pool.subnet, randomPlace())))
      if (next !== now) return next
    }
  }
  return () => {
    let now = ipam
    for (let i = 0; i < PAIRS; i++)
      now = right(requestIp(released(now), pool.id, { preferred: null, serial: false })).ipam
    return now
  }
}

const bitmapChurner = (words: Uint32Array, marked: boolean): (() => void) => {
  const next = random(99)
  return () => {
    const bitmap = bitmapOf(words.slice(), marked)
    for (let i = 0; i < PAIRS; i++) {
      while (!bitmap.clear(1 + (next() % (2 ** 24 - 2))));
      if (bitmap.takeLowest() < 0) throw new Error('no free address after a release')
    }
  }
}

const churn8 = (share: number) => (): Promise<Result> => {
  const ends = sprinkled(24, share)
  const next = random(99)
  const words = wordsOf(24, ends)
  return rate(PAIRS, {
    ours: churner(withTaken('10.0.0.0/8', ends), () => 1 + (next() % (2 ** 24 - 2))),
    peers: { bitmap: bitmapChurner(words, false), 'marked bitmap': bitmapChurner(words, true) },
  })
}

const random64 = (seed: number): (() => bigint) => {
  const next = random(seed)
  return () => (BigInt(next()) << 32n) | BigInt(next())
}

/** A /64 of 65,536 blocks of 2^48 addresses, each taken whole with this probability. */
const churn64At = (share: number) => (): Promise<Result> => {
  const ends = sprinkled(16, share).map((n, i) => (BigInt(n) << 48n) + (i % 2 === 0 ? 0n : (1n << 48n) - 1n))
  const next = random64(5)
  return rate(PAIRS, { ours: churner(withTaken('fd00:1::/64', ends), next) })
}

// A /64 with a million single addresses.

const MILLION = 1_000_000

const million = (): Start => {
  const next = random64(11)
  const places = Array.from({ length: MILLION }, next).sort((a, b) => (a < b ? -1 : 1))
  return withTaken(
    'fd00:1::/64',
    places.flatMap((n) => [n, n]),
  )
}

/** The same, address by address, as a history of requests leaves it. */
const grown = (): Start => {
  const start = withPool('fd00:1::/64')
  const next = random64(11)
  let { ipam } = start
  for (let i = 0; i < MILLION; i++)
    ipam = right(requestIp(ipam, start.pool.id, { preferred: ipAt(start.pool.subnet, next()), serial: false })).ipam
  return { ...start, ipam }
}

const medianUs = (count: number, once: () => void): number => {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    once()
    times.push((performance.now() - start) * 1000)
  }
  return median(times)
}

/** The slowest of the three kinds of operation, each at its median. */
const churn64 = async (): Promise<Result> => {
  const { ipam, pool } = million()
  const set = new Set<bigint>()
  const fill = random64(11)
  for (let i = 0; i < MILLION; i++) set.add(fill())
  let now = ipam
  const [asked, released, added] = [random64(21), random64(11), random64(21)]
  const COUNT = 100_000
  const preferred = medianUs(COUNT, () => {
    now = right(requestIp(now, pool.id, { preferred: ipAt(pool.subnet, asked()), serial: false })).ipam
  })
  const release = medianUs(COUNT, () => {
    now = right(releaseIp(now, pool.id, ipAt(pool.subnet, released())))
  })
  const any = medianUs(COUNT, () => {
    now = right(requestIp(now, pool.id, { preferred: null, serial: false })).ipam
  })
  const native = medianUs(COUNT, () => set.add(added()))
  const value = Math.max(preferred, release, any)
  return { value, ratios: [{ ratio: value / native, to: 'native Set' }] }
}

const mem64 = async (): Promise<Result> => {
  const heapOf = (make: () => unknown): number => {
    collect()
    const before = heapUsedMb()
    const held = [make()]
    collect()
    const after = heapUsedMb()
    held.pop()
    return after - before
  }
  const value = heapOf(grown)
  const native = heapOf(() => {
    const next = random64(11)
    const set = new Set<bigint>()
    for (let i = 0; i < MILLION; i++) set.add(next())
    return set
  })
  return { value, ratios: [{ ratio: value / native, to: 'native Set' }] }
}

// All /24 subnets of 10.0.0.0/8, each chosen and taken.

const POOLS = 65_536
const pools = (): Promise<Result> =>
  rate(
    POOLS,
    {
      ours: () => {
        let ipam = freshIpam()
        const request = {
          tag: 'any',
          space: 'GlobalDefault',
          family: 4,
          size: null,
          exclude: NOTHING_EXCLUDED,
        } as const
        for (let i = 0; i < POOLS; i++) ({ ipam } = right(requestPool(ipam, request)))
        return ipam
      },
      peers: {
        'bitmap, without ids': () => {
          const bitmap = bitmapOf(new Uint32Array(POOLS / 32), false)
          for (let i = 0; i < POOLS; i++) if (bitmap.takeLowest() < 0) throw new Error('full too soon')
        },
      },
    },
    { rounds: 5, roundMs: 1 },
  )

// A half-full /16 at random, there and back.

const half = () => withTaken('10.1.0.0/16', sprinkled(16, 0.5))
const write16 = (): Promise<Result> => {
  const { ipam } = half()
  const words = wordsOf(16, sprinkled(16, 0.5))
  return duration({ ours: () => writeSnapshot(ipam), peers: { 'bitmap copy': () => words.slice() } })
}
const read16 = (): Promise<Result> => {
  const bytes = writeSnapshot(half().ipam)
  const words = wordsOf(16, sprinkled(16, 0.5))
  return duration({ ours: () => right(readSnapshot(bytes)), peers: { 'bitmap copy': () => words.slice() } })
}

const churn = (name: string, run: () => Promise<Result>): Bench => ({ name, unit: '1/s', better: 'higher', run })

export const benches: ReadonlyArray<Bench> = [
  { name: 'ipam.fill16.rate', unit: '1/s', better: 'higher', run: fill16 },
  churn('ipam.churn8.rate', churn8(0.999)),
  { name: 'ipam.churn64.p50', unit: 'us', better: 'lower', run: churn64 },
  { name: 'ipam.mem64', unit: 'MB', better: 'lower', run: mem64 },
  { name: 'ipam.pools.rate', unit: '1/s', better: 'higher', run: pools },
  { name: 'ipam.write16.time', unit: 'ms', better: 'lower', run: write16 },
  { name: 'ipam.read16.time', unit: 'ms', better: 'lower', run: read16 },
  // Last, for they leave a large heap behind.
  churn('ipam.churn8at90.rate', churn8(0.9)),
  churn('ipam.churn8at50.rate', churn8(0.5)),
  churn('ipam.churn64at99.rate', churn64At(0.999)),
  churn('ipam.churn64at90.rate', churn64At(0.9)),
  churn('ipam.churn64at50.rate', churn64At(0.5)),
]

// The `default` allocator against a reference that is slow and obvious (properties/lib/ipam-reference.ts), and its laws one by
// one. Programs of IpamDriver requests go through the protocol: JSON in, an answer or a refusal out.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AddressSet, ofRuns, type Place } from '../src/ipam/address-set.ts'
import {
  choosePool,
  excluding,
  freshIpam,
  getPool,
  NOTHING_EXCLUDED,
  releaseIp,
  requestIp,
  takePool,
} from '../src/ipam/space.ts'
import type { Ipam, Pool, PoolId } from '../src/ipam/types.ts'
import { type Cidr, cidr, cidrFamily, contains, covers, firstOf, nthOf, overlaps, sizeOf } from '../src/net/cidr.ts'
import { type Ip, numberOf } from '../src/net/ip.ts'
import { setIn } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { runs } from '../test/lib/runs.ts'
import { largeSubnet, program, SEED, smallSubnet, subnetOf } from './arbitraries/ipam.ts'
import { requestsFault } from './lib/ipam-program.ts'
import { deepFreeze, diceOf, expectNoFault, pick, stepsOf } from './lib/ipam-random.ts'

const START = fc.nat(11)

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(`refused: ${JSON.stringify(result.left)}`)
  return result.right
}

const exactly = (subnet: Cidr, range: Cidr | null) =>
  ({ tag: 'exactly', space: 'LocalDefault', subnet, range }) as const
/** A fresh allocator with one pool in use. */
const withPool = (subnet: Cidr, range: Cidr | null = null): Readonly<{ ipam: Ipam; pool: Pool }> => {
  const pool = right(choosePool(freshIpam(), exactly(subnet, range)))
  return { ipam: right(takePool(freshIpam(), pool)), pool }
}
const any = (serial = false) => ({ preferred: null, serial })

/** Automatic addresses until the pool refuses, and the tag of the refusal. */
const drain = (
  from: Ipam,
  id: PoolId,
  serial = false,
): Readonly<{ given: ReadonlyArray<Ip>; ipam: Ipam; tag: string }> => {
  const given: Ip[] = []
  for (let ipam = from; ; ) {
    const next = requestIp(ipam, id, any(serial))
    if (E.isLeft(next)) return { given, ipam, tag: next.left.tag }
    given.push(next.right.ip)
    if (given.length > 2000) throw new Error('no pool here has so many addresses')
    ipam = next.right.ipam
  }
}

/** Addresses of a subnet that are given out, in order, as the RFCs have it. */
const usable = (subnet: Cidr): ReadonlyArray<Ip> => {
  const size = sizeOf(subnet)
  const [low, high] = cidrFamily(subnet) === 4 ? (subnet.bits < 31 ? [1n, 1n] : [0n, 0n]) : [size > 1n ? 1n : 0n, 0n]
  return Array.from({ length: Number(size - low - high) }, (_, n) => nthOf(subnet, BigInt(n) + low))
}

/** The pool's subnet with other addresses in use; to begin where a long history would lead. */
const withUsed = (ipam: Ipam, id: PoolId, used: AddressSet): Ipam => {
  const found = getPool(ipam, id)
  if (found === null) throw new Error('no such pool')
  return { ...ipam, subnets: setIn(ipam.subnets, id, { ...found.subnet, used }) }
}

/** For a machine that does other work, and for as many runs as are asked for. */
const LONG_MS = 60_000 + runs(1).numRuns * 600

describe('programs of requests', () => {
  test.prop([START, program(120)], runs(0.3))(
    'are answered as by the reference, no state changes afterwards, and each answers as before when it is asked again',
    (start, steps) => {
      expect(requestsFault(start, steps, 1)).toBeNull()
    },
  )

  test.prop([START, SEED])(
    'of a thousand steps are answered as by the reference',
    (start, seed) => {
      expectNoFault(stepsOf(diceOf(seed), 1000), (steps) => requestsFault(start, steps, 200))
    },
    LONG_MS,
  )

  it('reach every answer and every refusal, so that the two above say something', () => {
    const heard = new Map<string, number>()
    for (let start = 0; start < 24; start++)
      requestsFault(start, stepsOf(diceOf(start), 1000), 1000, (ask, outcome) => {
        const key = `${ask.ask}: ${outcome.replace(/^(pool|address) .*/, 'given')}`
        heard.set(key, (heard.get(key) ?? 0) + 1)
      })
    const wanted = {
      pool: ['given', 'InvalidAddressSpace', 'InvalidPool', 'InvalidSubPool', 'PoolOverlap'],
      anyPool: ['given', 'InvalidAddressSpace', 'InvalidPool', 'NoMoreSubnets'],
      returnPool: ['done', 'BadPool'],
      address: ['given', 'PoolNotFound', 'IPOutOfRange', 'IPAlreadyAllocated', 'NoAvailableIPs'],
      returnAddress: ['done', 'as before', 'PoolNotFound', 'IPOutOfRange'],
      nonsense: [
        ...['InvalidRequest', 'InvalidAddressSpace', 'InvalidPool', 'InvalidSubPool'],
        ...['InvalidPoolID', 'InvalidAddress'],
      ],
    }
    const keys = Object.entries(wanted).flatMap(([ask, outcomes]) => outcomes.map((outcome) => `${ask}: ${outcome}`))
    expect([...heard.keys()].sort()).toEqual(keys.sort())
    for (const [key, count] of heard) expect([key, count >= 5]).toEqual([key, true])
  })
})

describe('a pool', () => {
  test.prop([smallSubnet, fc.boolean()], runs(0.3))(
    'of n addresses gives n, each once and the lowest first, and then has none',
    (subnet, serial) => {
      const { ipam, pool } = withPool(subnet)
      const { given, tag } = drain(ipam, pool.id, serial)
      expect(tag).toBe('NoAvailableIPs')
      expect(given).toEqual(usable(subnet))
    },
  )

  test.prop([
    largeSubnet,
    fc.uniqueArray(fc.noBias(fc.bigInt(0n, (1n << 128n) - 1n)), { maxLength: 60 }),
    fc.boolean(),
  ])('that is nearly full gives exactly what is free, however wide it is', (subnet, picks, serial) => {
    const size = sizeOf(subnet)
    const places = [...new Set([size - 2n, 1n, ...picks.map((n) => 1n + (n % (size - 2n)))])]
    const free = places.sort((a, b) => (a < b ? -1 : 1))
    const host = (cidrFamily(subnet) === 4 ? 32 : 128) - subnet.bits
    const ends: Place[] = []
    let from = 0n
    for (const n of [...free, size]) {
      if (n > from) ends.push(...[from, n - 1n].map((place) => (host > 52 ? place : Number(place))))
      from = n + 1n
    }
    const { ipam, pool } = withPool(subnet)
    const { given, tag } = drain(withUsed(ipam, pool.id, ofRuns(host, ends)), pool.id, serial)
    expect(given).toEqual(free.map((n) => nthOf(subnet, n)))
    expect(tag).toBe('NoAvailableIPs')
  })

  test.prop([smallSubnet, fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 12 })], runs(0.3))(
    'that is full gives again exactly what was given back',
    (subnet, picks) => {
      const { ipam, pool } = withPool(subnet)
      const full = drain(ipam, pool.id)
      const back = [...new Set(picks.map((n) => pick(full.given, n)))]
      const freed = back.reduce((state, ip) => right(releaseIp(state, pool.id, ip)), full.ipam)
      const again = drain(freed, pool.id)
      expect(again.given).toEqual(back.sort((a, b) => (a < b ? -1 : 1)))
      expect(getPool(again.ipam, pool.id)?.subnet.used).toEqual(getPool(full.ipam, pool.id)?.subnet.used)
    },
  )

  test.prop([smallSubnet, fc.nat(0xffff), fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 12 })], runs(0.3))(
    'asked serially goes on behind the last automatic address, round and round, wherever addresses came back meanwhile',
    (subnet, start, picks) => {
      const { ipam, pool } = withPool(subnet)
      const all = usable(subnet)
      const full = drain(ipam, pool.id)
      const last = pick(all, start)
      let state = right(releaseIp(full.ipam, pool.id, last))
      state = right(requestIp(state, pool.id, any(true))).ipam
      const back = [...new Set(picks.map((n) => pick(all, n)))].sort((a, b) => (a < b ? -1 : 1))
      for (const ip of back) state = right(releaseIp(state, pool.id, ip))
      const behind = back.filter((ip) => ip > last)
      expect(drain(state, pool.id, true).given).toEqual([...behind, ...back.filter((ip) => ip <= last)])
    },
  )

  test.prop([smallSubnet, fc.nat(0xffff)])(
    'gives a preferred address once, and is as before when it came back; serial requests do not notice',
    (subnet, n) => {
      const { ipam, pool } = withPool(subnet)
      const asked = { preferred: pick(usable(subnet), n), serial: true }
      const taken = right(requestIp(deepFreeze(ipam), pool.id, asked))
      expect(taken.ip).toBe(asked.preferred)
      expect(requestIp(taken.ipam, pool.id, asked)).toEqual(
        E.left({ tag: 'IPAlreadyAllocated', pool: pool.id, ip: asked.preferred }),
      )
      expect(releaseIp(taken.ipam, pool.id, asked.preferred)).toEqual(E.right(ipam))
    },
  )

  test.prop([subnetOf], runs(0.3))('never gives a reserved address, not even after it was given back', (subnet) => {
    const { ipam, pool } = withPool(subnet)
    const reserved = [0n, sizeOf(subnet) - 1n].map((n) => nthOf(subnet, n)).filter((ip) => !mayHave(subnet, ip))
    for (const ip of reserved) {
      expect(right(releaseIp(ipam, pool.id, ip))).toBe(ipam)
      expect(requestIp(ipam, pool.id, { preferred: ip, serial: false })).toEqual(
        E.left({ tag: 'IPAlreadyAllocated', pool: pool.id, ip }),
      )
    }
  })
})

/** Whether an address at an end of a subnet may be given out. */
const mayHave = (subnet: Cidr, ip: Ip): boolean => {
  const small = sizeOf(subnet) <= (cidrFamily(subnet) === 4 ? 2n : 1n)
  return small || (cidrFamily(subnet) === 6 && ip !== firstOf(subnet))
}

const FIFTHS = ['10.0.0.0/27', '10.0.0.32/27', '10.0.0.64/26', '10.0.0.128/26', '10.0.0.248/29'].map(cidr)

describe('sub-pools', () => {
  test.prop(
    [fc.shuffledSubarray(FIFTHS, { minLength: 1 }), fc.array(fc.nat(), { maxLength: 200 }), fc.boolean()],
    runs(0.5),
  )(
    'of one subnet give addresses of their own range, no two the same, and each all that its range has (P16)',
    (ranges, order, serial) => {
      const subnet = cidr('10.0.0.0/24')
      let ipam = freshIpam()
      const pools = ranges.map((range) => {
        const pool = right(choosePool(ipam, exactly(subnet, range)))
        ipam = right(takePool(ipam, pool))
        return pool
      })
      const given: Ip[] = []
      for (const n of order) {
        const pool = pick(pools, n)
        const next = requestIp(ipam, pool.id, any(serial))
        if (E.isLeft(next)) continue
        expect(contains(pool.range, next.right.ip)).toBe(true)
        given.push(next.right.ip)
        ipam = next.right.ipam
      }
      for (const pool of pools) {
        const rest = drain(ipam, pool.id, serial)
        given.push(...rest.given)
        ipam = rest.ipam
      }
      const all = usable(subnet).filter((ip) => ranges.some((range) => contains(range, ip)))
      expect(given.sort((a, b) => (a < b ? -1 : 1))).toEqual(all)
    },
  )
})

describe('free choice of a pool', () => {
  const host = fc.array(
    fc.constantFrom(
      '172.16.0.0/13',
      '172.20.0.0/16',
      '172.20.9.9/32',
      '192.168.0.0/17',
      '192.168.200.0/24',
      '172.18.255.255/32',
    ),
    { maxLength: 4 },
  )
  test.prop([host], runs(0.2))(
    'in the local space takes each default network that the host does not use, once (P16)',
    (texts) => {
      const exclude = texts.map(cidr)
      const request = { tag: 'any', space: 'LocalDefault', family: 4, size: null } as const
      const given: Cidr[] = []
      for (let ipam = freshIpam(); ; ) {
        const pool = choosePool(ipam, { ...request, exclude: excluding(exclude) })
        if (E.isLeft(pool)) {
          expect(pool.left.tag).toBe('NoMoreSubnets')
          break
        }
        given.push(pool.right.subnet)
        ipam = right(takePool(ipam, pool.right))
      }
      expect(given.map(({ ip, bits }) => `${numberOf(ip)}/${bits}`)).toEqual(
        LOCAL_NETWORKS.filter((network) => !exclude.some((each) => overlaps(each, network))).map(
          ({ ip, bits }) => `${numberOf(ip)}/${bits}`,
        ),
      )
    },
  )

  test.prop([fc.integer({ min: 8, max: 32 })], runs(0.2))('splits to the size that was asked for', (size) => {
    const request = { tag: 'any', space: 'GlobalDefault', family: 4, size, exclude: NOTHING_EXCLUDED } as const
    let ipam = freshIpam()
    for (let n = 0n; n < 40n && n < 1n << BigInt(size - 8); n++) {
      const { subnet } = right(choosePool(ipam, request))
      expect(subnet).toEqual({ ip: nthOf(cidr('10.0.0.0/8'), n << BigInt(32 - size)), bits: size })
      expect(covers(cidr('10.0.0.0/8'), subnet)).toBe(true)
      ipam = right(takePool(ipam, right(choosePool(ipam, request))))
    }
  })
})

/** libnetwork's 31: 172.17 to 172.31 by /16, then 192.168 by /20. */
const LOCAL_NETWORKS: ReadonlyArray<Cidr> = [
  ...Array.from({ length: 15 }, (_, n) => cidr(`172.${17 + n}.0.0/16`)),
  ...Array.from({ length: 16 }, (_, n) => cidr(`192.168.${16 * n}.0/20`)),
]

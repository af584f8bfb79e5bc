// Three clients of one pool, in every order that their requests can come in: all of them, not a sample. The states are values,
// so one walk over the tree of orders is enough, and each order goes on from the state that it shares with others.

import { describe, expect, test } from 'vitest'
import { choosePool, freshIpam, releaseIp, requestIp, takePool } from '../src/ipam/space.ts'
import type { Ipam, PoolId } from '../src/ipam/types.ts'
import { cidr, cidrFamily, contains, nthOf } from '../src/net/cidr.ts'
import { type Ip, ip, showIp } from '../src/net/ip.ts'
import { E } from '../src/prelude.ts'

/** What each client does, in this order; it gives back the first address it has. */
const SCRIPT = ['request', 'request', 'release', 'request'] as const

/** `capacity`: addresses of its range that clients may have. */
type Client = Readonly<{ pool: PoolId; capacity: ReadonlyArray<Ip>; done: number; has: ReadonlyArray<Ip> }>
type Scene = Readonly<{ ipam: Ipam; clients: ReadonlyArray<Client> }>
type Case = Readonly<{ name: string; subnet: string; ranges: ReadonlyArray<string>; serial: boolean; gateway: string }>

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(`refused: ${JSON.stringify(result.left)}`)
  return result.right
}

/** Neither the ends of the subnet nor the gateway. */
const capacityOf = ({ subnet, gateway }: Case, range: string): ReadonlyArray<Ip> =>
  Array.from({ length: 8 }, (_, n) => nthOf(cidr(subnet), BigInt(n)))
    .slice(1, cidrFamily(cidr(subnet)) === 4 ? 7 : 8)
    .filter((each) => each !== ip(gateway) && contains(cidr(range), each))

/** The pools, one for each range, and the gateway taken by nobody. */
const begin = (which: Case): Scene => {
  let ipam = freshIpam()
  const pools = new Map<string, PoolId>()
  for (const range of new Set(which.ranges)) {
    const asked = { tag: 'exactly', space: 'LocalDefault', subnet: cidr(which.subnet), range: cidr(range) } as const
    const pool = right(choosePool(ipam, asked))
    ipam = right(takePool(ipam, pool))
    pools.set(range, pool.id)
  }
  const clients = which.ranges.flatMap((range) => {
    const pool = pools.get(range)
    return pool === undefined ? [] : [{ pool, capacity: capacityOf(which, range), done: 0, has: [] }]
  })
  const taken = clients
    .slice(0, 1)
    .map(({ pool }) => right(requestIp(ipam, pool, { preferred: ip(which.gateway), serial: false })))
  return { ipam: taken[0]?.ipam ?? ipam, clients }
}

type Tally = { orders: number; refused: number }

/** One step of one client, checked: no address that somebody has, none outside, a refusal only where all are in use. */
const step = (scene: Scene, at: number, serial: boolean, tally: Tally): Scene => {
  const client = scene.clients[at]
  if (client === undefined) throw new Error('no such client')
  const next = (ipam: Ipam, has: ReadonlyArray<Ip>): Scene => ({
    ipam,
    clients: scene.clients.with(at, { ...client, done: client.done + 1, has }),
  })
  const held = scene.clients.flatMap(({ has }) => has)
  const [oldest, ...others] = client.has
  if (SCRIPT[client.done] === 'release') {
    if (oldest === undefined) return next(scene.ipam, [])
    const freed = releaseIp(scene.ipam, client.pool, oldest)
    if (E.isLeft(freed)) throw new Error(`a release was refused: ${freed.left.tag}`)
    return next(freed.right, others)
  }
  const got = requestIp(scene.ipam, client.pool, { preferred: null, serial })
  if (E.isRight(got)) {
    if (held.includes(got.right.ip)) throw new Error(`${showIp(got.right.ip)} has been given twice`)
    if (!client.capacity.includes(got.right.ip)) throw new Error(`${showIp(got.right.ip)} is not to be given`)
    return next(got.right.ipam, [...client.has, got.right.ip])
  }
  tally.refused += 1
  if (got.left.tag !== 'NoAvailableIPs' || client.capacity.some((each) => !held.includes(each)))
    throw new Error(`refused with ${got.left.tag} although the range is not full`)
  return next(scene.ipam, client.has)
}

const walk = (scene: Scene, serial: boolean, tally: Tally): void => {
  const ready = [0, 1, 2].filter((at) => (scene.clients[at]?.done ?? SCRIPT.length) < SCRIPT.length)
  if (ready.length === 0) tally.orders += 1
  for (const at of ready) {
    walk(step(scene, at, serial, tally), serial, tally)
  }
}

const whole = (subnet: string): ReadonlyArray<string> => [subnet, subnet, subnet]
const CASES: ReadonlyArray<Case> = [
  { name: 'a /29 with its gateway, lowest first', subnet: '10.0.0.0/29', ranges: whole('10.0.0.0/29') },
  { name: 'a /29 with its gateway, serially', subnet: '10.0.0.0/29', ranges: whole('10.0.0.0/29'), serial: true },
  { name: 'a /29 of which two share one half', subnet: '10.0.0.0/29', ranges: ['0/30', '4/30', '4/30'] },
  { name: 'a /29 and two halves of it', subnet: '10.0.0.0/29', ranges: ['0/29', '0/30', '4/30'], serial: true },
  { name: 'a /125 with its gateway, of IPv6', subnet: 'fd00::/125', ranges: whole('fd00::/125') },
].map(({ name, subnet, ranges, serial = false }) => ({
  name,
  subnet,
  ranges: ranges.map((range) => (range.includes('.') || range.includes(':') ? range : `10.0.0.${range}`)),
  serial,
  gateway: subnet === 'fd00::/125' ? 'fd00::1' : '10.0.0.1',
}))

describe('three clients, each of which requests two addresses, releases one and requests one,', () => {
  test.for(CASES)(
    'in all their 34,650 orders never have an address twice, and are refused only when all are in use: $name',
    (which) => {
      const tally = { orders: 0, refused: 0 }
      walk(begin(which), which.serial, tally)
      // 12! / (4! 4! 4!)
      expect(tally.orders).toBe(34_650)
      expect(tally.refused > 0).toBe(which.subnet === '10.0.0.0/29')
    },
  )
})

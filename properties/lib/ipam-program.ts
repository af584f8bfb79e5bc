// Programs of IpamDriver requests, valid and not, run by the `default` allocator and its reference side by side. A step is
// four numbers; what they ask depends on the pools that are in use then.

import { isDeepStrictEqual } from 'node:util'
import { answerDefault, type HostPrefixes } from '../../src/ipam/default-driver.ts'
import { DEFAULT_POOLS } from '../../src/ipam/defaults.ts'
import type { IpamError } from '../../src/ipam/error.ts'
import { ADDRESS_TYPE, FOR_GATEWAY, type IpamResponse, readRequest, SERIAL } from '../../src/ipam/protocol.ts'
import { freshIpam } from '../../src/ipam/space.ts'
import type { AddressSpace, Defaults, Ipam } from '../../src/ipam/types.ts'
import { type Cidr, cidr } from '../../src/net/cidr.ts'
import { E, type Either } from '../../src/prelude.ts'
import { deepFreeze, pick, type Step } from './ipam-random.ts'
import {
  type Address,
  type Ask,
  addressText,
  type Block,
  blockText,
  deserved,
  type Outcome,
  type PoolName,
  poolText,
  type Reference,
  spanOf,
} from './ipam-reference.ts'
import { stateFault } from './ipam-state.ts'

const NONSENSE: ReadonlyArray<readonly [tag: string, json: unknown]> = [
  ['InvalidRequest', null],
  ['InvalidRequest', { Method: 'RequestMoney' }],
  ['InvalidRequest', { Method: 'RequestPool', AddressSpace: 7 }],
  ['InvalidRequest', { Method: 'RequestAddress', PoolID: ['LocalDefault/10.0.0.0/8'] }],
  ['InvalidAddressSpace', { Method: 'RequestPool', AddressSpace: '', Pool: '10.0.0.0/8' }],
  ['InvalidPool', { Method: 'RequestPool', AddressSpace: 'LocalDefault', Pool: '10.0.0.0/33' }],
  ['InvalidPool', { Method: 'RequestPool', AddressSpace: 'LocalDefault', Pool: '::ffff:10.0.0.0/104' }],
  ['InvalidPool', { Method: 'RequestPool', AddressSpace: 'GlobalDefault', Pool: 'fd00::/129' }],
  ['InvalidSubPool', { Method: 'RequestPool', AddressSpace: 'LocalDefault', SubPool: '10.0.0.0/24' }],
  ['InvalidSubPool', { Method: 'RequestPool', AddressSpace: 'LocalDefault', Pool: '10.0.0.0/8', SubPool: 'x' }],
  ['InvalidPoolID', { Method: 'ReleasePool', PoolID: 'LocalDefault' }],
  ['InvalidPoolID', { Method: 'RequestAddress', PoolID: 'LocalDefault/10.0.0.0/8/10.0.0.0' }],
  ['InvalidAddress', { Method: 'RequestAddress', PoolID: 'LocalDefault/10.0.0.0/8', Address: '10.0.0.01' }],
  ['InvalidAddress', { Method: 'ReleaseAddress', PoolID: 'LocalDefault/10.0.0.0/8', Address: '' }],
]

/** A request as it stands on the wire. */
const written = (ask: Ask): unknown => {
  switch (ask.ask) {
    case 'pool': {
      const { space, subnet, range } = ask.pool
      const SubPool = range === null ? '' : blockText(range)
      return { Method: 'RequestPool', AddressSpace: space, Pool: blockText(subnet), SubPool, Options: {}, V6: false }
    }
    case 'anyPool': {
      const { space, family, size } = ask
      const Pool = size === null ? '' : `${family === 4 ? '0.0.0.0' : '::'}/${size}`
      return { Method: 'RequestPool', AddressSpace: space, Pool, V6: family === 6 }
    }
    case 'returnPool':
      return { Method: 'ReleasePool', PoolID: poolText(ask.pool) }
    case 'address': {
      const Address = ask.preferred === null ? '' : addressText(ask.preferred)
      const Options = ask.serial ? { [SERIAL]: 'true' } : { [ADDRESS_TYPE]: FOR_GATEWAY }
      return { Method: 'RequestAddress', PoolID: poolText(ask.pool), Address, Options }
    }
    case 'returnAddress':
      return { Method: 'ReleaseAddress', PoolID: poolText(ask.pool), Address: addressText(ask.address) }
    case 'nonsense':
      return ask.json
  }
}

type Answer = Either<IpamError, Readonly<{ state: Ipam; response: IpamResponse }>>
const answer = (ipam: Ipam, json: unknown, host: HostPrefixes): Answer => {
  const request = readRequest(json)
  return E.isLeft(request) ? request : answerDefault(host)(ipam, request.right)
}

/** An answer in the words of the reference. */
const said = (before: Ipam, result: Answer): Outcome => {
  if (E.isLeft(result)) return result.left.tag
  const { response, state } = result.right
  if ('PoolID' in response) return `pool ${response.PoolID} ${response.Pool}`
  if ('Address' in response) return `address ${response.Address}`
  return state === before ? 'as before' : 'done'
}

const blockOf = ({ ip, bits }: Cidr): Block => ({ family: typeof ip === 'number' ? 4 : 6, first: BigInt(ip), bits })
const SPACES: ReadonlyArray<AddressSpace> = ['LocalDefault', 'GlobalDefault']

const SMALL: Defaults = {
  LocalDefault: ['10.9.0.0/27', '10.9.1.0/30', 'fd00:1::/122'].map((text, n) => ({
    base: cidr(text),
    size: pick([30, 31, 125], n),
  })),
  GlobalDefault: [{ base: cidr('10.9.0.0/24'), size: 27 }],
}
const HOSTS: ReadonlyArray<HostPrefixes> = [
  [],
  ['10.9.0.8/29', '172.17.0.53/32', '172.20.0.0/14', '192.168.0.0/18', 'fd00:1::8/125', 'fd00:c0a8::/63'].map(cidr),
  ['10.9.0.17/32', '0.0.0.0/1', 'fd00::/8', '203.0.113.0/24'].map(cidr),
]

/** Where subnets begin: near the ends of what a family has, and inside the default pools. */
const ANCHORS: ReadonlyArray<Block> = [
  '1.0.0.0/32',
  '10.9.0.0/32',
  '10.9.0.31/32',
  '10.255.255.255/32',
  '172.18.0.77/32',
  '192.168.16.1/32',
  '223.255.255.255/32',
  '2000::/128',
  'fd00:1::/128',
  'fd00:1::2a/128',
  'fd00:c0a8::1:0/128',
  'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128',
].map((text) => blockOf(cidr(text)))

const cutTo = (at: Block, bits: number): Block => ({ ...at, first: spanOf({ ...at, bits })[0], bits })

/** Half of them so small that a program can exhaust them. */
const anySubnet = (a: number, b: number): Block => {
  const anchor = pick(ANCHORS, a)
  const [all, shortest] = anchor.family === 4 ? [32, 8] : [128, 9]
  const bits = b % 2 === 0 ? all - ((b >>> 1) % 6) : all - ((b >>> 1) % (all - shortest + 1))
  return a % 61 === 60 ? { ...anchor, bits } : cutTo(anchor, bits)
}
const anyRange = (subnet: Block, a: number, b: number): Block => {
  const [first, last] = spanOf(subnet)
  if (a % 19 === 18) return anySubnet(a, b)
  const bits = Math.max(1, subnet.bits + (b % 5) - (b % 31 === 30 ? 2 : 0))
  const all = subnet.family === 4 ? 32 : 128
  return cutTo(
    { family: subnet.family, first: first + (BigInt(a) % (last - first + 1n)), bits: all },
    Math.min(all, bits),
  )
}

/** An address of the subnet, mostly where automatic ones are; now and then another. */
const anyAddress = (subnet: Block, a: number): Address => {
  const [first, last] = spanOf(subnet)
  const near = BigInt((a >>> 8) % 200) % (last - first + 1n)
  const { family } = subnet
  if (a % 40 === 0) return { family, n: last - near }
  if (a % 40 === 1) return { family, n: last + 1n < 1n << (family === 4 ? 32n : 128n) ? last + 1n : first - 1n }
  return a % 40 === 2 ? { family: family === 4 ? 6 : 4, n: 10n << 24n } : { family, n: first + near }
}

const inUse = ({ subs }: Reference): ReadonlyArray<PoolName> =>
  [...subs.values()].flatMap(({ space, block: subnet, whole, ranges }) => [
    ...(whole ? [{ space, subnet, range: null }] : []),
    ...[...ranges.values()].map((range) => ({ space, subnet, range })),
  ])

const anyPool = (a: number, b: number, c: number): PoolName => {
  const space = a % 53 === 52 ? 'Nowhere' : pick(SPACES, a >>> 4)
  const subnet = anySubnet(b, c)
  return { space, subnet, range: a % 3 === 0 ? anyRange(subnet, b >>> 3, c >>> 3) : null }
}

const newPool = (pools: ReadonlyArray<PoolName>, [what, a, b, c]: Step): Ask => {
  if (what % 3 === 0)
    return {
      ask: 'anyPool',
      space: a % 29 === 28 ? '' : pick(SPACES, a >>> 5),
      family: b % 3 === 0 ? 6 : 4,
      size: b % 2 === 0 ? null : c % 7 === 0 ? 9 : (b % 3 === 0 ? 122 : 20) + (c % 7),
    }
  if (what % 3 === 1 || pools.length === 0) return { ask: 'pool', pool: anyPool(a, b, c) }
  const { space, subnet } = pick(pools, a)
  return { ask: 'pool', pool: { space, subnet, range: anyRange(subnet, b, c) } }
}

/** Programs swing: two hundred steps that mostly take, two hundred that mostly give back. `crowd`: about so many pools. */
const askOf = (pools: ReadonlyArray<PoolName>, crowd: number, at: number, step: Step): Ask => {
  const [what, a, b, c] = step
  const pool = pools.length === 0 || a % 37 === 36 ? null : pick(pools, a)
  const roll = (what >>> 8) % 100
  const giving = Math.floor(at / 200) % 2 === 0
  if (roll < 3) {
    const [tag, json] = pick(NONSENSE, a)
    return { ask: 'nonsense', tag, json }
  }
  if (pool === null || roll < (pools.length < crowd ? 15 : 5)) {
    return pool === null && roll % 3 > 0 ? lost(roll, anyPool(a, b, c), step) : newPool(pools, step)
  }
  if (roll < (giving ? 18 : 22)) return { ask: 'returnPool', pool }
  if (roll < (giving ? 35 : 75)) return { ask: 'returnAddress', pool, address: anyAddress(pool.subnet, b) }
  const preferred = roll % 4 === 0 ? anyAddress(pool.subnet, b) : null
  return { ask: 'address', pool, preferred, serial: c % 3 === 0 }
}

/** A request about a pool that is, most likely, not in use. */
const lost = (roll: number, named: PoolName, [, , b]: Step): Ask => {
  const pool = { ...named, space: 'LocalDefault', range: named.range?.bits === named.subnet.bits ? null : named.range }
  if (roll % 3 === 1) return { ask: 'returnPool', pool }
  return roll % 2 === 0
    ? { ask: 'address', pool, preferred: null, serial: false }
    : { ask: 'returnAddress', pool, address: anyAddress(pool.subnet, b) }
}

/** Which default pools there are and what the host uses. */
export const startOf = (n: number): Readonly<{ ipam: Ipam; reference: Reference; host: HostPrefixes }> => {
  const defaults = n % 2 === 0 ? DEFAULT_POOLS : SMALL
  const host = pick(HOSTS, n >>> 1)
  const blocks = (space: AddressSpace) => defaults[space].map(({ base, size }) => ({ base: blockOf(base), size }))
  return {
    ipam: freshIpam(defaults),
    reference: {
      defaults: { LocalDefault: blocks('LocalDefault'), GlobalDefault: blocks('GlobalDefault') },
      host: host.map(blockOf),
      subs: new Map(),
    },
    host,
  }
}

type Old = Readonly<{ ipam: Ipam; json: unknown; outcome: Outcome; after: Ipam | null }>

const LAST = 12
const MOVES_POOLS: ReadonlySet<Ask['ask']> = new Set(['pool', 'anyPool', 'returnPool'])

/**
 * Runs a program and gives the first difference from the reference, or null. The whole state is compared at every `often`-th
 * step and at the end; if that is every step, the states are frozen too. States from there are asked again at the end.
 */
export const requestsFault = (
  start: number,
  steps: ReadonlyArray<Step>,
  often: number,
  heard: (ask: Ask, outcome: Outcome) => void = () => {},
): string | null => {
  const { ipam: fresh, reference, host } = startOf(start)
  const crowd = pick([1, 4, 12], start)
  const olds: Old[] = []
  const last: Array<readonly [json: unknown, outcome: Outcome]> = []
  let pools: ReadonlyArray<PoolName> = []
  let ipam = fresh
  for (const [at, step] of steps.entries()) {
    const ask = askOf(pools, crowd, at, step)
    const json = written(ask)
    const result = answer(ipam, json, host)
    const [got, want] = [said(ipam, result), deserved(reference, ask)]
    last.push([json, got])
    if (last.length > LAST) last.shift()
    heard(ask, got)
    if (MOVES_POOLS.has(ask.ask)) pools = inUse(reference)
    const fail = (why: string): string =>
      [`step ${at} of ${steps.length}: ${why}`, ...last.map((each) => JSON.stringify(each))].join('\n')
    if (got !== want) return fail(`${got} and not ${want}`)
    const full = at % often === often - 1 || at === steps.length - 1
    const after = E.isRight(result) ? result.right.state : null
    if (full) olds.push({ ipam, json, outcome: got, after })
    ipam = after ?? ipam
    if (often === 1) deepFreeze(ipam)
    const fault = full ? stateFault(ipam, reference) : null
    if (fault !== null) return fail(fault)
  }
  for (const old of olds) {
    const again = answer(old.ipam, old.json, host)
    const same = E.isLeft(again) ? old.after === null : isDeepStrictEqual(again.right.state, old.after)
    const got = said(old.ipam, again)
    if (got !== old.outcome || !same) return `an old state answers ${got} and not ${old.outcome}`
  }
  return null
}

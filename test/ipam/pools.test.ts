// Requests and releases of pools, a row for each rule. Where we differ from libnetwork on purpose, the row says so.

import { describe, expect, test } from 'vitest'
import { DEFAULT_POOLS } from '../../src/ipam/defaults.ts'
import { poolsOf } from '../../src/ipam/space.ts'
import { cidr } from '../../src/net/cidr.ts'
import { answersTo, drop, get, hear, pool, pool6, type Row, type World } from './ask.ts'

const L = (text: string): string => `LocalDefault/${text}`
const OVERLAP = 'PoolOverlap, Forbidden'
const INVALID = 'InvalidPool, InvalidParameter'
const INVALID_SUB = 'InvalidSubPool, InvalidParameter'
const BAD = 'BadPool, InvalidParameter'
const NO_MORE = 'NoMoreSubnets, InvalidParameter'

describe('a pool by name', () => {
  const ROWS: ReadonlyArray<Row> = [
    ['is given as asked', [pool('10.1.0.0/16')], [L('10.1.0.0/16')]],
    ['may be of IPv6', [pool('2001:db8::/32')], [L('2001:db8::/32')]],
    ['is spelled canonically in its id', [pool('2001:DB8:0:0::/64')], [L('2001:db8::/64')]],
    ['is given once', [pool('10.1.0.0/16'), pool('10.1.0.0/16')], [L('10.1.0.0/16'), OVERLAP]],
    ['overlaps no wider one', [pool('10.0.0.0/8'), pool('10.255.255.0/24')], [L('10.0.0.0/8'), OVERLAP]],
    ['overlaps no narrower one', [pool('10.255.255.0/24'), pool('10.0.0.0/8')], [L('10.255.255.0/24'), OVERLAP]],
    ['may lie beside another', [pool('10.0.0.0/9'), pool('10.128.0.0/9')], [L('10.0.0.0/9'), L('10.128.0.0/9')]],
    [
      'may be in both spaces, which do not see each other',
      [pool('10.0.0.0/8'), pool('10.0.0.0/8', '', 'GlobalDefault')],
      [L('10.0.0.0/8'), 'GlobalDefault/10.0.0.0/8'],
    ],
    [
      'is free again once it was released',
      [pool('10.1.0.0/16'), drop(L('10.1.0.0/16')), pool('10.0.0.0/8')],
      [L('10.1.0.0/16'), 'ok', L('10.0.0.0/8')],
    ],
    ['may be one address', [pool('10.0.0.1/32'), pool('fd00::1/128')], [L('10.0.0.1/32'), L('fd00::1/128')]],
    ['may be all unicast of IPv6', [pool('2000::/3')], [L('2000::/3')]],
    ['may be link-local IPv4, which agents of containers use', [pool('169.254.170.0/24')], [L('169.254.170.0/24')]],
    [
      'is of its prefix’s family, whatever V6 says (libnetwork: of the flag’s, and such a pool cannot be released)',
      [pool6('10.1.0.0/16'), pool('fd00:1::/64'), pool('10.1.0.0/24'), drop(L('fd00:1::/64'))],
      [L('10.1.0.0/16'), L('fd00:1::/64'), OVERLAP, 'ok'],
    ],
    ['has no host bits (libnetwork: masks them)', [pool('10.0.0.1/8'), pool('fd00::1/64')], [INVALID, INVALID]],
    [
      'is of addresses that hosts may have (libnetwork: any)',
      ['0.1.0.0/16', '127.0.0.0/8', '224.0.0.0/8', '240.0.0.0/8', '128.0.0.0/1'].map((text) => pool(text)),
      [INVALID, INVALID, INVALID, INVALID, INVALID],
    ],
    [
      'is of addresses that hosts may have, in IPv6 too',
      ['fe80::/64', 'ff02::/64', '::ffff:10.0.0.0/104', '64::/8', '::1/128', '8000::/1'].map((text) => pool(text)),
      Array(6).fill(INVALID),
    ],
    ['needs a space', [pool('10.0.0.0/8', '', '')], ['InvalidAddressSpace, InvalidParameter']],
    ['needs a space that there is', [pool('10.0.0.0/8', '', 'null')], ['InvalidAddressSpace, InvalidParameter']],
  ]
  test.for(ROWS)('%s', ([, asked, answered]) => {
    expect(answersTo(asked)).toEqual(answered)
  })
})

describe('a sub-pool', () => {
  const [net, low, high] = ['10.1.0.0/16', '10.1.1.0/24', '10.1.2.0/24']
  const [LOW, HIGH] = [L(`${net}/${low}`), L(`${net}/${high}`)]
  const ROWS: ReadonlyArray<Row> = [
    ['has the pool and its range in its id', [pool(net, low)], [LOW]],
    ['may stand beside another of the same pool', [pool(net, low), pool(net, high)], [LOW, HIGH]],
    ['is given once', [pool(net, low), pool(net, low)], [LOW, OVERLAP]],
    [
      'overlaps no other of its pool (libnetwork: it may, and both give the same addresses)',
      [pool(net, low), pool(net, '10.1.1.128/25'), pool(net, '10.1.0.0/20')],
      [LOW, OVERLAP, OVERLAP],
    ],
    ['may be asked for beside the whole pool', [pool(net), pool(net, low)], [L(net), LOW]],
    ['keeps others from the whole pool', [pool(net, low), pool(net)], [LOW, OVERLAP]],
    [
      'belongs to a pool that overlaps no other (libnetwork: its pool is not checked)',
      [pool('10.1.1.0/24'), pool(net, high)],
      [L('10.1.1.0/24'), OVERLAP],
    ],
    ['that is the pool means the whole pool', [pool(net, net), pool(net)], [L(net), OVERLAP]],
    ['wider than the pool means the whole pool', [pool(net, '10.0.0.0/8')], [L(net)]],
    ['needs a pool by name', [pool('', low), pool('0.0.0.0/24', low)], [INVALID_SUB, INVALID_SUB]],
    [
      'lies in its pool (libnetwork: noticed only when an address is asked for)',
      [pool(net, '10.2.0.0/24')],
      [INVALID_SUB],
    ],
    ['has no host bits (libnetwork: masks them)', [pool(net, '10.1.1.1/24')], [INVALID_SUB]],
    ['is of its pool’s family', [pool(net, 'fd00::/64')], [INVALID_SUB]],
    ['is a prefix', [pool(net, '10.1.1.0'), pool(net, '10.1.1.0/33')], [INVALID_SUB, INVALID_SUB]],
    ['may be one address', [pool(net, '10.1.0.0/32')], [L(`${net}/10.1.0.0/32`)]],
  ]
  test.for(ROWS)('%s', ([, asked, answered]) => {
    expect(answersTo(asked)).toEqual(answered)
  })
})

describe('a release', () => {
  const [net, low, high] = ['10.1.0.0/16', '10.1.1.0/24', '10.1.2.0/24']
  const [NET, LOW, HIGH] = [L(net), L(`${net}/${low}`), L(`${net}/${high}`)]
  const ROWS: ReadonlyArray<Row> = [
    ['of a pool that is not in use is refused', [drop(NET)], [BAD]],
    ['is refused the second time', [pool(net), drop(NET), drop(NET)], [NET, 'ok', BAD]],
    ['of a sub-pool is refused the second time', [pool(net, low), drop(LOW), drop(LOW)], [LOW, 'ok', BAD]],
    ['of a pool of which only a sub-pool is in use is refused', [pool(net, low), drop(NET)], [LOW, BAD]],
    [
      'of the last sub-pool releases the pool that came with it',
      [pool(net, low), pool(net, high), drop(LOW), pool(net), drop(HIGH), pool(net)],
      [LOW, HIGH, 'ok', OVERLAP, 'ok', NET],
    ],
    [
      'of the last sub-pool keeps a pool that was asked for itself',
      [pool(net), pool(net, low), drop(LOW), pool(net), get(NET)],
      [NET, LOW, 'ok', OVERLAP, '10.1.0.1/16'],
    ],
    [
      'of a pool keeps it for its sub-pools, but not for requests of its own (libnetwork: they are still answered)',
      [pool(net), pool(net, low), drop(NET), get(NET), get(LOW), drop(NET), pool(net), drop(LOW), pool(net)],
      [NET, LOW, 'ok', 'PoolNotFound, NotFound', '10.1.1.0/16', BAD, OVERLAP, 'ok', NET],
    ],
    [
      'forgets the addresses of the pool',
      [pool(net), get(NET, '10.1.0.1'), drop(NET), pool(net), get(NET)],
      [NET, '10.1.0.1/16', 'ok', NET, '10.1.0.1/16'],
    ],
    [
      'of a sub-pool keeps its addresses in use while the pool is',
      [pool(net), pool(net, low), get(LOW), drop(LOW), get(NET, '10.1.1.0')],
      [NET, LOW, '10.1.1.0/16', 'ok', 'IPAlreadyAllocated, Forbidden'],
    ],
  ]
  test.for(ROWS)('%s', ([, asked, answered]) => {
    expect(answersTo(asked)).toEqual(answered)
  })

  test('of everything leaves nothing', () => {
    const { ipam } = hear([pool(net), pool(net, low), drop(NET), drop(LOW)])
    expect(poolsOf(ipam)).toEqual([])
  })
})

describe('a pool left to choice', () => {
  type Choice = readonly [...Row, World?]
  const times = <T>(n: number, item: T): ReadonlyArray<T> => Array(n).fill(item)
  const global = pool('', '', 'GlobalDefault')
  const ROWS: ReadonlyArray<Choice> = [
    ['is the first default network', [pool('')], [L('172.17.0.0/16')]],
    ['is the first default network of IPv6 if V6 says so', [pool6()], [L('fd00:c0a8::/64')]],
    [
      'is asked for by 0.0.0.0/0 and ::/0 too',
      [pool('0.0.0.0/0'), pool('::/0')],
      [L('172.17.0.0/16'), L('fd00:c0a8::/64')],
    ],
    [
      'is a /24 of 10.0.0.0/8 in the global space',
      [global, global],
      ['GlobalDefault/10.0.0.0/24', 'GlobalDefault/10.0.1.0/24'],
    ],
    [
      'is the next one that is free',
      [pool(''), pool('172.18.0.0/24'), pool('')],
      [L('172.17.0.0/16'), L('172.18.0.0/24'), L('172.19.0.0/16')],
    ],
    [
      'is the lowest: one that was released is given again at once (older libnetwork: last)',
      [pool(''), pool(''), drop(L('172.17.0.0/16')), pool('')],
      [L('172.17.0.0/16'), L('172.18.0.0/16'), 'ok', L('172.17.0.0/16')],
    ],
    ['has the size that is asked for', [pool('0.0.0.0/24'), pool('::/80')], [L('172.17.0.0/24'), L('fd00:c0a8::/80')]],
    [
      'of a larger size is of the first default pool that has room for it',
      [pool('0.0.0.0/14'), pool('0.0.0.0/15')],
      [L('172.20.0.0/14'), L('172.24.0.0/15')],
    ],
    [
      'may be as small as one address',
      [pool('0.0.0.0/32'), pool('0.0.0.0/32')],
      [L('172.17.0.0/32'), L('172.17.0.1/32')],
    ],
    ['of a size larger than any default pool is refused', [pool('0.0.0.0/13'), pool('::/47')], [INVALID, INVALID]],
    ['of a size that no prefix has is refused', [pool('0.0.0.0/33'), pool('::/129')], [INVALID, INVALID]],
    [
      'begins behind what is taken in part, at a multiple of its size',
      [pool('172.17.0.0/25'), pool('0.0.0.0/24'), pool('0.0.0.0/25')],
      [L('172.17.0.0/25'), L('172.17.1.0/24'), L('172.17.0.128/25')],
    ],
    [
      'overlaps nothing that the host uses',
      [pool(''), pool6()],
      [L('172.19.0.0/16'), L('fd00:c0a8:0:1::/64')],
      { host: ['172.17.3.4/32', '172.18.9.0/24', 'fd00:c0a8::53/128'] },
    ],
    ['overlaps nothing that the host uses widely', [pool('')], [L('192.168.0.0/20')], { host: ['172.16.0.0/12'] }],
    ['there is none of where the host uses everything', [pool('')], [NO_MORE], { host: ['0.0.0.0/1', '128.0.0.0/1'] }],
    [
      'is not kept from the host’s in the global space',
      [global],
      ['GlobalDefault/10.0.0.0/24'],
      { host: ['10.0.0.0/8'] },
    ],
    ['may be the host’s if it is named', [pool('172.17.0.0/16')], [L('172.17.0.0/16')], { host: ['172.17.0.0/16'] }],
    [
      'ends with the default pools: 31 in the local space',
      times(32, pool('')),
      [
        ...Array.from({ length: 15 }, (_, n) => L(`172.${17 + n}.0.0/16`)),
        ...Array.from({ length: 16 }, (_, n) => L(`192.168.${16 * n}.0/20`)),
        NO_MORE,
      ],
    ],
    [
      'is of the configured default pools',
      [pool(''), pool(''), pool(''), pool6()],
      [L('100.64.0.0/11'), L('100.96.0.0/11'), NO_MORE, NO_MORE],
      { defaults: { ...DEFAULT_POOLS, LocalDefault: [{ base: cidr('100.64.0.0/10'), size: 11 }] } },
    ],
  ]
  test.for(ROWS)('%s', ([, asked, answered, world = {}]) => {
    expect(answersTo(asked, world)).toEqual(answered)
  })

  test('there are 65,536 in the global space, and then none', () => {
    const { answers } = hear(times(65_537, global))
    expect(answers.slice(-2)).toEqual(['GlobalDefault/10.255.255.0/24', NO_MORE])
    expect(new Set(answers).size).toBe(65_537)
  })
})

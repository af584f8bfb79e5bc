// Requests and releases of addresses, a row for each rule. Where we differ from libnetwork on purpose, the row says so.

import { describe, expect, test } from 'vitest'
import { answerDefault } from '../../src/ipam/default-driver.ts'
import { ADDRESS_TYPE, FOR_GATEWAY } from '../../src/ipam/protocol.ts'
import { getPool } from '../../src/ipam/space.ts'
import type { PoolId } from '../../src/ipam/types.ts'
import { E } from '../../src/prelude.ts'
import { answersTo, drop, get, give, hear, next, pool, type Row } from './ask.ts'

const L = (text: string): string => `LocalDefault/${text}`
const IN_USE = 'IPAlreadyAllocated, Forbidden'
const OUTSIDE = 'IPOutOfRange, InvalidParameter'
const FULL = 'NoAvailableIPs, Unavailable'

/** Rows about one pool: requests after it is in use. */
type PoolRow = readonly [rule: string, asked: (id: string) => ReadonlyArray<unknown>, answered: ReadonlyArray<string>]
const NET = '10.0.0.0/24'

describe('an address of a /24', () => {
  const ROWS: ReadonlyArray<PoolRow> = [
    ['is the lowest that is free', (id) => [get(id), get(id)], ['10.0.0.1/24', '10.0.0.2/24']],
    ['may be preferred', (id) => [get(id, '10.0.0.77')], ['10.0.0.77/24']],
    ['is not given twice', (id) => [get(id, '10.0.0.7'), get(id, '10.0.0.7')], ['10.0.0.7/24', IN_USE]],
    [
      'that somebody preferred is passed over',
      (id) => [get(id, '10.0.0.1'), get(id, '10.0.0.2'), get(id)],
      ['10.0.0.1/24', '10.0.0.2/24', '10.0.0.3/24'],
    ],
    ['lies in the pool', (id) => [get(id, '10.0.1.0'), get(id, '9.255.255.255')], [OUTSIDE, OUTSIDE]],
    ['is of the pool’s family', (id) => [get(id, 'fd00::1'), get(id, '::10.0.0.1')], [OUTSIDE, OUTSIDE]],
    [
      'is not the network’s or the broadcast address',
      (id) => [get(id, '10.0.0.0'), get(id, '10.0.0.255')],
      [IN_USE, IN_USE],
    ],
    [
      'for a gateway is one like others, the first if it is asked for first',
      (id) => [get(id, '', { [ADDRESS_TYPE]: FOR_GATEWAY }), get(id, '10.0.0.1'), get(id)],
      ['10.0.0.1/24', IN_USE, '10.0.0.2/24'],
    ],
    [
      'for a gateway may be preferred',
      (id) => [get(id, '10.0.0.254', { [ADDRESS_TYPE]: FOR_GATEWAY }), get(id)],
      ['10.0.0.254/24', '10.0.0.1/24'],
    ],
    [
      'may be asked for with options that we do not know',
      (id) => [get(id, '', { 'com.docker.network.endpoint.macaddress': '02:42:0a:00:00:02' })],
      ['10.0.0.1/24'],
    ],
    [
      'is free again once it was released, and given again at once',
      (id) => [get(id), get(id), give(id, '10.0.0.1'), get(id)],
      ['10.0.0.1/24', '10.0.0.2/24', 'ok', '10.0.0.1/24'],
    ],
    [
      'may be released twice, and when it was never given',
      (id) => [give(id, '10.0.0.9'), give(id, '10.0.0.9')],
      ['ok', 'ok'],
    ],
    [
      'outside the pool cannot be released, nor one of another family',
      (id) => [give(id, '10.0.1.1'), give(id, 'fd00::1')],
      [OUTSIDE, OUTSIDE],
    ],
    [
      'that is reserved stays reserved when it is released (libnetwork: it is given out then)',
      (id) => [give(id, '10.0.0.0'), get(id, '10.0.0.0'), give(id, '10.0.0.255'), get(id, '10.0.0.255'), get(id)],
      ['ok', IN_USE, 'ok', IN_USE, '10.0.0.1/24'],
    ],
  ]
  test.for(ROWS)('%s', ([, asked, answered]) => {
    expect(answersTo([pool(NET), ...asked(L(NET))]).slice(1)).toEqual(answered)
  })
})

describe('a serial request', () => {
  const ROWS: ReadonlyArray<PoolRow> = [
    [
      'looks behind the last automatic address, though lower ones came back',
      (id) => [next(id), next(id), give(id, '10.0.0.1'), next(id), get(id)],
      ['10.0.0.1/29', '10.0.0.2/29', 'ok', '10.0.0.3/29', '10.0.0.1/29'],
    ],
    [
      'goes round at the end of the pool',
      (id) => [...Array(6).fill(next(id)), give(id, '10.0.0.2'), give(id, '10.0.0.4'), next(id), next(id), next(id)],
      [...[1, 2, 3, 4, 5, 6].map((n) => `10.0.0.${n}/29`), 'ok', 'ok', '10.0.0.2/29', '10.0.0.4/29', FULL],
    ],
    [
      'does not go on behind a preferred address',
      (id) => [next(id), get(id, '10.0.0.4'), next(id)],
      ['10.0.0.1/29', '10.0.0.4/29', '10.0.0.2/29'],
    ],
    [
      'goes on behind an automatic address that was not serial',
      (id) => [next(id), next(id), give(id, '10.0.0.1'), get(id), next(id)],
      ['10.0.0.1/29', '10.0.0.2/29', 'ok', '10.0.0.1/29', '10.0.0.3/29'],
    ],
    [
      'for a preferred address gives that',
      (id) => [next(id), { ...next(id), Address: '10.0.0.6' }],
      ['10.0.0.1/29', '10.0.0.6/29'],
    ],
  ]
  test.for(ROWS)('%s', ([, asked, answered]) => {
    expect(answersTo([pool('10.0.0.0/29'), ...asked(L('10.0.0.0/29'))]).slice(1)).toEqual(answered)
  })
})

describe('an address of a sub-pool', () => {
  const [SUB, OTHER] = [L(`${NET}/10.0.0.64/30`), L(`${NET}/10.0.0.0/30`)]
  const ROWS: ReadonlyArray<Row> = [
    [
      'is of its range, with its first and last, and has the mask of the pool',
      [pool(NET, '10.0.0.64/30'), ...Array(5).fill(get(SUB))],
      [SUB, '10.0.0.64/24', '10.0.0.65/24', '10.0.0.66/24', '10.0.0.67/24', FULL],
    ],
    [
      'is not the pool’s own network address, where the range begins with it',
      [pool(NET, '10.0.0.0/30'), get(OTHER), get(OTHER, '10.0.0.0')],
      [OTHER, '10.0.0.1/24', IN_USE],
    ],
    [
      'may be preferred outside its range, not outside the pool',
      [pool(NET, '10.0.0.64/30'), get(SUB, '10.0.0.200'), get(SUB, '10.0.1.0')],
      [SUB, '10.0.0.200/24', OUTSIDE],
    ],
    [
      'is given once, whichever of the pools of its subnet asks',
      [pool(NET, '10.0.0.64/30'), pool(NET, '10.0.0.0/30'), get(SUB), get(OTHER, '10.0.0.64')],
      [SUB, OTHER, '10.0.0.64/24', IN_USE],
    ],
    [
      'is given once, though the whole pool is asked too',
      [pool(NET), pool(NET, '10.0.0.0/30'), get(OTHER), get(L(NET)), get(OTHER)],
      [L(NET), OTHER, '10.0.0.1/24', '10.0.0.2/24', '10.0.0.3/24'],
    ],
    [
      'may be released through any pool of its subnet',
      [pool(NET), pool(NET, '10.0.0.64/30'), get(SUB), give(L(NET), '10.0.0.64'), get(SUB)],
      [L(NET), SUB, '10.0.0.64/24', 'ok', '10.0.0.64/24'],
    ],
    [
      'that is asked for serially is of its range, also when another range was asked before',
      [pool(NET, '10.0.0.64/30'), pool(NET, '10.0.0.0/30'), next(SUB), next(OTHER), next(SUB), next(OTHER)],
      [SUB, OTHER, '10.0.0.64/24', '10.0.0.1/24', '10.0.0.65/24', '10.0.0.2/24'],
    ],
  ]
  test.for(ROWS)('%s', ([, asked, answered]) => {
    expect(answersTo(asked)).toEqual(answered)
  })
})

describe('an address of a pool that is not in use', () => {
  const NOT_FOUND = 'PoolNotFound, NotFound'
  const ROWS: ReadonlyArray<Row> = [
    ['cannot be had', [get(L(NET))], [NOT_FOUND]],
    ['cannot be released', [give(L(NET), '10.0.0.1')], [NOT_FOUND]],
    ['cannot be had any more', [pool(NET), drop(L(NET)), get(L(NET))], [L(NET), 'ok', NOT_FOUND]],
    ['cannot be had of a sub-pool that is not', [pool(NET), get(L(`${NET}/10.0.0.64/30`))], [L(NET), NOT_FOUND]],
    [
      'cannot be had of its pool, of which only a sub-pool is',
      [pool(NET, '10.0.0.64/30'), get(L(NET))],
      [L(`${NET}/10.0.0.64/30`), NOT_FOUND],
    ],
    ['cannot be had of the other space', [pool(NET), get(`GlobalDefault/${NET}`)], [L(NET), NOT_FOUND]],
  ]
  test.for(ROWS)('%s', ([, asked, answered]) => {
    expect(answersTo(asked)).toEqual(answered)
  })
})

describe('what is reserved', () => {
  /** First address, last address, and an address in the middle or null: given or in use? */
  const ROWS: ReadonlyArray<
    readonly [rule: string, subnet: string, asked: ReadonlyArray<string>, answered: ReadonlyArray<string>]
  > = [
    ['is the first and last of an IPv4 /24', NET, ['10.0.0.0', '10.0.0.255'], [IN_USE, IN_USE]],
    [
      'is the first and last of an IPv4 /30',
      '10.0.0.0/30',
      ['10.0.0.0', '10.0.0.3', ''],
      [IN_USE, IN_USE, '10.0.0.1/30'],
    ],
    ['is nothing of a /31 (RFC 3021)', '10.0.0.0/31', ['', '', ''], ['10.0.0.0/31', '10.0.0.1/31', FULL]],
    ['is nothing of a /32', '10.0.0.9/32', ['', ''], ['10.0.0.9/32', FULL]],
    [
      'is the first and last of an IPv4 /8',
      '10.0.0.0/8',
      ['10.0.0.0', '10.255.255.255', '10.255.255.254'],
      [IN_USE, IN_USE, '10.255.255.254/8'],
    ],
    [
      'is the first of a /64, the subnet-router anycast address; its last may be used (older libnetwork: not)',
      'fd00::/64',
      ['fd00::', 'fd00::ffff:ffff:ffff:ffff', ''],
      [IN_USE, 'fd00::ffff:ffff:ffff:ffff/64', 'fd00::1/64'],
    ],
    ['is the first of a /126', 'fd00::/126', ['', '', '', ''], ['fd00::1/126', 'fd00::2/126', 'fd00::3/126', FULL]],
    ['is the first of a /127', 'fd00::/127', ['fd00::', '', ''], [IN_USE, 'fd00::1/127', FULL]],
    ['is nothing of a /128 (libnetwork: its only address)', 'fd00::9/128', ['', ''], ['fd00::9/128', FULL]],
    [
      'is the first of a pool wider than 2^63, of which any address may be used (libnetwork: automatic ones of the first 2^63)',
      '2000::/3',
      ['', '3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2fff::1', '2000::'],
      ['2000::1/3', '3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/3', '2fff::1/3', IN_USE],
    ],
  ]
  test.for(ROWS)('%s', ([, subnet, asked, answered]) => {
    expect(answersTo([pool(subnet), ...asked.map((ip) => get(L(subnet), ip))]).slice(1)).toEqual(answered)
  })
})

describe('a manager', () => {
  test('counts what is in use, and a second release does not change the count (older libnetwork: it drifts)', () => {
    const count = (asked: ReadonlyArray<unknown>) =>
      getPool(hear([pool(NET), ...asked]).ipam, L(NET) as PoolId)?.subnet.used.count
    const given = [get(L(NET)), get(L(NET))]
    const back = give(L(NET), '10.0.0.1')
    expect(count(given)).toBe(4)
    expect(count([...given, back])).toBe(3)
    expect(count([...given, back, back, back])).toBe(3)
  })

  test('asks for its requests to be replayed, needs no MAC addresses, and has two spaces', () => {
    const answer = (Method: 'GetCapabilities' | 'GetDefaultAddressSpaces') => {
      const { ipam } = hear([])
      const result = answerDefault([])(ipam, { Method })
      return E.isRight(result) ? result.right.response : null
    }
    expect(answer('GetCapabilities')).toEqual({ RequiresMACAddress: false, RequiresRequestReplay: true })
    expect(answer('GetDefaultAddressSpaces')).toEqual({
      LocalDefaultAddressSpace: 'LocalDefault',
      GlobalDefaultAddressSpace: 'GlobalDefault',
    })
  })

  test('names the object of every refusal in its sentence', () => {
    const { sentences } = hear([
      pool(NET),
      pool('10.0.0.0/8'),
      pool('10.0.0.0/16', '10.0.9.0/24'),
      get(L(NET), '10.0.0.0'),
      get(L(NET), '10.9.9.9'),
      drop(L('10.7.0.0/16')),
      pool('10.0.0.0/33'),
      pool(NET, '10.1.0.0/24'),
      get(L(NET), 'ten'),
      pool(NET, '', 'nowhere'),
      drop('x'),
    ])
    expect(sentences).toEqual([
      'subnet 10.0.0.0/8 overlaps 10.0.0.0/24, which is in use in LocalDefault',
      'subnet 10.0.0.0/16 overlaps 10.0.0.0/24, which is in use in LocalDefault',
      'address 10.0.0.0 of pool LocalDefault/10.0.0.0/24 is in use already',
      'address 10.9.9.9 is not in pool LocalDefault/10.0.0.0/24',
      'there is no pool LocalDefault/10.7.0.0/16 in use',
      'the pool "10.0.0.0/33" is not a prefix such as 172.20.0.0/16 or fd00:1::/64',
      'the sub-pool "10.1.0.0/24" of "10.0.0.0/24" does not lie in its pool',
      '"ten" is not an IP address',
      'there is no address space "nowhere"; the default driver has LocalDefault and GlobalDefault, the null driver has null',
      '"x" is not the id of a pool, such as LocalDefault/172.20.0.0/16',
    ])
  })
})

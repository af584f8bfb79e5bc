// What comes from outside and is no request, no prefix, no address, no pool: a tag and a class each time, the state as it was,
// and quickly, however long it is.

import { describe, expect, test } from 'vitest'
import { readRequest } from '../../src/ipam/protocol.ts'
import { poolsOf } from '../../src/ipam/space.ts'
import { E } from '../../src/prelude.ts'
import { drop, get, give, hear, pool, pool6 } from './ask.ts'

const NET = 'LocalDefault/10.0.0.0/24'
const HUGE = ['1', '/', ':', '.', 'f', '10.0.0.0/8 ', '0:', '\u{1f4a9}', '\0'].map((text) => text.repeat(200_000))

const NO_PREFIX: ReadonlyArray<string> = [
  ...['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8.0', '10.0.0.0/08', '10.0.0.0/', '10.0.0.0', '/8', '/', ' '],
  ...['10.0.0/8', '010.0.0.0/8', '0x0a.0.0.0/8', '10.0.0.0/8 ', ' 10.0.0.0/8', '10.0.0.0/8/8', '10.0.0.256/32'],
  ...['fd00::/129', 'fd00::%eth0/64', 'fd00:::/64', 'fd00::/64/64', '[fd00::]/64', 'ten', 'null', '\0', '١٠.0.0.0/8'],
  ...HUGE,
]
const NOT_FOR_HOSTS: ReadonlyArray<string> = [
  ...[
    '10.0.0.1/8',
    'fd00::1/64',
    'fe80::/64',
    'fe80::/10',
    'febf::/16',
    '224.0.0.0/4',
    '239.1.0.0/16',
    '255.255.255.255/32',
  ],
  ...['ff02::/16', 'ffff::/16', '::ffff:10.0.0.0/104', '::/8', '64:ff9b::/96', '127.0.0.0/8', '0.0.0.1/32', '::1/128'],
]
const NO_ADDRESS: ReadonlyArray<string> = [
  '10.0.0.1/24',
  '10.0.0',
  '10.0.0.01',
  '10.0.0.1 ',
  'fd00::1%eth0',
  'x',
  ...HUGE,
]
const NO_ID: ReadonlyArray<string> = [
  ...[
    'LocalDefault',
    'LocalDefault/',
    'LocalDefault/10.0.0.0',
    'LocalDefault/10.0.0.0/24/',
    'LocalDefault/10.0.0.0/24/10.0.0.0',
  ],
  ...[
    'LocalDefault/10.0.0.0/24/10.0.0.0/25/26',
    'LocalDefault/10.0.0.0/33',
    'LocalDefault/010.0.0.0/24',
    'LocalDefault/FD00::/64',
  ],
  ...['LocalDefault/10.0.0.0/24/10.0.0.0/24', 'LocalDefault/10.0.0.0/24/x/25'],
]
const NO_SPACE: ReadonlyArray<string> = [
  '',
  'localdefault',
  'LocalDefault ',
  'null',
  '__proto__',
  'constructor',
  ...HUGE,
]

const brief = (text: string): string => (text.length > 40 ? `${text.slice(0, 12)}... (${text.length})` : text)

/** Asks with one pool in use: the answer, after which only that pool is. */
const answer = (json: unknown): string => {
  const { answers, ipam, sentences } = hear([pool('10.0.0.0/24'), json])
  expect(poolsOf(ipam).map(({ id }) => id)).toEqual([NET])
  for (const sentence of sentences) expect(sentence.length).toBeLessThan(1200)
  return answers[1] ?? ''
}

describe('what is no prefix', () => {
  test.for(NO_PREFIX.map((text) => [brief(text), text] as const))(
    '%s is refused as a pool and as a sub-pool',
    ([, text]) => {
      expect(answer(pool(text))).toBe('InvalidPool, InvalidParameter')
      expect(answer(pool6(text))).toBe('InvalidPool, InvalidParameter')
      expect(answer(pool('10.1.0.0/16', text))).toBe('InvalidSubPool, InvalidParameter')
    },
  )
})

describe('what hosts have no addresses of', () => {
  test.for(NOT_FOR_HOSTS)('%s is refused as a pool', (text) => {
    expect(answer(pool(text))).toBe('InvalidPool, InvalidParameter')
    expect(answer({ ...pool(text, '', 'GlobalDefault'), V6: true })).toBe('InvalidPool, InvalidParameter')
  })
})

describe('what is no address', () => {
  test.for(NO_ADDRESS.map((text) => [brief(text), text] as const))('%s is neither given nor taken back', ([, text]) => {
    expect(answer(get(NET, text))).toBe('InvalidAddress, InvalidParameter')
    expect(answer(give(NET, text))).toBe('InvalidAddress, InvalidParameter')
  })

  test('an empty one cannot be taken back', () => {
    expect(answer(give(NET, ''))).toBe('InvalidAddress, InvalidParameter')
  })

  test.for(['fd00::1', '::ffff:10.0.0.1', '::', '10.0.1.0', '255.255.255.255'])(
    '%s lies in no pool of 10.0.0.0/24',
    (text) => {
      expect(answer(get(NET, text))).toBe('IPOutOfRange, InvalidParameter')
      expect(answer(give(NET, text))).toBe('IPOutOfRange, InvalidParameter')
    },
  )
})

describe('what is no pool', () => {
  test.for(NO_ID)('%s is the id of none', (text) => {
    for (const asked of [drop(text), get(text), give(text, '10.0.0.1')])
      expect(answer(asked)).toBe('InvalidPoolID, InvalidParameter')
  })

  test.for(['LocalDefault/10.0.0.0/25', 'LocalDefault/10.0.0.1/24', 'GlobalDefault/10.0.0.0/24', `${NET}/10.0.0.0/25`])(
    '%s is the id of one that is not in use',
    (text) => {
      expect(answer(drop(text))).toBe('BadPool, InvalidParameter')
      expect(answer(get(text))).toBe('PoolNotFound, NotFound')
      expect(answer(give(text, '10.0.0.1'))).toBe('PoolNotFound, NotFound')
    },
  )

  test.for(HUGE.map((text) => [brief(text), text] as const))('%s is the id of none', ([, text]) => {
    for (const asked of [drop(text), get(text), give(text, '10.0.0.1'), drop(`${NET}/${text}`)])
      expect(answer(asked)).toBe('InvalidPoolID, InvalidParameter')
  })
})

describe('what is no address space', () => {
  test.for(NO_SPACE.map((text) => [brief(text), text] as const))('"%s" has no pools', ([, text]) => {
    expect(answer(pool('10.1.0.0/16', '', text))).toBe('InvalidAddressSpace, InvalidParameter')
    expect(answer(pool('', '', text))).toBe('InvalidAddressSpace, InvalidParameter')
  })
})

describe('what is no request', () => {
  test.for(
    [
      ...[
        null,
        undefined,
        7,
        true,
        'RequestPool',
        [],
        [{ Method: 'GetCapabilities' }],
        {},
        { method: 'GetCapabilities' },
      ],
      ...[{ Method: '' }, { Method: null }, { Method: 7 }, { Method: 'requestPool' }, { Method: '__proto__' }],
      ...[
        { ...pool(''), Pool: 7 },
        { ...pool(''), SubPool: {} },
        { ...pool(''), AddressSpace: [] },
        { ...pool(''), V6: 'true' },
      ],
      ...[
        { ...pool(''), V6: 1 },
        { ...pool(''), Options: [] },
        { ...pool(''), Options: 'a=b' },
        { ...pool(''), Options: { a: 1 } },
      ],
      ...[
        { Method: 'ReleasePool', PoolID: 7 },
        { ...get(NET), Address: 7 },
        { ...get(NET), PoolID: {} },
      ],
      ...[
        { ...get(NET), Options: { a: null } },
        { ...give(NET, ''), Address: {} },
        { ...give(NET, ''), PoolID: false },
      ],
      { Method: 'x'.repeat(1_000_000) },
    ].map((json) => [brief(JSON.stringify(json) ?? 'nothing'), json] as const),
  )('%s is refused', ([, json]) => {
    expect(answer(json)).toBe('InvalidRequest, InvalidParameter')
  })

  test('a field that is absent or null is empty, and one that is unknown is passed over', () => {
    const empty = { Method: 'RequestPool', AddressSpace: '', Pool: '', SubPool: '', Options: {}, V6: false }
    expect(readRequest({ Method: 'RequestPool' })).toEqual(E.right(empty))
    expect(readRequest({ Method: 'RequestPool', Pool: null, Options: null, V6: null, Color: 'red' })).toEqual(
      E.right(empty),
    )
    expect(readRequest({ Method: 'GetCapabilities', Pool: 7 })).toEqual(E.right({ Method: 'GetCapabilities' }))
  })
})

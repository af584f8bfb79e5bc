// What macvlans do with frames, in each mode. Each fact was seen on Linux 6.18 with raw frames.

import { describe, expect, test } from 'vitest'
import type { MacvlanMode } from '../../../../src/kernel/rtnl/kind.ts'
import { ifName, ns } from '../../../../src/net/name.ts'
import { ALL, countsOf, labOf, link, mac, netns, raw, send, set, tag, veth, worldOf } from './lab.ts'

const OUT = '00:00:0b'
const LOW = '00:00:0a'
const M1 = '00:01:01'
const M2 = '00:01:02'

/** u in a, whose other end is u in b; on it m1 and m2, each in a namespace of its own. */
const lab = (one: MacvlanMode, two: MacvlanMode | null, ...more: Parameters<typeof worldOf>[0]) => {
  const macvlan = (n: number, mode: MacvlanMode) => [
    ...netns(`m${n}`),
    link(
      'a',
      `m${n}`,
      { kind: 'macvlan', mode },
      { dev: ifName('u'), mac: mac(`00:01:0${n}`), to: ns(`m${n}`), up: false },
    ),
    set(`m${n}`, `m${n}`, { up: true }),
  ]
  return labOf(
    worldOf([
      ...netns('a'),
      ...netns('b'),
      ...veth('a', 'u', LOW, 'b', 'u', OUT),
      ...macvlan(1, one),
      ...(two === null ? [] : macvlan(2, two)),
      ...more,
    ]),
  )
}
const outside = ['a u >', 'b u <', 'm1 m1 >']

describe('two macvlans of mode bridge', () => {
  test('reach each other by the device below, which sees the frame come in and counts nothing', () => {
    const made = lab('bridge', 'bridge')
    expect(send(made, 'm1 m1', raw(M1, M2))).toEqual(['a u <', 'm1 m1 >', 'm2 m2 <'])
    expect(countsOf(made, 'a u')).toEqual({})
    expect(countsOf(made, 'm1 m1')).toEqual({ txPackets: 1, txBytes: 64 })
    expect(countsOf(made, 'm2 m2')).toMatchObject({ rxPackets: 1, rxBytes: 64 })
  })

  test('send others out, the MAC of the device below included', () => {
    const made = lab('bridge', 'bridge')
    expect(send(made, 'm1 m1', raw(M1, OUT))).toEqual(outside)
    expect(send(made, 'm1 m1', raw(M1, LOW))).toEqual(outside)
  })

  test('give broadcasts to each other and out, counted with the header twice', () => {
    const made = lab('bridge', 'bridge')
    expect(send(made, 'm1 m1', raw(M1, ALL))).toEqual([...outside, 'm2 m2 <'])
    expect(countsOf(made, 'm2 m2')).toMatchObject({ rxPackets: 1, rxBytes: 78 })
    expect(send(made, 'm1 m1', raw(M1, '01:00:5e:00:00:01'))).toEqual([...outside, 'm2 m2 <'])
  })

  test('hear what comes from outside for them, for all, and for groups they are in', () => {
    const made = lab('bridge', 'bridge')
    expect(send(made, 'b u', raw(OUT, M1))).toEqual(['a u <', 'b u >', 'm1 m1 <'])
    expect(send(made, 'b u', raw(OUT, ALL))).toEqual(['a u <', 'b u >', 'm1 m1 <', 'm2 m2 <'])
    expect(send(made, 'b u', raw(OUT, '01:00:5e:07:07:07'))).toEqual(['a u <', 'b u >'])
    expect(send(made, 'b u', raw(OUT, '00:01:09'))).toEqual(['a u <', 'b u >'])
    expect(countsOf(made, 'a u')).toMatchObject({ rxPackets: 4, rxDropped: 3 })
  })

  test('do not hear again what one of them sent, when it is sent back', () => {
    expect(send(lab('bridge', 'bridge'), 'b u', raw(M1, ALL))).toEqual(['a u <', 'b u >'])
  })

  test('do not hear the device below', () => {
    const made = lab('bridge', 'bridge')
    expect(send(made, 'a u', raw(LOW, ALL))).toEqual(['a u >', 'b u <'])
    expect(send(made, 'a u', raw(LOW, M1))).toEqual(['a u >', 'b u <'])
  })

  test('are not looked for while they are down', () => {
    const made = lab('bridge', 'bridge', set('m2', 'm2', { up: false }))
    expect(send(made, 'm1 m1', raw(M1, M2))).toEqual(outside)
    expect(send(made, 'b u', raw(OUT, M2))).toEqual(['a u <', 'b u >'])
  })

  test('mind their MTU only for broadcasts of their own kind', () => {
    const made = lab('bridge', 'bridge', set('m2', 'm2', { mtu: 600 }))
    expect(send(made, 'm1 m1', raw(M1, M2, [], 700))).toContain('m2 m2 <')
    expect(send(made, 'm1 m1', raw(M1, ALL, [], 700))).not.toContain('m2 m2 <')
    expect(countsOf(made, 'm2 m2')).toMatchObject({ rxDropped: 2 })
    expect(send(made, 'b u', raw(OUT, ALL, [], 700))).toContain('m2 m2 <')
  })

  test('have tags within their frames when they send, and beside them when they receive', () => {
    const made = lab('bridge', 'bridge')
    send(made, 'm1 m1', raw(M1, M2, [tag(5)]))
    expect(countsOf(made, 'm1 m1')).toEqual({ txPackets: 1, txBytes: 68 })
    expect(countsOf(made, 'm2 m2')).toEqual({ rxPackets: 1, rxBytes: 64 })
  })
})

test.each([
  ['private', 'bridge'],
  ['bridge', 'private'],
  ['vepa', 'vepa'],
  ['vepa', 'bridge'],
] as const)('of modes %s and %s, the first reaches the second by the outside only', (one, two) => {
  const made = lab(one, two)
  expect(send(made, 'm1 m1', raw(M1, M2))).toEqual(outside)
  expect(send(made, 'm1 m1', raw(M1, ALL))).toEqual(outside)
})

test('what one of mode private sent comes back to it alone, and counts no bytes', () => {
  const made = lab('private', 'bridge')
  expect(send(made, 'b u', raw(M1, ALL))).toEqual(['a u <', 'b u >', 'm1 m1 <'])
  expect(countsOf(made, 'm1 m1')).toMatchObject({ rxPackets: 1 })
  expect(countsOf(made, 'm1 m1')).not.toHaveProperty('rxBytes')
})

test.each(['vepa', 'bridge'] as const)('what one of mode vepa sent reaches one of mode %s from outside', (two) => {
  expect(send(lab('vepa', two), 'b u', raw(M1, ALL))).toEqual(['a u <', 'b u >', 'm2 m2 <'])
})

test('one of mode passthru has all that comes, whatever its MAC', () => {
  const made = lab('passthru', null)
  expect(send(made, 'b u', raw(OUT, M1))).toEqual(['a u <', 'b u >', 'm1 m1 <'])
  expect(send(made, 'b u', raw(OUT, '00:01:09'))).toEqual(['a u <', 'b u >', 'm1 m1 <'])
  expect(send(made, 'b u', raw(OUT, ALL))).toEqual(['a u <', 'b u >', 'm1 m1 <'])
  expect(send(made, 'm1 m1', raw(M1, M2))).toEqual(outside)
})

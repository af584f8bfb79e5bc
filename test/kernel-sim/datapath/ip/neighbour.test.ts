// Neighbours in virtual time: how long they are asked, trusted and doubted.

import { describe, expect, test } from 'vitest'
import { announce } from '../../../../src/kernel-sim/datapath/ip/ip.ts'
import { deviceOf } from '../../../../src/kernel-sim/datapath/plane.ts'
import type { Step } from '../../../../src/kernel-sim/datapath/step.ts'
import type { World } from '../../../../src/kernel-sim/state.ts'
import type { Frame } from '../../../../src/kernel-sim/wire/ethernet.ts'
import { ip, showIp } from '../../../../src/net/ip.ts'
import { BROADCAST, mac } from '../../../../src/net/mac.ts'
import { ns } from '../../../../src/net/name.ts'
import { getIn } from '../../../../src/net/pmap.ts'
import { neighbour } from '../../control/story.ts'
import { at, attemptIn, inPlane, on, ping, sentBy, spaces, udp, wire, worldOf } from './lab.ts'

const PAIR = [
  ...spaces('a', 'b'),
  ...wire('a', 'eth0', 'b', 'eth0'),
  ...on('a', 'eth0', '10.0.0.1/24', 'fd00::1/64'),
  ...on('b', 'eth0', '10.0.0.2/24', 'fd00::2/64'),
]

const entryOf = (world: World, space: string, address: string) => {
  const entry = getIn(world.namespaces, ns(space))
  return entry === undefined ? undefined : getIn(entry.neighbours, `eth0 ${ip(address)}`)
}
const stateOf = (world: World, space: string, address: string): string | undefined => {
  const entry = entryOf(world, space, address)
  return entry === undefined ? undefined : (entry.asking?.state ?? entry.set ?? 'reachable')
}

const isQuestion = ({ payload }: Frame): boolean =>
  (payload.tag === 'arp' && payload.op === 'request') ||
  (payload.tag === 'ip6' && payload.body.proto === 'icmp6' && payload.body.type === 'neighbour-solicitation')
/** When a asked, in ms, and whether everybody. */
const questions = (steps: ReadonlyArray<Step>) =>
  steps.flatMap(({ ns: where, event, frame, atMs }) =>
    where === 'a' && event.tag === 'transmitted' && frame !== null && isQuestion(frame)
      ? [{ atMs, toAll: frame.dst === BROADCAST || frame.dst >= 0x333300000000 }]
      : [],
  )

describe.each([
  ['ARP', '10.0.0.2', '10.0.0.9'],
  ['neighbour discovery', 'fd00::2', 'fd00::9'],
])('%s', (_, there, gone) => {
  test('a neighbour that answers is reachable, and whoever was asked has the asker as stale until it answers back', () => {
    const { account, world } = attemptIn(worldOf(PAIR), ping('a', there))
    expect(account.ending).toBe('answered')
    expect(stateOf(world, 'a', there)).toBe('reachable')
    expect(stateOf(world, 'b', there === '10.0.0.2' ? '10.0.0.1' : 'fd00::1')).toBe('delay')
  })

  test('nobody is asked three times, a second apart, then fails; the sender learns of it by way of its loopback', () => {
    const { account, steps, world } = attemptIn(worldOf(PAIR), ping('a', gone), { forMs: 4000 })
    expect(questions(steps)).toEqual([0, 1000, 2000].map((atMs) => ({ atMs, toAll: true })))
    expect(account.ending).toEqual({ errno: 'EHOSTUNREACH' })
    expect(account.crossings.map(({ dev, what }) => `${dev} ${what}`)).toEqual(['lo error', 'lo error'])
    expect(stateOf(world, 'a', gone)).toBe('failed')
  })

  test('what waits for a neighbour waits through the end of a plane', () => {
    const first = attemptIn(worldOf(PAIR), ping('a', gone), { forMs: 500 })
    expect(first.account.ending).toBe('silence')
    expect(stateOf(first.world, 'a', gone)).toBe('incomplete')
    expect(entryOf(first.world, 'a', gone)?.asking?.waiting.length).toBe(1)
    const later = inPlane(first.world, 'a', () => {}, { forMs: 3000 })
    expect(questions(later.steps).map(({ atMs }) => atMs)).toEqual([1000, 2000])
    expect(stateOf(later.world, 'a', gone)).toBe('failed')
    const lost = later.steps.filter(({ event }) => event.tag === 'dropped' && event.reason.tag === 'no-neighbour')
    expect(lost.length).toBe(1)
  })

  test('a failed one is asked again for the next packet', () => {
    const first = attemptIn(worldOf(PAIR), ping('a', gone), { forMs: 4000 })
    expect(questions(attemptIn(first.world, ping('a', gone), { forMs: 100 }).steps).length).toBe(1)
  })

  test('after 30 s a reachable one is used in doubt for 5 s, then asked alone, and is reachable again', () => {
    const known = attemptIn(worldOf(PAIR), ping('a', there)).world
    const old = inPlane(known, 'a', () => {}, { forMs: 31_000 }).world
    const used = attemptIn(old, ping('a', there), { forMs: 4000 })
    expect(used.account.ending).toBe('answered')
    expect(questions(used.steps)).toEqual([])
    expect(stateOf(used.world, 'a', there)).toBe('delay')
    const later = inPlane(used.world, 'a', () => {}, { forMs: 2000 })
    expect(questions(later.steps)).toEqual([{ atMs: old.nowMs + 5000, toAll: false }])
    expect(stateOf(later.world, 'a', there)).toBe('reachable')
  })

  test('one that was set by hand is not asked, and not learned anew', () => {
    const world = worldOf([at('a', neighbour('eth0', there, { mac: mac(0x020000000077) }))], worldOf(PAIR))
    const { account, steps } = attemptIn(world, ping('a', there))
    expect(account.ending).toBe('silence')
    expect(questions(steps)).toEqual([])
    const heard = inPlane(world, 'b', (space) => {
      const dev = deviceOf(space, 'eth0')
      if (dev !== null) announce(dev, ip(there))
    })
    expect(entryOf(heard.world, 'a', there)?.mac).toBe(0x020000000077)
  })

  test('an announcement moves a neighbour that is known, and makes none', () => {
    const fresh = worldOf(PAIR)
    const announced = (world: World) =>
      inPlane(world, 'b', (space) => {
        const dev = deviceOf(space, 'eth0')
        if (dev !== null) announce(dev, ip(there))
      }).world
    expect(stateOf(announced(fresh), 'a', there)).toBeUndefined()
    const wrong = worldOf(
      [at('a', neighbour('eth0', there, { mac: mac(0x020000000077), state: 'stale' }))],
      worldOf(PAIR),
    )
    expect(entryOf(announced(wrong), 'a', there)?.mac).not.toBe(0x020000000077)
    expect(stateOf(announced(wrong), 'a', there)).toBe('stale')
  })
})

test('101 packets wait for a neighbour; of more the oldest is lost', () => {
  const { steps } = inPlane(worldOf(PAIR), 'a', (space) => {
    for (let i = 0; i < 103; i++)
      space.plane.parts.send(space, {
        src: null,
        dst: ip('10.0.0.9'),
        body: { proto: 'udp', sport: i, dport: 7, checked: true, payload: new Uint8Array(0) },
      })
  })
  const lost = steps.flatMap(({ event, payload }) =>
    event.tag === 'dropped' && payload.tag === 'ip4' && payload.body.proto === 'udp' ? [payload.body.sport] : [],
  )
  expect(lost).toEqual([0, 1])
})

test('a question carries the source of the packet that waits, and goes from nowhere else', () => {
  const { steps } = attemptIn(
    worldOf([...PAIR, ...on('a', 'eth0', '10.9.0.1/24')]),
    udp('a', '10.0.0.2', { from: ip('10.9.0.1') }),
  )
  const asked = sentBy(steps, 'a', 'eth0').flatMap(({ payload }) =>
    payload.tag === 'arp' ? [showIp(payload.sender)] : [],
  )
  expect(asked).toEqual(['10.9.0.1'])
})

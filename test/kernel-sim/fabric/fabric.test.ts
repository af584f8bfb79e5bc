// Hosts on segments: what reaches whom, when, and what chance does to it, always the same from the same seed.

import { describe, expect, test } from 'vitest'
import type { Try } from '../../../src/kernel/traffic.ts'
import { askWorld, hostWorld } from '../../../src/kernel-sim/control.ts'
import type { Step } from '../../../src/kernel-sim/datapath/step.ts'
import { emptyFabric, partition, plug, withHost, withSegment } from '../../../src/kernel-sim/fabric/fabric.ts'
import { stackOf } from '../../../src/kernel-sim/stack.ts'
import { ip } from '../../../src/net/ip.ts'
import { HOST, ifName } from '../../../src/net/name.ts'
import { getIn } from '../../../src/net/pmap.ts'
import { port } from '../../../src/net/port.ts'
import { E } from '../../../src/prelude.ts'
import { fabricOf, LAN, pass, tryOn } from './lab.ts'

const ping = (to: string, size = 56): Try => ({ send: 'ping', ns: HOST, to: ip(to), size })

/** Steps as text: two that differ in anything differ here. */
const textOf = (steps: ReadonlyArray<Step>): string =>
  steps.map((step) => JSON.stringify(step, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))).join('\n')

describe('a fabric', () => {
  test('carries packets from host to host, with the delay of its segment', () => {
    const { account, fabric } = tryOn(fabricOf(1, ['a', 'b'], { delayMs: 5 }), 'a', ping('10.0.0.2'))
    expect(account.ending).toBe('answered')
    // A question, its answer, the request and the reply: four ways of 5 ms.
    expect(fabric.nowMs).toBeGreaterThanOrEqual(20)
    expect(tryOn(fabric, 'a', ping('fd00::2')).account.ending).toBe('answered')
  })

  test('carries nothing between its parts, and all again when it is whole', () => {
    const whole = fabricOf(1, ['a', 'b', 'c'])
    const parted = partition(whole, LAN, [['a', 'c'], ['b']])
    expect(tryOn(parted, 'a', ping('10.0.0.2')).account.ending).toBe('silence')
    const { fabric, account } = tryOn(parted, 'a', ping('10.0.0.3'))
    expect(account.ending).toBe('answered')
    expect(tryOn(pass(partition(fabric, LAN, null), 5000), 'a', ping('10.0.0.2')).account.ending).toBe('answered')
  })

  test('sends what it knows the card of to that card only', () => {
    const { fabric } = tryOn(fabricOf(1, ['a', 'b', 'c']), 'a', ping('10.0.0.2'))
    const { steps } = tryOn(fabric, 'a', ping('10.0.0.2'))
    expect(steps.filter(({ host }) => host === 'c')).toEqual([])
  })

  test('loses as many frames as it was told to, more or less', () => {
    let fabric = fabricOf(7, ['a', 'b'], { loss: 0.2 })
    let answered = 0
    for (let n = 0; n < 200; n++) {
      const tried = tryOn(fabric, 'a', ping('10.0.0.2'))
      fabric = pass(tried.fabric, 1000)
      if (tried.account.ending === 'answered') answered += 1
    }
    expect(answered).toBeGreaterThan(100)
    expect(answered).toBeLessThan(160)
  })

  test('holds up what its cable cannot carry at once', () => {
    const fabric = fabricOf(1, ['a', 'b'], { bitsPerMs: 1000 })
    const attempt = ping('10.0.0.2', 1000)
    const { fabric: after } = tryOn(tryOn(fabric, 'a', attempt).fabric, 'a', attempt)
    // Twice there and back, of more than 8000 bits each.
    expect(after.nowMs).toBeGreaterThan(4 * 8)
  })

  test('does the same from the same seed, and something else from another', () => {
    const quality = { delayMs: 2, jitterMs: 3, loss: 0.1, duplicate: 0.1, reorder: 0.2 }
    const story = (seed: number): string => {
      const told: string[] = []
      let fabric = fabricOf(seed, ['a', 'b', 'c'], quality)
      for (const to of ['10.0.0.2', 'fd00::3', '10.0.0.3', 'fd00::2']) {
        const tcp: Try = { send: 'tcp', ns: HOST, to: ip(to), port: port(80), listener: null, size: 10 }
        for (const attempt of [ping(to), tcp]) {
          const tried = tryOn(fabric, 'a', attempt)
          told.push(textOf(tried.steps))
          fabric = tried.fabric
        }
      }
      return told.join('\n')
    }
    for (let seed = 1; seed <= 20; seed++) expect(story(seed)).toBe(story(seed))
    expect(story(1)).not.toBe(story(2))
  })

  test('is a value: what happened to a later one has not happened to it', () => {
    const before = fabricOf(1, ['a', 'b'])
    const once = tryOn(before, 'a', ping('10.0.0.2'))
    expect(textOf(tryOn(before, 'a', ping('10.0.0.2')).steps)).toBe(textOf(once.steps))
  })

  test('gives devices of one name on two hosts MACs of their own', () => {
    const ask = { on: 'link', do: 'add', name: ifName('br0'), kind: { kind: 'bridge' } } as const
    const hosts = ['a', 'b'].map((host) => getIn(withHost(emptyFabric(1), host).hosts, host) ?? hostWorld())
    const macs = hosts.map((world) => stackOf(askWorld(world, { ns: HOST, ask }).world, HOST)?.links)
    expect(macs[0]).toHaveLength(2)
    expect(macs[0]?.[1]?.mac).not.toBe(macs[1]?.[1]?.mac)
  })

  test('says what is not there', () => {
    const fabric = withHost(withSegment(emptyFabric(1), LAN), 'a')
    expect(plug(fabric, 'b', LAN, ifName('eth0'))).toEqual(E.left({ tag: 'no-host', host: 'b' }))
    expect(plug(fabric, 'a', 'wan', ifName('eth0'))).toEqual(E.left({ tag: 'no-segment', segment: 'wan' }))
    expect(plug(fabric, 'a', LAN, ifName('lo'))).toMatchObject(E.left({ tag: 'name-taken' }))
  })
})

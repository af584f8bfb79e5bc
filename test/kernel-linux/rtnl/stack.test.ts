// A stack by dumps is what the tools print: two witnesses of one kernel, in a network with something of everything.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { lasting } from '../../../src/kernel/rtnl/lasting.ts'
import { labNames } from '../../../src/kernel-linux/names.ts'
import { stacksOf } from '../../../src/kernel-linux/rtnl/stack.ts'
import { needs } from '../../lib/need.ts'
import { rightOf } from '../labs.ts'
import { GROUPS } from './cases.ts'
import { witnesses } from './witness.ts'
import { buildWorld, C, H, NOWHERE, SPACES, sideOf } from './world.ts'

const side = sideOf('stack', 'netlink')
const names = labNames(side.lab)
const look = async () => rightOf(await stacksOf(names, [...SPACES, NOWHERE]))

needs.kernel('a stack', () => {
  beforeAll(() => buildWorld(side))
  afterAll(() => side.clear())

  test('is told as ip(8) and bridge(8) print it, whatever was asked before', async () => {
    const filled = [
      'ports',
      'addresses',
      'routes of IPv4',
      'routes of IPv6',
      'rules',
      'neighbours',
      'forwarding entries',
    ]
    let done = 0
    for (const { cases } of GROUPS.filter(({ what }) => filled.includes(what)))
      for (const { ask, ns, errno, before } of cases) {
        if (ns !== H || errno !== null || before.length > 0 || ('do' in ask && ask.do === 'delete')) continue
        if ((await side.answer({ ns, ask })) === null) done += 1
      }
    expect(done).toBeGreaterThan(80)
    const stacks = await look()
    for (const ns of SPACES) {
      const stack = stacks.get(ns)
      if (stack === undefined) throw new Error(`${ns} is not there`)
      const { printed, told } = witnesses(names(ns) ?? '', stack)
      expect(told).toEqual(printed)
    }
  })

  test('is none where there is no namespace', async () => {
    expect([...(await look()).keys()]).toEqual(SPACES)
  })

  test('names the other end of a veth where it is in sight, and only there', async () => {
    const kindIn = (stacks: Awaited<ReturnType<typeof look>>) =>
      stacks.get(H)?.links.find(({ name }) => name === 'v0')?.kind
    expect(kindIn(await look())).toEqual({ kind: 'veth', peer: { ns: C, name: 'e0' } })
    expect(kindIn(rightOf(await stacksOf(names, [H])))).toEqual({ kind: 'veth', peer: null })
  })

  test('lasts without what packets left behind', async () => {
    const stack = (await look()).get(H)
    if (stack === undefined) throw new Error('h is not there')
    const kept = lasting(stack)
    expect(kept.fdb.every(({ state, flags }) => state !== '' || flags.length > 0)).toBe(true)
    expect({ ...kept, fdb: [], neighbours: [] }).toEqual({ ...stack, fdb: [], neighbours: [] })
  })
})

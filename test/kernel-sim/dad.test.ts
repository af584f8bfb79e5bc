// Duplicate address detection in virtual time: when questions are sent, what they are, and what becomes of the address. That Linux does
// the same is held by test/scenarios/dad.ts and test/lockstep/dad.test.ts; the questions are as tcpdump showed them on Linux 6.18.

import { describe, expect, test } from 'vitest'
import type { Ask } from '../../src/kernel/rtnl/request.ts'
import { deviceSysctl, type SysctlName } from '../../src/kernel/sysctl.ts'
import { askWorld } from '../../src/kernel-sim/control.ts'
import { receive } from '../../src/kernel-sim/datapath/device.ts'
import { run } from '../../src/kernel-sim/datapath/loop.ts'
import type { Step } from '../../src/kernel-sim/datapath/step.ts'
import { runTry } from '../../src/kernel-sim/datapath/traffic.ts'
import { PARTS } from '../../src/kernel-sim/datapath/wired.ts'
import { onWorld } from '../../src/kernel-sim/datapath/world.ts'
import { atRest, elapse, elapseOn } from '../../src/kernel-sim/elapse.ts'
import { emptyFabric, type Fabric, plug, withHost, withSegment } from '../../src/kernel-sim/fabric/fabric.ts'
import { stackOf } from '../../src/kernel-sim/stack.ts'
import { EMPTY_WORLD, type World } from '../../src/kernel-sim/state.ts'
import { showCidr } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { showMac } from '../../src/net/mac.ts'
import { HOST, ifName, LO, type Ns, ns } from '../../src/net/name.ts'
import { getIn } from '../../src/net/pmap.ts'
import { rightOf } from '../kernel-linux/labs.ts'
import { has, macOf, set, up } from './control/story.ts'

const [A, B] = [ns('a'), ns('b')]
const ETH0 = ifName('eth0')

const sysctl = (key: 'accept_dad' | 'dad_transmits', value: number): Ask => ({
  on: 'sysctl',
  do: 'write',
  name: deviceSysctl(6, ETH0, key),
  value: String(value),
})
type Asked = readonly [Ns, Ask]
const asked = (world: World, asks: ReadonlyArray<Asked>): World =>
  asks.reduce((now, [space, ask]) => {
    const { world: next, errno } = askWorld(now, { ns: space, ask })
    if (errno !== null) throw new Error(`${errno}: ${space} ${JSON.stringify(ask, (_, v) => String(v))}`)
    return next
  }, world)

/** Two namespaces with a cable; a's end has fd00::1, and b's fd00::2. There are no link-local addresses. */
const PAIR = asked(EMPTY_WORLD, [
  [A, { on: 'netns', do: 'add' }],
  [B, { on: 'netns', do: 'add' }],
  [
    A,
    {
      on: 'link',
      do: 'add',
      name: ETH0,
      mac: macOf(1),
      kind: { kind: 'veth', peer: { name: ETH0, ns: B, mac: macOf(2) } },
    },
  ],
  [A, set('eth0', { addrGenMode: 'none' })],
  [B, set('eth0', { addrGenMode: 'none' })],
  [A, up('eth0')],
  [B, up('eth0')],
  [A, has('eth0', 'fd00::1/64', { nodad: true })],
  [B, has('eth0', 'fd00::2/64', { nodad: true })],
])

/** The addresses of a device, with the flags that tell of detection. */
const told = (world: World, space: Ns): ReadonlyArray<string> =>
  (stackOf(world, space)?.addresses ?? []).map(({ cidr: own, flags }) =>
    [showCidr(own), ...flags.filter((flag) => flag === 'tentative' || flag === 'dadfailed')].join(' '),
  )
const inUse = (world: World, text: string): boolean =>
  (stackOf(world, A)?.routes ?? []).some(({ to, type }) => type === 'local' && to.ip === ip(text))

const solicitations = (steps: ReadonlyArray<Step>) =>
  steps.flatMap(({ atMs, event, ns: space, frame, payload }) =>
    event.tag === 'transmitted' &&
    payload.tag === 'ip6' &&
    payload.body.proto === 'icmp6' &&
    payload.body.type === 'neighbour-solicitation'
      ? [{ atMs, space, frame, packet: payload, body: payload.body }]
      : [],
  )

/** What is sent until then, over one plane. */
const watched = (world: World, ms: number) => {
  const steps: Step[] = []
  const { world: after } = onWorld(PARTS, world, (plane) => {
    plane.watch = (step) => steps.push(step)
    run(plane, receive, plane.nowMs + ms)
  })
  return { after, asked: solicitations(steps) }
}

const FRESH = asked(PAIR, [[A, has('eth0', 'fd00::9/64')]])

describe('a new address', () => {
  test('is asked for from :: within a second, with a nonce and without a MAC, by a group that all hear of', () => {
    const { asked: questions } = watched(FRESH, 2000)
    expect(questions).toHaveLength(1)
    const [one] = questions
    expect(one?.atMs).toBeLessThan(1000)
    expect(one?.packet).toMatchObject({ src: ip('::'), dst: ip('ff02::1:ff00:9'), ttl: 255 })
    expect(one?.frame && showMac(one.frame.dst)).toBe('33:33:ff:00:00:09')
    expect(one?.body.target).toBe(ip('fd00::9'))
    expect(one?.body.options).toEqual([{ tag: 'nonce', nonce: expect.any(Number) }])
  })

  test('is asked for dad_transmits times, a second apart, with one nonce', () => {
    const world = asked(PAIR, [
      [A, sysctl('dad_transmits', 3)],
      [A, has('eth0', 'fd00::9/64')],
    ])
    const { asked: questions } = watched(world, 4000)
    const [first] = questions
    expect(questions.map(({ atMs }) => atMs - (first?.atMs ?? 0))).toEqual([0, 1000, 2000])
    expect(new Set(questions.map(({ body }) => JSON.stringify(body.options))).size).toBe(1)
  })

  test('is in use a second after the last question, and not before', () => {
    const [question] = watched(FRESH, 2000).asked
    const dueMs = (question?.atMs ?? 0) + 1000
    const before = elapse(PARTS, FRESH, dueMs - 1)
    expect(told(before, A)).toContain('fd00::9/64 tentative')
    expect(inUse(before, 'fd00::9')).toBe(false)
    const then = elapse(PARTS, before, 1)
    expect(told(then, A)).toContain('fd00::9/64')
    expect(inUse(then, 'fd00::9')).toBe(true)
    expect(then.tentative).toEqual(EMPTY_WORLD.tentative)
  })

  test('goes on being asked for from where it was, however often packets stop moving', () => {
    const inSteps = Array.from({ length: 2000 }).reduce<World>((now) => elapse(PARTS, now, 1), FRESH)
    expect(inSteps).toEqual(elapse(PARTS, FRESH, 2000))
  })

  test('without questions (dad_transmits 0) waits for its moment all the same', () => {
    const world = asked(PAIR, [
      [A, sysctl('dad_transmits', 0)],
      [A, has('eth0', 'fd00::9/64')],
    ])
    expect(told(world, A)).toContain('fd00::9/64 tentative')
    const { after, asked: questions } = watched(world, 1000)
    expect(questions).toEqual([])
    expect(told(after, A)).toContain('fd00::9/64')
  })

  test('is asked for no more when it is gone, and anew when it comes again', () => {
    const [question] = watched(FRESH, 2000).asked
    const halfway = elapse(PARTS, FRESH, (question?.atMs ?? 0) + 500)
    const gone = asked(halfway, [[A, has('eth0', 'fd00::9/64', { do: 'delete' })]])
    expect(watched(gone, 3000).asked).toEqual([])
    const again = watched(asked(gone, [[A, has('eth0', 'fd00::9/64')]]), 2000)
    expect(again.asked).toHaveLength(1)
    expect(told(again.after, A)).toContain('fd00::9/64')
  })

  test('comes into use when the packets of a try that took longer have come to rest', () => {
    const steps = runTry(PARTS, elapse(PARTS, FRESH, 1900), {
      send: 'ping',
      ns: A,
      to: ip('fd00::2'),
    })
    expect(steps.account.ending).toBe('answered')
    expect(told(atRest(PARTS, steps.world), A)).toContain('fd00::9/64')
  })
})

describe('an address that somebody else has', () => {
  const TAKEN = asked(PAIR, [[A, has('eth0', 'fd00::2/64')]])

  test('has failed as soon as the other has answered to all', () => {
    const [question] = watched(TAKEN, 2000).asked
    const then = elapse(PARTS, TAKEN, question?.atMs ?? 0)
    expect(told(then, A)).toContain('fd00::2/64 dadfailed tentative')
    expect(told(then, B)).toEqual(['fd00::2/64'])
    expect(told(elapse(PARTS, then, 10_000), A)).toContain('fd00::2/64 dadfailed tentative')
  })

  test('is asked for no more', () => {
    expect(watched(asked(TAKEN, [[A, sysctl('dad_transmits', 3)]]), 5000).asked).toHaveLength(1)
  })
})

test('of two who ask for one address, the first to be heard has it', () => {
  const world = asked(PAIR, [
    [A, has('eth0', 'fd00::9/64')],
    [B, has('eth0', 'fd00::9/64')],
  ])
  const { asked: questions, after } = watched(world, 3000)
  const first = questions[0]?.space ?? A
  const other = first === A ? B : A
  expect(questions).toHaveLength(1)
  expect(told(after, first)).toContain('fd00::9/64')
  expect(told(after, other)).toContain('fd00::9/64 dadfailed tentative')
})

test('loopback is asked for nothing, and says so', () => {
  const world = asked(PAIR, [
    [A, up(LO)],
    [A, has('lo', 'fd01::1/64')],
  ])
  expect(told(world, A)).toEqual(['127.0.0.1/8', 'fd01::1/64', '::1/128', 'fd00::1/64'])
})

test('the device may have another name by then', () => {
  const other = ifName('other')
  const renamed = asked(FRESH, [[A, set('eth0', { name: other })]])
  expect(told(elapse(PARTS, renamed, 2000), A)).toContain('fd00::9/64')
})

describe('on a fabric', () => {
  const LAN = 'lan'
  const joined = (fabric: Fabric, host: string): Fabric => {
    const plugged = rightOf(plug(withHost(fabric, host), host, LAN, ETH0))
    const world = getIn(plugged.hosts, host)
    if (world === undefined) throw new Error(host)
    const more: ReadonlyArray<Asked> = [
      [HOST, up(ETH0)],
      [HOST, has(ETH0, 'fd00::9/64')],
    ]
    return withHost(plugged, host, asked(world, more))
  }
  const built = (seed: number): Fabric => ['one', 'two'].reduce(joined, withSegment(emptyFabric(seed), LAN))
  const outcome = (fabric: Fabric): ReadonlyArray<string> =>
    ['one', 'two'].map((host) => {
      const world = getIn(fabric.hosts, host)
      return `${host} ${world === undefined ? '' : told(world, HOST).find((line) => line.startsWith('fd00::9'))}`
    })

  test('hosts ask each other', () => {
    const [one = '', two = ''] = outcome(elapseOn(PARTS, built(1), 3000))
    expect([one, two].filter((line) => line.endsWith('fd00::9/64 dadfailed tentative'))).toHaveLength(1)
    expect([one, two].filter((line) => line.endsWith('fd00::9/64'))).toHaveLength(1)
  })

  test('the same seed has the same outcome, and others have others', () => {
    const outcomes = Array.from({ length: 8 }, (_, seed) => outcome(elapseOn(PARTS, built(seed), 3000)).join())
    expect(outcomes).toEqual(Array.from({ length: 8 }, (_, seed) => outcome(elapseOn(PARTS, built(seed), 3000)).join()))
    expect(new Set(outcomes).size).toBe(2)
  })
})

test('`all` and `default` have values of their own: what `all` says counts if it is more', () => {
  const write = (of: string, value: number): Ask => ({
    on: 'sysctl',
    do: 'write',
    name: `net.ipv6.conf.${of}.accept_dad` as SysctlName,
    value: String(value),
  })
  const without = asked(PAIR, [
    [A, sysctl('accept_dad', 0)],
    [A, has('eth0', 'fd00::9/64')],
  ])
  expect(told(without, A)).toContain('fd00::9/64')
  const withAll = asked(without, [
    [A, write('all', 1)],
    [A, has('eth0', 'fd00::a/64')],
  ])
  expect(told(withAll, A)).toContain('fd00::a/64 tentative')
})

// Duplicate address detection on both kernels: the whole stack after each request, while addresses are tentative, and once they are in
// use. Nobody has one that another has: of duplicates test/scenarios/dad.ts tells.

import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { lasting } from '../../src/kernel/rtnl/lasting.ts'
import type { Ask, Request } from '../../src/kernel/rtnl/request.ts'
import type { Stack } from '../../src/kernel/rtnl/stack.ts'
import type { SysctlName } from '../../src/kernel/sysctl.ts'
import { askWorld } from '../../src/kernel-sim/control.ts'
import { PARTS } from '../../src/kernel-sim/datapath/wired.ts'
import { elapse } from '../../src/kernel-sim/elapse.ts'
import { stackOf } from '../../src/kernel-sim/stack.ts'
import type { World } from '../../src/kernel-sim/state.ts'
import { ip } from '../../src/net/ip.ts'
import { isGroup } from '../../src/net/mac.ts'
import { H, has, pair, route, set, up } from '../kernel-sim/control/story.ts'
import { needs } from '../lib/need.ts'
import { bareMachine } from './requests/machine.ts'
import { openRooms, type Rooms } from './requests/rooms.ts'

const sysctl = (name: string, value: number): Ask => ({
  on: 'sysctl',
  do: 'write',
  name: `net.ipv6.conf.${name}` as SysctlName,
  value: String(value),
})

type Story = Readonly<{ says: string; asks: ReadonlyArray<Ask> }>

/** Asked about for five seconds at least, which is more than a busy machine needs for all that is asked meanwhile; six at most. */
const TIMES = 5
const LONGEST_MS = 6000
const BEGIN = [sysctl('default.accept_dad', 1), sysctl('default.dad_transmits', TIMES)]
const WIRE = [pair('v0', 'v1'), up('v0'), up('v1')]

const STORIES: ReadonlyArray<Story> = [
  { says: 'link-local addresses and others of a pair', asks: [...BEGIN, ...WIRE, has('v0', 'fd00::1/64')] },
  {
    says: 'nodad, a peer, no route to the prefix, one that takes another one’s place',
    asks: [
      ...BEGIN,
      ...WIRE,
      has('v0', 'fd00::1/64', { nodad: true }),
      has('v0', 'fd01::1/64', { peer: ip('fd01::2') }),
      has('v0', 'fd02::1/64', { noprefixroute: true }),
      has('v0', 'fd01::1/64', { do: 'replace', nodad: true, peer: ip('fd01::2') }),
      has('v0', 'fd02::1/64', { do: 'delete' }),
    ],
  },
  {
    says: 'addresses that came while the device was down, or without carrier',
    asks: [
      ...BEGIN,
      pair('v0', 'v1'),
      has('v0', 'fd00::1/64'),
      up('v0'),
      has('v0', 'fd01::1/64'),
      up('v1'),
      sysctl('v0.accept_dad', 0),
      has('v0', 'fd02::1/64'),
    ],
  },
  {
    says: 'sources, gateways and anycast addresses of a router',
    asks: [
      ...BEGIN,
      ...WIRE,
      sysctl('v0.forwarding', 1),
      has('v0', 'fd00::1/64'),
      has('v0', 'fd01::1/64', { nodad: true }),
      has('v0', 'fd01::2/64'),
      has('v0', 'fd01::2/64', { do: 'delete' }),
      route('fd09::/64', { dev: 'v0', src: ip('fd00::1') }),
      route('fd09::/64', { dev: 'v0', src: ip('fd01::1') }),
      route('fd0a::/64', { via: 'fd00::1' }),
      sysctl('v0.forwarding', 0),
    ],
  },
  {
    says: 'loopback has none to ask; a device begins anew when it goes down, or IPv6 does',
    asks: [
      ...BEGIN,
      up('lo'),
      has('lo', 'fd00::1/64'),
      ...WIRE,
      set('v0', { up: false }),
      up('v0'),
      sysctl('v1.disable_ipv6', 1),
      sysctl('v1.disable_ipv6', 0),
    ],
  },
]

const comparable = (stack: Stack | null | undefined): Stack | null =>
  stack == null
    ? null
    : { ...lasting(stack), fdb: lasting(stack).fdb.filter(({ mac, dst }) => !(isGroup(mac) && dst === null)) }

const there = async (rooms: Rooms): Promise<Stack | null> => comparable((await rooms.told(true)).get(H))
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const PAUSE_MS = 20
/** The kernel ends with an address on a work queue, and looks at carrier once a second. */
const WORK_MS = 2500
const PATIENCE_MS = 10_000

/** What Linux tells once it tells what it should, or at last. */
const settled = async (rooms: Rooms, wanted: Stack | null, patienceMs: number): Promise<Stack | null> => {
  for (const until = performance.now() + patienceMs; ; await pause(PAUSE_MS)) {
    const now = await there(rooms)
    if (isDeepStrictEqual(now, wanted) || performance.now() > until) return now
  }
}

const both = async (rooms: Rooms, world: World, request: Request): Promise<World> => {
  const { world: next, errno } = askWorld(world, request)
  expect([request.ask, await rooms.ask(request)]).toEqual([request.ask, errno])
  const wanted = comparable(stackOf(next, H))
  expect(await settled(rooms, wanted, WORK_MS)).toEqual(wanted)
  return next
}

needs.kernel('addresses that are asked about', () => {
  test.concurrent.each(STORIES)('are, and will be, alike: $says', { timeout: 30_000 }, async ({ asks }) => {
    const rooms = openRooms()
    try {
      let world = await bareMachine()
      for (const ask of [{ on: 'netns', do: 'add' } as const, ...asks]) world = await both(rooms, world, { ns: H, ask })
      const wanted = comparable(stackOf(elapse(PARTS, world, LONGEST_MS), H))
      expect(wanted?.addresses.some(({ flags }) => flags.includes('tentative'))).toBe(false)
      expect(await settled(rooms, wanted, PATIENCE_MS)).toEqual(wanted)
    } finally {
      await rooms.close()
    }
  })
})

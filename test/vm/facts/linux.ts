// The running Linux kernel as one that stories are told to, in a lab of its own, asked by rtnetlink.

import { lasting } from '../../../src/kernel/rtnl/lasting.ts'
import type { Stack } from '../../../src/kernel/rtnl/stack.ts'
import { removeLab } from '../../../src/kernel-linux/lab.ts'
import { labNames } from '../../../src/kernel-linux/names.ts'
import { askLinux } from '../../../src/kernel-linux/rtnl/ask.ts'
import { stacksOf } from '../../../src/kernel-linux/rtnl/stack.ts'
import { runWithin } from '../../../src/kernel-linux/run.ts'
import { type LinuxTraffic, openTraffic } from '../../../src/kernel-linux/traffic/traffic.ts'
import { isGroup } from '../../../src/net/mac.ts'
import type { Ns } from '../../../src/net/name.ts'
import { labOf, rightOf } from '../../kernel-linux/labs.ts'
import { ownLab } from '../../lib/own-names.ts'
import { PACE } from '../../lib/pace.ts'
import { sysctl } from './story.ts'
import { changes, type Stacks } from './telling.ts'
import { type Kernel, REST_MS } from './told.ts'

/** The multicast filters of devices, which follow from their addresses, are told among the FDBs. */
const withoutFilters = (stack: Stack): Stack => ({
  ...stack,
  fdb: stack.fdb.filter(({ mac, flags }) => !(flags.includes('self') && isGroup(mac))),
})

/** Whether what follows a change of carrier is done (net/core/link_watch.c), duplicate address detection, and ends of veths that go. */
const isQuiet = (stacks: Stacks): boolean =>
  [...stacks.values()].every(
    ({ links, addresses }) =>
      links.every(
        ({ kind, up, carrier, operstate }) =>
          (operstate === 'unknown' || (up && carrier) === (operstate === 'up')) &&
          (kind.kind !== 'veth' || kind.peer !== null),
      ) && addresses.every(({ flags }) => !flags.includes('tentative')),
  )

/** A device that goes up may be `unknown` until the next turn of link_watch, a second later; some are so for good. */
const mayTurn = (stacks: Stacks): boolean =>
  [...stacks.values()].some(({ links }) =>
    links.some(
      ({ kind, operstate }) => operstate === 'unknown' && !['loopback', 'dummy', 'ipvlan'].includes(kind.kind),
    ),
  )

/** What the simulation does not have: errors that are rationed, questions for routers. */
const UNASKED = [
  sysctl('net.ipv4.icmp_ratemask', '0'),
  sysctl('net.ipv6.icmp.ratelimit', '0'),
  sysctl('net.ipv6.conf.default.router_solicitations', '0'),
]

const PAUSE_MS = 20
const STILL_MS = 150
const TURN_MS = 1500
const PATIENCE_MS = 10_000

export const linuxOf = (what: string): Kernel & Readonly<{ end: () => Promise<void> }> => {
  const lab = labOf(ownLab(what))
  const names = labNames(lab)
  const ask = askLinux(names, 'netlink', runWithin(1))
  let rooms: ReadonlyArray<Ns> = []
  let traffic: LinuxTraffic | null = null
  const heard = (): LinuxTraffic => {
    traffic ??= rightOf(openTraffic(names, rooms, PACE))
    return traffic
  }
  const look = async (): Promise<Stacks> =>
    new Map(
      [...rightOf(await stacksOf(names, rooms))].map(([ns, stack]) => [ns, withoutFilters(lasting(stack))] as const),
    )
  const end = async () => {
    traffic?.close()
    traffic = null
    rightOf(await removeLab(lab))
  }
  return {
    begin: async (spaces) => {
      await end()
      rooms = spaces
      for (const ns of rooms)
        for (const one of [
          { on: 'netns', do: 'add' } as const,
          // Addresses are there at once.
          sysctl('net.ipv6.conf.default.accept_dad', '0'),
          ...UNASKED,
        ])
          rightOf(await ask({ ns, ask: one }))
    },
    ask: async (request) => rightOf(await ask(request)),
    attempt: async (attempt) => rightOf(await heard().attempt(attempt)),
    rest: () => new Promise((resolve) => setTimeout(resolve, REST_MS)),
    stacks: async (enough) => {
      const begin = performance.now()
      let seen = await look()
      for (let since = begin; !enough(seen); ) {
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
        const next = await look()
        const now = performance.now()
        if (changes(seen, next).length > 0) since = now
        seen = next
        const still = now - since
        if ((isQuiet(seen) && still > (mayTurn(seen) ? TURN_MS : STILL_MS)) || now - begin > PATIENCE_MS) break
      }
      return seen
    },
    end,
  }
}

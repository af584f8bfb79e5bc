// Where requests are tried: a lab for each way, in which the same small network is built before each case.

import { isDeepStrictEqual } from 'node:util'
import { lasting } from '../../../src/kernel/rtnl/lasting.ts'
import type { Ask, Request } from '../../../src/kernel/rtnl/request.ts'
import type { Stack } from '../../../src/kernel/rtnl/stack.ts'
import type { SysctlName } from '../../../src/kernel/sysctl.ts'
import type { Complaint } from '../../../src/kernel-linux/errno.ts'
import { removeLab } from '../../../src/kernel-linux/lab.ts'
import { type Lab, labNames } from '../../../src/kernel-linux/names.ts'
import { askLinux, type Way } from '../../../src/kernel-linux/rtnl/ask.ts'
import { stacksOf } from '../../../src/kernel-linux/rtnl/stack.ts'
import { runWithin } from '../../../src/kernel-linux/run.ts'
import { cidr } from '../../../src/net/cidr.ts'
import { type Ip4, ip, isIp4, isLinkLocal } from '../../../src/net/ip.ts'
import { mac as macOf } from '../../../src/net/mac.ts'
import { ifName, LO, type Ns, ns } from '../../../src/net/name.ts'
import { ownLab } from '../../lib/own-names.ts'
import { labOf, rightOf } from '../labs.ts'

/** The namespace that most requests go to, the one across, and one that is never there. */
export const H = ns('h')
export const C = ns('c')
export const NOWHERE = ns('nowhere')
export const SPACES = [H, C]

export const dev = ifName
export const mac = (n: number) => macOf(0x020000000000 + n)
export const ip4 = (text: string): Ip4 => {
  const address = ip(text)
  if (!isIp4(address)) throw new Error(text)
  return address
}

const link = (name: string, n: number, rest: object): Ask =>
  // The rest is of the kind that it says.
  ({ on: 'link', do: 'add', name: dev(name), mac: mac(n), ...rest }) as Ask
const up = (name: string): Ask => ({ on: 'link', do: 'set', dev: dev(name), up: true })
const has = (name: string, text: string): Ask => ({
  on: 'address',
  do: 'add',
  dev: dev(name),
  cidr: cidr(text),
  nodad: true,
})
/** Addresses are there at once. */
const NO_DAD: Ask = {
  on: 'sysctl',
  do: 'write',
  name: 'net.ipv6.conf.default.accept_dad' as SysctlName,
  value: '0',
}

/**
 * In h a bridge br0 with the port v0, whose other end e0 is in c; a pair v1 and v2; addresses of both families on br0, v1 and e0; a
 * VXLAN vx0, which alone is down.
 */
export const WORLD: ReadonlyArray<Request> = [
  ...SPACES.flatMap(
    (space): ReadonlyArray<Request> => [
      { ns: space, ask: { on: 'netns', do: 'add' } },
      { ns: space, ask: NO_DAD },
      { ns: space, ask: { on: 'link', do: 'set', dev: LO, up: true } },
    ],
  ),
  ...[
    link('br0', 0x10, { up: true, kind: { kind: 'bridge' } }),
    link('v0', 0x20, {
      up: true,
      master: dev('br0'),
      kind: { kind: 'veth', peer: { name: dev('e0'), ns: C, mac: mac(0x21) } },
    }),
    link('v1', 0x30, { up: true, kind: { kind: 'veth', peer: { name: dev('v2'), mac: mac(0x31) } } }),
    up('v2'),
    has('br0', '10.0.0.1/24'),
    has('br0', 'fd00::1/64'),
    has('v1', '10.0.1.1/24'),
    has('v1', 'fd00:1::1/64'),
    link('vx0', 0x40, { kind: { kind: 'vxlan', vni: 5, local: ip('10.0.1.1') } }),
  ].map((ask): Request => ({ ns: H, ask })),
  ...[up('e0'), has('e0', '10.0.0.2/24'), has('e0', 'fd00::2/64')].map((ask): Request => ({ ns: C, ask })),
]

export type Side = Readonly<{
  lab: Lab
  complaint: (request: Request) => Promise<Complaint | null>
  /** By this side's way: null, or an errno. */
  answer: (request: Request) => Promise<string | null>
  /** Quickly, and all must be done. */
  build: (requests: ReadonlyArray<Request>) => Promise<void>
  /** Without what passing packets left behind. */
  stacks: () => Promise<ReadonlyMap<Ns, Stack>>
  /** Takes all namespaces away. */
  clear: () => Promise<void>
}>

export const sideOf = (what: string, way: Way): Side => {
  const lab = labOf(ownLab(`rtnl-${what}-${way}`))
  const names = labNames(lab)
  const run = runWithin(1)
  const ask = askLinux(names, way, run)
  const quick = askLinux(names, 'netlink', run)
  return {
    lab,
    complaint: async (request) => rightOf(await ask(request)),
    answer: async (request) => rightOf(await ask(request))?.errno ?? null,
    build: async (requests) => {
      for (const request of requests) {
        const complaint = rightOf(await quick(request))
        if (complaint !== null) throw new Error(`${JSON.stringify(request)}: ${JSON.stringify(complaint)}`)
      }
    },
    stacks: async () => {
      const all = rightOf(await stacksOf(names, SPACES))
      return new Map([...all].map(([space, stack]) => [space, lasting(stack)] as const))
    },
    clear: async () => {
      rightOf(await removeLab(lab))
    },
  }
}

const UNSETTLED_MS = 10_000
const PAUSE_MS = 10

/** Whether the kernel is done with what follows a change of carrier (net/core/link_watch.c), and no end of a veth is still to go. */
const isQuiet = ({ links, addresses }: Stack): boolean =>
  links.every(
    ({ kind, up, carrier, operstate }) =>
      (operstate === 'unknown' || (up && carrier) === (operstate === 'up')) &&
      (kind.kind !== 'veth' || kind.peer !== null),
  ) && addresses.every(({ flags }) => !flags.includes('tentative') || flags.includes('dadfailed'))

/** Those of WORLD, each with a link-local address. */
const LINK_LOCALS = 5
const isWhole = (stacks: ReadonlyMap<Ns, Stack>): boolean =>
  [...stacks.values()].flatMap(({ addresses }) => addresses.filter(({ cidr: { ip } }) => isLinkLocal(ip))).length ===
  LINK_LOCALS

const until = async <A>(look: () => Promise<A>, holds: (seen: A) => boolean): Promise<A> => {
  const end = performance.now() + UNSETTLED_MS
  for (;;) {
    const seen = await look()
    if (holds(seen) || performance.now() > end) return seen
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

/** WORLD, with what comes by itself when devices go up. */
export const buildWorld = async (side: Side): Promise<void> => {
  await side.clear()
  await side.build(WORLD)
  const stacks = await until(side.stacks, (seen) => isWhole(seen) && [...seen.values()].every(isQuiet))
  if (!isWhole(stacks)) throw new Error('a link-local address did not come')
}

/**
 * What both sides tell once they tell the same, and the kernel is done with what comes by itself, in its own time. What they tell
 * last if that does not come.
 */
export const settled = (sides: readonly [Side, Side]): Promise<ReadonlyArray<ReadonlyMap<Ns, Stack>>> =>
  until(
    async () => [await sides[0].stacks(), await sides[1].stacks()],
    ([one, other]) => isDeepStrictEqual(one, other) && one !== undefined && [...one.values()].every(isQuiet),
  )

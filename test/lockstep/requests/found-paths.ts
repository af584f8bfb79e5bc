// As found-traffic.ts, of two ways to one place, and which of them is known to be narrow afterwards; and of all of a subnet behind a router.

import type { Ask } from '../../../src/kernel/rtnl/request.ts'
import { FORWARD4, FORWARD6, type SysctlName } from '../../../src/kernel/sysctl.ts'
import type { Try } from '../../../src/kernel/traffic.ts'
import type { Family } from '../../../src/net/ip.ts'
import { ifName } from '../../../src/net/name.ts'
import { C, has, macOf, pair, route, set, up } from '../../kernel-sim/control/story.ts'
import { ask, ping } from '../../scenarios/scenario.ts'
import { D, type FoundTry } from './found-traffic.ts'

const THERE = { listen: 'd' }
const turnOn = (name: SysctlName): Ask => ({ on: 'sysctl', do: 'write', name, value: '1' })

const NAMES: Readonly<
  Record<Family, Readonly<{ near: string; other: string; far: string; bits: number; server: string }>>
> = {
  4: { near: '10.0.0.', other: '10.0.1.', far: '10.9.0.', bits: 24, server: '10.9.0.7' },
  6: { near: 'fd00::', other: 'fd01::', far: 'fd09::', bits: 64, server: 'fd09::7' },
}
const on = (dev: string, net: string, host: number, bits: number): Ask =>
  has(dev, `${net}${host}/${bits}`, { nodad: true })

/** A router here, with cables to both devices of c, and one to d, which is narrow. */
const routerOf = (family: Family): ReadonlyArray<Ask> => {
  const { near, other, far, bits } = NAMES[family]
  const cable = (name: string, end: string, n: number, ns: typeof C): Ask =>
    pair(name, end, {
      up: true,
      mac: macOf(n),
      kind: { kind: 'veth', peer: { name: ifName(end), mac: macOf(n + 1), ns } },
    })
  return [
    ...[cable('v0', 'e0', 2, C), cable('v2', 'e1', 6, C), cable('v1', 'e0', 4, D)],
    ...[on('v0', near, 1, bits), on('v2', other, 1, bits), on('v1', far, 1, bits)],
    ...[set('v1', { mtu: 1400 }), turnOn(family === 4 ? FORWARD4 : FORWARD6)],
  ]
}

/** It had rather send by e1. */
const senderOf = (family: Family): ReadonlyArray<Ask> => {
  const { near, other, far, bits } = NAMES[family]
  const to = `${far}0/${bits}`.replace('::0/', '::/')
  return [
    ...[up('e0'), up('e1'), on('e0', near, 2, bits), on('e1', other, 2, bits)],
    route(to, { via: `${other}1`, metric: 5 }),
    route(to, { via: `${near}1`, metric: 9 }),
  ]
}
const serverOf = (family: Family): ReadonlyArray<Ask> => {
  const { far, bits, server } = NAMES[family]
  return [
    up('e0'),
    has('e0', `${server}/${bits}`, { nodad: true }),
    route(family === 4 ? '0.0.0.0/0' : '::/0', { via: `${far}1` }),
  ]
}

/** 1448 bytes to the server, by one of the two devices or (null) whatever routes say. */
const sends = (send: 'ping' | 'udp' | 'tcp', family: Family, dev: string | null): Try => {
  const { server } = NAMES[family]
  const options = { size: 1448, ...(dev === null ? {} : { dev: ifName(dev) }) }
  return send === 'ping' ? ping('c', server, { ...options, df: true }) : ask(send, 'c', server, 7000, THERE, options)
}

type Story = Readonly<{ says: string; family: Family; before: Try; attempt: Try; ends: string }>
const storyOf = ({ family, ...rest }: Story): FoundTry => ({
  ...rest,
  asks: routerOf(family),
  there: senderOf(family),
  beyond: serverOf(family),
})

/** Who knows the subnet of v0 by the router. */
const BEHIND: ReadonlyArray<Ask> = [up('e1'), on('e1', '10.0.1.', 2, 24), route('10.0.0.0/24', { via: '10.0.1.1' })]

export const FOUND_PATHS: ReadonlyArray<FoundTry> = [
  ...(['ping', 'udp', 'tcp'] as const).flatMap((send) =>
    (['e0', 'e1', null] as const).flatMap((dev) =>
      ([4, 6] as const).map((family) =>
        storyOf({
          says: `who was told that a path is narrow knows that of the way it has sent by (${send} by ${dev ?? 'any device'}, IPv${family})`,
          family,
          before: sends(send, family, 'e0'),
          attempt: sends('ping', family, dev),
          ends: 'EMSGSIZE',
        }),
      ),
    ),
  ),
  {
    says: 'be it one that no other had gone',
    asks: routerOf(6),
    there: senderOf(6),
    beyond: serverOf(6),
    attempt: sends('tcp', 6, 'e0'),
    ends: 'answered',
  },
  storyOf({
    says: 'and has the other way from it as wide as before',
    family: 4,
    before: sends('udp', 4, 'e0'),
    attempt: sends('udp', 4, 'e1'),
    ends: 'EMSGSIZE',
  }),
  {
    says: 'who connects to all of a subnet behind a router hears nothing, be it that the router listens',
    asks: routerOf(4),
    there: BEHIND,
    attempt: ask('tcp', 'c', '10.0.0.255', 7000, { listen: 'h' }),
    ends: 'silence',
  },
  {
    says: 'nor that nobody does',
    asks: routerOf(4),
    there: BEHIND,
    attempt: ask('tcp', 'c', '10.0.0.255', 7000),
    ends: 'silence',
  },
  {
    says: 'or has an address of that number, which comes after',
    asks: [...routerOf(4), has('lo', '10.0.0.255/24')],
    there: BEHIND,
    attempt: ask('tcp', 'c', '10.0.0.255', 7000, { listen: 'h' }),
    ends: 'silence',
  },
]

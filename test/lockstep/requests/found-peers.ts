// As found-traffic.ts, of what a router has told a sender before, and so does not tell it now, and from whom that comes.

import type { Ask } from '../../../src/kernel/rtnl/request.ts'
import { FORWARD4, FORWARD6, type SysctlName } from '../../../src/kernel/sysctl.ts'
import { ifName } from '../../../src/net/name.ts'
import { C, has, macOf, neighbour, pair, route, up } from '../../kernel-sim/control/story.ts'
import { ask, ping } from '../../scenarios/scenario.ts'
import type { FoundTry } from './found-traffic.ts'

const turnOn = (name: SysctlName): Ask => ({ on: 'sysctl', do: 'write', name, value: '1' })

/** A router here, which has all on the link of c, who sends all by it. */
export const ROUTED: Required<Pick<FoundTry, 'asks' | 'there'>> = {
  asks: [
    pair('v0', 'e0', { up: true, kind: { kind: 'veth', peer: { name: ifName('e0'), mac: macOf(2), ns: C } } }),
    has('v0', '10.0.0.1/24'),
    has('v0', 'fd00::1/64', { nodad: true }),
    ...[FORWARD4, FORWARD6].map(turnOn),
    ...['10.0.0.7', 'fd00::7'].map((to) => neighbour('v0', to, { mac: macOf(7) })),
  ],
  there: [
    up('e0'),
    has('e0', '10.0.0.2/32'),
    has('e0', 'fd00::2/128', { nodad: true }),
    ...['10.0.0.1/32', 'fd00::1/128'].map((to) => route(to, { dev: 'e0' })),
    route('0.0.0.0/0', { via: '10.0.0.1' }),
    route('::/0', { via: 'fd00::1' }),
  ],
}
/** What is sent back to the link, and what goes nowhere. */
export const [REDIRECTED, NOWHERE] = [ping('c', '10.0.0.7'), ping('c', '10.9.0.1')]

export const FOUND_PEERS: ReadonlyArray<FoundTry> = [
  {
    says: 'who was redirected is told nothing for a second of what goes nowhere',
    ...ROUTED,
    before: REDIRECTED,
    attempt: NOWHERE,
    ends: 'silence',
  },
  {
    says: 'who was told that something goes nowhere may be redirected',
    ...ROUTED,
    before: NOWHERE,
    attempt: REDIRECTED,
    ends: 'silence',
  },
  {
    says: 'and is told it again',
    ...ROUTED,
    before: NOWHERE,
    attempt: NOWHERE,
    ends: 'ENETUNREACH',
  },
  {
    says: 'unless it was of more than four pieces, though only of the first one is told',
    ...ROUTED,
    before: ping('c', '10.9.0.1', { size: 9000 }),
    attempt: NOWHERE,
    ends: 'silence',
  },
  {
    says: 'who has an address by a route of a table of somebody else only tells nobody from that',
    asks: [
      ...ROUTED.asks,
      route('10.5.0.0/16', { type: 'local', dev: 'v0', table: 77 }),
      { on: 'rule', do: 'add', family: 4, action: { lookup: 77 } },
    ],
    there: ROUTED.there,
    attempt: ask('udp', 'c', '10.5.0.1', 7000),
    ends: 'silence',
  },
]

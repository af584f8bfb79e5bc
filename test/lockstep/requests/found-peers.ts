// As found-traffic.ts, of what a router has told a sender before, and so does not tell it now; and what a sender makes of it.

import type { Ask } from '../../../src/kernel/rtnl/request.ts'
import { FORWARD4, FORWARD6, type SysctlName } from '../../../src/kernel/sysctl.ts'
import { ifName } from '../../../src/net/name.ts'
import { C, has, macOf, neighbour, pair, route, up } from '../../kernel-sim/control/story.ts'
import { ask, ping } from '../../scenarios/scenario.ts'
import type { FoundTry } from './found-traffic.ts'

const turnOn = (name: SysctlName): Ask => ({ on: 'sysctl', do: 'write', name, value: '1' })

const dropLocal: Ask = { on: 'rule', do: 'delete', family: 4, action: { lookup: 255 } }

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
  ...(['ping', 'udp', 'tcp'] as const).map((send) => ({
    says: `who is redirected to a neighbour that he knows goes by that from then on (${send})`,
    asks: ROUTED.asks,
    there: [...ROUTED.there, neighbour('e0', '10.0.0.7', { mac: macOf(7), state: 'stale' } as const)],
    before: send === 'ping' ? REDIRECTED : ask(send, 'c', '10.0.0.7', 7000),
    attempt: REDIRECTED,
    ends: 'silence',
  })),
  {
    says: 'but not by one whose MAC is not known yet',
    ...ROUTED,
    before: REDIRECTED,
    attempt: REDIRECTED,
    ends: 'silence',
  },
  {
    says: 'nor to another address',
    asks: [...ROUTED.asks, neighbour('v0', '10.0.0.8', { mac: macOf(7) })],
    there: [...ROUTED.there, neighbour('e0', '10.0.0.7', { mac: macOf(7) })],
    before: REDIRECTED,
    attempt: ping('c', '10.0.0.8'),
    ends: 'silence',
  },
  {
    says: 'an own address that is forwarded to, for want of a table local, is not whom its sender is told by',
    asks: [...ROUTED.asks, has('v0', '10.0.3.1/24'), dropLocal],
    there: [...ROUTED.there, neighbour('e0', '10.0.3.1', { mac: macOf(7) })],
    before: ping('c', '10.0.3.1'),
    attempt: ping('c', '10.0.3.1'),
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

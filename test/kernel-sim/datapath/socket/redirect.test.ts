// What a host does that is redirected. That Linux does so, too: test/lockstep/requests/found-traffic.ts.

import { expect, test } from 'vitest'
import type { Ask, Request } from '../../../../src/kernel/rtnl/request.ts'
import type { SysctlName } from '../../../../src/kernel/sysctl.ts'
import type { Try } from '../../../../src/kernel/traffic.ts'
import { askWorld } from '../../../../src/kernel-sim/control.ts'
import { runTry } from '../../../../src/kernel-sim/datapath/traffic.ts'
import { PARTS } from '../../../../src/kernel-sim/datapath/wired.ts'
import { stackOf } from '../../../../src/kernel-sim/stack.ts'
import { EMPTY_WORLD } from '../../../../src/kernel-sim/state.ts'
import { showIp } from '../../../../src/net/ip.ts'
import { ifName } from '../../../../src/net/name.ts'
import { ask, ping } from '../../../scenarios/scenario.ts'
import { C, H, has, macOf, pair, route, up } from '../../control/story.ts'

const sysctl = (name: string, value: string): Ask => ({ on: 'sysctl', do: 'write', name: name as SysctlName, value })
const FORWARD = sysctl('net.ipv4.ip_forward', '1')
/** h, by v0, is the router of c, by e0; what c sends to 10.0.0.0/24 goes back to where it came from. */
const ROUTER: ReadonlyArray<Ask> = [
  pair('v0', 'e0', { up: true, kind: { kind: 'veth', peer: { name: ifName('e0'), mac: macOf(2), ns: C } } }),
  has('v0', '10.0.1.1/24'),
  has('v0', '10.0.0.2/24'),
  FORWARD,
]
const ROUTED: ReadonlyArray<Ask> = [up('e0'), has('e0', '10.0.1.2/24'), route('0.0.0.0/0', { via: '10.0.1.1' })]

/** The neighbours of c, after `there` was asked of it too, and it has sent this. */
const neighboursAfter = (there: ReadonlyArray<Ask>, attempt: Try): ReadonlyArray<string> => {
  const program: ReadonlyArray<Request> = [
    ...[H, C].map((ns): Request => ({ ns, ask: { on: 'netns', do: 'add' } })),
    ...ROUTER.map((one): Request => ({ ns: H, ask: one })),
    ...there.map((one): Request => ({ ns: C, ask: one })),
  ]
  const begun = program.reduce((world, request) => askWorld(world, request).world, EMPTY_WORLD)
  const { world } = runTry(PARTS, begun, attempt)
  return stackOf(world, C)?.neighbours.map((known) => `${showIp(known.ip)} ${known.state}`) ?? []
}

const REDIRECTED = ['10.0.0.9 INCOMPLETE', '10.0.1.1 REACHABLE']
const NOT = ['10.0.1.1 REACHABLE']

test.each([ping('c', '10.0.0.9'), ask('udp', 'c', '10.0.0.9', 7000), ask('tcp', 'c', '10.0.0.9', 7000)])(
  'who sends by $send and is redirected asks for the MAC of the other router',
  (attempt) => {
    expect(neighboursAfter(ROUTED, attempt)).toEqual(REDIRECTED)
  },
)

test('so does a device that does not forward, of a host that does, and no other of that', () => {
  expect(neighboursAfter([...ROUTED, FORWARD], ping('c', '10.0.0.9'))).toEqual(NOT)
  const notThere = sysctl('net.ipv4.conf.e0.forwarding', '0')
  expect(neighboursAfter([...ROUTED, FORWARD, notThere], ping('c', '10.0.0.9'))).toEqual(REDIRECTED)
})

// Worlds to measure on, made of the requests that `ip` would send. What is refused throws: nothing is measured by accident.

import type { Ask, Request } from '../../src/kernel/rtnl/request.ts'
import { FORWARD4 } from '../../src/kernel/sysctl.ts'
import { draftOf, worldOf } from '../../src/kernel-sim/control/draft.ts'
import { ask } from '../../src/kernel-sim/control.ts'
import type { World } from '../../src/kernel-sim/state.ts'
import { type Cidr, cidr } from '../../src/net/cidr.ts'
import type { Ip } from '../../src/net/ip.ts'
import { HOST, type IfName, ifName, LO, type Ns, ns } from '../../src/net/name.ts'

const ANYWHERE = cidr('0.0.0.0/0')
export const ETH0 = ifName('eth0')

export const inNs = (space: Ns, ...asks: ReadonlyArray<Ask>): ReadonlyArray<Request> =>
  asks.map((asked) => ({ ns: space, ask: asked }))

/** The world after all of these, which are one list of operations to the simulated kernel. */
export const obeyed = (world: World, requests: ReadonlyArray<Request>): World => {
  const draft = draftOf(world)
  for (const request of requests) {
    const errno = ask(draft, request)
    if (errno !== null) throw new Error(`${request.ns}: ${request.ask.on}: ${errno}`)
  }
  return worldOf(draft)
}

export const up = (dev: IfName): Ask => ({ on: 'link', do: 'set', dev, up: true })
export const address = (dev: IfName, at: Cidr): Ask => ({ on: 'address', do: 'add', dev, cidr: at })
export const forwarding: Ask = { on: 'sysctl', do: 'write', name: FORWARD4, value: '1' }

/** A bridge of the host's that is up. */
export const bridge = (name: IfName, at: Cidr): ReadonlyArray<Request> =>
  inNs(HOST, { on: 'link', do: 'add', name, up: true, kind: { kind: 'bridge' } }, address(name, at))

/** `id` is its namespace, and its port's name. */
export type Container = Readonly<{ id: string; at: Cidr; gateway: Ip }>

/** A namespace of its own, on a bridge. */
export const container = (master: IfName, { id, at, gateway }: Container): ReadonlyArray<Request> => {
  const own = ns(id)
  const kind = { kind: 'veth', peer: { ns: own, name: ETH0 } } as const
  return [
    ...inNs(own, { on: 'netns', do: 'add' }, up(LO)),
    ...inNs(HOST, { on: 'link', do: 'add', name: ifName(id), up: true, master, kind }),
    ...inNs(own, up(ETH0), address(ETH0, at), { on: 'route', do: 'add', to: ANYWHERE, via: gateway }),
  ]
}

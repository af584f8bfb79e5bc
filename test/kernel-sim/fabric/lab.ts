// Hosts a, b, ... on one segment, each with 10.0.0.N and fd00::N on its card eth0.

import type { Quality } from '../../../src/kernel/quality.ts'
import type { Ask } from '../../../src/kernel/rtnl/request.ts'
import { deviceSysctl } from '../../../src/kernel/sysctl.ts'
import type { Try } from '../../../src/kernel/traffic.ts'
import { askWorld } from '../../../src/kernel-sim/control.ts'
import { type Tried, tryOver } from '../../../src/kernel-sim/datapath/traffic.ts'
import { PARTS } from '../../../src/kernel-sim/datapath/wired.ts'
import { elapseOn } from '../../../src/kernel-sim/elapse.ts'
import {
  emptyFabric,
  type Fabric,
  onFabric,
  plug,
  withHost,
  withSegment,
} from '../../../src/kernel-sim/fabric/fabric.ts'
import { cidr } from '../../../src/net/cidr.ts'
import { HOST, ifName, LO } from '../../../src/net/name.ts'
import { getIn } from '../../../src/net/pmap.ts'
import { rightOf } from '../../kernel-linux/labs.ts'

export const LAN = 'lan'
const ETH0 = ifName('eth0')

const settings = (n: number): ReadonlyArray<Ask> => [
  { on: 'sysctl', do: 'write', name: deviceSysctl(6, ETH0, 'accept_dad'), value: '0' },
  { on: 'link', do: 'set', dev: LO, up: true },
  { on: 'link', do: 'set', dev: ETH0, up: true },
  { on: 'address', do: 'add', dev: ETH0, cidr: cidr(`10.0.0.${n}/24`) },
  { on: 'address', do: 'add', dev: ETH0, cidr: cidr(`fd00::${n}/64`) },
]

const built = (fabric: Fabric, host: string, n: number): Fabric => {
  const plugged = rightOf(plug(withHost(fabric, host), host, LAN, ETH0))
  const world = getIn(plugged.hosts, host)
  if (world === undefined) throw new Error(host)
  return withHost(
    plugged,
    host,
    settings(n).reduce((now, ask) => {
      const { world: next, errno } = askWorld(now, { ns: HOST, ask })
      if (errno !== null) throw new Error(`${JSON.stringify(ask)}: ${errno}`)
      return next
    }, world),
  )
}

export const fabricOf = (seed: number, hosts: ReadonlyArray<string>, quality: Partial<Quality> = {}): Fabric =>
  hosts.reduce((fabric, host, i) => built(fabric, host, i + 1), withSegment(emptyFabric(seed), LAN, quality))

export type Trial = Omit<Tried, 'world'> & Readonly<{ fabric: Fabric }>

export const tryOn = (fabric: Fabric, from: string, attempt: Try): Trial => {
  const { fabric: after, result } = onFabric(PARTS, fabric, (plane) => {
    const host = plane.hosts.get(from)
    if (host === undefined) throw new Error(from)
    return tryOver(plane, host, attempt)
  })
  return { fabric: after, ...result }
}

/** Everybody waits. */
export const pass = (fabric: Fabric, ms: number): Fabric => elapseOn(PARTS, fabric, ms)

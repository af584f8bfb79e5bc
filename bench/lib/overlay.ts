// Hosts joined by one segment, each with containers on a bridge that a VXLAN is a port of: all containers are on one network. Frames
// that nobody knows the way of go to a multicast group, as in Documentation/networking/vxlan.rst.

import type { Request } from '../../src/kernel/rtnl/request.ts'
import { probeOver } from '../../src/kernel-sim/datapath/probe.ts'
import { PARTS } from '../../src/kernel-sim/datapath/wired.ts'
import { emptyFabric, type Fabric, onFabric, plug, withHost, withSegment } from '../../src/kernel-sim/fabric/fabric.ts'
import type { Cidr } from '../../src/net/cidr.ts'
import { type Ip4, ip, ip4 } from '../../src/net/ip.ts'
import { HOST, ifName, LO, ns } from '../../src/net/name.ts'
import { getIn } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'
import { address, bridge, container, ETH0, inNs, obeyed, up } from './builder.ts'

const LAN = 'lan'
const BRIDGE = ifName('br0')
const TUNNEL = ifName('vxlan0')
const GROUP = ip('239.1.1.1')
const UNDERLAY = 0x0a000000
const OVERLAY = 0xac100000
/** Of the addresses of a host's containers. */
const SHARE = 16

const hostName = (n: number): string => `h${n}`
const outside = (host: number): Cidr => ({ ip: ip4(UNDERLAY + host + 1), bits: 16 })
const inside = (host: number, n: number): Ip4 => ip4(OVERLAY + (host + 1) * SHARE + n)

const requestsOf = (host: number, each: number): ReadonlyArray<Request> => {
  const gateway = inside(host, 0)
  const kind = { kind: 'vxlan', vni: 42, remote: GROUP, dev: ETH0, port: 4789, ttl: 4 } as const
  return [
    ...inNs(HOST, up(LO), up(ETH0), address(ETH0, outside(host))),
    ...bridge(BRIDGE, { ip: gateway, bits: 12 }),
    ...inNs(HOST, { on: 'link', do: 'add', name: TUNNEL, up: true, master: BRIDGE, kind }),
    ...Array.from({ length: each }, (_, n) =>
      container(BRIDGE, { id: `c${n}`, at: { ip: inside(host, n + 1), bits: 12 }, gateway }),
    ).flat(),
  ]
}

const withMachine = (fabric: Fabric, host: number, each: number): Fabric => {
  const name = hostName(host)
  const plugged = plug(withHost(fabric, name), name, LAN, ETH0)
  const world = E.isLeft(plugged) ? undefined : getIn(plugged.right.hosts, name)
  if (E.isLeft(plugged) || world === undefined) throw new Error(`${name} was not plugged in`)
  return withHost(plugged.right, name, obeyed(world, requestsOf(host, each)))
}

/** So many hosts with so many containers each. */
export const overlayOf = (hosts: number, each: number): Fabric => {
  let fabric = withSegment(emptyFabric(1), LAN)
  for (let host = 0; host < hosts; host++) fabric = withMachine(fabric, host, each)
  return fabric
}

/** Pings a container of one host from one of another; the fabric that has learned from it. */
export const across = (fabric: Fabric, from: number, to: number): Fabric => {
  const { fabric: after, result } = onFabric(PARTS, fabric, (plane) => {
    const host = plane.hosts.get(hostName(from))
    if (host === undefined) throw new Error(`there is no ${hostName(from)}`)
    return probeOver(plane, host, { proto: 'icmp', ns: ns('c0'), to: inside(to, 1) })
  })
  if (result.tag !== 'arrived') throw new Error(`${hostName(to)} did not answer: ${result.why}`)
  return after
}

// What stories of packets begin with: namespaces joined by cables, their addresses, and frames with any tags.

import type { VlanProtocol } from '../../../src/kernel/rtnl/kind.ts'
import type { Ask, Request } from '../../../src/kernel/rtnl/request.ts'
import type { Try } from '../../../src/kernel/traffic.ts'
import { frame } from '../../../src/kernel-sim/wire/ethernet.ts'
import { packet4 } from '../../../src/kernel-sim/wire/ip4.ts'
import { encodeFrame } from '../../../src/kernel-sim/wire/wire.ts'
import { cidr } from '../../../src/net/cidr.ts'
import { ip, isIp4 } from '../../../src/net/ip.ts'
import { BROADCAST } from '../../../src/net/mac.ts'
import { LO, ns } from '../../../src/net/name.ts'
import { dev, has, inNs, macOf, set, sysctl, up } from './story.ts'

export const to = ns

/** A cable between two namespaces, both ends up; they have the MACs `n` and `n + 1`. */
export const cable = (a: string, end: string, b: string, other: string, n: number): ReadonlyArray<Request> => [
  ...inNs(a, {
    on: 'link',
    do: 'add',
    name: dev(end),
    mac: macOf(n),
    up: true,
    kind: { kind: 'veth', peer: { name: dev(other), ns: ns(b), mac: macOf(n + 1) } },
  }),
  ...inNs(b, up(other)),
]

/** Addresses of both families, the latter at once. */
export const owns = (name: string, ...texts: ReadonlyArray<string>): ReadonlyArray<Ask> =>
  texts.map((text) => has(name, text, isIp4(cidr(text).ip) ? {} : { nodad: true }))

export const LOOPBACK: Ask = set(LO, { up: true })
export const FORWARDS: ReadonlyArray<Ask> = [
  sysctl('net.ipv4.ip_forward', '1'),
  sysctl('net.ipv6.conf.all.forwarding', '1'),
]

/** By a gateway, or by a device. */
export const route = (net: string, way: Readonly<{ via: string } | { dev: string }>): Ask => ({
  on: 'route',
  do: 'add',
  to: cidr(net),
  ...('via' in way ? { via: ip(way.via) } : { dev: dev(way.dev) }),
})

type Tag = number | readonly [VlanProtocol, number]
/** A datagram of IPv4 with these tags, outermost first. `dst` absent: to all. */
export const sendFrame = (
  from: string,
  by: string,
  {
    src,
    dst,
    ips = ['192.0.2.1', '192.0.2.2'],
  }: Readonly<{ src: number; dst?: number; ips?: readonly [string, string] }>,
  ...tags: ReadonlyArray<Tag>
): Try => {
  const [source, target] = ips.map(ip)
  if (source === undefined || target === undefined || !isIp4(source) || !isIp4(target)) throw new Error('of IPv4')
  const body = { proto: 'udp', sport: 9, dport: 9, checked: true, payload: new Uint8Array(20) } as const
  const plain = frame(macOf(src), dst === undefined ? BROADCAST : macOf(dst), packet4(source, target, body))
  const bytes = encodeFrame({
    ...plain,
    tags: tags.map((tag) => {
      const [protocol, vid] = typeof tag === 'number' ? (['802.1Q', tag] as const) : tag
      return { protocol, vid, priority: 0, dei: false }
    }),
  })
  return { send: 'frame', ns: ns(from), dev: dev(by), bytes }
}

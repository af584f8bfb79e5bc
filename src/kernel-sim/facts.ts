// What a simulated host is like beside what we hold: its devices, where its routes lead, the ports at which its programs wait.

import { isOurAlias } from '../kernel/owned.ts'
import {
  type HostDevice,
  type HostFacts,
  type HostPorts,
  type HostQuestion,
  type HostSocket,
  isNarrow,
} from '../net/host-facts.ts'
import { ip4, ip6 } from '../net/ip.ts'
import { HOST } from '../net/name.ts'
import { getIn, valuesOf } from '../net/pmap.ts'
import { isPort } from '../net/port.ts'
import type { SocketEntry } from './datapath/socket/entry.ts'
import type { LinkEntry } from './link-entry.ts'
import { portsOf } from './ports.ts'
import { type NsEntry, type RouteEntry, TABLES, type World } from './state.ts'

const deviceOf = ({ name, spec, alias }: LinkEntry): HostDevice => ({
  name,
  type: spec.type,
  ours: isOurAlias(alias),
})

const isNear = ({ to, type, table, hops }: RouteEntry): boolean =>
  type === 'unicast' && table === TABLES.main && isNarrow(to) && hops.every(({ via }) => via === null)

/** Those that wait for strangers. */
const waiting = (socket: SocketEntry): ReadonlyArray<HostSocket> => {
  const { proto, family, local, remote } = socket
  if (proto === 'echo' || !isPort(local.port) || remote !== null) return []
  if (proto === 'tcp' && socket.state !== 'listen') return []
  const port = local.port
  if (local.ip !== null) return [{ ip: local.ip, port, transport: proto }]
  const all = [...(family === 6 ? [] : [ip4(0)]), ...(family === 4 ? [] : [ip6(0n)])]
  return all.map((ip) => ({ ip, port, transport: proto }))
}

const hostPorts = (host: NsEntry): HostPorts => ({
  ...portsOf(host),
  taken: host.sockets === null ? [] : valuesOf(host.sockets.sockets).flatMap(waiting),
})

export const factsOf = (world: World, { devices, prefixes, ports }: HostQuestion): HostFacts => {
  const host = getIn(world.namespaces, HOST)
  if (host === undefined) return { devices: [], prefixes: [], ports: null }
  const links = devices.map((name) => getIn(host.links, name)).filter((link) => link !== undefined)
  return {
    devices: links.map(deviceOf),
    prefixes: prefixes
      ? valuesOf(host.routes)
          .filter(isNear)
          .map(({ to }) => to)
      : [],
    ports: ports ? hostPorts(host) : null,
  }
}

// What the engine is told in these benchmarks: bridge networks of 65,536 addresses, and containers that publish ports.
// What is not said here is as on every busy host (bench/lib/host.ts).

import type { Command, PortRequest } from '../../src/model/command.ts'
import { cidr } from '../../src/net/cidr.ts'
import { type Ns, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import * as host from '../lib/host.ts'

/** Host ports are given out from here on. */
const FIRST_PORT = 20_000
export const CONTAINER_PORT = 8000

export const subnetOf = (n: number): string => `10.${100 + n}.0.0/16`
export const hostPortOf = (container: number, ports: number, i: number): number => FIRST_PORT + container * ports + i

export const createNetwork = (n: number): Command => ({
  ...host.createNetwork(n),
  pools: [{ family: 4, subnet: cidr(subnetOf(n)), range: null, gateway: null, aux: {} }],
})
export const deleteNetwork = (n: number): Command => ({ tag: 'DeleteNetwork', id: host.network(n) })

const portsOf = (container: number, ports: number): ReadonlyArray<PortRequest> =>
  Array.from({ length: ports }, (_, i) => {
    const hostPort = port(hostPortOf(container, ports, i))
    return {
      hostIp: null,
      hostPorts: { from: hostPort, to: hostPort },
      containerPort: port(CONTAINER_PORT + i),
      transport: 'tcp',
    }
  })

export const nsOf = (container: number): Ns => ns(`c${container}`)

export const createContainer = (n: number, ports: number): Command => ({
  ...host.createSandbox(n),
  ns: nsOf(n),
  ports: portsOf(n, ports),
})
export const deleteContainer = (n: number): Command => ({ tag: 'DeleteSandbox', id: host.sandbox(n) })

/** A container may be on several networks; its first one publishes. */
export const attach = (container: number, on = 0, networks = 1): ReadonlyArray<Command> => {
  const n = container * networks + on
  const join = { ...host.join(n), sandbox: host.sandbox(container), priority: networks - on }
  return [host.createEndpoint(n, on), join]
}
export const detach = (container: number, on = 0, networks = 1): ReadonlyArray<Command> => {
  const n = container * networks + on
  return [
    { ...host.leave(n), sandbox: host.sandbox(container) },
    { tag: 'DeleteEndpoint', id: host.endpoint(n), force: false },
  ]
}

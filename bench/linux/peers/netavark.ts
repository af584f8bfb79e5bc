// netavark, as podman calls it: `setup` and `teardown` with what the container asks for on standard input, one at a time (two at
// once fail: each wants to make the chains that both need).
// Source: netavark's network/types.rs (NetworkOptions).

import { existsSync } from 'node:fs'
import { CONTAINER_PORT, hostPortOf, subnetOf } from '../commands.ts'
import { type Contender, inTurn, type Peer } from '../contender.ts'
import { dirFor } from '../ours.ts'
import { roomsFor } from './rooms.ts'
import { runIn } from './spawn.ts'

const PLACES = ['/usr/lib/podman/netavark', '/usr/libexec/podman/netavark']
const binary = (): string | undefined => PLACES.find((path) => existsSync(path))

const ID = 'b'.repeat(64)

const openNetavark: Peer['open'] = async (later, { what, containers, ports }): Promise<Contender> => {
  const file = binary() ?? ''
  const config = dirFor(later)
  const { host, pathOf } = roomsFor(later, `${what}-netavark`, containers)

  const gateway = subnetOf(0).replace('0.0/16', '0.1')
  /** Addresses are podman's to choose. */
  const addressOf = (n: number): string => subnetOf(0).replace('0.0/16', `${(n >> 7) + 1}.${(n & 127) + 2}`)
  const options = (n: number) => ({
    container_id: String(n).padStart(64, 'c'),
    container_name: `c${n}`,
    port_mappings: Array.from({ length: ports }, (_, i) => ({
      host_ip: '',
      container_port: CONTAINER_PORT + i,
      host_port: hostPortOf(n, ports, i),
      range: 1,
      protocol: 'tcp',
    })),
    networks: { bench: { interface_name: 'eth0', static_ips: [addressOf(n)] } },
    network_info: {
      bench: {
        name: 'bench',
        id: ID,
        driver: 'bridge',
        network_interface: 'podman1',
        subnets: [{ subnet: subnetOf(0), gateway }],
        ipv6_enabled: false,
        internal: false,
        dns_enabled: false,
        ipam_options: { driver: 'host-local' },
      },
    },
  })
  const call = (verb: 'setup' | 'teardown') => (n: number) =>
    runIn(host, file, ['--config', config, verb, pathOf(n)], {}, JSON.stringify(options(n)))
  return { name: 'netavark', host, attach: inTurn(call('setup')), detach: inTurn(call('teardown')) }
}

export const netavark: Peer = {
  name: 'netavark',
  missing: () => (binary() === undefined ? 'netavark iptables' : null),
  open: openNetavark,
}

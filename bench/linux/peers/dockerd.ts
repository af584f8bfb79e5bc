// Docker's daemon through its API: running containers that publish ports are connected to a network and disconnected from it.
// Without its userland proxy, which would be one more process for each port: the quicker of its two ways.

import { DOCKER_TOOLS, findBinary, missingPackages } from '../../../scripts/lib/system.mjs'
import { limitOf } from '../../../src/kernel-linux/limit.ts'
import { CONTAINER_PORT, hostPortOf, subnetOf } from '../commands.ts'
import { type Contender, each, type Peer } from '../contender.ts'
import type { Networks } from '../floor.ts'
import { upTo } from '../ours.ts'
import { type Later, labFor, makeSpace } from '../tidy.ts'
import type { Call } from './api.ts'
import { BUSYBOX, IMAGE, startDocker } from './daemon.ts'

const NETWORK = 'bench'
const STARTS_AT_ONCE = 4

const openDocker: Peer['open'] = async (later, { what, containers, ports }): Promise<Contender> => {
  const host = makeSpace(labFor(later, `${what}-dockerd`))
  const { call } = await startDocker(later, host, what)
  await createNetwork(call)

  const all = upTo(containers)
  const container = async (n: number): Promise<void> => {
    const bound = Array.from({ length: ports }, (_, i) => [
      `${CONTAINER_PORT + i}/tcp`,
      [{ HostPort: String(hostPortOf(n, ports, i)) }],
    ])
    const exposed = bound.map(([port]) => [port, {}])
    await call('POST', `/containers/create?name=c${n}`, {
      Image: IMAGE,
      Cmd: [BUSYBOX, 'sleep', '1000000'],
      ExposedPorts: Object.fromEntries(exposed),
      HostConfig: { NetworkMode: NETWORK, PortBindings: Object.fromEntries(bound), LogConfig: { Type: 'none' } },
    })
    await call('POST', `/containers/c${n}/start`)
    await call('POST', `/networks/${NETWORK}/disconnect`, { Container: `c${n}` })
  }
  const limit = limitOf(STARTS_AT_ONCE)
  await Promise.all(all.map((n) => limit(() => container(n))))
  return {
    name: 'dockerd',
    host,
    attach: each((n) => call('POST', `/networks/${NETWORK}/connect`, { Container: `c${n}` })),
    detach: each((n) => call('POST', `/networks/${NETWORK}/disconnect`, { Container: `c${n}` })),
  }
}

const createNetwork = (call: Call) =>
  call('POST', '/networks/create', {
    Name: NETWORK,
    Driver: 'bridge',
    IPAM: { Config: [{ Subnet: subnetOf(0) }] },
  })

const missing = (): string | null => {
  const packages = missingPackages(findBinary, DOCKER_TOOLS)
  return packages.length === 0 ? null : packages.join(' ')
}

export const dockerd: Peer = { name: 'dockerd', missing, open: openDocker }

/** Its networks alone. */
export const openDockerNetworks = async (later: Later, what: string): Promise<Networks | null> => {
  if (missing() !== null) return null
  const { call } = await startDocker(later, makeSpace(labFor(later, `${what}-dockerd`)), what)
  return {
    name: 'dockerd',
    create: () => createNetwork(call),
    remove: () => call('DELETE', `/networks/${NETWORK}`),
  }
}

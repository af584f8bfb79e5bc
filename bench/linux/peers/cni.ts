// CNI's reference plugins as a container runtime calls them: `bridge` with `host-local`, then `portmap`; for DEL the other way.
// Source: https://www.cni.dev/docs/spec/ (0.4.0), and the plugins' own pages.

import { existsSync } from 'node:fs'
import { CONTAINER_PORT, hostPortOf, subnetOf } from '../commands.ts'
import { type Contender, each, type Peer } from '../contender.ts'
import { dirFor } from '../ours.ts'
import { roomsFor } from './rooms.ts'
import { runIn } from './spawn.ts'

const FOLDERS = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni']
const PLUGINS = ['bridge', 'host-local', 'portmap']
const folderOf = (): string | undefined =>
  FOLDERS.find((folder) => PLUGINS.every((plugin) => existsSync(`${folder}/${plugin}`)))

const BASE = { cniVersion: '0.4.0', name: 'bench' }

const openCni: Peer['open'] = async (later, { what, containers, ports }): Promise<Contender> => {
  const folder = folderOf() ?? ''
  const dataDir = dirFor(later)
  const { host, pathOf } = roomsFor(later, `${what}-cni`, containers)

  const bridge = {
    ...BASE,
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    ipMasq: true,
    hairpinMode: true,
    ipam: {
      type: 'host-local',
      dataDir,
      ranges: [[{ subnet: subnetOf(0) }]],
      routes: [{ dst: '0.0.0.0/0' }],
    },
  }
  const portmap = (n: number, prevResult: unknown) => ({
    ...BASE,
    type: 'portmap',
    runtimeConfig: {
      portMappings: Array.from({ length: ports }, (_, i) => ({
        hostPort: hostPortOf(n, ports, i),
        containerPort: CONTAINER_PORT + i,
        protocol: 'tcp',
      })),
    },
    prevResult,
  })
  const call = (command: 'ADD' | 'DEL', n: number, config: Readonly<{ type: string }>): Promise<string> => {
    const env = {
      CNI_COMMAND: command,
      CNI_CONTAINERID: `${what}-${n}`,
      CNI_NETNS: pathOf(n),
      CNI_IFNAME: 'eth0',
      CNI_PATH: folder,
    }
    return runIn(host, `${folder}/${config.type}`, [], env, JSON.stringify(config))
  }
  const results = new Map<number, unknown>()
  return {
    name: 'cni',
    host,
    attach: each(async (n) => {
      const result: unknown = JSON.parse(await call('ADD', n, bridge))
      results.set(n, result)
      await call('ADD', n, portmap(n, result))
    }),
    detach: each(async (n) => {
      await call('DEL', n, portmap(n, results.get(n)))
      await call('DEL', n, { ...bridge, ...{ prevResult: results.get(n) } })
    }),
  }
}

export const cni: Peer = {
  name: 'cni',
  missing: () => (folderOf() === undefined ? 'containernetworking-plugins iptables' : null),
  open: openCni,
}

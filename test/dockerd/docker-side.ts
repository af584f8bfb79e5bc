// dockerd, told through its API. A container's namespace is given a name in the lab, so that both sides are looked at alike.

import { BUSYBOX, IMAGE, startDocker } from '../../bench/linux/peers/daemon.ts'
import type { Later } from '../../bench/linux/tidy.ts'
import { pathIn } from '../../bench/linux/tidy.ts'
import { ns } from '../../src/net/name.ts'
import { labKernel, rightOf } from '../kernel-linux/labs.ts'
import { type Attached, type ContainerWish, type NetworkWish, readPublish, type Step } from './scenario.ts'
import type { Published, Side } from './side.ts'
import { buildWorld } from './world.ts'

const endpointOf = ({ ip, ip6, linkLocal }: Attached) => ({
  IPAMConfig: {
    ...(ip === undefined ? {} : { IPv4Address: ip }),
    ...(ip6 === undefined ? {} : { IPv6Address: ip6 }),
    ...(linkLocal === undefined ? {} : { LinkLocalIPs: linkLocal }),
  },
})

const networkBody = ({ name, driver = 'bridge', subnets = [], ipv6, internal, options }: NetworkWish) => ({
  Name: name,
  Driver: driver,
  CheckDuplicate: true,
  EnableIPv6: ipv6 === true,
  Internal: internal === true,
  Options: options ?? {},
  IPAM: {
    Config: subnets.map(({ subnet, gateway, range, aux }) => ({
      Subnet: subnet,
      ...(gateway === undefined ? {} : { Gateway: gateway }),
      ...(range === undefined ? {} : { IPRange: range }),
      ...(aux === undefined ? {} : { AuxiliaryAddresses: aux }),
    })),
  },
})

const containerBody = ({ on, publish = [] }: ContainerWish) => {
  const ports = publish.map(readPublish)
  const bindings: Record<string, object[]> = {}
  for (const { hostIp, hostPort, containerPort, protocol } of ports)
    bindings[`${containerPort}/${protocol}`] = [
      ...(bindings[`${containerPort}/${protocol}`] ?? []),
      { HostIp: hostIp ?? '', HostPort: hostPort === null ? '' : String(hostPort) },
    ]
  return {
    Image: IMAGE,
    Cmd: [BUSYBOX, 'sleep', '1000000'],
    ...(on?.mac === undefined ? {} : { MacAddress: on.mac }),
    ExposedPorts: Object.fromEntries(Object.keys(bindings).map((port) => [port, {}])),
    HostConfig: { NetworkMode: on === null ? 'none' : on.network, PortBindings: bindings, LogConfig: { Type: 'none' } },
    ...(on === null ? {} : { NetworkingConfig: { EndpointsConfig: { [on.network]: endpointOf(on) } } }),
  }
}

type Inspected = Readonly<{
  Id: string
  NetworkSettings: Readonly<{
    SandboxKey: string
    Ports: Readonly<Record<string, ReadonlyArray<Readonly<{ HostIp: string; HostPort: string }>> | null>>
  }>
}>

const statusOf = (error: unknown): number => {
  const status = /: ([45][0-9][0-9]) /.exec(error instanceof Error ? error.message : '')?.[1]
  if (status === undefined) throw error
  return Number(status)
}

export const openDocker = async (later: Later): Promise<Side> => {
  const { lab, kernel, close } = labKernel('dockerd', 'netlink')
  later(close)
  await buildWorld(kernel)
  const { call, root } = await startDocker(later, pathIn(lab), 'compare')
  const containers = new Set<string>()
  const networks = new Set<string>()
  // A cast: this is what Docker's API documents.
  const inspect = async (name: string) => (await call('GET', `/containers/${name}/json`)) as Inspected

  /** Gives a container's namespace its name in the lab, or takes it; one that was not started has none. */
  const named = async (verb: 'create' | 'delete', name: string, at: string): Promise<void> => {
    const done = await kernel.apply([{ verb, object: { kind: 'netns', ns: ns(name), at } }])()
    if (verb === 'create') rightOf(done)
  }
  const remove = async (name: string): Promise<void> => {
    await named('delete', name, '')
    await call('DELETE', `/containers/${name}?force=true`)
    containers.delete(name)
  }
  const start = async (wish: ContainerWish): Promise<void> => {
    await call('POST', `/containers/create?name=${wish.name}`, containerBody(wish))
    containers.add(wish.name)
    try {
      await call('POST', `/containers/${wish.name}/start`)
    } catch (error) {
      await remove(wish.name)
      throw error
    }
    const { NetworkSettings } = await inspect(wish.name)
    await named('create', wish.name, `${root}${NetworkSettings.SandboxKey}`)
  }
  const obey = async (step: Step): Promise<unknown> => {
    switch (step.do) {
      case 'network':
        await call('POST', '/networks/create', networkBody(step.network))
        return networks.add(step.network.name)
      case 'run':
        return start(step.container)
      case 'connect': {
        const { network, ...rest } = step.to
        return call('POST', `/networks/${network}/connect`, {
          Container: step.container,
          EndpointConfig: endpointOf({ network, ...rest }),
        })
      }
      case 'disconnect':
        return call('POST', `/networks/${step.from}/disconnect`, { Container: step.container })
      case 'remove':
        return remove(step.container)
    }
  }
  return {
    name: 'dockerd',
    lab,
    kernel,
    tell: (step) =>
      obey(step).then(
        () => null,
        (error: unknown) => statusOf(error),
      ),
    subnets: async (name) => {
      // A cast, as above.
      const { IPAM } = (await call('GET', `/networks/${name}`)) as {
        IPAM: { Config: ReadonlyArray<{ Subnet: string }> }
      }
      return IPAM.Config.map(({ Subnet }) => Subnet)
    },
    published: async () => {
      // It tells of each family.
      const all = new Map<string, Published>()
      for (const container of containers) {
        const { Ports } = (await inspect(container)).NetworkSettings
        for (const [port, bound] of Object.entries(Ports ?? {}))
          for (const { HostIp, HostPort } of bound ?? []) {
            const [containerPort, word] = port.split('/')
            const hostIp = HostIp === '0.0.0.0' || HostIp === '::' ? null : HostIp
            const protocol = word === 'udp' ? 'udp' : 'tcp'
            const one: Published = {
              container,
              hostIp,
              hostPort: Number(HostPort),
              containerPort: Number(containerPort),
              protocol,
            }
            all.set(JSON.stringify(one), one)
          }
      }
      return [...all.values()]
    },
    clear: async () => {
      for (const name of [...containers]) await remove(name)
      for (const name of networks) await call('DELETE', `/networks/${name}`)
      networks.clear()
    },
  }
}

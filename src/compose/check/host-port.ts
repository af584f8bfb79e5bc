// Ports of the host: which container gets which. A fixed port belongs to one; of a range the first free one is taken,
// after all fixed ones. 0.0.0.0 stands for every IPv4 address, :: for every IPv6 one, none for both.

import { type Ip, isIp4, isUnspecified } from '../../net/ip.ts'
import { type Port, port } from '../../net/port.ts'
import type { ComposeError } from '../error.ts'
import { showHostPorts } from '../normalise/port.ts'
import type { PortPublish, ProjectContainer } from '../project.ts'

type Holder = Readonly<{ hostIp: Ip | null; container: ProjectContainer; publish: PortPublish }>

const sameSocket = (a: Ip | null, b: Ip | null): boolean =>
  a === null || b === null || (isIp4(a) === isIp4(b) && (a === b || isUnspecified(a) || isUnspecified(b)))

export type HostPorts = Readonly<{
  /** For each container's name, a host port for each of its `ports`; null where any free port will do. */
  assigned: ReadonlyMap<string, ReadonlyArray<Port | null>>
  clashes: ReadonlyArray<ComposeError>
}>

const clash = (container: ProjectContainer, publish: PortPublish, holder: Holder): ComposeError => {
  const { at, hostIp, hostPorts, transport } = publish
  const { service } = container
  const shown = hostPorts === null ? '' : showHostPorts(hostPorts)
  if (holder.publish === publish && holder.container.service === service)
    return { tag: 'ReplicasConflict', service, replicas: container.replica, key: `host port ${shown}/${transport}`, at }
  const other = holder.container.service === service ? 'it' : `the service "${holder.container.service}"`
  return { tag: 'PortTwice', service, port: shown, transport, hostIp, other, first: holder.publish.at, at }
}

export const assignHostPorts = (containers: ReadonlyArray<ProjectContainer>): HostPorts => {
  const held = new Map<string, Holder[]>()
  const assigned = new Map(containers.map(({ name, ports }) => [name, ports.map((): Port | null => null)]))
  const clashes: ComposeError[] = []
  const place = (container: ProjectContainer, publish: PortPublish, i: number): void => {
    if (publish.hostPorts === null) return
    let holder: Holder | undefined
    for (let n: number = publish.hostPorts.from; n <= publish.hostPorts.to; n++) {
      const slot = `${publish.transport}/${n}`
      const holders = held.get(slot) ?? []
      const taken = holders.find((other) => sameSocket(other.hostIp, publish.hostIp))
      holder ??= taken
      if (taken !== undefined) continue
      held.set(slot, [...holders, { hostIp: publish.hostIp, container, publish }])
      const own = assigned.get(container.name)
      if (own !== undefined) own[i] = port(n)
      return
    }
    if (holder !== undefined) clashes.push(clash(container, publish, holder))
  }
  const isFixed = ({ hostPorts }: PortPublish): boolean => hostPorts !== null && hostPorts.from === hostPorts.to
  for (const fixed of [true, false])
    for (const container of containers)
      for (const [i, publish] of container.ports.entries()) if (isFixed(publish) === fixed) place(container, publish, i)
  return { assigned, clashes }
}

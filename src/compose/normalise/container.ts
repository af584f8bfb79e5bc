// From active services to containers: replicas, names, modes; and the networks that some container uses.

import type { Mode, ProjectContainer, ProjectNetwork } from '../project.ts'
import { isFull, type Report } from '../report.ts'
import { checkCircles, DOCKER_BRIDGE, dockerBridge, fullNameOf, modeOf, nameOf, type World } from './mode.ts'
import { plainNetwork } from './network.ts'
import type { Service } from './service.ts'

const MOST_CONTAINERS = 10_000

const replicasOf = (world: World, service: Service, mode: Mode): ReadonlyArray<ProjectContainer> =>
  Array.from({ length: service.replicas }, (_, i): ProjectContainer => {
    const name = nameOf(service, i + 1)
    return {
      service: service.name,
      name,
      fullName: fullNameOf(world.project, service, i + 1),
      replica: i + 1,
      hostname: service.hostname ?? name,
      mode,
      ports: mode.tag === 'networks' ? service.ports : [],
      expose: service.expose,
      links: service.links,
      sysctls: service.sysctls,
      at: service.entry.keyAt,
    }
  })

export const containersOf = (world: World, report: Report): ReadonlyArray<ProjectContainer> => {
  checkCircles(world.services, report)
  const containers: ProjectContainer[] = []
  for (const service of world.services.values()) {
    if (isFull(report)) break
    const mode = modeOf(world, service, report)
    if (containers.length + service.replicas > MOST_CONTAINERS) {
      const reason = `a project may have ${MOST_CONTAINERS} containers`
      report.errors.push({ tag: 'TooComplex', reason, at: service.entry.keyAt })
      break
    }
    containers.push(...replicasOf(world, service, mode))
  }
  return containers
}

/** Compose creates the networks that are used; a declared one that nobody uses is noted. */
export const usedNetworks = (
  world: World,
  containers: ReadonlyArray<ProjectContainer>,
  report: Report,
): ReadonlyArray<ProjectNetwork> => {
  const attachments = containers.flatMap(({ mode }) => (mode.tag === 'networks' ? mode.attachments : []))
  const firstUse = new Map(attachments.toReversed().map(({ network, at }) => [network, at]))
  const used: ProjectNetwork[] = []
  for (const network of world.networks.values()) {
    if (firstUse.has(network.key)) used.push(network)
    const text = firstUse.has(network.key)
      ? `the network "${network.key}" is external: it is taken as a plain bridge network called "${network.name}"`
      : `the network "${network.key}" is used by no active service, so it is not created`
    const mode = network.external && (network.name === 'host' || network.name === 'none')
    if (!mode && (network.external || !firstUse.has(network.key))) report.notes.push({ at: network.at, text })
  }
  const implicit = world.networks.has('default') ? undefined : firstUse.get('default')
  if (implicit !== undefined) used.push(plainNetwork('default', `${world.project}_default`, implicit))
  const bridge = firstUse.get(DOCKER_BRIDGE)
  return bridge === undefined ? used : [...used, dockerBridge(bridge)]
}

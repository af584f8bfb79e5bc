// What a service's `network_mode` comes to: its networks, the host's namespace, none, or another container's. What Docker
// refuses together with it is refused here, and circles of services that share each other's network.

import { absurd } from '../../prelude.ts'
import type { At } from '../at.ts'
import { circlesOf } from '../circle.ts'
import { type Mode, PLACES, type ProjectNetwork } from '../project.ts'
import type { Report } from '../report.ts'
import { nearest } from '../suggest.ts'
import { child } from '../tree.ts'
import { attachmentsOf } from './attachment.ts'
import { plainNetwork } from './network.ts'
import type { Service } from './service.ts'

/** Docker's own bridge network, for `network_mode: bridge`. No key of a file has parentheses. */
export const DOCKER_BRIDGE = '(bridge)'
export const dockerBridge = (at: At): ProjectNetwork => ({
  ...plainNetwork(DOCKER_BRIDGE, 'bridge', at),
  external: true,
})

export type World = Readonly<{
  project: string
  services: ReadonlyMap<string, Service>
  inactive: ReadonlyMap<string, ReadonlyArray<string>>
  networks: ReadonlyMap<string, ProjectNetwork>
}>

/** A service called as a place around it is has numbered containers, so that no container is mistaken for the place. */
export const nameOf = (service: Service, replica: number): string =>
  service.replicas === 1 && !PLACES.includes(service.name) ? service.name : `${service.name}-${replica}`

export const fullNameOf = (project: string, service: Service, replica: number): string =>
  service.replicas === 1 && service.containerName !== null
    ? service.containerName
    : `${project}-${service.name}-${replica}`

type Reference =
  | Readonly<{ tag: 'plain'; mode: 'none' | 'host' | 'bridge' }>
  | Readonly<{ tag: 'service' | 'container'; name: string }>
  | Readonly<{ tag: 'other' }>

const referenceOf = (mode: string): Reference => {
  if (mode === 'none' || mode === 'host') return { tag: 'plain', mode }
  if (mode === 'bridge' || mode === 'default') return { tag: 'plain', mode: 'bridge' }
  const [, tag, name] = /^(service|container):(.+)$/.exec(mode) ?? []
  return (tag === 'service' || tag === 'container') && name !== undefined ? { tag, name } : { tag: 'other' }
}

/** The service whose network this one shares, if it does. */
const sharedService = (service: Service): string | null => {
  const reference = referenceOf(service.networkMode ?? '')
  return reference.tag === 'service' ? reference.name : null
}

export const checkCircles = (services: ReadonlyMap<string, Service>, report: Report): void => {
  const next = (name: string): string | null => {
    const service = services.get(name)
    return service === undefined ? null : sharedService(service)
  }
  for (const chain of circlesOf(services.keys(), next)) {
    const first = services.get(chain[0] ?? '')
    if (first !== undefined) report.errors.push({ tag: 'ModeLoop', chain, at: modeAt(first) })
  }
}

const modeAt = (service: Service): At => child(service.entry.value, 'network_mode')?.at ?? service.entry.keyAt

const conflict = (service: Service, key: string, report: Report): void => {
  const at = service.entry.value.tag === 'mapping' ? service.entry.value.entries.get(key)?.keyAt : undefined
  if (at === undefined) return
  report.errors.push({ tag: 'ModeConflict', service: service.name, mode: service.networkMode ?? '', key, at })
}

/** A container in another one's namespace has nothing of its own there (moby, runconfig/hostconfig_unix.go). */
const SHARED_MAY_NOT: ReadonlyArray<string> = ['ports', 'expose', 'hostname', 'mac_address', 'dns', 'extra_hosts']

const byService = (world: World, service: Service, name: string, report: Report): Mode => {
  for (const key of SHARED_MAY_NOT) conflict(service, key, report)
  const target = world.services.get(name)
  const where = `services.${service.name}.network_mode`
  const at = modeAt(service)
  if (target !== undefined && target.replicas > 0) return { tag: 'container', of: nameOf(target, 1) }
  const profiles = world.inactive.get(name)
  if (target !== undefined)
    report.errors.push({ tag: 'BadValue', path: where, reason: `the service "${name}" has no replicas`, at })
  else if (profiles !== undefined) report.errors.push({ tag: 'Inactive', service: name, where, profiles, at })
  else {
    const known = [...world.services.keys()]
    report.errors.push({ tag: 'Unknown', noun: 'service', name, where, suggestion: nearest(name, known), known, at })
  }
  return { tag: 'none' }
}

/** The container of this project that Docker knows by this name. */
const containerNamed = (
  { project, services }: World,
  name: string,
): Readonly<{ of: string; service: string }> | null => {
  const [, key = '', digits = ''] = /^(.+)-([1-9][0-9]*)$/.exec(name.slice(project.length + 1)) ?? []
  const numbered = services.get(key)
  const replica = Number(digits)
  if (numbered !== undefined && replica <= numbered.replicas && fullNameOf(project, numbered, replica) === name)
    return { of: nameOf(numbered, replica), service: key }
  for (const target of services.values())
    if (target.replicas === 1 && target.containerName === name) return { of: nameOf(target, 1), service: target.name }
  return null
}

const byContainer = (world: World, service: Service, name: string, report: Report): Mode => {
  const target = containerNamed(world, name)
  if (target !== null && target.service !== service.name) {
    for (const key of SHARED_MAY_NOT) conflict(service, key, report)
    return { tag: 'container', of: target.of }
  }
  const what = `network_mode "container:${name}" of a container outside this project`
  const instead = 'use "service:NAME" for a service of this file'
  report.errors.push({ tag: 'NotSupported', what, instead, at: modeAt(service) })
  return { tag: 'none' }
}

/** A network that is external and called `host` or `none` is Docker's word for the mode of that name. */
const throughNetworks = (world: World, service: Service, report: Report): Mode => {
  const attachments = attachmentsOf(service.name, service.entry, world.networks, report)
  for (const { network, at } of attachments) {
    const { external = false, name = '' } = world.networks.get(network) ?? {}
    if (!external || (name !== 'host' && name !== 'none')) continue
    if (attachments.length > 1) {
      const reason = `the network "${network}" is Docker's "${name}", which does not go together with others`
      report.errors.push({ tag: 'BadValue', path: `services.${service.name}.networks`, reason, at })
    }
    return { tag: name }
  }
  return { tag: 'networks', attachments }
}

const throughBridge = (service: Service, report: Report): Mode => {
  const at = modeAt(service)
  const text = `services.${service.name}.network_mode: Docker's own bridge network is taken as a plain one`
  report.notes.push({ at, text })
  const [first] = attachmentsOf(service.name, bareOf(service), new Map(), report)
  return {
    tag: 'networks',
    attachments: first === undefined ? [] : [{ ...first, network: DOCKER_BRIDGE, aliases: [], at }],
  }
}

/** The service without `networks`. */
const bareOf = ({ entry }: Service): Service['entry'] =>
  entry.value.tag !== 'mapping'
    ? entry
    : {
        ...entry,
        value: { ...entry.value, entries: new Map([...entry.value.entries].filter(([k]) => k !== 'networks')) },
      }

export const modeOf = (world: World, service: Service, report: Report): Mode => {
  if (service.networkMode === null) return throughNetworks(world, service, report)
  conflict(service, 'networks', report)
  const reference = referenceOf(service.networkMode)
  switch (reference.tag) {
    case 'service':
      return byService(world, service, reference.name, report)
    case 'container':
      return byContainer(world, service, reference.name, report)
    case 'plain':
      if (reference.mode === 'bridge') return throughBridge(service, report)
      if (reference.mode === 'host') conflict(service, 'mac_address', report)
      if (service.ports.length > 0) {
        const why = reference.mode === 'host' ? "the container's ports are the host's already" : 'there is no network'
        report.notes.push({ at: modeAt(service), text: `services.${service.name}.ports mean nothing here: ${why}` })
      }
      return { tag: reference.mode }
    case 'other': {
      const suggestion = nearest(service.networkMode, ['none', 'host', 'bridge'])
      const hint = suggestion === null ? '' : `; did you mean "${suggestion}"?`
      const reason = `"${service.networkMode}" is not "none", "host", "bridge" or "service:NAME"${hint}`
      report.errors.push({
        tag: 'BadValue',
        path: `services.${service.name}.network_mode`,
        reason,
        at: modeAt(service),
      })
      return { tag: 'none' }
    }
    default:
      return absurd(reference, 'modeOf')
  }
}

// One service, before its replicas and the services it refers to are looked at.

import { SANDBOX_SYSCTL, SANDBOX_SYSCTL_VALUE } from '../../model/decide/sandbox.ts'
import type { ExposedPort, PortPublish, ServiceLink } from '../project.ts'
import { isFull, type Report } from '../report.ts'
import { nearest } from '../suggest.ts'
import { child, type Entry, entriesOf, itemsOf, textOf } from '../tree.ts'
import { exposeOf, portsOf, tooMany } from './port.ts'
import { integerOf, wordOf } from './value.ts'

export type Service = Readonly<{
  name: string
  entry: Entry
  replicas: number
  containerName: string | null
  hostname: string | null
  /** As written; null: `networks`, or the implicit `default`. */
  networkMode: string | null
  ports: ReadonlyArray<PortPublish>
  expose: ReadonlyArray<ExposedPort>
  links: ReadonlyArray<ServiceLink>
  sysctls: Readonly<Record<string, string>>
}>

const MOST_REPLICAS = 1000

/** Keys that change what names mean or what a packet meets, and that we leave out. */
const NOTED: ReadonlyArray<readonly [string, string]> = [
  ['dns', 'the name servers of the container'],
  ['dns_opt', 'the resolver options of the container'],
  ['dns_search', 'the search domains of the container'],
  ['external_links', 'names of containers outside this project'],
  ['extra_hosts', 'names in /etc/hosts of the container'],
]

const noteUnsupported = (name: string, { value }: Entry, report: Report): void => {
  const note = (key: string, meaning: string): void => {
    const keyAt = value.tag === 'mapping' ? value.entries.get(key)?.keyAt : undefined
    if (keyAt === undefined) return
    report.notes.push({ at: keyAt, text: `services.${name}.${key} (${meaning}) is not supported yet; it is left out` })
  }
  for (const [key, meaning] of NOTED) note(key, meaning)
  for (const key of ['mode', 'endpoint_mode']) {
    const written = child(child(value, 'deploy'), key)
    const text = textOf(written)
    if (written !== undefined && text !== undefined && text !== 'replicated' && text !== 'vip')
      report.notes.push({
        at: written.at,
        text: `services.${name}.deploy.${key} "${text}" has a meaning only in a swarm`,
      })
  }
}

const linksOf = (
  name: string,
  { value }: Entry,
  services: ReadonlySet<string>,
  report: Report,
): ReadonlyArray<ServiceLink> =>
  itemsOf(child(value, 'links')).flatMap((item) => {
    const [service = '', alias = null] = (textOf(item) ?? '').split(':')
    if (services.has(service)) return [{ service, alias }]
    const known = [...services]
    const suggestion = nearest(service, known)
    const where = `services.${name}.links`
    report.errors.push({ tag: 'Unknown', noun: 'service', name: service, where, suggestion, known, at: item.at })
    return []
  })

/** Those of networks; others are none of our business. */
const sysctlsOf = (name: string, { value }: Entry, report: Report): Readonly<Record<string, string>> =>
  Object.fromEntries(
    entriesOf(child(value, 'sysctls'))
      .filter(([sysctl]) => sysctl.startsWith('net.'))
      .flatMap(([sysctl, { keyAt: at, value: written }]) => {
        const text = textOf(written) ?? ''
        const isKnown = SANDBOX_SYSCTL.test(sysctl)
        if (isKnown && SANDBOX_SYSCTL_VALUE.test(text)) return [[sysctl, text]]
        const path = `services.${name}.sysctls.${sysctl}`
        const reason = isKnown
          ? 'it has no value'
          : 'it is not a sysctl of a whole network namespace; those of an interface belong under driver_opts of a network'
        report.errors.push({ tag: 'BadValue', path, reason, at })
        return []
      }),
  )

const replicasOf = (name: string, { keyAt, value }: Entry, report: Report): number => {
  const provider = child(value, 'provider')
  if (provider !== undefined) {
    report.notes.push({ at: provider.at, text: `services.${name} is run by a provider; it has no container` })
    return 0
  }
  const scale = child(value, 'scale')
  const deployed = child(child(value, 'deploy'), 'replicas')
  const replicas = integerOf(scale) ?? integerOf(deployed) ?? 1
  const other = integerOf(deployed)
  if (scale !== undefined && other !== undefined && other !== replicas) {
    const reason = `${replicas} is not the ${other} of deploy.replicas; give one of them`
    report.errors.push({ tag: 'BadValue', path: `services.${name}.scale`, reason, at: scale.at })
  }
  if (replicas <= MOST_REPLICAS) return replicas
  const at = (scale ?? deployed)?.at ?? keyAt
  report.errors.push({ tag: 'TooComplex', reason: `services.${name}: at most ${MOST_REPLICAS} replicas`, at })
  return 1
}

/** `services` are all of the project's, active or not. */
const serviceFrom = (name: string, entry: Entry, services: ReadonlySet<string>, report: Report): Service => {
  const field = (key: string) => child(entry.value, key)
  noteUnsupported(name, entry, report)
  const hostname = wordOf(field('hostname'))
  const domain = wordOf(field('domainname'))
  const service: Service = {
    name,
    entry,
    replicas: replicasOf(name, entry, report),
    containerName: wordOf(field('container_name')) ?? null,
    hostname: hostname !== undefined && domain !== undefined ? `${hostname}.${domain}` : (hostname ?? null),
    networkMode: wordOf(field('network_mode')) ?? null,
    ports: portsOf(field('ports'), `services.${name}.ports`, report),
    expose: exposeOf(field('expose'), `services.${name}.expose`, report),
    links: linksOf(name, entry, services, report),
    sysctls: sysctlsOf(name, entry, report),
  }
  if (service.containerName !== null && service.replicas > 1) {
    const at = field('container_name')?.at ?? entry.keyAt
    const { replicas } = service
    report.errors.push({ tag: 'ReplicasConflict', service: name, replicas, key: 'container_name', at })
  }
  return service
}

/** Active services in order; stops at more ports than a project may have, those of replicas included. */
export const servicesFrom = (
  active: ReadonlyMap<string, Entry>,
  inactive: Iterable<string>,
  report: Report,
): ReadonlyMap<string, Service> => {
  const names = new Set([...active.keys(), ...inactive])
  const services = new Map<string, Service>()
  let ports = 0
  for (const [name, entry] of active) {
    const service = serviceFrom(name, entry, names, report)
    services.set(name, service)
    ports += (service.ports.length + service.expose.length) * Math.max(1, service.replicas)
    if (tooMany(ports, { at: entry.keyAt }, report) || isFull(report)) break
  }
  return services
}

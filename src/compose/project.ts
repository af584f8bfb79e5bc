// What a Compose project says about networks: the result of reading, in our own value types, every part with its place
// in the file. Names of keys are the Compose Specification's; addresses are parsed, references resolved.

import type { Cidr } from '../net/cidr.ts'
import type { Ip, Ip4, Ip6 } from '../net/ip.ts'
import type { Mac } from '../net/mac.ts'
import type { IfName } from '../net/name.ts'
import type { Port, Transport } from '../net/port.ts'
import type { At } from './at.ts'

export type Project = Readonly<{
  name: string
  /** Those that a container uses, as Compose creates them; declared order, the implicit `default` last. */
  networks: ReadonlyArray<ProjectNetwork>
  /** Order of the file; replicas in order. */
  containers: ReadonlyArray<ProjectContainer>
  expectations: ReadonlyArray<Expectation>
  notes: ReadonlyArray<Note>
}>

/** Something that has a bearing on networks and is not (fully) honoured. `text` is a sentence. */
export type Note = Readonly<{ at: At; text: string }>

export type ProjectNetwork = Readonly<{
  /** What the file calls it. */
  key: string
  /** What Docker calls it: `<project>_<key>` unless named. */
  name: string
  driver: string
  driverOpts: Readonly<Record<string, string>>
  internal: boolean
  attachable: boolean
  enableIPv4: boolean
  enableIPv6: boolean
  /** Made by somebody else; nothing but its name is known. */
  external: boolean
  ipam: ProjectIpam
  labels: Readonly<Record<string, string>>
  at: At
}>

export type ProjectIpam = Readonly<{
  driver: string
  options: Readonly<Record<string, string>>
  pools: ReadonlyArray<ProjectPool>
}>

/** Absent fields are for IPAM to choose. */
export type ProjectPool = Readonly<{
  subnet: Cidr | null
  gateway: Ip | null
  ipRange: Cidr | null
  auxAddresses: Readonly<Record<string, Ip>>
  at: At
}>

export type ProjectContainer = Readonly<{
  service: string
  /** The service's name; with several replicas, or if it is that of a place, `<service>-1`, `<service>-2`, ... */
  name: string
  /** Docker's name: `container_name`, or `<project>-<service>-<replica>`. */
  fullName: string
  /** From 1. */
  replica: number
  hostname: string
  mode: Mode
  ports: ReadonlyArray<PortPublish>
  expose: ReadonlyArray<ExposedPort>
  /** Services that it reaches although their network keeps containers apart, and what only it calls them, if anything. */
  links: ReadonlyArray<ServiceLink>
  /** Of its network namespace. */
  sysctls: Readonly<Record<string, string>>
  at: At
}>

export type ServiceLink = Readonly<{ service: string; alias: string | null }>

export type Mode = Readonly<
  | { tag: 'networks'; attachments: ReadonlyArray<ProjectAttachment> }
  | { tag: 'host' }
  | { tag: 'none' }
  /** Shares the network namespace of the container with this `name`. */
  | { tag: 'container'; of: string }
>

/** Highest `priority` first, then by network key: the order in which Compose connects. */
export type ProjectAttachment = Readonly<{
  /** Key of the network. */
  network: string
  /** Names the container has there besides `fullName`: the service's, then those of the file. */
  aliases: ReadonlyArray<string>
  ipv4: Ip4 | null
  ipv6: Ip6 | null
  linkLocal: ReadonlyArray<Ip>
  mac: Mac | null
  priority: number
  /** The highest one's network has the default gateway. */
  gwPriority: number
  interfaceName: IfName | null
  /** Of its interface, by name, with IFNAME where that belongs. */
  sysctls: Readonly<Record<string, string>>
  at: At
  /** Of the addresses asked for; `at` for those that are not. */
  places: Readonly<{ ipv4: At; ipv6: At; mac: At }>
}>

/** One published container port. */
export type PortPublish = Readonly<{
  /** Null: every address of the host, of both families. */
  hostIp: Ip | null
  /** A free port of these, both ends included; null: any free port. */
  hostPorts: Readonly<{ from: Port; to: Port }> | null
  containerPort: Port
  transport: Transport
  at: At
}>

export type ExposedPort = Readonly<{ port: Port; proto: Transport }>

/** One line of `x-cnm: expect:`. `from` and `to` are a service, a container's `name`, `host` or `internet`. */
export type Expectation = Readonly<{
  from: string
  to: string
  /** Null: any packet (a ping). */
  port: ExposedPort | null
  reaches: boolean
  /** As written. */
  text: string
  at: At
}>

/** What expectations call things that are no container; a service cannot be named by these words. */
export const PLACES: ReadonlyArray<string> = ['host', 'internet']

/** The containers an expectation's name stands for: all replicas of a service, or one; none for `host`, `internet`. */
export const containersNamed = (project: Project, name: string): ReadonlyArray<ProjectContainer> =>
  PLACES.includes(name) ? [] : project.containers.filter((c) => c.service === name || c.name === name)

// What a host is like beside what we hold on it: asked of its kernel when a command depends on it, and carried inside the command, so
// that who decides again decides the same.

import type { Cidr } from './cidr.ts'
import type { Ip } from './ip.ts'
import type { IfName } from './name.ts'
import { type Port, port, type Transport } from './port.ts'

/** A network device of the host. `type`: as ip-link(8) names it (`bridge`, `vlan`, `loopback`), null for hardware. `ours`: we made it. */
export type HostDevice = Readonly<{ name: IfName; type: string | null; ours: boolean }>

/** Both ends included. */
export type PortRange = Readonly<{ from: Port; to: Port }>

/** What ip_local_port_range is where nobody has written another. */
export const DEFAULT_PORTS: PortRange = { from: port(32768), to: port(60999) }

/** So short a prefix says where anything goes, as a default route does: VPNs have 0.0.0.0/1 and 128.0.0.0/1. */
const BROAD_BITS = 8
/** Whether a prefix is one where neighbours are. */
export const isNarrow = ({ bits }: Cidr): boolean => bits >= BROAD_BITS

/** Where a socket of some program waits for strangers: 0.0.0.0 and :: stand for every address of their family. */
export type HostSocket = Readonly<{ ip: Ip; port: Port; transport: Transport }>

/** `automatic`: ip_local_port_range; `reserved`: ip_local_reserved_ports, which nobody is given without asking for them. */
export type HostPorts = Readonly<{
  automatic: PortRange
  reserved: ReadonlyArray<PortRange>
  taken: ReadonlyArray<HostSocket>
}>

/** `prefixes`: where the host's own routes lead (but for its default routes). `ports` null: it was not asked. */
export type HostFacts = Readonly<{
  devices: ReadonlyArray<HostDevice>
  prefixes: ReadonlyArray<Cidr>
  ports: HostPorts | null
}>

/** Which of them are of interest: the devices of these names, the prefixes, the ports. */
export type HostQuestion = Readonly<{ devices: ReadonlyArray<IfName>; prefixes: boolean; ports: boolean }>

export const NO_FACTS: HostFacts = { devices: [], prefixes: [], ports: null }

export const NO_QUESTION: HostQuestion = { devices: [], prefixes: false, ports: false }
export const isQuestion = ({ devices, prefixes, ports }: HostQuestion): boolean =>
  devices.length > 0 || prefixes || ports

export const bothQuestions = (a: HostQuestion, b: HostQuestion): HostQuestion => ({
  devices: [...new Set([...a.devices, ...b.devices])],
  prefixes: a.prefixes || b.prefixes,
  ports: a.ports || b.ports,
})

/** Of facts that answer several questions, what answers this one. */
export const factsFor = ({ devices, prefixes, ports }: HostQuestion, facts: HostFacts): HostFacts => ({
  devices: facts.devices.filter(({ name }) => devices.includes(name)),
  prefixes: prefixes ? facts.prefixes : [],
  ports: ports ? facts.ports : null,
})

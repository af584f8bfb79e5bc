// What the host is like beside what we hold: its devices, where its routes lead, its ports. Asked once when a network is made or a
// sandbox publishes ports, and not when an endpoint joins.

import { automaticPorts, PORT_RANGE, RESERVED_PORTS, reservedPorts, type SysctlName } from '../kernel/sysctl.ts'
import type { HostFacts, HostPorts, HostQuestion } from '../net/host-facts.ts'
import { HOST } from '../net/name.ts'
import { E } from '../prelude.ts'
import type { Ears } from './facts/ears.ts'
import type { Sysctls } from './sysctls.ts'
import type { Result } from './transport.ts'

const portsIn = async ({ sockets }: Ears, sysctls: Sysctls): Result<HostPorts> => {
  const [taken, read] = await Promise.all([sockets(), sysctls.look(HOST, [PORT_RANGE, RESERVED_PORTS])])
  if (E.isLeft(taken)) return taken
  if (E.isLeft(read)) return read
  const settingOf = (name: SysctlName): string => read.right.find((each) => each.name === name)?.value ?? ''
  return E.right({
    automatic: automaticPorts(settingOf(PORT_RANGE)),
    reserved: reservedPorts(settingOf(RESERVED_PORTS)),
    taken: taken.right,
  })
}

export const facts = async (ears: Ears, sysctls: Sysctls, question: HostQuestion): Result<HostFacts> => {
  const [devices, prefixes, ports] = await Promise.all([
    question.devices.length > 0 ? ears.devices(question.devices) : E.right([]),
    question.prefixes ? ears.prefixes() : E.right([]),
    question.ports ? portsIn(ears, sysctls) : E.right(null),
  ])
  if (E.isLeft(devices)) return devices
  if (E.isLeft(prefixes)) return prefixes
  if (E.isLeft(ports)) return ports
  return E.right({ devices: devices.right, prefixes: prefixes.right, ports: ports.right })
}

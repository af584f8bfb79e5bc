// Which ports the sockets of a namespace are given when they ask for none, and which of these are kept for who asks for them.

import { automaticPorts, PORT_RANGE, RESERVED_PORTS, reservedPorts } from '../kernel/sysctl.ts'
import type { HostPorts } from '../net/host-facts.ts'
import { DEFAULT_PORTS } from '../net/host-facts.ts'
import type { NsEntry } from './state.ts'

export const portsOf = ({ sysctls }: Pick<NsEntry, 'sysctls'>): Pick<HostPorts, 'automatic' | 'reserved'> => {
  const [range, list] = [sysctls[PORT_RANGE], sysctls[RESERVED_PORTS]]
  return {
    automatic: range === undefined ? DEFAULT_PORTS : automaticPorts(range),
    reserved: list === undefined ? [] : reservedPorts(list),
  }
}

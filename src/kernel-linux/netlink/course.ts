// What one list of operations knows while it is carried out: which can be done along with others, which were, and the numbers of
// the devices that it made. A veth that is to be a bridge's port is made as one, and gets its flags with its alias: each saves
// the kernel's lock a round.

import type { BridgePort } from '../../kernel/object.ts'
import type { KernelOp } from '../../kernel/op.ts'
import { type Device, deviceIn, devicesOf } from '../departures.ts'

/** An operation at its place in the list. */
export type Placed = Readonly<{ at: number; op: KernelOp }>

export type Course = Readonly<{
  /** For the place of a link's creation: the port that it is to become, and the place where that is asked for. */
  ports: ReadonlyMap<number, Readonly<{ at: number; port: BridgePort }>>
  /** The places of operations that were done along with others. */
  done: Set<number>
  /** The kernel's numbers (ifindex) of devices that were made. */
  indexes: Map<Device, number>
}>

const portKey = ({ ns, dev }: BridgePort): Device => deviceIn(ns, dev)

/** A bridge of the same list may be refused, and a stranger's be there; what was done to a device before its port counts, too. */
export const courseOf = (ops: ReadonlyArray<KernelOp>): Course => {
  const made = new Map<Device, number>()
  const touched = new Set<Device>()
  const ports = new Map<number, Readonly<{ at: number; port: BridgePort }>>()
  for (const [at, op] of ops.entries()) {
    const { verb, object } = op
    if (verb === 'create' && object.kind === 'link' && object.spec.type === 'veth') {
      made.set(deviceIn(object.ns, object.name), at)
    } else if (verb === 'create' && object.kind === 'port') {
      const link = made.get(portKey(object))
      const fresh = link !== undefined && !touched.has(portKey(object))
      if (fresh && !touched.has(deviceIn(object.ns, object.bridge))) ports.set(link, { at, port: object })
      touched.add(portKey(object))
    } else if (verb !== 'change' || object.kind !== 'link') {
      for (const device of devicesOf(op)) touched.add(device)
    }
  }
  return { ports, done: new Set(), indexes: new Map() }
}

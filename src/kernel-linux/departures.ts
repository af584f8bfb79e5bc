// What is deleted but still there: the kernel takes a device apart in some 20 ms, many together in not much more. Whoever asked
// has its answer by then. Its name is taken until it is gone; so who looks, or needs the name, waits here.

import type { KernelOp } from '../kernel/op.ts'
import { sysctlDevice } from '../kernel/sysctl.ts'
import type { Ns } from '../net/name.ts'

/** `hurry`: somebody waits. `gone` is kept, whatever happens. */
export type Going = Readonly<{ gone: Promise<void>; hurry: () => void }>

/** A device as it is known here. */
export type Device = string
export const deviceIn = (ns: Ns, dev: string): Device => `${ns} ${dev}`

export type Departures = Readonly<{
  add: (devices: Iterable<Device>, going: Going) => void
  /** Waits for all that is going. */
  all: () => Promise<void>
  /** Waits for what is in the way of these operations. */
  inTheWayOf: (ops: Iterable<KernelOp>) => Promise<void>
}>

export const devicesOf = ({ object }: KernelOp): ReadonlyArray<Device> => {
  switch (object.kind) {
    case 'link': {
      const { ns, name, spec } = object
      return spec.type === 'veth' ? [deviceIn(ns, name), deviceIn(spec.peer.ns, spec.peer.name)] : [deviceIn(ns, name)]
    }
    case 'port':
    case 'address':
    case 'route':
      return [deviceIn(object.ns, object.dev)]
    case 'sysctl': {
      const dev = sysctlDevice(object.name)
      return dev === null ? [] : [deviceIn(object.ns, dev)]
    }
    default:
      return []
  }
}

export const makeDepartures = (): Departures => {
  const going = new Map<Device, Going>()

  const wait = async (those: Iterable<Going>): Promise<void> => {
    const each = new Set(those)
    for (const { hurry } of each) hurry()
    await Promise.all([...each].map(({ gone }) => gone))
  }

  /**
   * An adopted namespace loses its name when nothing of ours is left in it, for then nobody could find that. A route stays until its
   * device is gone, and another one to the same destination is refused until then.
   */
  const inTheWay = (op: KernelOp): ReadonlyArray<Device> => {
    const { verb, object } = op
    const isLast = verb === 'delete' && object.kind === 'netns' && object.at !== null
    const isRoute = verb === 'create' && object.kind === 'route'
    if (!isLast && !isRoute) return devicesOf(op)
    return [...going.keys()].filter((device) => device.startsWith(deviceIn(object.ns, '')))
  }

  return {
    add: (devices, one) => {
      const held = [...devices]
      for (const device of held) going.set(device, one)
      void one.gone.then(() => {
        for (const device of held) if (going.get(device) === one) going.delete(device)
      })
    },
    all: () => wait(going.values()),
    inTheWayOf: async (ops) => {
      if (going.size === 0) return
      const found = new Set<Going>()
      for (const op of ops)
        for (const device of inTheWay(op)) {
          const one = going.get(device)
          if (one !== undefined) found.add(one)
        }
      if (found.size > 0) await wait(found)
    },
  }
}

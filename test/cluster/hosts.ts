// Hosts that share a store, each with its engine: for tests.

import { paperKernel } from '../../properties/lib/kernels.ts'
import { type MembershipOptions, membership } from '../../src/cluster/membership.ts'
import { type Engine, type EngineOptions, openEngine } from '../../src/engine/engine.ts'
import { parseHostId } from '../../src/model/cluster.ts'
import type { Command } from '../../src/model/command.ts'
import type { CnmError } from '../../src/model/error.ts'
import type { HostId } from '../../src/model/types.ts'
import { E } from '../../src/prelude.ts'
import { type Clock, systemClock } from '../../src/store/clock.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import type { MemoryStore } from '../../src/store/memory.ts'

export const hostId = (name: string): HostId => {
  const parsed = parseHostId(name)
  if (E.isLeft(parsed)) throw new Error(parsed.left)
  return parsed.right
}

/** A memory store as one of several hosts has it: closing it is nothing to the others. */
export const sharedMemory = (store: MemoryStore, clock: Clock = systemClock): SharedStore => ({
  ...store,
  ...store.leases(clock),
  close: async () => {},
})

/** In a simulation nobody sees processes. */
const ALIVE = { isDead: () => false, nameOf: (text: string) => text }

export type HostOptions = Partial<MembershipOptions> &
  Partial<Pick<EngineOptions, 'kernel' | 'drivers' | 'plugins' | 'check'>>

export const openHost = async (name: string, store: SharedStore, options: HostOptions = {}): Promise<Engine> => {
  const { kernel = paperKernel(), ...rest } = options
  const identity = { ...ALIVE, text: name }
  const cluster = membership({ store, host: hostId(name), place: 'the test', identity, ...rest })
  const engine = await openEngine({ kernel, cluster, check: true, ...rest })
  if (E.isLeft(engine)) throw new Error(JSON.stringify(engine.left))
  return engine.right
}

/** Null: it was obeyed. */
export const tell = async (engine: Engine, command: Command): Promise<CnmError | null> => {
  const [answer] = await engine.submit([command])
  if (answer === undefined) throw new Error('no answer')
  return E.isLeft(answer) ? answer.left : null
}

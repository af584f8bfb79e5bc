// What engines are compared by, and short ways to run them.

import { DRIVERS, type Drivers } from '../../src/drivers/registry.ts'
import { type Core, FRESH_CORE, step } from '../../src/engine/step.ts'
import { isStacked, type KernelObject, PLAIN_MTU } from '../../src/kernel/object.ts'
import { type KernelState, objectsOf, stateOf } from '../../src/kernel/state.ts'
import { type StoredWrite, storedChanges } from '../../src/model/codec.ts'
import type { Command } from '../../src/model/command.ts'
import { freshModel } from '../../src/model/model.ts'
import type { Model } from '../../src/model/types.ts'
import { valuesOf } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'

/**
 * Without the notes that are ours, which a kernel does not know: a sysctl's `otherwise`, where a namespace was adopted from; and with 0
 * for the MTU of the device below, which is plain here.
 */
export const facts = (objects: ReadonlyArray<KernelObject>): ReadonlyArray<unknown> =>
  objects.map((object) => {
    if (object.kind === 'link' && isStacked(object.spec) && object.mtu === PLAIN_MTU) return { ...object, mtu: 0 }
    if (object.kind === 'sysctl') return { ...object, otherwise: null }
    return object.kind === 'netns' ? { ...object, at: null } : object
  })

export const wantedFacts = (wanted: KernelState): ReadonlyArray<unknown> => facts(objectsOf(wanted))

/** A model as what would be stored of it. */
export const storedForm = (model: Model): ReadonlyArray<StoredWrite> => storedChanges(freshModel(), model)

export const bothOf = (a: KernelState, b: KernelState): KernelState => stateOf([...objectsOf(a), ...objectsOf(b)])

/** The core after commands; those that are refused change nothing. */
export const coreAfter = (
  commands: ReadonlyArray<Command>,
  start: Core = FRESH_CORE,
  drivers: Drivers = DRIVERS,
): Core =>
  commands.reduce((core, command) => {
    const next = step(drivers, core, command)
    return E.isLeft(next) ? core : next.right.core
  }, start)

/** A program as turns of at most `size` commands. */
export const turnsOf = (commands: ReadonlyArray<Command>, size: number): ReadonlyArray<ReadonlyArray<Command>> =>
  Array.from({ length: Math.ceil(commands.length / size) }, (_, i) => commands.slice(i * size, (i + 1) * size))

/** What takes everything away again: sandboxes, endpoints, networks, and last those that lent others their configuration. */
export const allAway = (model: Model): ReadonlyArray<ReadonlyArray<Command>> => [
  valuesOf(model.sandboxes).map(({ id }): Command => ({ tag: 'DeleteSandbox', id })),
  valuesOf(model.endpoints).map(({ id }): Command => ({ tag: 'DeleteEndpoint', id, force: true })),
  [...valuesOf(model.networks)]
    .sort((a, b) => Number(a.configOnly) - Number(b.configOnly))
    .map(({ id }): Command => ({ tag: 'DeleteNetwork', id, force: true })),
]

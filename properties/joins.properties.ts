// What joins and leaves do to the host as it should be: a leave takes back what the join has brought, whoever else is there; and in which
// order endpoints join changes nothing but the names of their interfaces.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { DRIVERS } from '../src/drivers/registry.ts'
import { type Core, coreOf, step } from '../src/engine/step.ts'
import { keyOf } from '../src/kernel/object.ts'
import { objectsOf } from '../src/kernel/state.ts'
import type { Command } from '../src/model/command.ts'
import type { Endpoint, Sandbox } from '../src/model/types.ts'
import { ifName } from '../src/net/name.ts'
import { valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { program } from './arbitraries/commands.ts'
import { modelAfter } from './lib/steps.ts'

const coreAfter = (commands: ReadonlyArray<Command>): Core => {
  const core = coreOf(DRIVERS, modelAfter(commands))
  fc.pre(E.isRight(core))
  if (E.isLeft(core)) throw new Error('unreachable')
  return core.right
}

/** The core as it is if a command is refused. */
const obey = (core: Core, command: Command): Core => {
  const taken = step(DRIVERS, core, command)
  return E.isLeft(taken) ? core : taken.right.core
}

const wantedOf = ({ wanted }: Core) => new Map(objectsOf(wanted.state).map((object) => [keyOf(object), object]))

const enters = (endpoint: Endpoint, sandbox: Sandbox): Command => ({
  tag: 'Join',
  endpoint: endpoint.id,
  sandbox: sandbox.id,
  priority: endpoint.attachment?.priority ?? 0,
  ifName: ifName(`if-${endpoint.id.slice(0, 8)}`),
})

describe('joins', () => {
  test.prop([program])('are taken back by a leave, in the presence of others (P8)', (commands) => {
    const core = coreAfter(commands)
    for (const endpoint of valuesOf(core.model.endpoints).filter(({ attachment }) => attachment === null))
      for (const sandbox of valuesOf(core.model.sandboxes)) {
        const joined = obey(core, enters(endpoint, sandbox))
        if (joined === core) continue
        const left = obey(joined, { tag: 'Leave', endpoint: endpoint.id, sandbox: sandbox.id })
        expect(wantedOf(left)).toEqual(wantedOf(core))
        expect(valuesOf(left.model.endpoints)).toEqual(valuesOf(core.model.endpoints))
      }
  })

  test.prop([program, fc.infiniteStream(fc.nat())])(
    'in any order come to the same, but for the names of interfaces (P13)',
    (commands, choices) => {
      const core = coreAfter(commands)
      const places = valuesOf(core.model.endpoints).flatMap((endpoint) => {
        const sandbox = valuesOf(core.model.sandboxes).find(({ id }) => id === endpoint.attachment?.sandbox)
        return sandbox === undefined ? [] : [{ endpoint, sandbox }]
      })
      const empty = places.reduce(
        (now, { endpoint, sandbox }) => obey(now, { tag: 'Leave', endpoint: endpoint.id, sandbox: sandbox.id }),
        core,
      )
      const joinAll = (order: typeof places): Core =>
        order.reduce((now, { endpoint, sandbox }) => obey(now, enters(endpoint, sandbox)), empty)
      const ranks = new Map(places.map((place) => [place, choices.next().value as number]))
      const shuffled = places.toSorted((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0))
      expect(wantedOf(joinAll(shuffled))).toEqual(wantedOf(joinAll(places)))
    },
  )
})

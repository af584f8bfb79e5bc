// Taking away: once is enough, twice does no harm, and afterwards the world is as it was.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { DRIVERS } from '../src/drivers/registry.ts'
import { freshEngine } from '../src/engine/engine.ts'
import { scopeOf } from '../src/engine/look.ts'
import { diff } from '../src/kernel/diff.ts'
import { EMPTY_STATE, type KernelState, objectsOf, stateOf } from '../src/kernel/state.ts'
import { FORWARD4, FORWARD6 } from '../src/kernel/sysctl.ts'
import { simKernel } from '../src/kernel-sim/kernel.ts'
import { observe } from '../src/kernel-sim/observe.ts'
import { isNameless, type NsEntry, type World } from '../src/kernel-sim/state.ts'
import type { Command } from '../src/model/command.ts'
import { decide } from '../src/model/decide.ts'
import { errorClass } from '../src/model/error.ts'
import { HOST, LO } from '../src/net/name.ts'
import { entriesOf, type PMap, sizeOfMap, valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { memoryStore } from '../src/store/memory.ts'
import type { Store } from '../src/store/store.ts'
import { box, createSandbox } from '../test/lib/model.ts'
import { runs } from '../test/lib/runs.ts'
import { command, program } from './arbitraries/commands.ts'
import { faultySim, hostWithCard } from './lib/kernels.ts'
import { allAway, bothOf, coreAfter, storedForm } from './lib/states.ts'

const takesAway = command.filter(({ tag }) => tag.startsWith('Delete') || tag === 'Leave')

describe('taking away', () => {
  test.prop([program, fc.array(takesAway, { minLength: 1, maxLength: 8 })], runs(0.4))(
    'twice is taking away once: the second time changes nothing, and says that it was done (P8)',
    async (commands, removals) => {
      const kernel = faultySim()
      const engine = freshEngine({ kernel, check: true })
      await engine.submit(commands)
      for (const removal of removals) {
        const [first] = await engine.submit([removal])
        const [model, known] = [storedForm(engine.model()), engine.wanted()]
        const there = kernel.objects(known)
        const [second] = await engine.submit([removal])
        expect(storedForm(engine.model())).toEqual(model)
        expect(kernel.objects(known)).toEqual(there)
        if (second === undefined) throw new Error('no answer')
        if (first !== undefined && E.isLeft(first)) expect(second).toEqual(first)
        else if (E.isLeft(second)) expect(['NotFound', 'Forbidden']).toContain(errorClass[second.left.tag])
        else expect(second.right).toEqual([])
      }
    },
  )
})

const keysOf = <V>(map: PMap<V>): ReadonlyArray<string> => [...entriesOf(map)].map(([key]) => key)

describe('a network', () => {
  test.prop([program])(
    'can be taken away exactly when no endpoint is on it, and nobody borrows from it (P5)',
    (commands) => {
      const { model } = coreAfter(commands)
      for (const { id } of valuesOf(model.networks)) {
        const answer = decide(DRIVERS, model, { tag: 'DeleteNetwork', id, force: true })
        const isUsed = valuesOf(model.endpoints).some(({ network }) => network === id)
        const isLent = valuesOf(model.networks).some(({ configFrom }) => configFrom === id)
        expect(E.isRight(answer)).toBe(!isUsed && !isLent)
      }
    },
  )
})

const tablesIn = (firewall: NsEntry['firewall']) => (firewall === null ? [] : valuesOf(firewall.tables))

/** Somebody else's namespace in which nothing is but loopback, which came up. */
const isLeftAlone = ({ ns, links, firewall }: NsEntry): boolean =>
  isNameless(ns) && tablesIn(firewall).length === 0 && valuesOf(links).every(({ name }) => name === LO)

/** Sizes of all that a world holds, by namespace. What only counts up (numbers of devices, of connections) is left out. */
const sizes = ({ namespaces }: World): unknown =>
  valuesOf(namespaces)
    .filter((space) => !isLeftAlone(space))
    .map(({ ns, links, routes, firewall, neighbours, tracked, sockets }) => ({
      ns,
      links: [...entriesOf(links)].map(([key, { addresses, ports }]) => [key, addresses.length, sizeOfMap(ports)]),
      held: [keysOf(routes), keysOf(neighbours)],
      tracked: tracked === null ? [] : [keysOf(tracked.tuples), keysOf(tracked.connections)],
      sockets: sockets === null ? [] : keysOf(sockets.sockets),
      firewall: tablesIn(firewall).map(({ sets }) => valuesOf(sets).map(({ elements }) => sizeOfMap(elements))),
    }))

const everything = (world: World, known: KernelState): unknown => [
  sizes(world),
  objectsOf(observe(world, scopeOf([known]))),
]

const keysIn = async (store: Store): Promise<ReadonlyArray<string>> => {
  const listed = await store.list('')()
  if (E.isLeft(listed)) throw new Error(listed.left.tag)
  return listed.right.entries.map(({ key }) => key)
}

/** Two more transactions: a note that nobody needs any more is dropped with the next one. These leave none of their own. */
const passing: ReadonlyArray<Command> = [
  createSandbox(9, 'passing', { ns: HOST }),
  { tag: 'DeleteSandbox', id: box(9) },
]

describe('the simulated world', () => {
  test.prop([program, program, fc.boolean()], runs(0.3))(
    'is after rounds of making and taking away as it was before: no link, namespace, rule or stored entry is left (P23)',
    async (first, second, forwards) => {
      const kernel = simKernel(hostWithCard())
      const sysctl = (name: typeof FORWARD4) =>
        ({ kind: 'sysctl', ns: HOST, name, value: '1', otherwise: '0' }) as const
      const own = forwards ? [sysctl(FORWARD4), sysctl(FORWARD6)] : []
      await kernel.apply(diff(EMPTY_STATE, stateOf(own)))()
      const before = kernel.world()
      const store = memoryStore()
      const engine = freshEngine({ kernel, store, check: true })
      let known = engine.wanted()
      for (const commands of [first, second, first]) {
        await engine.submit(commands)
        known = bothOf(known, engine.wanted())
        for (const turn of allAway(engine.model())) await engine.submit(turn)
        expect(everything(kernel.world(), known)).toEqual(everything(before, known))
        for (const command of passing) expect((await engine.submit([command])).every(E.isRight)).toBe(true)
        expect(await keysIn(store)).toEqual([])
      }
    },
  )
})

// What is stored is what was meant (P17, P18), and what was not stored by us is refused or is sound: errors, no crash, no wrong
// value accepted.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DRIVERS } from '../src/drivers/registry.ts'
import { renderAll } from '../src/drivers/render.ts'
import { decode, decodeStored, encode, loadModel, storedChanges } from '../src/model/codec.ts'
import { formerEndpoint, formerNetwork, formerSandbox } from '../src/model/decode/former.ts'
import type { CnmEvent } from '../src/model/event.ts'
import { violations } from '../src/model/invariants.ts'
import { freshModel } from '../src/model/model.ts'
import type { Model } from '../src/model/types.ts'
import { valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { program } from './arbitraries/commands.ts'
import { mutated } from './arbitraries/records.ts'
import { modelAfter, obey } from './lib/steps.ts'

type Entry = Readonly<{ key: string; value: string }>

const entriesOf = (model: Model): ReadonlyArray<Entry> =>
  storedChanges(freshModel(), model).flatMap(({ key, value }) => (value === null ? [] : [{ key, value }]))

const objectOf = (event: CnmEvent | null): unknown => {
  if (event?.tag === 'NetworkCreated') return event.network
  if (event?.tag === 'SandboxCreated') return event.sandbox
  return event?.tag === 'EndpointCreated' ? event.endpoint : null
}

const FORMERS: Readonly<Partial<Record<CnmEvent['tag'], (stored: unknown) => unknown>>> = {
  NetworkCreated: formerNetwork,
  EndpointCreated: formerEndpoint,
  SandboxCreated: formerSandbox,
}

/** An object without what former versions did not store is one of theirs. */
const asNow = ({ tag }: CnmEvent, value: string): unknown => {
  const former = FORMERS[tag]
  return JSON.parse(former === undefined ? value : encode(former(decode(value))))
}

/** Nothing was lost, defaulted or converted, and a model of it is refused or sound. True: one was made. */
const isHarmless = (entries: ReadonlyArray<Entry>, { key, value }: Entry): boolean => {
  const event = decodeStored(key, value)
  if (E.isLeft(event)) return false
  if (event.right !== null) expect(JSON.parse(encode(objectOf(event.right)))).toEqual(asNow(event.right, value))
  const others = entries.filter((entry) => entry.key !== key)
  const model = loadModel(freshModel(), [...others, { key, value }], DRIVERS)
  if (E.isLeft(model)) return false
  expect(violations(model.right)).toEqual([])
  renderAll(DRIVERS, model.right)
  return true
}

describe('what is stored', () => {
  test.prop([program])('comes back as it was, and would be stored the same (P17)', (commands) => {
    const model = modelAfter(commands)
    const entries = entriesOf(model)
    const loaded = loadModel(freshModel(), entries, DRIVERS)
    expect(loaded).toEqual(E.right(model))
    if (E.isRight(loaded)) expect(entriesOf(loaded.right)).toEqual(entries)
  })

  test.prop([program, fc.nat(9)])('goes without a trace when all that was written is withdrawn', (commands, last) => {
    const before = modelAfter(commands)
    const model: Model = { ...before, ledger: { ...before.ledger, last } }
    const away = new Map(storedChanges(model, freshModel()).map(({ key, value }) => [key, value]))
    expect(entriesOf(model).filter(({ key }) => away.get(key) !== null)).toEqual([])
  })

  test.prop([program])('keeps what a user asked for apart from what was given (P18)', (commands) => {
    let model = freshModel()
    for (const each of commands) {
      const before = model
      model = obey(before, each)
      const loaded = loadModel(freshModel(), entriesOf(model), DRIVERS)
      if (E.isLeft(loaded)) throw new Error(loaded.left)
      if (model === before) continue
      if (each.tag === 'CreateEndpoint') {
        const { ipv4, ipv6, mac, ifName = null } = each
        const made = valuesOf(loaded.right.endpoints).find(({ id }) => id === each.id)
        expect(made?.asked).toEqual({ ipv4, ipv6, mac, ifName })
      }
      if (each.tag === 'CreateNetwork' && each.configFrom === undefined) {
        const made = valuesOf(loaded.right.networks).find(({ id }) => id === each.id)
        expect(made?.options).toEqual(each.options)
        if (made?.driver === 'bridge' || made?.configOnly) expect(made.asked).toEqual(each.pools)
      }
    }
  })

  test.prop([program, fc.nat(), fc.infiniteStream(mutated)])(
    'and then mutated, is refused or is a sound model',
    (commands, at, mutations) => {
      const entries = entriesOf(modelAfter(commands))
      const entry = entries[at % entries.length]
      fc.pre(entry !== undefined)
      if (entry === undefined) return
      for (const mutate of mutations.take(20)) isHarmless(entries, { key: entry.key, value: mutate(entry.value) })
    },
  )
})

it('most mutations are refused, and some are not: both ends of the property are reached', () => {
  const seen = { refused: 0, taken: 0 }
  const count = fc.property(program, fc.nat(), mutated, (commands, at, mutate) => {
    const entries = entriesOf(modelAfter(commands))
    const entry = entries[at % entries.length]
    if (entry === undefined) return
    const value = mutate(entry.value)
    if (value !== entry.value) seen[isHarmless(entries, { key: entry.key, value }) ? 'taken' : 'refused']++
  })
  fc.assert(count, { numRuns: 300, seed: 11 })
  expect(seen.refused).toBeGreaterThan(seen.taken)
  expect(seen.taken).toBeGreaterThan(10)
})

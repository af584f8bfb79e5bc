// Histories for the checker: of systems whose operations do happen at one instant each, in an order that dice choose, so they
// are linearizable for certain; and the systems, as small as they can be.

import type { Event, History } from '../../src/history/event.ts'
import type { ObjectIn, ObjectOut } from '../../src/history/specs/objects.ts'
import type { PoolIn, PoolOut } from '../../src/history/specs/pool.ts'
import type { StoreEntry, StoreIn, StoreOut } from '../../src/history/specs/store.ts'

/** A whole number below `n`. */
export type Dice = (n: number) => number

/** xorshift32: the same in every run. */
export const diceOf = (seed: number): Dice => {
  let state = seed * 2_654_435_761 || 1
  return (n) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % n
  }
}

/** `unknown`: of how many operations in a thousand nobody hears the end; half of those happen, some of them much later. */
export type Plan<In, Out> = Readonly<{
  clients: number
  operations: number
  unknown: number
  ask: (dice: Dice) => In
  system: (dice: Dice) => (input: In) => Out
}>

type Client<In, Out> = Readonly<
  { at: 'idle' } | { at: 'asked'; id: number; input: In } | { at: 'answered'; id: number; output: Out }
>

export const interleaved = <In, Out>(plan: Plan<In, Out>, dice: Dice): History<In, Out> => {
  const act = plan.system(dice)
  const events: Event<In, Out>[] = []
  const clients: Client<In, Out>[] = Array.from({ length: plan.clients }, () => ({ at: 'idle' }))
  const late: In[] = []
  let next = 0
  const begin = (n: number): Client<In, Out> => {
    const [id, input] = [next++, plan.ask(dice)]
    events.push({ tag: 'invoke', id, client: `c${n}`, input })
    if (dice(1000) >= plan.unknown) return { at: 'asked', id, input }
    events.push({ tag: 'unknown', id })
    if (dice(2) === 0) late.push(input)
    return { at: 'idle' }
  }
  while (next < plan.operations || clients.some(({ at }) => at !== 'idle')) {
    if (late.length > 0 && dice(20) === 0) {
      const [input] = late.splice(dice(late.length), 1)
      if (input !== undefined) act(input)
    }
    const n = dice(plan.clients)
    const client = clients[n]
    if (client?.at === 'asked') clients[n] = { at: 'answered', id: client.id, output: act(client.input) }
    else if (client?.at === 'answered') {
      events.push({ tag: 'ok', id: client.id, output: client.output })
      clients[n] = { at: 'idle' }
    } else if (next < plan.operations) clients[n] = begin(n)
  }
  return events
}

/** A store, which raises its revision by one or two. */
export const storeSystem = (dice: Dice): ((input: StoreIn) => StoreOut) => {
  const entries = new Map<string, StoreEntry>()
  let revision = 0
  return (input) => {
    if (input.do === 'get') return { entry: entries.get(input.key) ?? null }
    if (input.do === 'list') {
      const below = [...entries.values()].filter(({ key }) => key.startsWith(input.prefix))
      return { entries: below.sort((a, b) => (a.key < b.key ? -1 : 1)), revision }
    }
    const stale = input.compares.find((compare) => (entries.get(compare.key)?.revision ?? 0) !== compare.revision)
    if (stale !== undefined) return { conflict: stale.key }
    if (input.writes.length > 0) revision += 1 + dice(2)
    for (const { key, value } of input.writes) {
      if (value === null) entries.delete(key)
      else entries.set(key, { key, value, revision })
    }
    return { revision }
  }
}

const nthAddress = (n: number): string => `10.0.${n >> 8}.${n & 255}`
export const addressesOf = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, n) => nthAddress(n))

/** A pool that hands out any free address. */
export const poolSystem =
  (count: number) =>
  (dice: Dice): ((input: PoolIn) => PoolOut) => {
    const addresses = addressesOf(count)
    const taken = new Set<string>()
    const take = (ip: string): boolean => !taken.has(ip) && taken.add(ip) !== undefined
    return (input) => {
      if (input.do === 'list') return { ips: [...taken].sort() }
      if (input.do === 'take') return take(input.ip) ? 'done' : 'taken'
      if (input.do === 'release') return taken.delete(input.ip) ? 'done' : 'free'
      const from = dice(count)
      for (let i = 0; i < count; i++) {
        const ip = addresses[(from + i) % count] ?? ''
        if (take(ip)) return { ip }
      }
      return 'full'
    }
  }

export const objectsSystem = (): ((input: ObjectIn) => ObjectOut) => {
  const ids = new Map<string, string>()
  const idOf = (name: string): string | undefined => [...ids].find(([, its]) => its === name)?.[0]
  const at = (kind: string, what: string): string => `${kind} ${what}`
  return (input) => {
    if (input.do === 'find') {
      const found = idOf(at(input.kind, input.name))
      return found === undefined ? 'absent' : { id: found.slice(input.kind.length + 1) }
    }
    const id = at(input.kind, input.id)
    if (input.do === 'delete') return ids.delete(id) ? 'done' : 'absent'
    const name = at(input.kind, input.name)
    if (ids.has(id) || idOf(name) !== undefined) return 'exists'
    ids.set(id, name)
    return 'done'
  }
}

/** Half reads; of the writes, one in nine removes, and one compares with a revision near the present one. */
export const storePlan = (operations: number, keys: number, unknown = 0): Plan<StoreIn, StoreOut> => {
  let written = 0
  return {
    clients: 16,
    operations,
    unknown,
    system: storeSystem,
    ask: (dice) => {
      const key = `k${dice(keys)}`
      const kind = dice(18)
      if (kind < 9) return { do: 'get', key }
      written += 1
      const value = kind === 9 ? null : `${written}`
      const compares = kind === 10 ? [{ key, revision: Math.max(0, Math.floor(written * 1.5) - dice(2 * keys)) }] : []
      return { do: 'transact', compares, writes: [{ key, value }] }
    },
  }
}

/** Two thirds of the addresses are taken in the end, so nobody is told that there is none. */
export const poolPlan = (operations: number, addresses: number, unknown = 0): Plan<PoolIn, PoolOut> => ({
  clients: 16,
  operations,
  unknown,
  system: poolSystem(addresses),
  ask: (dice) => {
    const kind = dice(10)
    const ip = nthAddress(dice(addresses))
    if (kind < 3) return { do: 'allocate', pool: 'p' }
    return kind < 4 ? { do: 'take', pool: 'p', ip } : { do: 'release', pool: 'p', ip }
  },
})

export const objectsPlan = (operations: number, objects: number, unknown = 0): Plan<ObjectIn, ObjectOut> => ({
  clients: 16,
  operations,
  unknown,
  system: objectsSystem,
  ask: (dice) => {
    const [kind, n] = [dice(10), dice(objects)]
    const [id, name] = [`${n}`, `net-${n}`]
    if (kind < 4) return { do: 'create', kind: 'network', id, name }
    return kind < 7 ? { do: 'delete', kind: 'network', id } : { do: 'find', kind: 'network', name }
  },
})

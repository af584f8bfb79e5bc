// Hosts that die, come back, and are forgotten: what others take from them, and what they find again. On a memory store whose time passes
// by hand.

import { describe, expect, test } from 'vitest'
import { clearHost, forgetHost, type HostStatus, listHosts } from '../../src/cluster/hosts.ts'
import { endpointsOn } from '../../src/model/queries.ts'
import { getIn } from '../../src/net/pmap.ts'
import { E, type Either } from '../../src/prelude.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import { memoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { box, createEndpoint, createNetwork, createSandbox, end, join, net, outcome } from '../lib/model.ts'
import { turnedClock } from '../lib/turned-clock.ts'
import { hostId, openHost, sharedMemory, tell } from './hosts.ts'

const TTL_MS = 9000
const STEP_MS = 500
/** All that was begun is done. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const rightOf = <A>(result: Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}
const shared = (n: number, name: string) => createNetwork(n, name, { scope: 'global' })

/** Two hosts, of which the first one's time can be stopped. */
const world = async (mortal = true) => {
  const clock = turnedClock()
  const store = memoryStore({ clock })
  const own = turnedClock()
  const dying = openHost('a', sharedMemory(store, own), { mortal, ttlMs: TTL_MS, clock: own })
  const a = await dying
  const b = await openHost('b', sharedMemory(store, clock), { mortal: true, ttlMs: TTL_MS, clock })
  /** `both` false: the first host stands still. */
  const pass = async (ms: number, both = true): Promise<void> => {
    for (let past = 0; past < ms; past += STEP_MS)
      for (const each of both ? [own, clock] : [clock]) {
        each.turn(STEP_MS)
        await settled()
      }
  }
  await tell(a, shared(1, 'wide'))
  await tell(a, createEndpoint(1, 1, 'web', { ipv4: null }))
  await tell(a, createSandbox(1, 'box'))
  await tell(a, join(1, 1))
  await tell(b, createEndpoint(2, 1, 'db'))
  return { store, a, b, pass, clock, own }
}
/** A store that answers who lists below a prefix only when it is let go on, with what there was when it was asked. */
const standing = (store: Store, below: string) => {
  let goOn = (): void => {}
  const stopped = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const list: Store['list'] = (prefix) => async () => {
    const listed = await store.list(prefix)()
    if (prefix.startsWith(below)) await stopped
    return listed
  }
  return { slow: { ...store, list }, goOn }
}
const shapes = (statuses: ReadonlyArray<HostStatus>) =>
  statuses.map(({ host, holder, endpoints }) => `${host} ${holder === null ? 'gone' : 'there'} ${endpoints}`)

describe('a host that stands still', () => {
  test('is there as long as it is heard of, and then cleared; the address is free again', async () => {
    const { store, a, b, pass } = await world()
    await pass(4 * TTL_MS)
    expect(shapes(rightOf(await listHosts(store)()))).toEqual(['a there 1', 'b there 1'])
    const [at] = getIn(a.model().endpoints, end(1))?.addresses ?? []
    await pass(4 * TTL_MS, false)
    expect(shapes(rightOf(await listHosts(store)()))).toEqual(['a gone 0', 'b there 1'])
    expect(endpointsOn(b.model(), net(1)).map(({ name }) => name)).toEqual(['db'])
    const ipv4 = typeof at?.cidr.ip === 'number' ? at.cidr.ip : null
    expect(await tell(b, createEndpoint(3, 1, 'web', { ipv4 }))).toBe(null)
  })

  test('writes nothing by what it believed, reads what is left, and goes on', async () => {
    const { a, b, pass } = await world()
    await pass(4 * TTL_MS, false)
    await tell(b, createEndpoint(3, 1, 'web'))
    expect(await tell(a, createEndpoint(4, 1, 'late'))).toBe(null)
    expect(endpointsOn(a.model(), net(1)).map(({ name }) => name)).toEqual(['db', 'late', 'web'])
    expect(getIn(a.model().endpoints, end(1))).toBe(undefined)
    expect(getIn(a.model().sandboxes, box(1))?.container).toBe('box')
    await pass(TTL_MS)
    expect(await tell(b, { tag: 'DeleteEndpoint', id: end(4), force: false })).toMatchObject({ tag: 'OnOtherHost' })
  })

  test('does not say of what was taken from it that it is so already', async () => {
    const [clock, own] = [turnedClock(), turnedClock()]
    const store = memoryStore({ clock })
    const { watch, ...rest } = sharedMemory(store, own)
    let late: (() => void)[] | null = null
    const held: SharedStore['watch'] = (prefix, since, hear) =>
      watch(prefix, since, (news) => (late === null ? hear(news) : late.push(() => hear(news))))
    const a = await openHost('a', { ...rest, watch: held }, { mortal: true, ttlMs: TTL_MS, clock: own })
    await tell(a, shared(1, 'wide'))
    await tell(a, createEndpoint(1, 1, 'web'))
    late = []
    clock.turn(4 * TTL_MS)
    await settled()
    expect(await clearHost(store, hostId('a'), 'the store')()).toEqual(E.right(1))
    const answer = tell(a, { tag: 'RenameEndpoint', id: end(1), name: 'web' })
    await settled()
    for (const hear of late) hear()
    late = null
    expect(outcome(await answer)).toEqual(['NotFound', 404])
  })

  test('keeps what it has where nobody is to clear it', async () => {
    const { store, pass } = await world(false)
    await pass(4 * TTL_MS, false)
    expect(shapes(rightOf(await listHosts(store)()))).toEqual(['a gone 1', 'b there 1'])
  })
})

describe('two that clear a host at once', () => {
  test('take nothing that was taken again meanwhile', async () => {
    const { store, a, b } = await world()
    const [at] = getIn(a.model().endpoints, end(1))?.addresses ?? []
    await a.close()
    // The first has read what there is to clear, and stands still.
    const { slow, goOn } = standing(store, '')
    const first = clearHost(slow, hostId('a'), 'the store')()
    await settled()
    expect(await clearHost(store, hostId('a'), 'the store')()).toEqual(E.right(1))
    const ipv4 = typeof at?.cidr.ip === 'number' ? at.cidr.ip : null
    expect(await tell(b, createEndpoint(3, 1, 'web', { ipv4 }))).toBe(null)
    const claims = async () => rightOf(await store.list('claim/')()).entries.map(({ key }) => key)
    const before = await claims()
    goOn()
    const cleared = await first
    expect(await claims()).toEqual(before)
    expect(cleared).toEqual(E.right(0))
  })
})

describe('a host that is there', () => {
  test('is neither cleared nor forgotten', async () => {
    const { store } = await world()
    for (const work of [clearHost, forgetHost])
      expect(await work(store, hostId('a'), 'the store')()).toEqual(
        E.left({ tag: 'StoreHeld', place: 'host a of the store', by: 'its engine' }),
      )
    expect(shapes(rightOf(await listHosts(store)()))).toEqual(['a there 1', 'b there 1'])
  })
})

describe('a host that was closed', () => {
  test('keeps what it has, and finds it again', async () => {
    const { store, a, b, pass, clock } = await world()
    await a.close()
    await pass(4 * TTL_MS)
    expect(shapes(rightOf(await listHosts(store)()))).toEqual(['a gone 1', 'b there 1'])
    expect(outcome(await tell(b, { tag: 'DeleteNetwork', id: net(1) }))).toEqual(['HasEndpoints', 403])
    const again = await openHost('a', sharedMemory(store, clock), { ttlMs: TTL_MS, clock })
    expect(getIn(again.model().endpoints, end(1))?.attachment?.sandbox).toBe(box(1))
  })

  test('can be forgotten, with all it kept', async () => {
    const { store, a, b } = await world()
    await a.close()
    expect(await forgetHost(store, hostId('a'), 'the store')()).toEqual(E.right(1))
    expect(shapes(rightOf(await listHosts(store)()))).toEqual(['b there 1'])
    const left = rightOf(await store.list('')()).entries.map(({ key }) => key)
    expect(left.filter((key) => key.includes('h/a/') || key.endsWith('/a'))).toEqual([])
    await tell(b, { tag: 'DeleteEndpoint', id: end(2), force: false })
    expect(await tell(b, { tag: 'DeleteNetwork', id: net(1) })).toBe(null)
  })

  test('is forgotten whole, or as it came back, by who stood still meanwhile', async () => {
    const { store, a, clock } = await world()
    await a.close()
    const { slow, goOn } = standing(store, 'h/a/')
    const forgotten = forgetHost(slow, hostId('a'), 'the store')()
    await settled()
    const again = await openHost('a', sharedMemory(store, clock), { ttlMs: TTL_MS, clock })
    await tell(again, createSandbox(2, 'new'))
    await again.close()
    expect(await clearHost(store, hostId('a'), 'the store')()).toEqual(E.right(0))
    goOn()
    expect(await forgotten).toEqual(E.right(1))
    expect(rightOf(await store.list('h/a/')()).entries).toEqual([])
    expect(shapes(rightOf(await listHosts(store)()))).toEqual(['b there 1'])
  })
})

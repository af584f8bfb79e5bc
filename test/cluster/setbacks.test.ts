// What a host does when the store answers late, not at all, or tells several things as one: each was found by the simulated cluster.

import { describe, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import type { StoreError } from '../../src/store/error.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import { memoryStore } from '../../src/store/memory.ts'
import type { News } from '../../src/store/store.ts'
import { createNetwork, net } from '../lib/model.ts'
import { openHost, sharedMemory, tell } from './hosts.ts'

const shared = (n: number, name: string) => createNetwork(n, name, { scope: 'global' })
const LOST: StoreError = { tag: 'StoreUnavailable', what: 'the line is cut', hint: null }

/** A way to a store that can be cut: then it answers nothing, and tells nothing. */
const cuttable = (store: SharedStore): SharedStore & { isCut: boolean } => {
  const line = {
    ...store,
    isCut: false,
    get: (key: string) => async () => (line.isCut ? E.left(LOST) : store.get(key)()),
    list: (prefix: string) => async () => (line.isCut ? E.left(LOST) : store.list(prefix)()),
    watch: (prefix: string, since: number, hear: (news: News) => void) =>
      store.watch(prefix, since, (news) => (line.isCut ? undefined : hear(news))),
  }
  return line
}

describe('a host', () => {
  test('that cannot hear what others did does not refuse for what it believes', async () => {
    const store = memoryStore()
    const line = cuttable(sharedMemory(store))
    const [a, b] = [await openHost('a', sharedMemory(store)), await openHost('b', line)]
    await tell(a, shared(1, 'wide'))
    expect((await tell(b, shared(2, 'wide')))?.tag).toBe('NetworkNameTaken')
    line.isCut = true
    await tell(a, { tag: 'DeleteNetwork', id: net(1) })
    expect((await tell(b, shared(3, 'wide')))?.tag).toBe('Unavailable')
    line.isCut = false
    expect(await tell(b, shared(4, 'wide'))).toBe(null)
  })

  test('whose presence was written without its hearing so takes it', async () => {
    const store = memoryStore()
    const whole = sharedMemory(store)
    let isFirst = true
    const deaf: SharedStore = {
      ...whole,
      hold: (key, value, ttlMs, lost) => async () => {
        const held = await whole.hold(key, value, ttlMs, lost)()
        if (!isFirst) return held
        isFirst = false
        return E.left(LOST)
      },
    }
    await expect(openHost('a', deaf)).rejects.toThrow('the line is cut')
    const a = await openHost('a', deaf)
    expect(await tell(a, shared(1, 'wide'))).toBe(null)
    await expect(
      openHost('a', whole, { identity: { text: 'another', isDead: () => false, nameOf: (text) => text } }),
    ).rejects.toThrow('in use by a')
  })

  test('that heard several transactions as one goes on with what they wrote', async () => {
    const store = memoryStore()
    const whole = sharedMemory(store)
    const merging: SharedStore = {
      ...whole,
      watch: (prefix, since, hear) => {
        let waiting: News[] = []
        const tellAll = (): void => {
          const last = waiting.at(-1)
          const writes = waiting.flatMap((each) => (each.tag === 'Changed' ? each.writes : []))
          waiting = []
          const news = new Map(writes.map((write) => [write.key, write]))
          if (last?.tag === 'Changed') hear({ ...last, writes: [...news.values()] })
        }
        return whole.watch(prefix, since, (news) => {
          if (waiting.push(news) === 1) setTimeout(tellAll)
        })
      },
    }
    const [a, b] = [await openHost('a', whole), await openHost('b', merging)]
    await tell(a, shared(1, 'one'))
    await tell(a, { tag: 'DeleteNetwork', id: net(1) })
    await tell(a, shared(2, 'two'))
    await tell(a, shared(3, 'three'))
    expect(await tell(b, { tag: 'DeleteNetwork', id: net(2) })).toBe(null)
    expect(await tell(b, shared(4, 'two'))).toBe(null)
  })
})

// One writer on a store that several reach: who has it, who may take its place, and what becomes of one that was given up.

import { spawnSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/store/clock.ts'
import { explainStore } from '../../src/store/error.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import { memoryStore } from '../../src/store/memory.ts'
import { OWNER, owned } from '../../src/store/owner.ts'
import { left, put, right } from './lib.ts'

const shared = (): SharedStore => {
  const store = memoryStore()
  return { ...store, ...store.leases(systemClock) }
}

/** A store on which somebody wrote that it is his. */
const takenBy = async (owner: unknown): Promise<SharedStore> => {
  const store = shared()
  await right(store.transact(put(OWNER, JSON.stringify(owner))))
  return store
}

const here = {
  machine: hostname(),
  world: `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`,
}
/** Of a process that has ended. */
const deadPid = (): number => spawnSync('true').pid

test('of a process that has ended on this host the place is taken at once', async () => {
  const store = await takenBy({ ...here, pid: deadPid() })
  const mine = await right(owned(store, 'here'))
  expect(JSON.parse((await right(store.get(OWNER)))?.value ?? '')).toMatchObject({ ...here, pid: process.pid })
  await mine.close()
})

test.for([
  ['a process that lives', { ...here, pid: process.ppid }, `process ${process.ppid} on ${hostname()}`],
  ['another host, where the same number means another process', { ...here, world: 'elsewhere', pid: deadPid() }, 'on'],
  ['one that does not say where it sees processes', { machine: 'b', pid: deadPid() }, 'on b'],
  ['who says nothing that we understand', 'mine', 'another process'],
] as const)('%s is left in its place, and named', async ([, owner, name]) => {
  const store = await takenBy(owner)
  const before = await right(store.get(OWNER))
  const error = await left(owned({ ...store, close: async () => {} }, 'etcd://a:1/x'))
  expect(explainStore(error)).toContain('etcd://a:1/x is in use by ')
  expect(explainStore(error)).toContain(name)
  expect(await right(store.get(OWNER))).toEqual(before)
})

test('the right to write is not among what is stored', async () => {
  const mine = await right(owned(shared(), 'here'))
  await right(mine.transact(put('a', 'x')))
  expect((await right(mine.list(''))).entries.map(({ key }) => key)).toEqual(['a'])
  await mine.close()
})

test('one that was given up writes nothing more, also when nobody took its place', async () => {
  const store = shared()
  const mine = await right(owned(store, 'here'))
  await right(store.transact(put(OWNER, null)))
  expect(explainStore(await left(mine.transact(put('a', 'late'))))).toContain('is not ours to write to any more')
  expect(await right(store.get('a'))).toBeNull()
})

test('a conflict of what it compares itself is its own', async () => {
  const mine = await right(owned(shared(), 'here'))
  const stale = { compares: [{ key: 'a', revision: 7 }], writes: [{ key: 'a', value: 'x' }] }
  expect(await left(mine.transact(stale))).toEqual({ tag: 'StoreConflict', key: 'a' })
  await right(mine.transact(put('a', 'x')))
  await mine.close()
})

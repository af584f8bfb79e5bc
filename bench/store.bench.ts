// What durability costs: a transaction of the store on disk beside a put of lmdb with the same flush. Ours reads what it
// replaces, keeps a checksum and counts; lmdb's put does not.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { E } from '../src/prelude.ts'
import { lmdbStore } from '../src/store/lmdb/lmdb.ts'
import type { Store } from '../src/store/store.ts'
import { type Bench, duration, type Result, rate } from './lib.ts'

const KEYS = 500
/** About what an endpoint takes. */
const VALUE = 'v'.repeat(400)
const BYTES = Buffer.from(VALUE)

const inDir = async (work: (dir: string) => Promise<Result>): Promise<Result> => {
  const dir = mkdtempSync(join(tmpdir(), 'cnm-bench-'))
  try {
    return await work(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const storeIn = async (dir: string): Promise<Store> => {
  const store = await lmdbStore({ dir })()
  if (E.isLeft(store)) throw new Error(store.left.tag)
  return store.right
}

/** As many callers at once, each with one transaction, against as many puts. */
const callers = (count: number) =>
  inDir(async (dir) => {
    const store = await storeIn(join(dir, 'ours'))
    const raw = open<Buffer, Buffer>({
      path: join(dir, 'raw.mdb'),
      overlappingSync: false,
      keyEncoding: 'binary',
      encoding: 'binary',
    })
    let n = 0
    const key = (): string => `endpoint/${n++ % KEYS}`
    const all = (one: () => Promise<unknown>) => () => Promise.all(Array.from({ length: count }, one))
    const result = await rate(count, {
      ours: all(() => store.transact({ compares: [], writes: [{ key: key(), value: VALUE }] })()),
      peers: {
        'lmdb put and flush': all(() => raw.put(Buffer.from(key()), BYTES)),
        'lmdb putSync': () =>
          raw.transactionSync(() => {
            for (let i = 0; i < count; i++) raw.putSync(Buffer.from(key()), BYTES)
          }),
      },
    })
    await store.close()
    await raw.close()
    return result
  })

const opening = (entries: number) =>
  inDir(async (dir) => {
    const writes = Array.from({ length: entries }, (_, i) => ({ key: `endpoint/${i}`, value: VALUE }))
    const store = await storeIn(dir)
    await store.transact({ compares: [], writes })()
    await store.close()
    return duration({
      ours: async () => {
        const store = await storeIn(dir)
        await store.list('')()
        await store.close()
      },
    })
  })

export const benches: ReadonlyArray<Bench> = [
  { name: 'store.lmdb1.rate', unit: '1/s', better: 'higher', run: () => callers(1) },
  { name: 'store.lmdb64.rate', unit: '1/s', better: 'higher', run: () => callers(64) },
  { name: 'store.open10000.time', unit: 'ms', better: 'lower', run: () => opening(10_000) },
]

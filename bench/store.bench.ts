// What durability costs: a transaction of the store on disk beside a put of lmdb with the same flush. Ours reads what it
// replaces, keeps a checksum and counts; lmdb's put does not.

import { join } from 'node:path'
import { inDir, rawIn, storeIn } from './lib/disk.ts'
import { type Bench, duration, rate } from './lib.ts'

const KEYS = 500
/** About what an endpoint takes. */
const VALUE = 'v'.repeat(400)
const BYTES = Buffer.from(VALUE)

/** As many callers at once, each with one transaction, against as many puts. */
const callers = (count: number) =>
  inDir(async (dir) => {
    const store = await storeIn(join(dir, 'ours'))
    const raw = rawIn(dir)
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

// The store on etcd keeps the contract of stores, on a server of its own.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import type { Store, Transaction } from '../../src/store/store.ts'
import { type Cluster, needsEtcd, startEtcd } from '../lib/etcd.ts'
import { startRelay } from '../lib/relay.ts'
import { wait } from '../lib/victim.ts'
import { storeContract } from './contract.ts'
import { openAt } from './etcd-lib.ts'
import { leaseContract } from './lease-contract.ts'
import { right } from './lib.ts'

/** Has the server forget all but the last few transactions, after each. */
const forgetful = (store: Store, { servers: [server] }: Cluster, history: number): Store => {
  const revisions: number[] = []
  const forget = async (revision: number): Promise<void> => {
    revisions.push(revision)
    const oldest = revisions.at(-1 - history)
    if (oldest !== undefined) await server?.request('kv/compaction', { revision: String(oldest) })
  }
  return {
    ...store,
    transact: (transaction: Transaction) => async () => {
      const done = await store.transact(transaction)()
      if (E.isRight(done)) await forget(done.right)
      return done
    },
  }
}

needsEtcd('the etcd store', () => {
  let cluster: Cluster
  let made = 0
  beforeAll(async () => {
    cluster = await startEtcd()
  })
  afterAll(() => cluster.end())
  storeContract(
    async (options) => {
      made += 1
      const store = await openAt(cluster, `s${made}`)
      return options === undefined ? store : forgetful(store, cluster, options.history)
    },
    { largestBytes: 1_400_000 },
  )
})

needsEtcd('what the etcd store holds', () => {
  let cluster: Cluster
  let made = 0
  beforeAll(async () => {
    cluster = await startEtcd()
  })
  afterAll(() => cluster.end())
  leaseContract(async () => {
    made += 1
    const relay = await startRelay(cluster.servers[0]?.port ?? 0)
    const [store, other] = [await openAt({ hosts: relay.host }, `l${made}`), await openAt(cluster, `l${made}`)]
    return {
      store,
      leases: store,
      other,
      cut: relay.cut,
      elapse: wait,
      end: async () => {
        await relay.end()
        await store.close()
        await other.close()
      },
    }
  }, 2000)

  test('is given up when its store is closed', async () => {
    const [store, other] = [await openAt(cluster, 'closed'), await openAt(cluster, 'closed')]
    await right(store.hold('a', 'x', 60_000, () => {}))
    await store.close()
    expect(await right(other.get('a'))).toBeNull()
    await other.close()
  })
})

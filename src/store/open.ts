// A store by its URL, for one writer. What only one kind needs is loaded with it.

import { E, type TaskEither } from '../prelude.ts'
import type { StoreError } from './error.ts'
import type { SharedStore } from './lease.ts'
import { stampOf } from './lmdb/beside.ts'
import { lmdbStore } from './lmdb/lmdb.ts'
import { memoryStore } from './memory.ts'
import { owned, withoutOwner } from './owner.ts'
import type { Store } from './store.ts'
import { type ServersUrl, type StoreUrl, showStoreUrl } from './url.ts'

/** A store on servers, shared with whoever else has it open; one is made if there is none. */
export const openShared = (url: ServersUrl): TaskEither<StoreError, SharedStore> => {
  switch (url.tag) {
    case 'etcd':
      return async () => (await import('./etcd/open.ts')).openEtcd(url)()
    case 'zk':
      return async () => (await import('./zookeeper/zookeeper.ts')).zookeeperStore({ url })()
    case 'consul':
      return async () => (await import('./consul/open.ts')).openConsul(url)()
  }
}

/** Right null: there is none, and none is made. */
export const findShared = (url: ServersUrl): TaskEither<StoreError, SharedStore | null> => {
  switch (url.tag) {
    case 'etcd':
      return async () => (await import('./etcd/open.ts')).findEtcd(url)()
    case 'zk':
      return async () => (await import('./zookeeper/zookeeper.ts')).findZookeeper({ url })()
    case 'consul':
      return async () => (await import('./consul/open.ts')).findConsul(url)()
  }
}

/** Makes one if there is none. Left `StoreInUse`, `StoreHeld`: another process writes to it. */
export const openStore = (url: StoreUrl): TaskEither<StoreError, Store> => {
  switch (url.tag) {
    case 'memory':
      return async () => E.right(memoryStore())
    case 'lmdb':
      return lmdbStore({ dir: url.dir })
    default:
      return async () => {
        const shared = await openShared(url)()
        return E.isLeft(shared) ? shared : owned(shared.right, showStoreUrl(url))()
      }
  }
}

/**
 * For who only looks. Right null: there is none, and none is made. On servers nobody is in the way of who writes; in a directory one
 * is, for that moment.
 */
export const lookAtStore = (url: StoreUrl): TaskEither<StoreError, Store | null> => {
  switch (url.tag) {
    case 'memory':
      return async () => E.right(null)
    case 'lmdb':
      return async () => (isFree(url.dir) ? E.right(null) : lmdbStore({ dir: url.dir })())
    default:
      return async () => {
        const shared = await findShared(url)()
        return E.isLeft(shared) || shared.right === null ? shared : E.right(withoutOwner(shared.right))
      }
  }
}

/** What cannot be looked at is there: opening it says why it cannot be. */
const isFree = (dir: string): boolean => {
  try {
    return stampOf(dir) === null
  } catch {
    return false
  }
}

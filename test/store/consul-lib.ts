// Short words for tests of the store on Consul.

import { E } from '../../src/prelude.ts'
import { type ConsulOptions, openConsul } from '../../src/store/consul/open.ts'
import { explainStore } from '../../src/store/error.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import type { Store } from '../../src/store/store.ts'
import { type ConsulUrl, parseStoreUrl } from '../../src/store/url.ts'
import { left, right } from './lib.ts'

export const urlOf = (text: string): ConsulUrl => {
  const url = parseStoreUrl(text)
  if (E.isLeft(url) || url.right.tag !== 'consul') throw new Error(`${text} is no URL of Consul`)
  return url.right
}

export const openAt = (
  { hosts }: Readonly<{ hosts: string }>,
  prefix: string,
  options?: ConsulOptions,
): Promise<SharedStore> => right(openConsul(urlOf(`consul://${hosts}/${prefix}`), options))

/** For servers that are there, or are not to be waited for. */
export const HASTE: ConsulOptions = { attemptMs: 1000, patienceMs: 1000 }

/** Why it cannot be opened. */
export const refusal = async (url: string, options = HASTE): Promise<string> =>
  explainStore(await left(openConsul(urlOf(url), options)))

/** Opens, does the work, closes. */
export const within = async <A>(url: string, work: (store: Store) => Promise<A>, options = HASTE): Promise<A> => {
  const store = await right(openConsul(urlOf(url), options))
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

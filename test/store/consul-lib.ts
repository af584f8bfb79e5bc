// Short words for tests of the store on Consul.

import { E } from '../../src/prelude.ts'
import { type ConsulOptions, openConsul } from '../../src/store/consul/open.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import { type ConsulUrl, parseStoreUrl } from '../../src/store/url.ts'
import { right } from './lib.ts'

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

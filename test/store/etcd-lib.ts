// Short words for tests of the store on etcd.

import { E } from '../../src/prelude.ts'
import { type EtcdOptions, openEtcd } from '../../src/store/etcd/open.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import { type EtcdUrl, parseStoreUrl } from '../../src/store/url.ts'
import { right } from './lib.ts'

export const urlOf = (text: string): EtcdUrl => {
  const url = parseStoreUrl(text)
  if (E.isLeft(url) || url.right.tag !== 'etcd') throw new Error(`${text} is no URL of etcd`)
  return url.right
}

export const openAt = (
  { hosts }: Readonly<{ hosts: string }>,
  prefix: string,
  options?: EtcdOptions,
): Promise<SharedStore> => right(openEtcd(urlOf(`etcd://${hosts}/${prefix}`), options))

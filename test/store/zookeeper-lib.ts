// Short words for tests of the store on ZooKeeper.

import { E } from '../../src/prelude.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import { parseStoreUrl, type ZkUrl } from '../../src/store/url.ts'
import { type ZookeeperOptions, zookeeperStore } from '../../src/store/zookeeper/zookeeper.ts'
import { right } from './lib.ts'

export const urlOf = (text: string): ZkUrl => {
  const url = parseStoreUrl(text)
  if (E.isLeft(url) || url.right.tag !== 'zk') throw new Error(`${text} is no URL of ZooKeeper`)
  return url.right
}

export const openAt = (
  hosts: string,
  prefix: string,
  options: Omit<ZookeeperOptions, 'url'> = {},
): Promise<SharedStore> => right(zookeeperStore({ ...options, url: urlOf(`zk://${hosts}/${prefix}`) }))

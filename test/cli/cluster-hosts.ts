// Hosts that share a prefix, by their verbs: for tests. Each has a simulated kernel of its own.

import { afterAll, beforeAll, beforeEach } from 'vitest'
import { type Membership, membership } from '../../src/cluster/membership.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import { hostId } from '../cluster/hosts.ts'
import { type Cluster, startEtcd } from '../lib/etcd.ts'
import { openAt } from '../store/etcd-lib.ts'
import { right } from '../store/lib.ts'
import { cnm, type Ended } from './cnm.ts'

const in64 = (text: string): string => Buffer.from(text).toString('base64')

/** The verbs of hosts that share a place. */
export const hostsAt = (url: () => string) => {
  const run = (host: string | null, ...args: ReadonlyArray<string>): Promise<Ended> => {
    const [group = ''] = args
    const kernel = ['store', 'events', 'journal', 'host'].includes(group) ? [] : ['--kernel', 'sim']
    return cnm([...args, ...kernel], { env: { CNM_STORE: url(), ...(host === null ? {} : { CNM_HOST: host }) } })
  }
  const ok = async (host: string | null, ...args: ReadonlyArray<string>): Promise<string> => {
    const { exit, out, err } = await run(host, ...args)
    if (exit !== 0 || err !== '') throw new Error(`cnm ${args.join(' ')} on ${host} ended with ${exit}: ${err}`)
    return out.trim()
  }
  const json = async (host: string | null, ...args: ReadonlyArray<string>) => JSON.parse(await ok(host, ...args))
  const endpoints = (host: string) => json(host, 'endpoint', 'ls', '--format', 'json')
  /** Rows of `host ls` without its head. */
  const hosts = async (): Promise<ReadonlyArray<string>> =>
    (await ok(null, 'host', 'ls'))
      .split('\n')
      .slice(1)
      .map((row) => row.replaceAll(/ +/g, ' '))
  return { run, ok, json, endpoints, hosts }
}

/** Two hosts with a sandbox each, joined to a network that both know. */
export const settle = async ({ ok }: ReturnType<typeof hostsAt>): Promise<void> => {
  await ok('alpha', 'network', 'create', '--scope', 'global', '--subnet', '10.5.0.0/24', 'wide')
  await ok('alpha', 'sandbox', 'create', 'web')
  await ok('beta', 'sandbox', 'create', 'db')
  await ok('alpha', 'network', 'connect', 'wide', 'web')
  await ok('beta', 'network', 'connect', 'wide', 'db')
}

/** Within a `describe`: hosts on an etcd of its own, each test with a prefix of its own. */
export const onEtcd = () => {
  let cluster: Cluster
  let made = 0
  let prefix = ''
  let url = ''
  beforeAll(async () => {
    cluster = await startEtcd()
  })
  beforeEach(() => {
    made += 1
    prefix = `blue/${made}`
    url = `etcd://${cluster.hosts}/${prefix}`
  })
  afterAll(() => cluster.end())

  const all = { key: 'AA==', range_end: 'AA==' }
  return {
    ...hostsAt(() => url),
    servers: () => cluster.hosts,
    url: () => url,
    /** The prefix of the test, and one beside or below it. */
    at: (more: string): string => `${prefix}${more}`,
    move: (more: string): void => {
      url = `etcd://${cluster.hosts}/${prefix}${more}`
    },
    open: (more = ''): Promise<SharedStore> => openAt(cluster, `${prefix}${more}`),
    /** All that etcd holds. */
    keys: async (): Promise<unknown> => (await cluster.servers[0]?.request('kv/range', all))?.get('kvs'),
    put: async (key: string, value: string): Promise<void> => {
      await cluster.servers[0]?.request('kv/put', { key: in64(`/${prefix}/${key}`), value: in64(value) })
    },
    /** This process is that host, until it is closed. */
    being: async (name: string, mortal = false): Promise<readonly [Membership, SharedStore]> => {
      const store = await openAt(cluster, prefix)
      const member = membership({ store, host: hostId(name), place: 'the test', mortal })
      await right(member.begin)
      return [member, store]
    },
  }
}

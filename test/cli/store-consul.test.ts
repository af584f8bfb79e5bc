// The verbs of a host whose networks are remembered on Consul: as on etcd, of which store-etcd.test.ts tells more.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ConsulCluster, needsConsul, startConsul } from '../lib/consul.ts'
import { cnm } from './cnm.ts'

needsConsul('hosts on Consul, with simulated kernels', () => {
  let cluster: ConsulCluster
  beforeAll(async () => {
    cluster = await startConsul()
  })
  afterAll(() => cluster.end())

  const okAt =
    (env: Readonly<Record<string, string>>) =>
    async (...args: ReadonlyArray<string>): Promise<string> => {
      const { exit, out, err } = await cnm([...args, '--kernel', 'sim'], { env })
      if (exit !== 0 || err !== '') throw new Error(`cnm ${args.join(' ')} ended with ${exit}: ${err}`)
      return out.trim()
    }

  test('one remembers from verb to verb', { timeout: 90_000 }, async () => {
    const url = `consul://${cluster.hosts}/hosts/alpha`
    const ok = okAt({ CNM_STORE: url })
    expect(await ok('network', 'ls', '-q')).toBe('')
    const id = await ok('network', 'create', 'front')
    await ok('sandbox', 'create', 'web')
    await ok('network', 'connect', 'front', 'web')
    expect(JSON.parse(await ok('network', 'inspect', 'front'))).toMatchObject([{ id, endpoints: [{ sandbox: 'web' }] }])
    expect(await ok('doctor')).toBe('no differences: the host is as it should be')
  })

  test('two share a prefix: what one makes the other knows, and neither hands out the same', {
    timeout: 90_000,
  }, async () => {
    const CNM_STORE = `consul://${cluster.hosts}/blue`
    const [alpha, beta] = ['alpha', 'beta'].map((CNM_HOST) => okAt({ CNM_STORE, CNM_HOST }))
    if (alpha === undefined || beta === undefined) throw new Error('there are two')
    await alpha('network', 'create', '--scope', 'global', '--subnet', '10.5.0.0/16', 'wide')
    const names = ['web', 'db']
    await Promise.all(
      [alpha, beta].map(async (ok, i) => {
        await ok('sandbox', 'create', names[i] ?? '')
        await ok('network', 'connect', 'wide', names[i] ?? '')
      }),
    )
    for (const ok of [alpha, beta]) {
      const endpoints = await ok('endpoint', 'ls')
      for (const host of ['alpha', 'beta']) expect(endpoints).toMatch(new RegExp(`\\b${host}\\b`))
      expect(new Set(endpoints.match(/10\.5\.\d+\.\d+/g)).size).toBe(2)
    }
    const hosts = await cnm(['host', 'ls'], { env: { CNM_STORE } })
    expect(hosts).toMatchObject({ exit: 0, err: '' })
    expect(hosts.out).toMatch(/alpha(.|\n)*beta/)
  })

  test('what one prefix holds is carried over to another', { timeout: 60_000 }, async () => {
    const [from, to] = ['carried/from', 'carried/to'].map((prefix) => `consul://${cluster.hosts}/${prefix}`)
    await okAt({ CNM_STORE: from ?? '' })('network', 'create', 'front')
    const exported = await cnm(['store', 'export'], { env: { CNM_STORE: from ?? '' } })
    const imported = await cnm(['store', 'import'], { env: { CNM_STORE: to ?? '' }, input: exported.out })
    expect([exported.err, imported.err, imported.exit]).toEqual(['', '', 0])
    expect(await okAt({ CNM_STORE: to ?? '' })('network', 'ls', '-q', '--no-trunc')).not.toBe('')
  })
})

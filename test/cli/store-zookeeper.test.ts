// The verbs of a host whose networks are remembered on ZooKeeper: as on etcd, of which store-etcd.test.ts tells more.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Ensemble, needsZookeeper, startZookeeper } from '../lib/zookeeper.ts'
import { cnm } from './cnm.ts'

needsZookeeper('a host on ZooKeeper, with a simulated kernel', () => {
  let ensemble: Ensemble
  beforeAll(async () => {
    ensemble = await startZookeeper(1)
  })
  afterAll(() => ensemble.end())

  test('remembers from verb to verb', { timeout: 90_000 }, async () => {
    const url = `zk://ann:secret@${ensemble.hosts}/hosts/alpha`
    const ok = async (...args: ReadonlyArray<string>): Promise<string> => {
      const { exit, out, err } = await cnm([...args, '--kernel', 'sim'], { env: { CNM_STORE: url } })
      if (exit !== 0 || err !== '') throw new Error(`cnm ${args.join(' ')} ended with ${exit}: ${err}`)
      return out.trim()
    }
    expect(await ok('network', 'ls', '-q')).toBe('')
    const id = await ok('network', 'create', 'front')
    await ok('sandbox', 'create', 'web')
    await ok('network', 'connect', 'front', 'web')
    expect(JSON.parse(await ok('network', 'inspect', 'front'))).toMatchObject([{ id, endpoints: [{ sandbox: 'web' }] }])
    expect(await ok('doctor')).toBe('no differences: the host is as it should be')
    const stranger = await cnm(['network', 'ls', '--store', `zk://${ensemble.hosts}/hosts/alpha`])
    expect(stranger).toMatchObject({ exit: 3, out: '' })
    expect(stranger.err).toMatch(/^cnm: zk:\/\/.*\/hosts\/alpha was made by a user who has a password; write zk:/)
  })
})

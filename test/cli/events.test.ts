// Events that are followed: told once, in order, when they are certain; beside whoever is at work, and until a signal.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openEngine } from '../../src/engine/engine.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { E } from '../../src/prelude.ts'
import { lmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { createNetwork } from '../lib/model.ts'
import { hears, type Running, started } from '../lib/victim.ts'
import { CNM } from './cnm.ts'
import { type Host, simHost } from './host.ts'

let host: Host
let follower: Running | null = null
beforeEach(async () => {
  host = await simHost()
})
afterEach(async () => {
  await follower?.kill()
  follower = null
  await host.remove()
})

const follow = (...words: ReadonlyArray<string>): Running => {
  follower = started(CNM, 'events', '--follow', '--state', host.state, ...words)
  return follower
}
const told = ({ said }: Running): ReadonlyArray<unknown> =>
  said().map((line) => {
    const { turn, event, name } = JSON.parse(line)
    return [turn, event, name]
  })

describe('events that are followed', () => {
  test('begin with those before, and go on with what other processes do', async () => {
    await host.ok('network', 'create', 'front')
    const running = follow('--format', 'json')
    await hears(running, /NetworkCreated/)
    await host.ok('sandbox', 'create', 'web')
    await hears(running, /SandboxCreated/)
    await host.ok('network', 'connect', 'front', 'web')
    await hears(running, /Joined/)
    expect(told(running)).toEqual([
      [1, 'NetworkCreated', 'front'],
      [2, 'SandboxCreated', 'web'],
      [3, 'EndpointCreated', 'web'],
      [3, 'Joined', 'web'],
    ])
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('end at %s with status %i, without a word', async (signal, status) => {
    const running = follow()
    await hears(running, /^TURN +EVENT +ID +NAME$/)
    await running.kill(signal)
    expect([running.child.exitCode, running.complaint()]).toEqual([status, ''])
  })

  test('end when nobody reads them any more', async () => {
    const running = follow()
    await hears(running, /^TURN/)
    running.child.stdout?.destroy()
    await host.ok('network', 'create', 'one')
    await host.ok('network', 'create', 'two')
    await expect.poll(() => running.child.exitCode, { timeout: 10_000 }).toBe(0)
  })

  test('may begin before there is a state directory, and make none', async () => {
    const running = follow('--format', 'json')
    expect(await host.ok('events')).toMatch(/^TURN/)
    await host.ok('network', 'create', 'front')
    await hears(running, /NetworkCreated/)
    expect(told(running)).toEqual([[1, 'NetworkCreated', 'front']])
  })

  test('are told after a turn, if asked', async () => {
    await host.ok('network', 'create', 'front')
    const running = follow('--since', '1', '--format', 'json')
    await host.ok('sandbox', 'create', 'web')
    await hears(running, /./)
    expect(told(running)).toEqual([[2, 'SandboxCreated', 'web']])
  })

  test('of a process at work are told when they are certain: but for the newest, which it may yet withdraw', async () => {
    const store = await lmdbStore({ dir: host.state })()
    if (E.isLeft(store)) throw new Error(store.left.tag)
    const engine = await openEngine({ kernel: simKernel(), store: store.right, checkpointTurns: 1000 })
    if (E.isLeft(engine)) throw new Error(engine.left.tag)
    await engine.right.submit([createNetwork(1, 'one')])
    await engine.right.submit([createNetwork(2, 'two')])
    const running = follow('--format', 'json')
    await hears(running, /"one"/)
    expect(told(running)).toEqual([[1, 'NetworkCreated', 'one']])
    expect(await host.json('events')).toHaveLength(1)
    await engine.right.close()
    await hears(running, /"two"/)
    expect(await host.json('events')).toHaveLength(2)
  })
})

test('events of a store that cannot be read are status 3, and of a turn that is none status 2', async () => {
  await host.ok('network', 'create', 'front')
  const { exit, err } = await host.run('events', '--state', '/dev/null')
  expect([exit, err]).toEqual([3, expect.stringContaining('/dev/null')])
  expect((await host.run('events', '--since', '-1')).exit).toBe(2)
})

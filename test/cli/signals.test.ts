// Signals in the middle of a verb: what was begun is done, the rest is not begun, and the status says which signal it was.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEngine } from '../../src/engine/engine.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { E } from '../../src/prelude.ts'
import { lmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { createNetwork, pool } from '../lib/model.ts'
import { needs } from '../lib/need.ts'
import { CNM, type Ended } from './cnm.ts'
import { type Host, simHost } from './host.ts'
import { answered } from './terminal.ts'

const MANY = 200
const names = Array.from({ length: MANY }, (_, n) => `n${n}`)

/** Networks enough that removing them one by one takes a while. */
const withMany = async (host: Host): Promise<void> => {
  const store = await lmdbStore({ dir: host.state })()
  if (E.isLeft(store)) throw new Error(store.left.tag)
  const engine = await openEngine({ kernel: simKernel(), store: store.right, checkpointTurns: 1000 })
  if (E.isLeft(engine)) throw new Error(engine.left.tag)
  const commands = names.map((name, n) => createNetwork(n + 1, name, { pools: [pool(`10.${n}.0.0/24`)] }))
  for (const answer of await engine.right.submit(commands)) if (E.isLeft(answer)) throw new Error(answer.left.tag)
  await engine.right.close()
}

/** The signal comes as soon as the verb has said something. */
const interrupted = async (host: Host, signal: NodeJS.Signals, args: ReadonlyArray<string>): Promise<Ended> => {
  const child = spawn(CNM, args, { env: { ...process.env, CNM_STATE: host.state }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  let [out, err] = ['', '']
  child.stdout.on('data', (data) => {
    if (out === '') child.kill(signal)
    out += data
  })
  child.stderr.on('data', (data) => {
    err += data
  })
  const [code] = await ended
  return { exit: code ?? undefined, out, err }
}

describe('a verb with much to do', () => {
  let host: Host
  beforeAll(async () => {
    host = await simHost()
    await withMany(host)
  })
  afterAll(() => host.remove())

  const left = async (): Promise<ReadonlyArray<string>> =>
    (await host.json('network', 'ls')).map(({ name }: { name: string }) => name).sort()

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    'ends at %s with status %i when the deed under way is done, and what it said is done',
    async (signal, status) => {
      const before = await left()
      const args = ['network', 'rm', '--kernel', 'sim', ...before]
      const { exit, out, err } = await interrupted(host, signal, args)
      const removed = out.trim().split('\n')
      expect([exit, err]).toEqual([status, 'cnm: stopped; nothing is left by half, and nothing else was begun\n'])
      expect(removed.length).toBeLessThan(before.length)
      expect(removed).toEqual(before.slice(0, removed.length))
      expect(await left()).toEqual(before.slice(removed.length))
      expect(await host.ok('doctor')).toBe('no differences: the host is as it should be')
    },
  )
})

needs.programs('script')('network prune, which asks first', () => {
  let host: Host
  beforeAll(async () => {
    host = await simHost()
    await host.ok('network', 'create', 'front')
  })
  afterAll(() => host.remove())

  const prune = (keys: string) => answered(['network', 'prune', '--kernel', 'sim', '--state', host.state], keys)

  test.each([
    ['Ctrl-C', '\x03', 130, 'cnm: stopped; nothing was removed'],
    ['the end of the input', '\x04', 0, ''],
    ['no', 'n\r', 0, ''],
    ['anything else', 'yess\r', 0, ''],
  ])('removes nothing at %s', async (_, keys, status, sentence) => {
    const { exit, out } = await prune(keys)
    expect([exit, out]).toEqual([status, expect.stringContaining(sentence)])
    expect(out).not.toContain('defect')
    expect(await host.json('network', 'ls')).toHaveLength(1)
  })

  test('removes them at yes', async () => {
    expect(await prune('y\r')).toMatchObject({ exit: 0, out: expect.stringMatching(/^front\r$/m) })
    expect(await host.json('network', 'ls')).toEqual([])
  })
})

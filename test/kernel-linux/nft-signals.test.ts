// The end of a child, and any other signal with a handler, may come while the library waits for the kernel's answer.

import { spawn } from 'node:child_process'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ns } from '../../src/net/name.ts'
import { needs } from '../lib/need.ts'
import { rightOf } from './labs.ts'
import { createOf, deleteOf, deleteSpace, inProcess, makeSpace, published, table, texts } from './nft-lab.ts'

needs.kernel('a firewall in a storm of signals', () => {
  const where = ns('nft-storm')
  const library = inProcess()
  beforeAll(() => makeSpace(where))
  afterAll(async () => {
    await library.close()
    deleteSpace(where)
  })

  test('is changed as it was asked to be', { timeout: 60_000 }, async () => {
    const heard: string[] = []
    const hear = (): void => void heard.push('USR2')
    process.on('SIGUSR2', hear)
    const storm = spawn('sh', ['-c', `while kill -USR2 ${process.pid}; do :; done`], { stdio: 'ignore' })
    try {
      await vi.waitFor(() => expect(heard.length).toBeGreaterThan(0), { timeout: 30_000 })
      const before = heard.length
      rightOf(await library.run(where, [createOf(table(where))]))
      for (let n = 1; n <= 2_000; n++) {
        expect(rightOf(await library.run(where, [createOf(published(where, n))]))).toEqual([])
        if (n % 2 === 0) expect(rightOf(await library.run(where, [deleteOf(published(where, n))]))).toEqual([])
      }
      // It has lasted until here.
      await vi.waitFor(() => expect(heard.length).toBeGreaterThan(before), { timeout: 30_000 })
    } finally {
      storm.kill('SIGKILL')
      process.off('SIGUSR2', hear)
    }
    expect(texts(rightOf(await library.look(where)))).toHaveLength(1_001)
  })
})

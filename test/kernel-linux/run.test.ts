import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { limitOf } from '../../src/kernel-linux/limit.ts'
import { runWithin, TOOLS } from '../../src/kernel-linux/run.ts'
import { leftOf, rightOf } from './labs.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('a machine without the tools', () => {
  test.each(TOOLS)('that %s is missing is said with the Debian packages to install', async (tool) => {
    const error = leftOf(await runWithin(1, '/nonexistent')(null, tool, []))
    expect(error.what).toBe(`the program ${tool} was not found`)
    expect(error.hint).toMatch(/^apt-get install iproute2 nftables procps iputils-ping util-linux /)
  })

  test('but only if they are not where Debian puts them', async () => {
    vi.stubEnv('PATH', '/nonexistent')
    expect(rightOf(await runWithin(1)(null, 'ip', ['-V'])).status).toBe(0)
  })
})

describe('a tool', () => {
  /** A program `ip` that does this. */
  const runs = async (script: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'cnm-run-'))
    try {
      writeFileSync(join(folder, 'ip'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
      return await runWithin(1, `${folder}:/usr/bin:/bin`)(null, 'ip', [])
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  test('that a signal ended has refused nothing: what it left undone is not known', async () => {
    expect(leftOf(await runs('kill -INT $$')).what).toBe('ip ended before it was done (SIGINT)')
  })

  test('is in a process group of its own, where Ctrl-C does not reach it', async () => {
    const { stdout } = rightOf(await runs('read -r _ _ _ _ group _ < /proc/$$/stat; echo "$group = $$"'))
    const [, group, own] = /^(\d+) = (\d+)$/.exec(stdout.trim()) ?? []
    expect([group, own]).toEqual([own, group])
    expect(group).not.toBe(undefined)
  })
})

describe('a limit', () => {
  test('lets so many run at once, the others in the order they came', async () => {
    const limit = limitOf(2)
    const log: string[] = []
    let running = 0
    let most = 0
    const task = (name: string) =>
      limit(async () => {
        running += 1
        most = Math.max(most, running)
        log.push(name)
        await new Promise((resolve) => setTimeout(resolve, 1))
        running -= 1
      })
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(task))
    expect(log).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(most).toBe(2)
  })

  test('gives the place of a task that failed to the next', async () => {
    const limit = limitOf(1)
    await expect(limit(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await limit(async () => 'next')).toBe('next')
  })
})

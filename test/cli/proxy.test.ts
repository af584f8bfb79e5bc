// cnm proxy on the running kernel: it follows what other verbs do. The host is a namespace of the test's own.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitAt } from '../kernel-linux/programs.ts'
import { needs } from '../lib/need.ts'
import { ownNamespace } from '../lib/own-names.ts'
import { CNM, cnm } from './cnm.ts'
import { simHost } from './host.ts'

const PATIENCE_MS = 20_000

test('there is nothing to relay for a simulated machine', async () => {
  const host = await simHost()
  await host.ok('network', 'create', 'front')
  const { exit, err } = await cnm(['proxy', '--state', host.state])
  expect([exit, err]).toEqual([1, expect.stringContaining('are on kernel sim, not on kernel linux')])
  await host.remove()
})

needs.kernel('cnm proxy', () => {
  const host = ownNamespace('proxy-host')
  const web = ownNamespace('proxy-web')
  let folder = ''
  let endWeb: () => Promise<void> = async () => {}
  const env = () => ({ PATH: process.env['PATH'] ?? '', CNM_STATE: join(folder, 'state') })
  const words = (...rest: ReadonlyArray<string>): ReadonlyArray<string> => [`--net=/run/netns/${host}`, '--', ...rest]
  const ok = async (...args: ReadonlyArray<string>): Promise<void> => {
    await execa('nsenter', words(CNM, ...args), { env: env(), extendEnv: false })
  }
  /** What a server says to who connects, or an errno. */
  const heard = async (to: string, port: number): Promise<string> => {
    const client = `const s = require('node:net').connect({ host: process.argv[1], port: Number(process.argv[2]) });
      s.on('data', (d) => console.log(String(d))).on('error', (e) => console.log(e.code)).on('end', () => s.end())`
    const args = [process.execPath, '-e', client, '--', to, String(port)]
    return (await execa('nsenter', words(...args))).stdout
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cnm-proxy-'))
    await execa('ip', ['netns', 'add', host])
    await execa('ip', ['-n', host, 'link', 'set', 'lo', 'up'])
    await ok('network', 'create', '--subnet', '10.1.0.0/24', 'front')
  }, 60_000)
  afterAll(async () => {
    await endWeb()
    for (const name of [host, web]) await execa('ip', ['netns', 'delete', name], { reject: false })
    await rm(folder, { recursive: true, force: true })
  })

  test('relays what is published while it runs, until it is withdrawn', async () => {
    const child = spawn('nsenter', words(CNM, 'proxy'), { env: env(), stdio: ['ignore', 'pipe', 'ignore'] })
    const ended = once(child, 'close')
    let out = ''
    child.stdout.on('data', (data) => {
      out += data
    })
    try {
      await ok('sandbox', 'create', '--netns', web, '-p', '8080:80', 'web')
      await ok('network', 'connect', '--ip', '10.1.0.2', 'front', 'web')
      endWeb = await waitAt(web, [{ transport: 'tcp', address: '0.0.0.0', port: 80, says: 'web' }])
      await expect.poll(() => out, { timeout: PATIENCE_MS }).toBe('relayed: tcp [::]:8080 to 10.1.0.2:80\n')
      expect([await heard('::1', 8080), await heard('127.0.0.1', 8080)]).toEqual(['web', 'web'])
      await endWeb()
      await ok('sandbox', 'rm', 'web')
      await expect.poll(() => out, { timeout: PATIENCE_MS }).toMatch(/^ended: tcp \[::\]:8080 to 10.1.0.2:80$/m)
      expect(await heard('::1', 8080)).toBe('ECONNREFUSED')
      // At once: the proxy's own socket is not in the way any more.
      await ok('sandbox', 'create', '--netns', web, '-p', '8080:80', 'web')
    } finally {
      child.kill('SIGINT')
    }
    expect((await ended)[0]).toBe(130)
  }, 60_000)
})

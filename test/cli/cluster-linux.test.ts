// Two hosts that share etcd, each in a namespace of its own on the running kernel: packets pass, a watch repairs, and when etcd has lost
// everything, what is on the hosts stays until the store is brought back, or until it is told to go.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { needsEtcd } from '../lib/etcd.ts'
import { needs } from '../lib/need.ts'
import { ownNamespace } from '../lib/own-names.ts'
import { hears, type Running, started } from '../lib/victim.ts'
import { CNM } from './cnm.ts'

const prefix = ownNamespace('b')

type Name = 'alpha' | 'beta'

needs.kernel('two hosts on the running kernel', () => {
  const HOSTS = { alpha: `${prefix}-alpha`, beta: `${prefix}-beta` }
  const BOXES = { alpha: `${prefix}-web`, beta: `${prefix}-db` }
  const SERVER = '192.0.2.1'
  const URL = `etcd://${SERVER}:2379/blue`
  let folder = ''
  let etcd: Running | null = null

  const enter = (name: Name) => [`--net=/run/netns/${HOSTS[name]}`, '--']
  const env = { PATH: process.env['PATH'] ?? '', CNM_STORE: URL }
  const run = async (host: Name, ...args: ReadonlyArray<string>) => {
    const options = { env: { ...env, CNM_HOST: host }, extendEnv: false, reject: false } as const
    const { exitCode, stdout, stderr } = await execa('nsenter', [...enter(host), CNM, ...args], options)
    return { exit: exitCode, out: stdout, err: stderr }
  }
  const ok = async (host: Name, ...args: ReadonlyArray<string>): Promise<string> => {
    const { exit, out, err } = await run(host, ...args)
    if (exit !== 0 || err !== '') throw new Error(`cnm ${args.join(' ')} on ${host} ended with ${exit}: ${err}`)
    return out
  }
  const ip = (...args: ReadonlyArray<string>) => execa('ip', args)
  /** To the network's gateway, which is the host itself. */
  const pings = async (name: Name): Promise<boolean> => {
    const args = ['netns', 'exec', BOXES[name], 'ping', '-c1', '-W2', '10.5.0.1']
    return (await execa('ip', args, { reject: false })).exitCode === 0
  }
  const bridges = async (name: Name): Promise<number> => {
    const { stdout } = await ip('-n', HOSTS[name], '-j', 'link', 'show', 'type', 'bridge')
    return stdout === '' ? 0 : JSON.parse(stdout).filter((link: object) => 'ifname' in link).length
  }

  const startServer = async (data: string): Promise<void> => {
    const urls = ['--listen-client-urls', `http://${SERVER}:2379`, '--advertise-client-urls', `http://${SERVER}:2379`]
    const words = ['setpriv', '--pdeathsig', 'KILL', 'etcd', '--data-dir', join(folder, data), '--log-level', 'error']
    etcd = started('nsenter', ...enter('alpha'), ...words, ...urls)
    await expect.poll(async () => (await run('beta', 'network', 'ls', '-q')).exit, { timeout: 30_000 }).toBe(0)
  }
  const loseServer = async (data: string): Promise<void> => {
    await etcd?.kill()
    await startServer(data)
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cnm-host-'))
    const [alpha, beta] = [HOSTS.alpha, HOSTS.beta]
    for (const name of [alpha, beta]) {
      await ip('netns', 'add', name)
      await ip('-n', name, 'link', 'set', 'lo', 'up')
    }
    await ip('-n', alpha, 'link', 'add', 'wire', 'type', 'veth', 'peer', 'name', 'wire', 'netns', beta)
    for (const [name, address] of [
      [alpha, SERVER],
      [beta, '192.0.2.2'],
    ] as const) {
      await ip('-n', name, 'address', 'add', `${address}/24`, 'dev', 'wire')
      await ip('-n', name, 'link', 'set', 'wire', 'up')
    }
  })
  afterEach(async () => {
    await etcd?.kill()
    for (const name of [...Object.values(HOSTS), ...Object.values(BOXES)])
      await execa('ip', ['netns', 'delete', name], { reject: false })
    rmSync(folder, { recursive: true, force: true })
  })

  const settle = async (): Promise<void> => {
    await ok('alpha', 'network', 'create', '--scope', 'global', '--subnet', '10.5.0.0/24', 'wide')
    for (const [host, name] of [
      ['alpha', 'web'],
      ['beta', 'db'],
    ] as const) {
      expect(await bridges(host)).toBe(0)
      await ok(host, 'sandbox', 'create', '--netns', BOXES[host], name)
      await ok(host, 'network', 'connect', 'wide', name)
      expect(await bridges(host)).toBe(1)
      expect(await pings(host)).toBe(true)
    }
  }

  needsEtcd('with etcd on one of them', () => {
    test('have the addresses that the store says, and what a hand takes away comes back', {
      timeout: 120_000,
    }, async () => {
      await startServer('first')
      await settle()
      for (const host of ['alpha', 'beta'] as const) {
        const all: ReadonlyArray<{ host: string; addresses: ReadonlyArray<string> }> = JSON.parse(
          await ok(host, 'endpoint', 'ls', '--format', 'json'),
        )
        const { stdout } = await ip('-n', BOXES[host], '-o', '-4', 'address', 'show', 'dev', 'eth0')
        const own = all.filter((each) => each.host === host).flatMap(({ addresses }) => addresses)
        expect([all.length, own.length]).toEqual([2, 1])
        expect(stdout).toContain(` ${own[0]} `)
      }
      const watch = started(
        ...(['nsenter', ...enter('beta'), CNM, 'doctor', '--watch', '--store', URL, '--host', 'beta'] as const),
      )
      try {
        await expect.poll(watch.complaint, { timeout: 20_000 }).toContain('watching')
        await ip('-n', BOXES.beta, 'address', 'flush', 'dev', 'eth0')
        await hears(watch, /^repaired: missing: address .*, of endpoint "db"/)
        expect(await pings('beta')).toBe(true)
      } finally {
        await watch.kill('SIGINT')
      }
      await ok('beta', 'sandbox', 'rm', 'db')
      expect(await bridges('beta')).toBe(0)
      expect(await pings('alpha')).toBe(true)
    })

    test('keep what they have when etcd loses everything, until an export is brought back', {
      timeout: 180_000,
    }, async () => {
      await startServer('first')
      await settle()
      const kept = await ok('alpha', 'store', 'export')
      const watch = started(
        ...(['nsenter', ...enter('alpha'), CNM, 'doctor', '--watch', '--store', URL, '--host', 'alpha'] as const),
      )
      try {
        await expect.poll(watch.complaint, { timeout: 20_000 }).toContain('watching')
        await loseServer('second')
        for (const host of ['beta', 'alpha'] as const) {
          const { exit, err } = await run(host, 'network', 'create', '--scope', 'global', 'other')
          expect([exit, err]).toEqual([1, expect.stringContaining('this machine holds what cnm made by another store')])
          expect(await pings(host)).toBe(true)
        }
        await expect.poll(watch.complaint, { timeout: 40_000 }).toContain('holds what cnm made by another store')
        expect(await pings('alpha')).toBe(true)
      } finally {
        await watch.kill('SIGINT')
      }
      expect(watch.said()).toEqual([])
      await loseServer('third')
      const file = { input: `${kept}\n`, env, extendEnv: false }
      await execa('nsenter', [...enter('alpha'), CNM, 'store', 'import'], file)
      for (const host of ['alpha', 'beta'] as const) {
        expect(await ok(host, 'doctor')).toBe('no differences: the host is as it should be')
        await ok(host, 'endpoint', 'create', 'wide', `new-${host}`)
        expect(await pings(host)).toBe(true)
      }
    })

    test('are emptied after such a loss by "doctor --repair", and by nothing else', { timeout: 120_000 }, async () => {
      await startServer('first')
      await settle()
      await loseServer('second')
      expect((await run('alpha', 'sandbox', 'create', '--netns', `${prefix}-x`, 'x')).exit).toBe(1)
      expect((await run('alpha', 'doctor')).out).toMatch(/surplus/)
      expect(await pings('alpha')).toBe(true)
      await ok('alpha', 'doctor', '--repair')
      expect(await bridges('alpha')).toBe(0)
      expect(await pings('alpha')).toBe(false)
      expect(await pings('beta')).toBe(true)
      await ok('alpha', 'network', 'create', '--scope', 'global', 'other')
    })
  })
})

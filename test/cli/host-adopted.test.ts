// A sandbox in a namespace that somebody else made, on the running kernel: joined, moved, left and found again after SIGKILL; what
// its owner has in it stays as it was.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { TRANSPORTS } from '../kernel-linux/labs.ts'
import { needs } from '../lib/need.ts'
import { ownNamespace, strangersNamespace } from '../lib/own-names.ts'
import { CNM, type Ended } from './cnm.ts'

const prefix = ownNamespace('a')
const namespaces = (): ReadonlyArray<string> =>
  existsSync('/run/netns') ? readdirSync('/run/netns').filter((name) => name.startsWith(prefix)) : []

/** Of the time that a verb takes: when it is killed. */
const SHARES = [0.4, 0.6, 0.7, 0.8, 0.9, 0.95]

/** What an owner may have in it: also a network of another `cnm`, by its looks. */
const THEIRS = `ip link set lo up; ip link add theirs alias cnm:theirs type bridge; ip address add 192.0.2.9/32 dev theirs
ip link add eth7 type veth peer eth8; nft add table inet cnm; sysctl -qw net.ipv4.ip_forward=1`

type Job = Readonly<{ pid: number; path: string; end: () => Promise<void> }>

needs.kernel('a sandbox whose namespace somebody else made', () => {
  const [host, web, job] = [`${prefix}-host`, `${prefix}-web`, `${prefix}-job`]
  const jobs: Job[] = []
  let folder = ''

  const started = async (script = THEIRS, ...flags: ReadonlyArray<string>): Promise<Job> => {
    const child = spawn('unshare', ['--net', ...flags, 'sh', '-ec', `${script}\necho; exec sleep 600`])
    await once(child.stdout, 'data')
    const pid = child.pid ?? 0
    const end = async (): Promise<void> => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    const one = { pid, path: `/proc/${pid}/ns/net`, end }
    jobs.push(one)
    return one
  }

  const inside = async (path: string, ...words: ReadonlyArray<string>): Promise<Ended> => {
    const env = { PATH: process.env['PATH'] ?? '', CNM_STATE: join(folder, 'state') }
    const args = [`--net=${path}`, '--', ...words]
    const ran = await execa('nsenter', args, { env, extendEnv: false, reject: false, stripFinalNewline: false })
    return { exit: ran.exitCode, out: ran.stdout, err: ran.stderr }
  }
  const run = (...args: ReadonlyArray<string>): Promise<Ended> => inside(`/run/netns/${host}`, CNM, ...args)
  const ok = async (...args: ReadonlyArray<string>): Promise<string> => {
    const { exit, out, err } = await run(...args)
    if (exit !== 0 || err !== '') throw new Error(`cnm ${args.join(' ')} ended with ${exit}: ${out}${err}`)
    return out.trim()
  }
  const shell = async (path: string, script: string): Promise<string> => {
    const { exit, out, err } = await inside(path, 'sh', '-e', '-c', script)
    if (exit !== 0) throw new Error(`${script}: ${err}`)
    return out
  }
  const everythingIn = (path: string): Promise<string> =>
    shell(
      path,
      'ip -d link; ip -o address; ip route; ip -6 route; nft list ruleset; sysctl net.ipv4.ip_forward; ip -s -o link show dev theirs',
    )
  const linksIn = async (path: string): Promise<ReadonlyArray<string>> =>
    (await shell(path, 'ip -br link')).split('\n').flatMap((line) => line.split(/[@\s]/)[0] || [])
  const reached = async (to: string): Promise<boolean> =>
    (await inside(`/run/netns/${web}`, 'ping', '-c1', '-W2', to)).exit === 0
  const clean = async (): Promise<void> =>
    expect(await run('doctor')).toMatchObject({ exit: 0, out: 'no differences: the host is as it should be\n' })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cnm-adopted-'))
    await execa('ip', ['netns', 'add', host])
    await ok('network', 'create', '--subnet', '10.1.0.0/24', 'front')
    await ok('sandbox', 'create', '--netns', web, 'web')
    await ok('network', 'connect', '--ip', '10.1.0.2', 'front', 'web')
    await ok('sandbox', 'create', '--external', '--netns', job, 'job')
    await ok('network', 'connect', '--ip', '10.1.0.7', 'front', 'job')
  }, 60_000)
  afterEach(async () => {
    for (const one of jobs.splice(0)) await one.end()
    for (const name of namespaces()) await execa('ip', ['netns', 'delete', name], { reject: false })
    await rm(folder, { recursive: true, force: true })
  }, 60_000)
  afterAll(() => expect(namespaces()).toEqual([]))

  test('is on its networks, and when it is left its owner has everything as before', async () => {
    const { pid, path } = await started()
    const before = await everythingIn(path)
    await ok('sandbox', 'set-key', 'job', `${pid}`)
    expect(namespaces()).toContain(job)
    expect(await linksIn(path)).toEqual(expect.arrayContaining(['eth0', 'theirs', 'eth7']))
    expect(await reached('10.1.0.7')).toBe(true)
    await clean()

    await ok('network', 'disconnect', 'front', 'job')
    expect(await linksIn(path)).not.toContain('eth0')
    await clean()
    await ok('network', 'connect', '--ip', '10.1.0.8', 'front', 'job')
    expect(await reached('10.1.0.8')).toBe(true)

    await execa('ip', ['netns', 'delete', job])
    await ok('doctor', '--repair')
    expect(await reached('10.1.0.8')).toBe(true)
    await clean()

    await ok('sandbox', 'rm', 'job')
    expect(namespaces()).not.toContain(job)
    expect(await everythingIn(path)).toBe(before)
    expect(await shell(`/run/netns/${host}`, 'ip -br link show type veth')).toMatch(/^veth\S+ [^\n]*\n$/)
    await clean()
  }, 60_000)

  test('is told of by any path to it, and lives as long as the sandbox', async () => {
    const hidden = join(folder, 'hidden')
    await mkdir(hidden)
    const { pid, end } = await started(
      `mount -t tmpfs none ${hidden}; touch ${hidden}/x; mount --bind /proc/self/ns/net ${hidden}/x`,
      ...['--mount', '--propagation', 'private'],
    )
    await ok('sandbox', 'set-key', 'job', `/proc/${pid}/root${hidden}/x`)
    await end()
    expect(await reached('10.1.0.7')).toBe(true)
    await clean()
    await ok('sandbox', 'rm', 'job')
    expect(namespaces()).not.toContain(job)
    await clean()
  }, 60_000)

  test.each(TRANSPORTS)(
    'may have a name of its owner’s: seen through %s it is ours by ours',
    async (transport) => {
      const theirs = strangersNamespace('a-theirs')
      await execa('ip', ['netns', 'add', theirs])
      try {
        await ok('sandbox', 'set-key', '--transport', transport, 'job', `/run/netns/${theirs}`)
        expect(await run('doctor', '--transport', transport)).toMatchObject({ exit: 0, err: '' })
        expect(await reached('10.1.0.7')).toBe(true)
        await ok('sandbox', 'rm', '--transport', transport, 'job')
        expect(await linksIn(`/run/netns/${theirs}`)).toEqual(['lo'])
      } finally {
        await execa('ip', ['netns', 'delete', theirs])
      }
    },
    60_000,
  )

  test('is another when it is told anew, and the same when that cannot be', async () => {
    const [one, other] = [await started(), await started()]
    const before = await everythingIn(one.path)
    await ok('sandbox', 'set-key', 'job', one.path)
    for (const [place, why] of [
      [`/proc/${2 ** 22 + 1}/ns/net`, 'ENOENT (there is no /proc/'],
      ['/etc/passwd', 'EINVAL (/etc/passwd is no namespace)'],
      [`/run/netns/${web}`, `EEXIST (/run/netns/${web} is the namespace ${web} already)`],
      [`/run/netns/${host}`, `EEXIST (/run/netns/${host} is the host's own namespace)`],
    ] as const) {
      const { exit, err } = await run('sandbox', 'set-key', 'job', place)
      expect([exit, err]).toEqual([3, expect.stringContaining(why)])
      expect(await reached('10.1.0.7')).toBe(true)
      await clean()
    }
    await ok('sandbox', 'set-key', 'job', other.path)
    expect(await everythingIn(one.path)).toBe(before)
    expect(await linksIn(other.path)).toContain('eth0')
    expect(await reached('10.1.0.7')).toBe(true)
    await clean()
  }, 60_000)

  test('is as it should be after a verb was killed at any moment, once the next one has run', async () => {
    const { path } = await started()
    const before = await everythingIn(path)
    const start = performance.now()
    await ok('sandbox', 'set-key', 'job', path)
    const tookMs = performance.now() - start
    await ok('sandbox', 'rm', 'job')
    for (const share of SHARES) {
      for (const words of [
        ['sandbox', 'create', '--external', '--netns', job, 'job'],
        ['network', 'connect', '--ip', '10.1.0.7', 'front', 'job'],
        ['sandbox', 'set-key', 'job', path],
        ['sandbox', 'rm', 'job'],
      ]) {
        const after = ((tookMs * share) / 1000).toFixed(3)
        await inside(`/run/netns/${host}`, 'timeout', '-s', 'KILL', after, CNM, ...words)
        const { exit, err } = await run('doctor', '--repair')
        expect([exit, err]).toEqual([0, ''])
        await clean()
        const [known] = JSON.parse(await ok('sandbox', 'ls', '--format', 'json', '-f', 'name=job'))
        const joined = known !== undefined && known.key !== null
        expect(namespaces().includes(job)).toBe(joined)
        if (!joined) expect(await everythingIn(path)).toBe(before)
        else expect(await linksIn(path)).toContain('theirs')
        // Killed before it was in the store: it is done for the next verb to be killed in.
        await run(...words)
      }
      expect(await everythingIn(path)).toBe(before)
    }
  }, 240_000)
})

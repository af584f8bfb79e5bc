// The verbs of a host on the running kernel: in a namespace that plays the host, with sandboxes whose namespaces have names of
// their own, so that nothing here meets the machine's or another test's. What is made is real: packets pass.

import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../lib/need.ts'
import { asNobody } from '../lib/nobody.ts'
import { ownNamespace } from '../lib/own-names.ts'
import { CNM, type Ended } from './cnm.ts'

const prefix = ownNamespace('h')
const namespaces = (): ReadonlyArray<string> =>
  existsSync('/run/netns') ? readdirSync('/run/netns').filter((name) => name.startsWith(prefix)) : []

/** Namespaces that processes still use lose their name at once. */
const removeNamespaces = (): Promise<unknown> =>
  Promise.all(namespaces().map((name) => execa('ip', ['netns', 'delete', name], { reject: false })))

/** Of the time that a verb takes: when it is killed. */
const SHARES = [0.5, 0.7, 0.8, 0.9]

type Ran = Ended & Readonly<{ signal: string | undefined }>

needs.kernel('the verbs of a host on the running kernel', () => {
  const host = `${prefix}-host`
  const web = `${prefix}-web`
  const db = `${prefix}-db`
  let folder = ''

  /** In the host's namespace; unlike ip-netns(8), nsenter(1) leaves the mounts alone, below which namespaces get names. */
  const inside = async (...words: ReadonlyArray<string>): Promise<Ran> => {
    const env = { PATH: process.env['PATH'] ?? '', CNM_STATE: join(folder, 'state') }
    const args = [`--net=/run/netns/${host}`, '--', ...words]
    const ran = await execa('nsenter', args, { env, extendEnv: false, reject: false, stripFinalNewline: false })
    return { exit: ran.exitCode, out: ran.stdout, err: ran.stderr, signal: ran.signal }
  }
  const run = (...args: ReadonlyArray<string>): Promise<Ran> => inside(CNM, ...args)
  const ok = async (...args: ReadonlyArray<string>): Promise<string> => {
    const { exit, out, err } = await run(...args)
    if (exit !== 0 || err !== '') throw new Error(`cnm ${args.join(' ')} ended with ${exit}: ${out}${err}`)
    return out.trim()
  }
  const shell = async (script: string): Promise<string> => {
    const { exit, out, err } = await inside('sh', '-e', '-c', script)
    if (exit !== 0) throw new Error(`${script}: ${err}`)
    return out
  }
  const hostState = (): Promise<string> =>
    shell(
      'ip -o link | sed "s/@.*//"; ip -o address | sed "s/ tentative//"; ip route; nft list ruleset; sysctl net.ipv4.ip_forward',
    )
  const reaches = async (from: string, to: string): Promise<boolean> =>
    (await execa('ip', ['netns', 'exec', from, 'ping', '-c1', '-W2', to], { reject: false })).exitCode === 0
  const clean = async (): Promise<void> =>
    expect(await run('doctor')).toMatchObject({
      exit: 0,
      out: 'no differences: the host is as it should be\n',
      err: '',
    })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cnm-host-'))
    await execa('ip', ['netns', 'add', host])
    await shell('ip link set lo up')
  })
  afterEach(async () => {
    await removeNamespaces()
    await rm(folder, { recursive: true, force: true })
  })
  afterAll(() => expect(namespaces()).toEqual([]))

  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const start = performance.now()
    await work()
    return performance.now() - start
  }
  const killedAfter = (ms: number, ...args: ReadonlyArray<string>): Promise<Ran> =>
    inside('timeout', '-s', 'KILL', (ms / 1000).toFixed(3), CNM, ...args)

  /** A network with two sandboxes that reach each other. */
  const build = async (): Promise<void> => {
    await ok('network', 'create', '--subnet', '10.1.0.0/24', 'front')
    await ok('sandbox', 'create', '--netns', web, 'web')
    await ok('sandbox', 'create', '--netns', db, 'db')
    await ok('network', 'connect', '--ip', '10.1.0.2', 'front', 'web')
    await ok('network', 'connect', '--ip', '10.1.0.3', 'front', 'db')
    expect(await reaches(web, '10.1.0.3')).toBe(true)
  }
  /** The host's end of web's cable. */
  const cable = async (): Promise<string> => {
    const [endpoint] = JSON.parse(await ok('endpoint', 'ls', '--format', 'json', '-f', 'sandbox=web'))
    return `veth${endpoint.id.slice(0, 11)}`
  }

  test('a life: made, used, broken by hand, repaired, taken away without a trace', async () => {
    const before = await hostState()
    await build()
    await clean()

    await shell(`ip link delete dev ${await cable()}`)
    expect(await reaches(web, '10.1.0.3')).toBe(false)
    const found = await run('doctor')
    expect([found.exit, found.err]).toEqual([1, 'note: "cnm doctor --repair" puts this right\n'])
    expect(found.out).toMatch(/^missing +link veth\S+ of the host \(and \d+ that depend on it\) +endpoint "web"$/m)
    const { differences } = JSON.parse((await run('doctor', '--json')).out)
    expect(differences.every(({ state }: { state: string }) => state === 'missing')).toBe(true)
    expect(await reaches(web, '10.1.0.3')).toBe(false)

    expect(await ok('doctor', '--repair')).toMatch(/; repaired$/)
    await clean()
    expect(await reaches(web, '10.1.0.3')).toBe(true)

    await ok('network', 'disconnect', 'front', 'db')
    expect(await reaches(web, '10.1.0.3')).toBe(false)
    await ok('sandbox', 'rm', 'web', 'db')
    await ok('network', 'rm', 'front')
    expect(namespaces()).toEqual([host])
    expect(await hostState()).toBe(before)
  }, 60_000)

  test('doctor tells what is changed and surplus, and repairs both', async () => {
    await build()
    const bridge = `br-${(await ok('network', 'ls', '-q', '--no-trunc')).slice(0, 12)}`
    await shell(`ip link set dev ${bridge} mtu 1400; ip -n ${web} address add 192.0.2.1/32 dev eth0`)
    const { exit, out } = await run('doctor')
    expect(exit).toBe(1)
    expect(out).toMatch(new RegExp(`^changed +link ${bridge} of the host +network "front"$`, 'm'))
    expect(out).toMatch(new RegExp(`^surplus +address 192.0.2.1/32 on eth0 of ${web} +-$`, 'm'))
    await ok('doctor', '--repair')
    await clean()
  }, 60_000)

  test('what is foreign under a name of ours is told, never touched, and stops a repair', async () => {
    await build()
    const name = await cable()
    await shell(`ip link delete dev ${name}; ip link add ${name} type bridge`)
    for (const args of [['doctor'], ['doctor', '--repair']]) {
      const { exit, out, err } = await run(...args)
      expect([exit, err]).toEqual([1, expect.stringContaining('rename or remove it by hand')])
      expect(out).toMatch(new RegExp(`^foreign +link ${name} of the host.* +endpoint "web"$`, 'm'))
      expect(await shell(`ip -d link show ${name}`)).toContain(' bridge ')
    }
    await shell(`ip link delete dev ${name}`)
    await ok('doctor', '--repair')
    expect(await reaches(web, '10.1.0.3')).toBe(true)
  }, 60_000)

  test('a published port is open to the host', async () => {
    await ok('network', 'create', '--subnet', '10.1.0.0/24', 'front')
    await ok('sandbox', 'create', '--netns', web, '-p', '8080:80', 'web')
    await ok('network', 'connect', 'front', 'web')
    const listener = "require('net').createServer((s) => s.end('hello')).listen(80, () => console.log('up'))"
    const server = execa('ip', ['netns', 'exec', web, process.execPath, '-e', listener], { reject: false })
    try {
      await new Promise((resolve) => server.stdout?.once('data', resolve))
      const ask = "require('net').connect(8080, '10.1.0.1').on('data', (d) => console.log(String(d)))"
      expect((await inside(process.execPath, '-e', ask)).out).toBe('hello\n')
    } finally {
      server.kill('SIGKILL')
      await server
    }
  })

  test('a verb that is killed at any moment is done, or not at all, once the next one has run', async () => {
    await build()
    const tookMs = await timed(() => ok('network', 'create', 'whole'))
    for (const share of SHARES) {
      await killedAfter(tookMs * share, 'network', 'create', `k${share}`)
      const { exit, err } = await run('doctor', '--repair')
      expect([exit, err]).toEqual([0, ''])
      await clean()
    }
    const names = JSON.parse(await ok('network', 'ls', '--format', 'json')).map(({ name }: { name: string }) => name)
    const bridges = (await shell('ip -o link show type bridge')).split('\n').filter((line) => line !== '')
    expect(bridges).toHaveLength(names.length)
    expect(await reaches(web, '10.1.0.3')).toBe(true)
  }, 120_000)

  test('a removal that is killed at any moment leaves nothing of what the store has forgotten', async () => {
    const before = await hostState()
    for (const name of [...SHARES, 'whole']) await ok('sandbox', 'create', '--netns', `${prefix}-s${name}`, `s${name}`)
    await ok('network', 'create', 'front')
    const tookMs = await timed(() => ok('sandbox', 'rm', 'swhole'))
    for (const share of SHARES) {
      await killedAfter(tookMs * share, 'sandbox', 'rm', `s${share}`)
      await ok('doctor', '--repair')
      await clean()
      const known = JSON.parse(await ok('sandbox', 'ls', '--format', 'json')).map(
        (each: { netns: string }) => each.netns,
      )
      expect([...namespaces()].sort()).toEqual([host, ...known].sort())
    }
    const rest = JSON.parse(await ok('sandbox', 'ls', '--format', 'json')).map((each: { name: string }) => each.name)
    if (rest.length > 0) await ok('sandbox', 'rm', ...rest)
    await ok('network', 'rm', 'front')
    expect(await hostState()).toBe(before)
  }, 120_000)

  /** As the terminal does: for all that runs there. */
  const interruptedAfter = async (ms: number, ...args: ReadonlyArray<string>): Promise<Ran> => {
    const env = { PATH: process.env['PATH'] ?? '', CNM_STATE: join(folder, 'state') }
    const words = [`--net=/run/netns/${host}`, '--', CNM, ...args]
    const running = execa('nsenter', words, { env, extendEnv: false, reject: false, detached: true })
    const timer = setTimeout(() => running.pid !== undefined && process.kill(-running.pid, 'SIGINT'), ms)
    const { exitCode, stdout, stderr, signal } = await running
    clearTimeout(timer)
    return { exit: exitCode, out: stdout, err: stderr, signal }
  }

  test('Ctrl-C at any moment leaves nothing by half, and nothing to repair', async () => {
    await build()
    const struckAfter = async (ms: number, name: string): Promise<number | undefined> => {
      const { exit, out, err, signal } = await interruptedAfter(ms, 'network', 'create', name)
      expect([0, 130, undefined]).toContain(exit)
      // A tool that has just been started may still be in reach; then the verb is refused, and taken back.
      if (exit === 130) expect(err).toMatch(/^(cnm: Unavailable: .*\n)?cnm: stopped; nothing is left by half, .*$/)
      if (exit === undefined) expect(signal).toBe('SIGINT')
      const made = await ok('network', 'ls', '-q', '-f', `name=${name}`)
      expect(made !== '').toBe(out !== '')
      await clean()
      return exit
    }
    const tookMs = await timed(() => ok('network', 'create', 'whole'))
    for (const share of SHARES) await struckAfter(tookMs * share, `i${share}`)
    // It must be met at work once: not before it listens, nor when it is done.
    let ms = tookMs * 0.8
    let exit: number | undefined
    for (let n = 0; n < 20 && exit !== 130; n++) {
      exit = await struckAfter(ms, `at${n}`)
      ms *= exit === undefined ? 1.15 : 0.85
    }
    expect(exit).toBe(130)
    expect(await reaches(web, '10.1.0.3')).toBe(true)
  }, 120_000)

  test('the packets of a sandbox are counted at its interfaces, and a missing one is told', async () => {
    await build()
    type Traffic = Record<'packets' | 'bytes' | 'errors' | 'dropped', number>
    const stats = async (): Promise<ReadonlyArray<Readonly<Record<'rx' | 'tx', Traffic>>>> => {
      const told = JSON.parse(await ok('sandbox', 'stats', '--format', 'json', 'web', 'db'))
      const eth0 = { interface: 'eth0', network: 'front' }
      expect(told).toMatchObject([
        { name: 'web', netns: web, interfaces: [eth0] },
        { name: 'db', netns: db, interfaces: [eth0] },
      ])
      return told.map(({ interfaces }: { interfaces: ReadonlyArray<unknown> }) => interfaces[0])
    }
    const before = await stats()
    await execa('ip', ['netns', 'exec', web, 'ping', '-qn', '-c5', '-i0.1', '-s100', '10.1.0.3'])
    const after = await stats()
    for (const way of ['rx', 'tx'] as const)
      after.forEach((now, i) => {
        // Besides the echoes, of 142 bytes each, a neighbour may be asked for and a group be joined.
        const packets = now[way].packets - (before[i]?.[way].packets ?? 0)
        expect(packets).toBeGreaterThanOrEqual(5)
        expect(packets).toBeLessThan(5 + 10)
        expect(now[way].bytes - (before[i]?.[way].bytes ?? 0)).toBeGreaterThanOrEqual(5 * 142)
        expect([now[way].errors, now[way].dropped]).toEqual([0, 0])
      })

    const missing =
      'cnm: NotFound: interface "eth0" of sandbox "web" is not there; "cnm doctor" shows what else differs\n'
    await shell(`ip link delete dev ${await cable()}`)
    const told = await run('sandbox', 'stats')
    expect([told.exit, told.err]).toEqual([1, missing])
    expect(told.out).toMatch(/^db +eth0 +front +\d/m)
    await execa('ip', ['netns', 'delete', web])
    expect(await run('sandbox', 'stats', 'web')).toMatchObject({ exit: 1, err: missing })
  }, 60_000)

  test('what is there is left there by verbs that only look, and by dry runs', async () => {
    await build()
    await shell(`ip link delete dev ${await cable()}`)
    const before = await hostState()
    for (const args of [
      ['network', 'ls'],
      ['sandbox', 'inspect', 'web'],
      ['sandbox', 'stats', 'db'],
      ['events'],
      ['network', 'create', '--dry-run', 'new'],
      ['sandbox', 'rm', '--dry-run', 'web'],
      ['store', 'check'],
    ])
      await ok(...args)
    expect(await hostState()).toBe(before)
  }, 60_000)

  test('a namespace that is there already is somebody else’s', async () => {
    await execa('ip', ['netns', 'add', web])
    const { exit, err } = await run('sandbox', 'create', '--netns', web, 'web')
    expect([exit, err]).toEqual([3, expect.stringMatching(/^cnm: Internal: the kernel refused "ip netns add /)])
    expect(namespaces()).toContain(web)
    expect(JSON.parse(await ok('sandbox', 'ls', '--format', 'json'))).toEqual([])
  })

  describe('without root', () => {
    const nobody = (...args: ReadonlyArray<string>): Promise<Ran> => inside(...asNobody(CNM, ...args))

    test('it says in one sentence what is missing, with status 3, and begins nothing', async () => {
      for (const args of [['network', 'create', 'a'], ['doctor']]) {
        const { exit, out, err } = await nobody(...args)
        expect([exit, out]).toEqual([3, ''])
        expect(err).toMatch(/^cnm: this user may not change the networks of this machine; run it as root.*\n$/)
      }
      expect(existsSync(join(folder, 'state'))).toBe(false)
    })
  })
})

// cnm doctor --watch on the running kernel: what a hand changes is put right, what is somebody else's is left alone, and other verbs
// work as ever beside it. The host is a namespace of the test's own.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { settleMs } from '../../src/cli/commands/watch.ts'
import { bellOf } from '../../src/cli/host/bell.ts'
import { needs } from '../lib/need.ts'
import { ownNamespace } from '../lib/own-names.ts'
import { wait } from '../lib/victim.ts'
import { CNM, cnm, type Ended } from './cnm.ts'

/** What is promised; and how long a test waits where the machine is busy. */
const WITHIN_MS = 2000
const PATIENCE_MS = 20_000
const FOREVER = new AbortController().signal

describe('a bell', () => {
  test('wakes who waits, at once who comes too late, and after it was stilled nobody', async () => {
    const bell = bellOf()
    const waiting = bell.wait(PATIENCE_MS, FOREVER)
    bell.ring()
    await waiting
    await bell.wait(PATIENCE_MS, FOREVER)
    bell.still()
    const start = performance.now()
    await bell.wait(20, FOREVER)
    expect(performance.now() - start).toBeGreaterThan(15)
  })

  test('lets go when the work is stopped', async () => {
    const stop = new AbortController()
    const waiting = bellOf().wait(PATIENCE_MS, stop.signal)
    stop.abort()
    await waiting
    await bellOf().wait(PATIENCE_MS, stop.signal)
  })
})

test('pauses double with each repair that follows a repair, up to the time between looks', () => {
  expect([0, 1, 2, 5, 10, 1000].map((repairs) => settleMs(repairs, 30_000))).toEqual([
    50, 100, 200, 1600, 30_000, 30_000,
  ])
})

test.each([
  [['--kernel', 'sim'], '--watch is for the kernel of this machine: nothing changes on a simulated one'],
  [['--repair'], "option '--watch' cannot be used with option '--repair'"],
  [
    ['--every', '0'],
    "option '--every <seconds>' argument '0' is invalid. It is a whole number of seconds, from 1 to 99999.",
  ],
])('cnm doctor --watch %j is refused', async (args, sentence) => {
  const { exit, out, err } = await cnm(['doctor', '--watch', ...args])
  expect([exit, out]).toEqual([2, ''])
  expect(err).toContain(`cnm: ${sentence}\n`)
})

needs.kernel('cnm doctor --watch', () => {
  const host = ownNamespace('watch-host')
  const web = ownNamespace('watch-web')
  const db = ownNamespace('watch-db')
  let folder = ''
  let bridge = ''
  let cable = ''

  const env = () => ({ PATH: process.env['PATH'] ?? '', CNM_STATE: join(folder, 'state') })
  const words = (...rest: ReadonlyArray<string>): ReadonlyArray<string> => [`--net=/run/netns/${host}`, '--', ...rest]
  const run = async (...args: ReadonlyArray<string>): Promise<Ended> => {
    const options = { env: env(), extendEnv: false, reject: false, stripFinalNewline: false } as const
    const ran = await execa('nsenter', words(...args), options)
    return { exit: ran.exitCode, out: ran.stdout, err: ran.stderr }
  }
  const ok = async (...args: ReadonlyArray<string>): Promise<string> => {
    const { exit, out, err } = await run(CNM, ...args)
    if (exit !== 0 || err !== '') throw new Error(`cnm ${args.join(' ')} ended with ${exit}: ${out}${err}`)
    return out.trim()
  }
  const shell = async (script: string): Promise<string> => {
    const { exit, out, err } = await run('sh', '-e', '-c', script)
    if (exit !== 0) throw new Error(`${script}: ${err}`)
    return out
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cnm-watch-'))
    await execa('ip', ['netns', 'add', host])
    await shell('ip link set lo up')
    const id = await ok('network', 'create', '--subnet', '10.1.0.0/24', 'front')
    await ok('sandbox', 'create', '--netns', web, '-p', '8080:80', 'web')
    await ok('network', 'connect', '--ip', '10.1.0.2', 'front', 'web')
    const [endpoint] = JSON.parse(await ok('endpoint', 'ls', '--format', 'json'))
    bridge = `br-${id.slice(0, 12)}`
    cable = `veth${endpoint.id.slice(0, 11)}`
  }, 60_000)

  type Watching = Readonly<{
    lines: () => ReadonlyArray<string>
    complaints: () => string
    /** The lines that come, once there are some, and how long that took. */
    after: (script: string) => Promise<ReadonlyArray<string>>
    end: (signal: NodeJS.Signals) => Promise<number | null>
  }>
  const running = new Set<() => Promise<unknown>>()
  const repairedMs: number[] = []

  const start = async (...args: ReadonlyArray<string>): Promise<Watching> => {
    const child = spawn('nsenter', words(CNM, 'doctor', '--watch', ...args), {
      env: env(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = once(child, 'close')
    let [out, err] = ['', '']
    child.stdout.on('data', (data) => {
      out += data
    })
    child.stderr.on('data', (data) => {
      err += data
    })
    const end = async (signal: NodeJS.Signals): Promise<number | null> => {
      running.delete(stop)
      child.kill(signal)
      return (await ended)[0]
    }
    const stop = () => end('SIGKILL')
    running.add(stop)
    await expect.poll(() => err, { timeout: PATIENCE_MS }).toBe('watching this host; Ctrl-C ends it\n')
    const lines = () => out.split('\n').slice(0, -1)
    const after = async (script: string): Promise<ReadonlyArray<string>> => {
      const seen = lines().length
      await shell(script)
      const struck = performance.now()
      await expect.poll(() => lines().length, { timeout: PATIENCE_MS, interval: 10 }).toBeGreaterThan(seen)
      repairedMs.push(performance.now() - struck)
      return lines().slice(seen)
    }
    return { lines, complaints: () => err, after, end }
  }
  afterEach(async () => {
    for (const stop of [...running]) await stop()
  })
  afterAll(async () => {
    for (const name of [host, web, db]) await execa('ip', ['netns', 'delete', name], { reject: false })
    await rm(folder, { recursive: true, force: true })
  })

  const settled = async (): Promise<void> => {
    expect(await ok('doctor')).toBe('no differences: the host is as it should be')
  }

  test('puts right what a hand changes, says it in a line each, and leaves alone what is somebody else’s', async () => {
    await shell(
      'ip link add name mine0 type bridge; ip address add 192.0.2.1/24 dev mine0; nft "add table inet mine; add chain inet mine c"',
    )
    const foreign = () => shell('ip -o address show dev mine0; nft list table inet mine')
    const before = await foreign()
    const watch = await start('--every', '3600')

    expect(await watch.after(`ip address delete 10.1.0.1/24 dev ${bridge}`)).toEqual([
      `repaired: missing: address 10.1.0.1/24 on ${bridge} of the host, of network "front"`,
    ])
    const [element = ''] = await watch.after(`nft delete element inet cnm bridges '{ "${bridge}" }'`)
    expect(element).toMatch(/^repaired: missing: .*bridges.*, of network "front"$/)
    expect(await watch.after('nft delete table inet cnm')).toEqual([
      expect.stringMatching(
        /^repaired: missing: firewall table of the host \(and \d+ that depend on it\), of network "front"/,
      ),
    ])
    expect(await watch.after(`ip link set dev ${cable} down`)).toEqual([
      `repaired: changed: link ${cable} of the host, of endpoint "web"`,
    ])
    // A namespace that the host knows by a number only.
    expect(await watch.after(`ip -n ${web} address add 192.0.2.9/32 dev eth0`)).toEqual([
      `repaired: surplus: address 192.0.2.9/32 on eth0 of ${web}`,
    ])
    const [link = ''] = await watch.after(`ip link delete dev ${bridge}`)
    expect(link).toMatch(new RegExp(`^repaired: missing: link ${bridge} of the host \\(and \\d+ that depend`))

    await settled()
    expect(await foreign()).toBe(before)
    expect([...repairedMs].sort((a, b) => a - b)[repairedMs.length >> 1]).toBeLessThan(WITHIN_MS)
    expect(await watch.end('SIGINT')).toBe(130)
    expect(watch.complaints()).toBe('watching this host; Ctrl-C ends it\n')
    await shell('ip link delete dev mine0; nft delete table inet mine')
  }, 120_000)

  test('other verbs work beside it, one after the other, and it says nothing of what they do', async () => {
    const watch = await start('--every', '1')
    for (const n of [1, 2, 3]) {
      await ok('sandbox', 'create', '--netns', db, `db${n}`)
      await ok('network', 'connect', 'front', `db${n}`)
      await ok('sandbox', 'rm', `db${n}`)
    }
    await settled()
    expect(watch.lines()).toEqual([])
    expect(await watch.end('SIGTERM')).toBe(143)
  }, 120_000)

  test('looks by itself, now and then, for what the kernel does not tell', async () => {
    const watch = await start('--every', '1')
    expect(await watch.after('sysctl -qw net.ipv4.ip_forward=0')).toEqual([
      'repaired: changed: sysctl net.ipv4.ip_forward=1 of the host, of network "front"',
    ])
    await settled()
  }, 60_000)

  test('does not quarrel: what is changed again and again is repaired after ever longer pauses', async () => {
    const watch = await start('--every', '4')
    const change = `ip address delete 10.1.0.1/24 dev ${bridge} 2>/dev/null || true; sleep 0.01`
    await watch.after(`end=$(($(date +%s) + 4)); while [ $(date +%s) -lt $end ]; do ${change}; done`)
    // Pauses of 0.1 s, 0.2 s, 0.4 s, 0.8 s, 1.6 s, 3.2 s.
    expect(watch.lines().length).toBeLessThan(9)
    await expect.poll(async () => (await run(CNM, 'doctor')).exit, { timeout: PATIENCE_MS }).toBe(0)
    const end = watch.lines().length
    await wait(1000)
    expect(watch.lines()).toHaveLength(end)
  }, 60_000)

  test('--json says every difference in a line of its own', async () => {
    const watch = await start('--json', '--every', '3600')
    const lines = (await watch.after(`ip address delete 10.1.0.1/24 dev ${bridge}`)).map((line) => JSON.parse(line))
    expect(lines).toEqual([
      {
        event: 'repaired',
        state: 'missing',
        key: expect.stringContaining('10.1.0.1'),
        object: `address 10.1.0.1/24 on ${bridge} of the host`,
        owners: 'network "front"',
        follows: null,
      },
    ])
  }, 60_000)

  test('what is foreign under a name of ours stops a repair, is told once, and once it is gone all is repaired', async () => {
    const watch = await start('--every', '1')
    // By one process: a repair takes no longer than another one's start.
    const steal = [
      `link delete dev ${cable}`,
      `link add name ${cable} type bridge`,
      `address add 192.0.2.7/32 dev ${bridge}`,
    ]
    await watch.after(`printf '%s\\n' ${steal.map((line) => `'${line}'`).join(' ')} | ip -batch -`)
    const inTheWay = expect.stringMatching(
      new RegExp(
        `^not repaired: foreign: link ${cable} of the host.*, of endpoint "web"; rename or remove it by hand$`,
      ),
    )
    // The cable may have been looked for before the other took its name; what is in the way is told by the look after that.
    await expect.poll(() => watch.lines().at(-1), { timeout: PATIENCE_MS }).toEqual(inTheWay)
    await wait(1500)
    expect(watch.lines().filter((line) => line.startsWith('not repaired'))).toHaveLength(1)
    expect(await shell(`ip -d link show ${cable}`)).toContain(' bridge ')
    const repaired = await watch.after(`ip link delete dev ${cable}`)
    expect(repaired.join('\n')).toContain(`repaired: missing: link ${cable} of the host`)
    await settled()
  }, 60_000)
})

// Without root: as a user who may do nothing on this machine, in a user namespace of his own. The same answers, and nothing left:
// what is made there cannot even be seen from outside.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { composeOf } from '../../bench/lib/compose-100.ts'
import { withinWords } from '../../src/cli/rootless.ts'
import { gate, type Missing, needs } from '../lib/need.ts'
import { asNobody, NOBODY } from '../lib/nobody.ts'
import { ownProject } from '../lib/own-names.ts'
import { ROOT } from '../lib/source.ts'
import { CNM, cnm, type Ended, EXAMPLES, example, folderWith, namespacesOfLabs } from './cnm.ts'

describe('the command line within', () => {
  test.each([
    ['run --rootless a.yaml', 'run --kernel linux a.yaml'],
    ['check --json --rootless --kernel linux a.yaml', 'check --kernel linux --json --kernel linux a.yaml'],
    ['run --rootless -- --rootless', 'run --kernel linux -- --rootless'],
  ])('of "cnm %s" is "cnm %s"', (said, within) => {
    expect(withinWords(said.split(' '))).toEqual(within.split(' '))
  })
})

test.each([
  [['run', '--rootless', '--kernel', 'sim', 'a.yaml'], '--rootless needs the kernel of this machine, not --kernel sim'],
  [['run', '--rootless', '--keep', 'a.yaml'], "option '--keep' cannot be used with option '--rootless'"],
])('cnm %j is refused', async (args, sentence) => {
  const { exit, out, err } = await cnm(args)
  expect([exit, out]).toEqual([2, ''])
  expect(err).toContain(`cnm: ${sentence}\n`)
})

/** Null: a user without rights can start this checkout's command in a user namespace of his own. */
const missingRootless = (): Missing => {
  const trial = (...words: ReadonlyArray<string>) => {
    const [program, ...args] = asNobody(...words)
    return spawnSync(program, args, { encoding: 'utf8', env: { PATH: process.env['PATH'] } })
  }
  if (trial(process.execPath, '-e', `fs.accessSync('${CNM}')`).status !== 0)
    return `a checkout and a node that every user may read (not ${ROOT} with ${process.execPath})`
  const { status, stderr } = trial('unshare', '--user', '--map-root-user', '--net', '--mount', 'true')
  return status === 0 ? null : `user namespaces (${stderr.trim()})`
}
/** Looked at only where the kernel may be used at all. */
const needsRootless = (body: () => void): void =>
  needs.kernel('cnm without root', () => gate(missingRootless)('in a user namespace', body))

needsRootless(() => {
  const project = ownProject
  let home = ''
  let folder = ''
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'cnm-home-'))
    await chown(home, NOBODY, NOBODY)
    folder = await folderWith({ 'big.yaml': composeOf(30, 6) })
    chmodSync(folder, 0o755)
    // The bundle is built by who may write it.
    await cnm(['--version'])
  })
  afterAll(async () => {
    await rm(home, { recursive: true })
    await rm(folder, { recursive: true })
  })

  const env = () => ({ PATH: process.env['PATH'] ?? '', HOME: home })
  const nobody = async (...words: ReadonlyArray<string>): Promise<Ended> => {
    const [program, ...args] = asNobody(...words)
    const ran = await execa(program, args, {
      cwd: ROOT,
      env: env(),
      extendEnv: false,
      reject: false,
      stripFinalNewline: false,
    })
    return { exit: ran.exitCode, out: ran.stdout, err: ran.stderr }
  }
  /** What a run could leave, as seen from outside; namespaces of other tests come and go meanwhile. */
  const machine = async (): Promise<string> =>
    (await execa('sh', ['-c', 'ip -o link; nft list ruleset; grep -v netns /proc/self/mounts; ls /run'])).stdout
  const processes = (): ReadonlyArray<string> =>
    readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid)) return false
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(project)
      } catch {
        return false
      }
    })

  test.each(EXAMPLES)('runs %s, and the answers are those of the simulation', async (name) => {
    const before = await machine()
    const args = ['run', '--json', '-p', project, example(name)]
    const [sim, real] = await Promise.all([cnm(args), nobody(CNM, ...args, '--rootless')])
    expect([real.exit, real.err]).toEqual([0, ''])
    expect(real.out).toBe(sim.out)
    expect(await machine()).toBe(before)
    expect(processes()).toEqual([])
  })

  test.each(EXAMPLES)('checks all expectations of %s, with its status', async (name) => {
    const args = ['check', '-p', project, example(name)]
    const [sim, real] = await Promise.all([cnm(args), nobody(CNM, ...args, '--rootless')])
    expect(real).toEqual(sim)
  })

  test('works as root too, and then out of the sight of this machine', async () => {
    const args = ['check', '-p', project, example('two-tier')]
    expect(await cnm([...args, '--rootless'])).toEqual(await cnm(args))
    expect(namespacesOfLabs(project)).toEqual([])
  })

  describe('leaves nothing', () => {
    const start = () => {
      const [program, ...words] = asNobody(CNM, 'run', '--rootless', '--json', '-p', project, join(folder, 'big.yaml'))
      const child = spawn(program, words, {
        cwd: ROOT,
        env: env(),
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let err = ''
      child.stderr.on('data', (text) => (err += text))
      child.stdout.resume()
      return { child, ended: once(child, 'exit'), said: () => err }
    }
    /** The names that it has given, through the eyes of one of its processes. */
    const namesWithin = (): number =>
      Math.max(
        0,
        ...processes().map((pid) => {
          try {
            return readdirSync(`/proc/${pid}/root/run/netns`).filter((name) =>
              name.includes(project.replaceAll('-', '.')),
            ).length
          } catch {
            return 0
          }
        }),
      )
    const gone = () => expect.poll(processes, { timeout: 10_000 }).toEqual([])

    test.each([
      ['Ctrl-C in a terminal, which all hear', -1, 'SIGINT', 130],
      ['SIGTERM', 1, 'SIGTERM', 143],
    ] as const)('after %s', async (_, whom, signal, status) => {
      const { child, ended, said } = start()
      await expect.poll(namesWithin, { timeout: 20_000 }).toBeGreaterThan(0)
      process.kill(whom * (child.pid ?? Number.NaN), signal)
      expect(await ended).toEqual([status, null])
      expect(said()).toBe('cnm: stopped; nothing is left behind\n')
      await gone()
    })

    test('after SIGKILL: what is within goes too', async () => {
      const { child, ended } = start()
      await expect.poll(namesWithin, { timeout: 20_000 }).toBeGreaterThan(0)
      child.kill('SIGKILL')
      await ended
      await gone()
    })
  })

  test('without --rootless it says that there is this way', async () => {
    const { exit, out, err } = await nobody(CNM, 'run', '--kernel', 'linux', example('two-tier'))
    expect([exit, out]).toEqual([3, ''])
    expect(err).toBe(
      'cnm: this user may not change the networks of this machine; run it as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN, or as this user with --rootless\n',
    )
  })

  /** Where a user may make no user namespace: within one that forbids it, without rights. */
  const confined = (command: string): Promise<Ended> =>
    nobody(
      ...['unshare', '--user', '--map-root-user', 'sh', '-c'],
      `echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-all --inh-caps=-all -- ${CNM} ${command}`,
    )

  test('where there are no user namespaces it says so, and does not offer them', async () => {
    const run = await confined(`run --rootless ${example('two-tier')}`)
    expect([run.exit, run.out]).toEqual([3, ''])
    expect(run.err).toMatch(
      /^cnm: no user namespace can be made here: .* \(the sysctl user.max_user_namespaces is 0\); run it as root\n$/,
    )
    expect((await confined(`run --kernel linux ${example('two-tier')}`)).err).not.toContain('--rootless')
    const machineSeen = await confined('doctor --machine --json')
    expect(machineSeen.exit).toBe(3)
    expect(JSON.parse(machineSeen.out)).toMatchObject({
      tried: null,
      features: { veth: { is: 'unknown' }, userns: { is: 'lacking' } },
    })
  })

  test('doctor --machine tells a user of this way', async () => {
    const { exit, out, err } = await nobody(CNM, 'doctor', '--machine')
    expect(exit).toBe(0)
    expect(out).toMatch(/^user +uid 65534, without CAP_NET_ADMIN and CAP_SYS_ADMIN$/m)
    expect(out).toContain('tried in a user namespace of their own')
    expect(err).toBe('note: this user may not change the networks of this machine, but "cnm run --rootless" works\n')
    expect(existsSync(join(home, 'state'))).toBe(false)
  })
})

// On the running kernel: the same answers, and nothing left behind, however a run ends. Every lab here has a project name of
// its own, so that runs beside this one do not meet it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { composeOf } from '../../bench/lib/compose-100.ts'
import { needs } from '../lib/need.ts'
import { asNobody } from '../lib/nobody.ts'
import { ownNamespace, ownProject } from '../lib/own-names.ts'
import { CNM, cnm, EXAMPLES, example, folderWith, namespacesOfLabs } from './cnm.ts'

const project = ownProject
/** What a shell says it did, with what it printed; nothing of it may fail. */
const shell = async (script: string, input = ''): Promise<string> =>
  (await execa('sh', ['-e', '-c', script], { input })).stdout

/** The machine's own links, rules and routes: what no run may touch. */
const machine = (): Promise<string> => shell('ip -o link show; ip route; nft list ruleset; sysctl net.ipv4.ip_forward')

const until = async (what: string, holds: () => boolean, patienceMs = 20_000): Promise<void> => {
  const end = Date.now() + patienceMs
  while (!holds()) {
    if (Date.now() > end) throw new Error(`${what} did not happen`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

needs.kernel('cnm run --kernel linux', () => {
  let folder = ''
  let before = ''
  beforeAll(async () => {
    folder = await folderWith({ 'big.yaml': composeOf(30, 6), 'small.yaml': composeOf(6, 2) })
    before = await machine()
  })
  afterAll(async () => {
    await rm(folder, { recursive: true })
    await Promise.all(
      [...new Set(namespacesOfLabs(project))].map((name) => execa('ip', ['netns', 'delete', name], { reject: false })),
    )
  })
  const left = (): ReadonlyArray<string> => namespacesOfLabs(project)

  test.each(EXAMPLES)('says of %s what the simulation says, to the letter', async (name) => {
    const args = ['run', '--json', '-p', project, example(name)]
    const [sim, linux] = await Promise.all([cnm(args), cnm([...args, '--kernel', 'linux'])])
    expect([linux.exit, linux.err]).toEqual([0, ''])
    expect(linux.out).toBe(sim.out)
    expect(left()).toEqual([])
  })

  test.each(EXAMPLES)('checks %s as the simulation does', async (name) => {
    const args = ['check', '-p', project, example(name)]
    const [sim, linux] = await Promise.all([cnm(args), cnm([...args, '--kernel', 'linux'])])
    expect(linux).toEqual(sim)
    expect(left()).toEqual([])
  })

  describe('leaves nothing', () => {
    const start = (detached = false) => {
      const child = spawn(CNM, ['run', '--kernel', 'linux', '--json', '-p', project, 'big.yaml'], {
        cwd: folder,
        detached,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let err = ''
      child.stderr.on('data', (text) => (err += text))
      child.stdout.resume()
      return { child, ended: once(child, 'exit'), said: () => err }
    }
    const building = () => until('the first namespace', () => left().length > 0)
    const built = () => until('the last namespace', () => left().length === 32)

    test.each([
      ['Ctrl-C while it builds', 'SIGINT', building, 130],
      ['Ctrl-C while it asks', 'SIGINT', built, 130],
      ['SIGTERM', 'SIGTERM', built, 143],
      ['a terminal that is closed', 'SIGHUP', building, 129],
    ] as const)('after %s', async (_, signal, moment, status) => {
      const { child, ended, said } = start()
      await moment()
      child.kill(signal)
      expect(await ended).toEqual([status, null])
      expect(said()).toBe('cnm: stopped; nothing is left behind\n')
      expect(left()).toEqual([])
    })

    test('after Ctrl-C in a terminal, which its tools hear too', async () => {
      const { child, ended } = start(true)
      await building()
      if (child.pid === undefined) throw new Error('it was not started')
      process.kill(-child.pid, 'SIGINT')
      expect(await ended).toEqual([130, null])
      expect(left()).toEqual([])
    })

    test('after Ctrl-C while hundreds of packets wait: no process either, and soon', async () => {
      const { child, ended } = start(true)
      const { pid } = child
      await built()
      await new Promise((resolve) => setTimeout(resolve, 1500))
      const signalled = Date.now()
      child.kill('SIGINT')
      expect(await ended).toEqual([130, null])
      expect(Date.now() - signalled).toBeLessThan(10_000)
      expect(left()).toEqual([])
      if (pid === undefined) throw new Error('it was not started')
      expect(() => process.kill(-pid, 0)).toThrow('ESRCH')
    })

    test('when nobody reads on', async () => {
      await shell(`${CNM} run --kernel linux -p ${project} ${join(folder, 'small.yaml')} | head -1`)
      expect(left()).toEqual([])
    })

    test('once cnm down has been called after SIGKILL', async () => {
      const { child, ended } = start()
      await built()
      child.kill('SIGKILL')
      await ended
      const lab = left()[0]?.split('-')[1]?.replaceAll('.', '-') ?? ''
      expect(await cnm(['down', lab])).toEqual({ exit: 0, out: `removed lab ${lab}\n`, err: '' })
      expect(left()).toEqual([])
      expect(await cnm(['down', lab])).toEqual({ exit: 0, out: `there is no lab ${lab}\n`, err: '' })
    })
  })

  test('--keep leaves the lab, which can be entered, and cnm down removes it', async () => {
    const { exit, err } = await cnm(['run', '--kernel', 'linux', '--keep', '-p', project, example('two-tier')])
    expect(exit).toBe(0)
    const inside = /ip netns exec (\S+-web) sh/.exec(err)?.[1] ?? ''
    const lab = /cnm down (\S+)/.exec(err)?.[1] ?? ''
    expect(await shell(`ip netns exec ${inside} ping -c1 -W2 172.17.0.3`)).toContain(' 0% packet loss')
    expect((await cnm(['down', lab])).out).toBe(`removed lab ${lab}\n`)
    expect(left()).toEqual([])
  })

  /** With /run/netns to itself: `cnm down` without a name removes every lab it sees. */
  const secluded = (script: string): Promise<string> =>
    shell(
      `mkdir -p /run/netns; unshare --mount sh -e -c '
        mount -t tmpfs tmpfs /run/netns
        cnm() { ${CNM} "$@"; }
        run() { cnm run --kernel linux -p ${project} "$@" >/dev/null 2>&1; }
        cd ${folder}
        ${script}'`,
    )

  test('cnm down without a name removes all kept labs, and no namespace of another kind', async () => {
    const said = await secluded(
      'ip netns add cnm-shop-web-1; run --keep small.yaml; run --keep small.yaml; cnm down; ls /run/netns; cnm down',
    )
    expect(said).toMatch(
      new RegExp(
        `^removed lab ${project}-\\w+\nremoved lab ${project}-\\w+\ncnm-shop-web-1\nthere is nothing to remove$`,
      ),
    )
  })

  test('cnm down leaves the lab of a run that is still at work', async () => {
    const said = await secluded(
      'run small.yaml & while [ -z "$(ls /run/netns | grep -v ready)" ]; do sleep 0.01; done; cnm down 2>&1; wait; cnm down',
    )
    expect(said).toMatch(
      new RegExp(
        `^lab ${project}-\\w+ is in use by a cnm that runs; .*\nthere is nothing to remove\nthere is nothing to remove$`,
      ),
    )
  })

  test('without root it says what is missing, with status 3', async () => {
    const [program, ...args] = asNobody(CNM, 'run', '--kernel', 'linux', example('two-tier'))
    const ran = await execa(program, args, { reject: false })
    expect([ran.exitCode, ran.stdout]).toEqual([3, ''])
    expect(ran.stderr).toMatch(/^cnm: .*run it as root/)
  })

  test('touches nothing of the machine', async () => {
    expect(await machine()).toBe(before)
  })
})

needs.kernel('cnm plan', () => {
  const lab = ownNamespace('plan')
  const inLab = `nsenter --net=/run/netns/${lab}`
  const state = (): Promise<string> =>
    shell(`${inLab} sh -e -c 'ip -o link; ip -o address; ip route; nft list ruleset; sysctl net.ipv4.ip_forward'`)
  const netns = (): Promise<string> => shell(`ip netns list | grep cnm-${project}- || true`)

  test.each(EXAMPLES)(
    'of %s is a script that runs in a clean namespace, and --undo leaves nothing of it',
    async (name) => {
      await shell(`ip netns add ${lab}`)
      try {
        const before = await state()
        const { out: plan } = await cnm(['plan', '-p', project, example(name)])
        expect(await shell(`${inLab} sh -e`, plan)).toBe('')
        const [, tried = ''] = /^# {3}(ip netns exec \S+ ping .*)$/m.exec(plan) ?? []
        expect(await shell(tried)).toContain(' 0% packet loss')
        const { out: undo } = await cnm(['plan', '--undo', '-p', project, example(name)])
        expect(await shell(`${inLab} sh -e`, undo)).toBe('')
        expect(await state()).toBe(before)
        expect(await netns()).toBe('')
      } finally {
        await shell(
          `ip netns delete ${lab}; for n in $(ip netns list | grep -o 'cnm-${project}-[^ ]*'); do ip netns delete $n; done`,
        )
      }
    },
  )

  test('isolates: web of two-tier does not reach db', async () => {
    await shell(`ip netns add ${lab}`)
    try {
      const { out: plan } = await cnm(['plan', '-p', project, example('two-tier')])
      await shell(`${inLab} sh -e`, plan)
      const ping = execa('ip', ['netns', 'exec', `cnm-${project}-web-1`, 'ping', '-c1', '-W1', '172.18.0.3'], {
        reject: false,
      })
      expect((await ping).exitCode).toBe(1)
      await shell(`${inLab} sh -e`, (await cnm(['plan', '--undo', '-p', project, example('two-tier')])).out)
    } finally {
      await shell(
        `ip netns delete ${lab}; for n in $(ip netns list | grep -o 'cnm-${project}-[^ ]*'); do ip netns delete $n; done`,
      )
    }
  })
})

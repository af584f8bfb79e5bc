// What the machine can do, as the command says it; and that what it cannot do is said before anything is begun.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FEATURES } from '../../src/kernel-linux/capabilities.ts'
import { TOOLS } from '../../src/kernel-linux/run.ts'
import { needs } from '../lib/need.ts'
import { ROOT } from '../lib/source.ts'
import { CNM, cnm, type Ended, example } from './cnm.ts'

needs.kernel('cnm doctor about the machine', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cnm-machine-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('--machine shows every feature and program in a line', async () => {
    const { exit, out, err } = await cnm(['doctor', '--machine'])
    expect([exit, err]).toEqual([0, ''])
    const table = out.split('\n\n')[0]?.split('\n') ?? []
    expect(table).toHaveLength(['WHAT', 'kernel', 'user', 'transport'].length + FEATURES.length + TOOLS.length)
    expect(out).toMatch(/^link kind veth +yes$/m)
    expect(out).toMatch(/^program nft +\d+\.\d/m)
  })

  test('--machine --json holds the same for programs', async () => {
    const found = JSON.parse((await cnm(['doctor', '--machine', '--json'])).out)
    expect(Object.keys(found.features).sort()).toEqual([...FEATURES].sort())
    expect(Object.keys(found.tools).sort()).toEqual([...TOOLS].sort())
    expect(found).toMatchObject({ user: { uid: 0, sysAdmin: true }, features: { veth: { is: 'there' } }, lacking: [] })
  })

  test('without a state directory it is shown unasked, and none is made', async () => {
    const state = join(folder, 'none')
    const { exit, out } = await cnm(['doctor', '--state', state])
    expect(exit).toBe(0)
    expect(out).toMatch(/^link kind bridge +yes$/m)
    expect(out.endsWith('\n\nno differences: the host is as it should be\n')).toBe(true)
    expect(JSON.parse((await cnm(['doctor', '--json', '--state', state])).out)).toEqual({
      differences: [],
      repaired: false,
    })
    expect((await cnm(['network', 'ls', '-q', '--state', state])).out).toBe('')
  })

  /** On a machine without programs in the sbin folders, in namespaces of its own. */
  const without = async (...args: ReadonlyArray<string>): Promise<Ended> => {
    const script = `mount -t tmpfs none /usr/sbin; [ -L /sbin ] || mount -t tmpfs none /sbin; exec ${CNM} "$@"`
    const words = ['--mount', '--net', '--', 'sh', '-c', script, 'sh', ...args]
    const ran = await execa('unshare', words, { cwd: ROOT, reject: false, stripFinalNewline: false })
    return { exit: ran.exitCode, out: ran.stdout, err: ran.stderr }
  }

  test('what is lacking is said before the first change, with the way out, and nothing is begun', async () => {
    const state = join(folder, 'lacking')
    const sentence =
      /^cnm: (the program (ip|bridge|nft|sysctl) was not found: apt-get install \S+ [^;]*; )+"cnm doctor --machine" shows what this machine can do\n$/
    for (const args of [
      ['network', 'create', '--state', state, 'front'],
      ['run', '--kernel', 'linux', example('two-tier')],
    ]) {
      const { exit, out, err } = await without(...args)
      expect([exit, out]).toEqual([3, ''])
      expect(err).toMatch(sentence)
    }
    expect((await cnm(['network', 'ls', '-q', '--state', state])).out).toBe('')
    const shown = await without('doctor', '--machine')
    expect(shown.exit).toBe(3)
    expect(shown.out).toMatch(/^program nft +not found$/m)
    expect(shown.err).toMatch(/^note: the program nft was not found/m)
  })
})

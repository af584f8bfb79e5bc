// --transport: how the running kernel is reached. Where the C library cannot be called, the tools do all of it; who asks for the
// other way by name is told.

import { chmodSync, cpSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findBinary } from '../../scripts/lib/system.mjs'
import { needs } from '../lib/need.ts'
import { ownProject } from '../lib/own-names.ts'
import { ROOT } from '../lib/source.ts'
import { CNM, cnm, type Ended, example, namespacesOfLabs } from './cnm.ts'

needs.kernel('--transport', () => {
  let folder = ''
  /** What `ip` was called with. */
  let log = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cnm-transport-'))
    log = join(folder, 'calls')
    writeFileSync(join(folder, 'ip'), `#!/bin/sh\necho "$*" >> ${log}\nexec ${findBinary('ip')} "$@"\n`)
    chmodSync(join(folder, 'ip'), 0o755)
    // As it is where no package is installed beside the bundle.
    await cnm(['--version'])
    cpSync(join(ROOT, 'dist'), join(folder, 'bare/dist'), { recursive: true })
    cpSync(join(ROOT, 'package.json'), join(folder, 'bare/package.json'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true })
    expect(namespacesOfLabs(ownProject)).toEqual([])
  })

  const check = ['check', '--kernel', 'linux', '-p', ownProject, example('two-tier')]
  const without = async (...args: ReadonlyArray<string>): Promise<Ended> => {
    const words = [join(folder, 'bare/dist/cnm.js'), ...args]
    const ran = await execa(process.execPath, words, { cwd: ROOT, reject: false, stripFinalNewline: false })
    return { exit: ran.exitCode, out: ran.stdout, err: ran.stderr }
  }
  /** Whether links were made by ip(8). */
  const byTools = async (...args: ReadonlyArray<string>): Promise<boolean> => {
    writeFileSync(log, '')
    const { exitCode } = await execa(CNM, [...check, ...args], {
      cwd: ROOT,
      env: { PATH: `${folder}:${process.env['PATH']}` },
    })
    expect(exitCode).toBe(0)
    return /-batch -/m.test(await readFile(log, 'utf8').then((text) => text.replaceAll(/^-force -batch -$/gm, '')))
  }

  test('netlink makes links in process, iproute2 by its tools; netlink is what one gets', async () => {
    expect(await byTools('--transport', 'iproute2')).toBe(true)
    expect(await byTools('--transport', 'netlink')).toBe(false)
    expect(await byTools()).toBe(false)
  }, 60_000)

  test('the tools do it all where the C library cannot be called, with the same answers', async () => {
    expect(await without(...check)).toEqual(await cnm(check))
  }, 60_000)

  test('what was asked for by name and cannot be is an error, before anything is begun', async () => {
    const { exit, out, err } = await without(...check, '--transport', 'netlink')
    expect([exit, out]).toEqual([3, ''])
    expect(err).toMatch(/^cnm: the transport netlink cannot be used: .*koffi.*; say --transport iproute2\n$/)
  })

  test('what the host is remembered in needs its package, and says so', async () => {
    const { exit, out, err } = await without('network', 'ls', '--state', join(folder, 'state'))
    expect([exit, out]).toEqual([3, ''])
    expect(err).toMatch(
      /^cnm: the package (koffi|lmdb), which this needs, is not installed beside cnm; "npm install \1" there\n$/,
    )
  })

  test('doctor --machine says which it is, and why', async () => {
    expect((await cnm(['doctor', '--machine'])).out).toMatch(/^transport +netlink$/m)
    const { exit, out } = await without('doctor', '--machine')
    expect(exit).toBe(0)
    expect(out).toMatch(/^transport +iproute2, for the C library cannot be called$/m)
    expect(out).toMatch(/^C library, in process +no: .*koffi/m)
  })
})

test.each([['run'], ['check'], ['network ls'], ['sandbox create'], ['doctor']])(
  'cnm %s takes netlink and iproute2, and nothing else',
  async (verb) => {
    const { exit, err } = await cnm([...verb.split(' '), '--transport', 'pigeon'])
    expect(exit).toBe(2)
    expect(err).toContain("argument 'pigeon' is invalid. Allowed choices are netlink, iproute2.")
  },
)

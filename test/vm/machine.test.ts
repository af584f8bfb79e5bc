// The machine itself: what comes out of it, that it cannot change this computer, and that it never outlives us.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readyKernel } from '../../scripts/vm/kernel.mjs'
import { gate } from '../lib/need.ts'
import { ROOT } from '../lib/source.ts'
import { type Running, started } from '../lib/victim.ts'

const kernel = readyKernel()
const SLOW = { timeout: 180_000 }
/** Runs a script of sh(1) there. */
const machine = (script: string, ...options: ReadonlyArray<string>): Running =>
  started(process.execPath, join(ROOT, 'scripts/vm.mjs'), ...options, 'sh', '-c', script)

/** The process ids of machines that a process started. */
const machinesOf = (pid: number | undefined): ReadonlyArray<number> =>
  readdirSync('/proc')
    .map(Number)
    .filter((one) => {
      const file = `/proc/${one}/stat`
      if (Number.isNaN(one) || !existsSync(file)) return false
      const [, name = '', parent] = /\((.*)\) \S (\d+)/.exec(readFileSync(file, 'utf8')) ?? []
      return name.startsWith('qemu') && Number(parent) === pid
    })

// Nobody waits in a run of all tests until it is made, which takes a download.
const missing = kernel === null ? 'a virtual machine that was made before (npm run vm makes it)' : null
gate(() => missing, false)('a machine', () => {
  test('has a kernel of its own, this folder, both outputs and the status of the command', SLOW, async () => {
    const file = join(ROOT, `not-there-${process.pid}`)
    rmSync(file, { force: true })
    const it = machine(`uname -r; pwd; touch ${file} && echo written; echo two >&2; exit 7`)
    await it.ended
    expect(it.said()).toEqual([kernel?.version, process.cwd(), 'written'])
    expect(it.complaint()).toContain('two\n')
    expect(it.child.exitCode).toBe(7)
    expect(existsSync(file)).toBe(false)
  })

  test('ends with the process that started it, even if that was killed', SLOW, async () => {
    const it = machine('echo up; sleep 600')
    await expect.poll(it.said, { timeout: 120_000 }).toEqual(['up'])
    const machines = machinesOf(it.child.pid)
    expect(machines).toHaveLength(1)
    await it.kill('SIGKILL')
    await expect.poll(() => machines.filter((pid) => existsSync(`/proc/${pid}`)), { timeout: 20_000 }).toEqual([])
  })

  test('ends after its limit, and is gone then', SLOW, async () => {
    const it = machine('sleep 600', '--limit', '3')
    await expect.poll(() => machinesOf(it.child.pid), { timeout: 20_000, interval: 10 }).toHaveLength(1)
    const machines = machinesOf(it.child.pid)
    await it.ended
    expect(it.child.exitCode).toBe(124)
    expect(it.complaint()).toContain('ended after 3 s')
    expect(machines.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([])
  })
})

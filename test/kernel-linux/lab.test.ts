// On the running kernel: a lab leaves no trace, also when its process was killed.

import { readdirSync, readFileSync } from 'node:fs'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listLabs, removeLab } from '../../src/kernel-linux/lab.ts'
import { labNames } from '../../src/kernel-linux/names.ts'
import { linuxReady } from '../../src/kernel-linux/ready.ts'
import { HOST } from '../../src/net/name.ts'
import { needs } from '../lib/need.ts'
import { ownLab } from '../lib/own-names.ts'
import { bundle, bundleAgent, labOf, rightOf } from './labs.ts'

const outputOf = async (file: string, ...args: ReadonlyArray<string>): Promise<string> =>
  (await execa(file, args)).stdout

/** What of the machine must stay as it was; other tests make namespaces of their own meanwhile. */
const machine = async (): Promise<string> =>
  [await outputOf('ip', '-brief', 'link'), await outputOf('nft', 'list', 'ruleset')].join('\n')

/** Processes whose command line mentions our agent, with one of these as parent. */
const agentsOf = (parent: number): ReadonlyArray<number> =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const parentId = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return Number(parentId) === parent && command.includes('agent.js') ? [Number(pid)] : []
      } catch {
        return []
      }
    })

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

needs.kernel('a lab', () => {
  const labs: Array<ReturnType<typeof labOf>> = []
  let victim = ''
  beforeAll(async () => {
    await bundleAgent()
    victim = await bundle('test/kernel-linux/victim.ts', `victim-${process.pid}.mjs`)
  })
  afterAll(async () => {
    for (const lab of labs) rightOf(await removeLab(lab))
    await execa('rm', ['-f', victim])
  })
  const newLab = (name: string) => {
    const lab = labOf(ownLab(name))
    labs.push(lab)
    return lab
  }

  test('that was never made is removed without a word', async () => {
    expect(rightOf(await removeLab(newLab('never')))).toBeUndefined()
  })

  test('is found by its prefix and removed; another whose name begins with its name stays', async () => {
    const [lab, longer] = [newLab('lab'), newLab('lab-longer')]
    await execa('ip', ['netns', 'add', labNames(lab)(HOST) ?? ''])
    await execa('ip', ['netns', 'add', labNames(longer)(HOST) ?? ''])
    expect(await listLabs()).toEqual(expect.arrayContaining([lab, longer]))
    rightOf(await removeLab(lab))
    const left = await listLabs()
    expect(left).not.toContain(lab)
    expect(left).toContain(longer)
  })

  test('is removed although a namespace of it was made only by half', async () => {
    const lab = newLab('half')
    await execa('touch', [`/run/netns/${labNames(lab)(HOST)}`])
    rightOf(await removeLab(lab))
    expect(await listLabs()).not.toContain(lab)
  })

  test.each(['building', 'probing'])('leaves no trace when its process was killed while %s', async (until) => {
    const before = await machine()
    const lab = newLab(until)
    const child = execa(process.execPath, [victim, lab, until], { reject: false, buffer: false })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    const agents = agentsOf(child.pid ?? -1)
    if (until === 'probing') expect(agents.length).toBeGreaterThan(0)
    child.kill('SIGKILL')
    await child
    rightOf(await removeLab(lab))
    rightOf(await removeLab(lab))
    expect(await listLabs()).not.toContain(lab)
    expect(await machine()).toBe(before)
    for (let i = 0; i < 100 && agents.some(isAlive); i++) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(agents.filter(isAlive)).toEqual([])
  })

  test('can be built around the namespace that the process itself runs in', async () => {
    const lab = newLab('own')
    const real = labNames(lab)(HOST) ?? ''
    await execa('ip', ['netns', 'add', real])
    const own = await bundle('test/kernel-linux/own.ts', `own-${process.pid}.mjs`)
    const printed = await outputOf('nsenter', `--net=/run/netns/${real}`, process.execPath, own, lab)
    await execa('rm', ['-f', own])
    expect(JSON.parse(printed)).toEqual([])
  })

  test('the machine is ready, and as it was after having been asked', async () => {
    const before = await machine()
    rightOf(await linuxReady(labOf(ownLab('ready')), 'netlink'))
    expect(await machine()).toBe(before)
    expect((await listLabs()).filter((lab) => lab === ownLab('ready'))).toEqual([])
  })
})

// The tools are played by functions that answer as the real ones do (test/kernel-linux/linux.test.ts has the real ones).

import { describe, expect, test } from 'vitest'
import { bridgeElement } from '../../src/kernel/firewall/elements.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { runBatch } from '../../src/kernel-linux/batch.ts'
import { throughNft } from '../../src/kernel-linux/nft/tool.ts'
import type { Ran, Run } from '../../src/kernel-linux/run.ts'
import { type Batch, stepsOf } from '../../src/kernel-linux/schedule.ts'
import { cidr } from '../../src/net/cidr.ts'
import { HOST, ifName } from '../../src/net/name.ts'
import { E } from '../../src/prelude.ts'
import { rightOf } from './labs.ts'

const batchOf = (ops: ReadonlyArray<KernelOp>): Batch => {
  const steps = stepsOf(ops, (of) => of)
  return { tool: steps[0]?.command.tool ?? 'ip', ns: HOST, steps }
}

const address = (n: number): KernelOp => ({
  verb: 'create',
  object: { kind: 'address', ns: HOST, dev: ifName('br0'), cidr: cidr(`10.0.0.${n}/24`) },
})
const bridge = (n: number): KernelOp => ({ verb: 'create', object: bridgeElement(HOST, ifName(`br${n}`)) })

/** A tool that answers each script, and the scripts it got. */
const tool = (answer: (script: string) => Ran): Readonly<{ run: Run; scripts: ReadonlyArray<string> }> => {
  const scripts: string[] = []
  const run: Run = async (_, __, args, input) => {
    const script = input === undefined || input === '' ? args.join(' ') : input
    scripts.push(script)
    return E.right(answer(script))
  }
  return { run, scripts }
}

const refusedBy = async (run: Run, ops: ReadonlyArray<KernelOp>) =>
  rightOf(await runBatch(run, null, batchOf(ops))).map(({ step, complaint }) => `${step.at} ${complaint.errno}`)

describe('ip', () => {
  test('a line it names is the step that was refused', async () => {
    const { run } = tool((script) => ({
      status: 1,
      stdout: 'lo UNKNOWN\n'.repeat(script.split('\n').length / 2),
      stderr: 'RTNETLINK answers: File exists\nCommand failed -:3\n',
    }))
    expect(await refusedBy(run, [address(1), address(2), address(3)])).toEqual(['1 EEXIST'])
  })

  test('where it gave up, that step is refused and the rest is run again', async () => {
    const { run, scripts } = tool((script) =>
      script.includes('10.0.0.2/')
        ? { status: 255, stdout: 'lo UNKNOWN\n', stderr: 'Error: argument "br0" is wrong: Device does not exist\n\n' }
        : { status: 0, stdout: 'lo UNKNOWN\n'.repeat(2), stderr: '' },
    )
    expect(await refusedBy(run, [address(1), address(2), address(3), address(4)])).toEqual(['1 ENODEV'])
    expect(scripts).toHaveLength(2)
    expect(scripts[1]).not.toContain('10.0.0.1/')
  })

  test('every step is refused in a namespace that is not there', async () => {
    const { run, scripts } = tool(() => ({
      status: 255,
      stdout: '',
      stderr: 'Cannot open network namespace "x": No such file or directory\n',
    }))
    expect(await refusedBy(run, [address(1), address(2)])).toEqual(['0 ENOENT', '1 ENOENT'])
    expect(scripts).toHaveLength(1)
  })

  test('it cannot fail for ever', async () => {
    const { run, scripts } = tool(() => ({ status: 1, stdout: '', stderr: '' }))
    expect(await refusedBy(run, [address(1), address(2)])).toEqual(['0 EIO', '1 EIO'])
    expect(scripts).toHaveLength(2)
  })
})

describe('nft', () => {
  const failing = (...words: ReadonlyArray<string>) =>
    tool((script) =>
      words.some((word) => script.includes(word))
        ? { status: 1, stdout: '', stderr: '/dev/stdin:1:1-2: Error: Could not process rule: File exists\n' }
        : { status: 0, stdout: '', stderr: '' },
    )
  const refusedByNft = async (run: Run, ops: ReadonlyArray<KernelOp>) =>
    rightOf(await throughNft(run, () => null).run(HOST, ops)).map(({ at, complaint }) => `${at} ${complaint.errno}`)

  test('many elements are one transaction', async () => {
    const { run, scripts } = failing()
    expect(await refusedByNft(run, [1, 2, 3, 4].map(bridge))).toEqual([])
    expect(scripts).toHaveLength(1)
  })

  test('of a transaction that fails, exactly the refused elements are found', async () => {
    const { run } = failing('"br3"', '"br7"')
    expect(await refusedByNft(run, [0, 1, 2, 3, 4, 5, 6, 7].map(bridge))).toEqual(['3 EEXIST', '7 EEXIST'])
  })
})

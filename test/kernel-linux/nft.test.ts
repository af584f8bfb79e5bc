// The firewall on the running kernel, through libnftables and through nft(8), in namespaces of their own.

import { spawnSync } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import * as fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { SKELETON_VERSION } from '../../src/kernel/firewall/skeleton.ts'
import { makeHoldBack } from '../../src/kernel/hold-back.ts'
import type { KernelObject } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { complaintOf } from '../../src/kernel-linux/errno.ts'
import type { Firewall, RefusedOp } from '../../src/kernel-linux/firewall.ts'
import { type Attempt, carryOut } from '../../src/kernel-linux/nft/carry-out.ts'
import { HOST, type Ns, ns } from '../../src/net/name.ts'
import { E } from '../../src/prelude.ts'
import { needs } from '../lib/need.ts'
import { ownNamespace } from '../lib/own-names.ts'
import { leftOf, rightOf } from './labs.ts'
import {
  createOf,
  deleteOf,
  deleteSpace,
  inProcess,
  inside,
  makeSpace,
  masquerade,
  outside,
  pathTo,
  programs,
  published,
  runAt,
  table,
  texts,
  withConsole,
  withTool,
} from './nft-lab.ts'

const VERSION = `skeleton ${SKELETON_VERSION}`

/** Programs in the property; each takes some tenths of a second, for what is refused waits in the kernel. */
const RUNS = 15

const there = (object: KernelObject, where: Ns): KernelObject => ({ ...object, ns: where })
const inNs = (ops: ReadonlyArray<KernelOp>, where: Ns): ReadonlyArray<KernelOp> =>
  ops.map((op) =>
    op.verb === 'change'
      ? { ...op, from: there(op.from, where), object: there(op.object, where) }
      : { ...op, object: there(op.object, where) },
  )

const refusals = async (firewall: Firewall, where: Ns, ops: ReadonlyArray<KernelOp>): Promise<ReadonlyArray<string>> =>
  rightOf(await firewall.run(where, ops)).map(({ at, complaint }) => `${at} ${complaint.errno}`)

/** What the table holds, the operations that made it, and what was refused of them. */
const outcome = async (firewall: Firewall, where: Ns, ops: ReadonlyArray<KernelOp>) => {
  const local = inNs(ops, where)
  const refused = await refusals(firewall, where, local)
  const held = texts(rightOf(await firewall.look(where)))
  await firewall.run(where, [deleteOf(table(where))])
  return { refused, held }
}

needs.kernel('three ways to one firewall', () => {
  const [a, b, c] = [ns('nft-a'), ns('nft-b'), ns('nft-c')]
  const [library, lines, tool] = [inProcess(), withConsole(), withTool()]
  beforeAll(() => [a, b, c].forEach(makeSpace))
  afterAll(async () => {
    await Promise.all([library.close(), lines.close()])
    for (const where of [a, b, c]) deleteSpace(where)
  })

  /** One operation at a time, as the Kernel port has it: what could not be made holds back what belongs to it. */
  const oneByOne: Firewall = {
    ...library,
    run: async (where, ops) => {
      const refused: RefusedOp[] = []
      const { note, refusalOf } = makeHoldBack()
      for (const [at, op] of ops.entries()) {
        const held = refusalOf(op, at)
        const [complaint] =
          held === null
            ? rightOf(await library.run(where, [op])).map((one) => one.complaint)
            : [complaintOf('No such file or directory')]
        if (complaint === undefined) continue
        refused.push({ at, complaint })
        note({ at, op, errno: complaint.errno })
      }
      return E.right(refused)
    },
  }

  test('whatever is asked for, all refuse the same and hold the same, which is what one by one gives', async () => {
    await fc.assert(
      fc.asyncProperty(programs(a), async (ops) => {
        const all = [createOf(table(a)), ...ops]
        const first = await outcome(library, a, all)
        expect(await outcome(tool, b, all)).toEqual(first)
        expect(await outcome(lines, b, all)).toEqual(first)
        expect(await outcome(oneByOne, c, all)).toEqual(first)
      }),
      { numRuns: RUNS },
    )
  }, 120_000)
})

/** Open files of this process that are sockets. */
const sockets = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')
    } catch {
      return false
    }
  }).length

for (const [name, make] of [
  ['libnftables', inProcess],
  ['console', withConsole],
  ['tool', withTool],
] as const) {
  needs.kernel(`the firewall through ${name}`, () => {
    const firewall = make()
    const where = ns(`nft-${name}`)
    const port = (n: number, last?: number) => published(where, n, last)
    const held = async () => texts(rightOf(await firewall.look(where)))
    const run = (...ops: ReadonlyArray<KernelOp>) => refusals(firewall, where, ops)
    beforeAll(() => makeSpace(where))
    beforeEach(async () => {
      await run(createOf(table(where)), createOf(port(80)))
    })
    afterEach(async () => {
      await run(deleteOf(table(where)))
    })
    afterAll(async () => {
      await firewall.close()
      deleteSpace(where)
    })

    test('in a namespace that is not there nothing is held, and everything is refused', async () => {
      const nowhere = ns('nft-nowhere')
      expect(rightOf(await firewall.look(nowhere))).toEqual([])
      expect(await refusals(firewall, nowhere, [createOf(table(nowhere)), createOf(published(nowhere, 80))])).toEqual([
        '0 ENOENT',
        '1 ENOENT',
      ])
    })

    test('the namespace of this process can be looked at', async () => {
      expect(Array.isArray(rightOf(await firewall.look(HOST)))).toBe(true)
    })

    test('a port moves from one container to another in one transaction', async () => {
      expect(await run(deleteOf(port(80)), createOf(port(80, 9)))).toEqual([])
      expect(await held()).toEqual(['/nft/publish4_any/tcp . 80 10.0.0.9 . 80', VERSION])
    })

    test('an interval that is made twice at once is refused the second time', async () => {
      await run(deleteOf(table(where)))
      const twice = [masquerade(where, '10.1.0.0/16'), masquerade(where, '10.1.0.0/16')]
      expect(await run(createOf(table(where)), ...twice.map(createOf))).toEqual(['2 EEXIST'])
    })

    test('what somebody else did in between is met as it is', async () => {
      inside(where, 'nft', 'delete element inet cnm publish4_any { tcp . 80 }')
      inside(where, 'nft', 'add element inet cnm publish4_any { tcp . 81 : 10.0.0.7 . 1 }')
      expect(await run(deleteOf(port(80)), createOf(port(81)), createOf(port(82)))).toEqual(['0 ENOENT', '1 EEXIST'])
      expect(await held()).toEqual([
        '/nft/publish4_any/tcp . 81 10.0.0.7 . 1',
        '/nft/publish4_any/tcp . 82 10.0.0.2 . 80',
        VERSION,
      ])
    })

    test('where somebody flushed the ruleset, elements are refused, nothing is seen, and all can be made again', async () => {
      inside(where, 'nft', 'flush', 'ruleset')
      expect(await run(createOf(port(81)))).toEqual(['0 ENOENT'])
      expect(await held()).toEqual([])
      expect(await run(createOf(table(where)), createOf(port(81)))).toEqual([])
      expect(await held()).toEqual(['/nft/publish4_any/tcp . 81 10.0.0.2 . 80', VERSION])
    })

    test('a table of another version is replaced', async () => {
      inside(where, 'nft', 'delete table inet cnm; add table inet cnm; add chain inet cnm skeleton_7')
      expect(await held()).toEqual(['skeleton 7'])
      expect(
        await run(deleteOf(table(where)), createOf(table(where)), createOf(masquerade(where, '10.1.0.0/16'))),
      ).toEqual([])
      expect(await held()).toEqual(['/nft/masquerade4/10.1.0.0/16', VERSION])
    })

    test('nothing of the tables of others is seen or changed', async () => {
      inside(where, 'nft', 'add table inet other; add set inet other bridges { type ifname; elements = { "x" } }')
      const before = inside(where, 'nft', 'list', 'table', 'inet', 'other')
      expect(await run(deleteOf(table(where)))).toEqual([])
      expect(await held()).toEqual([])
      expect(inside(where, 'nft', 'list', 'table', 'inet', 'other')).toBe(before)
      inside(where, 'nft', 'delete', 'table', 'inet', 'other')
    })

    test('thousands of elements are one transaction, and are all listed', async () => {
      const many = Array.from({ length: 3000 }, (_, i) => port(1000 + i))
      expect(await run(...many.map(createOf))).toEqual([])
      expect(await held()).toEqual(texts([table(where), port(80), ...many]))
      expect(await run(...many.map(deleteOf), deleteOf(port(7)))).toEqual(['3000 ENOENT'])
      expect(await held()).toEqual(texts([table(where), port(80)]))
    })

    test('when a namespace is made anew at the same path, it is the new one that is changed', async () => {
      deleteSpace(where)
      makeSpace(where)
      expect(await held()).toEqual([])
      expect(await run(createOf(port(80)))).toEqual(['0 ENOENT'])
      expect(await run(createOf(table(where)))).toEqual([])
      expect(inside(where, 'nft', 'list', 'tables')).toBe('table inet cnm\n')
    })

    test('a namespace that is left is not kept alive, by us or by what we started', async () => {
      await firewall.vacate(where)
      const before = sockets()
      expect(await run(createOf(port(81)))).toEqual([])
      const files = 'for f in /proc/$$/fd/*; do case $(basename $f) in [012]) ;; *) readlink $f ;; esac; done'
      const inherited = spawnSync('sh', ['-c', files], { encoding: 'utf8' }).stdout
      expect(inherited).not.toContain('socket:')
      await firewall.vacate(where)
      expect(sockets()).toBe(before)
    })
  })
}

needs.kernel('transactions', () => {
  const where = ns('nft-count')
  beforeAll(() => makeSpace(where))
  afterAll(() => deleteSpace(where))
  const scripts: string[] = []
  /** nft(8), and how often it was needed. */
  const count = async (...ops: ReadonlyArray<KernelOp>): Promise<number> => {
    scripts.length = 0
    const counted: Attempt = async ({ text }) => {
      scripts.push(text)
      const { status, stderr } = rightOf(await runAt(pathTo(where), 'nft', ['-f', '-'], text))
      return E.right(status === 0 ? null : stderr)
    }
    rightOf(await carryOut(counted, ops))
    return scripts.length
  }

  test('a table is replaced, with all that is in it, by one: there is no moment without a firewall', async () => {
    const all = [table(where), masquerade(where, '10.1.0.0/16'), masquerade(where, '10.2.0.0/16'), published(where, 80)]
    expect(await count(...all.map(createOf))).toBe(1)
    expect(await count(deleteOf(table(where)), ...all.map(createOf))).toBe(1)
  })

  test('one that is refused among hundreds costs three more: what is before it, itself, what is behind it', async () => {
    const many = Array.from({ length: 300 }, (_, i) => createOf(published(where, 1000 + i)))
    expect(await count(...many.slice(0, 100), createOf(published(where, 80)), ...many.slice(100))).toBe(4)
  })
})

needs.kernel('the console of nft(8)', () => {
  const where = ns('nft-killed')
  const firewall = withConsole()
  beforeAll(() => makeSpace(where))
  afterAll(async () => {
    await firewall.close()
    deleteSpace(where)
  })
  const pids = (): ReadonlyArray<number> =>
    outside('ip', 'netns', 'pids', ownNamespace(where))
      .split('\n')
      .filter((line) => line !== '')
      .map(Number)
  const [first, second, third] = [published(where, 80), published(where, 81), published(where, 82)]

  test('is one process for many transactions, ends when it is left, and is replaced when it is killed', async () => {
    expect(await refusals(firewall, where, [createOf(table(where))])).toEqual([])
    const [pid = 0, ...others] = pids()
    expect(others).toEqual([])
    expect(await refusals(firewall, where, [createOf(first)])).toEqual([])
    expect(pids()).toEqual([pid])

    process.kill(pid, 'SIGKILL')
    await expect.poll(pids).toEqual([])
    // Node hears of it on its next turn.
    await setTimeout(50)
    expect(await refusals(firewall, where, [createOf(second)])).toEqual([])
    expect(pids()).toHaveLength(1)
    await firewall.vacate(where)
    expect(pids()).toEqual([])
  })

  test('that is killed at work leaves it open what was done, so that is no refusal', async () => {
    expect(await refusals(firewall, where, [createOf(third)])).toEqual([])
    const [pid = 0] = pids()
    process.kill(pid, 'SIGSTOP')
    const asked = firewall.run(where, [deleteOf(third)])
    // Its line is written by then.
    await firewall.look(where)
    process.kill(pid, 'SIGKILL')
    expect(leftOf(await asked).tag).toBe('KernelUnavailable')
  })
})

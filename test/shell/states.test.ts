// Whatever a stack holds: our shell on Linux shows it as the real programs do, to the byte, in each form that they have. Worlds are made
// by programs of requests; both look at the same namespaces.

import { spawnSync } from 'node:child_process'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { ROOMS } from '../../properties/arbitraries/stack-links.ts'
import { requests } from '../../properties/arbitraries/stack-programs.ts'
import { linuxTerminal } from '../../src/cli/shell/linux-terminal.ts'
import type { SysctlName } from '../../src/kernel/sysctl.ts'
import { removeLab } from '../../src/kernel-linux/lab.ts'
import { labNames, labPrefix } from '../../src/kernel-linux/names.ts'
import type { Ns } from '../../src/net/name.ts'
import type { Done } from '../../src/shell/done.ts'
import { labOf, rightOf } from '../kernel-linux/labs.ts'
import { needs } from '../lib/need.ts'
import { ownLab } from '../lib/own-names.ts'
import { runs } from '../lib/runs.ts'
import { comparable } from './alike.ts'
import { type Room, shellRoom } from './rooms.ts'

const FORMS = ['', '-o', '-j', '-j -p', '-d', '-j -d', '-br', '-j -br']
const FAMILIES = ['', '-4', '-6']
const times = (forms: ReadonlyArray<string>, families: ReadonlyArray<string>, what: string): ReadonlyArray<string> =>
  forms.flatMap((form) => families.map((family) => `ip ${form} ${family} ${what}`.replace(/ +/g, ' ')))
const PLAIN = ['', '-o', '-j', '-j -p', '-d', '-j -d']

const VIEWS: ReadonlyArray<string> = [
  ...times(FORMS, [''], 'link show'),
  ...times(FORMS, FAMILIES, 'address show'),
  ...times(PLAIN, FAMILIES, 'route show'),
  ...times(PLAIN, FAMILIES, 'route show table all'),
  ...times(PLAIN, FAMILIES, 'rule show'),
  ...times(FORMS, FAMILIES, 'neigh show nud all'),
  ...times(['', '-j'], FAMILIES, 'neigh show proxy'),
  ...['', '-o', '-j', '-j -p', '-d', '-j -d'].flatMap((form) => [`bridge ${form} link`, `bridge ${form} fdb`]),
  ...['', '-j', '-j -p'].map((form) => `bridge ${form} vlan`),
].map((line) => line.replace(/ +/g, ' '))

const DETAILED = / -d /
const ONLY_SORTED = /\b(fdb|neigh)\b|-6.* route|table all/

/** To the byte, but for what alike.ts names. The number that a namespace is known by is the kernel's own choice. */
const exact = (line: string, { status, stdout, stderr: said }: Done, prefix: string): unknown => {
  // Of a namespace that a program has deleted.
  const stderr = said.replaceAll(prefix, '')
  const text = stdout.replaceAll(prefix, '').replace(/"link_netnsid": ?\d+/g, '"link_netnsid":0')
  const shown = DETAILED.test(line)
    ? comparable(line, text, false)
    : ONLY_SORTED.test(line)
      ? line.includes('-j')
        ? comparable(line, text, false)
        : text.split('\n').sort()
      : text
  return { line, status, shown, stderr }
}

/** Carrier and IPv6 come when the kernel has the time; what differs is looked at again, more than once. */
const PATIENCE_MS = 6000
const ROUNDS = 5
// Cast: a name that nothing of ours asks for, but for tests.
const NO_DAD = 'net.ipv6.conf.default.accept_dad' as SysctlName

needs.kernel('what is shown of generated stacks', () => {
  const lab = labOf(ownLab('states'))
  const names = labNames(lab)
  const terminal = linuxTerminal(lab, 'netlink', new AbortController().signal)
  afterAll(async () => {
    rightOf(await removeLab(lab))
  })

  const really = (real: string, line: string): Done => {
    const [program = '', ...words] = line.split(' ')
    const { status, stdout, stderr } = spawnSync(program, ['-n', real, ...words], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
    })
    return { status: status ?? -1, stdout, stderr }
  }

  /** Those that still differ when the kernel had its time. */
  const differences = async (ours: Room, ns: Ns): Promise<ReadonlyArray<unknown>> => {
    const until = performance.now() + PATIENCE_MS
    let views = VIEWS
    for (let round = 1; ; round++) {
      const differing: { view: string; wanted: unknown; there: unknown }[] = []
      for (const view of views) {
        const inside = view.replace(/^(ip|bridge) /, `$1 -n ${ns} `)
        const wanted = exact(view, really(names(ns) ?? '', view), labPrefix(lab))
        const there = exact(view, await ours.run(inside), labPrefix(lab))
        if (!isDeepStrictEqual(there, wanted)) differing.push({ view, wanted, there })
      }
      if (differing.length === 0 || (round >= ROUNDS && performance.now() > until)) return differing
      views = differing.map(({ view }) => view)
    }
  }

  test('is what the real programs show', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(requests(30), async (program) => {
        rightOf(await removeLab(lab))
        for (const ns of ROOMS) {
          rightOf(await terminal.ask({ ns, ask: { on: 'netns', do: 'add' } })())
          rightOf(await terminal.ask({ ns, ask: { on: 'sysctl', do: 'write', name: NO_DAD, value: '0' } })())
        }
        for (const request of program) rightOf(await terminal.ask(request)())
        const ours = shellRoom(terminal)
        for (const ns of ROOMS) expect(await differences(ours, ns)).toEqual([])
      }),
      // A world takes a while to be looked at in a hundred ways; a smaller one would not be found in time.
      { ...runs(0.03), endOnFailure: true },
    )
  })
})

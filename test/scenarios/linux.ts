// Scenarios on the running kernel, in namespaces of their own: the commands by the real programs.

import { execFileSync } from 'node:child_process'
import { complaintOf } from '../../src/kernel-linux/errno.ts'
import { removeLab } from '../../src/kernel-linux/lab.ts'
import { type Lab, labNames, type Names } from '../../src/kernel-linux/names.ts'
import { stacksOf } from '../../src/kernel-linux/rtnl/stack.ts'
import { openTraffic } from '../../src/kernel-linux/traffic/traffic.ts'
import { ns } from '../../src/net/name.ts'
import { rightOf } from '../kernel-linux/labs.ts'
import { PACE } from '../lib/pace.ts'
import { alsoOnLinux, beginning } from './beginning.ts'
import { holds } from './fact.ts'
import { differences, linesOf, type Scenario, type Step, spacesOf, told, unsaid } from './scenario.ts'

/** Words as sh(1) reads them, with single quotes. */
const wordsOf = (line: string): ReadonlyArray<string> =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')

const BEFORE_A_NAMESPACE: ReadonlySet<string> = new Set(['-n', 'netns', 'exec'])

/** The same command with the namespaces' real names. */
const realWords = (names: Names, spaces: ReadonlySet<string>, line: string): ReadonlyArray<string> =>
  wordsOf(line).map((word, at, all) =>
    BEFORE_A_NAMESPACE.has(all[at - 1] ?? '') && spaces.has(word) ? (names(ns(word)) ?? word) : word,
  )

/** Null, or the errno that the program tells of. */
const run = (names: Names, spaces: ReadonlySet<string>, line: string): string | null => {
  const [program = '', ...words] = realWords(names, spaces, line)
  try {
    execFileSync(program, words, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
    return null
  } catch (error) {
    // What execFileSync throws has what the program wrote.
    return complaintOf((error as { stderr: string }).stderr).errno
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const SETTLED_MS = 2000

/** Where br_netfilter is loaded, bridged packets meet the hooks of IP, and its checks. Refused where it is not. */
const withoutBridgeNetfilter = (space: string): string =>
  `ip netns exec ${space} sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 net.bridge.bridge-nf-call-arptables=0`

/** Who answers for others does so at once, and not after a while by chance. Only devices that are there can be told. */
const hasten = (names: Names, { spaces }: Scenario): void => {
  const script = 'for file in /proc/sys/net/ipv[46]/neigh/*/proxy_delay; do echo 0 >$file; done'
  for (const space of spaces) execFileSync('ip', ['netns', 'exec', names(ns(space)) ?? '', 'sh', '-c', script])
}

/** Runs a scenario; what was otherwise than expected, each with its step. */
export const runOnLinux = async (lab: Lab, scenario: Scenario): Promise<ReadonlyArray<string>> => {
  const names = labNames(lab)
  const spaces = new Set(scenario.spaces)
  const found: string[] = []
  try {
    for (const space of scenario.spaces) execFileSync('ip', ['netns', 'add', names(ns(space)) ?? ''])
    for (const space of scenario.spaces) run(names, spaces, withoutBridgeNetfilter(space))
    for (const line of [...alsoOnLinux(scenario), ...beginning(scenario), ...linesOf(scenario.network)]) {
      const errno = run(names, spaces, line)
      if (errno !== null) return [`${line}: ${errno}`]
    }
    hasten(names, scenario)
    await quiet(names, scenario)
    const traffic = rightOf(openTraffic(names, spacesOf(scenario), PACE))
    try {
      for (const step of scenario.steps) for (const each of await taken(step)) found.push(`${told(step)}: ${each}`)
    } finally {
      traffic.close()
    }
    async function taken(step: Step): Promise<ReadonlyArray<string>> {
      if ('run' in step) {
        const errno = run(names, spaces, step.run)
        const wanted = 'fails' in step ? step.fails : null
        return errno === wanted ? [] : [`${errno ?? 'done'} and not ${wanted ?? 'done'}`]
      }
      if ('shows' in step) {
        const [program = '', ...words] = realWords(names, spaces, step.shows)
        return unsaid(step.words, execFileSync(program, words, { encoding: 'utf8' }))
      }
      if ('wait' in step) {
        await sleep(step.wait)
        return []
      }
      if ('attempt' in step) return differences(step.expect, rightOf(await traffic.attempt(step.attempt)))
      return holds(step.fact, rightOf(await stacksOf(names, [ns(step.fact.ns)])))
    }
  } finally {
    rightOf(await removeLab(lab))
  }
  return found
}

/** Linkwatch and bridges have done what they do when devices come up. */
const quiet = async (names: Names, scenario: Scenario): Promise<void> => {
  const end = performance.now() + SETTLED_MS
  while (performance.now() < end) {
    const stacks = rightOf(await stacksOf(names, spacesOf(scenario)))
    const isQuiet = [...stacks.values()].every(
      ({ links, addresses }) =>
        links.every(
          ({ up, carrier, operstate }) => operstate === 'unknown' || (up && carrier) === (operstate === 'up'),
        ) && addresses.every(({ flags }) => !flags.includes('tentative')),
    )
    if (isQuiet) return
    await sleep(10)
  }
}

// Scenarios in the simulation: the commands by our own shell, the tries over the data path.

import { runText } from '../../src/cli/shell/session.ts'
import { type SimTerminal, simTerminal } from '../../src/cli/shell/sim-terminal.ts'
import { complaintOf } from '../../src/kernel-linux/errno.ts'
import { hostWorld } from '../../src/kernel-sim/control.ts'
import { receive } from '../../src/kernel-sim/datapath/device.ts'
import { agedDevices } from '../../src/kernel-sim/datapath/kind/close.ts'
import { run } from '../../src/kernel-sim/datapath/loop.ts'
import { runTry } from '../../src/kernel-sim/datapath/traffic.ts'
import { PARTS } from '../../src/kernel-sim/datapath/wired.ts'
import { onWorld } from '../../src/kernel-sim/datapath/world.ts'
import { stackOf } from '../../src/kernel-sim/stack.ts'
import type { World } from '../../src/kernel-sim/state.ts'
import { HOST, ns } from '../../src/net/name.ts'
import { mapOf, valuesOf } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'
import type { Done } from '../../src/shell/done.ts'
import { newShell } from '../../src/shell/shell.ts'
import { beginning } from './beginning.ts'
import { holds } from './fact.ts'
import { differences, linesOf, type Scenario, type Step, told, unsaid } from './scenario.ts'

type Answer = Readonly<{ errno: string | null; stdout: string }>

const answerTo = async (terminal: SimTerminal, line: string): Promise<Answer> => {
  const dones: Done[] = []
  const ran = await runText(
    terminal,
    newShell(HOST),
    { name: 'scenario', text: line },
    (_, done) => dones.push(done),
    (words) => {
      throw new Error(words)
    },
  )
  if (E.isLeft(ran)) throw new Error(JSON.stringify(ran.left))
  const errno = ran.right.status === 0 ? null : complaintOf(dones.map(({ stderr }) => stderr).join('')).errno
  return { errno, stdout: dones.map(({ stdout }) => stdout).join('') }
}

/** Null, or the errno that our shell tells of. */
const command = async (terminal: SimTerminal, line: string): Promise<string | null> =>
  (await answerTo(terminal, line)).errno

/** What happens by itself in this time. */
export const passTime = (world: World, ms: number): World => {
  const { world: later } = onWorld(PARTS, world, (plane) => run(plane, receive, plane.nowMs + ms))
  const namespaces = mapOf(
    valuesOf(later.namespaces).map((entry) => [entry.ns, agedDevices(entry, later.nowMs)] as const),
  )
  return { ...later, namespaces }
}

/** Runs a scenario; what was otherwise than expected, each with its step. */
export const runOnSim = async (scenario: Scenario, machine: World = hostWorld()): Promise<ReadonlyArray<string>> => {
  const terminal = simTerminal(machine)
  for (const line of [
    ...scenario.spaces.map((space) => `ip netns add ${space}`),
    ...beginning(scenario),
    ...linesOf(scenario.network),
  ]) {
    const errno = await command(terminal, line)
    if (errno !== null) return [`${line}: ${errno}`]
  }
  const taken = async (step: Step): Promise<ReadonlyArray<string>> => {
    if ('run' in step) {
      const errno = await command(terminal, step.run)
      const wanted = 'fails' in step ? step.fails : null
      return errno === wanted ? [] : [`${errno ?? 'done'} and not ${wanted ?? 'done'}`]
    }
    if ('shows' in step) return unsaid(step.words, (await answerTo(terminal, step.shows)).stdout)
    if ('wait' in step) {
      terminal.put(passTime(terminal.world(), step.wait))
      return []
    }
    if ('attempt' in step) {
      const { world, account } = runTry(PARTS, terminal.world(), step.attempt)
      terminal.put(world)
      return differences(step.expect, account)
    }
    const space = ns(step.fact.ns)
    const stack = stackOf(terminal.world(), space)
    return holds(step.fact, new Map(stack === null ? [] : [[space, stack]]))
  }
  const found: string[] = []
  for (const step of scenario.steps) for (const each of await taken(step)) found.push(`${told(step)}: ${each}`)
  return found
}

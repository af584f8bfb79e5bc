// cnm doctor --machine: what this machine and this user can do. Anybody may ask, and nothing changes.

import { lookAtMachine } from '../../kernel-linux/capabilities/look.ts'
import { BASICS, type Capabilities, lackingOf, mayChange } from '../../kernel-linux/capabilities.ts'
import { E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import type { Io } from '../io.ts'
import { type Problem, problem } from '../problem.ts'
import { jsonText } from '../render/json.ts'
import { machineText } from '../render/machine.ts'

/** What stands in the way of every network, in sentences. */
const obstacles = (capabilities: Capabilities): ReadonlyArray<string> => [
  ...(mayChange(capabilities.user) || capabilities.features.userns.is === 'there'
    ? []
    : ['this user may not change networks, neither here nor in a user namespace']),
  ...lackingOf(capabilities, BASICS),
]

/** How a user without rights can use cnm all the same. */
const say = (io: Io, { user }: Capabilities, lacks: ReadonlyArray<string>): void => {
  for (const lack of lacks) io.err(`note: ${lack}`)
  if (lacks.length > 0 || mayChange(user)) return
  io.err('note: this user may not change the networks of this machine, but "cnm run --rootless" works')
}

export const machine = async (io: Io, { json }: Readonly<{ json: boolean }>): Promise<Either<Problem, number>> => {
  if (process.platform !== 'linux') return problem(EXIT.machine, `this is ${process.platform}, not Linux`)
  const capabilities = await lookAtMachine()
  const lacks = obstacles(capabilities)
  if (json) io.out(jsonText({ ...capabilities, lacking: lacks }))
  else io.out(machineText(capabilities, io.paint))
  if (!json) say(io, capabilities, lacks)
  return E.right(lacks.length === 0 ? EXIT.ok : EXIT.machine)
}

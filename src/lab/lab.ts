// A project built on a kernel: the world around the host, then the project's commands through the engine, then questions.

import { type Engine, freshEngine } from '../engine/engine.ts'
import { diff } from '../kernel/diff.ts'
import type { Kernel, KernelError, Refusal } from '../kernel/kernel.ts'
import { EMPTY_STATE } from '../kernel/state.ts'
import type { Command } from '../model/command.ts'
import type { CnmError } from '../model/error.ts'
import type { Model, SandboxId } from '../model/types.ts'
import { overlaps } from '../net/cidr.ts'
import { type IfName, parseNewIfName } from '../net/name.ts'
import { getIn } from '../net/pmap.ts'
import type { Port, Transport } from '../net/port.ts'
import { E, type Either } from '../prelude.ts'
import type { Container } from './place.ts'
import { UPLINK, UPLINK_SUBNETS, worldWith } from './world.ts'

/** A container of the plan, in the order it is shown; several may share a sandbox. */
export type PlannedContainer = Readonly<{
  name: string
  service: string
  sandbox: SandboxId
  listens: ReadonlyArray<Readonly<{ port: Port; proto: Transport }>>
}>

/** What to build. `at` is where in the user's file a command comes from; errors carry it back. */
export type LabPlan<At> = Readonly<{
  commands: ReadonlyArray<Readonly<{ command: Command; at: At }>>
  containers: ReadonlyArray<PlannedContainer>
}>

export type Lab = Readonly<{ kernel: Kernel; engine: Engine; containers: ReadonlyArray<Container> }>

export type LabError<At> = Readonly<
  { tag: 'Refused'; error: CnmError; at: At } | { tag: 'NoWorld'; error: KernelError | ReadonlyArray<Refusal> }
>

/** What the engine refused, without what follows from it: what was never made, or has an earlier one's very reason. */
const rootCauses = <At>(
  refused: ReadonlyArray<Extract<LabError<At>, { tag: 'Refused' }>>,
): ReadonlyArray<LabError<At>> => {
  const first = refused.filter(({ error }, i) => refused.findIndex((other) => other.error === error) === i)
  const causes = first.filter(({ error }) => error.tag !== 'NotFound')
  return causes.length > 0 ? causes : first
}

/** The planned containers that there are, with what was decided for them. */
export const settle = (model: Model, planned: ReadonlyArray<PlannedContainer>): ReadonlyArray<Container> =>
  planned.flatMap(({ sandbox: id, ...rest }) => {
    const sandbox = getIn(model.sandboxes, id)
    return sandbox === undefined ? [] : [{ tag: 'container', ...rest, sandbox }]
  })

/** Networks of these drivers are on a card of the host's, and none of their addresses is the host's. */
const ON_CARDS: ReadonlySet<string> = new Set(['macvlan', 'ipvlan'])

/** A network on the subnet of the host's uplink would shadow it, but for one that is on its wire. */
const collisionsOf = (command: Command): ReadonlyArray<CnmError> =>
  command.tag !== 'CreateNetwork' || ON_CARDS.has(command.driver)
    ? []
    : command.pools.flatMap(({ subnet }) =>
        UPLINK_SUBNETS.flatMap(
          (uplink): ReadonlyArray<CnmError> =>
            subnet !== null && overlaps(subnet, uplink)
              ? [{ tag: 'PoolOverlap', asked: subnet, with: uplink, space: 'LocalDefault' }]
              : [],
        ),
      )

/** A host in a lab has the cards that a project names, with or without a VLAN. */
const cardsOf = (commands: ReadonlyArray<Command>): ReadonlyArray<IfName> => {
  const names = commands.flatMap((command) => {
    const parent =
      command.tag === 'CreateNetwork' && ON_CARDS.has(command.driver) ? command.options['parent'] : undefined
    const name = parseNewIfName(parent?.replace(/\.[0-9]+$/, '') ?? '')
    return E.isLeft(name) || name.right === UPLINK ? [] : [name.right]
  })
  return [...new Set(names)]
}

/** Builds the world and the plan on an empty kernel. On an error the kernel holds what was built so far. */
export const openLab = async <At>(
  kernel: Kernel,
  plan: LabPlan<At>,
): Promise<Either<ReadonlyArray<LabError<At>>, Lab>> => {
  const collisions = plan.commands.flatMap(({ command, at }) =>
    collisionsOf(command).map((error) => ({ tag: 'Refused' as const, error, at })),
  )
  if (collisions.length > 0) return E.left(collisions)
  const cards = cardsOf(plan.commands.map(({ command }) => command))
  const world = await kernel.apply(diff(EMPTY_STATE, worldWith(cards)))()
  if (E.isLeft(world)) return E.left([{ tag: 'NoWorld', error: world.left }])
  const engine = freshEngine({ kernel })
  const answers = await engine.submit(plan.commands.map(({ command }) => command))
  const refused = answers.flatMap((answer, i) => {
    const from = plan.commands[i]
    return E.isLeft(answer) && from !== undefined ? [{ tag: 'Refused' as const, error: answer.left, at: from.at }] : []
  })
  if (refused.length > 0) return E.left(rootCauses(refused))
  return E.right({ kernel, engine, containers: settle(engine.model(), plan.containers) })
}

// cnm run: what the networks of a Compose file will do.

import { labNames } from '../../kernel-linux/names.ts'
import { type ContainerView, containerViews, type NetworkView, networkViews } from '../../lab/inventory.ts'
import { questionsOf, type Row, rowOf } from '../../lab/reach.ts'
import { ns } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import type { Io } from '../io.ts'
import type { MachineOptions } from '../machine.ts'
import type { Problem } from '../problem.ts'
import { inventory } from '../render/inventory.ts'
import { jsonText } from '../render/json.ts'
import { reachability } from '../render/reach.ts'
import { labPlanOf, networkOrder, readSource, type Source } from '../source.ts'
import { type KernelName, type Survey, survey } from '../survey.ts'

export type RunOptions = Source & MachineOptions & Readonly<{ kernel: KernelName; json: boolean }>

/** What --json prints. */
export type RunReport = Readonly<{
  networks: ReadonlyArray<NetworkView>
  containers: ReadonlyArray<ContainerView>
  reachability: ReadonlyArray<Row>
}>

const show = (io: Io, report: RunReport): void => {
  const { networks, containers, reachability: rows } = report
  io.out(inventory(networks, containers, io.paint))
  io.out('')
  io.out(reachability({ containers, rows }, io.paint, io.width))
}

/** How to enter and leave what was kept. */
const sayKept = (io: Io, { kept, simulation }: Survey): void => {
  if (kept === null) return
  const name = labNames(kept)
  const inside = simulation.lab.containers[0]?.sandbox.ns ?? ns('host')
  io.err(`lab ${kept} is still there:`)
  io.err(`  enter a container   ip netns exec ${name(inside)} sh`)
  io.err(`  enter its host      ip netns exec ${name(ns('host'))} sh`)
  io.err(`  remove it           cnm down ${kept}`)
}

export const run = async (io: Io, options: RunOptions): Promise<Either<Problem, number>> => {
  const project = await readSource(io, options)
  if (E.isLeft(project)) return project
  const plan = labPlanOf(project.right)
  const found = await survey(io, project.right, plan, options, ({ containers }) => questionsOf(containers))
  if (E.isLeft(found)) return found
  const { simulation, findings } = found.right
  const model = simulation.lab.engine.model()
  const report: RunReport = {
    networks: networkViews(model, networkOrder(project.right)),
    containers: containerViews(model, simulation.lab.containers),
    reachability: findings.map(rowOf),
  }
  if (options.json) io.out(jsonText(report))
  else show(io, report)
  sayKept(io, found.right)
  return E.right(EXIT.ok)
}

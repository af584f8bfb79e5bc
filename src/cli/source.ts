// From the files of the command line to what a lab is built from.

import { existsSync } from 'node:fs'
import type { At } from '../compose/at.ts'
import { networkIdOf, sandboxIdOf, toCommands } from '../compose/commands.ts'
import { explainNote } from '../compose/error.ts'
import { loadProject } from '../compose/load.ts'
import type { Project, ProjectContainer } from '../compose/project.ts'
import type { LabPlan, PlannedContainer } from '../lab/lab.ts'
import type { NetworkId } from '../model/types.ts'
import { E, type Either } from '../prelude.ts'
import { EXIT } from './exit.ts'
import type { Io } from './io.ts'
import { composeProblem, type Problem, problem } from './problem.ts'

/** What every verb that reads a Compose file takes. */
export type Source = Readonly<{
  files: ReadonlyArray<string>
  projectName?: string
  profiles: ReadonlyArray<string>
  envFile?: string
}>

/** In the order in which Compose looks for them. */
const DEFAULT_FILES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']

/** Reads the project and says what it holds that has a bearing and is not supported. */
export const readSource = async (io: Io, source: Source): Promise<Either<Problem, Project>> => {
  const found = DEFAULT_FILES.find((file) => existsSync(file))
  const files = source.files.length > 0 ? source.files : found === undefined ? [] : [found]
  if (files.length === 0)
    return problem(EXIT.wrong, `no Compose file was given, and there is no ${DEFAULT_FILES[0]} in this folder`)
  const { projectName, profiles, envFile } = source
  const project = await loadProject(files, {
    env: process.env,
    profiles,
    ...(projectName === undefined ? {} : { projectName }),
    ...(envFile === undefined ? {} : { envFile }),
  })()
  if (E.isLeft(project)) return E.left(composeProblem(project.left))
  for (const note of project.right.notes) io.err(`note: ${explainNote(note)}`)
  return project
}

/** The container in whose namespace this one lives. */
const holderOf = (project: Project, container: ProjectContainer): ProjectContainer => {
  const { mode } = container
  const holder = mode.tag === 'container' ? project.containers.find(({ name }) => name === mode.of) : undefined
  return holder === undefined ? container : holderOf(project, holder)
}

const plannedOf = (project: Project, container: ProjectContainer): PlannedContainer => ({
  name: container.name,
  service: container.service,
  sandbox: sandboxIdOf(project, holderOf(project, container).name),
  listens: [
    ...container.ports.map(({ containerPort, transport }) => ({ port: containerPort, proto: transport })),
    ...container.expose,
  ],
})

export const labPlanOf = (project: Project): LabPlan<At> => ({
  commands: toCommands(project).commands,
  containers: project.containers.map((container) => plannedOf(project, container)),
})

/** The project's networks in the order of the file. */
export const networkOrder = (project: Project): ReadonlyArray<NetworkId> =>
  project.networks.map(({ key }) => networkIdOf(project, key))

// Short ways to read a file in a test and to show what came out.

import { type ReadOptions, readProject } from '../../src/compose/compose.ts'
import { explainCompose } from '../../src/compose/error.ts'
import type { Project, ProjectAttachment, ProjectContainer } from '../../src/compose/project.ts'
import { E } from '../../src/prelude.ts'

const OPTIONS: ReadOptions = { env: {}, directory: '/srv/shop', profiles: [] }

export const readMany = (texts: ReadonlyArray<string>, options: Partial<ReadOptions> = {}) =>
  readProject(
    texts.map((text, i) => ({ path: i === 0 ? 'compose.yaml' : `compose.${i}.yaml`, text })),
    { ...OPTIONS, ...options },
  )

/** The project of these files; the test fails with their errors if there is none. */
export const projectOf = (texts: string | ReadonlyArray<string>, options: Partial<ReadOptions> = {}): Project => {
  const result = readMany(typeof texts === 'string' ? [texts] : texts, options)
  if (E.isLeft(result)) throw new Error(result.left.map(explainCompose).join('\n'))
  return result.right
}

/** The sentences, with places, that these files are refused with. */
export const refusalsOf = (
  texts: string | ReadonlyArray<string>,
  options: Partial<ReadOptions> = {},
): ReadonlyArray<string> => {
  const result = readMany(typeof texts === 'string' ? [texts] : texts, options)
  return E.isLeft(result) ? result.left.map(explainCompose) : []
}

export const containerOf = (project: Project, name: string): ProjectContainer => {
  const found = project.containers.find((container) => container.name === name)
  if (found === undefined) throw new Error(`no container ${name}`)
  return found
}

export const attachmentsOf = (project: Project, name: string): ReadonlyArray<ProjectAttachment> => {
  const { mode } = containerOf(project, name)
  return mode.tag === 'networks' ? mode.attachments : []
}

export const networkKeysOf = (project: Project, name: string): ReadonlyArray<string> =>
  attachmentsOf(project, name).map(({ network }) => network)

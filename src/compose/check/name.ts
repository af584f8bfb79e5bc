// Names that must be one container's or one network's: what we call it, and what Docker would.

import type { At } from '../at.ts'
import type { ProjectContainer, ProjectNetwork } from '../project.ts'
import type { Report } from '../report.ts'

const checkUnique = (
  what: string,
  items: ReadonlyArray<Readonly<{ at: At }>>,
  nameOf: (i: number) => string,
  report: Report,
) => {
  const seen = new Map<string, At>()
  for (const [i, { at }] of items.entries()) {
    const name = nameOf(i)
    const first = seen.get(name)
    if (first === undefined) seen.set(name, at)
    else report.errors.push({ tag: 'NameTwice', what, name, first, at })
  }
}

export const checkNames = (
  containers: ReadonlyArray<ProjectContainer>,
  networks: ReadonlyArray<ProjectNetwork>,
  report: Report,
): void => {
  checkUnique('container name', containers, (i) => containers[i]?.name ?? '', report)
  checkUnique('container name', containers, (i) => containers[i]?.fullName ?? '', report)
  checkUnique('network name', networks, (i) => networks[i]?.name ?? '', report)
}

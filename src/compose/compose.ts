// The story of a Compose file: read -> interpolate -> validate -> extend (per document) -> merge -> select by profile ->
// normalise -> check. A stage hands on only what is whole; if it found mistakes, they are told, all of them, and the story
// ends. No I/O; total: any text gives an Either, and every error has a place inside its file.

import { E, type Either } from '../prelude.ts'
import { startOf } from './at.ts'
import { checkAddresses } from './check/address.ts'
import { assignHostPorts } from './check/host-port.ts'
import { checkNames } from './check/name.ts'
import { checkSubnets, noteIdleSubnets } from './check/subnet.ts'
import { applyExtends } from './combine/extends.ts'
import { mergeTrees, settle } from './combine/merge.ts'
import { type Services, selectServices } from './combine/profiles.ts'
import type { ComposeError } from './error.ts'
import { expectationsOf, namesOf } from './expect.ts'
import { parseDotenv } from './interpolate/dotenv.ts'
import { interpolate, interpolateScalar } from './interpolate/interpolate.ts'
import type { Lookup } from './interpolate/template.ts'
import { containersOf, usedNetworks } from './normalise/container.ts'
import type { World } from './normalise/mode.ts'
import { baseName, normaliseName } from './normalise/name.ts'
import { networkFrom } from './normalise/network.ts'
import { servicesFrom } from './normalise/service.ts'
import type { Project } from './project.ts'
import { readFile, type SourceFile } from './read/read.ts'
import { emptyReport, type Report, tidyErrors, tidyNotes } from './report.ts'
import { child, entriesOf, type Mapping, textOf } from './tree.ts'
import { validate } from './validate/validate.ts'

/** At least one. */
export type Errors = readonly [ComposeError, ...ReadonlyArray<ComposeError>]

export type ReadOptions = Readonly<{
  /** The environment; it wins over `dotenv`. COMPOSE_PROJECT_NAME and COMPOSE_PROFILES are honoured. */
  env: Readonly<Record<string, string | undefined>>
  /** Content of the `.env` file; with a path, mistakes name that. */
  dotenv?: string | SourceFile
  /** Wins over everything; must be a project name already. */
  projectName?: string
  /** The project's directory; its last part is the last resort for a name. */
  directory: string
  /** Active profiles; `*` is all of them. */
  profiles: ReadonlyArray<string>
}>

const failed = (errors: ReadonlyArray<ComposeError>): Either<Errors, never> | null => {
  const [first, ...rest] = tidyErrors(errors)
  return first === undefined ? null : E.left([first, ...rest])
}

const readAll = (files: ReadonlyArray<SourceFile>): Either<Errors, ReadonlyArray<Mapping>> => {
  const results = files.map(readFile)
  const errors = results.flatMap((result) => (E.isLeft(result) ? result.left : []))
  const none: ReadonlyArray<ComposeError> = files.length === 0 ? [{ tag: 'NoFile', at: startOf('compose.yaml') }] : []
  return failed([...none, ...errors]) ?? E.right(results.flatMap((result) => (E.isRight(result) ? result.right : [])))
}

const lookupOf = (options: ReadOptions): Either<Errors, Lookup> => {
  const outer: Lookup = (name) => (Object.hasOwn(options.env, name) ? options.env[name] : undefined)
  const { dotenv = '' } = options
  const { path, text } = typeof dotenv === 'string' ? { path: '.env', text: dotenv } : dotenv
  const variables = parseDotenv(path, text, outer)
  if (E.isLeft(variables)) return E.left([variables.left])
  return E.right((name) => outer(name) ?? variables.right.get(name))
}

/** Option, environment, the last file that says `name:`, directory (the Compose Specification's order). */
const projectName = (
  documents: ReadonlyArray<Mapping>,
  lookup: Lookup,
  options: ReadOptions,
  file: string,
): Either<Errors, string> => {
  const said = options.projectName ?? (lookup('COMPOSE_PROJECT_NAME') || undefined)
  if (said !== undefined && (said === '' || normaliseName(said) !== said))
    return E.left([{ tag: 'BadProjectName', name: said, at: startOf(file) }])
  const written = documents.map((document) => child(document, 'name')).findLast((name) => textOf(name))
  const value = written?.tag === 'scalar' ? interpolateScalar(written, ['name'], lookup, emptyReport()) : undefined
  const name = said ?? (normaliseName(textOf(value) ?? '') || normaliseName(baseName(options.directory)))
  return name === '' ? E.left([{ tag: 'BadProjectName', name, at: startOf(file) }]) : E.right(name)
}

/** Each document by itself, then all of them as one. */
const combine = (documents: ReadonlyArray<Mapping>, lookup: Lookup, report: Report): Either<Errors, Mapping> => {
  const filled = documents.map((document) => interpolate(document, lookup, report))
  const missing = failed(report.errors)
  if (missing !== null) return missing
  for (const document of filled) validate(document, report)
  const invalid = failed(report.errors)
  if (invalid !== null) return invalid
  const extended = filled.map((document) => applyExtends(document, report))
  const unresolved = failed(report.errors)
  if (unresolved !== null) return unresolved
  const merged = settle(extended.reduce<Mapping>((all, next) => mergeTrees(all, next, []) as Mapping, EMPTY))
  if (merged.tag === 'mapping' && entriesOf(child(merged, 'services')).length > 0) return E.right(merged)
  const at = documents[0]?.entries.get('services')?.keyAt ?? documents[0]?.at ?? EMPTY.at
  return E.left([{ tag: 'MissingKey', path: 'the file', key: 'services', at }])
}

// Two mappings merge to a mapping, hence the cast above.
const EMPTY: Mapping = { tag: 'mapping', entries: new Map(), at: startOf('compose.yaml'), directive: null }

const normalise = (project: string, tree: Mapping, { active, inactive }: Services, report: Report): World => ({
  project,
  inactive,
  networks: new Map(
    entriesOf(child(tree, 'networks')).map(([key, entry]) => [key, networkFrom(project, key, entry, report)]),
  ),
  services: servicesFrom(active, inactive.keys(), report),
})

const absentNames = (world: World): ReadonlyMap<string, string> =>
  new Map([
    ...[...world.inactive].map(
      ([name, profiles]) => [name, `"${name}" needs the profile ${profiles.join(' or ')}`] as const,
    ),
    ...[...world.services.values()].flatMap(({ name, replicas }) =>
      replicas === 0 ? [[name, `"${name}" has no replicas`] as const] : [],
    ),
  ])

const assemble = (world: World, tree: Mapping, report: Report): Either<Errors, Project> => {
  const containers = containersOf(world, report)
  const networks = usedNetworks(world, containers, report)
  const wrong = failed(report.errors)
  if (wrong !== null) return wrong
  const declared = [...world.networks.values()]
  checkSubnets(declared, report)
  noteIdleSubnets(networks, report)
  checkNames(containers, networks, report)
  checkAddresses(containers, networks, (service) => world.services.get(service)?.replicas ?? 0, report)
  report.errors.push(...assignHostPorts(containers).clashes)
  const expectations = expectationsOf(tree, namesOf(containers, absentNames(world)), report)
  const notes = tidyNotes(report.notes)
  return failed(report.errors) ?? E.right({ name: world.project, networks, containers, expectations, notes })
}

/** Reads the files, in the order in which later ones override earlier ones. Left: every mistake of the first bad stage. */
export const readProject = (files: ReadonlyArray<SourceFile>, options: ReadOptions): Either<Errors, Project> => {
  const documents = readAll(files)
  if (E.isLeft(documents)) return documents
  const lookup = lookupOf(options)
  if (E.isLeft(lookup)) return lookup
  const name = projectName(documents.right, lookup.right, options, files[0]?.path ?? 'compose.yaml')
  if (E.isLeft(name)) return name
  const named: Lookup = (variable) => (variable === 'COMPOSE_PROJECT_NAME' ? name.right : lookup.right(variable))
  const report = emptyReport()
  const tree = combine(documents.right, named, report)
  if (E.isLeft(tree)) return tree
  const profiles = options.profiles.length > 0 ? options.profiles : (named('COMPOSE_PROFILES') ?? '').split(/\s*,\s*/)
  const world = normalise(name.right, tree.right, selectServices(tree.right, profiles), report)
  return assemble(world, tree.right, report)
}

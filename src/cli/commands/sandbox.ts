// cnm sandbox: create, change, list, look at and remove. A sandbox is a network namespace with the endpoints of one container.

import { labOfName } from '../../kernel-linux/names.ts'
import { type Sandbox, sandboxId } from '../../model/types.ts'
import { HOST, type Ns, ns, parseNs } from '../../net/name.ts'
import { valuesOf } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import { type ChangeOptions, change, type Deed, removeAll } from '../host/change.ts'
import { hasLabel } from '../host/filter.ts'
import { randomId } from '../host/id.ts'
import { inspectAll, type Listable, type ListOptions, listAll } from '../host/list.ts'
import type { Place } from '../host/place.ts'
import { misused } from '../host/read.ts'
import { readSandbox, type SandboxWords } from '../host/read-sandbox.ts'
import { shortId, theSandbox } from '../host/resolve.ts'
import { type PortView, type SandboxView, sandboxView } from '../host/view.ts'
import type { Io } from '../io.ts'
import { isRunLab } from '../lab-name.ts'
import type { Problem } from '../problem.ts'
import { portText } from '../render/inventory.ts'

type Result = Promise<Either<Problem, number>>

export type CreateOptions = ChangeOptions & SandboxWords & Readonly<{ netns?: string; external: boolean }>

/** `cnm down` removes namespaces by the form of their names. */
const looksLikeLab = (name: string): boolean => {
  const lab = labOfName(name)
  return lab !== null && isRunLab(lab)
}

const nsOf = (name: string, id: string, asked: string | undefined): Either<Problem, Ns> => {
  if (asked === undefined) {
    const own = parseNs(`cnm-${name}`)
    return E.right(E.isRight(own) && !looksLikeLab(own.right) ? own.right : ns(`cnm-${shortId(id)}`))
  }
  const parsed = parseNs(asked)
  if (E.isLeft(parsed)) return misused(`--netns: ${parsed.left}`)
  return looksLikeLab(parsed.right)
    ? misused(`--netns: "${asked}" is what "cnm run" calls its own, which "cnm down" removes; choose another name`)
    : parsed
}

export const create = async (io: Io, name: string, options: CreateOptions): Result => {
  const id = sandboxId(randomId())
  const space = nsOf(name, id, options.netns)
  const wishes = readSandbox(options)
  if (E.isLeft(space)) return space
  if (E.isLeft(wishes)) return wishes
  const deed: Deed = {
    title: `create sandbox "${name}"${space.right === HOST ? ' in the namespace of the host' : ''}`,
    commands: [
      {
        tag: 'CreateSandbox',
        id,
        container: name,
        ns: space.right,
        external: options.external,
        ...wishes.right,
        hostname: wishes.right.hostname ?? name,
      },
    ],
    says: id,
  }
  return change(io, options, () => [() => E.right(deed)])
}

/** A change of the sandbox that a word means, that says nothing. */
const changeOne = (
  io: Io,
  options: ChangeOptions,
  word: string,
  deedOf: (sandbox: Sandbox) => Omit<Deed, 'says'>,
): Result =>
  change(io, options, () => [
    (model) => E.map((sandbox: Sandbox): Deed => ({ ...deedOf(sandbox), says: null }))(theSandbox(model, word)),
  ])

export type RefreshOptions = ChangeOptions & SandboxWords

/** All options anew; what is not said is gone. */
export const refresh = async (io: Io, word: string, options: RefreshOptions): Result => {
  const wishes = readSandbox(options)
  if (E.isLeft(wishes)) return wishes
  return changeOne(io, options, word, ({ id, container }) => ({
    title: `give sandbox "${container}" its options anew`,
    commands: [{ tag: 'RefreshSandbox', id, ...wishes.right, hostname: wishes.right.hostname ?? container }],
  }))
}

/** With all of its endpoints. */
export const rename = (io: Io, word: string, name: string, options: ChangeOptions): Result =>
  changeOne(io, options, word, ({ id, container }) => ({
    title: `rename sandbox "${container}" to "${name}"`,
    commands: [{ tag: 'RenameSandbox', id, container: name }],
  }))

const PID = /^[1-9][0-9]*$/

/** Tells where the namespace is that somebody else made: its file, or the pid of a process in it. */
export const setKey = async (io: Io, word: string, place: string, options: ChangeOptions): Result => {
  const path = PID.test(place) ? `/proc/${place}/ns/net` : place
  if (!path.startsWith('/'))
    return misused(`"${place}" is not the path of a namespace, such as /proc/17/ns/net, nor the pid of a process in it`)
  return changeOne(io, options, word, ({ id, container }) => ({
    title: `set the key of sandbox "${container}"`,
    commands: [{ tag: 'SetKey', sandbox: id, path }],
  }))
}

const networksOf = ({ endpoints }: SandboxView): string =>
  endpoints.map(({ network, addresses }) => [network, ...addresses].join(' ')).join(', ') || '-'

const LISTABLE: Listable<SandboxView> = {
  of: (model) => valuesOf(model.sandboxes).map((sandbox) => sandboxView(model, sandbox)),
  tests: {
    label: ({ labels }, value) => hasLabel(labels, value),
    name: ({ name }, value) => name.includes(value),
    id: ({ id }, value) => id.startsWith(value),
    network: ({ endpoints }, value) =>
      endpoints.some(({ network, networkId }) => network === value || (value !== '' && networkId.startsWith(value))),
  },
  columns: {
    'SANDBOX ID': (view, id) => id(view.id),
    NAME: ({ name }) => name,
    NETNS: ({ netns }) => netns,
    NETWORKS: networksOf,
    PUBLISHED: ({ ports }) => ports.map((port: PortView) => portText(port)).join(', ') || '-',
  },
}

export const ls = (io: Io, options: ListOptions): Result => listAll(io, options, LISTABLE)

export const inspect = (io: Io, store: Place, words: ReadonlyArray<string>): Result =>
  inspectAll(io, store, words, theSandbox, sandboxView)

/** Takes its endpoints along, as a container that is gone. */
export const rm = (io: Io, words: ReadonlyArray<string>, options: ChangeOptions & { force: boolean }): Result =>
  removeAll(io, words, options, theSandbox, ({ id, container }) => ({
    title: `remove sandbox "${container}"`,
    commands: [{ tag: 'DeleteSandbox', id }],
  }))

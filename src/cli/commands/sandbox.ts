// cnm sandbox: create, list, look at and remove. A sandbox is a network namespace with the endpoints of one container.

import { labOfName } from '../../kernel-linux/names.ts'
import { type Sandbox, sandboxId } from '../../model/types.ts'
import { HOST, type Ns, ns, parseNs } from '../../net/name.ts'
import { valuesOf } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import { type ChangeOptions, change, type Deed, type Plan } from '../host/change.ts'
import { hasLabel } from '../host/filter.ts'
import { randomId } from '../host/id.ts'
import { inspect, type Listable, type ListOptions, list } from '../host/list.ts'
import { misused, readPairs, readPorts } from '../host/read.ts'
import { shortId, theSandbox } from '../host/resolve.ts'
import { type PortView, type SandboxView, sandboxView } from '../host/view.ts'
import type { Io } from '../io.ts'
import { isRunLab } from '../lab-name.ts'
import type { Problem } from '../problem.ts'
import { portText } from '../render/inventory.ts'

type Result = Promise<Either<Problem, number>>

export type CreateOptions = ChangeOptions &
  Readonly<{
    hostname?: string
    publish?: ReadonlyArray<string>
    netns?: string
    label?: ReadonlyArray<string>
  }>

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

export const sandboxCreate = async (io: Io, name: string, options: CreateOptions): Result => {
  const id = sandboxId(randomId())
  const space = nsOf(name, id, options.netns)
  const ports = readPorts(options.publish)
  if (E.isLeft(space)) return space
  if (E.isLeft(ports)) return ports
  const labels = readPairs('--label', options.label)
  if (E.isLeft(labels)) return labels
  const deed: Deed = {
    title: `create sandbox "${name}"${space.right === HOST ? ' in the namespace of the host' : ''}`,
    commands: [
      {
        tag: 'CreateSandbox',
        id,
        container: name,
        hostname: options.hostname ?? name,
        ns: space.right,
        ports: ports.right,
        labels: labels.right,
      },
    ],
    says: id,
  }
  return change(io, options, () => [() => E.right(deed)])
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

export const sandboxLs = (io: Io, options: ListOptions): Result => list(io, options, LISTABLE)

export const sandboxInspect = (io: Io, state: string, words: ReadonlyArray<string>): Result =>
  inspect(io, state, words, (model, word) =>
    E.map((sandbox: Sandbox) => sandboxView(model, sandbox))(theSandbox(model, word)),
  )

/** Takes its endpoints along, as a container that is gone. */
export const sandboxRm = (io: Io, words: ReadonlyArray<string>, options: ChangeOptions & { force: boolean }): Result =>
  change(io, options, () =>
    words.map(
      (word): Plan =>
        (model) => {
          const sandbox = theSandbox(model, word)
          if (E.isLeft(sandbox)) return options.force && sandbox.left.exit === EXIT.refused ? E.right(null) : sandbox
          const { id, container } = sandbox.right
          return E.right({
            title: `remove sandbox "${container}"`,
            commands: [{ tag: 'DeleteSandbox', id }],
            says: word,
          })
        },
    ),
  )

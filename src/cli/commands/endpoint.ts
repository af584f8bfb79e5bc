// cnm endpoint: create, list, look at and remove. An endpoint may wait on its network for a sandbox, with its addresses kept.

import { type Endpoint, endpointId } from '../../model/types.ts'
import { valuesOf } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import { type ChangeOptions, change, type Plan } from '../host/change.ts'
import { randomId } from '../host/id.ts'
import { inspect, type Listable, type ListOptions, list } from '../host/list.ts'
import { type EndpointWords, readWishes } from '../host/read.ts'
import { theEndpoint, theNetwork } from '../host/resolve.ts'
import { type EndpointView, endpointView } from '../host/view.ts'
import type { Io } from '../io.ts'
import type { Problem } from '../problem.ts'

type Result = Promise<Either<Problem, number>>

export type CreateOptions = ChangeOptions & EndpointWords

export const endpointCreate = async (io: Io, networkWord: string, name: string, options: CreateOptions): Result => {
  const wishes = readWishes(options)
  if (E.isLeft(wishes)) return wishes
  const id = endpointId(randomId())
  const plan: Plan = (model) => {
    const network = theNetwork(model, networkWord)
    if (E.isLeft(network)) return network
    return E.right({
      title: `create endpoint "${name}" of network "${network.right.name}"`,
      commands: [{ tag: 'CreateEndpoint', id, network: network.right.id, name, ...wishes.right }],
      says: id,
    })
  }
  return change(io, options, () => [plan])
}

const LISTABLE: Listable<EndpointView> = {
  of: (model) => valuesOf(model.endpoints).map((endpoint) => endpointView(model, endpoint)),
  tests: {
    name: ({ name }, value) => name.includes(value),
    id: ({ id }, value) => id.startsWith(value),
    network: ({ network, networkId }, value) => network === value || (value !== '' && networkId.startsWith(value)),
    sandbox: ({ sandbox, sandboxId }, value) =>
      sandbox === value || (value !== '' && sandboxId?.startsWith(value) === true),
  },
  columns: {
    'ENDPOINT ID': (view, id) => id(view.id),
    NAME: ({ name }) => name,
    NETWORK: ({ network }) => network,
    SANDBOX: ({ sandbox }) => sandbox ?? '-',
    INTERFACE: (view) => view.interface ?? '-',
    ADDRESSES: ({ addresses }) => addresses.join(' ') || '-',
    MAC: ({ mac }) => mac,
  },
}

export const endpointLs = (io: Io, options: ListOptions): Result => list(io, options, LISTABLE)

export const endpointInspect = (io: Io, state: string, words: ReadonlyArray<string>): Result =>
  inspect(io, state, words, (model, word) =>
    E.map((endpoint: Endpoint) => endpointView(model, endpoint))(theEndpoint(model, word)),
  )

/** With force also one that is joined, and one that is not there. */
export const endpointRm = (io: Io, words: ReadonlyArray<string>, options: ChangeOptions & { force: boolean }): Result =>
  change(io, options, () =>
    words.map(
      (word): Plan =>
        (model) => {
          const endpoint = theEndpoint(model, word)
          if (E.isLeft(endpoint)) return options.force && endpoint.left.exit === EXIT.refused ? E.right(null) : endpoint
          const { id, name } = endpoint.right
          const title = `remove endpoint "${name}"`
          return E.right({ title, commands: [{ tag: 'DeleteEndpoint', id, force: options.force }], says: word })
        },
    ),
  )

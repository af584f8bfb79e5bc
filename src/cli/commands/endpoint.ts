// cnm endpoint: create, list, look at and remove. An endpoint may wait on its network for a sandbox, with its addresses kept.

import { endpointId } from '../../model/types.ts'
import { valuesOf } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import { type ChangeOptions, change, type Plan, removeAll } from '../host/change.ts'
import { randomId } from '../host/id.ts'
import { inspectAll, type Listable, type ListOptions, listAll } from '../host/list.ts'
import type { Place } from '../host/place.ts'
import { type EndpointWords, readWishes, readWords } from '../host/read.ts'
import { theEndpoint, theNetwork } from '../host/resolve.ts'
import { type EndpointView, endpointView } from '../host/view.ts'
import type { Io } from '../io.ts'
import type { Problem } from '../problem.ts'

type Result = Promise<Either<Problem, number>>

export type CreateOptions = ChangeOptions & EndpointWords

export const create = async (io: Io, networkWord: string, name: string, options: CreateOptions): Result => {
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
    host: ({ host }, value) => host === value,
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
  sharedColumns: { HOST: ({ host }) => host ?? '-' },
}

export const ls = (io: Io, options: ListOptions): Result => listAll(io, options, LISTABLE)

export const inspect = (io: Io, store: Place, words: ReadonlyArray<string>): Result =>
  inspectAll(io, store, words, theEndpoint, endpointView)

/** With force also one that is joined, and one that is not there. */
export const rm = (io: Io, words: ReadonlyArray<string>, options: ChangeOptions & { force: boolean }): Result =>
  removeAll(io, words, options, theEndpoint, ({ id, name }) => ({
    title: `remove endpoint "${name}"`,
    commands: [{ tag: 'DeleteEndpoint', id, force: options.force }],
  }))

export type RenameOptions = ChangeOptions & Readonly<{ alias?: ReadonlyArray<string> }>

/** Its other names stay if none is given. */
export const rename = async (io: Io, word: string, name: string, options: RenameOptions): Result => {
  const read = readWords('--alias', options.alias)
  if (E.isLeft(read)) return read
  const plan: Plan = (model) => {
    const endpoint = theEndpoint(model, word)
    if (E.isLeft(endpoint)) return endpoint
    const { id, name: old } = endpoint.right
    const aliases = options.alias === undefined ? {} : { aliases: read.right }
    return E.right({
      title: `rename endpoint "${old}" to "${name}"`,
      commands: [{ tag: 'RenameEndpoint', id, name, ...aliases }],
      says: null,
    })
  }
  return change(io, options, () => [plan])
}

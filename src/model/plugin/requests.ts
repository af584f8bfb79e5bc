// Which calls plugins are owed: a pure diff between what they should hold and what the ledger says, in the order in which one
// thing needs another. What is created needs what is above it there; what is deleted, nothing left below. There is no undo:
// a withdrawal, a late answer and a crash all end in this diff.

import { changesBetween, entriesOf, getIn } from '../../net/pmap.ts'
import type { CnmEvent } from '../event.ts'
import { evolve } from '../evolve.ts'
import { endpointsOn } from '../queries.ts'
import type { Model, NetworkId } from '../types.ts'
import { type Call, callAt, isNeeded, keyOf, lineOf, type PluginKey, parentOf, sameObject } from './ledger.ts'
import { isRemote } from './remote.ts'
import { endpointKey, wantedAt, wantedOfPlugins, wishesBetween } from './wanted.ts'

/** A call without its number. */
type Owed = Omit<Call, 'number'>

/** Whether what is there is what is wanted there: nothing, or this. */
export const isAgreed = (model: Model, key: PluginKey): boolean => {
  const [call, wanted] = [callAt(model.ledger, key), wantedAt(model, key)]
  if (call === undefined || wanted === null) return call === undefined && wanted === null
  return call.state === 'there' && sameObject(call, wanted)
}

/** The call that is owed at a key; null: none, or not yet. */
const owedAt = (model: Model, key: PluginKey): Owed | null => {
  const [call, wanted] = [callAt(model.ledger, key), wantedAt(model, key)]
  if (call !== undefined) {
    const stays = call.state === 'going' || (wanted !== null && sameObject(call, wanted))
    return stays || isNeeded(model.ledger, key) ? null : { ...call, state: 'going', joined: null }
  }
  const parent = parentOf(key)
  const ready = wanted !== null && (parent === null || isAgreed(model, parent))
  return ready ? { ...wanted, state: 'asked', joined: null } : null
}

const numbered = (model: Model, keys: Iterable<PluginKey>): ReadonlyArray<Call> =>
  [...new Set(keys)]
    .sort()
    .map((key) => owedAt(model, key))
    .filter((owed) => owed !== null)
    .map((owed, i) => ({ ...owed, number: model.ledger.last + 1 + i }))

/** All calls that are owed. None, of a model that `decide` and `evolve` made: each command notes what it owes. */
export const requests = (model: Model): ReadonlyArray<Call> =>
  numbered(model, [
    ...[...entriesOf(model.ledger.calls)].map(([key]) => key),
    ...wantedOfPlugins(model).map(({ creation }) => keyOf(creation)),
  ])

/** What may be done now that this key's entry is another: itself, what waits for it above, what waits for it below. */
const around = (model: Model, key: PluginKey): ReadonlyArray<PluginKey> => {
  const [parent, ...above] = lineOf(key).slice(1)
  // A cast: a key without a parent is the id of a network.
  if (parent === undefined) return [key, ...endpointsOn(model, key as NetworkId).map(endpointKey)]
  return above.length === 0 ? [key, parent, `${key}/join`] : [key, parent]
}

/** The same, if nothing was owed before: only what changed is looked at. */
const requestsAfter = (before: Model, after: Model): ReadonlyArray<Call> =>
  numbered(after, [
    ...wishesBetween(before, after),
    ...changesBetween(before.ledger.calls, after.ledger.calls).flatMap(({ key }) => around(after, key)),
  ])

/** Without calls in the ledger no plugin holds a network, so only a new one can matter, or the first here on one that hosts share. */
const concernsPlugins = (model: Model, events: ReadonlyArray<CnmEvent>): boolean =>
  model.ledger.calls.root !== null || events.some((event) => isOfPlugin(model, event))

const isOfPlugin = (model: Model, event: CnmEvent): boolean => {
  if (event.tag === 'NetworkCreated') return isRemote(event.network)
  const network = event.tag === 'EndpointCreated' ? getIn(model.networks, event.endpoint.network) : undefined
  return network !== undefined && isRemote(network)
}

/** The events of a command, and after them the calls that it makes us owe. */
export const withCalls = (model: Model, events: ReadonlyArray<CnmEvent>): ReadonlyArray<CnmEvent> => {
  if (events.length === 0 || !concernsPlugins(model, events)) return events
  const owed = requestsAfter(model, events.reduce(evolve, model))
  return [...events, ...owed.map((call): CnmEvent => ({ tag: 'CallNoted', call }))]
}

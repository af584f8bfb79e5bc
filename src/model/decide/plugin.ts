// What a plugin said, or that it said nothing. News of a call that is not the present one about its object (late, doubled, of
// something deleted since) changes nothing. A failure gives up what was asked for, or what waits behind a deletion: the model
// loses the object, and the ledger's diff asks the plugin to delete what may be there. A deletion stays owed until it is
// acknowledged, and nothing waits for that in the model (P8).

import { getIn } from '../../net/pmap.ts'
import type { PluginAnswered, PluginFailed } from '../command.ts'
import type { CnmError } from '../error.ts'
import type { CnmEvent } from '../event.ts'
import { bodyOf, type Call, callAt, lineOf, type PluginKey } from '../plugin/ledger.ts'
import { isAgreed } from '../plugin/requests.ts'
import { wantedAt } from '../plugin/wanted.ts'
import type { EndpointId, Model, NetworkId } from '../types.ts'
import { left, withoutNetwork } from './refusal.ts'

/** The call that news is of, if it is still waited for. */
export const callOf = (model: Model, { key, number }: PluginAnswered | PluginFailed): Call | null => {
  const call = callAt(model.ledger, key)
  return call === undefined || call.number !== number || call.state === 'there' ? null : call
}

export const pluginAnswered = (model: Model, news: PluginAnswered): ReadonlyArray<CnmEvent> => {
  const call = callOf(model, news)
  if (call === null) return []
  if (call.state === 'going') return [{ tag: 'CallClosed', key: news.key }]
  if ((call.creation.Method === 'Join') !== (news.answer !== null)) return []
  return [{ tag: 'CallNoted', call: { ...call, state: 'there', joined: news.answer } }]
}

/** Casts: a key is made of these ids. */
const giveUp = (model: Model, key: PluginKey): ReadonlyArray<CnmEvent> => {
  const [network, id, join] = key.split('/')
  if (id === undefined) return withoutNetwork(model, network as NetworkId)
  const endpoint = getIn(model.endpoints, id)
  if (endpoint === undefined) return []
  return join === undefined ? [...left(endpoint), { tag: 'EndpointDeleted', id: id as EndpointId }] : left(endpoint)
}

export const pluginFailed = (model: Model, news: PluginFailed): ReadonlyArray<CnmEvent> => {
  if (callOf(model, news) === null) return []
  const waits = (key: PluginKey): boolean => wantedAt(model, key) !== null && !isAgreed(model, key)
  const highest = lineOf(news.key).findLast(waits)
  return highest === undefined ? [] : giveUp(model, highest)
}

const nameOf = (model: Model, key: PluginKey): string => {
  const [network = '', endpoint] = key.split('/')
  return endpoint === undefined
    ? `network "${getIn(model.networks, network)?.name ?? network}"`
    : `endpoint "${getIn(model.endpoints, endpoint)?.name ?? endpoint}"`
}

/** What those are told who waited for this call. Its object is named as it was called before it was given up. */
export const failureOf = (model: Model, call: Call, { key, failure }: PluginFailed): CnmError => {
  const about = { plugin: call.plugin, method: bodyOf(call).Method, object: nameOf(model, key) }
  switch (failure.kind) {
    case 'refused':
      return { tag: 'PluginRefused', ...about, why: failure.why }
    case 'wrong':
      return { tag: 'PluginRefused', ...about, why: `its answer is wrong: ${failure.why}` }
    case 'unreachable':
      return { tag: 'PluginUnreachable', ...about, why: failure.why }
    case 'silent':
      return { tag: 'PluginUnreachable', ...about, why: `nothing came in ${failure.afterMs} ms` }
  }
}

// What plugins hold as far as we know: to them what `believed` is to the kernel, but stored, for a plugin cannot be looked at.
// One entry for each object that was asked for and not acknowledged as deleted since.
// Invariant: an entry's parents (an endpoint's network, a join's endpoint) are acknowledged; no two calls have one number.

import { emptyMap, entriesOf, getIn, type PMap, removeIn, setIn } from '../../net/pmap.ts'
import type { Joined } from './answer.ts'
import { type Creation, deletionOf, type PluginBody } from './protocol.ts'

/** `<network>`, `<network>/<endpoint>` or `<network>/<endpoint>/join`: what is below a key needs what is at it. */
export type PluginKey = string

export const keyOf = (creation: Creation): PluginKey => {
  switch (creation.Method) {
    case 'CreateNetwork':
      return creation.NetworkID
    case 'CreateEndpoint':
      return `${creation.NetworkID}/${creation.EndpointID}`
    case 'Join':
      return `${creation.NetworkID}/${creation.EndpointID}/join`
  }
}

export const parentOf = (key: PluginKey): PluginKey | null => {
  const end = key.lastIndexOf('/')
  return end < 0 ? null : key.slice(0, end)
}

/** The key and those above it, the nearest first. */
export const lineOf = (key: PluginKey): ReadonlyArray<PluginKey> => {
  const parent = parentOf(key)
  return parent === null ? [key] : [key, ...lineOf(parent)]
}

/** What a plugin should hold, or was asked to. */
export type PluginObject = Readonly<{ plugin: string; creation: Creation }>

/**
 * `asked`: nobody knows whether it is there. `there`: the plugin said so. `going`: its deletion was asked for. `number`: of
 * the last call about it; an answer to another says nothing of it. `joined`: what a Join that is there was answered.
 */
export type Call = PluginObject &
  Readonly<{ state: 'asked' | 'there' | 'going'; number: number; joined: Joined | null }>

/** `last`: the highest number that a call has had. */
export type Ledger = Readonly<{ calls: PMap<Call>; last: number }>

export const EMPTY_LEDGER: Ledger = { calls: emptyMap(), last: 0 }

export const callAt = ({ calls }: Ledger, key: PluginKey): Call | undefined => getIn(calls, key)

/** Whether anything is noted that needs this object. */
export const isNeeded = ({ calls }: Ledger, key: PluginKey): boolean => {
  for (const [next] of entriesOf(calls, `${key}/`)) return next.startsWith(`${key}/`)
  return false
}

// Made by us in a fixed order of fields, or read by decoders in that order, so equal objects are written equally.
export const sameObject = (a: PluginObject, b: PluginObject): boolean =>
  a.plugin === b.plugin && JSON.stringify(a.creation) === JSON.stringify(b.creation)

/** What a call that is under way says to the plugin. */
export const bodyOf = ({ state, creation }: Call): PluginBody => (state === 'going' ? deletionOf(creation) : creation)

/** The same for each attempt at one call, and never used for another: a plugin knows a repetition by it. */
export const callId = (call: Call): string => `${bodyOf(call).Method}/${keyOf(call.creation)}/${call.number}`

export const noted = ({ calls, last }: Ledger, call: Call): Ledger => ({
  calls: setIn(calls, keyOf(call.creation), call),
  last: Math.max(last, call.number),
})

export const closed = ({ calls, last }: Ledger, key: PluginKey): Ledger => ({ calls: removeIn(calls, key), last })

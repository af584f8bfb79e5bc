// The stored form of the model's objects: JSON, with IPv6 addresses (bigints) as {"$n": "<decimal>"}, and objects that have a
// key beginning with `$` (a user's label may) as {"$o": [[key, value], ...]}.
// Property: decode(encode(x)) equals x. Only `networks`, `endpoints` and `sandboxes` are stored; the rest is derived.

import { changesBetween, type PMap } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import type { CnmEvent } from './event.ts'
import { evolve } from './evolve.ts'
import type { Endpoint, Model, Network, Sandbox } from './types.ts'

const isObject = (part: unknown): part is Record<string, unknown> =>
  typeof part === 'object' && part !== null && !Array.isArray(part)

// JSON.stringify does not ask again about what this returns, only about what is inside.
const tag = (_: string, part: unknown): unknown => {
  if (typeof part === 'bigint') return { $n: part.toString() }
  return isObject(part) && Object.keys(part).some((key) => key.startsWith('$')) ? { $o: Object.entries(part) } : part
}

const untag = (_: string, part: unknown): unknown => {
  if (!isObject(part)) return part
  if (typeof part['$n'] === 'string') return BigInt(part['$n'])
  return Array.isArray(part['$o']) ? Object.fromEntries(part['$o']) : part
}

export const encode = (value: unknown): string => JSON.stringify(value, tag)

/** The inverse of `encode`, for text that `encode` made. Throws a SyntaxError on other text. */
export const decode = (text: string): unknown => JSON.parse(text, untag)

export type StoredKind = 'network' | 'sandbox' | 'endpoint'
/** One object to put (or, `value` null, to remove) under `<kind>/<id>`. */
export type StoredWrite = Readonly<{ key: string; value: string | null }>

const writesOf = <V>(kind: StoredKind, before: PMap<V>, after: PMap<V>): ReadonlyArray<StoredWrite> =>
  changesBetween(before, after).map((change) => ({
    key: `${kind}/${change.key}`,
    value: change.after === undefined ? null : encode(change.after),
  }))

/** What must be stored to get from one version of a model to another. */
export const storedChanges = (before: Model, after: Model): ReadonlyArray<StoredWrite> => [
  ...writesOf('network', before.networks, after.networks),
  ...writesOf('sandbox', before.sandboxes, after.sandboxes),
  ...writesOf('endpoint', before.endpoints, after.endpoints),
]

/** Casts: the entries were written by `storedChanges`, whose keys name their kinds. */
const loaded = (key: string, value: string): CnmEvent | null => {
  if (key.startsWith('network/')) return { tag: 'NetworkCreated', network: decode(value) as Network }
  if (key.startsWith('sandbox/')) return { tag: 'SandboxCreated', sandbox: decode(value) as Sandbox }
  if (key.startsWith('endpoint/')) return { tag: 'EndpointCreated', endpoint: decode(value) as Endpoint }
  return null
}

const FIRST: ReadonlyArray<CnmEvent['tag']> = ['NetworkCreated', 'SandboxCreated', 'EndpointCreated']

/** The model that these entries describe. Left: they describe none, in a sentence. */
export const loadModel = (
  fresh: Model,
  entries: Iterable<Readonly<{ key: string; value: string }>>,
): Either<string, Model> => {
  try {
    const events: CnmEvent[] = []
    for (const { key, value } of entries) {
      const event = loaded(key, value)
      if (event !== null) events.push(event)
    }
    return E.right(events.sort((a, b) => FIRST.indexOf(a.tag) - FIRST.indexOf(b.tag)).reduce(evolve, fresh))
  } catch (defect) {
    return E.left(`the store does not hold a model: ${defect instanceof Error ? defect.message : String(defect)}`)
  }
}

// The stored form of the model's objects: JSON, with IPv6 addresses (bigints) as {"$n": "<decimal>"}, and objects that have a
// key beginning with `$` (a user's label may) as {"$o": [[key, value], ...]}. Only `networks`, `endpoints`, `sandboxes`
// and the ledger of plugins are stored, the rest is derived; what hosts share is stored by src/cluster. Property: decode(encode(x)) equals x, and what was not made by encode is refused or is sound.

import { changesBetween, getIn, type PMap } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import { isShared } from './cluster.ts'
import { decodeCall, decodeLast } from './decode/calls.ts'
import type { Decoder } from './decode/decoder.ts'
import { decodeEndpoint, decodeNetwork, decodePeer, decodeSandbox } from './decode/objects.ts'
import type { CnmEvent } from './event.ts'
import { evolve } from './evolve.ts'
import { contradictions } from './invariants.ts'
import { type Call, keyOf } from './plugin/ledger.ts'
import type { Rules } from './rules.ts'
import type { Endpoint, Model, Network, Peer, Sandbox } from './types.ts'

const isObject = (part: unknown): part is Record<string, unknown> =>
  typeof part === 'object' && part !== null && !Array.isArray(part)

// JSON.stringify does not ask again about what this returns, only about what is inside.
const tag = (_: string, part: unknown): unknown => {
  if (typeof part === 'bigint') return { $n: part.toString() }
  return isObject(part) && Object.keys(part).some((key) => key.startsWith('$')) ? { $o: Object.entries(part) } : part
}

const notOurs = (part: object): never => {
  throw new SyntaxError(`${JSON.stringify(Object.keys(part))} are not keys of anything stored`)
}

/** Of 128 bits at most, written as BigInt writes it. */
const NUMBER = /^(0|[1-9][0-9]{0,38})$/

const isEntry = (part: unknown): part is readonly [string, unknown] =>
  Array.isArray(part) && part.length === 2 && typeof part[0] === 'string'

const isTagged = (key: string): boolean => key.startsWith('$')

const untagged = (part: Record<string, unknown>): unknown => {
  const { $n: number, $o: entries } = part
  if (Object.keys(part).length !== 1) return notOurs(part)
  if (typeof number === 'string' && NUMBER.test(number)) return BigInt(number)
  if (!Array.isArray(entries) || !entries.every(isEntry)) return notOurs(part)
  const object = Object.fromEntries(entries)
  const keys = Object.keys(object)
  return keys.length === entries.length && keys.some(isTagged) ? object : notOurs(part)
}

// What a tag stands for is not looked at again: the reviver is asked about the inside first.
const untag = (_: string, part: unknown): unknown =>
  isObject(part) && Object.keys(part).some(isTagged) ? untagged(part) : part

export const encode = (value: unknown): string => JSON.stringify(value, tag)

/** A key that begins with `$`, however it is written. To ask about each part takes longer than to read them all. */
const MAY_BE_TAGGED = /"(\$|\\u0024)/

/** The inverse of `encode`, for text that `encode` made. Throws a SyntaxError on other text. */
export const decode = (text: string): unknown => (MAY_BE_TAGGED.test(text) ? JSON.parse(text, untag) : JSON.parse(text))

export type StoredKind = 'network' | 'sandbox' | 'endpoint' | 'peer' | 'call'
/** One object to put (or, `value` null, to remove) under `<kind>/<id>`; a call under `call/` and its key in the ledger. */
export type StoredWrite = Readonly<{ key: string; value: string | null }>

/** The highest number of a call; not stored while there was none. No network has this id. */
export const LAST_CALL = 'call/last'

const writesOf = <V>(
  kind: StoredKind,
  before: PMap<V>,
  after: PMap<V>,
  isOwn: (value: V) => boolean = () => true,
): ReadonlyArray<StoredWrite> =>
  changesBetween(before, after)
    .filter((change) => [change.before, change.after].some((value) => value !== undefined && isOwn(value)))
    .map((change) => ({
      key: `${kind}/${change.key}`,
      value: change.after === undefined ? null : encode(change.after),
    }))

/** Whether it is not kept with what hosts share. A network's scope never changes, nor does an endpoint's network. */
const isOwnNetwork =
  (model: Model) =>
  (network: Network): boolean =>
    !isShared(model, network)
const isOwnEndpoint =
  (...models: ReadonlyArray<Model>) =>
  ({ network: id }: Endpoint): boolean =>
    models.every((model) => {
      const network = getIn(model.networks, id)
      return network === undefined || !isShared(model, network)
    })

/** What must be stored to get from one version of a model to another, but for what hosts share. */
export const storedChanges = (before: Model, after: Model): ReadonlyArray<StoredWrite> => [
  ...writesOf('network', before.networks, after.networks, isOwnNetwork(after)),
  ...writesOf('sandbox', before.sandboxes, after.sandboxes),
  ...writesOf('endpoint', before.endpoints, after.endpoints, isOwnEndpoint(before, after)),
  ...writesOf('call', before.ledger.calls, after.ledger.calls),
  ...(before.ledger.last === after.ledger.last
    ? []
    : [{ key: LAST_CALL, value: after.ledger.last === 0 ? null : encode(after.ledger.last) }]),
]

/** One stored object, of whatever kind its key says. Right null: the key is of no kind of ours. */
export const decodeStored = (key: string, value: string): Either<string, CnmEvent | null> => {
  const kind = key.slice(0, key.indexOf('/'))
  switch (kind) {
    case 'network':
      return E.map((network: Network): CnmEvent => ({ tag: 'NetworkCreated', network }))(
        read(key, value, decodeNetwork),
      )
    case 'sandbox':
      return E.map((sandbox: Sandbox): CnmEvent => ({ tag: 'SandboxCreated', sandbox }))(
        read(key, value, decodeSandbox),
      )
    case 'endpoint':
      return E.map((endpoint: Endpoint): CnmEvent => ({ tag: 'EndpointCreated', endpoint }))(
        read(key, value, decodeEndpoint),
      )
    case 'peer':
      return E.map((peer: Peer): CnmEvent => ({ tag: 'PeerIs', peer }))(
        held(key, plain(key, value, decodePeer), ({ endpoint }) => endpoint.id),
      )
    case 'call':
      return key === LAST_CALL
        ? E.map((last: number): CnmEvent => ({ tag: 'CallsCounted', last }))(plain(key, value, decodeLast))
        : E.map((call: Call): CnmEvent => ({ tag: 'CallNoted', call }))(
            held(key, plain(key, value, decodeCall), ({ creation }) => keyOf(creation)),
          )
    default:
      return E.right(null)
  }
}

const parse = (value: string): Either<string, unknown> => {
  try {
    return E.right(decode(value))
  } catch (defect) {
    return E.left(`: ${defect instanceof Error ? defect.message : String(defect)}`)
  }
}

const plain = <A>(key: string, value: string, decoder: Decoder<A>): Either<string, A> => {
  const json = parse(value)
  const object = E.isLeft(json) ? json : decoder(json.right)
  return E.isLeft(object) ? E.left(`${key}${object.left}`) : object
}

/** An object is stored under its own id. */
const held = <A>(key: string, object: Either<string, A>, idOf: (object: A) => string): Either<string, A> => {
  if (E.isLeft(object)) return object
  const id = idOf(object.right)
  return key.slice(key.indexOf('/') + 1) === id ? object : E.left(`${key}: it is ${id} that is stored there`)
}

const read = <A extends Readonly<{ id: string }>>(key: string, value: string, decoder: Decoder<A>): Either<string, A> =>
  held(key, plain(key, value, decoder), ({ id }) => id)

// Calls last, and after them the count, which theirs must not exceed.
const FIRST: ReadonlyArray<CnmEvent['tag']> = [
  'NetworkCreated',
  'SandboxCreated',
  'EndpointCreated',
  'PeerIs',
  'CallNoted',
  'CallsCounted',
]

/** Whether a driver made this configuration. */
const isConfigured = (rules: Rules, { driver, config, configOnly }: Network): boolean =>
  configOnly || rules.get(driver)?.accepts(config) === true

const unfit = (why: string): Either<string, never> => E.left(`the store does not hold a model: ${why}`)

/**
 * The model that these entries describe; entries of other kinds are passed over. With `rules`, every network's configuration
 * must be one of its driver's. Left: they describe none, in a sentence.
 */
export const loadModel = (
  fresh: Model,
  entries: Iterable<Readonly<{ key: string; value: string }>>,
  rules: Rules | null = null,
): Either<string, Model> => {
  const events: CnmEvent[] = []
  const seen = new Set<string>()
  for (const { key, value } of entries) {
    const event = decodeStored(key, value)
    if (E.isLeft(event)) return unfit(event.left)
    if (event.right === null) continue
    if (seen.has(key)) return unfit(`${key} is there twice`)
    seen.add(key)
    events.push(ownIfOurs(fresh, event.right))
  }
  const strange = events.find(
    (event) => rules !== null && event.tag === 'NetworkCreated' && !isConfigured(rules, event.network),
  )
  if (strange?.tag === 'NetworkCreated')
    return unfit(`the configuration of network ${strange.network.id} is not its driver's`)
  return assemble(fresh, events)
}

/** An endpoint that hosts share is one of ours where we are the host. */
const ownIfOurs = ({ cluster }: Model, event: CnmEvent): CnmEvent =>
  event.tag === 'PeerIs' && event.peer.host === cluster.host
    ? { tag: 'EndpointCreated', endpoint: event.peer.endpoint }
    : event

/** Makes a model of objects that are right in themselves. `evolve` throws where they cannot be beside each other. */
const assemble = (fresh: Model, events: ReadonlyArray<CnmEvent>): Either<string, Model> => {
  try {
    const model = [...events].sort((a, b) => FIRST.indexOf(a.tag) - FIRST.indexOf(b.tag)).reduce(evolve, fresh)
    const [wrong] = contradictions(model)
    return wrong === undefined ? E.right(model) : unfit(wrong)
  } catch (defect) {
    return unfit(defect instanceof Error ? defect.message : String(defect))
  }
}

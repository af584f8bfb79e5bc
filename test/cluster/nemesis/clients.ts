// Clients of a host, which do one thing after the other, chosen by dice: they make and delete networks, shared and not, endpoints with
// few names and few addresses, and sandboxes, and join and leave. What each asked and was told goes into the history.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Recorder } from '../../../src/history/record.ts'
import type { Dice } from '../../lib/histories.ts'
import type { Act, Acted } from './protocol.ts'
import type { In, Out } from './spec.ts'

/** What all clients know: networks by number, and where addresses can be asked for. */
export type Board = {
  next: number
  readonly networks: Map<number, Readonly<{ scope: string; subnet: string | null }>>
  readonly refused: Map<string, number>
  /** Refusals that nobody should have been told. */
  readonly strange: string[]
}
export const freshBoard = (): Board => ({ next: 1, networks: new Map(), refused: new Map(), strange: [] })

/** What a host does with an act; null: it died, or its engine could not tell. */
export type Doing = (act: Act) => Promise<Acted | null>

const SAID: Readonly<Record<Act['do'], Readonly<Record<string, Out['said']>>>> = {
  network: { NetworkNameTaken: 'taken' },
  'no network': { 'NotFound network': 'absent', HasEndpoints: 'in use' },
  endpoint: {
    'NotFound network': 'no network',
    EndpointNameTaken: 'taken',
    IPAlreadyAllocated: 'address taken',
  },
  'no endpoint': { 'NotFound endpoint': 'absent', IsJoined: 'joined', OnOtherHost: 'elsewhere' },
  sandbox: {},
  'no sandbox': { 'NotFound sandbox': 'absent' },
  join: {
    'NotFound endpoint': 'absent',
    'NotFound sandbox': 'no sandbox',
    AlreadyJoined: 'joined',
    OnOtherHost: 'elsewhere',
  },
  leave: {
    'NotFound endpoint': 'absent',
    'NotFound sandbox': 'no sandbox',
    NotJoined: 'not joined',
    OtherSandbox: 'not joined',
    OnOtherHost: 'elsewhere',
  },
}

/** Of an operation: its output; `unknown`; or `fail`, it was refused for a reason that says nothing. */
type End = Out | 'unknown' | 'fail'

const meaningOf = (act: Act, answer: Acted | null, board: Board): End => {
  if (answer === null || ('refused' in answer && answer.refused === 'Unavailable')) return 'unknown'
  if (!('refused' in answer)) return { said: 'done', ip: answer.ip }
  const tag = answer.what === null ? answer.refused : `${answer.refused} ${answer.what}`
  board.refused.set(tag, (board.refused.get(tag) ?? 0) + 1)
  const said = SAID[act.do][tag]
  if (said !== undefined) return { said, ip: null }
  board.strange.push(`${JSON.stringify(act)} was refused: ${answer.why}`)
  return 'fail'
}

const NAMES = ['web', 'db', 'cache', 'queue', 'mail', 'log', 'proxy', 'auth', 'feed', 'cron']
const NETWORKS = ['red', 'green', 'blue']
const PLACES = [5, 6, 7, 8]
/** So many shared networks are left alone, for others are to come to them. */
const KEPT = 2
const MOST_BOXES = 2

/** A client at work, with what it made and believes to be there. */
type Hand = Readonly<{
  host: string
  dice: Dice
  board: Board
  ends: Map<number, { isJoined: boolean }>
  boxes: Set<number>
  perform: (act: Act) => Promise<End>
}>
type Work = (hand: Hand) => Promise<void>

const one = <A>(dice: Dice, from: Iterable<A>): A | undefined => {
  const all = [...from]
  return all[dice(Math.max(1, all.length))]
}
const reachable = ({ board, host }: Hand) =>
  [...board.networks].filter(([, { scope }]) => scope === 'global' || scope === host)
const happened = (end: End): boolean => end === 'unknown' || (end !== 'fail' && end.said === 'done')
/** What was answered, if it was. */
const saidIn = (end: End): Out['said'] | null => (end === 'unknown' || end === 'fail' ? null : end.said)

const makeNetwork: Work = async ({ host, dice, board, perform }) => {
  const scope = dice(4) === 0 ? host : 'global'
  const red = NETWORKS[dice(NETWORKS.length)] ?? ''
  // Names of a host's own are no names of shared ones: a name says which of the two is meant.
  await perform({ do: 'network', net: board.next++, name: scope === 'global' ? red : `my-${red}`, scope })
}

const dropNetwork: Work = async (hand) => {
  const { dice, board, perform } = hand
  const some = reachable(hand)
  const [net] =
    one(
      dice,
      some.filter(([, { scope }], i) => scope !== 'global' || i >= KEPT),
    ) ?? []
  if (net === undefined) return
  const said = saidIn(await perform({ do: 'no network', net }))
  if (said !== null && said !== 'in use') board.networks.delete(net)
}

const makeEndpoint: Work = async (hand) => {
  const { dice, board, ends, perform } = hand
  const [net, at] = one(dice, reachable(hand)) ?? []
  if (net === undefined || at === undefined) return makeNetwork(hand)
  const [, base = null] = /^(\d+\.\d+\.\d+)\.\d+\/\d+$/.exec(at.subnet ?? '') ?? []
  const ip = base === null || dice(5) < 3 ? null : `${base}.${PLACES[dice(PLACES.length)]}`
  const end = board.next++
  const made = await perform({ do: 'endpoint', end, net, name: NAMES[dice(NAMES.length)] ?? '', ip })
  if (happened(made)) ends.set(end, { isJoined: false })
  if (saidIn(made) === 'no network') board.networks.delete(net)
}

const dropEndpoint: Work = async (hand) => {
  const { dice, ends, perform } = hand
  const [end] =
    one(
      dice,
      [...ends].filter(([, { isJoined }]) => !isJoined),
    ) ?? []
  if (end === undefined) return makeEndpoint(hand)
  const said = saidIn(await perform({ do: 'no endpoint', end }))
  if (said === 'joined') ends.set(end, { isJoined: true })
  else if (said !== null) ends.delete(end)
}

const dropBox: Work = async ({ dice, boxes, perform }) => {
  const box = one(dice, boxes)
  if (box !== undefined && (await perform({ do: 'no sandbox', box })) !== 'unknown') boxes.delete(box)
}

const makeBox: Work = async (hand) => {
  const { board, boxes, perform } = hand
  if (boxes.size >= MOST_BOXES) return dropBox(hand)
  const box = board.next++
  if (happened(await perform({ do: 'sandbox', box, name: `n${box}` }))) boxes.add(box)
}

const attach: Work = async (hand) => {
  const { dice, ends, boxes, perform } = hand
  const [end] =
    one(
      dice,
      [...ends].filter(([, { isJoined }]) => !isJoined),
    ) ?? []
  const box = one(dice, boxes)
  if (end === undefined) return makeEndpoint(hand)
  if (box === undefined) return makeBox(hand)
  const said = saidIn(await perform({ do: 'join', end, box }))
  if (said === 'done' || said === 'joined') ends.set(end, { isJoined: true })
  else if (said === 'no sandbox') boxes.delete(box)
  else if (said !== null) ends.delete(end)
}

const detach: Work = async (hand) => {
  const { dice, ends, boxes, perform } = hand
  const [end] =
    one(
      dice,
      [...ends].filter(([, { isJoined }]) => isJoined),
    ) ?? []
  const box = one(dice, boxes)
  if (end === undefined || box === undefined) return attach(hand)
  const said = saidIn(await perform({ do: 'leave', end, box }))
  if (said === 'done') ends.set(end, { isJoined: false })
  else if (said === 'absent') ends.delete(end)
  else if (said === 'no sandbox') boxes.delete(box)
}

const WEIGHED: ReadonlyArray<readonly [number, Work]> = [
  [2, makeNetwork],
  [2, dropNetwork],
  [7, makeEndpoint],
  [5, dropEndpoint],
  [2, makeBox],
  [1, dropBox],
  [4, attach],
  [2, detach],
]
const WORK = WEIGHED.flatMap(([weight, work]) => Array.from({ length: weight }, () => work))

export type ClientOptions = Readonly<{
  name: string
  host: string
  dice: Dice
  board: Board
  log: Recorder<In, Out>
  act: Doing
  /** Its engine is there, as far as one can see. */
  ready: () => Promise<void>
  isOver: () => boolean
  pauseMs: number
}>

/** Works until it is over. */
export const runClient = async (options: ClientOptions): Promise<void> => {
  const { name, host, dice, board, log, act, ready, isOver, pauseMs } = options
  const perform = async (it: Act): Promise<End> => {
    const id = log.invoke(name, { ...it, host })
    const answer = await act(it)
    const end = meaningOf(it, answer, board)
    if (end === 'unknown') log.unknown(id)
    else if (end === 'fail') log.fail(id)
    else log.ok(id, end)
    const subnet = answer !== null && 'subnet' in answer ? answer.subnet : null
    if (it.do === 'network' && happened(end)) board.networks.set(it.net, { scope: it.scope, subnet })
    return end
  }
  const hand: Hand = { host, dice, board, ends: new Map(), boxes: new Set(), perform }
  for (;;) {
    await ready()
    if (isOver()) return
    await WORK[dice(WORK.length)]?.(hand)
    await sleep(pauseMs + dice(pauseMs))
  }
}

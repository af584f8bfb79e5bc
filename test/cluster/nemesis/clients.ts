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

/** The end of an operation: its output; `unknown`; or `fail`, it was refused for a reason that says nothing. */
const meaningOf = (act: Act, answer: Acted | null, board: Board): Out | 'unknown' | 'fail' => {
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

type Own = Readonly<{
  ends: Map<number, { isJoined: boolean }>
  boxes: Set<number>
}>

export type Client = Readonly<{ run: () => Promise<void> }>

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

export const clientOf = ({ name, host, dice, board, log, act, ready, isOver, pauseMs }: ClientOptions): Client => {
  const own: Own = { ends: new Map(), boxes: new Set() }
  const one = <A>(from: Iterable<A>): A | undefined => {
    const all = [...from]
    return all[dice(Math.max(1, all.length))]
  }
  const reachable = () => [...board.networks].filter(([, { scope }]) => scope === 'global' || scope === host)

  const perform = async (it: Act): Promise<Out | 'unknown' | 'fail'> => {
    const id = log.invoke(name, { ...it, host })
    const answer = await act(it)
    const end = meaningOf(it, answer, board)
    if (end === 'unknown') log.unknown(id)
    else if (end === 'fail') log.fail(id)
    else log.ok(id, end)
    if (it.do === 'network' && end !== 'fail' && (end === 'unknown' || end.said === 'done'))
      board.networks.set(it.net, {
        scope: it.scope,
        subnet: answer !== null && 'subnet' in answer ? answer.subnet : null,
      })
    return end
  }
  const happened = (end: Out | 'unknown' | 'fail'): boolean =>
    end === 'unknown' || (end !== 'fail' && end.said === 'done')

  const makeNetwork = async (): Promise<void> => {
    const scope = dice(4) === 0 ? host : 'global'
    const red = NETWORKS[dice(NETWORKS.length)] ?? ''
    // Names of a host's own are no names of shared ones: a name says which of the two is meant.
    await perform({ do: 'network', net: board.next++, name: scope === 'global' ? red : `my-${red}`, scope })
  }
  const dropNetwork = async (): Promise<void> => {
    const some = reachable()
    const [net] = one(some.filter(([, { scope }], i) => scope !== 'global' || i >= KEPT)) ?? []
    if (net === undefined) return
    const end = await perform({ do: 'no network', net })
    if (end !== 'unknown' && end !== 'fail' && end.said !== 'in use') board.networks.delete(net)
  }
  const makeEndpoint = async (): Promise<void> => {
    const [net, at] = one(reachable()) ?? []
    if (net === undefined || at === undefined) return makeNetwork()
    const [, base = null] = /^(\d+\.\d+\.\d+)\.\d+\/\d+$/.exec(at.subnet ?? '') ?? []
    const ip = base === null || dice(5) < 3 ? null : `${base}.${PLACES[dice(PLACES.length)]}`
    const end = board.next++
    const made = await perform({ do: 'endpoint', end, net, name: NAMES[dice(NAMES.length)] ?? '', ip })
    if (happened(made)) own.ends.set(end, { isJoined: false })
    if (made !== 'unknown' && made !== 'fail' && made.said === 'no network') board.networks.delete(net)
  }
  const dropEndpoint = async (): Promise<void> => {
    const [end] = one([...own.ends].filter(([, { isJoined }]) => !isJoined)) ?? []
    if (end === undefined) return makeEndpoint()
    const dropped = await perform({ do: 'no endpoint', end })
    if (dropped === 'unknown' || dropped === 'fail') return
    if (dropped.said === 'joined') own.ends.set(end, { isJoined: true })
    else own.ends.delete(end)
  }
  const makeBox = async (): Promise<void> => {
    if (own.boxes.size >= 2) return dropBox()
    const box = board.next++
    if (happened(await perform({ do: 'sandbox', box, name: `n${box}` }))) own.boxes.add(box)
  }
  const dropBox = async (): Promise<void> => {
    const box = one(own.boxes)
    if (box === undefined) return
    if ((await perform({ do: 'no sandbox', box })) !== 'unknown') own.boxes.delete(box)
  }
  const attach = async (): Promise<void> => {
    const [end] = one([...own.ends].filter(([, { isJoined }]) => !isJoined)) ?? []
    const box = one(own.boxes)
    if (end === undefined) return makeEndpoint()
    if (box === undefined) return makeBox()
    const joined = await perform({ do: 'join', end, box })
    if (joined === 'unknown' || joined === 'fail') return
    if (joined.said === 'done' || joined.said === 'joined') own.ends.set(end, { isJoined: true })
    else if (joined.said === 'no sandbox') own.boxes.delete(box)
    else own.ends.delete(end)
  }
  const detach = async (): Promise<void> => {
    const [end] = one([...own.ends].filter(([, { isJoined }]) => isJoined)) ?? []
    const box = one(own.boxes)
    if (end === undefined || box === undefined) return attach()
    const left = await perform({ do: 'leave', end, box })
    if (left === 'unknown' || left === 'fail') return
    if (left.said === 'done') own.ends.set(end, { isJoined: false })
    else if (left.said === 'absent') own.ends.delete(end)
    else if (left.said === 'no sandbox') own.boxes.delete(box)
  }

  const WORK: ReadonlyArray<readonly [number, () => Promise<void>]> = [
    [2, makeNetwork],
    [2, dropNetwork],
    [7, makeEndpoint],
    [5, dropEndpoint],
    [2, makeBox],
    [1, dropBox],
    [4, attach],
    [2, detach],
  ]
  const all = WORK.flatMap(([weight, work]) => Array.from({ length: weight }, () => work))
  return {
    run: async () => {
      for (;;) {
        await ready()
        if (isOver()) return
        await all[dice(all.length)]?.()
        await sleep(pauseMs + dice(pauseMs))
      }
    },
  }
}

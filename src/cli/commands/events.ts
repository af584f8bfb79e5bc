// cnm events: what happened on this host, turn by turn, from the journal that the store keeps beside the model. It is read beside
// whoever is at work: told is what is certain, which the newest turn of a process that still works is not, for its kernel may refuse.

import { setTimeout as sleep } from 'node:timers/promises'

import { printable } from '../../compose/error.ts'
import { readTurn, TURNS, type Turn } from '../../engine/journal.ts'
import type { CnmEvent } from '../../model/event.ts'
import { keyOf, type PluginKey } from '../../model/plugin/ledger.ts'
import { E, type Either } from '../../prelude.ts'
import type { Beside, Sight } from '../../store/beside.ts'
import { EXIT } from '../exit.ts'
import { exitOf, untilSignal } from '../guard.ts'
import { besidePlace, keptOf } from '../host/kept.ts'
import { noHostYet, type Place } from '../host/place.ts'
import { misused } from '../host/read.ts'
import { storeProblem } from '../host/refusal.ts'
import { shortId } from '../host/resolve.ts'
import type { Io } from '../io.ts'
import type { Problem } from '../problem.ts'
import { jsonText } from '../render/json.ts'

export type EventsOptions = Readonly<{
  store: Place
  since?: string
  follow: boolean
  format: 'table' | 'json'
  trunc: boolean
}>

/** `name` null: it was made before the journal begins. */
type EventView = Readonly<{ turn: number; event: CnmEvent['tag']; id: string; name: string | null }>

type Told = Readonly<{ id: string; name?: string }>

/** The endpoint, or the network, that a plugin was asked about. */
const subjectOfCall = (key: PluginKey): string => key.split('/')[1] ?? key

const subjectOf = (event: CnmEvent): Told => {
  switch (event.tag) {
    case 'NetworkCreated':
      return { id: event.network.id, name: event.network.name }
    case 'SandboxCreated':
    case 'SandboxChanged':
      return { id: event.sandbox.id, name: event.sandbox.container }
    case 'EndpointCreated':
      return { id: event.endpoint.id, name: event.endpoint.name }
    case 'EndpointRenamed':
      return { id: event.id, name: event.name }
    case 'NetworkDeleted':
    case 'SandboxDeleted':
    case 'EndpointDeleted':
      return { id: event.id }
    case 'Joined':
    case 'Left':
      return { id: event.endpoint }
    case 'PeerIs':
      return { id: event.peer.endpoint.id, name: event.peer.endpoint.name }
    case 'PeerGone':
      return { id: event.id }
    case 'CallNoted':
      return { id: subjectOfCall(keyOf(event.call.creation)) }
    case 'CallClosed':
      return { id: subjectOfCall(event.key) }
    case 'CallsCounted':
      return { id: String(event.last) }
  }
}

/** Later events of an object know its name from earlier ones. */
const viewsOf = (turns: ReadonlyArray<Turn>): ReadonlyArray<EventView> => {
  const names = new Map<string, string>()
  return turns.flatMap(({ number, deeds }) =>
    deeds.flatMap(({ events }) =>
      events.map((event): EventView => {
        const { id, name } = subjectOf(event)
        if (name !== undefined) names.set(id, name)
        return { turn: number, event: event.tag, id, name: names.get(id) ?? null }
      }),
    ),
  )
}

const TURN = /^(0|[1-9][0-9]{0,11})$/

/** The turns that nobody can take back. */
const settledTurns = ({ entries, isBusy }: Sight): ReadonlyArray<Turn> => {
  const turns = entries.filter(({ key }) => key.startsWith(TURNS)).map(readTurn)
  return isBusy ? turns.slice(0, -1) : turns
}

// Columns of one width each, for what comes later is not known yet.
const row = (cells: ReadonlyArray<string>, idWidth: number): string => {
  const widths = [6, 15, idWidth, 0]
  return cells
    .map((cell, i) => cell.padEnd(widths[i] ?? 0))
    .join('  ')
    .trimEnd()
}

const HEAD = ['TURN', 'EVENT', 'ID', 'NAME']
const WHOLE_ID = 64

/** What is printed of some events; with `head` also what stands before the first. */
const text = (
  io: Io,
  { format, follow, trunc }: EventsOptions,
  views: ReadonlyArray<EventView>,
  head: boolean,
): string | null => {
  if (format === 'json' && !follow) return jsonText(views)
  if (format === 'json') return views.map((view) => JSON.stringify(view)).join('\n') || null
  const id = (whole: string): string => (trunc ? shortId(whole) : whole)
  const width = trunc ? shortId('0'.repeat(WHOLE_ID)).length : WHOLE_ID
  const rows = views.map(({ turn, event, id: whole, name }) =>
    row([String(turn), event, id(whole), printable(name ?? '-')], width),
  )
  return [...(head ? [io.paint.dim(row(HEAD, width))] : []), ...rows].join('\n') || null
}

const BETWEEN_MS = 200

const isAsSeen = (beside: Beside, seen: Sight | null): boolean =>
  seen?.isBusy !== true && beside.stamp() === (seen?.stamp ?? null)

/** Until the store is another than it was seen, or (somebody was at work) may be understood otherwise. */
const changed = async (beside: Beside, seen: Sight | null, stop: AbortSignal): Promise<void> => {
  do await sleep(BETWEEN_MS, undefined, { signal: stop }).catch(() => {})
  while (!stop.aborted && isAsSeen(beside, seen))
}

const tell = async (
  io: Io,
  options: EventsOptions,
  beside: Beside,
  since: number,
  stop: AbortSignal,
): Promise<Either<Problem, number>> => {
  let last = since
  let before: Sight | null = null
  for (let first = true; ; first = false) {
    const seen = await beside.read()
    if (E.isLeft(seen)) return E.left(storeProblem(seen.left))
    const now = seen.right
    const usable = now === null ? E.right(null) : keptOf(options.store, now)
    if (E.isLeft(usable)) return usable
    // Another store in its place counts its turns from 1.
    if (before !== null && now !== null && now.id !== before.id) last = 0
    const turns = now === null ? [] : settledTurns(now)
    const news = viewsOf(turns).filter(({ turn }) => turn > last)
    const words = text(io, options, news, first)
    if (words !== null) io.out(words)
    if (!options.follow) return E.right(EXIT.ok)
    last = Math.max(last, turns.at(-1)?.number ?? 0)
    before = now ?? before
    if (!(await io.ready()) || stop.aborted) return E.right(EXIT.ok)
    await changed(beside, now, stop)
    if (stop.aborted) return E.right(EXIT.ok)
  }
}

export const events = async (io: Io, options: EventsOptions): Promise<Either<Problem, number>> => {
  const { since = '0' } = options
  if (!TURN.test(since)) return misused(`--since: "${since}" is not the number of a turn`)
  if (options.store.tag === 'host') return noHostYet('events', 'no journal is kept of a host that shares its store')
  const beside = besidePlace(options.store)
  const { value, signal } = await untilSignal((stop) => tell(io, options, beside, Number(since), stop))
  await beside.close()
  return signal === null || E.isLeft(value) ? value : E.right(exitOf(signal))
}

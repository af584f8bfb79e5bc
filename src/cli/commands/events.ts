// cnm events: what happened on this host, turn by turn, from the journal that the store keeps beside the model.

import { printable } from '../../compose/error.ts'
import { readTurn, TURNS, type Turn } from '../../engine/journal.ts'
import type { CnmEvent } from '../../model/event.ts'
import { E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import { withStore } from '../host/open.ts'
import { misused } from '../host/read.ts'
import { storeProblem } from '../host/refusal.ts'
import { shortId } from '../host/resolve.ts'
import type { Io } from '../io.ts'
import type { Problem } from '../problem.ts'
import { jsonText } from '../render/json.ts'
import { table } from '../render/table.ts'

export type EventsOptions = Readonly<{ state: string; since?: string; format: 'table' | 'json'; trunc: boolean }>

/** `name` null: it was made before the journal begins. */
type EventView = Readonly<{ turn: number; event: CnmEvent['tag']; id: string; name: string | null }>

type Told = Readonly<{ id: string; name?: string }>

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

export const events = async (
  io: Io,
  { state, since = '0', format, trunc }: EventsOptions,
): Promise<Either<Problem, number>> => {
  if (!TURN.test(since)) return misused(`--since: "${since}" is not the number of a turn`)
  return withStore(state, async (store) => {
    const listed = await store.list(TURNS)()
    if (E.isLeft(listed)) return E.left(storeProblem(listed.left))
    const views = viewsOf(listed.right.entries.map(readTurn)).filter(({ turn }) => turn > Number(since))
    if (format === 'json') io.out(jsonText(views))
    else {
      const head = ['TURN', 'EVENT', 'ID', 'NAME'].map((title) => io.paint.dim(title))
      const rows = views.map(({ turn, event, id, name }) => [
        String(turn),
        event,
        trunc ? shortId(id) : id,
        printable(name ?? '-'),
      ])
      io.out(table([head, ...rows]).replaceAll(/^ {2}/gm, ''))
    }
    return E.right(EXIT.ok)
  })
}

// Who asks the engines for something: each client waits for its answer before it asks again, and writes down what it asked and heard. A client
// whose host's process ends before the answer does not know what became of it.

import type { Answer } from '../engine/engine.ts'
import type { Recorder } from '../history/record.ts'
import type { ClusterIn, ClusterOut } from '../history/specs/cluster.ts'
import type { Model } from '../model/types.ts'
import { E } from '../prelude.ts'
import { doneOf, type Order, orderOf, refusalOf } from './commands.ts'
import type { Host, Running } from './host.ts'
import { type Act, CLIENTS_OF_A_HOST, type Names } from './plan.ts'
import type { Time } from './time.ts'

export type Clients = Readonly<{
  /** Nobody waits for anything, or is still to ask. */
  areDone: () => boolean
  /** How many commands were given, obeyed, refused, and without an answer. */
  counts: () => Counts
}>
export type Counts = Readonly<{ asked: number; done: number; refused: number; unknown: number }>

export type ClientParts = Readonly<{
  time: Time
  hosts: ReadonlyArray<Host>
  acts: ReadonlyArray<Act>
  names: Names
  log: Recorder<ClusterIn, ClusterOut>
  tell: (where: string, what: string) => void
  defect: (what: string) => void
}>

/** Until a client tries again that found its host standing still. */
const STANDS_MS = 50

/** The first refusal of commands that came together, or what they did. */
const together = (answers: ReadonlyArray<Answer>): Answer => {
  const refused = answers.find(E.isLeft)
  return refused ?? E.right(answers.flatMap((each) => (E.isRight(each) ? each.right : [])))
}

export const startClients = ({ time, hosts, acts, names, log, tell, defect }: ClientParts): Clients => {
  let left = acts.length
  let [asked, done, refused, unknown] = [0, 0, 0, 0]
  let number = 0

  const hear = (client: string, id: number | null, answer: Answer | null, model: Model): void => {
    if (answer === null || (E.isLeft(answer) && answer.left.tag === 'Unavailable')) {
      unknown += 1
      tell(
        client,
        `hears nothing${answer === null ? '' : `: ${answer.left.tag === 'Unavailable' ? answer.left.what : ''}`}`,
      )
      if (id !== null) log.unknown(id)
      return
    }
    if (E.isRight(answer)) {
      done += 1
      const output = doneOf(model, answer.right)
      tell(client, `done ${output.is === 'done' ? (output.ips ?? []).join(' ') : ''}`)
      if (id !== null) log.ok(id, output)
      return
    }
    refused += 1
    tell(client, `refused: ${answer.left.tag}`)
    const output = refusalOf(answer.left)
    if (id === null) return
    if (output === null) log.fail(id)
    else log.ok(id, output)
  }

  const submit = (client: string, { engine, process }: Running, order: Order, over: () => void): void => {
    asked += 1
    const id = order.ask === null ? null : log.invoke(client, order.ask)
    tell(client, `asks ${order.ask === null ? order.commands.map(({ tag }) => tag).join() : JSON.stringify(order.ask)}`)
    let isOpen = true
    const end = (answer: Answer | null): void => {
      if (!isOpen) return
      isOpen = false
      hear(client, id, answer, engine.model())
      over()
    }
    process.atEnd(() => end(null))
    engine.submit(order.commands, { together: true }).then(
      (answers) => end(together(answers)),
      (error) => {
        defect(`${client}: ${error instanceof Error ? error.stack : error}`)
        end(null)
      },
    )
  }

  const perform = (client: string, host: Host, act: Act, over: () => void): void =>
    host.whenUp((running) => {
      const again = (): void => perform(client, host, act, over)
      // One that stands still takes nothing.
      if (!running.process.isRunning()) {
        time.after(STANDS_MS, again)
        return
      }
      const order = orderOf({ model: running.engine.model(), host: host.id, number: ++number, names, act })
      if (order === null) over()
      else submit(client, running, order, over)
    })

  const byClient = new Map<number, Act[]>()
  for (const act of acts) {
    const before = byClient.get(act.client)
    if (before === undefined) byClient.set(act.client, [act])
    else before.push(act)
  }
  for (const [which, own] of byClient) {
    const host = hosts[Math.floor(which / CLIENTS_OF_A_HOST)]
    if (host === undefined) continue
    const client = `${host.id}.${which % CLIENTS_OF_A_HOST}`
    const next = (i: number): void => {
      const act = own[i]
      if (act === undefined) return
      time.after(act.at - time.now(), () =>
        perform(client, host, act, () => {
          left -= 1
          next(i + 1)
        }),
      )
    }
    next(0)
  }

  return { areDone: () => left === 0, counts: () => ({ asked, done, refused, unknown }) }
}

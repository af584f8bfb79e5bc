// Where commands wait: all that wait are taken together, one turn after the other, and never beside other work on the kernel
// and the store. Bounded (beyond that, callers are told to come back), and what still waits can be withdrawn.

import type { Command } from '../model/command.ts'
import type { CnmError } from '../model/error.ts'
import type { CnmEvent } from '../model/event.ts'
import { E, type Either } from '../prelude.ts'
import { unavailable } from './problem.ts'

/** What a command did, once it is committed, in the kernel, and known to the plugins it concerns. */
export type Answer = Either<CnmError, ReadonlyArray<CnmEvent>>

/**
 * Commands that still wait when `signal` aborts are withdrawn; one whose turn has begun is answered when it is done.
 * `together`: all of the commands are done or none is, in the model, the store and the kernel. If one is refused, the others
 * are answered with its error. (What a plugin refuses later is given up alone: docs/decisions/0008-a-ledger-of-calls.md.)
 */
export type SubmitOptions = Readonly<{ signal?: AbortSignal; together?: boolean }>

/**
 * A command with the caller who waits for its answer. `party`: the same for those that are done together or not at all; they
 * stand one after the other, and no turn takes only some of them. `reject` is for defects of ours.
 */
export type Waiting = Readonly<{
  command: Command
  party: symbol
  resolve: (answer: Answer) => void
  reject: (defect: unknown) => void
}>

export type Inbox = Readonly<{
  /**
   * Answers in the order of the commands. They share turns with whatever else waits then, and wait for nothing that comes
   * later.
   */
  submit: (commands: ReadonlyArray<Command>, options?: SubmitOptions) => Promise<ReadonlyArray<Answer>>
  /** News from below: it neither counts as waiting nor is refused, not even while the inbox closes. */
  tell: (news: Command) => Promise<Answer>
  /** Work on the kernel and the store is done one piece after the other: a turn, or a sweep. */
  inTurn: <A>(work: () => Promise<A>) => Promise<A>
  /** Takes no more commands, waits for all turns and other work, for `settled`, and then does `last`. */
  close: (settled: () => Promise<void>, last: () => Promise<void>) => Promise<void>
}>

const refuseAll = (commands: ReadonlyArray<Command>, error: CnmError): ReadonlyArray<Answer> =>
  commands.map(() => E.left(error))

const CANCELLED = unavailable('the command was cancelled before its turn came')

/**
 * `take` does a turn: it sees to it that every one of the batch is answered, and does not throw but for a defect. `beside`:
 * how many had their turn and wait still.
 */
export const makeInbox = (
  maxWaiting: number,
  beside: () => number,
  take: (batch: ReadonlyArray<Waiting>) => Promise<void>,
): Inbox => {
  let inbox: Waiting[] = []
  /** The turn that took a command, which may go on after its answer. */
  const turns = new WeakMap<Waiting, Promise<void>>()
  let turning: Promise<void> | null = null
  let alone: Promise<unknown> = Promise.resolve()
  let closing: Promise<void> | null = null

  const inTurn = <A>(work: () => Promise<A>): Promise<A> => {
    const mine = alone.then(work)
    alone = mine.catch(() => {})
    return mine
  }

  /** A defect is for those whose turn it was; the next turn is another. */
  const takeAll = async (): Promise<void> => {
    const batch = inbox
    inbox = []
    const turn = take(batch)
    for (const waiting of batch) turns.set(waiting, turn)
    await turn.catch(() => {})
  }

  /** Takes turns until nothing waits. Nothing is awaited between the last look at the inbox and the end. */
  const run = async (): Promise<void> => {
    await null
    while (inbox.length > 0) await inTurn(takeAll)
    turning = null
  }

  /** Puts a command among those that wait; it is answered when its turn is over. */
  const wait = (command: Command, party = Symbol(), mine: Set<Waiting> = new Set()): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const waiting: Waiting = {
        command,
        party,
        resolve: (answer) => {
          const over = turns.get(waiting) ?? Promise.resolve()
          over.then(() => resolve(answer), reject)
        },
        reject,
      }
      mine.add(waiting)
      inbox.push(waiting)
      turning ??= run()
    })

  /** Withdraws those of these that no turn has taken yet. */
  const withdraw = (those: ReadonlySet<Waiting>): void => {
    const gone = inbox.filter((waiting) => those.has(waiting))
    inbox = inbox.filter((waiting) => !those.has(waiting))
    for (const { resolve } of gone) resolve(E.left(CANCELLED))
  }

  const submit = async (
    commands: ReadonlyArray<Command>,
    { signal, together = false }: SubmitOptions = {},
  ): Promise<ReadonlyArray<Answer>> => {
    if (closing !== null) return refuseAll(commands, unavailable('the engine is stopping'))
    if (signal?.aborted) return refuseAll(commands, CANCELLED)
    const crowd = inbox.length + beside()
    if (crowd >= maxWaiting)
      return refuseAll(commands, unavailable(`${crowd} commands are waiting already`, 'try again later'))
    const mine = new Set<Waiting>()
    const party = together ? Symbol() : undefined
    const answers = commands.map((command) => wait(command, party, mine))
    const abort = (): void => withdraw(mine)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return await Promise.all(answers)
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  return {
    submit,
    tell: (news) => wait(news),
    inTurn,
    close: (settled, last) => {
      closing ??= (async () => {
        await turning
        await settled()
        await turning
        await alone
        await last()
      })()
      return closing
    },
  }
}

// The shared store as a process on a host has it: one memory store behind a line. A request that is not answered in time is `StoreUnavailable`,
// and it has happened, happens later, or never. A watch is late, tells several transactions as one, and ends.

import { E, type Either } from '../prelude.ts'
import type { Clock } from '../store/clock.ts'
import type { StoreError } from '../store/error.ts'
import type { Hold, SharedStore } from '../store/lease.ts'
import type { MemoryStore } from '../store/memory.ts'
import type { News, Revision, Write } from '../store/store.ts'
import { LATE_MS, type Line } from './line.ts'
import type { Process } from './process.ts'

export type StoreParts = Readonly<{
  store: MemoryStore
  line: Line
  process: Process
  /** How late news is. */
  lagMs: number
  /** A process that has ended asks for something: a defect of the simulation. */
  strayed: (what: string) => void
}>

/** Until a host gives up waiting for an answer. */
export const DEADLINE_MS = 1500
/** Of watches that meet a cut, so many end; the others go on from where they were. */
const ENDS = 0.3
/** Of news that waits with other news, so much is told together with it. */
const MERGED = 0.3

const lost = (what: string): StoreError => ({ tag: 'StoreUnavailable', what, hint: null })

type Ask = <A>(
  what: string,
  work: () => Promise<Either<StoreError, A>>,
  givenUp?: () => void,
) => Promise<Either<StoreError, A>>

const asking =
  ({ line, process, strayed }: StoreParts): Ask =>
  (what, work, givenUp = () => {}) =>
    new Promise((resolve) => {
      if (!process.isAlive()) return strayed(what)
      let isOpen = true
      const answer = (outcome: Parameters<typeof resolve>[0]): void => {
        if (!isOpen) return
        isOpen = false
        withdraw()
        resolve(outcome)
      }
      const giveUp = (why: string): void => {
        if (isOpen) givenUp()
        answer(E.left(lost(why)))
      }
      const isBroken = line.breaks()
      const withdraw = process.clock.after(isBroken ? 1 : DEADLINE_MS, () =>
        giveUp(`the store did not answer: ${what}`),
      )
      const arrive = (): void => void work().then((outcome) => line.carry(() => process.enter(() => answer(outcome))))
      line.carry(arrive, isBroken ? line.random.between(...LATE_MS) : 0)
    })

/** Of one transaction each, as one: what was written last of a key. */
const merged = (one: ReadonlyArray<Write>, other: ReadonlyArray<Write>): ReadonlyArray<Write> => {
  const writes = new Map(one.map(({ key, value }) => [key, value]))
  for (const { key, value } of other) {
    writes.delete(key)
    writes.set(key, value)
  }
  return [...writes].map(([key, value]) => ({ key, value }))
}

const withMerges = (news: ReadonlyArray<News>, { random }: Line): ReadonlyArray<News> => {
  const told: News[] = []
  for (const each of news) {
    const last = told.at(-1)
    if (last?.tag === 'Changed' && each.tag === 'Changed' && random.chance(MERGED))
      told[told.length - 1] = { ...each, writes: merged(last.writes, each.writes) }
    else told.push(each)
  }
  return told
}

const watching = ({ store, line, process, lagMs }: StoreParts): SharedStore['watch'] => {
  return (prefix, since, tell) => {
    let at: Revision = since
    let isOver = false
    let connection = 0
    let unwatch = (): void => {}

    const stop = (): void => {
      isOver = true
      connection += 1
      unwatch()
      unlisten()
    }
    const deliver = (news: News): void => {
      if (isOver) return
      if (news.tag === 'Changed') at = news.revision
      else stop()
      process.enter(() => tell(news))
    }
    /** News that is on its way when the line is cut is lost; it is asked for again. */
    const connect = (): void => {
      const mine = ++connection
      let waiting: News[] = []
      const send = (): void => {
        line.repeat(() => {
          if (mine !== connection) return
          const news = waiting
          waiting = []
          for (const each of withMerges(news, line)) deliver(each)
        }, lagMs)
      }
      line.repeat(() => {
        if (mine !== connection) return
        unwatch = store.watch(prefix, at, (news) => {
          if (mine !== connection) return
          waiting.push(news)
          if (waiting.length === 1) send()
        })
      })
    }
    const unlisten = line.listen((isCut) => {
      connection += 1
      unwatch()
      if (!isCut) connect()
      else if (line.random.chance(ENDS)) deliver({ tag: 'Ended', error: lost('the watch has ended') })
    })
    process.atEnd(stop)
    connect()
    return stop
  }
}

/** Renewals of one hold: they come while its process runs and the line is whole, and not once it was given up. */
const renewalClock = ({ line, process }: StoreParts, isGivenUp: () => boolean): Clock => ({
  after: (ms, work) => {
    let isWithdrawn = false
    const attempt = (): void => {
      if (isWithdrawn || isGivenUp()) return
      if (!line.isCut()) {
        work()
        return
      }
      const unlisten = line.listen(() => {
        unlisten()
        process.enter(attempt)
      })
    }
    const withdraw = process.clock.after(ms, attempt)
    return () => {
      isWithdrawn = true
      withdraw()
    }
  },
})

export const storeOver = (parts: StoreParts): SharedStore => {
  const { store, process } = parts
  const ask = asking(parts)
  return {
    get: (key) => () => ask(`get ${key}`, store.get(key)),
    list: (prefix) => () => ask(`list ${prefix}`, store.list(prefix)),
    transact: (transaction) => () => ask('transact', store.transact(transaction)),
    watch: watching(parts),
    hold: (key, value, ttlMs, lose) => async () => {
      let isGivenUp = false
      const giveUp = (): void => {
        isGivenUp = true
      }
      const leases = store.leases(renewalClock(parts, () => isGivenUp))
      const tell = (error: StoreError): void => process.enter(() => (isGivenUp ? undefined : lose(error)))
      const held = await ask(`hold ${key}`, leases.hold(key, value, ttlMs, tell), giveUp)
      if (E.isLeft(held)) return held
      const release = async (): Promise<void> => {
        const given = async (): Promise<Either<StoreError, void>> => E.right(await held.right.release())
        await ask(`release ${key}`, given, giveUp)
      }
      return E.right<StoreError, Hold>({ revision: held.right.revision, release })
    },
    close: async () => {},
  }
}

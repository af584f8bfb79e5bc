// What is kept for a verb: in a store that is its host's alone, or in one that hosts share, where it has a part of its own. Verbs that change
// something hold it, as the one process that is this host; those that look hold nothing and make nothing.

import { setTimeout as sleep } from 'node:timers/promises'
import { listHosts } from '../../cluster/hosts.ts'
import { localPrefix } from '../../cluster/layout.ts'
import { type Membership, membership, type Setback } from '../../cluster/membership.ts'
import { ensureSole, enterShared, soleOf, takeSole } from '../../cluster/prefix.ts'
import { lookAtHost } from '../../cluster/sight.ts'
import { printable } from '../../compose/error.ts'
import { DRIVERS } from '../../drivers/registry.ts'
import { coreIn, entriesIn, type Remembered, rememberedIn } from '../../engine/load.ts'
import type { Core } from '../../engine/step.ts'
import type { HostId } from '../../model/types.ts'
import { E, type Either, type TaskEither } from '../../prelude.ts'
import { type Beside, besideServers, besideStore, type Sight } from '../../store/beside.ts'
import type { StoreError } from '../../store/error.ts'
import { findShared, lookAtStore, openShared, openStore } from '../../store/open.ts'
import type { Entry, Store } from '../../store/store.ts'
import { isOnServers, type StoreUrl, showStoreUrl } from '../../store/url.ts'
import { EXIT } from '../exit.ts'
import { type Problem, problem } from '../problem.ts'
import type { KernelName } from '../survey.ts'
import { type HostPlace, type Place, showPlace } from './place.ts'
import { refusalProblem, storeProblem } from './refusal.ts'

export type Answer<B> = Promise<Either<Problem, B>>
export type Work<A, B> = (given: A) => Answer<B>

type Asked<A> = Promise<Either<StoreError, A>>

/** `host` null: nobody else changes what is kept. */
export type Kept = Readonly<{
  host: HostId | null
  /** The kernel that its networks are on, as it was noted; null: nothing was changed yet. */
  kernel: () => Asked<string | null>
  entries: () => Asked<ReadonlyArray<Entry>>
}>

/** `keeper`: for its engine. */
export type Held = Kept &
  Readonly<{
    noteKernel: (kernel: KernelName) => Asked<void>
    keeper: Readonly<{ store: Store; checkpointTurns: number } | { cluster: Membership }>
  }>

/** Which kernel a host's networks are on. */
const KERNEL = 'kernel'
/** After so many turns the journal begins anew; until the next time it keeps those before, too. */
const CHECKPOINT_TURNS = 1000
/** So long a verb waits for another that is this host, or for a watch that repairs. */
const PATIENCE_MS = 2000
const BETWEEN_MS = 20

/** `open` again and again while somebody else is at work. */
const patiently = async <A>(open: TaskEither<StoreError, A>): Asked<A> => {
  const start = performance.now()
  for (;;) {
    const opened = await open()
    const isBusy = E.isLeft(opened) && (opened.left.tag === 'StoreInUse' || opened.left.tag === 'StoreHeld')
    if (!isBusy || performance.now() - start > PATIENCE_MS) return opened
    await sleep(BETWEEN_MS)
  }
}

const using = async <A extends Readonly<{ close: () => Promise<void> }>, B>(
  open: TaskEither<StoreError, A>,
  work: Work<A, B>,
  problemOf: (error: StoreError) => Problem = storeProblem,
): Answer<B> => {
  const opened = await patiently(open)
  if (E.isLeft(opened)) return E.left(problemOf(opened.left))
  try {
    return await work(opened.right)
  } finally {
    await opened.right.close()
  }
}

/** Whatever it holds. Makes one if there is none. */
export const withStore = <B>(url: StoreUrl, work: Work<Store, B>): Answer<B> => using(openStore(url), work)

const NO_STORE = { close: async () => {} }

/** `absent`: what is done where there is no store; none is made. */
export const withWhatIs = <A extends Store, B>(
  look: TaskEither<StoreError, A | null>,
  work: Work<A, B>,
  absent: () => Answer<B>,
): Answer<B> =>
  using(
    async () => E.map((store: A | null) => store ?? NO_STORE)(await look()),
    (store) => ('get' in store ? work(store) : absent()),
  )

/** For who takes away what is there, whatever that is. */
export const withExisting = <B>(url: StoreUrl, work: Work<Store, B>): Answer<B> =>
  withWhatIs(lookAtStore(url), work, async () => {
    const way = url.tag === 'lmdb' ? 'name the state directory' : 'see whether its prefix is the right one'
    return problem(EXIT.machine, printable(`there is no store in ${showStoreUrl(url)}; ${way}`))
  })

/** What cannot be looked at is there: opening it says why it cannot be. */
export const isThere = async (place: Place): Promise<boolean> => {
  const store = await patiently(place.tag === 'host' ? findShared(place.url) : lookAtStore(place))
  if (E.isRight(store)) await store.right?.close()
  return E.isLeft(store) || store.right !== null
}

/** A copy is on no kernel yet. */
export const withoutKernel = async (store: Store): Promise<Either<Problem, void>> => {
  const hosts = await listHosts(store)()
  if (E.isLeft(hosts)) return E.left(storeProblem(hosts.left))
  const keys = [KERNEL, ...hosts.right.map(({ host }) => localPrefix(host) + KERNEL)]
  const written = await store.transact({ compares: [], writes: keys.map((key) => ({ key, value: null })) })()
  return E.isLeft(written) ? E.left(storeProblem(written.left)) : E.right(undefined)
}

/** What hosts share lies in a directory as an export only. */
const problemAt =
  (url: StoreUrl) =>
  (error: StoreError): Problem =>
    storeProblem(
      error.tag === 'StoreOtherUse' && url.tag === 'lmdb'
        ? { ...error, hint: 'hosts share it on servers: "cnm store export" it, and import it there' }
        : error,
    )

const keptIn = (host: HostId | null, entries: ReadonlyArray<Entry>): Kept => ({
  host,
  kernel: async () => E.right(entries.find(({ key }) => key === KERNEL)?.value ?? null),
  entries: async () => E.right(entries),
})

const soleIn = (store: Store): Kept => ({
  host: null,
  kernel: async () => E.map((entry: Entry | null) => entry?.value ?? null)(await store.get(KERNEL)()),
  entries: () => entriesIn(store),
})

/** What only looks, looks at: no store is an empty one. */
export const withSight = <B>(place: Place, work: Work<Kept, B>): Answer<B> => {
  if (place.tag === 'host')
    return withWhatIs(
      findShared(place.url),
      async (store) => {
        const seen = await lookAtHost(store, place.host, showStoreUrl(place.url))()
        return E.isLeft(seen) ? E.left(storeProblem(seen.left)) : work(keptIn(place.host, seen.right.entries))
      },
      () => work(keptIn(place.host, [])),
    )
  return withWhatIs(
    lookAtStore(place),
    async (store) => {
      const sole = await ensureSole(store, showStoreUrl(place))()
      return E.isLeft(sole) ? E.left(problemAt(place)(sole.left)) : work(soleIn(store))
    },
    () => work(keptIn(null, [])),
  )
}

/** Of a store that hosts do not share. */
const openSole = (url: StoreUrl): TaskEither<StoreError, Store> => {
  if (isOnServers(url))
    return async () => {
      const shared = await openShared(url)()
      return E.isLeft(shared) ? shared : takeSole(shared.right, showStoreUrl(url))()
    }
  return async () => {
    const store = await openStore(url)()
    const sole = E.isLeft(store) ? store : await ensureSole(store.right, showStoreUrl(url))()
    if (E.isRight(sole)) return store
    if (E.isRight(store)) await store.right.close()
    return sole
  }
}

const soleHeld = (store: Store): Held => ({
  ...soleIn(store),
  noteKernel: async (value) => {
    const written = await store.transact({ compares: [], writes: [{ key: KERNEL, value }] })()
    return E.isLeft(written) ? written : E.right(undefined)
  },
  keeper: { store, checkpointTurns: CHECKPOINT_TURNS },
})

type Taken = Readonly<{ cluster: Membership; entries: ReadonlyArray<Entry>; close: () => Promise<void> }>

/** As the one process that is this host, until it is closed. */
const takeHost =
  ({ url, host }: HostPlace): TaskEither<StoreError, Taken> =>
  async () => {
    const store = await openShared(url)()
    if (E.isLeft(store)) return store
    const cluster = membership({ store: store.right, host, place: showStoreUrl(url) })
    const entries = await enterShared(store.right, showStoreUrl(url), cluster.begin)()
    if (E.isRight(entries)) return E.right({ cluster, entries: entries.right, close: cluster.close })
    await cluster.close()
    return entries
  }

const setbackError = (place: HostPlace, setback: Setback): StoreError =>
  'error' in setback
    ? setback.error
    : { tag: 'StoreUnavailable', what: `${showPlace(place)} is another process’s now`, hint: 'begin again' }

/** What was read when the host was taken is what its engine begins with. */
const hostHeld = (place: HostPlace, { cluster, entries }: Taken): Held => {
  let isFirst = true
  const begin: Membership['begin'] = async () => {
    if (!isFirst) return cluster.begin()
    isFirst = false
    return E.right(entries)
  }
  return {
    ...keptIn(place.host, entries),
    noteKernel: async (value) => {
      const written = await cluster.commit([{ key: KERNEL, value }], { writes: [], absent: [], known: [] })
      return E.isLeft(written) ? E.left(setbackError(place, written.left)) : written
    },
    keeper: { cluster: { ...cluster, begin } },
  }
}

/** A name that two machines have is another's to give up. */
const hostProblem =
  (place: HostPlace) =>
  (error: StoreError): Problem => {
    if (error.tag !== 'StoreHeld' || error.place !== showPlace(place)) return storeProblem(error)
    const way =
      'each machine needs a --host of its own; if that one is this machine, wait for it, or some seconds if it has crashed'
    return { exit: EXIT.machine, lines: [printable(`cnm: ${error.place} is in use by ${error.by}; ${way}`)] }
  }

/** Makes a store if there is none. */
export const withHeld = <B>(place: Place, work: Work<Held, B>): Answer<B> =>
  place.tag === 'host'
    ? using(takeHost(place), (taken) => work(hostHeld(place, taken)), hostProblem(place))
    : using(openSole(place), (store) => work(soleHeld(store)), problemAt(place))

/** What the store says: the model with the host as it should be by it, and what the engine remembers beside it. */
export type Stored = Readonly<{ core: Core; remembered: Remembered }>

export const storedIn = async (kept: Kept): Promise<Either<Problem, Stored>> => {
  const entries = await kept.entries()
  if (E.isLeft(entries)) return E.left(storeProblem(entries.left))
  const core = coreIn(entries.right, kept.host, DRIVERS)
  return E.isLeft(core)
    ? E.left(refusalProblem(core.left))
    : E.right({ core: core.right, remembered: rememberedIn(entries.right) })
}

/** For work that changes nothing, neither the store nor the kernel. */
export const withStored = <B>(place: Place, work: Work<Stored, B>): Answer<B> =>
  withSight(place, async (kept) => {
    const stored = await storedIn(kept)
    return E.isLeft(stored) ? stored : work(stored.right)
  })

/** Read beside whoever is at work on it. */
export const besidePlace = (place: Place): Beside =>
  place.tag === 'host'
    ? besideServers(place.url, (store) => lookAtHost(store, place.host, showStoreUrl(place.url))())
    : besideStore(place)

/** What was read beside whoever is at work. Left: the place is for another use. */
export const keptOf = (place: Place, { entries }: Sight): Either<Problem, Kept> => {
  if (place.tag === 'host') return E.right(keptIn(place.host, entries))
  const sole = soleOf(entries, showStoreUrl(place))
  return E.isLeft(sole) ? E.left(problemAt(place)(sole.left)) : E.right(keptIn(null, entries))
}

// cnm host: the hosts that share a prefix of a store: who is there, and forgetting one that will not come back.

import { forgetHost, type HostStatus, listHosts } from '../../cluster/hosts.ts'
import { ensureShared } from '../../cluster/prefix.ts'
import { printable } from '../../compose/error.ts'
import { E, type Either } from '../../prelude.ts'
import { findShared } from '../../store/open.ts'
import { type Holder, readHolder } from '../../store/presence.ts'
import type { Store } from '../../store/store.ts'
import { isOnServers, showStoreUrl } from '../../store/url.ts'
import { EXIT } from '../exit.ts'
import { confirmed } from '../host/confirm.ts'
import { type Answer, type Work, withWhatIs } from '../host/kept.ts'
import type { Place } from '../host/place.ts'
import { misused } from '../host/read.ts'
import { refused, storeProblem } from '../host/refusal.ts'
import type { Io } from '../io.ts'
import type { Problem } from '../problem.ts'
import { jsonText } from '../render/json.ts'
import { counted, table } from '../render/table.ts'

type Result = Promise<Either<Problem, number>>

/** `place`: the prefix, for sentences. */
type Found = Readonly<{ store: Store; place: string; hosts: ReadonlyArray<HostStatus> }>

const onHosts = async <B>(where: Place, work: Work<Found | null, B>): Answer<B> => {
  const url = where.tag === 'host' ? where.url : where
  if (!isOnServers(url))
    return misused('hosts share a store on servers; say --store etcd://HOST:PORT,.../PREFIX, zk://... or consul://...')
  const place = showStoreUrl(url)
  return withWhatIs(
    findShared(url),
    async (store) => {
      const usable = await ensureShared(store, place)()
      if (E.isLeft(usable)) return E.left(storeProblem(usable.left))
      const hosts = await listHosts(store)()
      return E.isLeft(hosts) ? E.left(storeProblem(hosts.left)) : work({ store, place, hosts: hosts.right })
    },
    () => work(null),
  )
}

/** `down`: its engine was to run on, and is gone without a word; the others clear it. `away`: nothing of it is at work, and nothing is amiss. */
const stateOf = ({ holder, mortal }: HostStatus): 'up' | 'away' | 'down' => {
  if (holder !== null) return 'up'
  return mortal ? 'down' : 'away'
}

const processOf = ({ holder }: HostStatus): Holder | null => (holder === null ? null : readHolder(holder))

const processText = (status: HostStatus): string => {
  const process = processOf(status)
  if (process !== null) return `${process.pid} on ${process.machine}`
  return status.holder === null ? '-' : '?'
}

const viewOf = (status: HostStatus) => {
  const process = processOf(status)
  return {
    host: status.host,
    state: stateOf(status),
    endpoints: status.endpoints,
    process: process === null ? null : { machine: process.machine, pid: process.pid },
  }
}

const HEAD = ['HOST', 'STATE', 'ENDPOINTS', 'PROCESS']

const rowOf = (status: HostStatus): ReadonlyArray<string> =>
  [status.host, stateOf(status), String(status.endpoints), processText(status)].map(printable)

export const ls = (io: Io, store: Place, json: boolean): Result =>
  onHosts(store, async (found) => {
    const hosts = found?.hosts ?? []
    if (json) io.out(jsonText(hosts.map(viewOf)))
    else {
      const head = HEAD.map((title) => io.paint.dim(title))
      io.out(table([head, ...hosts.map(rowOf)]).replaceAll(/^ {2}/gm, ''))
    }
    return E.right(EXIT.ok)
  })

const ofShared = (endpoints: number): string => counted(endpoints, 'endpoint')

const isThere = (name: string, status: HostStatus | null): Problem => {
  const who = status === null ? 'it came back' : `process ${processText(status)}`
  const way = 'stop what runs as it, or wait some seconds if that has crashed'
  return refused('Conflict', `host ${name} is there (${who}): nothing of it was cleared; ${way}`)
}

const forgetOne = async (io: Io, { store, place }: Found, { host }: HostStatus): Result => {
  const cleared = await forgetHost(store, host, place)()
  if (E.isRight(cleared)) {
    io.out(`forgot host ${host}; ${ofShared(cleared.right)} cleared`)
    return E.right(EXIT.ok)
  }
  return E.left(cleared.left.tag === 'StoreHeld' ? isThere(host, null) : storeProblem(cleared.left))
}

export type ForgetOptions = Readonly<{ store: Place; yes: boolean }>

/** Takes from a host what it has of what hosts share, and what it kept for itself. */
export const forget = (io: Io, name: string, { store, yes }: ForgetOptions): Result =>
  onHosts(store, async (found) => {
    const status = found?.hosts.find(({ host }) => host === name)
    if (found === null || status === undefined)
      return E.left(refused('NotFound', `no host "${name}" shares this store; "cnm host ls" shows those that do`))
    if (status.holder !== null) return E.left(isThere(name, status))
    if (!yes) {
      const text = `This removes host ${name} with ${ofShared(status.endpoints)} of shared networks, and all it kept for itself.`
      const sure = await confirmed({ verb: 'host forget', way: '--yes', text })
      if (E.isLeft(sure)) return sure
      if (!sure.right) return E.right(EXIT.ok)
    }
    return forgetOne(io, found, status)
  })

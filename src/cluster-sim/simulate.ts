// A cluster told from a plan: hosts with engines on one store, with all that goes wrong, until everything was healed and has settled; and what is
// then found to be wrong. The same plan gives the same trace.

import type { ReadRecord } from '../cluster/view.ts'
import { recorder } from '../history/record.ts'
import type { ClusterIn, ClusterOut } from '../history/specs/cluster.ts'
import { decodeStored } from '../model/codec.ts'
import { explain } from '../model/error.ts'
import type { HostId } from '../model/types.ts'
import { E } from '../prelude.ts'
import { memoryStore } from '../store/memory.ts'
import { withClearings } from './clearings.ts'
import { type Counts, startClients } from './clients.ts'
import { probeOf } from './commands.ts'
import { type Host, makeHost } from './host.ts'
import { lookAt, ofCluster, ofHistory, readStore } from './judge.ts'
import type { Fault, Plan } from './plan.ts'
import { type Time, virtualTime } from './time.ts'
import { makeTrace, type Trace } from './trace.ts'

/** `findings`: what is wrong, in sentences; none: all is well. `why`: more of it, if there is more. `seconds`: of virtual time. */
export type Outcome = Readonly<{
  findings: ReadonlyArray<string>
  why: (() => string) | null
  trace: Trace
  counts: Counts
  seconds: number
  events: number
  transactions: number
  /** Endpoints that others took from hosts that were not heard of. */
  cleared: number
  endpoints: number
}>

/** Who is well does what it is asked within so long. */
const PROMPT_MS = 2000

/** After everything was healed, all callers are answered within so long. */
const ANSWERED_MS = 120_000
/** ... and then so long later all is as it should be. */
const SETTLED_MS = 5000

/** A cast: these are names of hosts (model/cluster.ts). */
const hostId = (n: number): HostId => `h${n}` as HostId

const begin = (host: Host, { what }: Fault): void => {
  if (what === 'cut') host.line.cut()
  else if (what === 'lossy') host.line.setLoss(0.05)
  else if (what === 'pause') host.pause()
  else if (what === 'stop') host.stop()
  else host.crash(what === 'reboot')
}

/** Whatever it was: what is well stays so. */
const heal = (host: Host): void => {
  host.line.heal()
  host.line.setLoss(0)
  host.resume()
  host.start()
}

/** Hosts have the objects of one record in common. What was read is kept as long as it is of the last few thousand. */
const readOnce = (): ReadRecord => {
  const known = new Map<string, ReturnType<ReadRecord>>()
  return (key, value) => {
    const before = known.get(value)
    if (before !== undefined) return before
    const event = decodeStored(key, value)
    if (known.size >= KNOWN_RECORDS) known.clear()
    known.set(value, event)
    return event
  }
}
const KNOWN_RECORDS = 5000

/** Every host does something; hosts that do not, in sentences. */
const probe = async (time: Time, hosts: ReadonlyArray<Host>): Promise<ReadonlyArray<string>> => {
  const silent = new Map(hosts.map(({ id }) => [id, `host ${id} did not answer within ${PROMPT_MS / 1000} s`]))
  hosts.forEach((host, n) => {
    const engine = host.running()?.engine
    void engine?.submit([probeOf(n)]).then(([answer]) => {
      if (answer !== undefined && E.isLeft(answer)) silent.set(host.id, `host ${host.id}: ${explain(answer.left)}`)
      else silent.delete(host.id)
    })
  })
  await time.runUntil(time.now() + PROMPT_MS)
  return [...silent.values()]
}

export const simulate = async (plan: Plan): Promise<Outcome> => {
  const { seed, broken, lagsMs, mortal } = plan
  const time = virtualTime()
  const trace = makeTrace(time.now)
  const store = memoryStore({ history: plan.history, clock: time })
  const findings: string[] = []
  const defect = (what: string): void => {
    trace.tell('defect', what)
    findings.push(`defect: ${what}`)
  }
  let transactions = 0
  store.watch('', 0, (news) => {
    transactions += 1
    if (news.tag === 'Changed')
      trace.tell(
        'store',
        `${news.revision}: ${news.writes.map(({ key, value }) => `${value === null ? '-' : ''}${key}`).join(' ')}`,
      )
  })

  const read = readOnce()
  let cleared = 0
  const log = recorder<ClusterIn, ClusterOut>()
  const ids = Array.from({ length: plan.hosts }, (_, n) => hostId(n))
  const hosts = ids.map((id, n) => {
    const noted = withClearings(store, id, ids, log, ({ host, endpoints }) => {
      cleared += endpoints.length
      trace.tell(id, `clears ${host} of ${endpoints.map((each) => each.id).join()}`)
    })
    const way = { broken, lagMs: lagsMs[n] ?? 0, store: noted }
    return makeHost({ id, seed, time, ...way, mortal, read, tell: (what) => trace.tell(id, what), defect })
  })
  for (const host of hosts) host.start()
  const clients = startClients({ time, hosts, log, acts: plan.acts, names: plan.names, tell: trace.tell, defect })
  for (const fault of plan.faults) {
    const host = hosts[fault.host]
    if (host === undefined) continue
    time.after(fault.at, () => {
      trace.tell(host.id, `${fault.what} for ${fault.forMs.toFixed(0)} ms`)
      begin(host, fault)
    })
    time.after(fault.at + fault.forMs, () => {
      trace.tell(host.id, `${fault.what} is over`)
      heal(host)
    })
  }

  const lastFault = Math.max(plan.endsAt, ...plan.faults.map(({ at, forMs }) => at + forMs))
  await time.runUntil(lastFault)
  for (const host of hosts) {
    heal(host)
    host.line.mend()
  }
  trace.tell('all', 'healed')
  await time.runUntil(time.now() + ANSWERED_MS, clients.areDone)
  if (!clients.areDone()) findings.push(`not all callers were answered within ${ANSWERED_MS / 1000} s of healing`)
  await time.runUntil(time.now() + SETTLED_MS)
  findings.push(...(await probe(time, hosts)))

  const listed = await store.list('')()
  const entries = E.isRight(listed) ? listed.right.entries : []
  const stored = readStore(entries, ids)
  findings.push(...ofCluster(stored, hosts))
  const last = log.invoke('reader', { do: 'look' })
  log.ok(last, lookAt(stored))
  const judgement = ofHistory(log.history())
  if (judgement !== null) findings.push(judgement.finding)
  for (const each of findings) trace.tell('finding', each)
  return {
    findings,
    why: judgement?.why ?? null,
    trace,
    counts: clients.counts(),
    seconds: time.now() / 1000,
    events: time.events(),
    transactions,
    cleared,
    endpoints: entries.filter(({ key }) => key.startsWith('g/endpoint/')).length,
  }
}

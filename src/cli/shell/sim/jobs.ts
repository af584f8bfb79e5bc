// Programs beside the commands are begun, waited for and ended; what they have written is told when they are over.

import type { Step } from '../../../kernel-sim/datapath/step.ts'
import { writePcap } from '../../../kernel-sim/wire/pcap.ts'
import { encodeFrame } from '../../../kernel-sim/wire/wire.ts'
import type { Ns } from '../../../net/name.ts'
import type { Done } from '../../../shell/done.ts'
import type { Job } from '../../../shell/job.ts'
import type { Program } from '../../../shell/terminal.ts'
import type { Files } from '../file.ts'
import { isListener, isWatcher, type Listener, listen, type SimJob, stop, type Watcher } from './job.ts'
import { onNow, type Session, spaceAt } from './session.ts'
import { tcpdumpText } from './tcpdump-text.ts'

/** As any program here, it is interrupted after a minute of the clock. */
const LONGEST_MS = 60_000
const INTERRUPTED = 130

/** Its number, or why it cannot begin. */
export const start = (session: Session, ns: Ns, { name, words }: Program, job: Job | null): number | string => {
  if (job === null) return `${name}: not in the simulation`
  const { nextJob: number, here: host } = session.now
  const common = { number, line: [name, ...words].join(' '), host, ns, over: false }
  const begun = onNow(session, ({ plane, jobs }) => {
    const space = spaceAt(plane, common)
    if (space === null) return 'there is no such namespace'
    const one: SimJob | string = job.does === 'listen' ? listen(space, common, job) : { ...common, job, seen: [] }
    if (typeof one !== 'string') jobs.push(one)
    return typeof one === 'string' ? one : number
  })
  session.now = { ...session.now, nextJob: number + 1 }
  return begun
}

const NS_PER_MS = 1_000_000
const pcapOf = (seen: ReadonlyArray<Step>): Uint8Array =>
  writePcap(
    seen.flatMap(({ frame, atMs }) =>
      frame === null ? [] : [{ timeNs: BigInt(Math.round(atMs * NS_PER_MS)), bytes: encodeFrame(frame) }],
    ),
  )

/** The links that are not Ethernet's would say so; here all are shown as Ethernet's. */
const watcherSays = ({ job, seen, over }: Watcher, files: Files): Done => {
  const { dev, file, times, macs } = job
  const kind = dev === null ? 'LINUX_SLL2 (Linux cooked v2)' : 'EN10MB (Ethernet)'
  const head = file === null ? 'verbose output suppressed, use -v[v]... for full protocol decode\n' : ''
  const counts = [`${seen.length} packet${seen.length === 1 ? '' : 's'} captured`]
  counts.push(`${seen.length} packet${seen.length === 1 ? '' : 's'} received by filter`, '0 packets dropped by kernel')
  const listening = `listening on ${dev ?? 'any'}, link-type ${kind}, snapshot length 262144 bytes`
  const stderr = `tcpdump: ${head}${listening}\n${counts.join('\n')}\n`
  const text = tcpdumpText(seen, { times, macs, devices: dev === null })
  // Whoever stops it has the line to himself.
  if (file === null) return { status: 0, stdout: over ? text : `${text}\n`, stderr }
  const complaint = files.write(file, pcapOf(seen))
  return complaint === null
    ? { status: 0, stdout: '', stderr }
    : { status: 1, stdout: '', stderr: `tcpdump: ${file}: ${complaint}\n` }
}

const listenerSays = ({ text }: Listener, status: number): Done => ({ status, stdout: text, stderr: '' })

const saidBy = (one: SimJob, isOver: boolean, files: Files): Done => {
  if (isWatcher(one)) return watcherSays(one, files)
  return isListener(one) ? listenerSays(one, isOver ? 0 : INTERRUPTED) : { status: 0, stdout: '', stderr: '' }
}

const jobCalled = (jobs: ReadonlyArray<SimJob>, number: number): SimJob | undefined =>
  jobs.find((one) => one.number === number)

/** Null: there is no such job. */
export const finish = (session: Session, number: number, how: 'wait' | 'kill', files: Files): Done | null => {
  if (jobCalled(session.now.jobs, number) === undefined) return null
  const last = onNow(session, ({ plane, jobs, go }) => {
    const isOver = (): boolean => jobCalled(jobs, number)?.over ?? true
    if (how === 'wait') go(plane.nowMs + LONGEST_MS, isOver)
    const one = jobCalled(jobs, number)
    const space = one === undefined ? null : spaceAt(plane, one)
    if (one !== undefined && space !== null) stop(space, one)
    return one
  })
  const jobs = session.now.jobs.filter((one) => one.number !== number)
  session.now = { ...session.now, jobs }
  return last === undefined ? null : saidBy(last, last.over, files)
}

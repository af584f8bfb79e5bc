// What a terminal to the simulated kernel holds: the hosts and what is between them, the programs that go on beside the commands, and
// the sockets of the one that runs. All but the sockets is a value, so that keeping the present and going back there cost nothing.
// Invariant: packets move only within `onNow`; the programs beside the commands act as soon as something has come for them.

import { hostWorld } from '../../../kernel-sim/control.ts'
import { receive } from '../../../kernel-sim/datapath/device.ts'
import { run } from '../../../kernel-sim/datapath/loop.ts'
import { type Plane, type Space, spaceOf } from '../../../kernel-sim/datapath/plane.ts'
import type { Step } from '../../../kernel-sim/datapath/step.ts'
import { PARTS } from '../../../kernel-sim/datapath/wired.ts'
import type { Fabric } from '../../../kernel-sim/fabric/fabric.ts'
import { aged, onFabric } from '../../../kernel-sim/fabric/fabric.ts'
import type { World } from '../../../kernel-sim/state.ts'
import type { Ns } from '../../../net/name.ts'
import { getIn } from '../../../net/pmap.ts'
import { type SimJob, serve, watched } from './job.ts'
import { drain, notice, type SimSocket } from './socket.ts'

/** `steps`: of the last program that sent packets, and all that came of it. */
export type SimState = Readonly<{
  fabric: Fabric
  here: string
  jobs: ReadonlyArray<SimJob>
  nextJob: number
  steps: ReadonlyArray<Step>
}>

export type Session = {
  now: SimState
  readonly kept: Map<string, SimState>
  readonly sockets: Map<number, SimSocket>
  nextSocket: number
}

/** More than this nobody reads; older ones are forgotten. */
const MOST_STEPS = 100_000

export const worldHere = ({ now: { fabric, here } }: Session): World => getIn(fabric.hosts, here) ?? hostWorld()

/** A place of a host, while packets move; null: it is gone. */
export const spaceAt = (plane: Plane, { host, ns }: Readonly<{ host: string; ns: Ns }>): Space | null => {
  const of = plane.hosts.get(host)
  return of === undefined ? null : spaceOf(plane, of, ns)
}

/** Packets of the present, as one deed has them. */
export type Moment = Readonly<{
  plane: Plane
  jobs: SimJob[]
  /** Lets things happen until something is the case, at the latest at `untilMs`, where the clock then stands. */
  go: (untilMs: number, isOver: () => boolean) => void
}>

const settle = (plane: Plane): void => run(plane, receive, plane.nowMs, () => true)

const happenNext = (plane: Plane): void => {
  let isFirstLook = true
  run(plane, receive, Number.POSITIVE_INFINITY, () => {
    const isOver = !isFirstLook
    isFirstLook = false
    return isOver
  })
}

/** Whoever holds a socket sees what has come for it. */
const attend = (session: Session, plane: Plane, jobs: SimJob[]): void => {
  for (const socket of session.sockets.values()) {
    const space = spaceAt(plane, socket)
    if (space !== null) drain(space, socket)
  }
  jobs.forEach((job, at) => {
    const space = spaceAt(plane, job)
    if (space !== null) jobs[at] = serve(space, job)
  })
}

const going =
  (session: Session, plane: Plane, jobs: SimJob[]): Moment['go'] =>
  (untilMs, isOver) => {
    for (;;) {
      settle(plane)
      attend(session, plane, jobs)
      if (plane.taken < plane.backlog.length) continue
      if (isOver()) return
      const next = plane.pending[0]
      if (next === undefined || next.atMs > untilMs) {
        run(plane, receive, Math.max(untilMs, plane.nowMs))
        return
      }
      happenNext(plane)
    }
  }

/** What is done with packets now; what follows at the same moment happens, too. */
export const onNow = <A>(session: Session, deed: (moment: Moment) => A): A => {
  const { fabric: before, jobs: were, steps: earlier } = session.now
  const jobs = [...were]
  const steps: Step[] = []
  const { fabric, result } = onFabric(PARTS, before, (plane) => {
    plane.watch = (step) => {
      steps.push(step)
      for (const socket of session.sockets.values()) notice(socket, step)
      jobs.forEach((job, at) => {
        jobs[at] = watched(job, step)
      })
    }
    const go = going(session, plane, jobs)
    const value = deed({ plane, jobs, go })
    go(plane.nowMs, () => true)
    return value
  })
  const now = fabric.nowMs === before.nowMs ? fabric : aged(fabric)
  const all = steps.length === 0 ? earlier : [...earlier, ...steps].slice(-MOST_STEPS)
  session.now = { ...session.now, fabric: now, jobs, steps: all }
  return result
}

/** So long after it is given up a packet may wait for a neighbour until it dies. */
const EXPLANATION_MS = 4000

/** What will have happened by then, if nobody does anything; the present stays as it is. */
export const stepsToCome = (session: Session): ReadonlyArray<Step> => {
  const future: Session = { ...session, sockets: new Map() }
  onNow(future, ({ plane, go }) => go(plane.nowMs + EXPLANATION_MS, () => false))
  return future.now.steps
}

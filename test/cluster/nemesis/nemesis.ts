// Does what the plan says, at its time: kills, stops, cuts off; and takes it back.

import { setTimeout as sleep } from 'node:timers/promises'
import type { World } from './ends.ts'
import { type Cut, type Fault, type Phase, showFault } from './plan.ts'

export type Around = Readonly<{
  note: (what: string) => void
  /** A phase begins. */
  begins: () => void
  /** Something went wrong that nobody did: the rest is not worth its time. */
  isBroken: () => boolean
}>

type Moment = Readonly<{ atMs: number; fault: Fault; isEnd: boolean }>

export const nemesis = async (
  phases: ReadonlyArray<Phase>,
  { machines, ground }: World,
  around: Around,
): Promise<void> => {
  const startMs = performance.now()
  const cuts = new Map<Fault, ReadonlyArray<Cut>>()
  const until = (atMs: number): Promise<void> => sleep(Math.max(0, atMs - (performance.now() - startMs)))

  const change = async ({ fault, isEnd }: Moment): Promise<void> => {
    around.note(`${isEnd ? 'end of ' : ''}${showFault(fault)}`)
    if (fault.do === 'cut') {
      if (isEnd) cuts.delete(fault)
      else cuts.set(fault, fault.cuts)
      return ground.cut([...cuts.values()].flat())
    }
    const machine = machines.get(fault.node)
    if (fault.do === 'kill') await (isEnd ? machine?.start() : machine?.kill())
    else if (isEnd) machine?.resume()
    else machine?.pause()
  }

  /** Whatever was done to anybody; the plan leaves nothing of it but where it was given up. */
  const heal = async (): Promise<void> => {
    await ground.cut([])
    for (const machine of machines.values()) {
      machine.start()
      machine.resume()
    }
  }
  for (const { fromMs, troubles } of phases) {
    await until(fromMs)
    if (around.isBroken()) break
    around.begins()
    const moments = troubles
      .flatMap(({ fault, ...times }) => [
        { atMs: times.fromMs, fault, isEnd: false },
        { atMs: times.toMs, fault, isEnd: true },
      ])
      .sort((a, b) => a.atMs - b.atMs)
    for (const moment of moments) {
      await until(moment.atMs)
      await change(moment)
    }
  }
  await heal()
}

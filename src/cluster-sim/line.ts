// The line between a host and the store, one way or the other: what goes over it comes late, in another order, or not at all; while it is cut,
// what is on its way is lost or held back until it is healed.

import type { Random } from './random.ts'
import type { Time } from './time.ts'

export type Line = Readonly<{
  /** `extraMs`: so much later than it would come. */
  carry: (work: () => void, extraMs?: number) => void
  /** The same, but that it is lost only to a cut: what somebody repeats until it was heard. */
  repeat: (work: () => void, extraMs?: number) => void
  cut: () => void
  heal: () => void
  isCut: () => boolean
  /** Tells when it is cut, and when it is healed. Returns how to stop. */
  listen: (hear: (isCut: boolean) => void) => () => void
  /** The share of messages that is lost. */
  setLoss: (share: number) => void
  /** Whether the next request is given up at once, as when a connection breaks. */
  breaks: () => boolean
  /** Connections do not break any more. */
  mend: () => void
  random: Random
}>

/** Most messages are quick, some are not. */
const delayOf = (random: Random): number => (random.chance(0.05) ? random.between(20, 400) : random.between(0.2, 6))

/** Of messages that meet a cut, so many come when it is healed. */
const HELD_BACK = 0.5

/** What was held back, or was given up before it came, comes so much later. */
export const LATE_MS = [0, 400] as const

/** `broken`: the share of requests that are given up at once. */
export const makeLine = (time: Time, random: Random, broken: number): Line => {
  let isMended = false
  let isCut = false
  let loss = 0
  let held: (() => void)[] = []
  const hearers = new Set<(isCut: boolean) => void>()

  const send = (isLost: boolean, work: () => void, extraMs = 0): void => {
    time.after(delayOf(random) + extraMs, () => {
      if (isLost) return
      if (!isCut) work()
      else if (random.chance(HELD_BACK)) held.push(work)
    })
  }
  const carry: Line['carry'] = (work, extraMs) => send(random.chance(loss), work, extraMs)
  const turn = (to: boolean): void => {
    if (isCut === to) return
    isCut = to
    for (const hear of [...hearers]) hear(to)
    if (to) return
    const late = held
    held = []
    for (const work of late) carry(work, random.between(...LATE_MS))
  }
  return {
    carry,
    repeat: (work, extraMs) => send(false, work, extraMs),
    cut: () => turn(true),
    heal: () => turn(false),
    isCut: () => isCut,
    listen: (hear) => {
      hearers.add(hear)
      return () => {
        hearers.delete(hear)
      }
    },
    setLoss: (share) => {
      loss = share
    },
    breaks: () => random.chance(isMended ? 0 : broken),
    mend: () => {
      isMended = true
    },
    random,
  }
}

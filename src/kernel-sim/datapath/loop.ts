// Time and order: frames that devices received are looked at in the order in which they came (Linux's backlog and softirq), and
// when there are none, the clock moves on to what happens next. It always ends: what goes round in a loop of bridges, at one
// moment, is cut off.

import type { Device, Happening, Pending, Plane } from './plane.ts'
import type { Skb } from './skb.ts'
import { drop } from './step.ts'

/** Frames at one moment; a flood on a full bridge (1024 ports) is far below it. */
export const STORM = 20_000

/** A device has a frame for its host to look at (netif_rx). */
export const enqueue = (dev: Device, skb: Skb): void => {
  dev.space.plane.backlog.push({ dev, skb })
}

/** Another thread of the kernel brings a frame, once what goes on has come to rest; the next one waits for what that brings (netif_rx). */
export const enqueueLater = (dev: Device, skb: Skb): void => {
  dev.space.plane.later.push({ dev, skb })
}

const isBefore = (a: Pending, b: Pending): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

const siftUp = (heap: Pending[], from: number): void => {
  let at = from
  const moved = heap[at]
  if (moved === undefined) return
  while (at > 0) {
    const parent = (at - 1) >> 1
    const above = heap[parent]
    if (above === undefined || !isBefore(moved, above)) break
    heap[at] = above
    at = parent
  }
  heap[at] = moved
}

const siftDown = (heap: Pending[]): void => {
  const moved = heap[0]
  if (moved === undefined) return
  let at = 0
  for (;;) {
    const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]]
    if (left === undefined) break
    const isRight = right !== undefined && isBefore(right, left)
    const child = isRight ? right : left
    if (!isBefore(child, moved)) break
    heap[at] = child
    at = isRight ? 2 * at + 2 : 2 * at + 1
  }
  heap[at] = moved
}

/** Lets something happen so many ms from now. */
export const after = (plane: Plane, delayMs: number, happening: Happening): void => {
  plane.pending.push({ atMs: plane.nowMs + delayMs, order: plane.nextOrder++, happening })
  siftUp(plane.pending, plane.pending.length - 1)
}

const takeNext = (heap: Pending[]): Pending | undefined => {
  const first = heap[0]
  const last = heap.pop()
  if (first === undefined || last === undefined || heap.length === 0) return first
  heap[0] = last
  siftDown(heap)
  return first
}

// A cast: each key of the table takes what has that key as its `what`.
const happen = (plane: Plane, happening: Happening): void => {
  plane.atWork = happening.what !== 'socket' || happening.timer !== 'serve'
  const act = plane.parts.happen[happening.what] as (plane: Plane, happening: Happening) => void
  act(plane, happening)
  plane.atWork = false
}

/** Looks at what devices have received, and at what that brings, until there is nothing left at this moment. */
const settle = (plane: Plane, receive: (dev: Device, skb: Skb) => void): void => {
  const { backlog, later } = plane
  plane.atWork = true
  while (plane.taken < backlog.length || later.length > 0) {
    const next = plane.taken < backlog.length ? backlog[plane.taken++] : later.shift()
    if (next === undefined) break
    if (++plane.busy > STORM) {
      drop(next.dev.space, next.dev, 'link', next.skb.frame.payload, { tag: 'storm', frames: STORM }, next.skb.frame)
      break
    }
    receive(next.dev, next.skb)
    if (plane.taken === 1024) {
      backlog.splice(0, plane.taken)
      plane.taken = 0
    }
  }
  backlog.length = 0
  plane.taken = 0
  plane.atWork = false
}

/** A program that has sent a frame goes on when all has been done that this brings (local_bh_enable), unless a tunnel sends for it. */
export const giveWay = (plane: Plane, receive: (dev: Device, skb: Skb) => void): void => {
  if (!plane.atWork && plane.depth === 0) settle(plane, receive)
}

/** Lets time pass until `untilMs`, or until `isOver`; the clock stands where the last thing happened, or at the end. */
export const run = (
  plane: Plane,
  receive: (dev: Device, skb: Skb) => void,
  untilMs: number,
  isOver: () => boolean = () => false,
): void => {
  plane.busy = 0
  settle(plane, receive)
  while (!isOver()) {
    const next = plane.pending[0]
    if (next === undefined || next.atMs > untilMs) {
      plane.nowMs = Math.max(plane.nowMs, Number.isFinite(untilMs) ? untilMs : plane.nowMs)
      return
    }
    takeNext(plane.pending)
    if (next.atMs > plane.nowMs) plane.busy = 0
    plane.nowMs = Math.max(plane.nowMs, next.atMs)
    happen(plane, next.happening)
    settle(plane, receive)
  }
}

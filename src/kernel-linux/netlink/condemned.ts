// Deleting links off the caller's path. A condemned link is cut off at once (its bridge forwards nothing from or to it any more)
// and put in a group of its own; whole groups are deleted behind, when nobody has come for a while, for one deletion takes some
// 20 ms in which nobody else can change anything (rtnl_mutex), and that of 100 not much longer.
// The numbers of our groups are recognisable, so that a link which was condemned by a process that died is no port for anybody who
// looks (look.ts), and comes back to life by leaving its bridge and entering again (ops.ts).
// Source: net/core/rtnetlink.c (rtnl_group_dellink), net/bridge/br_netlink.c (br_setport).

import type { Ns } from '../../net/name.ts'
import type { Going } from '../departures.ts'
import { setPort } from './codec/bridge-port.ts'
import { changeLink, deleteLink, type LinkMessage } from './codec/link.ts'
import { CONDEMNED_COUNT, condemnedGroup } from './groups.ts'
import type { Request } from './message.ts'
import { BR_STATE_DISABLED } from './uapi/if-link.ts'

/**
 * Its bridge lets nothing through. A disabled port is enabled again when something about its link changes (br_device_event), be it
 * the group, in the same message even; so that comes first, and the port is locked as well, since Linux 5.16: it knows no sender.
 */
export const condemn = ({ index }: LinkMessage, group: number): ReadonlyArray<Request> => [
  changeLink({ index, group }),
  setPort(index, { state: BR_STATE_DISABLED, locked: true, flush: true }),
]

export const deleteGroup = (group: number): Request => deleteLink({ group })

/** Deletes a group; when that is over its links are gone, or cannot be deleted. */
export type DeleteGroup = (ns: Ns, group: number) => Promise<void>

export type Condemned = Readonly<{
  /** Lends the group for what is condemned now, and says how it will go; `use` tells how many links it put there. */
  fill: <A>(ns: Ns, use: (group: number, going: Going, added: (count: number) => void) => Promise<A>) => Promise<A>
  /** Somebody is at work: puts off what waits for quiet. */
  stir: () => void
}>

/** It is quiet when nobody has come for so long. */
const QUIET_MS = 5
const PATIENCE_MS = 200
const AT_ONCE = 256

/** A group that is still filled, by `users` at the moment; it goes when they are done and it is `due`. */
type Filling = {
  readonly group: number
  readonly since: number
  readonly going: Going
  readonly start: () => void
  count: number
  users: number
  due: boolean
}

export const makeCondemned = (deleteGroupIn: DeleteGroup): Condemned => {
  const filling = new Map<Ns, Filling>()
  let lastGroup = Math.floor(Math.random() * CONDEMNED_COUNT)
  /** Deletions exclude each other in the kernel anyway. */
  let last: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | null = null

  /** Nobody fills it any more. */
  const close = (ns: Ns, one: Filling): void => {
    one.due = true
    if (filling.get(ns) === one) filling.delete(ns)
    if (one.users === 0) one.start()
  }

  const begin = (ns: Ns): Filling => {
    lastGroup += 1
    const group = condemnedGroup(lastGroup)
    let start = (): void => {}
    const started = new Promise<void>((resolve) => {
      start = resolve
    })
    const gone = started.then(() => {
      last = last.then(() => (fresh.count === 0 ? undefined : deleteGroupIn(ns, group)))
      return last
    })
    const going: Going = { gone, hurry: () => close(ns, fresh) }
    const fresh: Filling = { group, since: performance.now(), going, start, count: 0, users: 0, due: false }
    filling.set(ns, fresh)
    return fresh
  }

  const whenQuiet = (): void => {
    timer = null
    for (const [ns, one] of filling) close(ns, one)
  }

  return {
    fill: async (ns, use) => {
      const one = filling.get(ns) ?? begin(ns)
      one.users += 1
      try {
        return await use(one.group, one.going, (count) => {
          one.count += count
        })
      } finally {
        one.users -= 1
        if (one.due || one.count >= AT_ONCE) close(ns, one)
        else if (one.count > 0) timer ??= setTimeout(whenQuiet, QUIET_MS)
      }
    },
    stir: () => {
      if (timer === null) return
      const now = performance.now()
      for (const [ns, one] of filling) if (now - one.since > PATIENCE_MS) close(ns, one)
      timer.refresh()
    },
  }
}

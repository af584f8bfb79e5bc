// The contexts of libnftables that are open, by namespace.
// Invariants: nobody is in the library while somebody else is. A context is used only in the namespace it was opened in, also if
// another one got its path meanwhile. One that is idle is freed after LINGER_MS, so that a namespace that somebody else deletes
// lives that much longer at most; one that the caller deletes is left before (`vacate`).
// Contexts are kept at all because freeing one waits for what it deleted (libnftables.ts); another waits in vain by then.
// Their cache is no danger: the library asks the kernel for the ruleset's generation at each run.

import { statSync } from 'node:fs'
import { E, type Either } from '../../prelude.ts'
import { limitOf } from '../limit.ts'
import { type NetlinkError, systemCall } from '../netlink/error.ts'
import type { Libc } from '../netlink/libc.ts'
import { enter } from '../place.ts'
import type { Context, Nftables } from './libnftables.ts'

type Result<A> = Either<NetlinkError, A>

export type Contexts = Readonly<{
  /** Uses a context of the namespace at a path. `keep`: it will be used again soon. Left: as `enter`, and `Nftables.open`. */
  use: <A>(path: string | null, keep: boolean, f: (context: Context) => Promise<A>) => Promise<Result<A>>
  /** Frees that of a path, if there is one. */
  vacate: (path: string | null) => Promise<void>
  close: () => Promise<void>
}>

type Held = Readonly<{ context: Context; identity: string; idle: NodeJS.Timeout }>

const LINGER_MS = 1000

/** Of the process, as the library is. */
const inTurn = limitOf(1)

const identityOf = (path: string | null): Result<string> => {
  if (path === null) return E.right('')
  try {
    const { dev, ino } = statSync(path)
    return E.right(`${dev}:${ino}`)
  } catch (error) {
    // Node's file functions throw with an errno.
    return E.left(systemCall('stat', -((error as NodeJS.ErrnoException).errno ?? 0), path))
  }
}

export const contextsOf = (libc: Libc, nftables: Nftables): Contexts => {
  const held = new Map<string | null, Held>()

  const letGo = async (path: string | null): Promise<void> => {
    const one = held.get(path)
    if (one === undefined) return
    held.delete(path)
    clearTimeout(one.idle)
    await one.context.free()
  }
  const vacate = (path: string | null): Promise<void> => inTurn(() => letGo(path))

  const hold = (path: string | null, context: Context, identity: string): void => {
    const idle = setTimeout(() => void vacate(path), LINGER_MS)
    held.set(path, { context, identity, idle: idle.unref() })
  }
  const open = (path: string | null): Result<Context> => {
    const opened = enter(libc, path, nftables.open)
    return E.isLeft(opened) ? opened : opened.right
  }
  const useInTurn = async <A>(
    path: string | null,
    keep: boolean,
    f: (context: Context) => Promise<A>,
  ): Promise<Result<A>> => {
    const identity = identityOf(path)
    const before = held.get(path)
    if (before !== undefined && (E.isLeft(identity) || identity.right !== before.identity)) await letGo(path)
    if (E.isLeft(identity)) return identity
    const still = held.get(path)
    if (still !== undefined) {
      still.idle.refresh()
      return E.right(await f(still.context))
    }
    const context = open(path)
    if (E.isLeft(context)) return context
    try {
      return E.right(await f(context.right))
    } finally {
      if (keep) hold(path, context.right, identity.right)
      else await context.right.free()
    }
  }
  return {
    use: (path, keep, f) => inTurn(() => useInTurn(path, keep, f)),
    vacate,
    close: async () => {
      await Promise.all([...held.keys()].map(vacate))
    },
  }
}

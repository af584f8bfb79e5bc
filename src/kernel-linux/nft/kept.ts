// What is kept open for the next use, by namespace: contexts of libnftables (in-process.ts), consoles of nft(8) (console.ts).
// Invariants: nobody uses one while somebody else does. One is used only in the namespace it was opened in, also if another
// namespace got its path meanwhile. One that is idle is ended after LINGER_MS, so that a namespace that somebody else deletes lives
// that much longer at most; one that the caller deletes is left before (`vacate`).

import { statSync } from 'node:fs'
import { E, type Either } from '../../prelude.ts'
import type { Limit } from '../limit.ts'
import { type NetlinkError, systemCall } from '../netlink/error.ts'

type Result<A> = Either<NetlinkError, A>

/** How one is opened in the namespace at a path, whether it still works, and how it ends. */
export type Making<A> = Readonly<{
  open: (path: string | null) => Result<A>
  works: (one: A) => boolean
  end: (one: A) => Promise<void>
}>

export type Kept<A> = Readonly<{
  /** Uses one in the namespace at a path. `keep`: it will be used again soon. Left: ENOENT for the path; as `open`. */
  use: <B>(path: string | null, keep: boolean, f: (one: A) => Promise<B>) => Promise<Result<B>>
  /** Ends that of a path, if there is one. */
  vacate: (path: string | null) => Promise<void>
  close: () => Promise<void>
}>

type Held<A> = Readonly<{ one: A; identity: string; idle: NodeJS.Timeout }>

const LINGER_MS = 1000

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

/** `inTurn` lets one user in at a time. */
export const keeping = <A>(inTurn: Limit, { open, works, end }: Making<A>): Kept<A> => {
  const held = new Map<string | null, Held<A>>()

  const letGo = async (path: string | null): Promise<void> => {
    const before = held.get(path)
    if (before === undefined) return
    held.delete(path)
    clearTimeout(before.idle)
    await end(before.one)
  }
  const vacate = (path: string | null): Promise<void> => inTurn(() => letGo(path))

  const useNew = async <B>(
    path: string | null,
    identity: string,
    keep: boolean,
    f: (one: A) => Promise<B>,
  ): Promise<Result<B>> => {
    const one = open(path)
    if (E.isLeft(one)) return one
    try {
      return E.right(await f(one.right))
    } finally {
      if (keep)
        held.set(path, { one: one.right, identity, idle: setTimeout(() => void vacate(path), LINGER_MS).unref() })
      else await end(one.right)
    }
  }
  const use: Kept<A>['use'] = async (path, keep, f) => {
    const identity = identityOf(path)
    const before = held.get(path)
    if (before !== undefined && E.isRight(identity) && identity.right === before.identity && works(before.one)) {
      before.idle.refresh()
      return E.right(await f(before.one))
    }
    await letGo(path)
    return E.isLeft(identity) ? identity : useNew(path, identity.right, keep, f)
  }
  return {
    use: (path, keep, f) => inTurn(() => use(path, keep, f)),
    vacate,
    close: () =>
      inTurn(async () => {
        for (const path of [...held.keys()]) await letGo(path)
      }),
  }
}

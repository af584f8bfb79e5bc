// Moves of this thread between network namespaces. setns(2) and unshare(2) act on the calling thread: from JavaScript that is
// the main one, so a move and the way back are one synchronous stretch that nothing else can see. A thread that cannot go back
// would do everybody's work in the wrong namespace, so the process ends there and then.

import { openSync, writeSync } from 'node:fs'
import { E, type Either } from '../../prelude.ts'
import { errnoName } from './errno.ts'
import { type NetlinkError, systemCall } from './error.ts'
import type { Called, Libc } from './libc.ts'

const CLONE_NEWNET = 0x40000000
/** The namespace this thread is in. */
export const HERE = '/proc/thread-self/ns/net'

/** Opens a file; the errors of Node as ours. */
export const openPath = (path: string): Either<NetlinkError, number> => {
  try {
    return E.right(openSync(path, 'r'))
  } catch (error) {
    // Node's file functions throw with an errno.
    return E.left(systemCall('open', -((error as NodeJS.ErrnoException).errno ?? 0), path))
  }
}

const goBack = (libc: Libc, home: number): void => {
  const { value, errno } = libc.setns(home, CLONE_NEWNET)
  if (value === 0) return
  writeSync(2, `cnm: cannot return to its network namespace (setns: ${errnoName(errno)}); ends at once\n`)
  process.abort()
}

/** Where this thread is whenever nobody is away: it is opened once, and stays open. */
let home: number | null = null

const away = <A>(libc: Libc, call: string, leave: () => Called, f: () => A): Either<NetlinkError, A> => {
  const here = home === null ? openPath(HERE) : E.right(home)
  if (E.isLeft(here)) return here
  home = here.right
  const { value, errno } = leave()
  if (value !== 0) return E.left(systemCall(call, errno, 'entering a network namespace'))
  try {
    return E.right(f())
  } finally {
    goBack(libc, home)
  }
}

/** Runs `f`, which must not be asynchronous, in the namespace of `fd`. Left: EPERM without CAP_SYS_ADMIN; EINVAL if it is none. */
export const within = <A>(libc: Libc, fd: number, f: () => A): Either<NetlinkError, A> =>
  away(libc, 'setns', () => libc.setns(fd, CLONE_NEWNET), f)

/** Runs `f`, which must not be asynchronous, in a new namespace. It vanishes unless `f` keeps it. Left: EPERM, ENOSPC. */
export const withinNew = <A>(libc: Libc, f: () => A): Either<NetlinkError, A> =>
  away(libc, 'unshare', () => libc.unshare(CLONE_NEWNET), f)

// Where a namespace is on the machine, and what is done inside it at once.

import { closeSync } from 'node:fs'
import type { KernelError } from '../kernel/kernel.ts'
import type { Ns } from '../net/name.ts'
import { E, type Either } from '../prelude.ts'
import type { Complaint } from './errno.ts'
import { errnoOf } from './netlink/errno.ts'
import { type NetlinkError, showNetlinkError } from './netlink/error.ts'
import type { Libc } from './netlink/libc.ts'
import { openPath, within } from './netlink/thread.ts'
import { unavailable } from './run.ts'

/** The path of a namespace's file; null: the namespace this process runs in. */
export type Paths = (ns: Ns) => string | null

/** Runs `f`, which must not be asynchronous, in the namespace at a path. Left: ENOENT; EINVAL if it is none; EPERM. */
export const enter = <A>(libc: Libc, path: string | null, f: () => A): Either<NetlinkError, A> => {
  if (path === null) return E.right(f())
  const fd = openPath(path)
  if (E.isLeft(fd)) return fd
  try {
    return within(libc, fd.right, f)
  } finally {
    closeSync(fd.right)
  }
}

/** There is no namespace at this path, or (EINVAL) only what a creation that was cut short has left of one. */
export const absent = (error: NetlinkError): Complaint | null =>
  error.tag === 'SystemCall' && (error.errno === 'ENOENT' || (error.call === 'setns' && error.errno === 'EINVAL'))
    ? { errno: errnoOf(error.code), detail: showNetlinkError(error) }
    : null

/** As an error of the Kernel port; `what` could not be asked. */
export const portError = (what: string, error: NetlinkError): KernelError =>
  unavailable(`${what}: ${showNetlinkError(error)}`)

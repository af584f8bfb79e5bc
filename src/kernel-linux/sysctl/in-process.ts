// Sysctls through /proc/sys/net, which is that of the namespace of the thread that opens a file there. An open file stays with its
// namespace (proc_sys_lookup binds it to that namespace's table), so it is opened inside, and written from anywhere.

import { close, closeSync, openSync, readSync, write, writeSync } from 'node:fs'
import { strerror } from '../../kernel/errno.ts'
import type { Sysctl } from '../../kernel/object.ts'
import type { KernelOp } from '../../kernel/op.ts'
import type { SysctlName } from '../../kernel/sysctl.ts'
import type { Ns } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import type { Complaint } from '../errno.ts'
import type { RefusedOp } from '../firewall.ts'
import { errnoOf } from '../netlink/errno.ts'
import type { NetlinkError } from '../netlink/error.ts'
import { type Libc, loadLibc } from '../netlink/libc.ts'
import { absent, enter, type Paths, portError } from '../place.ts'
import type { Sysctls } from '../sysctls.ts'
import type { Result } from '../transport.ts'
import { turn } from '../turn.ts'
import { assignmentOf, fileOf } from './assignment.ts'

/**
 * What is written here and now, for it only stores a number. To switch forwarding or IPv6 takes the lock of all devices
 * (rtnl_mutex), in a loop until it is free (restart_syscall): such are written on a worker thread.
 */
const INSTANT = /\.(route_localnet|rp_filter|proxy_arp|accept_ra|accept_redirects|icmp_ratelimit|ratelimit)$/

/** Longer than any value; a read gives no more than a page. */
const VALUE_BYTES = 4096
/** Sysctls that are read in one turn of the event loop: half a millisecond. */
const PIECE = 64

const codeOf = (error: unknown): number => -((error as NodeJS.ErrnoException).errno ?? 0)
const complaint = (name: SysctlName, error: unknown): Complaint => {
  const errno = errnoOf(codeOf(error))
  return { errno, detail: `${name}: ${strerror[errno]}` }
}

/** The errors of Node's file functions. */
const trying = <A>(f: () => A): Either<unknown, A> => {
  try {
    return E.right(f())
  } catch (error) {
    return E.left(error)
  }
}

const readOne = (name: SysctlName): string | null => {
  const fd = trying(() => openSync(fileOf(name), 'r'))
  if (E.isLeft(fd)) return null
  const bytes = Buffer.alloc(VALUE_BYTES)
  const size = trying(() => readSync(fd.right, bytes, 0, VALUE_BYTES, 0))
  closeSync(fd.right)
  return E.isLeft(size) ? null : bytes.toString('latin1', 0, size.right).trim().replaceAll(/\s+/g, ' ')
}

const aside = (fd: number, text: string): Promise<unknown> =>
  new Promise((resolve) => {
    write(fd, text, 0, (error) => close(fd, () => resolve(error)))
  })

/** Null: done. */
const writeOne = async (
  libc: Libc,
  path: string | null,
  name: SysctlName,
  value: string,
): Promise<Either<NetlinkError, Complaint | null>> => {
  const inside = enter(libc, path, () => trying(() => openSync(fileOf(name), 'w')))
  if (E.isLeft(inside)) return inside
  const opened = inside.right
  if (E.isLeft(opened)) return E.right(complaint(name, opened.left))
  const text = `${value}\n`
  if (!INSTANT.test(name)) {
    const error = await aside(opened.right, text)
    return E.right(error === null ? null : complaint(name, error))
  }
  const written = trying(() => writeSync(opened.right, text, 0))
  closeSync(opened.right)
  return E.right(E.isLeft(written) ? complaint(name, written.left) : null)
}

const found = (ns: Ns, name: SysctlName): ReadonlyArray<Sysctl> => {
  const value = readOne(name)
  return value === null ? [] : [{ kind: 'sysctl', ns, name, value, otherwise: value }]
}

const lookAt = async (
  libc: Libc,
  path: string | null,
  ns: Ns,
  asked: ReadonlyArray<SysctlName>,
): Result<ReadonlyArray<Sysctl>> => {
  const there: Sysctl[] = []
  for (let from = 0; from < asked.length; from += PIECE) {
    if (from > 0) await turn()
    const piece = asked.slice(from, from + PIECE)
    const inside = enter(libc, path, () => piece.flatMap((name) => found(ns, name)))
    if (E.isRight(inside)) there.push(...inside.right)
    else return absent(inside.left) === null ? E.left(portError('sysctl', inside.left)) : E.right([])
  }
  return E.right(there)
}

const runAll = async (
  libc: Libc,
  path: string | null,
  ops: ReadonlyArray<KernelOp>,
): Result<ReadonlyArray<RefusedOp>> => {
  const refused: RefusedOp[] = []
  for (const [at, op] of ops.entries()) {
    const assignment = assignmentOf(op)
    if (assignment === null) continue
    const written = await writeOne(libc, path, assignment.name, assignment.value)
    const said = E.isRight(written) ? written.right : absent(written.left)
    if (said !== null) refused.push({ at, complaint: said })
    else if (E.isLeft(written)) return E.left(portError('sysctl', written.left))
  }
  return E.right(refused)
}

/** Left: NoLibc. */
export const throughProc = (paths: Paths): Either<NetlinkError, Sysctls> => {
  const libc = loadLibc()
  if (E.isLeft(libc)) return libc
  return E.right({
    look: (ns, asked) => lookAt(libc.right, paths(ns), ns, asked),
    run: (ns, ops) => runAll(libc.right, paths(ns), ops),
  })
}

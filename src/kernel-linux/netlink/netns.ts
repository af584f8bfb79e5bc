// The life of network namespaces that have a name: a file, on which /proc/<pid>/ns/net is bind-mounted, in a directory of ours,
// as ip-netns(8) keeps them below /run/netns. All calls return at once; the kernel takes a namespace down behind, when nobody
// uses it any more.
// Safe against other mount namespaces: the directory is a shared mount, so that a deletion reaches them; where one has a private
// copy, unlink(2) takes the mount away there (since Linux 3.18: fs/namei.c, dont_mount and detach_mounts).
// Somebody else's namespace is adopted by such a name, too, wherever its file is: nsfs may be mounted from any mount namespace
// (fs/namespace.c, do_loopback). A namespace has one name of ours at most (docs/decisions/0009-adopted-namespaces.md).

import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  statfsSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { E, type Either } from '../../prelude.ts'
import { EEXIST, EINVAL, ENOENT } from './errno.ts'
import { type NetlinkError, showNetlinkError, systemCall } from './error.ts'
import { type Called, type Libc, loadLibc } from './libc.ts'
import { HERE, openPath, within, withinNew } from './thread.ts'

const MS_BIND = 0x1000
const MS_REC = 0x4000
const MS_SHARED = 0x100000
const MNT_DETACH = 2
/** include/uapi/linux/magic.h. */
const NSFS_MAGIC = 0x6e736673

type Result<A> = Either<NetlinkError, A>

const trying = <A>(call: string, about: string, f: () => A): Result<A> => {
  try {
    return E.right(f())
  } catch (error) {
    // Node's file functions throw with an errno.
    return E.left(systemCall(call, -((error as NodeJS.ErrnoException).errno ?? 0), about))
  }
}

const shared = (libc: Libc, directory: string) => libc.mount('', directory, 'none', MS_SHARED | MS_REC, null)

/**
 * Makes the directory, if it is not there, and a shared mount of it, if it is none. Once for each directory, before namespaces
 * are made in it. Left: EPERM, EACCES.
 */
export const prepareNetnsDir = (directory: string): Result<void> => {
  const libc = loadLibc()
  if (E.isLeft(libc)) return libc
  const made = trying('mkdir', directory, () => mkdirSync(directory, { recursive: true, mode: 0o755 }))
  if (E.isLeft(made)) return made
  const first = shared(libc.right, directory)
  if (first.value === 0) return E.right(undefined)
  if (first.errno !== EINVAL) return E.left(systemCall('mount', first.errno, directory))
  const bound = libc.right.mount(directory, directory, 'none', MS_BIND | MS_REC, null)
  if (bound.value !== 0) return E.left(systemCall('mount', bound.errno, directory))
  const second = shared(libc.right, directory)
  return second.value === 0 ? E.right(undefined) : E.left(systemCall('mount', second.errno, directory))
}

/** Takes the mount of the directory away; the directory stays. For tests, and for whoever removes all of ours. */
export const releaseNetnsDir = (directory: string): Result<void> => {
  const libc = loadLibc()
  if (E.isLeft(libc)) return libc
  const gone = libc.right.umount2(directory, MNT_DETACH)
  return gone.value === 0 ? E.right(undefined) : E.left(systemCall('umount2', gone.errno, directory))
}

/** Our own names begin so; others' are left alone, whatever is behind them. */
const OURS = 'cnm-'

/** Whether this is what a creation or a deletion that was cut short has left of a name of ours: a file with nothing mounted on it. */
export const isHalfMade = (path: string): boolean => {
  if (!basename(path).startsWith(OURS) || isNetns(path)) return false
  const stat = trying('lstat', path, () => lstatSync(path))
  return E.isRight(stat) && stat.right.isFile() && stat.right.size === 0
}

export const clearHalfMade = (path: string): void => {
  if (isHalfMade(path)) trying('unlink', path, () => unlinkSync(path))
}

/** Makes the file of a name, and mounts on it what `mount` says. Left: EEXIST if the name is taken. */
const named = (path: string, mount: () => Result<Called>): Result<void> => {
  clearHalfMade(path)
  const file = trying('open', path, () => closeSync(openSync(path, 'wx', 0o444)))
  if (E.isLeft(file)) return file
  const made = mount()
  if (E.isRight(made) && made.right.value === 0) return E.right(undefined)
  trying('unlink', path, () => unlinkSync(path))
  return E.isLeft(made) ? made : E.left(systemCall('mount', made.right.errno, path))
}

/** Makes a namespace and its name. Left: EEXIST if the name is taken. */
export const createNetns = (path: string): Result<void> => {
  const libc = loadLibc()
  if (E.isLeft(libc)) return libc
  const { mount } = libc.right
  return named(path, () => withinNew(libc.right, () => mount('/proc/thread-self/ns/net', path, 'none', MS_BIND, null)))
}

/** Which namespace is behind a path: equal for all names of one. Null: none. */
export const identityOf = (path: string): string | null => {
  const stat = isNetns(path) ? trying('stat', path, () => statSync(path)) : null
  return stat !== null && E.isRight(stat) ? `${stat.right.dev} ${stat.right.ino}` : null
}

const unadoptable = (code: number, why: string): NetlinkError => systemCall('adopt', code, why)

/** Why a namespace could not be given a name, in words. */
export const whyNotAdopted = (error: NetlinkError): string =>
  error.tag === 'SystemCall' && error.call === 'adopt' ? error.about : showNetlinkError(error)

/**
 * Whether the namespace at a path may be given a name in this directory. Left: ENOENT; EINVAL, it is no namespace; EEXIST, it is the
 * one this process runs in, or has a name of ours already. Looks at all names of ours.
 */
export const adoptable = (directory: string, from: string): Result<void> => {
  if (!existsSync(from)) return E.left(unadoptable(ENOENT, `there is no ${from}`))
  const which = identityOf(from)
  if (which === null) return E.left(unadoptable(EINVAL, `${from} is no namespace`))
  if (which === identityOf(HERE)) return E.left(unadoptable(EEXIST, `${from} is the host's own namespace`))
  const ours = listNetns(directory).find(
    ({ name }) => name.startsWith(OURS) && identityOf(join(directory, name)) === which,
  )
  return ours === undefined
    ? E.right(undefined)
    : E.left(unadoptable(EEXIST, `${from} is the namespace ${ours.name} already`))
}

const notEntered = (error: NetlinkError, from: string): NetlinkError =>
  error.tag === 'SystemCall' && error.code === EINVAL ? unadoptable(EINVAL, `${from} is no network namespace`) : error

/**
 * Gives somebody else's namespace a name; it lives on without it. `from` is its file, such as /proc/17/ns/net. Left: as `adoptable`;
 * EINVAL if it is no network namespace; EEXIST if the name is taken; EPERM.
 */
export const adoptNetns = (path: string, from: string): Result<void> => {
  const libc = loadLibc()
  if (E.isLeft(libc)) return libc
  const may = adoptable(dirname(path), from)
  if (E.isLeft(may)) return may
  const fd = openPath(from)
  if (E.isLeft(fd)) return fd
  try {
    const entered = within(libc.right, fd.right, () => undefined)
    if (E.isLeft(entered)) return E.left(notEntered(entered.left, from))
    return named(path, () => E.right(libc.right.mount(`/proc/self/fd/${fd.right}`, path, 'none', MS_BIND, null)))
  } finally {
    closeSync(fd.right)
  }
}

/**
 * Takes the name away, and with it the namespace, once no process and no open file is in it, and nobody else has a name for it. A
 * name that was only half made goes too. Left: ENOENT.
 */
export const deleteNetns = (path: string): Result<void> => {
  const libc = loadLibc()
  if (E.isLeft(libc)) return libc
  const gone = libc.right.umount2(path, MNT_DETACH)
  // EINVAL: nothing is mounted there.
  if (gone.value !== 0 && gone.errno !== EINVAL) return E.left(systemCall('umount2', gone.errno, path))
  return trying('unlink', path, () => unlinkSync(path))
}

/** Whether a namespace is behind this path, and not an empty file. */
export const isNetns = (path: string): boolean => {
  const stat = trying('statfs', path, () => statfsSync(path))
  return E.isRight(stat) && stat.right.type === NSFS_MAGIC
}

/** The names in a directory of ours; `whole` is false where a creation was cut short. No directory: none. */
export const listNetns = (directory: string): ReadonlyArray<Readonly<{ name: string; whole: boolean }>> => {
  const names = trying('readdir', directory, () => readdirSync(directory).sort())
  return E.isLeft(names) ? [] : names.right.map((name) => ({ name, whole: isNetns(join(directory, name)) }))
}

/** A namespace by its name, or by a process in it: the caller closes it with `closeNetns`. It lives on as long as it is open. */
export const openNetns = (which: Readonly<{ path: string } | { pid: number }>): Result<number> =>
  openPath('path' in which ? which.path : `/proc/${which.pid}/ns/net`)

export const closeNetns = (fd: number): void => closeSync(fd)

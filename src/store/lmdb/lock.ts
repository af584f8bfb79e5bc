// One process for each directory: flock(2) on a file in it. The kernel gives the lock to one, and takes it back when that one
// ends, however it ends; a file that names a process would have to be cleaned up, and who cleans up races with who begins.
// The file also says who has it, for the message to the others.

import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import koffi from 'koffi'
import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'

const LOCK_SH = 1
const LOCK_EX = 2
const LOCK_NB = 4
const BUSY = koffi.os.errno['EWOULDBLOCK']

let call: ((fd: number, operation: number) => number) | null = null

/** The process's own C library, loaded when first needed. */
const flock = (fd: number, operation: number): number => {
  call ??= koffi.load(null).func('int flock(int fd, int operation)')
  return call(fd, operation)
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Who wrote the file last, if that one still runs: between taking the lock and writing its number, the last owner's is there. */
const ownerOf = (file: string): number | null => {
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10)
  return pid > 0 && isAlive(pid) ? pid : null
}

/** Whether somebody holds the file. Who asks holds it himself for a moment, which others wait for as they wait for the dead. */
export const isLocked = (file: string): boolean => {
  if (!existsSync(file)) return false
  const fd = openSync(file, 'r')
  try {
    return flock(fd, LOCK_SH | LOCK_NB) !== 0
  } finally {
    closeSync(fd)
  }
}

const ATTEMPTS = 20
const BETWEEN_MS = 5

/**
 * Holds `file` until this process ends or the answer is called. An owner that has just taken it, or just ended, gets a tenth
 * of a second to say so. Throws what the file system throws.
 */
const lockFile = async (dir: string, file: string): Promise<Either<StoreError, () => void>> => {
  const fd = openSync(file, 'a+', 0o600)
  const refuse = (error: StoreError): Either<StoreError, never> => {
    closeSync(fd)
    return E.left(error)
  }
  for (let attempt = 1; ; attempt++) {
    if (flock(fd, LOCK_EX | LOCK_NB) === 0) {
      ftruncateSync(fd)
      writeSync(fd, `${process.pid}\n`)
      return E.right(() => closeSync(fd))
    }
    const errno = koffi.errno()
    if (errno !== BUSY)
      return refuse({
        tag: 'StoreUnavailable',
        what: `${file} cannot be locked: errno ${errno}`,
        hint: 'choose a directory on a local disk',
      })
    const pid = ownerOf(file)
    if (pid !== null || attempt === ATTEMPTS) return refuse({ tag: 'StoreInUse', dir, pid })
    await sleep(BETWEEN_MS)
  }
}

/** Does the work while the directory is ours. It stays so if the work is right: then the work's result holds `release`. */
export const whileLocked = async <A>(
  { dir, lock }: Readonly<{ dir: string; lock: string }>,
  work: (release: () => void) => Promise<Either<StoreError, A>>,
): Promise<Either<StoreError, A>> => {
  const locked = await lockFile(dir, lock)
  if (E.isLeft(locked)) return locked
  const release = locked.right
  try {
    const result = await work(release)
    if (E.isLeft(result)) release()
    return result
  } catch (defect) {
    release()
    throw defect
  }
}

// Errnos as numbers, which netlink and the C library give, and as the names that both kernels speak.

import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { type Errno, strerror } from '../../kernel/errno.ts'

// The keys of strerror are the type Errno, which Object.keys forgets.
const BY_CODE = new Map((Object.keys(strerror) as ReadonlyArray<Errno>).map((name) => [constants.errno[name], name]))

/** EINVAL stands for what our operations were not expected to meet, as in the path through iproute2. */
export const errnoOf = (code: number): Errno => BY_CODE.get(code) ?? 'EINVAL'

/** The libc's name of any errno; its number if it has none (ENOTSUPP, 524, is the kernel's own). */
export const errnoName = (code: number): string => {
  const name = code > 0 ? getSystemErrorName(-code) : 'no error'
  return name.startsWith('Unknown system error') ? `errno ${code}` : name
}

export const { EAGAIN, EBUSY, EEXIST, EINTR, EINVAL, ENOBUFS, ENODEV, ENOENT, EPERM } = constants.errno

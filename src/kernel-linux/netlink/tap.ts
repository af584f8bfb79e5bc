// Taps: devices whose cable ends at a program. Nobody makes them through rtnetlink, but who opens /dev/net/tun and names one; a
// persistent one stays when the file is closed, and is without carrier until it is opened again.
// Source: drivers/net/tun.c (tun_set_iff, __tun_chr_ioctl), iproute2's ip/iptuntap.c.

import { closeSync, openSync } from 'node:fs'
import { strerror } from '../../kernel/errno.ts'
import type { TapRequest } from '../../kernel/rtnl/request.ts'
import type { IfName } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import type { Complaint } from '../errno.ts'
import { enter } from '../place.ts'
import { errnoOf } from './errno.ts'
import { type NetlinkError, systemCall } from './error.ts'
import { type Called, type Libc, loadLibc } from './libc.ts'

const DEVICE = '/dev/net/tun'
const TUNSETIFF = 0x400454ca
const TUNSETPERSIST = 0x400454cb
const IFF_TAP = 2
const IFF_NO_PI = 0x1000
/** Only if there is no such device yet. */
const IFF_TUN_EXCL = 0x8000

/** struct ifreq: a name, then flags. */
const request = (dev: IfName, flags: number): Uint8Array => {
  const bytes = new Uint8Array(40)
  bytes.set(new TextEncoder().encode(dev).subarray(0, 15))
  new DataView(bytes.buffer).setInt16(16, flags, true)
  return bytes
}

const refused = (call: string, { errno }: Called): Complaint => ({
  errno: errnoOf(errno),
  detail: `ioctl(${call}): ${strerror[errnoOf(errno)]}`,
})

/** The program's end of a tap that is there, in the namespace of this thread; the errno's number if it cannot be had. */
export const holdTap = (libc: Libc, dev: IfName): Either<number, number> => {
  const fd = openSync(DEVICE, 'r+')
  const { value, errno } = libc.ioctl(fd, TUNSETIFF, request(dev, IFF_TAP | IFF_NO_PI))
  if (value === 0) return E.right(fd)
  closeSync(fd)
  return E.left(errno)
}

const change = (libc: Libc, { do: verb, dev }: TapRequest): Complaint | null => {
  const fd = openSync(DEVICE, 'r+')
  try {
    const flags = IFF_TAP | IFF_NO_PI | (verb === 'add' ? IFF_TUN_EXCL : 0)
    const named = libc.ioctl(fd, TUNSETIFF, request(dev, flags))
    if (named.value !== 0) return refused('TUNSETIFF', named)
    // The kernel takes the argument itself for yes or no: an address is yes.
    const kept = libc.ioctl(fd, TUNSETPERSIST, verb === 'add' ? new Uint8Array(1) : null)
    return kept.value === 0 ? null : refused('TUNSETPERSIST', kept)
  } finally {
    closeSync(fd)
  }
}

/** `path`: of the namespace's file; null: the namespace this process runs in. */
export const askTap = (path: string | null, ask: TapRequest): Either<NetlinkError, Complaint | null> => {
  const libc = loadLibc()
  if (E.isLeft(libc)) return libc
  try {
    return enter(libc.right, path, () => change(libc.right, ask))
  } catch (error) {
    // Node's file functions throw with an errno.
    return E.left(systemCall('open', -((error as NodeJS.ErrnoException).errno ?? 0), DEVICE))
  }
}

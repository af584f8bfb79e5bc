// Bytes as they are, from where no socket of a family sends: by a packet socket on a device, or into a tap from its other end.
// Source: packet(7), Documentation/networking/tuntap.rst, netdevice(7).

import { writeSync } from 'node:fs'
import type { Try } from '../../kernel/traffic.ts'
import { E, type Either } from '../../prelude.ts'
import { viewOf } from '../netlink/bytes.ts'
import { errnoName } from '../netlink/errno.ts'
import type { NetlinkError } from '../netlink/error.ts'
import type { Libc } from '../netlink/libc.ts'
import { holdTap } from '../netlink/tap.ts'
import { within } from '../netlink/thread.ts'
import { AF_PACKET } from './sockaddr.ts'
import { close, failed, flagsOfDevice, indexOfDevice, MSG_DONTWAIT, openIn, SOCK_RAW } from './socket.ts'

/** `errno` null: it was sent. `end`: what was held for it is let go. */
export type Sent = Readonly<{ errno: string | null; end: () => void }>
type Result = Either<NetlinkError, Sent>

const nothing = (): void => {}
const refused = (errno: string | null): Result => E.right({ errno, end: nothing })

/** Puts a frame on a device. */
export const sendFrame = (libc: Libc, nsFd: number, { dev, bytes }: Extract<Try, { send: 'frame' }>): Result => {
  const opened = openIn(libc, nsFd, AF_PACKET, SOCK_RAW, 0)
  if (E.isLeft(opened)) return opened
  const fd = opened.right
  try {
    const index = indexOfDevice(libc, fd, dev)
    if (index === null) return refused('ENODEV')
    const address = new Uint8Array(20)
    const view = viewOf(address)
    view.setUint16(0, AF_PACKET, true)
    view.setUint16(2, ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0))
    view.setInt32(4, index, true)
    return refused(failed(libc.sendto(fd, bytes, bytes.length, MSG_DONTWAIT, address, address.length)))
  } finally {
    close(fd)
  }
}

const IFF_UP = 1
const IFF_RUNNING = 0x40
const CARRIER_MS = 500

/** Until linkwatch has told of the carrier, a tap that is up takes nothing further. */
const carried = async (libc: Libc, nsFd: number, dev: string): Promise<Either<NetlinkError, void>> => {
  const opened = openIn(libc, nsFd, AF_PACKET, SOCK_RAW, 0)
  if (E.isLeft(opened)) return opened
  const begin = performance.now()
  for (;;) {
    const flags = flagsOfDevice(libc, opened.right, dev) ?? 0
    if ((flags & IFF_UP) === 0 || (flags & IFF_RUNNING) !== 0 || performance.now() - begin > CARRIER_MS) break
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  close(opened.right)
  return E.right(undefined)
}

const hasDevice = (libc: Libc, nsFd: number, dev: string): Either<NetlinkError, boolean> => {
  const opened = openIn(libc, nsFd, AF_PACKET, SOCK_RAW, 0)
  if (E.isLeft(opened)) return opened
  const index = indexOfDevice(libc, opened.right, dev)
  close(opened.right)
  return E.right(index !== null)
}

/** Puts a frame into a tap that is there. */
export const sendByTap = async (
  libc: Libc,
  nsFd: number,
  { dev, bytes }: Extract<Try, { send: 'tap' }>,
): Promise<Result> => {
  // Who names a tap that is not there makes one.
  const isThere = hasDevice(libc, nsFd, dev)
  if (E.isLeft(isThere)) return isThere
  if (!isThere.right) return refused('ENODEV')
  const inside = within(libc, nsFd, () => holdTap(libc, dev))
  if (E.isLeft(inside)) return inside
  const held = inside.right
  if (E.isLeft(held)) return refused(errnoName(held.left))
  const ready = await carried(libc, nsFd, dev)
  const end = (): void => close(held.right)
  if (E.isLeft(ready)) {
    end()
    return ready
  }
  try {
    writeSync(held.right, bytes)
    return E.right({ errno: null, end })
  } catch (error) {
    // Node's file functions throw with an errno.
    return E.right({ errno: (error as NodeJS.ErrnoException).code ?? 'EIO', end })
  }
}

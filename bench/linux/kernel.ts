// Looking at the kernel from outside all contenders: whether it has finished.

import { decodeLink, dumpLinks } from '../../src/kernel-linux/netlink/codec/link.ts'
import { dump } from '../../src/kernel-linux/netlink/conversation.ts'
import { openSocket, type Socket } from '../../src/kernel-linux/netlink/socket.ts'
import { type Later, right } from './tidy.ts'

const PATIENCE_MS = 60_000
const PAUSE_MS = 0.5

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export const socketIn = (later: Later, path: string): Socket => {
  const socket = right(openSocket({ in: 'path', path }))
  later(() => socket.close())
  return socket
}

const veths = async (socket: Socket): Promise<number> =>
  right(await dump(socket, dumpLinks(), decodeLink)()).filter(({ linkinfo }) => linkinfo?.info?.kind === 'veth').length

/** Waits until a namespace holds no more than so many ends of veths. */
export const vethsDown = async (socket: Socket, to = 0): Promise<void> => {
  const end = performance.now() + PATIENCE_MS
  while ((await veths(socket)) > to) {
    if (performance.now() > end) throw new Error(`there are still veths after ${PATIENCE_MS} ms`)
    await pause(PAUSE_MS)
  }
}

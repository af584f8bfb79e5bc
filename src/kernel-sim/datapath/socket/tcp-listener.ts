// What a program does with a listener of TCP beyond waiting: it takes connections one by one, and closes it.
// Source: net/ipv4/inet_connection_sock.c (inet_csk_accept, inet_csk_listen_stop).

import type { Space } from '../plane.ts'
import type { TcpSocket } from './entry.ts'
import { removeSocket, socketsOf } from './table.ts'
import { abandonTcp } from './tcp.ts'
import { sendReset } from './tcp-send.ts'

/** A program that asked for it takes the next connection of its listener; null: there is none. */
export const acceptTcp = (space: Space, listener: TcpSocket): TcpSocket | null => {
  for (const one of socketsOf(space).open.values()) {
    if (one.proto !== 'tcp' || one.parent !== listener.id || one.state === 'syn-received') continue
    one.parent = null
    return one
  }
  return null
}

/** Closes a listener. Who was on the way to it is reset (inet_csk_listen_stop), or put away without a word as a probe's socket is. */
export const stopListening = (space: Space, listener: TcpSocket, how: 'with resets' | 'silently') => {
  removeSocket(space, listener)
  for (const one of [...socketsOf(space).open.values()]) {
    if (one.proto !== 'tcp' || one.parent !== listener.id) continue
    if (how === 'with resets' && one.state !== 'syn-received') sendReset(space, one)
    abandonTcp(space, one)
  }
}

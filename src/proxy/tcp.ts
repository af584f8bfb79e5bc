// TCP, one connection to the container for each that comes. Each side may end what it says and go on listening (half-close,
// m#27539); a side that breaks off breaks the other off.

import { connect, createServer, type Socket } from 'node:net'
import { showIp } from '../net/ip.ts'
import type { Relay } from '../net/relay.ts'
import { E } from '../prelude.ts'
import { codeOf, type Opening } from './open.ts'

/** So long nothing is heard of the other side until it is asked whether it is still there. */
const KEEP_ALIVE_MS = 15_000

const join = (client: Socket, { to }: Relay): Socket => {
  const container = connect({ host: showIp(to.ip), port: to.port, allowHalfOpen: true })
  container.once('connect', () => {
    client.pipe(container)
    container.pipe(client)
  })
  for (const [one, other] of [
    [client, container],
    [container, client],
  ] as const) {
    one.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS)
    one.on('error', () => other.resetAndDestroy())
  }
  return container
}

export const relayTcp = (relay: Relay): Opening =>
  new Promise((resolve) => {
    const { ip, port } = relay.at
    const sockets = new Set<Socket>()
    const hold = (socket: Socket): void => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    }
    const server = createServer({ allowHalfOpen: true }, (client) => {
      hold(client)
      hold(join(client, relay))
    })
    server.once('error', (error) => resolve(E.left(codeOf(error))))
    server.listen({ host: showIp(ip), port, ipv6Only: true }, () => {
      // Of one that cannot be accepted (EMFILE) its client hears; the others go on.
      server.on('error', () => {})
      resolve(
        E.right({
          close: () => {
            server.close()
            for (const socket of sockets) socket.resetAndDestroy()
          },
          renew: async () => {},
        }),
      )
    })
  })

// Ports of 127.0.0.1 that nobody listens on: held all at once, so that none is named twice, and let go.

import { once } from 'node:events'
import { createServer } from 'node:net'

export const freePorts = async (count: number): Promise<ReadonlyArray<number>> => {
  const held = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = held.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  await Promise.all(held.map((server) => once(server.close(), 'close')))
  return ports
}

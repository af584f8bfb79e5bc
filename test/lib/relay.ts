// A way to a server on 127.0.0.1 that a test can make slow, lossy, or impassable.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type Relay = Readonly<{
  /** HOST:PORT of it. */
  host: string
  /** From now on what is asked arrives, and what is answered does not. */
  swallow: () => void
  /** From now on what is asked arrives so much later. */
  delay: (ms: number) => void
  /** From now on all goes both ways; connections that had something swallowed are broken. */
  heal: () => void
  /** From now on nothing goes either way, and nobody is told: as when a cable is pulled. */
  cut: () => void
  end: () => Promise<void>
}>

type Way = 'open' | 'swallowing' | 'cut'

export const startRelay = async (port: number): Promise<Relay> => {
  let way: Way = 'open'
  let delayMs = 0
  const sockets = new Set<Socket>()
  const spoilt = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  const adopt = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  }
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    /** What is held back arrives also when who asked has gone. */
    let held = 0
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      adopt(one)
      one.on('close', () => way === 'open' && held === 0 && other.destroy())
    }
    near.on('data', (part) => {
      if (way === 'cut') return
      if (delayMs === 0) {
        far.write(part)
        return
      }
      held += 1
      const timer = setTimeout(() => {
        timers.delete(timer)
        far.write(part)
      }, delayMs)
      timers.add(timer)
    })
    far.on('data', (part) => {
      if (way === 'open') near.write(part)
      else spoilt.add(near)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    host: `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    swallow: () => {
      way = 'swallowing'
    },
    delay: (ms) => {
      delayMs = ms
    },
    heal: () => {
      way = 'open'
      delayMs = 0
      for (const socket of spoilt) socket.destroy()
      spoilt.clear()
    },
    cut: () => {
      way = 'cut'
    },
    end: async () => {
      for (const timer of timers) clearTimeout(timer)
      for (const socket of sockets) socket.destroy()
      await once(server.close(), 'close')
    },
  }
}

// Requests through a published port: each is a TCP connection of its own, for only the first packet of one meets the firewall's
// maps.

import { createConnection, createServer } from 'node:net'
import type { Role } from './role.ts'

const ALL = '0.0.0.0'
const WORD = 'y'

/** Listens on a port, and answers each connection with a word and its end. */
export const server: Role = ([port = '0'], _, say) =>
  new Promise((_resolve, reject) => {
    const listening = createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.end(WORD)
    })
    listening.on('error', reject)
    listening.listen(Number(port), ALL, 511, () => say('listening'))
  })

/** At the same time. */
const CALLERS = 8

const request = (host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = createConnection({ host, port })
    let heard = ''
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1')
    })
    socket.on('error', reject)
    socket.on('close', () => (heard === WORD ? resolve() : reject(new Error(`heard "${heard}"`))))
  })

/** Told a number of milliseconds, it asks an address for that long, and says how many requests a second were answered. */
export const client: Role = async ([host = '', port = '0'], heard, say) => {
  say('ready')
  for await (const line of heard) {
    const start = performance.now()
    const end = start + Number(line)
    let answered = 0
    const call = async (): Promise<void> => {
      while (performance.now() < end) {
        await request(host, Number(port))
        answered += 1
      }
    }
    await Promise.all(Array.from({ length: CALLERS }, call))
    say(String((answered * 1000) / (performance.now() - start)))
  }
}

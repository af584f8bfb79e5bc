// Programs of strangers in a namespace, that wait at ports until they are ended.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** `address` `::` without `only6` is every address of both families. */
export type Waiting = Readonly<{ transport: 'tcp' | 'udp'; address: string; port: number; only6?: boolean }>

const PROGRAM = `
const { createServer } = require('node:net')
const { createSocket } = require('node:dgram')
let left = 0
const ready = () => { left -= 1; if (left === 0) console.log('ready') }
for (const { transport, address, port, only6 = false } of JSON.parse(process.argv[1])) {
  left += 1
  if (transport === 'tcp') createServer().listen({ host: address, port, ipv6Only: only6 }, ready)
  else createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', ipv6Only: only6 }).bind({ address, port }, ready)
}
process.stdin.resume().on('end', () => process.exit())
`

/** Starts a program that waits at these; gives how to end it. */
export const waitAt = async (real: string, sockets: ReadonlyArray<Waiting>): Promise<() => Promise<void>> => {
  const words = [`--net=/run/netns/${real}`, '--', process.execPath, '-e', PROGRAM, '--', JSON.stringify(sockets)]
  const child = spawn('nsenter', words, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()))
  const lines = createInterface({ input: child.stdout })
  const began = new Promise<boolean>((resolve) => {
    lines.once('line', () => resolve(true))
    void ended.then(() => resolve(false))
  })
  if (!(await began)) throw new Error('a program that was to wait at ports has ended')
  return async () => {
    child.stdin.end()
    await ended
  }
}

// Programs of strangers in a namespace, until they are ended: some wait at ports, some ask others.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** `address` `::` without `only6` is every address of both families. `says`: what it answers to each datagram, or each who connects. */
export type Waiting = Readonly<{
  transport: 'tcp' | 'udp'
  address: string
  port: number
  only6?: boolean
  says?: string
}>

const GRACE_MS = 1000

const PROGRAM = `
const { createServer } = require('node:net')
const { createSocket } = require('node:dgram')
let left = 0
const ready = () => { left -= 1; if (left === 0) console.log('ready') }
for (const { transport, address, port, only6 = false, says } of JSON.parse(process.argv[1])) {
  left += 1
  if (transport === 'tcp') {
    createServer((socket) => socket.on('error', () => {}).end(says)).listen({ host: address, port, ipv6Only: only6 }, ready)
    continue
  }
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', ipv6Only: only6 })
  if (says !== undefined) socket.on('message', (_, from) => socket.send(says, from.port, from.address))
  socket.bind({ address, port }, ready)
}
process.stdin.resume().on('end', () => process.exit())
`

const CLIENT = `
const { createSocket } = require('node:dgram')
const [address, port] = process.argv.slice(1)
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
let timer
const tell = (what) => { clearTimeout(timer); console.log(what) }
socket.on('message', (bytes) => tell(String(bytes)))
socket.on('error', (error) => tell(error.code))
socket.connect(Number(port), address, () => console.log('ready'))
const ask = () => { timer = setTimeout(() => tell('silence'), 1000); socket.send('?') }
require('node:readline').createInterface({ input: process.stdin }).on('line', ask).on('close', () => process.exit())
`

/** It has said a line that is no answer: that it is ready. */
export type Program = Readonly<{ say: (line: string) => void; hear: () => Promise<string>; end: () => Promise<void> }>

/** Node with these words in a namespace; it ends, too, when its standard input does. */
export const startProgram = async (real: string, args: ReadonlyArray<string>): Promise<Program> => {
  const words = [`--net=/run/netns/${real}`, '--', process.execPath, ...args]
  const child = spawn('nsenter', words, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const hear = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error('a program has ended')
    return value
  }
  await hear()
  return {
    say: (line) => void child.stdin.write(`${line}\n`),
    hear,
    end: async () => {
      child.stdin.end()
      const kill = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
      await ended
      clearTimeout(kill)
    },
  }
}

/** Starts a program that waits at these; gives how to end it. */
export const waitAt = async (real: string, sockets: ReadonlyArray<Waiting>): Promise<() => Promise<void>> =>
  (await startProgram(real, ['-e', PROGRAM, '--', JSON.stringify(sockets)])).end

/** A program with one UDP socket that talks to one end: it asks, and says what was answered within a second (`silence`, or an errno). */
export const talkTo = async (real: string, address: string, port: number) => {
  const { say, hear, end } = await startProgram(real, ['-e', CLIENT, '--', address, String(port)])
  const ask = (): Promise<string> => {
    say('ask')
    return hear()
  }
  return { ask, end }
}

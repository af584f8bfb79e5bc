// A small program that runs inside a network namespace and tries connections there; see agent-protocol.ts. Its own bundle
// (dist/agent.js). It ends when its standard input does, so it cannot outlive the process that started it.

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createConnection, createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { createInterface } from 'node:readline'
import { type Answer, greetingOf, type Request, type Transport, tokenIn } from './agent-protocol.ts'
import { socketFailure } from './errno.ts'

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.message

type Closable = Readonly<{ close: () => void }>
const listeners = new Map<string, ReadonlyArray<Closable>>()

const listenTcp = (host: string, port: number, token: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.end(greetingOf(token))
    })
    server.once('error', reject)
    server.listen({ host, port, ipv6Only: host.includes(':'), backlog: 511 }, () => resolve(server))
  })

const listenUdp = (host: string, port: number, token: string): Promise<UdpSocket> =>
  new Promise((resolve, reject) => {
    const six = host.includes(':')
    const socket = createSocket({ type: six ? 'udp6' : 'udp4', reuseAddr: true, ipv6Only: six })
    socket.on('message', (_, from) => socket.send(greetingOf(token), from.port, from.address, () => {}))
    socket.once('error', reject)
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.on('error', () => {})
      resolve(socket)
    })
  })

/**
 * A UDP socket on the wildcard answers from the address its route prefers, which need not be the one that was asked, so
 * every address gets a socket of its own; the wildcard takes what is left.
 */
const hostsFor = (proto: Transport): ReadonlyArray<string> => {
  const all = ['0.0.0.0', '::']
  if (proto === 'tcp') return all
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return [...all, ...new Set(own.map(({ address }) => address).filter((address) => !/^fe80:/i.test(address)))]
}

const listen = async (proto: Transport, port: number, token: string): Promise<Answer> => {
  const open: Closable[] = []
  for (const host of hostsFor(proto)) {
    try {
      open.push(proto === 'tcp' ? await listenTcp(host, port, token) : await listenUdp(host, port, token))
    } catch (error) {
      // Without the first, the port is taken; without another, that address is not usable here (IPv6 may be off).
      if (open.length === 0) return { tag: 'busy', why: codeOf(error as Error) }
    }
  }
  listeners.set(token, open)
  return { tag: 'done' }
}

const close = (token: string): Answer => {
  for (const one of listeners.get(token) ?? []) one.close()
  listeners.delete(token)
  return { tag: 'done' }
}

/** How long to wait for a greeting after a handshake; a service that is not ours says nothing. */
const GREETING_MS = 500

const connectTcp = (host: string, port: number, patienceMs: number): Promise<Answer> =>
  new Promise((resolve) => {
    const socket = createConnection({ host, port })
    let heard = ''
    const end = (answer: Answer): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    let timer = setTimeout(() => end({ tag: 'died', how: 'timeout' }), patienceMs)
    let connected = false
    const arrived = (): void => end({ tag: 'arrived', token: tokenIn(heard) })
    socket.on('connect', () => {
      connected = true
      clearTimeout(timer)
      timer = setTimeout(arrived, GREETING_MS)
    })
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1')
      if (heard.includes('\n')) arrived()
    })
    socket.on('end', arrived)
    socket.on('error', (error) => (connected ? arrived() : end({ tag: 'died', how: socketFailure(codeOf(error)) })))
  })

const connectUdp = (host: string, port: number, patienceMs: number): Promise<Answer> =>
  new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    const end = (answer: Answer): void => {
      clearTimeout(timer)
      socket.close()
      resolve(answer)
    }
    const timer = setTimeout(() => end({ tag: 'died', how: 'timeout' }), patienceMs)
    const failed = (error: Error): void => end({ tag: 'died', how: socketFailure(codeOf(error)) })
    socket.once('error', failed)
    socket.once('message', (heard) => end({ tag: 'arrived', token: tokenIn(heard.toString('latin1')) }))
    // Connected, so that the kernel reports ICMP errors to this socket. An event, for a callback would be given the error.
    socket.once('connect', () => socket.send('cnm?\n', (error) => error && socket.emit('error', error)))
    socket.connect(port, host)
  })

const answer = (request: Request): Promise<Answer> => {
  switch (request.do) {
    case 'listen':
      return listen(request.proto, request.port, request.token)
    case 'close':
      return Promise.resolve(close(request.token))
    case 'connect': {
      const connect = request.proto === 'tcp' ? connectTcp : connectUdp
      return connect(request.to, request.port, request.patienceMs)
    }
  }
}

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  // Only our own starter writes to this pipe.
  const { id, request } = JSON.parse(line) as { id: number; request: Request }
  answer(request).then((result) => process.stdout.write(`${JSON.stringify({ id, answer: result })}\n`))
})
lines.on('close', () => process.exit(0))
process.stdout.on('error', () => process.exit(0))

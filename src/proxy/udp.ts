// UDP: who sends from a port has a session, a socket of its own to the container, until nothing has passed for 90 s.
// A socket on :: would answer from the address that its route prefers, which need not be the one that was asked. So each address of
// the host has a socket of its own; the one on :: hears the others, which are new since `renew`.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { isIp4, isUnspecified, showIp } from '../net/ip.ts'
import type { Relay } from '../net/relay.ts'
import { E } from '../prelude.ts'
import { codeOf, type Opening } from './open.ts'

export const EXPIRE_MS = 90_000
/** Of one relay: a flood of forged senders takes no more files than that. The one that began first goes first. */
const SESSIONS = 1024
/** Datagrams of a session that wait until its socket is there. */
const WAITING = 16

type Session = Readonly<{ send: (bytes: Buffer) => void; end: () => void }>

const sessionOf = ({ to }: Relay, expireMs: number, answer: (bytes: Buffer) => void, over: () => void): Session => {
  const socket = createSocket(isIp4(to.ip) ? 'udp4' : 'udp6')
  let waiting: Buffer[] | null = []
  let ended = false
  const end = (): void => {
    if (ended) return
    ended = true
    clearTimeout(timer)
    socket.close()
    over()
  }
  const timer = setTimeout(end, expireMs)
  socket.on('message', (bytes) => {
    timer.refresh()
    answer(bytes)
  })
  // That nobody waits there (ECONNREFUSED) may be otherwise in a moment.
  socket.on('error', () => {})
  socket.connect(to.port, showIp(to.ip), () => {
    for (const bytes of waiting ?? []) socket.send(bytes)
    waiting = null
  })
  return {
    send: (bytes) => {
      timer.refresh()
      if (waiting === null) socket.send(bytes, () => {})
      else if (waiting.length < WAITING) waiting.push(bytes)
    },
    end,
  }
}

type Hear = (socket: Socket, bytes: Buffer, from: RemoteInfo) => void

const bound = (address: string, port: number, hear: Hear): Promise<E.Either<string, Socket>> =>
  new Promise((resolve) => {
    const socket = createSocket({ type: 'udp6', ipv6Only: true, reuseAddr: true })
    socket.on('message', (bytes, from) => hear(socket, bytes, from))
    socket.once('error', (error) => resolve(E.left(codeOf(error))))
    socket.bind({ address, port, exclusive: true }, () => {
      socket.on('error', () => {})
      resolve(E.right(socket))
    })
  })

/** A link-local address is one of a device. */
const ownAddresses = (): ReadonlyArray<string> =>
  Object.entries(networkInterfaces()).flatMap(([dev, addresses = []]) =>
    addresses.flatMap(({ family, address }) =>
      family === 'IPv6' ? [/^fe80:/i.test(address) ? `${address}%${dev}` : address] : [],
    ),
  )

export const relayUdp = async (relay: Relay, expireMs = EXPIRE_MS): Opening => {
  const { ip, port } = relay.at
  const sessions = new Map<string, Session>()
  const sockets = new Map<string, Socket>()
  let closed = false

  const hear = (at: string): Hear => {
    return (socket, bytes, from) => {
      const key = `${at} ${from.address} ${from.port}`
      const known = sessions.get(key)
      if (known !== undefined) return known.send(bytes)
      const [oldest] = sessions.values()
      if (sessions.size >= SESSIONS) oldest?.end()
      const answer = (said: Buffer): void => {
        if (!closed) socket.send(said, from.port, from.address, () => {})
      }
      const session = sessionOf(relay, expireMs, answer, () => sessions.delete(key))
      sessions.set(key, session)
      session.send(bytes)
    }
  }
  const add = async (address: string): Promise<string | null> => {
    const socket = await bound(address, port, hear(address))
    if (E.isLeft(socket)) return socket.left
    if (closed) socket.right.close()
    else sockets.set(address, socket.right)
    return null
  }
  const renew = async (): Promise<void> => {
    if (!isUnspecified(ip)) return
    const own = new Set([showIp(ip), ...ownAddresses()])
    for (const [address, socket] of sockets) {
      if (own.has(address)) continue
      sockets.delete(address)
      socket.close()
    }
    // An address that is tentative still is tried again the next time.
    for (const address of own) if (!sockets.has(address) && !closed) await add(address)
  }

  const refused = await add(showIp(ip))
  if (refused !== null) return E.left(refused)
  await renew()
  return E.right({
    close: () => {
      closed = true
      for (const session of [...sessions.values()]) session.end()
      for (const socket of sockets.values()) socket.close()
    },
    renew,
  })
}

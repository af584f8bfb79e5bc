// The sockets of a program that runs, and what they hear: answers from the socket itself, ICMP errors as they are delivered, ARP as the
// device receives it.

import { tupleOf } from '../../../kernel-sim/datapath/netfilter/tuple.ts'
import type { Space } from '../../../kernel-sim/datapath/plane.ts'
import type { Socket, TcpSocket } from '../../../kernel-sim/datapath/socket/entry.ts'
import { removeSocket, socketsOf } from '../../../kernel-sim/datapath/socket/table.ts'
import { closeTcp, readTcp } from '../../../kernel-sim/datapath/socket/tcp.ts'
import type { Step } from '../../../kernel-sim/datapath/step.ts'
import type { Arp } from '../../../kernel-sim/wire/arp.ts'
import { protocolOf } from '../../../kernel-sim/wire/body.ts'
import type { Error4 } from '../../../kernel-sim/wire/icmp4.ts'
import type { Error6 } from '../../../kernel-sim/wire/icmp6.ts'
import type { Packet } from '../../../kernel-sim/wire/nested.ts'
import { ip4 } from '../../../net/ip.ts'
import { BROADCAST } from '../../../net/mac.ts'
import type { IfName, Ns } from '../../../net/name.ts'
import type { Heard, Said, Wish } from '../../../shell/wire.ts'

type Place = Readonly<{ host: string; ns: Ns; heard: Heard[] }>

/** What a socket was opened for. */
export type Socketed = Exclude<Wish, { proto: 'arp' }>

/** `id`: the kernel's socket; `port`: its own, or an echo's id. `asked`: what was asked last, of which answers are. `told`: that it is connected, that it ended. */
export type SimSocket = Place &
  (
    | Readonly<{ proto: 'echo' | 'udp'; id: number; port: number; wish: Socketed }>
    | (Readonly<{ proto: 'tcp'; id: number; port: number; wish: Socketed }> & {
        toldConnected: boolean
        toldEnd: boolean
      })
    | (Readonly<{ proto: 'arp'; dev: IfName }> & { asked: Arp | null })
  )

const UNSPECIFIED = ip4(0)
const TEXT = new TextDecoder()

const PROTOCOLS: Readonly<Record<'echo' | 'udp' | 'tcp', ReadonlyArray<number>>> = {
  echo: [1, 58],
  udp: [17],
  tcp: [6],
}

/** The number of the echo that a packet is, or began as. */
const seqOf = ({ body }: Packet): number => {
  const whole = body.proto === 'head' ? body.of : body
  return (whole.proto === 'icmp' || whole.proto === 'icmp6') && 'payload' in whole ? whole.seq : 0
}

const saidBy = (error: Error4 | Error6): Said => ({
  type: error.type,
  code: 'code' in error ? error.code : null,
  mtu: 'mtu' in error ? error.mtu : null,
  gateway: 'gateway' in error ? error.gateway : null,
})

const noticeError = (socket: Exclude<SimSocket, { proto: 'arp' }>, { payload, atMs }: Step): void => {
  if (payload.tag !== 'ip4' && payload.tag !== 'ip6') return
  const { body } = payload
  if ((body.proto !== 'icmp' && body.proto !== 'icmp6') || !('about' in body)) return
  const tuple = tupleOf(body.about, 0)
  const proto = protocolOf(body.about.body)
  if (tuple === null || tuple.sport !== socket.port || !PROTOCOLS[socket.proto].includes(proto)) return
  const seq = seqOf(body.about)
  socket.heard.push({ tag: 'error', from: payload.src, said: saidBy(body), seq, v6: payload.tag === 'ip6', atMs })
}

/** An answer is one to us; whoever looks for another one with its address (from 0.0.0.0) minds any word of it (recv_pack of arping.c). */
const isAnswer = (asked: Arp, { sender, senderMac, target, targetMac }: Arp): boolean => {
  if (sender !== asked.target || senderMac === asked.senderMac) return false
  return asked.sender === UNSPECIFIED || (target === asked.sender && targetMac === asked.senderMac)
}

const noticeArp = (socket: Extract<SimSocket, { proto: 'arp' }>, { payload, frame, atMs, dev }: Step): void => {
  const { asked, heard } = socket
  if (payload.tag !== 'arp' || dev !== socket.dev || asked === null || !isAnswer(asked, payload)) return
  heard.push({ tag: 'arp', from: payload.sender, mac: payload.senderMac, broadcast: frame?.dst === BROADCAST, atMs })
}

/** What a step means to who holds the socket. */
export const notice = (socket: SimSocket, step: Step): void => {
  if (step.host !== socket.host || step.ns !== socket.ns) return
  if (socket.proto === 'arp' && step.event.tag === 'received') noticeArp(socket, step)
  if (socket.proto !== 'arp' && step.event.tag === 'delivered') noticeError(socket, step)
}

const drainTcp = (socket: Extract<SimSocket, { proto: 'tcp' }>, open: TcpSocket, atMs: number): void => {
  const { heard } = socket
  if (open.error !== null && !socket.toldEnd) {
    heard.push({ tag: 'failed', errno: open.error, atMs })
    socket.toldEnd = true
    return
  }
  const isThere = open.state !== 'syn-sent' && open.state !== 'syn-received' && open.state !== 'closed'
  if (isThere && !socket.toldConnected) {
    heard.push({ tag: 'connected', atMs })
    socket.toldConnected = true
  }
  const input = readTcp(open)
  const from = open.remote?.ip
  if (input.length > 0 && from !== undefined)
    heard.push({ tag: 'answer', from, ttl: 0, seq: 0, bytes: input.length, text: TEXT.decode(input), atMs })
  if (open.hasEnd && !socket.toldEnd) {
    heard.push({ tag: 'ended', atMs })
    socket.toldEnd = true
  }
}

const opened = (space: Space, id: number): Socket | undefined => socketsOf(space).open.get(id)

/** What the kernel's socket has for its program. */
export const drain = (space: Space, socket: SimSocket): void => {
  if (socket.proto === 'arp') return
  const open = opened(space, socket.id)
  if (open === undefined) return
  const atMs = space.plane.nowMs
  if (open.proto === 'tcp') {
    if (socket.proto === 'tcp') drainTcp(socket, open, atMs)
    return
  }
  for (const { from, ttl, bytes } of open.inbox)
    socket.heard.push({
      tag: 'answer',
      from: from.ip,
      ttl,
      seq: from.port,
      bytes: bytes.length,
      text: TEXT.decode(bytes),
      atMs,
    })
  open.inbox = []
  // An echo's error was delivered as a message, which says more.
  if (open.proto === 'udp' && open.error !== null) socket.heard.push({ tag: 'failed', errno: open.error, atMs })
  open.error = null
}

/** The program is done with it. */
export const putAway = (space: Space, socket: SimSocket): void => {
  if (socket.proto === 'arp') return
  const open = opened(space, socket.id)
  if (open === undefined) return
  if (open.proto === 'tcp') closeTcp(space, open)
  else removeSocket(space, open)
}

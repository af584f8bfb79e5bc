// TCP connections: who opens and who accepts them, what each segment makes of their state, and how they end. Data is taken in order;
// what comes early is kept. Urgent data, ECN and silly windows are not known here.
// Sources: RFC 9293 section 3.10; net/ipv4/{tcp_input,tcp_ipv4,tcp_minisocks}.c (tcp_rcv_state_process, tcp_check_req).

import { type Ip, isIp4, isLoopback } from '../../../net/ip.ts'
import { NO_BYTES } from '../../wire/bytes.ts'
import { FLAG, type Tcp } from '../../wire/tcp.ts'
import { NO_OPTIONS, type TcpOptions } from '../../wire/tcp-options.ts'
import { after } from '../loop.ts'
import { resetFor } from '../netfilter/reject.ts'
import type { Device, Space } from '../plane.ts'
import { next32 } from '../random.ts'
import type { Held } from '../skb.ts'
import { drop } from '../step.ts'
import { boundTo, destinationOf, wayFrom } from './bind.ts'
import { answerTo, type Binding, scopeOf, unsent } from './datagram.ts'
import type { Early, End, Service, SocketErrno, SocketOptions, Stretch, TcpSocket } from './entry.ts'
import { isForMany } from './many.ts'
import { addSocket, findSocket, isBound, removeSocket, socketsOf, takePort } from './table.ts'
import {
  beginTimeWait,
  fail,
  hearGaps,
  INITIAL_WINDOW,
  measured,
  push,
  RTO_MS,
  restart,
  waitForEnd,
} from './tcp-flow.ts'
import { forgetAcknowledged, hearSacks } from './tcp-loss.ts'
import { acknowledge, ahead, ownMss, sendSyn, WINDOW_SCALE } from './tcp-send.ts'

const NOTHING: ReadonlyArray<Early> = []
const NO_STRETCH: ReadonlyArray<Stretch> = []

type Opening = Pick<
  TcpSocket,
  'family' | 'local' | 'remote' | 'options' | 'service' | 'state' | 'backlog' | 'parent' | 'mtu'
>

const newSocket = (space: Space, opening: Opening): TcpSocket => ({
  id: 0,
  proto: 'tcp',
  heardAt: null,
  error: null,
  soft: null,
  iss: 0,
  sndUna: 0,
  sndNxt: 0,
  rcvNxt: 0,
  out: NO_BYTES,
  finQueued: false,
  window: 0,
  congestion: INITIAL_WINDOW,
  mss: 536,
  recent: null,
  sack: false,
  scale: { ours: 0, theirs: 0 },
  sacked: NO_STRETCH,
  lostTo: 0,
  resentTo: 0,
  probe: null,
  rttMs: 0,
  rtoMs: RTO_MS,
  retransmits: 0,
  dueMs: null,
  kept: false,
  awaits: 'acknowledgement',
  openedMs: space.plane.nowMs,
  input: NO_BYTES,
  early: NOTHING,
  hasEnd: false,
  arrived: null,
  ...opening,
})

const begin = (space: Space, socket: TcpSocket) => {
  socket.iss = next32(space.plane.random)
  socket.sndUna = socket.iss
  socket.lostTo = socket.iss
  socket.resentTo = socket.iss
  sendSyn(space, socket)
  restart(space, socket)
}

/** Of all addresses if the binding says none. `backlog`: connections that nobody has accepted yet; a service accepts at once. */
export const listenTcp = (
  space: Space,
  { family, ip, port, options }: Binding & Readonly<{ port: number }>,
  service: Service | null,
  backlog = 4096,
): TcpSocket | SocketErrno => {
  if (isBound(space, 'tcp', family, ip, port)) return 'EADDRINUSE'
  const local = { ip, port }
  return addSocket(
    space,
    newSocket(space, { family, local, remote: null, options, service, state: 'listen', backlog, parent: null, mtu: 0 }),
  )
}

/** What would have been sent if there were a way. */
const firstSyn = (sport: number, dport: number): Tcp => ({
  proto: 'tcp',
  sport,
  dport,
  seq: 0,
  ack: 0,
  flags: FLAG.SYN,
  window: 0,
  urgent: 0,
  options: NO_OPTIONS,
  payload: NO_BYTES,
})

/** Begins a handshake; how it ends is seen in `state` and `error`. */
export const connectTcp = (space: Space, to: End, from: Ip | null, options: SocketOptions): TcpSocket | SocketErrno => {
  const port = takePort(space, 'tcp', to.port)
  if (port === null) return 'EADDRNOTAVAIL'
  const bound = boundTo(space, from, options.dev)
  if (typeof bound === 'string') return bound
  const { way, src } = wayFrom(space, bound, to.ip, options)
  if (typeof way === 'string') return unsent(space, options, src, to.ip, firstSyn(port, to.port), way)
  if (way.type === 'broadcast' || way.type === 'multicast')
    return unsent(space, options, way.src, to.ip, firstSyn(port, to.port), 'ENETUNREACH')
  const socket = addSocket(
    space,
    newSocket(space, {
      family: isIp4(to.ip) ? 4 : 6,
      local: { ip: way.src, port },
      remote: { ...to, ip: way.dst },
      options,
      service: null,
      state: 'syn-sent',
      backlog: 0,
      parent: null,
      mtu: way.mtu,
    }),
  )
  socket.kept = bound === null && !isIp4(to.ip)
  begin(space, socket)
  return socket
}

const joined = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  if (a.length === 0) return b
  const all = new Uint8Array(a.length + b.length)
  all.set(a)
  all.set(b, a.length)
  return all
}

/** Data for the other side. */
export const writeTcp = (space: Space, socket: TcpSocket, bytes: Uint8Array): SocketErrno | null => {
  if (socket.error !== null) return socket.error
  if (socket.finQueued || socket.state === 'closed') return 'EPIPE'
  socket.out = joined(socket.out, bytes)
  push(space, socket)
  return null
}

/** What has come and was not read; the other side may send so much more. */
export const readTcp = (socket: TcpSocket): Uint8Array => {
  const { input } = socket
  socket.input = NO_BYTES
  return input
}

/** There will be no more data from our side. A socket that has not got so far is given up. */
export const closeTcp = (space: Space, socket: TcpSocket) => {
  if (socket.state === 'established' || socket.state === 'close-wait') {
    socket.finQueued = true
    push(space, socket)
  } else if (socket.state === 'listen' || socket.state === 'syn-sent') {
    socket.state = 'closed'
    removeSocket(space, socket)
  }
}

/** A socket is gone without a word, as the socket of a probe whose answer is known. */
export const abandonTcp = (space: Space, socket: TcpSocket) => {
  socket.state = 'closed'
  socket.dueMs = null
  removeSocket(space, socket)
}

const optionsIn = ({ options }: Tcp): TcpOptions => (options instanceof Uint8Array ? NO_OPTIONS : options)

/** What both sides have told each other with their SYNs. */
const agree = (socket: TcpSocket, tcp: Tcp) => {
  const { mss, timestamps, windowScale, sackPermitted } = optionsIn(tcp)
  socket.rcvNxt = (tcp.seq + 1) >>> 0
  socket.recent = timestamps?.value ?? null
  socket.sack = sackPermitted
  socket.scale =
    windowScale === null ? { ours: 0, theirs: 0 } : { ours: WINDOW_SCALE, theirs: Math.min(14, windowScale) }
  socket.window = tcp.window
  socket.mss = Math.min(ownMss(socket), mss ?? 536)
}

const accept = (space: Space, dev: Device, listener: TcpSocket, { packet }: Held, tcp: Tcp) => {
  const waiting = [...socketsOf(space).open.values()].filter(
    (one) => one.proto === 'tcp' && one.parent === listener.id,
  ).length
  // A listener whose backlog is full says nothing: the other side will ask again.
  if (waiting > listener.backlog) return
  const { src, dst } = packet
  const options = { ...listener.options, dev: listener.options.dev ?? scopeOf(src, dev) }
  const way = space.plane.parts.wayOf(space, destinationOf(dst, src, options))
  if (typeof way === 'string') return
  const socket = addSocket(
    space,
    newSocket(space, {
      family: isIp4(dst) ? 4 : 6,
      local: { ip: dst, port: tcp.dport },
      remote: { ip: src, port: tcp.sport },
      options,
      service: listener.service,
      state: 'syn-received',
      backlog: 0,
      parent: listener.id,
      mtu: way.mtu,
    }),
  )
  socket.arrived = { from: { ip: src, port: tcp.sport }, to: dst, ttl: packet.ttl, bytes: NO_BYTES }
  agree(socket, tcp)
  begin(space, socket)
}

/** A reset to ::1, too, goes by the device that was asked, which leads there only if that is loopback (rt6_need_strict). */
const refuse = (space: Space, dev: Device, { packet }: Held, tcp: Tcp) => {
  if ((tcp.flags & FLAG.RST) !== 0) return
  const { src, dst } = packet
  const scope = !isIp4(src) && isLoopback(src) ? dev.name : scopeOf(src, dev)
  space.plane.parts.send(space, {
    src: dst,
    dst: src,
    body: resetFor(tcp),
    ...(scope === null ? {} : { dev: scope }),
  })
}

const onSynSent = (space: Space, socket: TcpSocket, tcp: Tcp, unexpected: () => void) => {
  const acknowledges = (tcp.flags & FLAG.ACK) !== 0
  if (acknowledges && tcp.ack !== socket.sndNxt) return unexpected()
  if ((tcp.flags & FLAG.RST) !== 0) {
    if (acknowledges) fail(space, socket, 'ECONNREFUSED')
    return
  }
  if ((tcp.flags & FLAG.SYN) === 0) return
  agree(socket, tcp)
  if (!acknowledges) {
    socket.state = 'syn-received'
    sendSyn(space, socket)
    return
  }
  socket.sndUna = tcp.ack
  socket.state = 'established'
  socket.dueMs = null
  socket.retransmits = 0
  measured(socket, space.plane.nowMs - socket.openedMs)
  acknowledge(space, socket)
  push(space, socket)
}

/** Whether a segment is where the receiver expects data. */
const isInWindow = (socket: TcpSocket, tcp: Tcp): boolean => {
  const length = tcp.payload.length + ((tcp.flags & FLAG.FIN) !== 0 ? 1 : 0)
  return ahead((tcp.seq + length) >>> 0, socket.rcvNxt) >= 0 && ahead(tcp.seq, socket.rcvNxt) < 2 ** 20
}

/** All that we have sent is acknowledged, its end too. */
const endIsAcknowledged = (space: Space, socket: TcpSocket) => {
  switch (socket.state) {
    case 'fin-wait-1':
      socket.state = 'fin-wait-2'
      return waitForEnd(space, socket)
    case 'closing':
      return beginTimeWait(space, socket)
    case 'last-ack':
      socket.state = 'closed'
      return removeSocket(space, socket)
    default:
  }
}

const hearAcknowledgement = (space: Space, socket: TcpSocket, tcp: Tcp) => {
  const by = ahead(tcp.ack, socket.sndUna)
  if (by < 0 || ahead(tcp.ack, socket.sndNxt) > 0) return
  socket.window = tcp.window * 2 ** socket.scale.theirs
  const { sack, timestamps } = optionsIn(tcp)
  if (by > 0) {
    const data = Math.min(by, socket.out.length)
    socket.out = data === socket.out.length ? NO_BYTES : socket.out.slice(data)
    socket.sndUna = tcp.ack
    socket.retransmits = 0
    socket.congestion += Math.ceil(data / socket.mss)
    forgetAcknowledged(socket)
    const echo = timestamps?.echo
    if (echo !== undefined) measured(socket, ahead((socket.iss + Math.floor(space.plane.nowMs)) >>> 0, echo))
    restart(space, socket)
    if (socket.finQueued && socket.out.length === 0 && socket.sndNxt === socket.sndUna) endIsAcknowledged(space, socket)
  }
  if (socket.sack && sack.length > 0) hearSacks(socket, sack)
  if (socket.sacked.length > 0) hearGaps(space, socket)
  push(space, socket)
}

/** The other side will send no more. */
const hearEnd = (space: Space, socket: TcpSocket) => {
  socket.rcvNxt = (socket.rcvNxt + 1) >>> 0
  socket.hasEnd = true
  switch (socket.state) {
    case 'established':
      socket.state = 'close-wait'
      return
    case 'fin-wait-1':
      socket.state = 'closing'
      return
    case 'fin-wait-2':
      return beginTimeWait(space, socket)
    default:
  }
}

const take = (space: Space, socket: TcpSocket, { seq, bytes, fin }: Early) => {
  const fresh = bytes.slice(Math.min(bytes.length, Math.max(0, ahead(socket.rcvNxt, seq))))
  socket.input = joined(socket.input, fresh)
  socket.rcvNxt = (socket.rcvNxt + fresh.length) >>> 0
  if (fin && !socket.hasEnd) hearEnd(space, socket)
}

const hearData = (space: Space, socket: TcpSocket, tcp: Tcp) => {
  const fin = (tcp.flags & FLAG.FIN) !== 0
  if (tcp.payload.length === 0 && !fin) return
  const segment = { seq: tcp.seq, bytes: tcp.payload, fin }
  if (ahead(tcp.seq, socket.rcvNxt) > 0) {
    if (!socket.early.some(({ seq }) => seq === tcp.seq))
      socket.early = [...socket.early, segment].sort((a, b) => ahead(a.seq, b.seq))
    return acknowledge(space, socket)
  }
  take(space, socket, segment)
  while (socket.early[0] !== undefined && ahead(socket.early[0].seq, socket.rcvNxt) <= 0) {
    take(space, socket, socket.early[0])
    socket.early = socket.early.slice(1)
  }
  acknowledge(space, socket)
}

/** What the program behind a server does with what has come, once all that comes at this moment has. */
export const serve = (space: Space, socket: TcpSocket) => {
  const { service } = socket
  if (service === null) return
  if (socket.input.length > 0) {
    const answer = answerTo(service, readTcp(socket))
    if (answer !== null) writeTcp(space, socket, answer)
  }
  if (socket.hasEnd) closeTcp(space, socket)
}

const wakeServer = ({ plane, host, ns }: Space, { id }: TcpSocket) =>
  after(plane, 0, { what: 'socket', host: host.name, ns, socket: id, timer: 'serve' })

const hearReset = (space: Space, socket: TcpSocket, tcp: Tcp) => {
  if (socket.state === 'time-wait') return removeSocket(space, socket)
  // Only the very next byte is believed; whoever means it will answer the challenge (RFC 5961 section 3.2).
  if (tcp.seq !== socket.rcvNxt) return acknowledge(space, socket)
  fail(space, socket, 'ECONNRESET')
}

const onConnected = (space: Space, socket: TcpSocket, tcp: Tcp) => {
  const { timestamps } = optionsIn(tcp)
  if (!isInWindow(socket, tcp)) return (tcp.flags & FLAG.RST) === 0 ? acknowledge(space, socket) : undefined
  if ((tcp.flags & FLAG.RST) !== 0) return hearReset(space, socket, tcp)
  if ((tcp.flags & FLAG.SYN) !== 0) return acknowledge(space, socket)
  if ((tcp.flags & FLAG.ACK) === 0) return
  if (timestamps !== null && socket.recent !== null) socket.recent = timestamps.value
  hearAcknowledgement(space, socket, tcp)
  if (socket.state === 'closed') return
  if (socket.state === 'time-wait') return tcp.payload.length > 0 ? acknowledge(space, socket) : undefined
  hearData(space, socket, tcp)
  if (socket.service !== null && (socket.input.length > 0 || socket.hasEnd)) wakeServer(space, socket)
}

const onSynReceived = (space: Space, socket: TcpSocket, tcp: Tcp, unexpected: () => void) => {
  if ((tcp.flags & FLAG.RST) !== 0) return abandonTcp(space, socket)
  if ((tcp.flags & FLAG.SYN) !== 0) return sendSyn(space, socket)
  if ((tcp.flags & FLAG.ACK) === 0) return
  if (tcp.ack !== socket.sndNxt) return unexpected()
  socket.state = 'established'
  socket.sndUna = tcp.ack
  socket.dueMs = null
  socket.retransmits = 0
  socket.window = tcp.window * 2 ** socket.scale.theirs
  measured(socket, space.plane.nowMs - socket.openedMs)
  onConnected(space, socket, tcp)
}

/** Whoever begins anew with the ports of a connection that is over may have them (tcp_timewait_state_process). */
const isReopened = (socket: TcpSocket, tcp: Tcp, isFirst: boolean): boolean =>
  socket.state === 'time-wait' && isFirst && ahead(tcp.seq, socket.rcvNxt) > 0

const socketFor = (space: Space, dev: Device, { packet }: Held, tcp: Tcp, isFirst: boolean): TcpSocket | null => {
  const ends = { local: packet.dst, port: tcp.dport, remote: packet.src, remotePort: tcp.sport, dev }
  const found = findSocket(space, 'tcp', ends)
  if (found === null || !isReopened(found, tcp, isFirst)) return found
  removeSocket(space, found)
  return findSocket(space, 'tcp', ends)
}

/** Sent to loopback by name, and not to an address of ours: nobody is told (tcp_v4_send_reset, rt_type). */
const isStray = ({ link }: Device, { meta }: Held): boolean => link.spec.type === 'loopback' && meta.via === undefined

/** A segment for this host; one for many is for none, by its frame or by its address (tcp_v4_rcv; tcp_v4_conn_request, tcp_v4_send_reset). */
export const receiveTcp = (space: Space, dev: Device, held: Held, tcp: Tcp) => {
  const { packet, meta } = held
  const forNone = () => drop(space, dev, 'transport', packet, { tag: 'not-unicast', to: packet.dst })
  if (meta.forMany === true) return forNone()
  const isFirst = (tcp.flags & (FLAG.SYN | FLAG.ACK | FLAG.RST)) === FLAG.SYN
  const socket = socketFor(space, dev, held, tcp, isFirst)
  if ((socket === null || socket.state === 'listen') && isForMany(space, packet.dst)) return forNone()
  const unexpected = () => {
    if (!isStray(dev, held)) refuse(space, dev, held, tcp)
  }
  if (socket?.state === 'listen' && isFirst) return accept(space, dev, socket, held, tcp)
  if (socket === null || socket.state === 'closed' || socket.state === 'listen') {
    const isUnheard = isFirst && socket?.state !== 'listen'
    const reason = isUnheard
      ? ({ tag: 'no-listener', proto: 'tcp', port: tcp.dport } as const)
      : ({ tag: 'no-socket' } as const)
    drop(space, dev, 'transport', held.packet, reason)
    return unexpected()
  }
  if (socket.state === 'syn-sent') return onSynSent(space, socket, tcp, unexpected)
  if (socket.state === 'syn-received') return onSynReceived(space, socket, tcp, unexpected)
  onConnected(space, socket, tcp)
}

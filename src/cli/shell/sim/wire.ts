// The wire of the simulated kernel: sockets of programs of the shell, over the data path.

import { transmit } from '../../../kernel-sim/datapath/device.ts'
import { deviceOf, type Space } from '../../../kernel-sim/datapath/plane.ts'
import { NO_META } from '../../../kernel-sim/datapath/skb.ts'
import {
  connectUdp,
  datagram,
  echoRequest,
  openEcho,
  sendingFor,
} from '../../../kernel-sim/datapath/socket/datagram.ts'
import type {
  EchoSocket,
  SocketErrno,
  SocketOptions,
  TcpSocket,
  UdpSocket,
} from '../../../kernel-sim/datapath/socket/entry.ts'
import { socketsOf } from '../../../kernel-sim/datapath/socket/table.ts'
import { closeTcp, connectTcp, writeTcp } from '../../../kernel-sim/datapath/socket/tcp.ts'
import { frame } from '../../../kernel-sim/wire/ethernet.ts'
import { isIp4 } from '../../../net/ip.ts'
import { BROADCAST, ZERO_MAC } from '../../../net/mac.ts'
import type { Ns } from '../../../net/name.ts'
import type { Heard, Opened, Sent, Settings, Wire, Wish } from '../../../shell/wire.ts'
import { now } from './answer.ts'
import { onNow, type Session, spaceAt } from './session.ts'
import { putAway, type SimSocket, type Socketed } from './socket.ts'

type Complaint = Readonly<{ errno: string; mtu: number | null }>

const BYTES = new TextEncoder()
const NOTHING = new Uint8Array(0)
const payloadOf = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, at) => at)

const optionsOf = ({ ttl, tos, df, mark, dev }: Settings): SocketOptions => ({ ttl, tos, df, mark, dev })
const complaint = (errno: string, mtu: number | null = null): Complaint => ({ errno, mtu })

/** Why a socket cannot be as it is wanted, before anything is sent. */
const unfit = (space: Space, { to, from, dev, mark, tos, broadcast }: Socketed): SocketErrno | null => {
  const { parts } = space.plane
  if (dev !== null && deviceOf(space, dev) === null) return 'ENODEV'
  if (from !== null && parts.typeOf(space, from, dev === null ? null : deviceOf(space, dev)) !== 'local')
    return 'EADDRNOTAVAIL'
  const way = parts.wayOf(space, { src: from, dst: to, dev, mark, tos })
  return typeof way !== 'string' && way.type === 'broadcast' && !broadcast ? 'EACCES' : null
}

const begin = (space: Space, wish: Socketed): EchoSocket | UdpSocket | TcpSocket | SocketErrno => {
  const { to, from } = wish
  const options = optionsOf(wish)
  switch (wish.proto) {
    case 'echo':
      return openEcho(space, to, from, options, payloadOf(wish.size))
    case 'udp':
      return connectUdp(space, { ip: to, port: wish.port }, from, options, NOTHING)
    case 'tcp':
      return connectTcp(space, { ip: to, port: wish.port }, from, options)
  }
}

const open = (session: Session, ns: Ns, wish: Wish): Opened => {
  const socket = session.nextSocket++
  const place = { host: session.now.here, ns, heard: [] as Heard[] }
  return onNow(session, ({ plane }): Opened => {
    const space = spaceAt(plane, place)
    if (space === null) return { tag: 'refused', ...complaint('ENOENT') }
    if (wish.proto === 'arp') {
      session.sockets.set(socket, { ...place, proto: 'arp', dev: wish.dev, asked: null })
      return { tag: 'open', socket, local: null }
    }
    const no = unfit(space, wish)
    const begun = no ?? begin(space, wish)
    if (typeof begun === 'string') return { tag: 'refused', ...complaint(begun) }
    const { id, local } = begun
    const known = { ...place, id, port: local.port, wish }
    session.sockets.set(
      socket,
      wish.proto === 'tcp'
        ? { ...known, proto: 'tcp', toldConnected: false, toldEnd: false }
        : { ...known, proto: wish.proto },
    )
    return { tag: 'open', socket, local: local.ip }
  })
}

const sendArp = (
  space: Space,
  socket: Extract<SimSocket, { proto: 'arp' }>,
  { who, from, to, op }: Extract<Sent, { proto: 'arp' }>,
): Complaint | null => {
  const device = deviceOf(space, socket.dev)
  if (device === null) return complaint('ENODEV')
  if (!isIp4(who) || !isIp4(from)) return complaint('EINVAL')
  const { mac } = device.link
  const targetMac = op === 'reply' ? mac : (to ?? ZERO_MAC)
  const arp = { tag: 'arp', op, senderMac: mac, sender: from, targetMac, target: who } as const
  socket.asked = arp
  transmit(device, { frame: frame(mac, to ?? BROADCAST, arp), meta: NO_META })
  return null
}

const bodyFor = ({ to }: Socketed, port: number, what: Sent, toPort: number) => {
  if (what.proto === 'echo') return echoRequest(to, port, what.seq, payloadOf(what.size))
  return datagram(port, toPort, what.proto === 'arp' ? NOTHING : BYTES.encode(what.text))
}

const sendDatagram = (space: Space, socket: EchoSocket | UdpSocket, wish: Socketed, what: Sent): Complaint | null => {
  const { parts } = space.plane
  const body = bodyFor(wish, socket.local.port, what, socket.remote?.port ?? 0)
  const sending = { ...sendingFor(socket, socket.local.ip, wish.to, body), broadcast: wish.broadcast }
  const errno = parts.send(space, sending)
  if (errno !== 'EMSGSIZE') return errno === null ? null : complaint(errno)
  const way = parts.wayOf(space, { ...optionsOf(wish), src: socket.local.ip, dst: wish.to })
  return complaint(errno, typeof way === 'string' ? null : way.mtu)
}

const send = (session: Session, held: SimSocket, what: Sent): Complaint | null =>
  onNow(session, ({ plane }) => {
    const space = spaceAt(plane, held)
    if (space === null) return complaint('ENODEV')
    if (held.proto === 'arp') {
      return what.proto === 'arp' ? sendArp(space, held, what) : complaint('EINVAL')
    }
    const socket = socketsOf(space).open.get(held.id)
    const { wish } = held
    if (socket === undefined) return complaint('EPIPE')
    if (socket.proto !== 'tcp') return sendDatagram(space, socket, wish, what)
    const errno = what.proto === 'tcp' ? writeTcp(space, socket, BYTES.encode(what.text)) : 'EINVAL'
    return errno === null ? null : complaint(errno)
  })

const hear = (session: Session, held: SimSocket, untilMs: number): ReadonlyArray<Heard> => {
  onNow(session, ({ go }) => go(untilMs, () => held.heard.length > 0))
  return held.heard.splice(0)
}

const shut = (session: Session, held: SimSocket): void =>
  onNow(session, ({ plane }) => {
    const space = spaceAt(plane, held)
    const socket = space === null || held.proto !== 'tcp' ? undefined : socketsOf(space).open.get(held.id)
    if (space !== null && socket?.proto === 'tcp') closeTcp(space, socket)
  })

const close = (session: Session, socket: number, held: SimSocket): void => {
  session.sockets.delete(socket)
  onNow(session, ({ plane }) => {
    const space = spaceAt(plane, held)
    if (space !== null) putAway(space, held)
  })
}

export const wireOf = (session: Session): Wire => {
  const held = (socket: number): SimSocket | undefined => session.sockets.get(socket)
  return {
    nowMs: () => now(() => session.now.fabric.nowMs),
    open: (ns, wish) => now(() => open(session, ns, wish)),
    send: (socket, what) =>
      now(() => {
        const one = held(socket)
        return one === undefined ? complaint('EPIPE') : send(session, one, what)
      }),
    hear: (socket, untilMs) =>
      now(() => {
        const one = held(socket)
        return one === undefined ? [] : hear(session, one, untilMs)
      }),
    shut: (socket) =>
      now(() => {
        const one = held(socket)
        if (one !== undefined) shut(session, one)
      }),
    close: (socket) =>
      now(() => {
        const one = held(socket)
        if (one !== undefined) close(session, socket, one)
      }),
  }
}

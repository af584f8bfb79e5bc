// A try (src/kernel/traffic.ts) in the simulation: what its sender is told, and what is seen of it at every device. It gives the same
// account as src/kernel-linux/traffic of the same try, so it looks at the same things: at packets as devices have them, tunnels
// looked into, and at what is delivered past all hooks.

import type { Account, Arrival, Crossing, Ending, Try } from '../../kernel/traffic.ts'
import type { Ns } from '../../net/name.ts'
import { valuesOf } from '../../net/pmap.ts'
import { absurd, E } from '../../prelude.ts'
import { runLinkwatch } from '../control/carrier.ts'
import { spaceOf as controlled, draftOf, linkOf, worldOf } from '../control/draft.ts'
import { holdTap } from '../control/tap.ts'
import type { World } from '../state.ts'
import type { Body } from '../wire/body.ts'
import type { Payload } from '../wire/ethernet.ts'
import type { Packet } from '../wire/nested.ts'
import { FLAG } from '../wire/tcp.ts'
import { decodeFrame } from '../wire/wire.ts'
import { receive, transmit } from './device.ts'
import { arriveBy } from './kind/plain.ts'
import { run } from './loop.ts'
import { deviceOf, type Host, type Parts, type Plane, type Space, spaceOf } from './plane.ts'
import { NO_META } from './skb.ts'
import { connectUdp, openEcho, openUdp, sendEcho, sendUdp } from './socket/datagram.ts'
import type { SocketErrno, SocketOptions } from './socket/entry.ts'
import { DEFAULTS } from './socket/entry.ts'
import { removeSocket, socketsOf } from './socket/table.ts'
import { closeTcp, connectTcp, listenTcp, readTcp, writeTcp } from './socket/tcp.ts'
import { stopListening } from './socket/tcp-listener.ts'
import type { Step } from './step.ts'
import { onWorld } from './world.ts'

export type Tried = Readonly<{ world: World; account: Account; steps: ReadonlyArray<Step> }>

type Raw = Extract<Try, { send: 'frame' | 'tap' }>
type Socketed = Exclude<Try, Raw>
type What = Crossing['what']

/** How long nothing of a try may be heard until it is over, or its sender has been told, and how long that waits at most. */
const QUIET_MS = 120
const AFTERWARDS_MS = 3
const PATIENCE_MS = 1000
const DEFAULT_PING = 56

/** The packet within all tunnels; null: none is there. */
const innermost = (payload: Payload): Packet | null => {
  if (payload.tag !== 'ip4' && payload.tag !== 'ip6') return null
  const { body } = payload
  return body.proto === 'udp' && 'tag' in body.payload ? innermost(body.payload.frame.payload) : payload
}

/** Server and client have ports that nothing else has, so any packet tells by one of them which way it goes, translated or not. */
const classifier = (attempt: Socketed, own: number) => {
  const there =
    attempt.send === 'ping' ? [] : [attempt.port, ...(attempt.listener === null ? [] : [attempt.listener.port])]
  const ofPorts = (sport: number, dport: number): What | null => {
    if (sport === own || there.some((port) => port === dport)) return 'request'
    return dport === own || there.some((port) => port === sport) ? 'answer' : null
  }
  const ofBody = (body: Body): What | null => {
    switch (body.proto) {
      case 'udp':
      case 'tcp':
        return body.proto === attempt.send ? ofPorts(body.sport, body.dport) : null
      case 'icmp':
      case 'icmp6':
        if ('about' in body) return ofBody(body.about.body) === null ? null : 'error'
        if (!('payload' in body) || attempt.send !== 'ping' || body.id !== own) return null
        return body.type === 'echo-reply' ? 'answer' : 'request'
      case 'head':
        return ofBody(body.of)
      case 'igmp':
      case 'raw':
        return null
    }
  }
  const ofPacket = (packet: Packet): What | null => {
    const inner = innermost(packet)
    return inner === null ? null : ofBody(inner.body)
  }
  return ofPacket
}

/** What has the addresses of a frame that was sent is that frame, wherever it comes by; others have packets of their own. */
const classifierOf = (sent: Packet | null) => {
  const classify = (packet: Packet): What | null => {
    const inner = innermost(packet)
    if (sent === null || inner === null) return null
    const { body, src, dst } = inner
    if ('about' in body) return classify(body.about) === null ? null : 'error'
    return src === sent.src && dst === sent.dst && protoOf(body) === protoOf(sent.body) ? 'frame' : null
  }
  return classify
}

/** Of a first fragment, that of what it is the beginning of. */
const protoOf = (body: Body): Body['proto'] => (body.proto === 'head' ? protoOf(body.of) : body.proto)

const isFirst = ({ body }: Packet): boolean => body.proto !== 'tcp' || (body.flags & (FLAG.SYN | FLAG.ACK)) === FLAG.SYN

/** Of a first piece, too. */
const portIn = (body: Body): number | null => {
  if (body.proto === 'head') return portIn(body.of)
  return body.proto === 'tcp' || body.proto === 'udp' ? body.dport : null
}

const keyOf = ({ ns, dev, way, what }: Crossing): string => `${ns} ${dev} ${way} ${what}`

/** What was seen of a try. */
const accountOf = (
  steps: ReadonlyArray<Step>,
  sender: Ns,
  ending: Ending,
  classify: (packet: Packet) => What | null,
): Account => {
  const crossings = new Map<string, Crossing>()
  const arrivals: Arrival[] = []
  let answer: Account['answer'] = null
  for (const { event, payload, ns, dev } of steps) {
    const packet = innermost(payload)
    const what = packet === null ? null : classify(packet)
    if (packet === null || what === null) continue
    if (dev !== null && (event.tag === 'transmitted' || event.tag === 'received')) {
      const crossing = { ns, dev, way: event.tag === 'received' ? 'in' : 'out', what } as const
      crossings.set(keyOf(crossing), crossing)
    }
    if (event.tag !== 'delivered') continue
    const { src: from, dst: to, ttl } = packet
    if (what === 'request' && isFirst(packet)) arrivals.push({ ns, from, to, port: portIn(packet.body), ttl })
    if (what === 'answer' && ns === sender) answer ??= { from, ttl }
  }
  const inOrder = [...crossings].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, crossing]) => crossing)
  return { ending, arrivals, answer, crossings: inOrder }
}

/** What the sender has been told, null while it waits; `go`: what its program does in between. `own`: its port, or an echo's id. */
type Sender = Readonly<{
  own: number
  go: () => void
  told: () => 'answered' | SocketErrno | null
  end: () => void
}>

const nothing = () => {}
const failed = (errno: SocketErrno): Sender => ({ own: 0, go: nothing, told: () => errno, end: nothing })

const optionsOf = ({ ttl, tos, df, mark, dev }: Socketed): SocketOptions => ({
  ttl: ttl ?? null,
  tos: tos ?? null,
  df: df ?? null,
  mark: mark ?? DEFAULTS.mark,
  dev: dev ?? null,
})

const ping = (space: Space, attempt: Extract<Try, { send: 'ping' }>): Sender => {
  const { to, from, size = DEFAULT_PING } = attempt
  const bytes = new Uint8Array(size)
  const socket = openEcho(space, to, from ?? null, optionsOf(attempt), bytes)
  if (typeof socket === 'string') return failed(socket)
  const errno = sendEcho(space, socket, to, 1, bytes)
  return {
    own: socket.local.port,
    go: nothing,
    told: () => errno ?? (socket.inbox.length > 0 ? 'answered' : socket.error),
    end: () => removeSocket(space, socket),
  }
}

type Connecting = Extract<Try, { send: 'udp' | 'tcp' }>

const udp = (space: Space, attempt: Connecting): Sender => {
  const { to, port, from, size = 0 } = attempt
  const end = { ip: to, port }
  const bytes = new Uint8Array(size)
  const socket = connectUdp(space, end, from ?? null, optionsOf(attempt), bytes)
  if (typeof socket === 'string') return failed(socket)
  const errno = sendUdp(space, socket, end, bytes)
  return {
    own: socket.local.port,
    go: nothing,
    told: () => errno ?? (socket.inbox.length > 0 ? 'answered' : socket.error),
    end: () => removeSocket(space, socket),
  }
}

const tcp = (space: Space, attempt: Connecting): Sender => {
  const { to, port, from, size = 0 } = attempt
  const socket = connectTcp(space, { ip: to, port }, from ?? null, optionsOf(attempt))
  if (typeof socket === 'string') return failed(socket)
  let [isWritten, heard] = [false, 0]
  return {
    own: socket.local.port,
    go: () => {
      if (!isWritten && socket.state === 'established') {
        isWritten = true
        if (size > 0) writeTcp(space, socket, new Uint8Array(size))
      }
      heard += readTcp(socket).length
    },
    told: () => socket.error ?? (isWritten && heard === size ? 'answered' : socket.soft),
    end: () => closeTcp(space, socket),
  }
}

const senderOf = (space: Space, attempt: Socketed): Sender => {
  switch (attempt.send) {
    case 'ping':
      return ping(space, attempt)
    case 'udp':
      return udp(space, attempt)
    case 'tcp':
      return tcp(space, attempt)
    default:
      return absurd(attempt, 'senderOf')
  }
}

/** An echo server for the time of the try; the way to close it again. */
const serve = (plane: Plane, host: Host, attempt: Socketed): (() => void) => {
  if (attempt.send === 'ping' || attempt.listener === null) return nothing
  const space = spaceOf(plane, host, attempt.listener.ns)
  if (space === null) return nothing
  const binding = { family: null, ip: null, port: attempt.listener.port, options: DEFAULTS }
  if (attempt.send === 'udp') {
    const socket = openUdp(space, binding, { tag: 'echo' })
    return typeof socket === 'string' ? nothing : () => removeSocket(space, socket)
  }
  const socket = listenTcp(space, binding, { tag: 'echo' })
  return typeof socket === 'string' ? nothing : () => stopListening(space, socket, 'with resets')
}

/** What devices have received at this moment, and nothing later. */
const settle = (plane: Plane) => run(plane, receive, plane.nowMs, () => true)

/** Lets the next thing happen. */
const happenNext = (plane: Plane) => {
  let isFirstLook = true
  run(plane, receive, Number.POSITIVE_INFINITY, () => {
    const isOver = !isFirstLook
    isFirstLook = false
    return isOver
  })
}

/** Goes on, the program acting on each thing that happens, until it is done, or there is nothing to come within a quiet while. */
const goOn = (plane: Plane, untilMs: number, act: () => boolean) => {
  for (;;) {
    settle(plane)
    const isDone = act()
    if (plane.taken < plane.backlog.length) continue
    const next = plane.pending[0]?.atMs ?? Number.POSITIVE_INFINITY
    if (isDone || next > Math.min(untilMs, plane.nowMs + QUIET_MS)) return
    happenNext(plane)
  }
}
const quietly = () => false

const endingOf = (told: 'answered' | SocketErrno | null): Ending => {
  if (told === null) return 'silence'
  return told === 'answered' ? told : { errno: told }
}

const ofSocket = (plane: Plane, host: Host, space: Space, attempt: Socketed, steps: Step[]): Account => {
  const untilMs = plane.nowMs + PATIENCE_MS
  const close = serve(plane, host, attempt)
  const sender = senderOf(space, attempt)
  goOn(plane, untilMs, () => {
    sender.go()
    return sender.told() !== null
  })
  const told = sender.told()
  goOn(plane, untilMs, quietly)
  const account = accountOf(steps, attempt.ns, endingOf(told), classifier(attempt, sender.own))
  plane.watch = null
  // Both programs end at once, whatever is to be sent again.
  sender.end()
  settle(plane)
  close()
  goOn(plane, untilMs, quietly)
  return account
}

const ofRaw = (plane: Plane, space: Space, { send, dev: name, bytes, ns }: Raw, steps: Step[]): Account => {
  const dev = deviceOf(space, name)
  const frame = decodeFrame(bytes)
  const refused = (errno: string): Account => accountOf(steps, ns, { errno }, () => 'frame')
  if (dev === null) return refused('ENODEV')
  if (send === 'tap' && dev.link.spec.type !== 'tap') return refused('EINVAL')
  if (!dev.link.up) return refused(send === 'tap' ? 'EIO' : 'ENETDOWN')
  if (E.isLeft(frame)) return refused('EINVAL')
  const skb = { frame: frame.right, meta: NO_META }
  let isSent = true
  if (send === 'tap') arriveBy(dev, skb)
  else isSent = transmit(dev, skb)
  goOn(plane, plane.nowMs + PATIENCE_MS, quietly)
  return accountOf(steps, ns, isSent ? 'sent' : { errno: 'ENOBUFS' }, classifierOf(innermost(frame.right.payload)))
}

const NOTHING: Account = { ending: 'silence', arrivals: [], answer: null, crossings: [] }

/** Lets a sender have a port that no sender of the host had before: what was sent by another try may still arrive. */
const leavePorts = (plane: Plane, host: Host, space: Space) => {
  const memory = socketsOf(space)
  for (const { ns, nextPort } of valuesOf(host.world.namespaces)) {
    const used = spaceOf(plane, host, ns)?.sockets?.nextPort ?? nextPort
    if (used > memory.nextPort) memory.nextPort = used
  }
}

/** From a host of an open plane, which has learned from it. A tap has its carrier from whoever opened that (`held`). */
export const tryOver = (plane: Plane, host: Host, attempt: Try): Omit<Tried, 'world'> => {
  const steps: Step[] = []
  const space = spaceOf(plane, host, attempt.ns)
  if (space === null) return { account: NOTHING, steps }
  leavePorts(plane, host, space)
  const watched = plane.watch
  plane.watch = (step) => steps.push(step)
  const account =
    attempt.send === 'frame' || attempt.send === 'tap'
      ? ofRaw(plane, space, attempt, steps)
      : ofSocket(plane, host, space, attempt, steps)
  plane.watch = watched
  run(plane, receive, plane.nowMs + (account.ending === 'silence' ? QUIET_MS : AFTERWARDS_MS))
  return { account, steps }
}

/** The world while the program at the other end of a tap holds it, or has let go. */
const held = (world: World, { ns, dev }: Raw, isHeld: boolean): World => {
  const draft = draftOf(world)
  const space = controlled(draft, ns)
  if (space === null || linkOf(space, dev)?.spec.type !== 'tap') return world
  holdTap(space, dev, isHeld)
  runLinkwatch(draft)
  return worldOf(draft)
}

/** The world that comes back has learned from the try. */
export const runTry = (parts: Parts, world: World, attempt: Try): Tried => {
  const isTap = attempt.send === 'tap'
  const before = isTap ? held(world, attempt, true) : world
  const { world: after, result } = onWorld(parts, before, (plane, host) => tryOver(plane, host, attempt))
  return { world: isTap ? held(after, attempt, false) : after, ...result }
}

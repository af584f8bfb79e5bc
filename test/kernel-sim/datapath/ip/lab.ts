// IP and the devices below it: worlds made of requests, with programs that send one echo request or datagram and note what they
// hear. There are no sockets and no hooks.

import type { Ask, Request } from '../../../../src/kernel/rtnl/request.ts'
import type { SysctlName } from '../../../../src/kernel/sysctl.ts'
import type { Account, Arrival, Crossing, Ending, Try } from '../../../../src/kernel/traffic.ts'
import { askWorld } from '../../../../src/kernel-sim/control.ts'
import { receive } from '../../../../src/kernel-sim/datapath/device.ts'
import { closeIp } from '../../../../src/kernel-sim/datapath/ip/close.ts'
import { isWay, meantBy, wayOut } from '../../../../src/kernel-sim/datapath/ip/fib.ts'
import { ipHappenings, ipParts } from '../../../../src/kernel-sim/datapath/ip/ip.ts'
import { isBroadcast, typeOf } from '../../../../src/kernel-sim/datapath/ip/lookup.ts'
import { KINDS } from '../../../../src/kernel-sim/datapath/kind/kinds.ts'
import { run } from '../../../../src/kernel-sim/datapath/loop.ts'
import {
  type Device,
  deviceOf,
  type Parts,
  type Plane,
  type Space,
  spaceOf,
} from '../../../../src/kernel-sim/datapath/plane.ts'
import type { Held } from '../../../../src/kernel-sim/datapath/skb.ts'
import { mtuIn } from '../../../../src/kernel-sim/datapath/socket/error.ts'
import type { Step } from '../../../../src/kernel-sim/datapath/step.ts'
import { onWorld } from '../../../../src/kernel-sim/datapath/world.ts'
import { EMPTY_WORLD, type World } from '../../../../src/kernel-sim/state.ts'
import type { Body } from '../../../../src/kernel-sim/wire/body.ts'
import type { Frame } from '../../../../src/kernel-sim/wire/ethernet.ts'
import type { Packet } from '../../../../src/kernel-sim/wire/nested.ts'
import { type Ip, ip, isIp4, isMulticast } from '../../../../src/net/ip.ts'
import { ifName, LO, type Ns, ns } from '../../../../src/net/name.ts'
import { getIn } from '../../../../src/net/pmap.ts'
import { has, macOf, route, set, up } from '../../control/story.ts'

export const at = (space: string, ask: Ask): Request => ({ ns: ns(space), ask })

const numberOf = (space: string): number => space.charCodeAt(0) - 96
/** MACs tell whose they are: the namespace's letter and a number. */
const macIn = (space: string, dev: string) => macOf(numberOf(space) * 256 + dev.charCodeAt(dev.length - 1))

/** Addresses of IPv6 are in use at once there. */
export const spaces = (...names: ReadonlyArray<string>): ReadonlyArray<Request> =>
  names.flatMap((name) => [
    at(name, { on: 'netns', do: 'add' }),
    sysctl(name, 'net.ipv6.conf.default.accept_dad', 0),
    at(name, up(LO)),
  ])

/** A veth between two namespaces, both ends up. */
export const wire = (a: string, devA: string, b: string, devB: string): ReadonlyArray<Request> => [
  at(a, {
    on: 'link',
    do: 'add',
    name: ifName(devA),
    mac: macIn(a, devA),
    kind: { kind: 'veth', peer: { name: ifName(devB), ns: ns(b), mac: macIn(b, devB) } },
  }),
  at(a, up(devA)),
  at(b, up(devB)),
]

export const on = (space: string, dev: string, ...cidrs: ReadonlyArray<string>): ReadonlyArray<Request> =>
  cidrs.map((text) => at(space, has(dev, text, text.includes(':') ? { nodad: true } : {})))

export const sysctl = (space: string, name: string, value: number): Request =>
  // Cast: the kernel says whether there is such a one.
  at(space, { on: 'sysctl', do: 'write', name: name as SysctlName, value: String(value) })

export const via = (space: string, to: string, gateway: string, more: Parameters<typeof route>[1] = {}): Request =>
  at(space, route(to, { via: gateway, ...more }))

export const forwards = (space: string): ReadonlyArray<Request> => [
  sysctl(space, 'net.ipv4.ip_forward', 1),
  sysctl(space, 'net.ipv6.conf.all.forwarding', 1),
]

export const mtu = (space: string, dev: string, bytes: number): Request => at(space, set(dev, { mtu: bytes }))

/** The world after requests that must all be taken. */
export const worldOf = (requests: ReadonlyArray<Request>, from: World = EMPTY_WORLD): World =>
  requests.reduce((world, request) => {
    const { world: next, errno } = askWorld(world, request)
    if (errno !== null)
      throw new Error(`${errno}: ${JSON.stringify(request, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`)
    return next
  }, from)

const never = (): never => {
  throw new Error('no such device here')
}

type Hooks = Readonly<Partial<Pick<Parts, 'pass' | 'passFrame' | 'deliver'>>>

export const partsWith = (deliver: Parts['deliver'], hooks: Hooks = {}): Parts => ({
  ...ipParts,
  ...KINDS,
  transmit: { ...KINDS.transmit, nic: never },
  deliver,
  isExpected: () => false,
  pass: (_space, _at, held) => held,
  passFrame: (_space, _at, skb) => skb,
  close: [closeIp],
  happen: { ...ipHappenings, arrival: never, socket: never },
  ...hooks,
})

const ID = 4242
const SERVER = 7

const bodyOf = (attempt: Exclude<Try, { send: 'frame' | 'tap' }>): Body => {
  const payload = new Uint8Array(attempt.size ?? (attempt.send === 'ping' ? 56 : 0))
  if (attempt.send === 'udp') return { proto: 'udp', sport: ID, dport: attempt.port, checked: true, payload }
  return { proto: isIp4(attempt.to) ? 'icmp' : 'icmp6', type: 'echo-request', id: ID, seq: 1, payload }
}

type What = Crossing['what']

const whatOf = ({ body }: Packet): What | null => {
  if ('about' in body) {
    const inner = whatOf(body.about)
    return inner === null ? null : 'error'
  }
  const of = body.proto === 'head' ? body.of : body
  if (of.proto === 'udp') return of.sport === ID ? 'request' : of.dport === ID ? 'answer' : null
  if ((of.proto === 'icmp' || of.proto === 'icmp6') && (of.type === 'echo-request' || of.type === 'echo-reply'))
    return of.type === 'echo-request' ? 'request' : 'answer'
  return null
}

/** icmp_err_convert, icmpv6_err_convert, as far as a ping that asks for errors is told. */
const errnoOf = ({ body }: Packet): string | null => {
  if (!('about' in body)) return null
  switch (body.type) {
    case 'unreachable':
      switch (body.code) {
        case 'net':
        case 'no-route':
          return 'ENETUNREACH'
        case 'port':
          return 'ECONNREFUSED'
        case 'fragmentation-needed':
          return 'EMSGSIZE'
        case 'protocol':
          return 'ENOPROTOOPT'
        default:
          return body.proto === 'icmp6' && body.code === 'admin-prohibited' ? 'EACCES' : 'EHOSTUNREACH'
      }
    case 'packet-too-big':
      return 'EMSGSIZE'
    case 'time-exceeded':
      return 'EHOSTUNREACH'
    default:
      return null
  }
}

export type Seen = Readonly<{
  world: World
  account: Account
  steps: ReadonlyArray<Step>
  delivered: ReadonlyArray<Held>
}>

/** What happens within a time (default: a second), in a world of this part only. */
export const attemptIn = (
  world: World,
  attempt: Exclude<Try, { send: 'frame' | 'tap' }>,
  { forMs = 1000, hooks = {} }: Readonly<{ forMs?: number; hooks?: Hooks }> = {},
): Seen => {
  const steps: Step[] = []
  const arrivals: Arrival[] = []
  const delivered: Held[] = []
  const isIn = { ending: null as Ending | null }
  let answer: Account['answer'] = null
  let peer: Ip = attempt.to

  const reply = (space: Space, dev: Device, { packet }: Held, body: Body): void => {
    const isOurs = typeOf(space.entry, packet.dst) === 'local' || packet.dst === (1n as Ip)
    const src = isOurs || (isIp4(packet.dst) && !isMulticast(packet.dst)) ? packet.dst : null
    const bound = isIp4(packet.dst) ? {} : { dev: dev.name }
    const scoped = !isIp4(packet.src) && packet.src >> 118n === 0x3fan ? bound : {}
    space.plane.parts.send(space, {
      src,
      dst: packet.src,
      body,
      df: body.proto === 'udp' ? undefined : false,
      ...scoped,
    } as never)
  }
  const deliver = (space: Space, dev: Device, held: Held): void => {
    const { packet } = held
    const { body, src: from, dst: to, ttl } = packet
    delivered.push(held)
    const mtu = 'about' in body ? mtuIn(body) : null
    if ('about' in body && mtu !== null) space.plane.parts.noteTooBig(dev, body.about, mtu, { dev: null, mark: 0 })
    const what = whatOf(packet)
    if (what === 'request')
      arrivals.push({ ns: space.ns, from, to, port: body.proto === 'udp' ? body.dport : null, ttl })
    if (what === 'answer' && space.ns === attempt.ns) {
      answer ??= { from, ttl }
      if (from === peer) isIn.ending ??= 'answered'
    }
    if (what === 'error' && space.ns === attempt.ns) {
      const errno = errnoOf(packet)
      // icmp_err_convert: what no connection survives is told to any socket.
      const isFatal =
        errno === 'ECONNREFUSED' || ('code' in body && body.code === 'admin-prohibited' && body.proto === 'icmp')
      const isTold = attempt.send === 'ping' || isFatal
      if (errno !== null && isTold) isIn.ending ??= { errno }
    }
    if (what !== 'request') return
    if (body.proto === 'udp') {
      if (attempt.send === 'udp' && attempt.listener?.ns === space.ns)
        reply(space, dev, held, { ...body, sport: body.dport, dport: body.sport })
      else space.plane.parts.sendError(space, dev, held, { tag: 'unreachable', code: 'port' })
    } else if (isIp4(to) && (isMulticast(to) || isBroadcast(space.entry, to))) return
    else if ((body.proto === 'icmp' || body.proto === 'icmp6') && body.type === 'echo-request')
      reply(space, dev, held, { ...body, type: 'echo-reply' } as Body)
  }

  const { world: after } = onWorld(partsWith(deliver, hooks), world, (plane, host) => {
    plane.watch = (step) => steps.push(step)
    const space = spaceOf(plane, host, attempt.ns)
    if (space === null) throw new Error('no such namespace')
    const { to, from, dev, ttl, tos, df, mark } = attempt
    const device = dev === undefined ? null : deviceOf(space, dev)
    peer = meantBy(space, to, from ?? null, device)
    // A socket that is connected has its source from then on.
    const wanted = { dst: peer, src: from ?? null, dev: device, tos: tos ?? 0, mark: mark ?? 0, foreign: false }
    const way = wayOut(space, wanted)
    const errno = plane.parts.send(space, {
      src: from ?? (isWay(way) ? way.source : null),
      dst: to,
      body: bodyOf(attempt),
      ...(dev === undefined ? {} : { dev }),
      ...(ttl === undefined ? {} : { ttl }),
      ...(tos === undefined ? {} : { tos }),
      ...(df === undefined ? {} : { df }),
      ...(mark === undefined ? {} : { mark }),
    })
    if (errno !== null) isIn.ending ??= { errno }
    run(plane, receive, plane.nowMs + forMs)
  })
  const crossings = new Map<string, Crossing>()
  for (const { ns: where, dev, event, payload } of steps) {
    if ((event.tag !== 'transmitted' && event.tag !== 'received') || dev === null) continue
    const what = payload.tag === 'ip4' || payload.tag === 'ip6' ? whatOf(payload) : null
    if (what === null) continue
    const way = event.tag === 'transmitted' ? 'out' : 'in'
    crossings.set(`${where} ${dev} ${way} ${what}`, { ns: where, dev, way, what })
  }
  const account: Account = {
    ending: isIn.ending ?? 'silence',
    arrivals,
    answer,
    crossings: [...crossings].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, crossing]) => crossing),
  }
  return { world: after, account, steps, delivered }
}

/** Lets a plane live over a world, for what is not a try. */
export const inPlane = (
  world: World,
  space: string,
  act: (space: Space, plane: Plane) => void,
  {
    forMs = 1000,
    deliver = () => {},
    hooks = {},
  }: Readonly<{ forMs?: number; deliver?: Parts['deliver']; hooks?: Hooks }> = {},
): Readonly<{ world: World; steps: ReadonlyArray<Step> }> => {
  const steps: Step[] = []
  const { world: after } = onWorld(partsWith(deliver, hooks), world, (plane, host) => {
    plane.watch = (step) => steps.push(step)
    const opened = spaceOf(plane, host, ns(space))
    if (opened === null) throw new Error('no such namespace')
    act(opened, plane)
    run(plane, receive, plane.nowMs + forMs)
  })
  return { world: after, steps }
}

export const ping = (
  space: string,
  to: string,
  more: Partial<Omit<Extract<Try, { send: 'ping' }>, 'send' | 'ns' | 'to'>> = {},
) => ({ send: 'ping', ns: ns(space), to: ip(to), ...more }) as const

export const udp = (
  space: string,
  to: string,
  more: Partial<Omit<Extract<Try, { send: 'udp' | 'tcp' }>, 'send' | 'ns' | 'to'>> = {},
) => ({ send: 'udp', ns: ns(space), to: ip(to), port: SERVER as never, listener: null, ...more }) as const

/** The frames that a device sent, in order. */
export const sentBy = (steps: ReadonlyArray<Step>, space: string, dev: string): ReadonlyArray<Frame> =>
  steps.flatMap(({ ns: where, dev: by, event, frame }) =>
    where === space && by === dev && event.tag === 'transmitted' && frame !== null ? [frame] : [],
  )

export const neighboursIn = (world: World, space: string) => getIn(world.namespaces, ns(space) as Ns)?.neighbours
export type { Ip }

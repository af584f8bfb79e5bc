// Who has the next hop's address: the neighbours of a namespace's devices, each a small state machine in virtual time, and the
// packets that wait for an answer. What the control plane or an earlier plane knew (NsEntry.neighbours) is where each begins.
// Times are Linux's without its jitter; a neighbour that was confirmed is reachable for 30 s and stale from then on, which is
// found when somebody looks, so only questions need a timer.
// Sources: net/core/neighbour.c (neigh_timer_handler, __neigh_event_send, __neigh_update), net/ipv4/arp.c (arp_constructor),
// net/ipv6/ndisc.c (ndisc_constructor), Documentation/networking/ip-sysctl.rst (neigh/default).

import { type Ip, ip4, isIp4, isMulticast } from '../../../net/ip.ts'
import { BROADCAST, type Mac, mac, macOfGroup6, ZERO_MAC } from '../../../net/mac.ts'
import { getIn } from '../../../net/pmap.ts'
import type { Spec } from '../../link-entry.ts'
import type { NeighbourEntry } from '../../state.ts'
import { frame } from '../../wire/ethernet.ts'
import type { Packet } from '../../wire/nested.ts'
import { transmit } from '../device.ts'
import { after } from '../loop.ts'
import { belowOf, type Device, deviceOf, type Happening, type Plane, type Space, spaceOf } from '../plane.ts'
import type { Held } from '../skb.ts'
import { drop } from '../step.ts'
import { typeOf } from './lookup.ts'
import { solicit } from './solicit.ts'

export const REACHABLE_MS = 30_000
/** How long a neighbour of old is used before it is asked (delay_first_probe_time). */
const DELAY_MS = 5_000
/** Between two questions (retrans_time), of which there are three (ucast_solicit, mcast_solicit). */
const RETRANS_MS = 1_000
const PROBES = 3
/** From one answer to another that says otherwise, the first one counts (locktime). */
export const LOCK_MS = 1_000
/** Packets that wait for one neighbour; of more the oldest is lost. Linux counts bytes: 212992, which are 101 full ones. */
const QUEUE = 101

/** `none`: nobody has asked yet. `delay`, `probe`: an old MAC, still in use; it will be, or is being asked. */
export type State = 'none' | 'incomplete' | 'reachable' | 'stale' | 'delay' | 'probe' | 'failed' | 'permanent' | 'noarp'

/** A packet that waits, and by which device it came in; null for one of our own. */
type Waiting = Readonly<{ held: Held; iif: Device | null }>

/** `implicit`: its MAC follows from its address or its device, and nobody need know of it. `dueMs`: when its timer is. */
export type Neighbour = {
  readonly dev: Device
  readonly ip: Ip
  readonly implicit: boolean
  readonly was: NeighbourEntry | null
  state: State
  mac: Mac
  confirmedMs: number
  updatedMs: number
  probes: number
  dueMs: number
  router: boolean
  readonly waiting: Waiting[]
}

export type NeighbourMemory = { readonly known: Map<Device, Map<Ip, Neighbour>> }

const memoryOf = (space: Space): NeighbourMemory => {
  if (space.neighbours === null) space.neighbours = { known: new Map() }
  return space.neighbours
}

export const keyOf = (dev: Device, ip: Ip): string => `${dev.name} ${ip}`

const SLEEP = Number.POSITIVE_INFINITY

const VALID: ReadonlySet<State> = new Set(['reachable', 'stale', 'delay', 'probe', 'permanent', 'noarp'])
/** Whether its MAC may be used. */
export const isValid = ({ state }: Neighbour): boolean => VALID.has(state)

/** Whether it is without doubt. */
export const isConnected = (neighbour: Neighbour): boolean => {
  const state = seenState(neighbour)
  return state === 'reachable' || state === 'permanent' || state === 'noarp'
}

/** IFF_NOARP: a dummy, an ipvlan that leaves it to the stack below, a VLAN on one of these. */
const hasNoArp = (dev: Device): boolean => {
  const { spec } = dev.link
  if (spec.type === 'vlan') {
    const below = belowOf(dev)
    return below !== null && hasNoArp(below)
  }
  return spec.type === 'dummy' || (spec.type === 'ipvlan' && spec.mode !== 'l2')
}

/** The MAC that an address has without anybody's being asked; null if it has none. */
const impliedMac = (dev: Device, ip: Ip): Mac | null => {
  const { link, space } = dev
  if (isMulticast(ip)) return isIp4(ip) ? mac(0x01005e * 2 ** 24 + (ip & 0x7fffff)) : macOfGroup6(ip)
  if (link.spec.type === 'loopback' || hasNoArp(dev)) return link.mac
  return isIp4(ip) && typeOf(space.entry, ip) === 'broadcast' ? BROADCAST : null
}

/** What was being asked when an earlier plane was closed, unless it was set by hand since. */
const askingOf = ({ asking, set }: NeighbourEntry): NeighbourEntry['asking'] =>
  set === (asking?.state === 'incomplete' ? 'none' : 'stale') ? asking : undefined

const stateOf = (was: NeighbourEntry): State => askingOf(was)?.state ?? was.set ?? 'reachable'

const waitingOf = ({ space }: Device, was: NeighbourEntry): Waiting[] =>
  (askingOf(was)?.waiting ?? []).map(({ held, iif }) => ({ held, iif: iif === null ? null : deviceOf(space, iif) }))

/** When one was confirmed that never was. */
const longAgo = (nowMs: number): number => nowMs - 2 * REACHABLE_MS

const neighbourFrom = (dev: Device, ip: Ip, was: NeighbourEntry | null): Neighbour => {
  const implied = was === null ? impliedMac(dev, ip) : null
  const asking = was === null ? undefined : askingOf(was)
  return {
    dev,
    ip,
    implicit: implied !== null,
    was,
    state: implied !== null ? 'noarp' : was === null ? 'none' : stateOf(was),
    mac: implied ?? was?.mac ?? ZERO_MAC,
    confirmedMs: was === null ? longAgo(dev.space.plane.nowMs) : was.set === 'stale' ? longAgo(was.seenMs) : was.seenMs,
    updatedMs: was?.seenMs ?? dev.space.plane.nowMs,
    probes: asking?.probes ?? 0,
    dueMs: asking?.dueMs ?? SLEEP,
    router: false,
    waiting: was === null ? [] : waitingOf(dev, was),
  }
}

/** IPv4 has one neighbour for all of a loopback device (__ipv4_neigh_lookup_noref). */
const placeOf = ({ link }: Device, ip: Ip): Ip => (isIp4(ip) && link.spec.type === 'loopback' ? ip4(0) : ip)

/** The neighbour of this address, if anybody has ever asked or told. */
export const knownNeighbour = (dev: Device, address: Ip): Neighbour | null => {
  const ip = placeOf(dev, address)
  const { known } = memoryOf(dev.space)
  const open = known.get(dev)?.get(ip)
  if (open !== undefined) return open
  const was = getIn(dev.space.entry.neighbours, keyOf(dev, ip))
  return was === undefined ? null : put(dev, neighbourFrom(dev, ip, was))
}

const put = (dev: Device, neighbour: Neighbour): Neighbour => {
  const { known } = memoryOf(dev.space)
  const here = known.get(dev)
  if (here === undefined) known.set(dev, new Map([[neighbour.ip, neighbour]]))
  else here.set(neighbour.ip, neighbour)
  return neighbour
}

export const neighbourOf = (dev: Device, ip: Ip): Neighbour =>
  knownNeighbour(dev, ip) ?? put(dev, neighbourFrom(dev, placeOf(dev, ip), null))

/** What sends by other devices, and lets them know what IP wanted (netif_keep_dst). */
const KEEPS_DST: ReadonlySet<Spec['type']> = new Set(['bridge', 'vxlan', 'macvlan', 'vlan'])

const send = (neighbour: Neighbour, { packet, meta }: Held): boolean => {
  const { dev, mac: to } = neighbour
  const made = frame(dev.link.mac, to, packet)
  return transmit(
    dev,
    KEEPS_DST.has(dev.link.spec.type) ? { frame: made, meta, dst: neighbour } : { frame: made, meta },
  )
}

const wake = (neighbour: Neighbour, delayMs: number) => {
  const { dev, ip } = neighbour
  const { plane, host, ns } = dev.space
  neighbour.dueMs = plane.nowMs + delayMs
  after(plane, delayMs, { what: 'neighbour', at: { host: host.name, ns, name: dev.name }, ip })
}

const enter = (neighbour: Neighbour, state: State) => {
  neighbour.state = state
  neighbour.updatedMs = neighbour.dev.space.plane.nowMs
  neighbour.dueMs = SLEEP
}

/** What the newest of the waiting packets is: its source is what we ask from. */
const newest = ({ waiting }: Neighbour): Packet | null => waiting.at(-1)?.held.packet ?? null

/** Asks: the old MAC if there is one that is in doubt, else everybody. */
const ask = (neighbour: Neighbour) => {
  const { dev, ip, state, mac: old } = neighbour
  neighbour.probes += 1
  wake(neighbour, RETRANS_MS)
  solicit(dev, ip, state === 'probe' ? old : null, newest(neighbour))
}

const wait = ({ waiting, dev, ip }: Neighbour, one: Waiting) => {
  if (waiting.length >= QUEUE) {
    const lost = waiting.shift()
    if (lost !== undefined)
      drop(dev.space, dev, 'neighbour', lost.held.packet, { tag: 'no-neighbour', ip, dev: dev.name })
  }
  waiting.push(one)
}

/** Sends a packet to a neighbour, or lets it wait there. `iif`: by which device it came in. False: the device's driver has lost it. */
export const sendTo = (neighbour: Neighbour, held: Held, iif: Device | null): boolean => {
  switch (neighbour.state) {
    case 'reachable':
      if (neighbour.dev.space.plane.nowMs - neighbour.confirmedMs <= REACHABLE_MS) return send(neighbour, held)
      enter(neighbour, 'delay')
      wake(neighbour, DELAY_MS)
      return send(neighbour, held)
    case 'stale':
      enter(neighbour, 'delay')
      wake(neighbour, DELAY_MS)
      return send(neighbour, held)
    case 'permanent':
    case 'noarp':
    case 'delay':
    case 'probe':
      return send(neighbour, held)
    case 'incomplete':
      wait(neighbour, { held, iif })
      return true
    case 'none':
    case 'failed':
      wait(neighbour, { held, iif })
      seek(neighbour)
      return true
  }
}

const seek = (neighbour: Neighbour) => {
  enter(neighbour, 'incomplete')
  neighbour.probes = 0
  ask(neighbour)
}

/** Asks for the MAC of whom nobody needs yet, unless it is known or being asked for (neigh_event_send without a packet). */
export const prepare = (neighbour: Neighbour) => {
  if (neighbour.state === 'none' || neighbour.state === 'failed') seek(neighbour)
}

/** Nobody has answered: whoever sent what waits is told. */
const fail = (neighbour: Neighbour) => {
  const { dev, ip, waiting } = neighbour
  const { space, link } = dev
  const isOurs = (to: Ip): boolean => link.spec.type === 'loopback' && typeOf(space.entry, to) === 'local'
  enter(neighbour, 'failed')
  for (const { held, iif } of waiting.splice(0)) {
    drop(space, dev, 'neighbour', held.packet, { tag: 'no-neighbour', ip, dev: dev.name })
    space.plane.parts.sendError(space, iif, held, { tag: 'unreachable', code: 'host' }, !isOurs(held.packet.dst))
  }
}

/** A neighbour's timer (neigh_timer_handler). */
const onTimer = (neighbour: Neighbour) => {
  const { plane } = neighbour.dev.space
  if (neighbour.state === 'delay') {
    if (plane.nowMs - neighbour.confirmedMs <= DELAY_MS) return enter(neighbour, 'reachable')
    enter(neighbour, 'probe')
    neighbour.probes = 0
    return ask(neighbour)
  }
  if (neighbour.state !== 'incomplete' && neighbour.state !== 'probe') return
  if (neighbour.probes >= PROBES) fail(neighbour)
  else ask(neighbour)
}

export const neighbourDue = (plane: Plane, { at, ip }: Extract<Happening, { what: 'neighbour' }>) => {
  const host = plane.hosts.get(at.host)
  const space = host === undefined ? null : spaceOf(plane, host, at.ns)
  const dev = space === null ? null : deviceOf(space, at.name)
  const neighbour = dev === null ? null : knownNeighbour(dev, ip)
  if (neighbour !== null && plane.nowMs >= neighbour.dueMs) onTimer(neighbour)
}

/** `override`: another MAC takes the old one's place; `weak`: else it puts a reachable one in doubt. `router`: null, not said. */
export type News = Readonly<{
  mac: Mac | null
  state: 'reachable' | 'stale'
  override: boolean
  weak: boolean
  router: boolean | null
}>

/** What was reachable, and was not confirmed for long, is stale. */
const seenState = ({ state, confirmedMs, dev }: Neighbour): State =>
  state === 'reachable' && dev.space.plane.nowMs - confirmedMs > REACHABLE_MS ? 'stale' : state

/** The state after news; null if they change nothing. */
const stateAfter = (old: State, news: News, isNew: boolean): Readonly<{ state: State; keepsMac: boolean }> | null => {
  if (!VALID.has(old)) return { state: news.state, keepsMac: false }
  if (isNew && !news.override) return news.weak && old === 'reachable' ? { state: 'stale', keepsMac: true } : null
  return { state: !isNew && news.state === 'stale' ? old : news.state, keepsMac: !isNew }
}

/** A neighbour has said something (__neigh_update); what waited for that is sent. */
export const learn = (neighbour: Neighbour, news: News) => {
  const { plane } = neighbour.dev.space
  const old = seenState(neighbour)
  if (neighbour.implicit || old === 'permanent' || old === 'noarp') return
  const wasValid = VALID.has(old)
  const told = news.mac ?? (wasValid ? neighbour.mac : null)
  if (told === null) return
  if (news.state === 'reachable') neighbour.confirmedMs = plane.nowMs
  const isNew = wasValid && told !== neighbour.mac
  const next = stateAfter(old, news, isNew)
  if (next === null) return
  if (next.state !== neighbour.state) enter(neighbour, next.state)
  if (!next.keepsMac && told !== neighbour.mac) {
    neighbour.mac = told
    neighbour.updatedMs = plane.nowMs
    if (next.state !== 'reachable') neighbour.confirmedMs = longAgo(plane.nowMs)
  }
  if (news.router !== null && (!isNew || news.override)) neighbour.router = news.router
  if (!wasValid) for (const { held, iif } of neighbour.waiting.splice(0)) sendTo(neighbour, held, iif)
}

/** Sends a packet to its next hop by a device, at once or when its MAC is known. */
export const output = (dev: Device, next: Ip, held: Held): void => {
  sendTo(neighbourOf(dev, next), held, null)
}

/** What is to be known of a neighbour that is being asked, or is in doubt. */
const askingIn = ({ state, probes, dueMs, waiting }: Neighbour): NeighbourEntry['asking'] =>
  state === 'incomplete' || state === 'delay' || state === 'probe'
    ? { state, probes, dueMs, waiting: waiting.map(({ held, iif }) => ({ held, iif: iif?.name ?? null })) }
    : undefined

type Told = Pick<NeighbourEntry, 'mac' | 'seenMs' | 'set'>

const toldOf = ({ state, was, mac: at, confirmedMs, updatedMs }: Neighbour): Told | null => {
  switch (state) {
    case 'none':
    case 'permanent':
    case 'noarp':
      return was
    case 'reachable':
      return {
        mac: at,
        seenMs: confirmedMs,
        set: was?.set === 'reachable' && was.seenMs === confirmedMs ? was.set : null,
      }
    case 'stale':
    case 'delay':
    case 'probe':
      return { mac: at, seenMs: updatedMs, set: 'stale' }
    case 'failed':
      return { mac: null, seenMs: updatedMs, set: 'failed' }
    case 'incomplete':
      return { mac: null, seenMs: updatedMs, set: 'none' }
  }
}

const isSame = (was: NeighbourEntry, { mac: at, seenMs, set }: Told): boolean =>
  was.mac === at && was.set === set && was.seenMs === seenMs

/** The entry that stands for a neighbour once the plane is closed; null for what nobody need know of. */
export const entryFrom = (neighbour: Neighbour): NeighbourEntry | null => {
  const { ip, dev, implicit, was } = neighbour
  const told = implicit ? null : toldOf(neighbour)
  if (told === null || told === was) return was
  const asking = askingIn(neighbour)
  if (asking !== undefined) return { ip, dev: dev.name, ...told, asking }
  return was !== null && was.asking === undefined && isSame(was, told)
    ? was
    : { ip, dev: dev.name, mac: told.mac, seenMs: told.seenMs, set: told.set }
}

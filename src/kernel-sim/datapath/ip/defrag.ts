// Pieces of packets that wait for the rest: 30 s for IPv4, 60 s for IPv6. If the first one was among them, its sender is told when
// that is over. What conntrack puts together before routing is kept apart from what was delivered in pieces. Pieces do
// not outlive the plane.
// Sources: net/ipv4/ip_fragment.c (ip_expire), net/ipv6/reassembly.c, net/ipv6/netfilter/nf_conntrack_reasm.c.

import { type PMap, valuesOf } from '../../../net/pmap.ts'
import { E } from '../../../prelude.ts'
import type { LinkEntry } from '../../link-entry.ts'
import { memoisedByShape } from '../../memo.ts'
import { protocolOf } from '../../wire/body.ts'
import type { Packet } from '../../wire/nested.ts'
import { arrive, EMPTY_QUEUE, finish, isFragment, type Queue, type ReassemblyError } from '../../wire/reassemble.ts'
import { VXLAN_PORTS } from '../../wire/vxlan.ts'
import { after } from '../loop.ts'
import { type Device, type Happening, type Plane, type Space, spaceOf } from '../plane.ts'
import type { Held } from '../skb.ts'
import { type DropReason, drop, note } from '../step.ts'
import { typeOf } from './lookup.ts'

/** Who puts together: the end of a packet's way, or conntrack on it. */
export type Defragmenter = 'local' | 'conntrack'

type Waiting = {
  queue: Queue
  readonly dev: Device | null
  readonly held: Held
  readonly dueMs: number
  readonly by: Defragmenter
}
export type FragmentMemory = { readonly queues: Map<string, Waiting> }

const TIMEOUT_MS = { ip4: 30_000, ip6: 60_000 } as const

const keyOf = ({ tag, src, dst, ...packet }: Packet, by: Defragmenter): string => {
  if (tag === 'ip4' && 'id' in packet) return `${by} ${src} ${dst} ${packet.id} ${protocolOf(packet.body)}`
  return `${by} ${src} ${dst} ${'fragment' in packet ? (packet.fragment?.id ?? 0) : 0}`
}

/** Where frames are looked for in datagrams: the usual ports, and those of this namespace's VXLAN devices. */
const vxlanPorts = memoisedByShape((links: PMap<LinkEntry>): ReadonlySet<number> => {
  const ports = new Set(VXLAN_PORTS)
  for (const { spec } of valuesOf(links)) if (spec.type === 'vxlan') ports.add(spec.port)
  return ports
})

const memoryOf = (space: Space): FragmentMemory => {
  if (space.fragments === null) space.fragments = { queues: new Map() }
  return space.fragments
}

const wait = (space: Space, dev: Device | null, held: Held, by: Defragmenter, key: string, queue: Queue): void => {
  const { queues } = memoryOf(space)
  const known = queues.get(key)
  if (known !== undefined) {
    known.queue = queue
    return
  }
  const { plane, host, ns } = space
  const delayMs = TIMEOUT_MS[held.packet.tag]
  queues.set(key, { queue, dev, held, dueMs: plane.nowMs + delayMs, by })
  after(plane, delayMs, { what: 'reassembly', host: host.name, ns, key })
}

const reasonOf = ({ tag }: ReassemblyError): DropReason => ({
  tag: 'fragment',
  why: tag === 'overlap' ? 'overlap' : 'malformed',
})

/** Whether the other pieces are lost with this one. */
const endsAll = ({ tag }: ReassemblyError): boolean => tag === 'overlap' || tag === 'corrupt'

const lose = (space: Space, dev: Device | null, { packet }: Held, error: ReassemblyError): null => {
  drop(space, dev, 'ip', packet, reasonOf(error))
  return null
}

/** The whole packet that a piece was the last of; null while others are missing, or if there will be none. */
const join = (space: Space, dev: Device | null, held: Held, by: Defragmenter): Held | null => {
  const { queues } = memoryOf(space)
  const key = keyOf(held.packet, by)
  const arrived = arrive(queues.get(key)?.queue ?? EMPTY_QUEUE, held.packet)
  if (E.isLeft(arrived)) {
    if (endsAll(arrived.left)) queues.delete(key)
    return lose(space, dev, held, arrived.left)
  }
  const queue = arrived.right
  const whole = finish(queue, { vxlanPorts: vxlanPorts(space.entry.links) })
  if (E.isLeft(whole)) {
    if (whole.left.tag === 'incomplete') {
      wait(space, dev, held, by, key, queue)
      return null
    }
    queues.delete(key)
    return lose(space, dev, held, whole.left)
  }
  queues.delete(key)
  const packet = whole.right
  if (space.plane.watch !== null) note(space, dev, 'ip', packet, { tag: 'reassembled', pieces: queue.fragments.length })
  return { packet, meta: { ...held.meta, fragment: queue.longest } }
}

/** A packet, whole; null if it is a piece of one that is not there yet. */
export const defragment = (space: Space, dev: Device | null, held: Held, by: Defragmenter): Held | null => {
  const { packet } = held
  if (isFragment(packet)) return join(space, dev, held, by)
  if (packet.tag === 'ip4' || packet.fragment === null) return held
  return { packet: { ...packet, fragment: null }, meta: held.meta }
}

/** Time is up for some pieces. A host on the way tells nobody (ip_expire). */
const expire = (space: Space, { queue, dev, held, by }: Waiting): void => {
  const [any] = queue.fragments
  if (any === undefined) return
  drop(space, dev, 'ip', any, { tag: 'fragment', why: 'timeout' })
  const first = queue.fragments.find((packet) => (packet.tag === 'ip4' ? packet.offset : packet.fragment?.offset) === 0)
  if (first === undefined) return
  if (by === 'conntrack' && typeOf(space.entry, first.dst) !== 'local') return
  space.plane.parts.sendError(
    space,
    dev,
    { packet: first, meta: held.meta },
    { tag: 'time-exceeded', code: 'reassembly' },
  )
}

export const reassemblyDue = (
  plane: Plane,
  { host: name, ns, key }: Extract<Happening, { what: 'reassembly' }>,
): void => {
  const host = plane.hosts.get(name)
  const space = host === undefined ? null : spaceOf(plane, host, ns)
  const waiting = space?.fragments?.queues.get(key)
  if (space == null || waiting === undefined || plane.nowMs < waiting.dueMs) return
  space.fragments?.queues.delete(key)
  expire(space, waiting)
}

// What is between hosts: segments, each a switch without a name, with cables to cards of hosts. A frame goes to the card that has its
// destination, or to all; on the way it may be late, lost, doubled, overtaken, or held up by others, as the seed will have it.
// Invariant: which random numbers are drawn depends only on the frames and their order.

import type { Quality } from '../../kernel/quality.ts'
import { isGroup, type Mac } from '../../net/mac.ts'
import type { Ns } from '../../net/name.ts'
import { type Draft, draftOf, type PMap, valuesOf } from '../../net/pmap.ts'
import { countReceived, countSent, lengthBesideTag } from '../datapath/device.ts'
import { after, enqueue } from '../datapath/loop.ts'
import { type Card, type Device, deviceOf, type Happening, type Host, type Plane, spaceOf } from '../datapath/plane.ts'
import { fraction } from '../datapath/random.ts'
import type { Skb } from '../datapath/skb.ts'
import { drop } from '../datapath/step.ts'
import { lengthOf } from '../wire/wire.ts'

export const PERFECT: Quality = { delayMs: 0, jitterMs: 0, loss: 0, duplicate: 0, reorder: 0, bitsPerMs: null }

/**
 * `parts`: the hosts that reach each other, while the segment is in parts; a host in none of them reaches nobody. Null: it is whole.
 * `learned`: at which card each MAC (in decimal) was last seen, by its place in `cards`. `freeMs`: by the same, when its cable has
 * carried all that was sent.
 */
export type Segment = Readonly<{
  id: string
  quality: Quality
  cards: ReadonlyArray<Card>
  parts: ReadonlyArray<ReadonlyArray<string>> | null
  learned: PMap<number>
  freeMs: ReadonlyArray<number>
}>

/** A segment while frames are on it. */
export type LiveSegment = {
  readonly was: Segment
  readonly learned: Draft<number>
  hasLearned: boolean
  readonly freeMs: number[]
}

/** `ofCard`: the segment and the place in it of each card that has a cable. `devices`: where cards were found. */
export type CableMemory = Readonly<{
  segments: ReadonlyMap<string, LiveSegment>
  ofCard: ReadonlyMap<string, Readonly<{ segment: LiveSegment; at: number }>>
  devices: Map<string, Device | null>
}>

export const cardKey = ({ host, card }: Card): string => `${host} ${card}`

export const openCables = (segments: PMap<Segment>): CableMemory => {
  const live = new Map<string, LiveSegment>()
  const ofCard = new Map<string, { segment: LiveSegment; at: number }>()
  for (const was of valuesOf(segments)) {
    const segment: LiveSegment = {
      was,
      learned: draftOf(was.learned),
      hasLearned: false,
      freeMs: was.cards.map((_, at) => was.freeMs[at] ?? 0),
    }
    live.set(was.id, segment)
    was.cards.forEach((card, at) => {
      ofCard.set(cardKey(card), { segment, at })
    })
  }
  return { segments: live, ofCard, devices: new Map() }
}

/** A segment as a value again. */
export const closeSegment = ({ was, learned, hasLearned, freeMs }: LiveSegment): Segment => {
  const isFree = freeMs.every((at, n) => at === (was.freeMs[n] ?? 0))
  if (!hasLearned && isFree) return was
  return { ...was, learned: hasLearned ? learned.done() : was.learned, freeMs: isFree ? was.freeMs : [...freeMs] }
}

/** The device of a card: it is looked for once in each plane. */
const deviceOfCard = (plane: Plane, { host: name, card }: Card): Device | null => {
  const { cables } = plane
  const host = plane.hosts.get(name)
  if (cables === null || host === undefined) return null
  const key = cardKey({ host: name, card })
  const known = cables.devices.get(key)
  if (known !== undefined) return known
  const device = search(plane, host, card)
  cables.devices.set(key, device)
  return device
}

const search = (plane: Plane, host: Host, card: number): Device | null => {
  for (const { ns, links } of valuesOf(host.world.namespaces))
    for (const { name, spec } of valuesOf(links))
      if (spec.type === 'nic' && spec.card === card) {
        const space = spaceOf(plane, host, ns as Ns)
        return space === null ? null : deviceOf(space, name)
      }
  return null
}

const reaches = ({ parts }: Segment, from: string, to: string): boolean =>
  parts === null || from === to || parts.some((part) => part.includes(from) && part.includes(to))

/** When a frame that is given to a cable now has left it. */
const carriedMs = (plane: Plane, segment: LiveSegment, at: number, skb: Skb): number => {
  const { bitsPerMs } = segment.was.quality
  if (bitsPerMs === null) return plane.nowMs
  const begin = Math.max(plane.nowMs, segment.freeMs[at] ?? 0)
  const end = begin + (lengthOf(skb.frame) * 8) / bitsPerMs
  segment.freeMs[at] = end
  return end
}

const deliver = (plane: Plane, to: Card, skb: Skb, delayMs: number) => {
  if (delayMs > 0) return after(plane, delayMs, { what: 'arrival', at: to, frame: skb.frame })
  arrive(plane, { what: 'arrival', at: to, frame: skb.frame })
}

/** A frame that comes to a card. */
export const arrive = (plane: Plane, { at, frame }: Extract<Happening, { what: 'arrival' }>): void => {
  const dev = deviceOfCard(plane, at)
  if (dev === null || !dev.link.up || !dev.link.lower) return
  const skb: Skb = { frame, meta: { mark: 0, flow: null } }
  countReceived(dev, skb, true)
  enqueue(dev, skb)
}

/** To one card: what the quality of the segment makes of it. */
const send = (plane: Plane, segment: LiveSegment, from: Device, to: Card, skb: Skb, leftMs: number) => {
  const { quality } = segment.was
  if (quality.loss > 0 && fraction(plane.random) < quality.loss)
    return drop(from.space, from, 'cable', skb.frame.payload, { tag: 'cable', why: 'lost' }, skb.frame)
  const jitter = quality.jitterMs > 0 ? fraction(plane.random) * quality.jitterMs : 0
  const isOvertaken = quality.reorder > 0 && fraction(plane.random) < quality.reorder
  const delay = leftMs - plane.nowMs + quality.delayMs * (isOvertaken ? 2 : 1) + jitter
  deliver(plane, to, skb, delay)
  if (quality.duplicate > 0 && fraction(plane.random) < quality.duplicate) deliver(plane, to, skb, delay)
}

const learn = (segment: LiveSegment, mac: Mac, at: number): void => {
  if (isGroup(mac) || segment.learned.get(String(mac)) === at) return
  segment.learned.set(String(mac), at)
  segment.hasLearned = true
}

/** A card sends (`transmit` of its kind); what becomes of a frame on the cable is not its loss. */
export const transmitOnCable = (dev: Device, skb: Skb): boolean => {
  countSent(dev, lengthBesideTag(skb.frame))
  carry(dev, skb)
  return true
}

const carry = (dev: Device, skb: Skb) => {
  const { plane, host } = dev.space
  const { spec } = dev.link
  const plugged =
    spec.type === 'nic' ? plane.cables?.ofCard.get(cardKey({ host: host.name, card: spec.card })) : undefined
  const lose = (why: 'cut' | 'unplugged') =>
    drop(dev.space, dev, 'cable', skb.frame.payload, { tag: 'cable', why }, skb.frame)
  if (plugged === undefined) return lose('unplugged')
  const { segment, at } = plugged
  const { cards } = segment.was
  learn(segment, skb.frame.src, at)
  const known = isGroup(skb.frame.dst) ? undefined : segment.learned.get(String(skb.frame.dst))
  const leftMs = carriedMs(plane, segment, at, skb)
  const targets =
    known === undefined ? cards.filter((_, n) => n !== at) : cards.filter((_, n) => n === known && n !== at)
  const reached = targets.filter((card) => reaches(segment.was, host.name, card.host))
  if (reached.length === 0 && targets.length > 0) return lose('cut')
  for (const card of reached) send(plane, segment, dev, card, skb, leftMs)
}

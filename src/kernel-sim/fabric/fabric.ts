// Many hosts and what is between them, as a value: a snapshot is a reference, and what happens next follows from it alone. Each host
// is a world of its own; packets on their way from one to another are pending in the fabric.

import type { Quality } from '../../kernel/quality.ts'
import type { Mac } from '../../net/mac.ts'
import { HOST, type IfName } from '../../net/name.ts'
import { draftOf, emptyMap, entriesOf, getIn, mapOf, type PMap, setIn } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import { spaceOf as draftSpaceOf, draftOf as worldDraft, worldOf } from '../control/draft.ts'
import { addNic, setCable } from '../control/nic.ts'
import { hostWorld } from '../control.ts'
import { closeHost, pendingOf } from '../datapath/close.ts'
import { agedDevices } from '../datapath/kind/close.ts'
import { openPlane, type Parts, type Pending, type Plane } from '../datapath/plane.ts'
import { randomFrom } from '../datapath/random.ts'
import type { World } from '../state.ts'
import { cardKey, closeSegment, openCables, PERFECT, type Segment } from './segment.ts'

/** `cables`: the segment that each card (`cardKey`) is plugged into. `nextCard`: the number of the next card of any host. */
export type Fabric = Readonly<{
  nowMs: number
  random: number
  hosts: PMap<World>
  segments: PMap<Segment>
  cables: PMap<string>
  nextCard: number
  pending: ReadonlyArray<Pending>
}>

export const emptyFabric = (seed: number): Fabric => ({
  nowMs: 0,
  random: seed >>> 0,
  hosts: emptyMap(),
  segments: emptyMap(),
  cables: emptyMap(),
  nextCard: 1,
  pending: [],
})

/** Replaces the host of that name, if there is one: its cards keep their cables if the world has them. */
export const withHost = (fabric: Fabric, host: string, world: World = hostWorld()): Fabric => ({
  ...fabric,
  hosts: setIn(fabric.hosts, host, { ...world, host, nowMs: fabric.nowMs }),
})

export const withSegment = (fabric: Fabric, id: string, quality: Partial<Quality> = {}): Fabric => ({
  ...fabric,
  segments: setIn(fabric.segments, id, {
    cards: [],
    parts: null,
    learned: emptyMap(),
    freeMs: [],
    ...getIn(fabric.segments, id),
    id,
    quality: { ...(getIn(fabric.segments, id)?.quality ?? PERFECT), ...quality },
  }),
})

export type FabricError = Readonly<
  | { tag: 'no-host'; host: string }
  | { tag: 'no-segment'; segment: string }
  | { tag: 'name-taken'; host: string; dev: IfName }
>

const NICS_MAC = 0x0c0000000000

/** The MAC of a card that was given none: locally administered (RFC 7042), from its number. */
// A cast: 48 bits, none of the group bit.
const macOf = (card: number): Mac => (NICS_MAC + 2 ** 41 + card) as Mac

/** Puts a card into a host's own namespace, with a cable to a segment. It is down. Left: one of the three is not there, or the name is taken. */
export const plug = (
  fabric: Fabric,
  host: string,
  segmentId: string,
  dev: IfName,
  mac: Mac = macOf(fabric.nextCard),
): Either<FabricError, Fabric> => {
  const world = getIn(fabric.hosts, host)
  if (world === undefined) return E.left({ tag: 'no-host', host })
  const segment = getIn(fabric.segments, segmentId)
  if (segment === undefined) return E.left({ tag: 'no-segment', segment: segmentId })
  const card = fabric.nextCard
  const draft = worldDraft(world)
  const space = draftSpaceOf(draft, HOST)
  if (space === null || addNic(space, card, dev, mac) !== null) return E.left({ tag: 'name-taken', host, dev })
  setCable(space, dev, true)
  return E.right({
    ...fabric,
    hosts: setIn(fabric.hosts, host, worldOf(draft)),
    segments: setIn(fabric.segments, segmentId, { ...segment, cards: [...segment.cards, { host, card }] }),
    cables: setIn(fabric.cables, cardKey({ host, card }), segmentId),
    nextCard: card + 1,
  })
}

/** Hosts reach each other on the segment only within one of these parts; null: all do again. */
export const partition = (fabric: Fabric, segmentId: string, parts: Segment['parts']): Fabric => {
  const segment = getIn(fabric.segments, segmentId)
  return segment === undefined
    ? fabric
    : { ...fabric, segments: setIn(fabric.segments, segmentId, { ...segment, parts }) }
}

/** Opens all hosts for packets, lets `act` happen, and closes them again. */
export const onFabric = <A>(
  parts: Parts,
  fabric: Fabric,
  act: (plane: Plane) => A,
): Readonly<{ fabric: Fabric; result: A }> => {
  const hosts = [...entriesOf(fabric.hosts)].map(([name, world]) => ({ name, world }))
  const cables = openCables(fabric.segments)
  const plane = openPlane(parts, hosts, fabric.nowMs, randomFrom(fabric.random), fabric.pending, cables)
  const result = act(plane)
  const worlds = draftOf(fabric.hosts)
  for (const host of plane.hosts.values()) {
    const next = closeHost(plane, host)
    if (next !== host.world) worlds.set(host.name, next)
  }
  return {
    result,
    fabric: {
      ...fabric,
      nowMs: plane.nowMs,
      random: plane.random.state,
      pending: pendingOf(plane),
      hosts: worlds.done(),
      segments: mapOf([...cables.segments.values()].map((segment) => [segment.was.id, closeSegment(segment)] as const)),
    },
  }
}

/** A host without what its bridges and VXLANs have forgotten by now. */
export const agedHost = (world: World): World => {
  const namespaces = draftOf(world.namespaces)
  for (const [ns, entry] of entriesOf(world.namespaces)) {
    const next = agedDevices(entry, world.nowMs)
    if (next !== entry) namespaces.set(ns, next)
  }
  const now = namespaces.done()
  return now === world.namespaces ? world : { ...world, namespaces: now }
}

/** All hosts without what their bridges and VXLANs have forgotten by now: for whoever has moved the clock. */
export const aged = (fabric: Fabric): Fabric => {
  const hosts = draftOf(fabric.hosts)
  for (const [name, world] of entriesOf(fabric.hosts)) {
    const next = agedHost(world)
    if (next !== world) hosts.set(name, next)
  }
  return { ...fabric, hosts: hosts.done() }
}

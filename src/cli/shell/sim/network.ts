// Hosts and segments of the simulated kernel, as the shell knows them.

import { hostWorld } from '../../../kernel-sim/control.ts'
import type { Card } from '../../../kernel-sim/datapath/plane.ts'
import {
  type Fabric,
  type FabricError,
  partition,
  plug,
  withHost,
  withSegment,
} from '../../../kernel-sim/fabric/fabric.ts'
import type { Segment } from '../../../kernel-sim/fabric/segment.ts'
import { EMPTY_WORLD } from '../../../kernel-sim/state.ts'
import { HOST } from '../../../net/name.ts'
import { getIn, keysUnder, valuesOf } from '../../../net/pmap.ts'
import { E } from '../../../prelude.ts'
import { type Network, SENTENCES, type SegmentFacts } from '../../../shell/network.ts'
import { now } from './answer.ts'
import type { Session } from './session.ts'

const wordsFor = (error: FabricError): string => {
  switch (error.tag) {
    case 'no-host':
      return SENTENCES.noHost('plug', error.host)
    case 'no-segment':
      return SENTENCES.noSegment('plug', error.segment)
    case 'name-taken':
      return SENTENCES.deviceTaken(error.host, error.dev)
  }
}

/** `host/device`, or where in the host it is now. */
const showCard = ({ hosts }: Fabric, { host, card }: Card): string => {
  for (const { ns, links } of valuesOf(getIn(hosts, host)?.namespaces ?? EMPTY_WORLD.namespaces))
    for (const { name, spec } of valuesOf(links))
      if (spec.type === 'nic' && spec.card === card) return `${host}${ns === HOST ? '' : `/${ns}`}/${name}`
  return host
}

/** Its first part is what was named. */
const factsOf = (fabric: Fabric, { id, quality, cards, parts }: Segment): SegmentFacts => ({
  name: id,
  quality,
  cards: cards.map((card) => showCard(fabric, card)),
  cut: parts === null ? null : (parts[0] ?? []),
})

export const networkOf = (session: Session): Network => {
  const put = (fabric: Fabric): null => {
    session.now = { ...session.now, fabric }
    return null
  }
  const present = (): Fabric => session.now.fabric
  const known = (segment: string): boolean => getIn(present().segments, segment) !== undefined
  return {
    addHost: (name) =>
      now(() =>
        getIn(present().hosts, name) === undefined
          ? put(withHost(present(), name, hostWorld()))
          : SENTENCES.hostTaken(name),
      ),
    segments: () => now(() => valuesOf(present().segments).map((segment) => factsOf(present(), segment))),
    addSegment: (name, quality) =>
      now(() => (known(name) ? SENTENCES.segmentTaken(name) : put(withSegment(present(), name, quality)))),
    setSegment: (name, quality) =>
      now(() => (known(name) ? put(withSegment(present(), name, quality)) : SENTENCES.noSegment('segment', name))),
    plug: (host, dev, segment) =>
      now(() => {
        const plugged = plug(present(), host, segment, dev)
        return E.isLeft(plugged) ? wordsFor(plugged.left) : put(plugged.right)
      }),
    cut: (name, named) =>
      now(() => {
        const all = keysUnder(present().hosts, '')
        const stranger = named.find((host) => !all.includes(host))
        if (!known(name)) return SENTENCES.noSegment('cut', name)
        if (stranger !== undefined) return SENTENCES.noHost('cut', stranger)
        const others = all.filter((host) => !named.includes(host))
        return put(partition(present(), name, named.length === 0 ? [] : [named, others]))
      }),
    heal: (name) =>
      now(() => (known(name) ? put(partition(present(), name, null)) : SENTENCES.noSegment('heal', name))),
  }
}

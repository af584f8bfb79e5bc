// The receiving end of every device, and the loop that takes frames from one to the next until the network is quiet.
// It always ends: routers count hops down, and a loop of bridges is cut after FRAME_LIMIT frames.

import { isGroup } from '../net/mac.ts'
import { getIn } from '../net/pmap.ts'
import { receivePacket } from './deliver.ts'
import { receiveOnPort } from './link.ts'
import { giveUp, receiveArp, receiveDiscovery } from './neighbour.ts'
import { drop, type InFlight, note, type Run, spaceOf } from './run.ts'

/** Frames that one probe may cause; a flood on a full bridge (1024 ports) is far below it. */
export const FRAME_LIMIT = 20_000

const receive = (run: Run, { ns, dev, frame, flow }: InFlight) => {
  const space = spaceOf(run, ns)
  const link = space === undefined ? undefined : getIn(space.links, dev)
  const { payload } = frame
  if (space === undefined || link === undefined || !link.up)
    return drop(run, ns, dev, payload, { tag: 'link-down', dev }, frame)
  if (link.port !== null) return receiveOnPort(run, space, link, frame)
  // A bridge has already seen that the frame is for its host, be it by the MAC of a port.
  if (link.spec.type === 'veth' && frame.dst !== link.mac && !isGroup(frame.dst))
    return drop(run, ns, dev, payload, { tag: 'other-host', mac: frame.dst }, frame)
  switch (payload.tag) {
    case 'arp':
      return receiveArp(run, space, link, payload)
    case 'nd':
      return receiveDiscovery(run, space, link, payload)
    case 'ip':
      if (run.steps !== null) note(run, ns, dev, payload, { tag: 'received' }, frame)
      return receivePacket(run, space, dev, payload, flow)
  }
}

/** Carries frames until none is under way and nobody waits for an answer that could still come. */
export const settleNetwork = (run: Run) => {
  let frames = 0
  for (let at = 0; at < run.queue.length; at++) {
    const next = run.queue[at]
    if (next === undefined) break
    if (++frames > FRAME_LIMIT) {
      const reason = { tag: 'storm', frames: FRAME_LIMIT } as const
      drop(run, next.ns, next.dev, next.frame.payload, reason, next.frame)
      break
    }
    receive(run, next)
  }
  run.queue.length = 0
  giveUp(run)
}

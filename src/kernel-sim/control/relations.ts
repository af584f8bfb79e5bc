// Who points at a device: the other end of a veth, the device it is on, those on it, its bridge, its bridge's ports. When it gets
// another place, they follow.

import { entriesUnder, getIn, keysUnder, removeIn, setIn } from '../../net/pmap.ts'
import { fdbOfPort, withFdb, withoutFdb } from '../fdb.ts'
import { type LinkEntry, type Place, portWith } from '../link-entry.ts'
import { changeFdb, forgetPortMac, notePortMac } from './bridge-fdb.ts'
import { change, found, linkOf, type Space, watchElsewhere } from './draft.ts'
import { relist } from './vxlan.ts'

const isAt = (a: Place, b: Place): boolean => a.ns === b.ns && a.name === b.name

/** Tells the devices that a device of this space is bound to that it is elsewhere now; `to` null: gone. */
export const followPlace = (space: Space, link: LinkEntry, from: Place, to: Place | null): void => {
  if (link.spec.type === 'veth' && to !== null) {
    const peer = found(space, link.spec.peer)
    if (peer !== null) change(peer.space, peer.link, { spec: { type: 'veth', peer: to } })
  }
  const below = link.below === null ? null : found(space, link.below)
  if (below !== null) {
    const above = below.link.above.flatMap((place) => (isAt(place, from) ? (to ?? []) : place))
    change(below.space, below.link, { above })
  }
  relist(space, link, from, to)
  if (to === null) return
  watchElsewhere(space, from, to)
  for (const place of link.above) {
    const on = found(space, place)
    if (on !== null) change(on.space, on.link, { below: to })
  }
}

/** Within its namespace, the books that name a device by its name. */
export const followName = (space: Space, link: LinkEntry, to: LinkEntry['name']): void => {
  const { name, port } = link
  const bridge = port === null ? null : linkOf(space, port.bridge)
  if (bridge !== null) {
    const since = getIn(bridge.ports, name) ?? 0
    change(space, bridge, { ports: setIn(removeIn(bridge.ports, name), to, since) })
    forgetPortMac(space, bridge.name, name, link.mac)
    notePortMac(space, bridge.name, to, link.mac, since)
    changeFdb(space, bridge.name, (fdb) =>
      fdbOfPort(fdb, name).reduce((all, entry) => withFdb(withoutFdb(all, entry), { ...entry, dev: to }), fdb),
    )
  }
  for (const key of keysUnder(link.ports, '')) {
    const member = linkOf(space, key)
    if (member?.port != null) change(space, member, { port: portWith(member.port, { bridge: to }) })
  }
  for (const [key, entry] of entriesUnder(space.now.proxies, `${name} `))
    space.now.proxies = setIn(removeIn(space.now.proxies, key), `${to} ${entry.ip}`, entry)
  for (const [key, entry] of entriesUnder(space.now.neighbours, `${name} `))
    space.now.neighbours = setIn(removeIn(space.now.neighbours, key), `${to} ${entry.ip}`, { ...entry, dev: to })
}

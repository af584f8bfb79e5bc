// What IP has learned while the plane was open, as values again: neighbours, what paths hold, who was told what, how far tentative addresses have come.

import { removeIn, setIn } from '../../../net/pmap.ts'
import { type NsEntry, nsWith } from '../../state.ts'
import type { Space } from '../plane.ts'
import { closeDad } from './dad.ts'
import { entryFrom, keyOf } from './neighbour.ts'
import { closePaths } from './path-mtu.ts'
import { closePeers } from './peer.ts'

const closeNeighbours = ({ neighbours: memory, entry }: Space): NsEntry['neighbours'] => {
  let { neighbours } = entry
  if (memory === null) return neighbours
  for (const here of memory.known.values())
    for (const neighbour of here.values()) {
      const now = entryFrom(neighbour)
      if (now === neighbour.was) continue
      const key = keyOf(neighbour.dev, neighbour.ip)
      neighbours = now === null ? removeIn(neighbours, key) : setIn(neighbours, key, now)
    }
  return neighbours
}

/** An entry with what this part has learned; the same one if that is nothing. */
export const closeIp = (space: Space, entry: NsEntry): NsEntry => {
  const neighbours = closeNeighbours(space)
  const paths = closePaths(space)
  const peers = closePeers(space)
  const now = closeDad(space.devices.values(), entry)
  const { entry: was } = space
  if (neighbours === was.neighbours && paths === was.paths && peers === was.peers) return now
  return nsWith(now, { neighbours, paths, peers })
}

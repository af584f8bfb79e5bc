// The IP layer's part of the data path, as it registers with the others.

import type { Ip } from '../../../net/ip.ts'
import { ip4, ip6, isIp4, isLinkLocal } from '../../../net/ip.ts'
import { type Device, deviceOf, loopbackOf, type Parts } from '../plane.ts'
import { hasAddress, ownersOf } from './address.ts'
import { announce4, receiveArp } from './arp.ts'
import { dadDue, openDad } from './dad.ts'
import { defragment, reassemblyDue } from './defrag.ts'
import { sendError } from './errors.ts'
import { isWay, meantBy, sourceFor, wayOut } from './fib.ts'
import { atHost } from './local.ts'
import { find, typeOf } from './lookup.ts'
import { announce6 } from './ndisc.ts'
import { isConnected, isValid, knownNeighbour, neighbourDue, output } from './neighbour.ts'
import { noteNarrow, noteTooBig, pathMtu } from './path-mtu.ts'
import { receiveIp } from './receive.ts'
import { redirected } from './redirect.ts'
import { send, sendPacket } from './send.ts'

/** Tells everybody on a device's link that an address is there (gratuitous ARP, an unsolicited advertisement). */
export const announce = (dev: Device, ip: Ip): void => {
  if (isIp4(ip)) announce4(dev, ip)
  else announce6(dev, ip)
}

const wayOf: Parts['wayOf'] = (space, { src, dst, dev: name, mark, tos, loose = false }) => {
  const dev = name === null ? null : deviceOf(space, name)
  if (name !== null && dev === null) return 'ENODEV'
  const to = meantBy(space, dst, src, dev)
  const lo = loopbackOf(space)
  // Ourselves, from the same address, whatever the tables say; if it is ours at all (ip_route_output_key_hash_rcu).
  if (isIp4(to) && to !== dst && lo !== null)
    return typeOf(space.entry, to) === 'local'
      ? { type: 'local', dev: lo, src: to, dst: to, mtu: lo.link.mtu }
      : 'ENETUNREACH'
  const way = wayOut(space, { dst: to, src, dev, tos: tos ?? 0, mark, foreign: false, loose })
  if (!isWay(way)) return way.errno
  const from = src ?? way.source ?? (isIp4(to) ? ip4(0) : ip6(0n))
  const type = way.type === 'local' && way.route !== null ? way.route.type : way.type
  return { type, dev: way.dev, src: from, dst: to, mtu: pathMtu(space, way, to).mtu }
}

const neighbour: Parts['neighbour'] = (dev, ip) => {
  const known = knownNeighbour(dev, ip)
  if (known === null) return null
  const valid = isValid(known)
  return { mac: valid ? known.mac : null, valid, connected: isConnected(known), router: known.router }
}

const fib: Parts['fib'] = ({ entry }, flow) => {
  const found = find(entry, flow)
  if ('errno' in found) return { errno: found.errno, type: found.by === null ? null : found.by.type }
  return { type: found.route.type, dev: found.hop.dev, devs: found.route.hops.map(({ dev }) => dev) }
}

type Offers =
  | 'receiveArp'
  | 'receiveIp'
  | 'neighbour'
  | 'output'
  | 'send'
  | 'sendPacket'
  | 'sendError'
  | 'redirected'
  | 'noteNarrow'
  | 'noteTooBig'
  | 'wayOf'
  | 'selectSource'
  | 'hasAddress'
  | 'fib'
  | 'typeOf'
  | 'gather'
  | 'open'
  | 'arrive'

export const ipParts: Pick<Parts, Offers> = {
  receiveArp,
  receiveIp,
  output,
  send,
  sendPacket,
  sendError,
  redirected,
  noteNarrow,
  noteTooBig,
  wayOf,
  selectSource: (dev, dst, next) => sourceFor(dev.space, dev, dst, next),
  hasAddress: ({ entry }, ip, dev) => (dev === null ? ownersOf(entry, ip).length > 0 : hasAddress(dev.link, ip)),
  fib,
  typeOf: (space, ip, dev) => typeOf(space.entry, ip, !isIp4(ip) && isLinkLocal(ip) ? (dev?.name ?? null) : null),
  gather: (space, dev, held) => defragment(space, dev, held, 'conntrack'),
  arrive: atHost,
  neighbour,
  open: openDad,
}

export const ipHappenings: Pick<Parts['happen'], 'neighbour' | 'dad' | 'reassembly'> = {
  neighbour: neighbourDue,
  dad: dadDue,
  reassembly: reassemblyDue,
}

// The source port of a tunnel's datagrams, the same for all of one flow, so that routers which balance keep it together. Linux hashes
// with a secret of its own, so no two machines choose alike. Ours: addresses, ports and protocol (without IP: the MACs), both ways
// alike, mixed by the finaliser of MurmurHash3 and scaled to the ports that sockets are given.
// Sources: include/net/udp.h (udp_flow_src_port), net/core/flow_dissector.c.

import type { Ip } from '../../../net/ip.ts'
import { protocolOf } from '../../wire/body.ts'
import type { Frame } from '../../wire/ethernet.ts'

/** The default of net.ipv4.ip_local_port_range; the last one is not drawn. */
const [FIRST, END] = [32768, 60999]

const mixed = (hash: number, bits: number): number => {
  let h = (hash ^ bits) >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const bitsOf = (ip: Ip): number =>
  typeof ip === 'number' ? ip : Number((ip ^ (ip >> 32n) ^ (ip >> 64n) ^ (ip >> 96n)) & 0xffffffffn)

const hashOf = ({ src, dst, payload }: Frame): number => {
  if (payload.tag !== 'ip4' && payload.tag !== 'ip6') return mixed(mixed(0, src % 2 ** 32), dst % 2 ** 32)
  const { body } = payload
  const [a, b] = [bitsOf(payload.src), bitsOf(payload.dst)]
  const hash = mixed(mixed(mixed(0, Math.min(a, b)), Math.max(a, b)), protocolOf(body))
  return 'sport' in body ? mixed(mixed(hash, Math.min(body.sport, body.dport)), Math.max(body.sport, body.dport)) : hash
}

export const flowPort = (frame: Frame): number => FIRST + Math.floor((hashOf(frame) * (END - FIRST)) / 2 ** 32)

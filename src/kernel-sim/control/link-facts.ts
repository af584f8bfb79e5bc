// What a new device of each kind is before anything is said of it, and what its kind allows.
// Source: the setup functions of drivers/net/{dummy,veth,vxlan,macvlan,ipvlan}, net/bridge/br_device.c, net/8021q/vlan_dev.c.

import type { BridgeOptions } from '../../kernel/rtnl/kind.ts'
import type { NewLink } from '../../kernel/rtnl/request.ts'
import { type Mac, mac as macOf } from '../../net/mac.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { emptyMap, hasIn } from '../../net/pmap.ts'
import { type LinkEntry, linkWith, NO_FDB, NO_FILTER, NO_VLANS, type Place, type Spec } from '../link-entry.ts'
import { addLink, type Space } from './draft.ts'
import { runs6 } from './inet.ts'

/** DEFAULT_TX_QUEUE_LEN. */
const TXQLEN = 1000

export const NEW_BRIDGE: Required<BridgeOptions> = {
  ageingTime: 30_000,
  stp: false,
  priority: 32_768,
  vlanFiltering: false,
  vlanProtocol: '802.1Q',
  vlanDefaultPvid: 1,
  mcastSnooping: true,
}

/** FNV-1a of 32 bits. */
const hash = (seed: number, text: string): number => {
  let h = seed
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/** Unicast and locally administered; from two hashes where Linux chooses at random, which a simulation may not. */
export const derivedMac = (host: string, ns: Ns, name: IfName): Mac => {
  const text = host === '' ? `${ns}/${name}` : `${host} ${ns}/${name}`
  const high = ((hash(0x811c9dc5, text) & 0xfeffffff) | 0x02000000) >>> 0
  return macOf(high * 2 ** 16 + (hash(0x9dc5811c, text) >>> 16))
}

export const bornMac = ({ ns, draft }: Space, name: IfName): Mac => derivedMac(draft.world.host, ns, name)

/** The next index that no device has (dev_index_reserve). */
export const nextIndex = (space: Space): number => {
  while (hasIn(space.now.indexes, String(space.now.nextIndex))) space.now.nextIndex += 1
  return space.now.nextIndex++
}

/** This index if it is free, or the next. */
export const takenIndex = (space: Space, index: number): number =>
  hasIn(space.now.indexes, String(index)) ? nextIndex(space) : index

/** What was asked for; without an index it is the next one. */
type Asked = Pick<NewLink, 'index' | 'group' | 'txqlen'>
const NOTHING: Asked = {}

/** What is said of a device as it is registered. `lower`: whether it has carrier, of one on another. */
export type Born = Readonly<{
  name: IfName
  spec: Spec
  mac: Mac
  mtu: number
  below?: Place | null
  macSet?: boolean
  lower?: boolean
  bridge?: Required<BridgeOptions> | null
}>

/** Puts a device that is down into its namespace; its name and its index are free. */
export const install = (space: Space, born: Born, asked: Asked = NOTHING): LinkEntry => {
  const { spec, macSet = false } = born
  // A bridge that is given a MAC thinks about its ports, of which none is live.
  const lower = born.lower ?? (spec.type !== 'veth' && !(spec.type === 'bridge' && macSet))
  const link: LinkEntry = {
    index: asked.index ?? nextIndex(space),
    name: born.name,
    spec,
    mac: born.mac,
    mtu: born.mtu,
    up: false,
    alias: null,
    group: asked.group ?? 0,
    txqlen: asked.txqlen ?? TXQLEN,
    addrGen: 0,
    lower,
    oper: lower ? 'unknown' : 'down',
    port: null,
    bridge: born.bridge ?? null,
    ports: emptyMap(),
    live: 0,
    below: born.below ?? null,
    above: [],
    addresses: [],
    routes: [],
    mtuSet: false,
    macSet,
    ready6: false,
    started: false,
    conf: space.now.confDefault,
    pinned4: [],
    fdb: NO_FDB,
    remotes: emptyMap(),
    filter: NO_FILTER,
    vlans: NO_VLANS,
  }
  return addLink(space, runs6(link) ? link : linkWith(link, { conf: { ...link.conf, 6: {} } }))
}

// Duplicate address detection as far as it is the control plane's: which addresses are tentative, and which are asked about. Packets
// do the asking (datapath/ip/dad.ts).
// Invariant: a device with tentative addresses is among those that its namespace has listed (`tentative`).
// Source: net/ipv6/addrconf.c (addrconf_dad_begin, addrconf_dad_kick, addrconf_dad_run), measured on Linux 6.18.

import type { Ip } from '../../net/ip.ts'
import { removeIn, setIn, valuesOf } from '../../net/pmap.ts'
import { type Asked, type Detection, type DeviceConf, isTentative, type LinkEntry } from '../link-entry.ts'
import { change, found, linkAt, type Space } from './draft.ts'
import { runs6 } from './inet.ts'

/** Devices whose neighbours have no MACs to be asked for (IFF_NOARP): an ipvlan once it was opened, a VLAN as what it is on. */
const hasNoArp = (space: Space, { spec, started, below }: LinkEntry): boolean => {
  if (spec.type === 'ipvlan') return started && spec.mode !== 'l2'
  if (spec.type !== 'vlan') return spec.type === 'dummy'
  const on = below === null ? null : found(space, below)
  return on !== null && hasNoArp(on.space, on.link)
}

const isQuiet = (space: Space, link: LinkEntry): boolean => link.spec.type === 'loopback' || hasNoArp(space, link)

/** The sysctls of a device that is new to a namespace (ipv6_add_dev). */
export const bornConf = (space: Space, link: LinkEntry): DeviceConf => {
  const conf = space.now.confDefault
  if (!runs6(link)) return { ...conf, 6: {} }
  return isQuiet(space, link) ? { ...conf, 6: { ...conf[6], accept_dad: '-1' } } : conf
}

/** accept_dad of the device or of all, whichever is more; `all` says 0 until it is written. */
export const acceptsDad = ({ now }: Space, { conf }: LinkEntry): number =>
  Math.max(Number(now.confAll[6].accept_dad ?? '0'), Number(conf[6].accept_dad ?? '1'))

/** dad_probes has eight bits. The data path draws when, and the nonce. */
const asked = ({ conf }: LinkEntry): Asked => ({
  left: Number(conf[6].dad_transmits ?? '1') & 0xff,
  dueMs: null,
  nonce: 0,
})

/** What a new address begins with. */
export const begunOn = (space: Space, link: LinkEntry, nodad: boolean): Detection => {
  if (nodad || isQuiet(space, link) || acceptsDad(space, link) < 1) return 'over'
  return link.ready6 ? asked(link) : 'waiting'
}

/** A device has a tentative address. */
export const noteTentative = ({ now }: Space, { index }: LinkEntry): void => {
  now.tentative = setIn(now.tentative, String(index), index)
}
/** A device has none any more. */
export const forgetTentative = ({ now }: Space, { index }: LinkEntry): void => {
  now.tentative = removeIn(now.tentative, String(index))
}

/** IPv6 runs on a device: what has waited for that is asked about, whatever sysctls say by now (addrconf_dad_run). */
export const runDad = (space: Space, link: LinkEntry): void => {
  if (link.addresses.some(({ dad }) => dad === 'waiting'))
    change(space, link, {
      addresses: link.addresses.map((address) =>
        address.dad === 'waiting' ? { ...address, dad: asked(link) } : address,
      ),
    })
}

/** How many devices have an address of IPv6 that nobody may use yet. */
export const tentativeTimes = (space: Space, ip: Ip): number =>
  valuesOf(space.now.tentative).reduce((times, index) => {
    const addresses = linkAt(space, index)?.addresses ?? []
    return times + addresses.filter((address) => address.cidr.ip === ip && isTentative(address)).length
  }, 0)

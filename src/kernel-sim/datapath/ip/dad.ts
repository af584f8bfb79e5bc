// Duplicate address detection as far as it is packets: after a while each tentative address is asked for, from ::, so often as its
// device says; it is unique if a second later nobody has answered or asked for it too. What was found stands with the address when the
// plane is closed, and the control plane acts upon it (control/dad-end.ts).
// Invariant: while a plane is open there is one timer for each address that is asked about. They are made of the addresses when it is
// opened, and are not put away with what else is pending.
// Sources: net/ipv6/addrconf.c (addrconf_dad_kick, addrconf_dad_work, addrconf_dad_failure), RFC 4862 section 5.4, RFC 7527 (the nonce).

import { type Ip, type Ip6, ip6, isIp4 } from '../../../net/ip.ts'
import { getIn, setIn, valuesOf } from '../../../net/pmap.ts'
import {
  type AddressEntry,
  type Asked,
  type Detection,
  isTentative,
  type LinkEntry,
  linkWith,
} from '../../link-entry.ts'
import { onlyLearned } from '../../memo.ts'
import { type NsEntry, nsWith } from '../../state.ts'
import { packet6 } from '../../wire/ip6.ts'
import { after } from '../loop.ts'
import { type Device, deviceOf, type Happening, type Plane, spaceOf } from '../plane.ts'
import { below, next32, type Random } from '../random.ts'
import { solicitedNode } from './groups.ts'
import { sendDiscovery } from './solicit.ts'

/** rtr_solicit_delay, of which some part is waited at random, and retrans_time. */
const DELAY_MS = 1000
const RETRANS_MS = 1000

type Progress = { left: number; dueMs: number; readonly nonce: number; found: 'unique' | 'taken' | null }
/** Of a device: the addresses that are asked about. */
export type DadMemory = Map<Ip6, Progress>

const isAsked = (dad: Detection): dad is Asked => typeof dad === 'object'

/** 48 bits, not 0. */
const nonceFrom = (random: Random): number => next32(random) * 2 ** 16 + below(random, 2 ** 16) || 1

const progressOf = ({ left, dueMs, nonce }: Asked, { nowMs, random }: Plane): Progress =>
  dueMs === null
    ? { left, dueMs: nowMs + below(random, DELAY_MS), nonce: nonceFrom(random), found: null }
    : { left, dueMs, nonce, found: null }

const wake = ({ space, name }: Device, ip: Ip6, { dueMs }: Progress): void => {
  const { plane, host, ns } = space
  const at = { host: host.name, ns, name }
  after(plane, Math.max(0, dueMs - plane.nowMs), { what: 'dad', at, ip })
}

const follow = (dev: Device): void => {
  for (const { cidr, dad } of dev.link.addresses) {
    if (!isAsked(dad) || isIp4(cidr.ip)) continue
    const progress = progressOf(dad, dev.space.plane)
    dev.dad = (dev.dad ?? new Map<Ip6, Progress>()).set(cidr.ip, progress)
    dev.space.plane.asking += 1
    wake(dev, cidr.ip, progress)
  }
}

/** Goes on asking, as soon as a plane is open. */
export const openDad = (plane: Plane): void => {
  for (const host of plane.hosts.values())
    for (const ns of valuesOf(host.world.tentative)) {
      const space = spaceOf(plane, host, ns)
      for (const index of space === null ? [] : valuesOf(space.entry.tentative)) {
        const dev = space === null ? null : deviceOf(space, getIn(space.entry.indexes, String(index)) ?? '')
        if (dev !== null) follow(dev)
      }
    }
}

const find = ({ space }: Device, progress: Progress, found: 'unique' | 'taken'): void => {
  const { plane } = space
  progress.found = found
  plane.asking -= 1
  plane.foundMs ??= plane.nowMs
}

const ask = (dev: Device, target: Ip6, { nonce }: Progress): void => {
  const options = [{ tag: 'nonce', nonce }] as const
  const body = { proto: 'icmp6', type: 'neighbour-solicitation', target, options } as const
  sendDiscovery(dev, { ...packet6(ip6(0n), solicitedNode(target), body), ttl: 255 })
}

export const dadDue = (plane: Plane, { at, ip }: Extract<Happening, { what: 'dad' }>): void => {
  const host = plane.hosts.get(at.host)
  const space = host === undefined ? null : spaceOf(plane, host, at.ns)
  const dev = space === null ? null : deviceOf(space, at.name)
  // Cast: timers are made of addresses of IPv6.
  const target = ip as Ip6
  const progress = dev?.dad?.get(target)
  if (dev === null || progress === undefined || progress.found !== null) return
  if (progress.left === 0) {
    find(dev, progress, 'unique')
    return
  }
  progress.left -= 1
  progress.dueMs = plane.nowMs + RETRANS_MS
  wake(dev, target, progress)
  ask(dev, target, progress)
}

/** The tentative address of a device, or null. */
export const tentativeOn = ({ link }: Device, ip: Ip): AddressEntry | null =>
  link.addresses.find((address) => address.cidr.ip === ip && isTentative(address)) ?? null

/** Somebody has, or wants, a tentative address. A question of our own that has come back means nothing. */
export const hearOf = (dev: Device, ip: Ip6, nonce: number | null): void => {
  const progress = dev.dad?.get(ip)
  if (progress !== undefined && progress.found === null && progress.nonce !== nonce) find(dev, progress, 'taken')
}

const isSame = (dad: Detection, { left, dueMs }: Progress): boolean =>
  isAsked(dad) && dad.left === left && dad.dueMs === dueMs

const heldBy = (link: LinkEntry, memory: DadMemory): LinkEntry => {
  const addresses = link.addresses.map((address): AddressEntry => {
    const progress = isIp4(address.cidr.ip) ? undefined : memory.get(address.cidr.ip)
    if (progress === undefined || (progress.found === null && isSame(address.dad, progress))) return address
    const { found, left, dueMs, nonce } = progress
    return { ...address, dad: found ?? { left, dueMs, nonce } }
  })
  return addresses.every((address, at) => address === link.addresses[at]) ? link : linkWith(link, { addresses })
}

/** A namespace's links with how far asking has come. All that was tentative still is, so nothing else about them changes. */
export const closeDad = (devices: Iterable<Device | null>, entry: NsEntry): NsEntry => {
  let { links } = entry
  for (const dev of devices) {
    const link = dev === null || dev.dad === null ? undefined : getIn(entry.links, dev.name)
    if (dev === null || dev.dad === null || link === undefined) continue
    const held = heldBy(link, dev.dad)
    if (held !== link) links = setIn(links, dev.name, held)
  }
  if (links === entry.links) return entry
  onlyLearned(entry.links, links)
  return nsWith(entry, { links })
}

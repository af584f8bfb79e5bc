// The devices on a device, by what a frame is found to be theirs by: a tag, a MAC, an address. Made when a frame first comes by.
// Sources: net/8021q/vlan.h (vlan_find_dev), drivers/net/macvlan.c (macvlan_hash_lookup), drivers/net/ipvlan/ipvlan_core.c
// (ipvlan_addr_lookup): macvlans and ipvlans that are down are not looked for.

import type { VlanProtocol } from '../../../kernel/rtnl/kind.ts'
import type { Ip } from '../../../net/ip.ts'
import type { Mac } from '../../../net/mac.ts'
import type { Spec } from '../../link-entry.ts'
import { type Device, deviceAt } from '../plane.ts'

export type Stacked = Readonly<{
  vlans: ReadonlyMap<number, Device>
  /** In the order in which they hear a broadcast. */
  macvlans: ReadonlyArray<Device>
  ofMac: ReadonlyMap<Mac, Device>
  /** A passthru macvlan, which has the device for itself. */
  passthru: Device | null
  ipvlans: ReadonlyArray<Device>
  ofIp: ReadonlyMap<Ip, Device>
}>

const VIDS = 4096
const vlanKey = (protocol: VlanProtocol, vid: number): number => (protocol === '802.1Q' ? vid : VIDS + vid)

const GOLDEN_RATIO = 0x61c8864680b583ebn

/** macvlan_eth_hash: the first byte of a MAC is the lowest of its number. */
const bucketOf = (mac: Mac): number => {
  let value = 0n
  for (let rest: number = mac; rest > 0; rest = Math.floor(rest / 256)) value = (value << 8n) | BigInt(rest % 256)
  return Number(BigInt.asUintN(64, (value << 16n) * GOLDEN_RATIO) >> 56n)
}

/** As macvlan_broadcast goes through its table; within a bucket the last one is first. */
const inBuckets = (macvlans: ReadonlyArray<Device>): ReadonlyArray<Device> =>
  macvlans
    .map((on) => ({ on, bucket: bucketOf(on.link.mac) }))
    .reverse()
    .sort((a, b) => a.bucket - b.bucket)
    .map(({ on }) => on)

const stackedOn = (dev: Device): Stacked => {
  const above = dev.link.above.flatMap((place) => deviceAt(dev.space, place) ?? [])
  const those = (type: Spec['type']) => above.filter(({ link }) => link.spec.type === type)
  const vlans = those('vlan').flatMap((on) =>
    on.link.spec.type === 'vlan' ? [[vlanKey(on.link.spec.protocol, on.link.spec.id), on] as const] : [],
  )
  // Linux asks the last one first (hlist_add_head_rcu).
  const listed = those('macvlan').filter(({ link }) => link.up)
  const macvlans = listed.length < 2 ? listed : inBuckets(listed)
  const ipvlans = those('ipvlan').filter(({ link }) => link.up)
  return {
    vlans: new Map(vlans),
    macvlans,
    ofMac: new Map(listed.map((on) => [on.link.mac, on])),
    passthru: macvlans.find(({ link: { spec } }) => spec.type === 'macvlan' && spec.mode === 'passthru') ?? null,
    ipvlans,
    ofIp: new Map(ipvlans.flatMap((on) => on.link.addresses.map(({ cidr }) => [cidr.ip, on] as const))),
  }
}

export const stackedOf = (dev: Device): Stacked => {
  if (dev.stacked === null) dev.stacked = stackedOn(dev)
  return dev.stacked
}

export const vlanOn = (dev: Device, protocol: VlanProtocol, vid: number): Device | null =>
  stackedOf(dev).vlans.get(vlanKey(protocol, vid)) ?? null

/** Whether a device hears what is for others, for the sake of a port's bridge or of those on it (IFF_PROMISC). */
export const isPromiscuous = (dev: Device): boolean => {
  const { port, filter, above } = dev.link
  if (port !== null || filter.promisc) return true
  if (above.length === 0) return false
  const { macvlans, vlans, passthru } = stackedOf(dev)
  return (
    passthru !== null ||
    macvlans.some(isPromiscuous) ||
    [...vlans.values()].some((on) => on.link.up && isPromiscuous(on))
  )
}

// Addresses: RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR. IFA_LOCAL is the interface's own address; IFA_ADDRESS is the other end's on a
// point-to-point link and the same elsewhere; IPv6 often has only the latter.
// Source: include/uapi/linux/if_addr.h, net/ipv4/devinet.c, net/ipv6/addrconf.c.

import type { Cidr } from '../../../net/cidr.ts'
import { type Ip4, isIp4, isLoopback } from '../../../net/ip.ts'
import { LITTLE_ENDIAN, take, viewOf, written } from '../bytes.ts'
import { fields, ip4Address, ipAddress, s32, text, u8, u32, type ValuesOf } from '../field.ts'
import type { Request } from '../message.ts'
import { AF_INET, AF_INET6, AF_UNSPEC, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL } from '../uapi/netlink.ts'
import * as R from '../uapi/route.ts'
import { RTM_DELADDR, RTM_GETADDR, RTM_NEWADDR } from '../uapi/rtnetlink.ts'

const ADDRESS = {
  local: ipAddress(R.IFA_LOCAL),
  address: ipAddress(R.IFA_ADDRESS),
  broadcast: ip4Address(R.IFA_BROADCAST),
  label: text(R.IFA_LABEL),
  /** IFA_F_*; these count, not those of the header, which has room for eight. */
  allFlags: u32(R.IFA_FLAGS),
  /** Metric of the prefix's route. */
  priority: u32(R.IFA_RT_PRIORITY),
  proto: u8(R.IFA_PROTO),
  targetNetnsid: s32(R.IFA_TARGET_NETNSID),
}
const address = fields(ADDRESS)

/** struct ifaddrmsg. `index`: of the link. */
export type AddressHeader = Readonly<{ family: number; bits: number; flags: number; scope: number; index: number }>
export type AddressMessage = AddressHeader & ValuesOf<typeof ADDRESS>

const HEADER_SIZE = 8

export const encodeAddress = (message: AddressMessage): Uint8Array =>
  written((out) => {
    const { view } = out
    const at = take(out, HEADER_SIZE)
    view.setUint8(at, message.family)
    view.setUint8(at + 1, message.bits)
    view.setUint8(at + 2, message.flags)
    view.setUint8(at + 3, message.scope)
    view.setUint32(at + 4, message.index, LITTLE_ENDIAN)
    address.write(out, message)
  })

/** Null: not well-formed. */
export const decodeAddress = (body: Uint8Array): AddressMessage | null => {
  if (body.length < HEADER_SIZE) return null
  const view = viewOf(body)
  const attrs = address.decode(view, HEADER_SIZE, body.length)
  if (attrs === null) return null
  const header: AddressHeader = {
    family: view.getUint8(0),
    bits: view.getUint8(1),
    flags: view.getUint8(2),
    scope: view.getUint8(3),
    index: view.getUint32(4, LITTLE_ENDIAN),
  }
  return Object.assign(attrs, header)
}

/** An address that the link with this index is to have. `flags`: IFA_F_*. */
export type AddressWish = Readonly<{ index: number; cidr: Cidr; flags?: number; broadcast?: Ip4 }>

const body = ({ index, cidr: { ip, bits }, flags, broadcast }: AddressWish): Uint8Array =>
  encodeAddress({
    family: isIp4(ip) ? AF_INET : AF_INET6,
    bits,
    flags: 0,
    // As ip-address(8) has it; IPv6 finds the scope by itself.
    scope: isIp4(ip) && isLoopback(ip) ? R.RT_SCOPE_HOST : R.RT_SCOPE_UNIVERSE,
    index,
    local: ip,
    address: ip,
    ...(broadcast === undefined ? {} : { broadcast }),
    ...(flags === undefined ? {} : { allFlags: flags }),
  })

/** EEXIST if the link has it; ENODEV without the link; EACCES if IPv6 is off there. */
export const addAddress = (wish: AddressWish): Request => ({
  type: RTM_NEWADDR,
  flags: NLM_F_CREATE | NLM_F_EXCL,
  body: body(wish),
})

/** EADDRNOTAVAIL if the link has it not. */
export const deleteAddress = (wish: AddressWish): Request => ({ type: RTM_DELADDR, flags: 0, body: body(wish) })

/** All addresses; of one link if asked. */
export const dumpAddresses = (of: Readonly<{ index?: number; targetNetnsid?: number }> = {}): Request => ({
  type: RTM_GETADDR,
  flags: NLM_F_DUMP,
  body: encodeAddress({
    family: AF_UNSPEC,
    bits: 0,
    flags: 0,
    scope: 0,
    index: of.index ?? 0,
    ...(of.targetNetnsid === undefined ? {} : { targetNetnsid: of.targetNetnsid }),
  }),
})

/** The address a link has, with its prefix; null in messages without one. */
export const cidrOf = ({ local, address: other, bits }: AddressMessage): Cidr | null => {
  const ip = local ?? other
  return ip === undefined ? null : { ip, bits }
}

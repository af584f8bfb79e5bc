// Addresses: RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR. IFA_LOCAL is the interface's own address; IFA_ADDRESS is the other end's on a
// point-to-point link and the same elsewhere; IPv6 often has only the latter.
// Source: include/uapi/linux/if_addr.h, net/ipv4/devinet.c, net/ipv6/addrconf.c.

import type { Cidr } from '../../../net/cidr.ts'
import { type Ip4, isIp4, isLoopback } from '../../../net/ip.ts'
import { ip4Address, ipAddress, s32, text, u8, u32 } from '../field.ts'
import { familyOf, type Read, U8, U32 } from '../format.ts'
import { ADD, request } from '../message.ts'
import { body, struct } from '../struct.ts'
import { NLM_F_DUMP } from '../uapi/netlink.ts'
import * as R from '../uapi/route.ts'
import { RTM_DELADDR, RTM_GETADDR, RTM_NEWADDR } from '../uapi/rtnetlink.ts'

/** struct ifaddrmsg. `index`: of the link. */
export const IFADDRMSG = struct(8, {
  family: [0, U8],
  bits: [1, U8],
  flags: [2, U8],
  scope: [3, U8],
  index: [4, U32],
})

const ADDRESS = body(IFADDRMSG, {
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
})
export type AddressMessage = Read<typeof ADDRESS>
export const { encode: encodeAddress, decode: decodeAddress } = ADDRESS

/** An address that the link with this index is to have. `flags`: IFA_F_*. */
export type AddressWish = Readonly<{ index: number; cidr: Cidr; flags?: number; broadcast?: Ip4 }>

const wished = ({ index, cidr: { ip, bits }, flags, broadcast }: AddressWish): Uint8Array =>
  encodeAddress({
    family: familyOf(ip),
    bits,
    // As ip-address(8) has it; IPv6 finds the scope by itself.
    scope: isIp4(ip) && isLoopback(ip) ? R.RT_SCOPE_HOST : R.RT_SCOPE_UNIVERSE,
    index,
    local: ip,
    address: ip,
    broadcast,
    allFlags: flags,
  })

/** EEXIST if the link has it; ENODEV without the link; EACCES if IPv6 is off there. */
export const addAddress = request(RTM_NEWADDR, ADD, wished)
/** EADDRNOTAVAIL if the link has it not. */
export const deleteAddress = request(RTM_DELADDR, 0, wished)

/** All addresses; of one link if asked. */
export const dumpAddresses = request(
  RTM_GETADDR,
  NLM_F_DUMP,
  (of: Readonly<{ index?: number; targetNetnsid?: number }> = {}) => encodeAddress(of),
)

/** The address a link has, with its prefix; null in messages without one. */
export const cidrOf = ({ local, address: other, bits }: AddressMessage): Cidr | null => {
  const ip = local ?? other
  return ip === undefined ? null : { ip, bits }
}

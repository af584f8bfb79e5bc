// Routing rules: RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE.
// Source: include/uapi/linux/fib_rules.h, net/core/fib_rules.c.

import type { Cidr } from '../../../net/cidr.ts'
import { ipAddress, text, u8, u32, type ValuesOf } from '../field.ts'
import { type Read, U8, U32 } from '../format.ts'
import { ADD, request } from '../message.ts'
import { body, struct } from '../struct.ts'
import { NLM_F_DUMP } from '../uapi/netlink.ts'
import * as R from '../uapi/route.ts'
import { RTM_DELRULE, RTM_GETRULE, RTM_NEWRULE } from '../uapi/rtnetlink.ts'

/** struct fib_rule_hdr. `action`: FR_ACT_*, `flags`: FIB_RULE_*. */
export const FIB_RULE_HDR = struct(12, {
  family: [0, U8],
  dstBits: [1, U8],
  srcBits: [2, U8],
  tos: [3, U8],
  table: [4, U8],
  action: [7, U8],
  flags: [8, U32],
})

const RULE = {
  dst: ipAddress(R.FRA_DST),
  src: ipAddress(R.FRA_SRC),
  iifname: text(R.FRA_IIFNAME),
  oifname: text(R.FRA_OIFNAME),
  goto: u32(R.FRA_GOTO),
  priority: u32(R.FRA_PRIORITY),
  fwmark: u32(R.FRA_FWMARK),
  fwmask: u32(R.FRA_FWMASK),
  suppressPrefixlen: u32(R.FRA_SUPPRESS_PREFIXLEN),
  suppressIfgroup: u32(R.FRA_SUPPRESS_IFGROUP),
  /** The table; that of the header has eight bits. */
  allTable: u32(R.FRA_TABLE),
  protocol: u8(R.FRA_PROTOCOL),
  ipProto: u8(R.FRA_IP_PROTO),
}
const rule = body(FIB_RULE_HDR, RULE)
export type RuleMessage = Read<typeof rule>
export const { encode: encodeRule, decode: decodeRule } = rule

/** `family`: AF_INET or AF_INET6. `action` FR_ACT_TO_TBL, which looks `table` up, if not given. */
export type RuleWish = Readonly<{ family: number; from?: Cidr; to?: Cidr; table?: number; action?: number }> &
  Omit<ValuesOf<typeof RULE>, 'dst' | 'src' | 'allTable'>

const wished = ({ from, to, table, action = R.FR_ACT_TO_TBL, ...rest }: RuleWish): Uint8Array =>
  encodeRule({
    ...rest,
    action,
    dstBits: to?.bits,
    srcBits: from?.bits,
    dst: to?.ip,
    src: from?.ip,
    allTable: table,
  })

/** EEXIST if there is the same. Without a priority the kernel gives one. */
export const addRule = request(RTM_NEWRULE, ADD, wished)
/** The first rule that has all that is given. ENOENT if there is none. */
export const deleteRule = request(RTM_DELRULE, 0, wished)

export const dumpRules = request(RTM_GETRULE, NLM_F_DUMP, (family: number) => encodeRule({ family }))

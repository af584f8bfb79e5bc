// Routing rules: RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE.
// Source: include/uapi/linux/fib_rules.h, net/core/fib_rules.c.

import type { Cidr } from '../../../net/cidr.ts'
import { LITTLE_ENDIAN, take, viewOf, written } from '../bytes.ts'
import { fields, ipAddress, text, u8, u32, type ValuesOf } from '../field.ts'
import type { Request } from '../message.ts'
import { NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL } from '../uapi/netlink.ts'
import * as R from '../uapi/route.ts'
import { RTM_DELRULE, RTM_GETRULE, RTM_NEWRULE } from '../uapi/rtnetlink.ts'

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
const rule = fields(RULE)

/** struct fib_rule_hdr. `action`: FR_ACT_*, `flags`: FIB_RULE_*. */
export type RuleHeader = Readonly<{
  family: number
  dstBits: number
  srcBits: number
  tos: number
  table: number
  action: number
  flags: number
}>
export type RuleMessage = RuleHeader & ValuesOf<typeof RULE>

const HEADER_SIZE = 12

export const encodeRule = (message: RuleMessage): Uint8Array =>
  written((out) => {
    const { view } = out
    const at = take(out, HEADER_SIZE)
    view.setUint8(at, message.family)
    view.setUint8(at + 1, message.dstBits)
    view.setUint8(at + 2, message.srcBits)
    view.setUint8(at + 3, message.tos)
    view.setUint8(at + 4, message.table)
    view.setUint8(at + 7, message.action)
    view.setUint32(at + 8, message.flags, LITTLE_ENDIAN)
    rule.write(out, message)
  })

/** Null: not well-formed. */
export const decodeRule = (body: Uint8Array): RuleMessage | null => {
  if (body.length < HEADER_SIZE) return null
  const view = viewOf(body)
  const attrs = rule.decode(view, HEADER_SIZE, body.length)
  if (attrs === null) return null
  const header: RuleHeader = {
    family: view.getUint8(0),
    dstBits: view.getUint8(1),
    srcBits: view.getUint8(2),
    tos: view.getUint8(3),
    table: view.getUint8(4),
    action: view.getUint8(7),
    flags: view.getUint32(8, LITTLE_ENDIAN),
  }
  return Object.assign(attrs, header)
}

/** `family`: AF_INET or AF_INET6. `action` FR_ACT_TO_TBL, which looks `table` up, if not given. */
export type RuleWish = Readonly<{ family: number; from?: Cidr; to?: Cidr; table?: number; action?: number }> &
  Omit<ValuesOf<typeof RULE>, 'dst' | 'src' | 'allTable'>

const body = ({ family, from, to, table, action = R.FR_ACT_TO_TBL, ...rest }: RuleWish): Uint8Array =>
  encodeRule({
    ...rest,
    family,
    dstBits: to?.bits ?? 0,
    srcBits: from?.bits ?? 0,
    tos: 0,
    table: 0,
    action,
    flags: 0,
    ...(to === undefined ? {} : { dst: to.ip }),
    ...(from === undefined ? {} : { src: from.ip }),
    ...(table === undefined ? {} : { allTable: table }),
  })

/** EEXIST if there is the same. Without a priority the kernel gives one. */
export const addRule = (wish: RuleWish): Request => ({
  type: RTM_NEWRULE,
  flags: NLM_F_CREATE | NLM_F_EXCL,
  body: body(wish),
})

/** The first rule that has all that is given. ENOENT if there is none. */
export const deleteRule = (wish: RuleWish): Request => ({ type: RTM_DELRULE, flags: 0, body: body(wish) })

export const dumpRules = (family: number): Request => ({
  type: RTM_GETRULE,
  flags: NLM_F_DUMP,
  body: encodeRule({ family, dstBits: 0, srcBits: 0, tos: 0, table: 0, action: 0, flags: 0 }),
})

// The kernel's answer to one request: done, or an errno with its own sentence (extended acknowledgement) and the attribute it
// stumbled over, found again in the request by its offset.

import type { Errno } from '../../kernel/errno.ts'
import { eachAttr } from './attr.ts'
import { viewOf } from './bytes.ts'
import { IFADDRMSG } from './codec/address.ts'
import { IFINFOMSG } from './codec/link-base.ts'
import { NDMSG } from './codec/neigh.ts'
import { RTGENMSG } from './codec/nsid.ts'
import { RTMSG } from './codec/route.ts'
import { FIB_RULE_HDR } from './codec/rule.ts'
import { errnoOf } from './errno.ts'
import type { Request, Verdict } from './message.ts'
import * as IfLink from './uapi/if-link.ts'
import { NLA_F_NESTED, NLA_HDRLEN, NLMSG_HDRLEN } from './uapi/netlink.ts'
import * as Route from './uapi/route.ts'
import { RTM_NEWADDR, RTM_NEWLINK, RTM_NEWNEIGH, RTM_NEWNSID, RTM_NEWROUTE, RTM_NEWRULE } from './uapi/rtnetlink.ts'

/**
 * `code` 0: done, and the rest is null, but for a warning in `text`. `errno` is `code` among the names both kernels speak.
 * `attribute`: the offending one, such as `IFLA_LINKINFO/2/1`: a name, and the types within it. `missing`: one that was needed.
 */
export type Ack = Readonly<{
  code: number
  errno: Errno | null
  text: string | null
  attribute: string | null
  missing: string | null
}>

type Family = Readonly<{ header: number; names: ReadonlyMap<number, string> }>

const namesOf = (module: Readonly<Record<string, number>>, pattern: RegExp): ReadonlyMap<number, string> =>
  new Map(Object.entries(module).flatMap(([name, type]) => (pattern.test(name) ? [[type, name] as const] : [])))

/** By the first message type of each four (RTM_NEWx, RTM_DELx, RTM_GETx, RTM_SETx): the size of its header, and its attributes. */
const FAMILIES: ReadonlyMap<number, Family> = new Map([
  [
    RTM_NEWLINK,
    {
      header: IFINFOMSG.size,
      names: namesOf(IfLink, /^IFLA_(?!(BR|BRPORT|BRIDGE|INFO|INET6|VLAN|MACVLAN|IPVLAN|VXLAN|TUN)_)/),
    },
  ],
  [RTM_NEWADDR, { header: IFADDRMSG.size, names: namesOf(Route, /^IFA_(?!F_)/) }],
  [RTM_NEWROUTE, { header: RTMSG.size, names: namesOf(Route, /^RTA_/) }],
  [RTM_NEWNEIGH, { header: NDMSG.size, names: namesOf(Route, /^NDA_/) }],
  [RTM_NEWRULE, { header: FIB_RULE_HDR.size, names: namesOf(Route, /^FRA_/) }],
  [RTM_NEWNSID, { header: RTGENMSG.size, names: namesOf(Route, /^NETNSA_(?!NSID_)/) }],
])

const familyOf = (type: number): Family | undefined => FAMILIES.get(type - (type % 4))

const nameOf = (family: Family | undefined, type: number): string => family?.names.get(type) ?? `attribute ${type}`

/** The types of the attributes around a place, outermost first; empty if it is in none. */
const pathTo = (view: DataView, from: number, to: number, place: number): ReadonlyArray<number> => {
  let path: ReadonlyArray<number> = []
  eachAttr(view, from, to, (type, flags, start, end) => {
    if (place < start - NLA_HDRLEN || place >= end) return
    const inner = (flags & NLA_F_NESTED) !== 0 && place >= start ? pathTo(view, start, end, place) : []
    path = [type, ...inner]
  })
  return path
}

/** The attribute that begins `offset` bytes into the message; null if the offset points into its headers. */
export const attributeAt = ({ type, body }: Request, offset: number): string | null => {
  const family = familyOf(type)
  if (family === undefined) return null
  const [outer, ...inner] = pathTo(viewOf(body), family.header, body.length, offset - NLMSG_HDRLEN)
  return outer === undefined ? null : [nameOf(family, outer), ...inner].join('/')
}

export const DONE: Ack = { code: 0, errno: null, text: null, attribute: null, missing: null }

export const ackOf = (request: Request, { code, text, offset, missing }: Verdict): Ack =>
  code === 0 && text === null
    ? DONE
    : {
        code,
        errno: code === 0 ? null : errnoOf(code),
        text,
        attribute: offset === null ? null : attributeAt(request, offset),
        missing: missing === null ? null : nameOf(familyOf(request.type), missing),
      }

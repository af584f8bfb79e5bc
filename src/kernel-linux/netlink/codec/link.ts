// Links: RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK. RTM_NEWLINK without NLM_F_CREATE changes what is there.
// Source: include/uapi/linux/{rtnetlink,if_link}.h, net/core/rtnetlink.c.

import { fields, nest, u8, type ValuesOf } from '../field.ts'
import type { Read } from '../format.ts'
import { ADD, request } from '../message.ts'
import { body } from '../struct.ts'
import * as L from '../uapi/if-link.ts'
import { AF_INET6, NLM_F_DUMP, NLM_F_ECHO } from '../uapi/netlink.ts'
import { RTEXT_FILTER_SKIP_STATS, RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK } from '../uapi/rtnetlink.ts'
import { LINK_INFOS } from './kinds.ts'
import { BASE, IFINFOMSG } from './link-base.ts'

const LINK = {
  ...BASE,
  linkinfo: nest(L.IFLA_LINKINFO, LINK_INFOS),
  /** `addrGenMode`: IN6_ADDR_GEN_MODE_*. */
  afSpec: nest(
    L.IFLA_AF_SPEC,
    fields({ inet6: nest(AF_INET6, fields({ addrGenMode: u8(L.IFLA_INET6_ADDR_GEN_MODE) })) }),
  ),
}
const link = body(IFINFOMSG, LINK)
export type LinkMessage = Read<typeof link>
export const { encode: encodeLink, decode: decodeLink } = link

/** What a request says of a link: its attributes, and `up` in place of the flags. */
export type LinkWish = Readonly<{ index?: number; up?: boolean }> & ValuesOf<typeof LINK>

const wished = ({ up, ...rest }: LinkWish): Uint8Array =>
  encodeLink({ ...rest, flags: up === true ? L.IFF_UP : 0, change: up === undefined ? 0 : L.IFF_UP })

/** At creation the kernel passes these over without a word (rtnl_create_link): a `changeLink` behind brings them. */
type OnlyLater = 'alias' | 'afSpec'

/** Makes a link; `linkinfo.info` says which kind. EEXIST if the name or the index is taken, EBUSY if the index of a peer is. */
export const createLink = request(RTM_NEWLINK, ADD, (wish: Omit<LinkWish, OnlyLater>) => wished(wish))

/** The same, answered with what was made. Kernels before 6.2 answer nothing but that it was. */
export const createLinkTold = request(RTM_NEWLINK, ADD | NLM_F_ECHO, (wish: Omit<LinkWish, OnlyLater>) => wished(wish))

/** Changes a link, which it finds by `index`, or by `name` if there is none. ENODEV if it is not there. */
export const changeLink = request(RTM_NEWLINK, 0, wished)

/** Deletes one link, or all of a group at once. Takes some 20 ms, however many there are: the kernel waits for RCU. */
export const deleteLink = request(
  RTM_DELLINK,
  0,
  (which: Readonly<{ index: number } | { name: string } | { group: number }>) => encodeLink(which),
)

/** One link, in a conversation's `ask`. ENODEV if it is not there. */
export const getLink = request(RTM_GETLINK, 0, (which: Readonly<{ index: number } | { name: string }>) =>
  encodeLink({ ...which, extMask: RTEXT_FILTER_SKIP_STATS }),
)

/** All links, without their counters; of one master or one namespace if asked. */
export const dumpLinks = request(
  RTM_GETLINK,
  NLM_F_DUMP,
  (of: Readonly<{ master?: number; targetNetnsid?: number }> = {}) =>
    encodeLink({ ...of, extMask: RTEXT_FILTER_SKIP_STATS }),
)

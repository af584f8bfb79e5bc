// Links: RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK. RTM_NEWLINK without NLM_F_CREATE changes what is there.
// Source: include/uapi/linux/{rtnetlink,if_link}.h, net/core/rtnetlink.c.

import { viewOf, written } from '../bytes.ts'
import { type Field, fields, nest, u8, type ValuesOf } from '../field.ts'
import type { Request } from '../message.ts'
import * as L from '../uapi/if-link.ts'
import { AF_INET6, AF_UNSPEC, NLA_F_NESTED, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL } from '../uapi/netlink.ts'
import { RTEXT_FILTER_SKIP_STATS, RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK } from '../uapi/rtnetlink.ts'
import { type LinkInfos, linkInfosIn, putLinkInfos } from './kinds.ts'
import {
  BASE,
  LINK_HEADER_SIZE,
  type LinkAttrs,
  type LinkHeader,
  linkHeaderIn,
  type Peer,
  putLinkHeader,
} from './link-base.ts'

const linkInfos: Field<LinkInfos> = {
  type: L.IFLA_LINKINFO,
  flags: NLA_F_NESTED,
  write: putLinkInfos,
  read: linkInfosIn,
}

const LINK = {
  ...BASE,
  linkinfo: linkInfos,
  /** `addrGenMode`: IN6_ADDR_GEN_MODE_*. */
  afSpec: nest(
    L.IFLA_AF_SPEC,
    fields({ inet6: nest(AF_INET6, fields({ addrGenMode: u8(L.IFLA_INET6_ADDR_GEN_MODE) })) }),
  ),
}
const link = fields(LINK)

export type LinkMessage = LinkHeader & ValuesOf<typeof LINK>

export const encodeLink = (message: LinkMessage): Uint8Array =>
  written((out) => {
    putLinkHeader(out, message)
    link.write(out, message)
  })

/** Null: not well-formed. */
export const decodeLink = (body: Uint8Array): LinkMessage | null => {
  if (body.length < LINK_HEADER_SIZE) return null
  const view = viewOf(body)
  const attrs = link.decode(view, LINK_HEADER_SIZE, body.length)
  return attrs === null ? null : Object.assign(attrs, linkHeaderIn(view, 0))
}

export const ANY_LINK: LinkHeader = { family: AF_UNSPEC, type: 0, index: 0, flags: 0, change: 0 }

/** What a request says of a link: its attributes, and `up` in place of the flags. */
export type LinkWish = Readonly<{ index?: number; up?: boolean }> & ValuesOf<typeof LINK>

const asked = ({ up, index = 0, ...attrs }: LinkWish): LinkMessage => ({
  ...ANY_LINK,
  ...attrs,
  index,
  flags: up === true ? L.IFF_UP : 0,
  change: up === undefined ? 0 : L.IFF_UP,
})

/** A veth's other end, down: the kernel refuses one that is up (ENOTCONN). `netNsFd` says where it goes. */
export const peerOf = (wish: Readonly<{ index?: number }> & LinkAttrs): Peer => ({
  ...ANY_LINK,
  ...wish,
  index: wish.index ?? 0,
})

/** At creation the kernel passes these over without a word (rtnl_create_link): a `changeLink` behind brings them. */
type OnlyLater = 'alias' | 'afSpec'

/**
 * Makes a link; `linkinfo.info` says which kind. EEXIST if the name or the index is taken, EBUSY if
 * the index of a peer is. */
export const createLink = (wish: Omit<LinkWish, OnlyLater>): Request => ({
  type: RTM_NEWLINK,
  flags: NLM_F_CREATE | NLM_F_EXCL,
  body: encodeLink(asked(wish)),
})

/** Changes a link, which it finds by `index`, or by `name` if there is none. ENODEV if it is not there. */
export const changeLink = (wish: LinkWish): Request => ({
  type: RTM_NEWLINK,
  flags: 0,
  body: encodeLink(asked(wish)),
})

/** Deletes one link, or all of a group at once. Takes some 20 ms, however many there are: the kernel waits for RCU. */
export const deleteLink = (which: Readonly<{ index: number } | { name: string } | { group: number }>): Request => ({
  type: RTM_DELLINK,
  flags: 0,
  body: encodeLink(asked(which)),
})

/** One link, in a conversation's `ask`. ENODEV if it is not there. */
export const getLink = (which: Readonly<{ index: number } | { name: string }>): Request => ({
  type: RTM_GETLINK,
  flags: 0,
  body: encodeLink(asked({ ...which, extMask: RTEXT_FILTER_SKIP_STATS })),
})

/** All links, without their counters; of one master or one namespace if asked. */
export const dumpLinks = (of: Readonly<{ master?: number; targetNetnsid?: number }> = {}): Request => ({
  type: RTM_GETLINK,
  flags: NLM_F_DUMP,
  body: encodeLink(asked({ ...of, extMask: RTEXT_FILTER_SKIP_STATS })),
})

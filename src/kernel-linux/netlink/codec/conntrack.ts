// Tracked connections: IPCTNL_MSG_CT_GET, IPCTNL_MSG_CT_DELETE, IPCTNL_MSG_CT_GET_STATS. Each is known by the tuple of its first packet and of its answer;
// ports are in network byte order, the id is a number that is handed back as it came.
// Source: include/uapi/linux/netfilter/nfnetlink_conntrack.h, include/linux/netfilter/nf_internals.h (CTA_FILTER_F_*),
// net/netfilter/nf_conntrack_netlink.c.

import type { Family } from '../../../net/ip.ts'
import { be16, be32, fields, ip4Address, ip6Address, nest, u8, u16, u32 } from '../field.ts'
import { type Read, U8 } from '../format.ts'
import { request } from '../message.ts'
import { body, struct } from '../struct.ts'
import { AF_INET, AF_INET6, NLM_F_DUMP } from '../uapi/netlink.ts'

const NFNL_SUBSYS_CTNETLINK = 1
const IPCTNL_MSG_CT_GET = 1
const IPCTNL_MSG_CT_DELETE = 2
const IPCTNL_MSG_CT_GET_STATS = 5

const CTA_TUPLE_ORIG = 1
const CTA_TUPLE_REPLY = 2
const CTA_ID = 12
const CTA_ZONE = 18
const CTA_FILTER = 25
const CTA_TUPLE_IP = 1
const CTA_TUPLE_PROTO = 2
const CTA_TUPLE_ZONE = 3
const CTA_IP_V4_SRC = 1
const CTA_IP_V4_DST = 2
const CTA_IP_V6_SRC = 3
const CTA_IP_V6_DST = 4
const CTA_PROTO_NUM = 1
const CTA_PROTO_SRC_PORT = 2
const CTA_PROTO_DST_PORT = 3
const CTA_FILTER_ORIG_FLAGS = 1
const CTA_FILTER_REPLY_FLAGS = 2
const CTA_STATS_GLOBAL_ENTRIES = 1
const CTA_FILTER_F_CTA_PROTO_NUM = 1 << 3
const CTA_FILTER_F_CTA_PROTO_DST_PORT = 1 << 5

/** struct nfgenmsg; the rest of it is 0. */
const NFGENMSG = struct(4, { family: [0, U8] })

const TUPLE = fields({
  ip: nest(
    CTA_TUPLE_IP,
    fields({
      src4: ip4Address(CTA_IP_V4_SRC),
      dst4: ip4Address(CTA_IP_V4_DST),
      src6: ip6Address(CTA_IP_V6_SRC),
      dst6: ip6Address(CTA_IP_V6_DST),
    }),
  ),
  proto: nest(
    CTA_TUPLE_PROTO,
    fields({ num: u8(CTA_PROTO_NUM), sport: be16(CTA_PROTO_SRC_PORT), dport: be16(CTA_PROTO_DST_PORT) }),
  ),
  zone: u16(CTA_TUPLE_ZONE),
})

const CONNECTION = body(NFGENMSG, {
  original: nest(CTA_TUPLE_ORIG, TUPLE),
  reply: nest(CTA_TUPLE_REPLY, TUPLE),
  id: u32(CTA_ID),
  zone: u16(CTA_ZONE),
  filter: nest(CTA_FILTER, fields({ original: u32(CTA_FILTER_ORIG_FLAGS), reply: u32(CTA_FILTER_REPLY_FLAGS) })),
})
export type ConnectionMessage = Read<typeof CONNECTION>
export const { decode: decodeConnection } = CONNECTION

const ofConntrack = (message: number): number => (NFNL_SUBSYS_CTNETLINK << 8) | message

/**
 * The connections of a family, or of those the ones that began with a packet of a protocol to a port. The kernel may give others as
 * well: before 5.8 it gives all, and of SCTP those of every port. (Of addresses of IPv6 it gives the wrong ones: its comparison is inverted.)
 */
export const dumpConnections = request(
  ofConntrack(IPCTNL_MSG_CT_GET),
  NLM_F_DUMP,
  (family: Family, began: Readonly<{ proto: number; port: number }> | null) =>
    CONNECTION.encode({
      family: family === 4 ? AF_INET : AF_INET6,
      ...(began === null
        ? {}
        : {
            original: { proto: { num: began.proto, dport: began.port } },
            filter: { original: CTA_FILTER_F_CTA_PROTO_NUM | CTA_FILTER_F_CTA_PROTO_DST_PORT, reply: 0 },
          }),
    }),
)

/** ENOENT if it is not there, or another one has its tuple by now. */
export const deleteConnection = request(
  ofConntrack(IPCTNL_MSG_CT_DELETE),
  0,
  ({ family, original, id, zone }: ConnectionMessage) => CONNECTION.encode({ family, original, id, zone }),
)

const STATS = body(NFGENMSG, { connections: be32(CTA_STATS_GLOBAL_ENTRIES) })
export const { decode: decodeStats } = STATS

/** How many connections the namespace has. */
export const countConnections = request(ofConntrack(IPCTNL_MSG_CT_GET_STATS), 0, () => STATS.encode({ family: 0 }))

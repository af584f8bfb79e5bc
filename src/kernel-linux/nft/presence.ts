// Whether a namespace has a table of ours, asked of the kernel itself: of a thousand namespaces hardly one has, and the library
// takes half a millisecond to say so.
// Source: include/uapi/linux/netfilter/nf_tables.h, nfnetlink.h (struct nfgenmsg).

import { TABLE } from '../../kernel/firewall/skeleton.ts'
import { E, type Either } from '../../prelude.ts'
import { askAll } from '../netlink/conversation.ts'
import type { NetlinkError } from '../netlink/error.ts'
import { text } from '../netlink/field.ts'
import { U8 } from '../netlink/format.ts'
import { request } from '../netlink/message.ts'
import { HERE, openSocket } from '../netlink/socket.ts'
import { body, struct } from '../netlink/struct.ts'
import { NETLINK_NETFILTER } from '../netlink/uapi/netlink.ts'

const NFNL_SUBSYS_NFTABLES = 10
const NFT_MSG_GETTABLE = 1
const NFPROTO_INET = 1
const NFTA_TABLE_NAME = 1

/** struct nfgenmsg; the rest of it is 0. */
const NFGENMSG = struct(4, { family: [0, U8] })
const TABLES = body(NFGENMSG, { name: text(NFTA_TABLE_NAME) })

const getTable = request((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE, 0, (name: string) =>
  TABLES.encode({ family: NFPROTO_INET, name }),
)

/** Takes no lock that others hold for long (the kernel reads its tables under RCU). Left: as `openSocket`. */
export const hasTable = async (path: string | null): Promise<Either<NetlinkError, boolean>> => {
  const socket = openSocket(path === null ? HERE : { in: 'path', path }, { protocol: NETLINK_NETFILTER })
  if (E.isLeft(socket)) return socket
  try {
    const replies = await askAll(socket.right, [getTable(TABLE)], TABLES.decode, 'here')()
    return E.isLeft(replies) ? replies : E.right(replies.right[0]?.value?.name === TABLE)
  } finally {
    await socket.right.close()
  }
}

// A room says nothing by itself: what the kernel would tell others of groups, routers and neighbours, bridges would learn from, at
// moments of their own. A chain of nftables drops all that leaves a stack, in one transaction.
// Source: include/uapi/linux/netfilter/nfnetlink.h, nf_tables.h.

import { showNetlinkError } from '../../../src/kernel-linux/netlink/error.ts'
import { decodeMessages, verdictOf } from '../../../src/kernel-linux/netlink/message.ts'
import { openSocket } from '../../../src/kernel-linux/netlink/socket.ts'
import { NETLINK_NETFILTER } from '../../../src/kernel-linux/netlink/uapi/netlink.ts'
import { E } from '../../../src/prelude.ts'

type Bytes = ReadonlyArray<number>

const le16 = (n: number): Bytes => [n & 0xff, (n >> 8) & 0xff]
const le32 = (n: number): Bytes => [...le16(n & 0xffff), ...le16(n >>> 16)]
const be32 = (n: number): Bytes => [...le32(n)].reverse()
const padded = (bytes: Bytes): Bytes => [...bytes, ...Array<number>(-bytes.length & 3).fill(0)]
const text = (value: string): Bytes => [...new TextEncoder().encode(value), 0]
const attribute = (type: number, value: Bytes): Bytes => padded([...le16(4 + value.length), ...le16(type), ...value])
const NESTED = 0x8000

const NFNL_MSG_BATCH_BEGIN = 0x10
const NFNL_MSG_BATCH_END = 0x11
const NFNL_SUBSYS_NFTABLES = 10
const NFT_MSG_NEWTABLE = (NFNL_SUBSYS_NFTABLES << 8) | 0
const NFT_MSG_NEWCHAIN = (NFNL_SUBSYS_NFTABLES << 8) | 3
const NFPROTO_INET = 1
const NF_INET_LOCAL_OUT = 3
const NF_DROP = 0
const REQUEST = 1
const ACK = 4
const CREATE = 0x400

/** With the header of nfnetlink behind netlink's. */
const message = (type: number, flags: number, family: number, of: number, attributes: Bytes = []): Bytes => [
  ...le32(20 + attributes.length),
  ...le16(type),
  ...le16(REQUEST | flags),
  ...le32(1),
  ...le32(0),
  ...[family, 0, 0, of],
  ...attributes,
]

const BATCH = Uint8Array.from([
  ...message(NFNL_MSG_BATCH_BEGIN, 0, 0, NFNL_SUBSYS_NFTABLES),
  ...message(NFT_MSG_NEWTABLE, CREATE, NFPROTO_INET, 0, attribute(1, text('silence'))),
  ...message(NFT_MSG_NEWCHAIN, CREATE | ACK, NFPROTO_INET, 0, [
    ...attribute(1, text('silence')),
    ...attribute(3, text('out')),
    ...attribute(4 | NESTED, [...attribute(1, be32(NF_INET_LOCAL_OUT)), ...attribute(2, be32(0))]),
    ...attribute(5, be32(NF_DROP)),
    ...attribute(7, text('filter')),
  ]),
  ...message(NFNL_MSG_BATCH_END, 0, 0, NFNL_SUBSYS_NFTABLES),
])

const REPLY_BYTES = 1 << 13

/** Of the namespace that is open as `fd`. Throws if it cannot be. */
export const silence = async (fd: number): Promise<void> => {
  const opened = openSocket({ in: 'fd', fd }, { protocol: NETLINK_NETFILTER })
  if (E.isLeft(opened)) throw new Error(showNetlinkError(opened.left))
  const socket = opened.right
  try {
    const sent = await socket.send(BATCH, 'here')
    if (E.isLeft(sent)) throw new Error(showNetlinkError(sent.left))
    const reply = new Uint8Array(REPLY_BYTES)
    const heard = socket.receiveHere(reply)
    const size = E.isRight(heard) ? (heard.right ?? 0) : 0
    const [first] = decodeMessages(reply.subarray(0, size)) ?? []
    const code = first === undefined ? null : (verdictOf(first)?.code ?? null)
    if (code !== 0) throw new Error(`nftables: ${code === null ? 'no answer' : `error ${code}`}`)
  } finally {
    await socket.close()
  }
}

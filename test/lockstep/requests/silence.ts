// A room says nothing unasked: what the kernel would tell others of groups, and ask of routers, bridges would learn from, at moments
// of their own. A chain of nftables drops it, made in one transaction (a second one would wait for 10 ms, for readers to be gone).
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
const NFT_MSG_NEWRULE = (NFNL_SUBSYS_NFTABLES << 8) | 6
const NFPROTO_INET = 1
const NF_INET_LOCAL_OUT = 3
const [NF_DROP, NF_ACCEPT] = [0, 1]
const REQUEST = 1
const ACK = 4
const [CREATE, APPEND] = [0x400, 0x800]

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

type Message = (flags: number) => Bytes

/** One transaction; the last of its messages is answered. */
const batch = (...messages: ReadonlyArray<Message>): Uint8Array =>
  Uint8Array.from([
    ...message(NFNL_MSG_BATCH_BEGIN, 0, 0, NFNL_SUBSYS_NFTABLES),
    ...messages.flatMap((one, i) => one(i === messages.length - 1 ? ACK : 0)),
    ...message(NFNL_MSG_BATCH_END, 0, 0, NFNL_SUBSYS_NFTABLES),
  ])

const TABLE = text('silence')
const CHAIN = text('out')
const addTable: Message = (flags) => message(NFT_MSG_NEWTABLE, CREATE | flags, NFPROTO_INET, 0, attribute(1, TABLE))
/** Of what leaves a stack; of it passes what no rule drops. */
const addChain: Message = (flags) =>
  message(NFT_MSG_NEWCHAIN, CREATE | flags, NFPROTO_INET, 0, [
    ...attribute(1, TABLE),
    ...attribute(3, CHAIN),
    ...attribute(4 | NESTED, [...attribute(1, be32(NF_INET_LOCAL_OUT)), ...attribute(2, be32(0))]),
    ...attribute(5, be32(NF_ACCEPT)),
    ...attribute(7, text('filter')),
  ])

const REGISTER = be32(1)
const VERDICT = be32(0)
const META_L4PROTO = be32(16)
const TRANSPORT_HEADER = be32(2)
const [EQUAL, LESS_OR_EQUAL, GREATER_OR_EQUAL] = [0, 3, 5].map(be32) as [Bytes, Bytes, Bytes]

const expression = (name: string, data: Bytes): Bytes =>
  attribute(1 | NESTED, [...attribute(1, text(name)), ...attribute(2 | NESTED, data)])
const compared = (how: Bytes, byte: number): Bytes =>
  expression('cmp', [...attribute(1, REGISTER), ...attribute(2, how), ...attribute(3 | NESTED, attribute(1, [byte]))])
const isProtocol = (protocol: number): Bytes => [
  ...expression('meta', [...attribute(1, REGISTER), ...attribute(2, META_L4PROTO)]),
  ...compared(EQUAL, protocol),
]
const FIRST_BYTE = expression('payload', [
  ...attribute(1, REGISTER),
  ...attribute(2, TRANSPORT_HEADER),
  ...attribute(3, be32(0)),
  ...attribute(4, be32(1)),
])
const DROP = expression('immediate', [
  ...attribute(1, VERDICT),
  ...attribute(2 | NESTED, attribute(2 | NESTED, attribute(1, be32(NF_DROP)))),
])
const addRule =
  (...expressions: ReadonlyArray<Bytes>): Message =>
  (flags) =>
    message(NFT_MSG_NEWRULE, CREATE | APPEND | flags, NFPROTO_INET, 0, [
      ...attribute(1, TABLE),
      ...attribute(2, CHAIN),
      ...attribute(4 | NESTED, [...expressions, DROP].flat()),
    ])

const [IGMP, ICMP6] = [2, 58]
/** ICMPv6: of MLD, and what a host asks of routers; MLD's second version. */
const [FIRST_UNASKED, LAST_UNASKED, MLD2_REPORT] = [130, 133, 143]

const SILENCE = batch(
  addTable,
  addChain,
  addRule(isProtocol(IGMP)),
  addRule(
    isProtocol(ICMP6),
    FIRST_BYTE,
    compared(GREATER_OR_EQUAL, FIRST_UNASKED),
    compared(LESS_OR_EQUAL, LAST_UNASKED),
  ),
  addRule(isProtocol(ICMP6), FIRST_BYTE, compared(EQUAL, MLD2_REPORT)),
)

const REPLY_BYTES = 1 << 13

/** Of the namespace that is open as `fd`. Throws if it cannot be. */
export const silence = async (fd: number): Promise<void> => {
  const opened = openSocket({ in: 'fd', fd }, { protocol: NETLINK_NETFILTER })
  if (E.isLeft(opened)) throw new Error(showNetlinkError(opened.left))
  const socket = opened.right
  try {
    const sent = await socket.send(SILENCE, 'here')
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

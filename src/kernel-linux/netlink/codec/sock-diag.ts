// Sockets: SOCK_DIAG_BY_FAMILY (sock_diag(7)). A protocol that nobody uses yet is refused (ENOENT), and nothing is loaded for the question.
// Source: include/uapi/linux/{sock_diag,inet_diag}.h, net/ipv4/{inet_diag,tcp_diag,udp_diag}.c, net/sctp/diag.c.

import type { Transport } from '../../../net/port.ts'
import { bool } from '../field.ts'
import { BE16, IP4, IP6, type Read, U8, U32 } from '../format.ts'
import { request } from '../message.ts'
import { body, struct } from '../struct.ts'
import { NLM_F_DUMP } from '../uapi/netlink.ts'

const SOCK_DIAG_BY_FAMILY = 20
const INET_DIAG_SKV6ONLY = 11
const IPPROTO: Readonly<Record<Transport, number>> = { tcp: 6, udp: 17, sctp: 132 }

const TCP_CLOSE = 7
const TCP_LISTEN = 10

/** struct inet_diag_req_v2. `states`: a bit for each TCP_*. */
const REQUEST = struct(56, { family: [0, U8], protocol: [1, U8], states: [4, U32] })
/** struct inet_diag_msg; of an IPv4 socket's address only the first four bytes. */
const SOCKET = body(struct(72, { family: [0, U8], port: [4, BE16], ip4: [8, IP4], ip6: [8, IP6] }), {
  only6: bool(INET_DIAG_SKV6ONLY),
})
export type SocketMessage = Read<typeof SOCKET>
export const { decode: decodeSocket } = SOCKET

/** Those that wait for strangers: listening ones, and of UDP those without another end. */
export const dumpWaiting = request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, (family: number, transport: Transport) =>
  body(REQUEST, {}).encode({
    family,
    protocol: IPPROTO[transport],
    states: 1 << (transport === 'udp' ? TCP_CLOSE : TCP_LISTEN),
  }),
)

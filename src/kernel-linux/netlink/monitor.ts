// Changes as the kernel tells them, whoever made them. They come in order, but not all of them always: after `overrun` (the
// kernel had more to say than the socket could hold, ENOBUFS) the listener must look again.
// Source: rtnetlink(7), net/netlink/af_netlink.c (netlink_overrun, NETLINK_LISTEN_ALL_NSID).

import { E, type Either } from '../../prelude.ts'
import { LITTLE_ENDIAN, viewOf } from './bytes.ts'
import { decodeAddress } from './codec/address.ts'
import { decodeBridgePort } from './codec/bridge-port.ts'
import { decodeLink } from './codec/link.ts'
import { decodeNeigh } from './codec/neigh.ts'
import { decodeNsid } from './codec/nsid.ts'
import { decodeRoute } from './codec/route.ts'
import { decodeRule } from './codec/rule.ts'
import { EAGAIN, EINTR, ENOBUFS } from './errno.ts'
import { type NetlinkError, systemCall } from './error.ts'
import type { Libc } from './libc.ts'
import { decodeMessages, type Message } from './message.ts'
import { DATAGRAM_BYTES, openSocket, type Place } from './socket.ts'
import { AF_BRIDGE, NETLINK_LISTEN_ALL_NSID, SOL_NETLINK } from './uapi/netlink.ts'
import * as T from './uapi/rtnetlink.ts'

/** Who reads what; the ports of bridges come among the links. */
const READERS = {
  link: decodeLink,
  port: decodeBridgePort,
  address: decodeAddress,
  route: decodeRoute,
  neigh: decodeNeigh,
  rule: decodeRule,
  nsid: decodeNsid,
}
type Readers = typeof READERS

/** `gone`: it was deleted. `nsid`: the namespace it happened in, by the listener's number; null: the listener's own. */
type At = Readonly<{ gone: boolean; nsid: number | null }>
export type Change = Readonly<
  { [K in keyof Readers]: { tag: K; value: NonNullable<ReturnType<Readers[K]>> } & At }[keyof Readers]
>
/** What is listened to. `failed`: the monitor has ended. */
export type News = Change | Readonly<{ tag: 'overrun' } | { tag: 'failed'; error: NetlinkError }>

export type Topic = Exclude<keyof Readers, 'port'>

/** Where each is heard of, and the first of its four message types (RTM_NEWx, RTM_DELx, RTM_GETx, RTM_SETx). */
const TOPICS: Readonly<Record<Topic, Readonly<{ type: number; groups: ReadonlyArray<number> }>>> = {
  link: { type: T.RTM_NEWLINK, groups: [T.RTNLGRP_LINK] },
  address: { type: T.RTM_NEWADDR, groups: [T.RTNLGRP_IPV4_IFADDR, T.RTNLGRP_IPV6_IFADDR] },
  route: { type: T.RTM_NEWROUTE, groups: [T.RTNLGRP_IPV4_ROUTE, T.RTNLGRP_IPV6_ROUTE] },
  neigh: { type: T.RTM_NEWNEIGH, groups: [T.RTNLGRP_NEIGH] },
  rule: { type: T.RTM_NEWRULE, groups: [T.RTNLGRP_IPV4_RULE, T.RTNLGRP_IPV6_RULE] },
  nsid: { type: T.RTM_NEWNSID, groups: [T.RTNLGRP_NSID] },
}
// The keys of TOPICS are the type Topic, which Object.keys forgets.
const BY_TYPE = new Map((Object.keys(TOPICS) as ReadonlyArray<Topic>).map((topic) => [TOPICS[topic].type, topic]))

/** Null: not well-formed, or nothing we know. */
export const changeOf = ({ type, body }: Message, nsid: number | null): Change | null => {
  const verb = type % 4
  const topic = verb > 1 ? undefined : BY_TYPE.get(type - verb)
  if (topic === undefined) return null
  const tag = topic === 'link' && body[0] === AF_BRIDGE ? 'port' : topic
  const value = READERS[tag](body)
  // The value was read by the reader of its tag.
  return value === null ? null : ({ tag, value, gone: verb === 1, nsid } as Change)
}

const MSG_DONTWAIT = 0x40
const MSG_TRUNC = 0x20
const CMSG_HEADER = 16
const CONTROL_BYTES = 64

/** A struct msghdr of 64 bits over buffers of its own, for recvmsg(2): the nsid comes as a control message. */
const receiver = (libc: Libc, fd: number) => {
  const into = new Uint8Array(DATAGRAM_BYTES)
  const from = new Uint8Array(12)
  const control = new Uint8Array(CONTROL_BYTES)
  const vector = new Uint8Array(16)
  viewOf(vector).setBigUint64(0, libc.addressOf(into), LITTLE_ENDIAN)
  viewOf(vector).setBigUint64(8, BigInt(into.length), LITTLE_ENDIAN)
  const header = new Uint8Array(56)
  const view = viewOf(header)
  const fill = (): void => {
    view.setBigUint64(0, libc.addressOf(from), LITTLE_ENDIAN)
    view.setUint32(8, from.length, LITTLE_ENDIAN)
    view.setBigUint64(16, libc.addressOf(vector), LITTLE_ENDIAN)
    view.setBigUint64(24, 1n, LITTLE_ENDIAN)
    view.setBigUint64(32, libc.addressOf(control), LITTLE_ENDIAN)
    view.setBigUint64(40, BigInt(control.length), LITTLE_ENDIAN)
    view.setUint32(48, 0, LITTLE_ENDIAN)
  }
  const nsidIn = (): number | null => {
    const size = Number(view.getBigUint64(40, LITTLE_ENDIAN))
    const cmsg = viewOf(control)
    const told = size >= CMSG_HEADER + 4 && cmsg.getInt32(8, LITTLE_ENDIAN) === SOL_NETLINK
    const nsid =
      told && cmsg.getInt32(12, LITTLE_ENDIAN) === NETLINK_LISTEN_ALL_NSID ? cmsg.getInt32(16, LITTLE_ENDIAN) : -1
    return nsid < 0 ? null : nsid
  }
  return {
    /** The messages of the next datagram of the kernel; `errno` if there is none. */
    next: (): Readonly<{ errno: number } | { messages: ReadonlyArray<Message>; nsid: number | null }> => {
      fill()
      const { value, errno } = libc.recvmsg(fd, header, MSG_DONTWAIT | MSG_TRUNC)
      if (value < 0) return { errno }
      const fromKernel = viewOf(from).getUint32(4, LITTLE_ENDIAN) === 0
      const messages = fromKernel && value <= into.length ? decodeMessages(into.subarray(0, value)) : []
      return { messages: messages ?? [], nsid: nsidIn() }
    },
  }
}

/** A turn of the event loop handles at most so many datagrams; the poll calls again for the rest. */
const DATAGRAMS_A_TURN = 64

export type Monitor = Readonly<{ close: () => void; unref: () => void }>
export type MonitorOptions = Readonly<{
  place?: Place
  topics: ReadonlyArray<Topic>
  /** Also what happens in namespaces that have a number in this one. Left EPERM without CAP_NET_BROADCAST. */
  allNsids?: boolean
  receiveBytes?: number
}>

/** Listens until closed. `hear` is called from the event loop, in order. Left: as openSocket. */
export const monitor = (options: MonitorOptions, hear: (news: News) => void): Either<NetlinkError, Monitor> => {
  const { place, topics, ...rest } = options
  const opened = openSocket(place, { ...rest, groups: topics.flatMap((topic) => TOPICS[topic].groups) })
  if (E.isLeft(opened)) return opened
  const socket = opened.right
  const { next } = receiver(socket.libc, socket.fd)
  let open = true
  const close = (): void => {
    if (!open) return
    open = false
    poll.close()
    void socket.close()
  }
  const drain = (): void => {
    for (let count = 0; open && count < DATAGRAMS_A_TURN; count++) {
      const datagram = next()
      if (!('errno' in datagram)) {
        for (const message of datagram.messages) {
          const change = changeOf(message, datagram.nsid)
          if (change !== null && open) hear(change)
        }
        continue
      }
      const { errno } = datagram
      if (errno === EAGAIN) return
      if (errno === ENOBUFS) hear({ tag: 'overrun' })
      else if (errno !== EINTR) {
        close()
        hear({ tag: 'failed', error: systemCall('recvmsg', errno, 'a monitor') })
      }
    }
  }
  const poll = socket.libc.whenReadable(socket.fd, drain)
  return E.right({ close, unref: () => poll.unref() })
}

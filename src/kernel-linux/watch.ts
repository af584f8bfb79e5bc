// Tells that something of a host changed, whoever did it: links, addresses and routes of its namespace and of all that have a
// number there, and its nftables. What changed is not told: changes can overtake what is said of them, and after an overflow
// nothing is, so whoever is told looks again. Sysctls have no voice.
// Source: rtnetlink(7), include/uapi/linux/netfilter/nfnetlink.h (NFNLGRP_NFTABLES), net/netfilter/nf_tables_api.c (nft_commit_notify).

import { E, type Either } from '../prelude.ts'
import type { NetlinkError } from './netlink/error.ts'
import { monitor } from './netlink/monitor.ts'
import { DATAGRAM_BYTES, HERE, openSocket, type Place } from './netlink/socket.ts'
import { NETLINK_NETFILTER } from './netlink/uapi/netlink.ts'

const NFNLGRP_NFTABLES = 7

export type Watch = Readonly<{ close: () => void }>
/** `place` is the host's namespace. `hear` null: look again; otherwise the watch has ended, for this reason. */
export type WatchOptions = Readonly<{ place?: Place; hear: (end: NetlinkError | null) => void }>

/** A turn of the event loop takes at most so many; the poll calls again for the rest. */
const DATAGRAMS_A_TURN = 64

/** Whether there was something to hear; it is thrown away. Left: the socket is of no use any more. */
const drained = (
  receive: (into: Uint8Array) => Either<NetlinkError, number | null>,
  into: Uint8Array,
): Either<NetlinkError, boolean> => {
  for (let count = 0; count < DATAGRAMS_A_TURN; count++) {
    const size = receive(into)
    // What is longer than the buffer, or did not fit the kernel's, is news all the same.
    if (E.isLeft(size) && size.left.tag !== 'Malformed' && size.left.tag !== 'Overrun') return size
    if (E.isRight(size) && size.right === null) return E.right(count > 0)
  }
  return E.right(true)
}

const watchFirewall = (place: Place, hear: WatchOptions['hear']): Either<NetlinkError, Watch> => {
  const opened = openSocket(place, { protocol: NETLINK_NETFILTER, groups: [NFNLGRP_NFTABLES] })
  if (E.isLeft(opened)) return opened
  const socket = opened.right
  const into = new Uint8Array(DATAGRAM_BYTES)
  const poll = socket.libc.whenReadable(socket.fd, () => {
    const heard = drained(socket.receiveHere, into)
    if (E.isLeft(heard)) hear(heard.left)
    else if (heard.right) hear(null)
  })
  const close = (): void => {
    poll.close()
    void socket.close()
  }
  return E.right({ close })
}

/** Listens until closed. Left: NoLibc, or EPERM without CAP_NET_ADMIN and CAP_NET_BROADCAST. */
export const watchHost = ({ place = HERE, hear }: WatchOptions): Either<NetlinkError, Watch> => {
  let over = false
  const once = (end: NetlinkError | null): void => {
    if (over) return
    if (end !== null) close()
    hear(end)
  }
  const links = monitor({ place, topics: ['link', 'address', 'route', 'nsid'], allNsids: true }, (news) =>
    once(news.tag === 'failed' ? news.error : null),
  )
  if (E.isLeft(links)) return links
  const firewall = watchFirewall(place, once)
  if (E.isLeft(firewall)) {
    links.right.close()
    return firewall
  }
  const close = (): void => {
    if (over) return
    over = true
    links.right.close()
    firewall.right.close()
  }
  return E.right({ close })
}

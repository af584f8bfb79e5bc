// A netlink socket (netlink(7)). It stays in the namespace it was opened in, whatever its process does, so work in another
// namespace needs no move there. rtnetlink does its work inside send(2), so a request is sent on a worker thread unless it is
// known to be quick; the answer is then there, and is received here without waiting.

import { closeSync } from 'node:fs'
import { E, type Either } from '../../prelude.ts'
import { LITTLE_ENDIAN, viewOf } from './bytes.ts'
import { EAGAIN, EINTR, ENOBUFS } from './errno.ts'
import { type NetlinkError, systemCall } from './error.ts'
import { type Called, type Libc, loadLibc } from './libc.ts'
import { openPath, within } from './thread.ts'
import {
  AF_NETLINK,
  NETLINK_ADD_MEMBERSHIP,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NETLINK_GET_STRICT_CHK,
  NETLINK_LISTEN_ALL_NSID,
  NETLINK_ROUTE,
  SOL_NETLINK,
} from './uapi/netlink.ts'

/** Where a socket is opened: in this process's namespace, or in that of an open file or a path. */
export type Place = Readonly<{ in: 'here' } | { in: 'fd'; fd: number } | { in: 'path'; path: string }>
export const HERE: Place = { in: 'here' }

/** `here`: on the calling thread, for what takes microseconds. `aside`: on a worker thread; costs about 20 us more. */
export type Turn = 'here' | 'aside'

export type SocketOptions = Readonly<{
  /** NETLINK_*; rtnetlink unless said otherwise. */
  protocol?: number
  /** Bytes that the kernel may have waiting for us. */
  receiveBytes?: number
  /** RTNLGRP_*, or those of the protocol. */
  groups?: ReadonlyArray<number>
  /** Hears of all namespaces that have a number in its own. */
  allNsids?: boolean
}>

export type Socket = Readonly<{
  fd: number
  libc: Libc
  /** Numbers for requests, never 0. */
  nextSeq: () => number
  send: (bytes: Uint8Array, turn: Turn) => Promise<Either<NetlinkError, void>>
  /** The size of the next datagram; null: there is none. What is not from the kernel is passed over. */
  receive: (into: Uint8Array, turn: Turn) => Promise<Either<NetlinkError, number | null>>
  /** The same at once, for callers that must not wait. */
  receiveHere: (into: Uint8Array) => Either<NetlinkError, number | null>
  /** Whether there is something to read within this time. */
  readable: (timeoutMs: number) => Promise<boolean>
  /** Runs conversations one after the other. Left Closed once `close` was called. */
  alone: <A>(f: () => Promise<Either<NetlinkError, A>>) => Promise<Either<NetlinkError, A>>
  /** Closes it when the conversations under way are over. */
  close: () => Promise<void>
}>

const SOCK_RAW = 3
const SOCK_CLOEXEC = 0o2000000
const SOCK_NONBLOCK = 0o4000
const SOL_SOCKET = 1
const SO_RCVBUF = 8
const SO_RCVBUFFORCE = 33
const MSG_TRUNC = 0x20
const MSG_DONTWAIT = 0x40

/** Some thousands of acknowledgements. */
const RECEIVE_BYTES = 4 << 20
/** Datagrams are at most this long: a dump's by NLMSG_GOODSIZE and our own buffer (net/netlink/af_netlink.c, netlink_dump). */
export const DATAGRAM_BYTES = 1 << 16

const SOCKADDR_SIZE = 12
const KERNEL = 0

const failure = (call: string, errno: number, about: string): NetlinkError =>
  errno === ENOBUFS ? { tag: 'Overrun' } : systemCall(call, errno, about)

const setUp = (libc: Libc, fd: number, options: SocketOptions): NetlinkError | null => {
  const set = (level: number, name: number, value: number): Called =>
    libc.setsockopt(fd, level, name, Int32Array.of(value), 4)
  // First of all, for bind(2) forgets the groups that were joined before it (netlink_bind).
  const address = new Uint8Array(SOCKADDR_SIZE)
  viewOf(address).setUint16(0, AF_NETLINK, LITTLE_ENDIAN)
  const bound = libc.bind(fd, address, SOCKADDR_SIZE)
  if (bound.value !== 0) return systemCall('bind', bound.errno, 'a netlink socket')
  const bytes = options.receiveBytes ?? RECEIVE_BYTES
  // Without CAP_NET_ADMIN in the first user namespace the size is cut to net.core.rmem_max.
  if (set(SOL_SOCKET, SO_RCVBUFFORCE, bytes).value !== 0) set(SOL_SOCKET, SO_RCVBUF, bytes)
  const wanted = [
    NETLINK_EXT_ACK,
    NETLINK_CAP_ACK,
    NETLINK_GET_STRICT_CHK,
    ...(options.allNsids === true ? [NETLINK_LISTEN_ALL_NSID] : []),
  ].map((name) => [name, 1] as const)
  const groups = (options.groups ?? []).map((group) => [NETLINK_ADD_MEMBERSHIP, group] as const)
  for (const [name, value] of [...wanted, ...groups]) {
    const { value: result, errno } = set(SOL_NETLINK, name, value)
    if (result !== 0) return systemCall('setsockopt', errno, `netlink option ${name} = ${value}`)
  }
  return null
}

const openFd = (libc: Libc, options: SocketOptions): Either<NetlinkError, number> => {
  const { value: fd, errno } = libc.socket(
    AF_NETLINK,
    SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
    options.protocol ?? NETLINK_ROUTE,
  )
  if (fd < 0) return E.left(systemCall('socket', errno, 'a netlink socket'))
  const error = setUp(libc, fd, options)
  if (error === null) return E.right(fd)
  closeSync(fd)
  return E.left(error)
}

const openAt = (libc: Libc, place: Place, options: SocketOptions): Either<NetlinkError, number> => {
  switch (place.in) {
    case 'here':
      return openFd(libc, options)
    case 'fd': {
      const opened = within(libc, place.fd, () => openFd(libc, options))
      return E.isLeft(opened) ? opened : opened.right
    }
    case 'path': {
      const ns = openPath(place.path)
      if (E.isLeft(ns)) return ns
      try {
        return openAt(libc, { in: 'fd', fd: ns.right }, options)
      } finally {
        closeSync(ns.right)
      }
    }
  }
}

/** A size, or null if there is nothing; null in place of the whole: try again. */
const received = (
  { value, errno }: Called,
  into: Uint8Array,
  from: Uint32Array,
): Either<NetlinkError, number | null> | null => {
  if (value < 0)
    return errno === EAGAIN
      ? E.right(null)
      : errno === EINTR
        ? null
        : E.left(failure('recv', errno, 'a netlink socket'))
  if (from[1] !== KERNEL) return null
  return value <= into.length ? E.right(value) : E.left({ tag: 'Malformed', what: `a datagram of ${value} bytes` })
}

const readableWithin = (libc: Libc, fd: number, timeoutMs: number): Promise<boolean> =>
  new Promise((resolve) => {
    const end = (readable: boolean): void => {
      clearTimeout(timer)
      poll.close()
      resolve(readable)
    }
    const timer = setTimeout(() => end(false), timeoutMs)
    const poll = libc.whenReadable(fd, () => end(true))
  })

const socketOf = (libc: Libc, fd: number): Socket => {
  const flags = MSG_DONTWAIT | MSG_TRUNC
  let seq = 0
  let closing: Promise<void> | null = null
  let last: Promise<unknown> = Promise.resolve()
  const receiveHere: Socket['receiveHere'] = (into) => {
    const from = new Uint32Array(3)
    for (;;) {
      const called = libc.recvfrom(fd, into, into.length, flags, from, Uint32Array.of(SOCKADDR_SIZE))
      const result = received(called, into, from)
      if (result !== null) return result
    }
  }
  return {
    fd,
    libc,
    receiveHere,
    nextSeq: () => {
      seq = seq === 0xffffffff ? 1 : seq + 1
      return seq
    },
    send: async (bytes, turn) => {
      for (;;) {
        const { value, errno } =
          turn === 'here' ? libc.send(fd, bytes, bytes.length, 0) : await libc.aside.send(fd, bytes, bytes.length, 0)
        if (value === bytes.length) return E.right(undefined)
        if (value >= 0 || errno !== EINTR) return E.left(failure('send', errno, `${bytes.length} bytes`))
      }
    },
    receive: async (into, turn) => {
      if (turn === 'here') return receiveHere(into)
      const from = new Uint32Array(3)
      for (;;) {
        const called = await libc.aside.recvfrom(fd, into, into.length, flags, from, Uint32Array.of(SOCKADDR_SIZE))
        const result = received(called, into, from)
        if (result !== null) return result
      }
    },
    readable: (timeoutMs) => readableWithin(libc, fd, timeoutMs),
    alone: (f) => {
      if (closing !== null) return Promise.resolve(E.left({ tag: 'Closed' }))
      const mine = last.then(f)
      last = mine.catch(() => undefined)
      return mine
    },
    close: () => {
      closing ??= last.then(() => closeSync(fd))
      return closing
    },
  }
}

/** Opens a socket for rtnetlink. Left: NoLibc, or SystemCall: EPERM or ENOENT for a namespace, EMFILE. Takes some 40 us. */
export const openSocket = (place: Place = HERE, options: SocketOptions = {}): Either<NetlinkError, Socket> => {
  const libc = loadLibc()
  if (E.isLeft(libc)) return libc
  const fd = openAt(libc.right, place, options)
  return E.isLeft(fd) ? fd : E.right(socketOf(libc.right, fd.right))
}

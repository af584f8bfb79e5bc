// A socket in a namespace of a lab, for as long as one conversation takes; one that stayed would keep the namespace alive.

import type { KernelError } from '../../kernel/kernel.ts'
import type { Ns } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import type { Complaint } from '../errno.ts'
import { type Names, netnsPath } from '../names.ts'
import type { NetlinkError } from '../netlink/error.ts'
import { openNetns } from '../netlink/netns.ts'
import { HERE, openSocket, type Socket } from '../netlink/socket.ts'
import { absent, portError } from '../place.ts'

export type Conversation<A> = Promise<Either<NetlinkError, A>>

/** Opens a namespace, for the caller to close. Left: it is not there. */
export type OpenSpace = (ns: Ns) => Either<NetlinkError, number>

export const openByName =
  (names: Names): OpenSpace =>
  (ns) => {
    const real = names(ns)
    return openNetns(real === null ? { pid: process.pid } : { path: netnsPath(real) })
  }

export const inside = async <A>(names: Names, ns: Ns, f: (socket: Socket) => Conversation<A>): Conversation<A> => {
  const real = names(ns)
  const socket = openSocket(real === null ? HERE : { in: 'path', path: netnsPath(real) })
  if (E.isLeft(socket)) return socket
  try {
    return await f(socket.right)
  } finally {
    await socket.right.close()
  }
}

/** What was found; what `missing` says where there is no such namespace. Left: the kernel could not be asked. */
export const found = <A>(
  result: Either<NetlinkError, A>,
  missing: (complaint: Complaint) => A,
): Either<KernelError, A> => {
  if (E.isRight(result)) return result
  const complaint = absent(result.left)
  return complaint === null ? E.left(portError('rtnetlink', result.left)) : E.right(missing(complaint))
}

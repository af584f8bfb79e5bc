// Namespaces come and go by their names: in process, or by ip-netns(8). What is refused in process is told with the errno that
// the tool's words stand for.

import type { NetnsRequest } from '../../kernel/rtnl/request.ts'
import { E, type Either } from '../../prelude.ts'
import type { Complaint } from '../errno.ts'
import { NETNS_DIR, netnsPath } from '../names.ts'
import { errnoOf } from '../netlink/errno.ts'
import type { NetlinkError } from '../netlink/error.ts'
import { adoptable, adoptNetns, createNetns, deleteNetns, prepareNetnsDir, whyNotAdopted } from '../netlink/netns.ts'

/** The namespace this process runs in has no name. */
const OWN = (ask: NetnsRequest): Complaint => ({
  errno: ask.do === 'add' ? 'EEXIST' : 'EBUSY',
  detail: 'it is the namespace that this process runs in',
})

const done = (ask: NetnsRequest, real: string): Either<NetlinkError, void> => {
  const path = netnsPath(real)
  if (ask.do === 'delete') return deleteNetns(path)
  const ready = prepareNetnsDir(NETNS_DIR)
  if (E.isLeft(ready)) return ready
  return ask.at === undefined ? createNetns(path) : adoptNetns(path, ask.at)
}

const refusal = (error: NetlinkError): Either<NetlinkError, Complaint> =>
  error.tag === 'SystemCall' ? E.right({ errno: errnoOf(error.code), detail: whyNotAdopted(error) }) : E.left(error)

/** `real`: its name below /run/netns. */
export const inProcess = (ask: NetnsRequest, real: string | null): Either<NetlinkError, Complaint | null> => {
  if (real === null) return E.right(OWN(ask))
  const result = done(ask, real)
  return E.isRight(result) ? E.right(null) : refusal(result.left)
}

/** What is found out before a tool is started; null: nothing. */
export const beforehand = (ask: NetnsRequest, real: string | null): Either<NetlinkError, Complaint | null> => {
  if (real === null) return E.right(OWN(ask))
  if (ask.do === 'delete' || ask.at === undefined) return E.right(null)
  const may = adoptable(NETNS_DIR, ask.at)
  return E.isRight(may) ? E.right(null) : refusal(may.left)
}

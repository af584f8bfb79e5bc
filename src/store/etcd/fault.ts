// What a member of the cluster says that went wrong, sorted by what may be done next. The one file that reads etcd's error texts
// (etcdserver/api/v3rpc/rpctypes/error.go). By text, since gRPC's codes put many of them together; where none is
// known, the request may have been done.

import type { StoreError } from '../error.ts'
import { denied, type Fault as ServerFault, asStoreError as serverError } from '../http/fault.ts'

export type Fault =
  | ServerFault
  | Readonly<
      /** It was not done: authenticate again. */
      { tag: 'StaleToken' } | { tag: 'NoLease' } | { tag: 'Compacted' }
    >

const NOT_DONE = /no leader|not leader|too many requests|leader changed|server not started|learner/
const STALE_TOKEN = /invalid auth token|revision of auth store is old|auth revision in the header is old/

export const notEtcd = (place: string, how: string): Fault =>
  denied(place, `answers otherwise than etcd 3.4 or later does (${how})`, 'name the client port of etcd')

/** The server's own words. `place`: the store, for sentences. */
export const faultOf = (place: string, status: number, message: string): Fault => {
  const refused = (what: string, hint: string | null): Fault => ({
    tag: 'Refused',
    error: { tag: 'StoreUnavailable', what: `${place} ${what}`, hint },
  })
  if (STALE_TOKEN.test(message)) return { tag: 'StaleToken' }
  if (message.includes('requested lease not found')) return { tag: 'NoLease' }
  if (message.includes('required revision has been compacted')) return { tag: 'Compacted' }
  if (NOT_DONE.test(message)) return { tag: 'Elsewhere', why: message }
  if (message.includes('invalid user ID or password'))
    return denied(place, 'refuses this user and password', 'say those that etcd knows')
  if (message.includes('user name is empty'))
    return denied(
      place,
      'asks for a user and a password',
      'write etcd://USER@..., and the password with ?password-file=',
    )
  if (message.includes('authentication is not enabled'))
    return denied(place, 'has no users: its authentication is not enabled', 'leave USER:PASSWORD@ out of its URL')
  if (message.includes('permission denied'))
    return denied(place, 'gives this user no right to read and write there', 'grant a role for this prefix')
  if (message.includes('database space exceeded'))
    return refused('is full', 'compact and defragment it, then disarm its alarm: etcdctl alarm disarm')
  if (message.includes('request is too large') || message.includes('too many operations'))
    return refused(
      `takes less in one transaction than etcd does by itself (${message})`,
      'leave --max-request-bytes and --max-txn-ops of its servers at their defaults or above',
    )
  if (message.includes('corrupt')) return refused(`has a damaged member (${message})`, 'replace that member')
  // What stands between us and etcd says 502 and the like when it had no answer.
  if (status === 404 || (message === '' && status < 500)) return notEtcd(place, `HTTP ${status}`)
  return { tag: 'Unclear', why: message || `HTTP ${status}` }
}

/** Reading is done, or not; there is nothing to find out. */
export const asStoreError = (place: string, fault: Fault, hint: string | null): StoreError =>
  fault.tag === 'StaleToken' || fault.tag === 'NoLease' || fault.tag === 'Compacted'
    ? { tag: 'StoreUnavailable', what: `${place} answers otherwise than it should (${fault.tag})`, hint }
    : serverError(place, fault, hint)

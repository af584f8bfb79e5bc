// What went wrong between us and a member of the cluster, sorted by what may be done next. The one file that reads etcd's error
// texts (etcdserver/api/v3rpc/rpctypes/error.go) and the codes of Node's sockets and TLS. By text, since gRPC's codes
// put many of them together; where none is known, the request may have been done.

import type { StoreError } from '../error.ts'

export type Fault = Readonly<
  /** It was not done; another member, or the same one later, may do it. */
  | { tag: 'Elsewhere'; why: string }
  /** Nobody answered: it may have been done, now or later. */
  | { tag: 'Unclear'; why: string }
  /** It was not done: authenticate again. */
  | { tag: 'StaleToken' }
  | { tag: 'NoLease' }
  | { tag: 'Compacted' }
  /** It was not done, and will not be. */
  | { tag: 'Refused'; error: StoreError }
>

const denied = (place: string, why: string, hint: string | null): Fault => ({
  tag: 'Refused',
  error: { tag: 'StoreDenied', place, why, hint },
})

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

const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT.*|CERT_.*|ERR_TLS_CERT_ALTNAME_INVALID)$/
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection broke',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'its name cannot be looked up',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ETIMEDOUT: 'it does not answer',
}

export const codeOf = (defect: unknown): string =>
  defect instanceof Error && 'code' in defect && typeof defect.code === 'string' ? defect.code : ''

/** The connection's own trouble. `isSent`: the request may have reached the member. */
export const connectionFault = (place: string, member: string, defect: unknown, isSent: boolean): Fault => {
  const code = codeOf(defect)
  const text = defect instanceof Error ? defect.message : String(defect)
  if (UNTRUSTED.test(code))
    return denied(
      `${member} of ${place}`,
      `shows a certificate that is not trusted (${code})`,
      'name its authority: ?ca=FILE',
    )
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(code))
    return denied(`${member} of ${place}`, 'speaks no TLS', 'leave ?tls, ca, cert and key out of its URL')
  if (/ALERT|HANDSHAKE_FAILURE/.test(code) || /alert/.test(text))
    return denied(
      `${member} of ${place}`,
      `refuses our TLS (${code || text})`,
      'if it asks for a client certificate, name one it trusts: ?cert=FILE&key=FILE',
    )
  const why = `${member}: ${WORDS[code] ?? text}`
  return isSent ? { tag: 'Unclear', why } : { tag: 'Elsewhere', why }
}

/** Reading is done, or not; there is nothing to find out. */
export const asStoreError = (place: string, fault: Fault, hint: string | null): StoreError => {
  switch (fault.tag) {
    case 'Refused':
      return fault.error
    case 'Elsewhere':
    case 'Unclear':
      return { tag: 'StoreUnavailable', what: `${place} does not answer (${fault.why})`, hint }
    default:
      return { tag: 'StoreUnavailable', what: `${place} answers otherwise than it should (${fault.tag})`, hint }
  }
}

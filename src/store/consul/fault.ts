// What Consul says that went wrong, sorted by what may be done next. The one file that reads its texts (agent/structs/errors.go,
// agent/txn_endpoint.go, hashicorp/raft): its HTTP API has no other name for an error. Where none is known, the request may have been
// done: a leader that is deposed says so, too, of what its successor then does.

import { denied, type Fault } from '../http/fault.ts'

const NOT_DONE =
  /No cluster leader|node is not the leader|not ready to serve consistent reads|rpc error getting client|too many concurrent connections|rate limit/i
const OWN_LIMITS = 'leave kv_max_value_size and txn_max_req_len of its servers at their defaults or above'

/** Consul's own are one line of text; what stands between us and it may answer with a page. */
const ownWords = (text: string): string => (/^[^<\n]{1,300}$/.test(text.trim()) ? text.trim() : '')

/** `place`: the store, for sentences. */
export const faultOf = (place: string, status: number, text: string, hasToken: boolean): Fault => {
  const message = ownWords(text)
  if (NOT_DONE.test(message) || status === 429) return { tag: 'Elsewhere', why: message }
  if (/ACL not found/.test(message))
    return denied(place, 'does not know this token', 'name the file of one that it knows: ?token-file=FILE')
  if (/Permission denied|ACL support disabled/i.test(message) || status === 403)
    return hasToken
      ? denied(
          place,
          'gives this token no right to read and write there, or to make sessions',
          'give it a policy with key_prefix and session_prefix "write"',
        )
      : denied(place, 'asks for a token', 'name the file of one: ?token-file=FILE')
  if (/HTTP request to an HTTPS server/.test(message))
    return denied(place, 'speaks TLS', 'add ?tls to its URL, or ?ca=FILE')
  if (status === 413)
    return {
      tag: 'Refused',
      error: {
        tag: 'StoreUnavailable',
        what: `${place} takes less in one transaction than Consul does by itself (${message})`,
        hint: OWN_LIMITS,
      },
    }
  if (status < 500)
    return denied(place, `answers otherwise than Consul 1.7 or later does (HTTP ${status})`, 'name its HTTP port')
  return { tag: 'Unclear', why: message || `HTTP ${status}` }
}

/** A session shorter than the servers allow. */
export const isTtlRefused = (message: string): boolean => /Invalid Session TTL/.test(message)
/** Of an operation in a transaction. */
export const isDenied = (what: string): boolean => /Permission denied/.test(what)

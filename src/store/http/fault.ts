// What went wrong between us and a server that speaks HTTP, sorted by what may be done next. The one file that reads the codes of Node's
// sockets and TLS; each kind of server has its own for what the server itself says.

import type { StoreError } from '../error.ts'

export type Fault = Readonly<
  /** It was not done; another server, or the same one later, may do it. */
  | { tag: 'Elsewhere'; why: string }
  /** Nobody answered: it may have been done, now or later. */
  | { tag: 'Unclear'; why: string }
  /** It was not done, and will not be. */
  | { tag: 'Refused'; error: StoreError }
>

export const denied = (place: string, why: string, hint: string | null): Fault => ({
  tag: 'Refused',
  error: { tag: 'StoreDenied', place, why, hint },
})

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

/** The connection's own trouble. `isSent`: the request may have reached the server. */
export const connectionFault = (place: string, member: string, defect: unknown, isSent: boolean): Fault => {
  const code = codeOf(defect)
  const text = defect instanceof Error ? defect.message : String(defect)
  if (UNTRUSTED.test(code))
    return denied(
      `${member} of ${place}`,
      `shows a certificate that is not trusted (${code})`,
      'name its authority: ?ca=FILE',
    )
  // Node 20 has no code of its own for it.
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(code) || /wrong version number/.test(text))
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

/** Of what is done, or not, and leaves nothing to find out. */
export const asStoreError = (place: string, fault: Fault, hint: string | null): StoreError =>
  fault.tag === 'Refused'
    ? fault.error
    : { tag: 'StoreUnavailable', what: `${place} does not answer (${fault.why})`, hint }

// What a socket is told of an ICMP error: the errno, and whether it is final for a socket that asked for nothing special.
// Sources: net/ipv4/icmp.c (icmp_err_convert), net/ipv6/icmp.c (icmpv6_err_convert), net/ipv4/{udp,tcp_ipv4,ping}.c.

import type { Error4 } from '../../wire/icmp4.ts'
import type { Error6 } from '../../wire/icmp6.ts'
import type { Redirect } from '../plane.ts'
import type { SocketErrno } from './entry.ts'

export type Told = Readonly<{ errno: SocketErrno; isHard: boolean }>

const hard = (errno: SocketErrno): Told => ({ errno, isHard: true })
const soft = (errno: SocketErrno): Told => ({ errno, isHard: false })

const UNREACHABLE: Readonly<Record<Extract<Error4, { type: 'unreachable' }>['code'], Told>> = {
  net: soft('ENETUNREACH'),
  host: soft('EHOSTUNREACH'),
  protocol: hard('ENOPROTOOPT'),
  port: hard('ECONNREFUSED'),
  'fragmentation-needed': soft('EMSGSIZE'),
  'source-route-failed': soft('EHOSTUNREACH'),
  'net-unknown': hard('ENETUNREACH'),
  'host-unknown': hard('EHOSTDOWN'),
  'host-isolated': hard('ENONET'),
  'net-prohibited': hard('ENETUNREACH'),
  'host-prohibited': hard('EHOSTUNREACH'),
  'net-tos': soft('ENETUNREACH'),
  'host-tos': soft('EHOSTUNREACH'),
  'admin-prohibited': hard('EHOSTUNREACH'),
  'host-precedence': hard('EHOSTUNREACH'),
  'precedence-cutoff': hard('EHOSTUNREACH'),
}

const UNREACHABLE_6: Readonly<Record<Extract<Error6, { type: 'unreachable' }>['code'], Told>> = {
  'no-route': soft('ENETUNREACH'),
  'admin-prohibited': hard('EACCES'),
  'beyond-scope': soft('EHOSTUNREACH'),
  address: soft('EHOSTUNREACH'),
  port: hard('ECONNREFUSED'),
  policy: hard('EACCES'),
  'reject-route': hard('EACCES'),
}

/** Of redirects no socket is told. */
export const toldOf = (error: Exclude<Error4, Redirect> | Error6): Told => {
  switch (error.type) {
    case 'unreachable':
      return error.proto === 'icmp' ? UNREACHABLE[error.code] : UNREACHABLE_6[error.code]
    case 'packet-too-big':
      return soft('EMSGSIZE')
    case 'time-exceeded':
      return soft('EHOSTUNREACH')
    case 'parameter-problem':
      return hard('EPROTO')
  }
}

/** How long packets may be from now on, if it says so. */
export const mtuIn = (error: Error4 | Error6): number | null => {
  if (error.type === 'packet-too-big') return error.mtu
  return error.type === 'unreachable' && error.code === 'fragmentation-needed' ? error.mtu : null
}

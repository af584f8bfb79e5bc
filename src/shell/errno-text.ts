// Errnos of sockets in strerror(3)'s words, beside those of rtnetlink (kernel/errno.ts).

import { type Errno, strerror } from '../kernel/errno.ts'

const SOCKETS: Readonly<Record<string, string>> = {
  EXDEV: 'Invalid cross-device link',
  EMSGSIZE: 'Message too long',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  ETIMEDOUT: 'Connection timed out',
  EPIPE: 'Broken pipe',
  EPROTO: 'Protocol error',
  ENOPROTOOPT: 'Protocol not available',
  EHOSTDOWN: 'Host is down',
  ENONET: 'Machine is not on the network',
}

// A cast: what is none of the one table is one of the other, or shown as it is.
export const errnoText = (errno: string): string => SOCKETS[errno] ?? strerror[errno as Errno] ?? errno

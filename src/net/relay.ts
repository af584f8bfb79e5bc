// What a user-space proxy is to do: who comes to an address and port of the host goes on to a container's.

import type { Ip } from './ip.ts'
import type { Port } from './port.ts'

export type End = Readonly<{ ip: Ip; port: Port }>

/** `at` :: is every IPv6 address of the host, and no IPv4 one. */
export type Relay = Readonly<{ transport: 'tcp' | 'udp'; at: End; to: End }>

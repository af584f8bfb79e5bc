// What goes on beside the commands, as `COMMAND &` begins it: somebody who listens at a port, or watches devices. Everything else ends
// before the next command begins, and so it does in the background.

import type { Ip } from '../net/ip.ts'
import type { IfName } from '../net/name.ts'

/** Packets that have all of this; null: any. `host`: either address; `port`: either port. */
export type Filter = Readonly<{
  proto: 'arp' | 'icmp' | 'icmp6' | 'ip' | 'ip6' | 'tcp' | 'udp' | null
  host: Ip | null
  src: Ip | null
  dst: Ip | null
  port: number | null
}>

/**
 * `at` null: all addresses. `keep`: more than one connection, one after the other. `says`: what whoever calls is sent. `dev` null:
 * all of the namespace. `count`: so many packets; null: until it is ended. `file`: where they go as pcap, instead of being told.
 * `macs`, `times`: whether they are told of each packet.
 */
export type Job = Readonly<
  | {
      does: 'listen'
      proto: 'udp' | 'tcp'
      family: 4 | 6 | null
      at: Ip | null
      port: number
      keep: boolean
      says: string
    }
  | {
      does: 'watch'
      dev: IfName | null
      count: number | null
      file: string | null
      filter: Filter
      macs: boolean
      times: boolean
    }
>

/** `line`: as it was asked for. */
export type JobFacts = Readonly<{ number: number; line: string }>

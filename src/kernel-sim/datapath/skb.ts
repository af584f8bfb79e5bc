// A frame on its way through a host, and what the host keeps beside it (Linux's struct sk_buff). Values: whoever changes one
// makes another, so that a copy for each port of a bridge costs nothing.

import type { Ip } from '../../net/ip.ts'
import type { Frame } from '../wire/ethernet.ts'
import type { Packet } from '../wire/nested.ts'
import type { Flow } from './netfilter/flow.ts'

/**
 * What goes with a packet inside of a namespace. `mark`: what rules of nftables gave it, or its socket. `flow`: what conntrack
 * knows of it, null before it was asked and `untracked` if it shall not be. Forgotten where it goes to another namespace,
 * but over a bridge and loopback it stays (skb_scrub_packet).
 */
export type Meta = Readonly<{ mark: number; flow: Flow | null }>

export const NO_META: Meta = { mark: 0, flow: null }

/** A frame, at a device. */
export type Skb = Readonly<{ frame: Frame; meta: Meta }>

/** A packet in the hands of the IP layer. */
export type Held<P extends Packet = Packet> = Readonly<{ packet: P; meta: Meta }>

/** What a socket, or the kernel itself, sends: the rest is chosen by the route. */
export type Sending = Readonly<{
  /** Null: chosen by the route. */
  src: Ip | null
  dst: Ip
  body: Packet['body']
  /** Hop limit; absent: 64 (multicast: 1). */
  ttl?: number
  tos?: number
  /** May not be fragmented (IPv4; IPv6 is cut by its source unless this says no). Absent: true for TCP and errors, else false. */
  df?: boolean
  /** Bound to this device: SO_BINDTODEVICE, or the scope of a link-local address. */
  dev?: string
  mark?: number
}>

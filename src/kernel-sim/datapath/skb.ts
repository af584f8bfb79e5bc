// A frame on its way through a host, and what the host keeps beside it (Linux's struct sk_buff). Values: whoever changes one
// makes another, so that a copy for each port of a bridge costs nothing.

import type { Ip } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import type { Frame } from '../wire/ethernet.ts'
import type { Packet } from '../wire/nested.ts'
import type { Flow } from './netfilter/flow.ts'

/**
 * What goes with a packet inside of a namespace. `mark`: what rules of nftables gave it, or its socket. `flow`: what conntrack
 * knows of it, null before it was asked and `untracked` if it shall not be. Forgotten where it goes to another namespace,
 * but over a bridge and loopback it stays (skb_scrub_packet). `fragment`: bytes of the longest fragment, if it was put together
 * of some. `gso`: of a segment of several that go as one (GSO), how long the longest of them is as a packet; devices do not look at their
 * length. `via`: over loopback, the device whose address it is for, by which it counts as received. `reroute`: a chain of type route has changed something, and wants it routed again.
 * `frame`: what it came in, if a rule asks for that. `forMany`: it came in a frame for a group, or for all (pkt_type is not PACKET_HOST),
 * whatever its own address. `onward`: over loopback, it is on its way through this host, and goes on when it comes back.
 */
export type Meta = Readonly<{
  mark: number
  flow: Flow | null
  fragment?: number
  gso?: number
  via?: string
  reroute?: boolean
  frame?: Frame
  forMany?: boolean
  onward?: true
}>

export const NO_META: Meta = { mark: 0, flow: null }

/** How long a packet is where several that go as one pass, or none of them (skb_gso_validate_network_len). */
export const lengthAsOne = ({ gso }: Meta, length: number): number => (gso === undefined || gso < length ? length : gso)

/** By which device IP sends a packet, and to whom there. */
export type Hop = Readonly<{ dev: Readonly<{ name: IfName }>; ip: Ip }>

/**
 * A frame, at a device. `dst`: the hop for which this namespace's IP has made it, as long as it is on its way through the devices that
 * keep that (skb_dst, IFF_XMIT_DST_RELEASE).
 */
export type Skb = Readonly<{ frame: Frame; meta: Meta; dst?: Hop }>

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
  /**
   * IP_MTU_DISCOVER. True (do): may not be fragmented, be it here; too long a packet is EMSGSIZE. False (dont): may be. Absent
   * (want): cut here if it does not fit into what is known of the path, but nowhere else.
   */
  df?: boolean
  /** Bound to this device: SO_BINDTODEVICE, or the scope of a link-local address. */
  dev?: string
  /** Of IPv6: it goes the way that was found before it had a source (sk_dst_check). */
  kept?: boolean
  /** Of IPv6: it had better leave by this device. */
  near?: string
  mark?: number
  /** SO_BROADCAST. */
  broadcast?: boolean
  /** It goes as one with others; the longest of them has so many bytes, headers and all. */
  gso?: number
}>

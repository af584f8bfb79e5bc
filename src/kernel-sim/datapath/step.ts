// What happens to packets, as data: one step after another, each with its moment, host, namespace, device, layer and decision.
// Steps hold no prose (words.ts has it) and only values that exist anyway, so recording them costs little; a capture (capture.ts)
// is made of them. Of a packet that died, the drop that explains it is kept even when nobody watches.

import type { Ip } from '../../net/ip.ts'
import type { Mac } from '../../net/mac.ts'
import type { IfName, Ns } from '../../net/name.ts'
import type { Frame, Payload } from '../wire/ethernet.ts'
import type { Packet } from '../wire/nested.ts'
import type { Device, HookAt, Plane, SendErrno, Space } from './plane.ts'

/** A rule, or the policy of a chain (`rule` null). `text` is the rule as nft lists it, `about` what its comment says, if any. */
export type RuleAt = Readonly<{
  family: string
  table: string
  chain: string
  hook: HookAt['hook']
  handle: number | null
  text: string
  about: string | null
}>

/** Why a packet went no further: all the reasons there are. */
export type DropReason = Readonly<
  | { tag: 'rule'; at: RuleAt }
  | { tag: 'no-route'; to: Ip }
  /** A route of this type says so. */
  | { tag: 'route-type'; type: 'unreachable' | 'blackhole' | 'prohibit' | 'throw'; to: Ip }
  | { tag: 'rule-type'; type: 'unreachable' | 'blackhole' | 'prohibit'; to: Ip }
  | { tag: 'no-source'; to: Ip }
  | { tag: 'not-unicast'; to: Ip }
  | { tag: 'no-neighbour'; ip: Ip; dev: IfName }
  | { tag: 'link-down'; dev: IfName }
  | { tag: 'no-carrier'; dev: IfName }
  | { tag: 'too-big'; mtu: number; length: number }
  | { tag: 'port-inactive'; bridge: IfName }
  | { tag: 'port-state'; bridge: IfName; state: number }
  | { tag: 'port-locked'; bridge: IfName; mac: Mac }
  | { tag: 'same-port' }
  | { tag: 'isolated-ports'; to: IfName }
  | { tag: 'no-flood'; to: IfName }
  | { tag: 'vlan-not-member'; vid: number }
  | { tag: 'link-local-group'; mac: Mac }
  | { tag: 'nobody-else'; bridge: IfName }
  | { tag: 'other-host'; mac: Mac }
  | { tag: 'no-remote'; dev: IfName; mac: Mac }
  | { tag: 'no-tunnel'; port: number; vni: number }
  | { tag: 'learned-elsewhere'; mac: Mac }
  | { tag: 'macvlan-mode'; mode: string }
  | { tag: 'ipvlan-private' }
  /** Nobody sends from a group, or from zero. */
  | { tag: 'source-mac'; mac: Mac }
  /** Ours, and came in by a wire. */
  | { tag: 'own-mac'; mac: Mac }
  | { tag: 'tunnel-loop'; dev: IfName }
  | { tag: 'no-tunnel-route'; dev: IfName; remote: Ip; errno: SendErrno }
  | { tag: 'answered-instead'; dev: IfName }
  | { tag: 'nested-too-deep'; dev: IfName }
  | { tag: 'storm'; frames: number }
  | { tag: 'martian-source'; ip: Ip }
  | { tag: 'martian-destination'; ip: Ip }
  | { tag: 'reverse-path'; ip: Ip }
  | { tag: 'ipv6-disabled' }
  | { tag: 'not-forwarding'; family: 4 | 6 }
  | { tag: 'ttl-exceeded' }
  | { tag: 'fragment'; why: 'timeout' | 'overlap' | 'malformed' }
  | { tag: 'no-protocol'; protocol: number }
  | { tag: 'no-listener'; proto: 'tcp' | 'udp'; port: number }
  | { tag: 'no-socket' }
  /** A socket here expects it, by its ports and addresses, and its destination is elsewhere. */
  | { tag: 'own-socket' }
  | { tag: 'no-free-port'; ip: Ip }
  | { tag: 'cable'; why: 'lost' | 'cut' | 'unplugged' }
>

/** What became of a packet at one place. */
export type Event = Readonly<
  | { tag: 'sent' }
  | { tag: 'routed'; dev: IfName; via: Ip | null; table: number }
  | { tag: 'routed-local' }
  | { tag: 'accepted'; at: RuleAt }
  | { tag: 'logged'; at: RuleAt; prefix: string | null }
  | { tag: 'translated'; part: 'source' | 'destination' | 'quoted'; before: Packet; by: RuleAt | null }
  | { tag: 'forwarded' }
  | { tag: 'fragmented'; pieces: number; mtu: number }
  | { tag: 'reassembled'; pieces: number }
  | { tag: 'asked'; ip: Ip }
  | { tag: 'answered'; ip: Ip; mac: Mac; proxy: boolean }
  /** Handed to the device's driver; received from it. These two are what a capture at the device sees. */
  | { tag: 'transmitted' }
  | { tag: 'received' }
  | { tag: 'learned'; bridge: IfName; mac: Mac; from: IfName }
  | { tag: 'bridged'; bridge: IfName; to: IfName }
  | { tag: 'flooded'; bridge: IfName; ports: number }
  | { tag: 'encapsulated'; remote: Ip; vni: number }
  | { tag: 'decapsulated'; remote: Ip; vni: number }
  /** Nobody knows where it is (a VXLAN's l2miss and l3miss). */
  | { tag: 'missed-mac'; dev: IfName; mac: Mac }
  | { tag: 'missed-ip'; dev: IfName; ip: Ip }
  | { tag: 'tagged'; vid: number }
  | { tag: 'untagged'; vid: number }
  | { tag: 'delivered' }
  /** Of several segments nothing was heard: the last one is sent once more. */
  | { tag: 'probed' }
  | { tag: 'dropped'; reason: DropReason }
>

export type Layer = 'cable' | 'link' | 'bridge' | 'tunnel' | 'neighbour' | 'ip' | 'netfilter' | 'transport'

/** `dev` is where it is (null: not at a device yet); `frame` what is around the payload, null above the link layer. */
export type Step = Readonly<{
  atMs: number
  host: string
  ns: Ns
  dev: IfName | null
  layer: Layer
  frame: Frame | null
  payload: Payload
  event: Event
}>

export type Death = Step & { readonly event: { readonly tag: 'dropped'; readonly reason: DropReason } }

const stepOf = <E extends Event>(
  { plane, host, ns }: Space,
  dev: Device | null,
  layer: Layer,
  payload: Payload,
  event: E,
  frame: Frame | null,
): Step & { readonly event: E } => ({
  atMs: plane.nowMs,
  host: host.name,
  ns,
  dev: dev === null ? null : dev.name,
  layer,
  frame,
  payload,
  event,
})

/** On hot paths, ask first whether anybody watches (`plane.watch !== null`): the event need not be made then. */
export const note = (
  space: Space,
  dev: Device | null,
  layer: Layer,
  payload: Payload,
  event: Event,
  frame: Frame | null = null,
): void => {
  space.plane.watch?.(stepOf(space, dev, layer, payload, event, frame))
}

/** That somebody else took no notice of a flooded copy explains only if nothing else does. */
const explains = ({ death }: Plane, { tag: payload }: Payload, { tag: reason }: DropReason): boolean => {
  if (reason === 'storm') return death === null
  const isPacket = payload === 'ip4' || payload === 'ip6'
  return isPacket && (death === null || death.event.reason.tag === 'other-host')
}

/** Ends a packet. */
export const drop = (
  space: Space,
  dev: Device | null,
  layer: Layer,
  payload: Payload,
  reason: DropReason,
  frame: Frame | null = null,
): void => {
  const { plane } = space
  if (plane.watch === null && !explains(plane, payload, reason)) return
  const step = stepOf(space, dev, layer, payload, { tag: 'dropped', reason } as const, frame)
  plane.watch?.(step)
  if (explains(plane, payload, reason)) plane.death = step
}

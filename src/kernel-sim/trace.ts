// What happens to a packet, as data: one step after another, from the socket that sends it to the socket that hears of
// the answer. Steps hold no prose (words.ts has it) and only values that exist anyway, so recording them costs little.

import type { Hook, Rule } from '../kernel/firewall/rule.ts'
import type { Ip } from '../net/ip.ts'
import type { Mac } from '../net/mac.ts'
import type { IfName, Ns } from '../net/name.ts'
import type { Port } from '../net/port.ts'
import type { Frame, Packet, Payload } from './packet.ts'

/** A rule, and the chain it stands in. */
export type RuleAt = Readonly<{ hook: Hook; chain: string; rule: Rule }>

/** Why a packet went no further: all the reasons there are. */
export type DropReason = Readonly<
  | { tag: 'rule'; at: RuleAt }
  | { tag: 'no-route'; to: Ip }
  | { tag: 'no-source'; to: Ip }
  | { tag: 'not-unicast'; to: Ip }
  | { tag: 'no-neighbour'; ip: Ip; dev: IfName }
  | { tag: 'link-down'; dev: IfName }
  | { tag: 'no-carrier'; dev: IfName }
  | { tag: 'port-inactive'; bridge: IfName }
  | { tag: 'same-port' }
  | { tag: 'isolated-ports'; to: IfName }
  | { tag: 'nobody-else'; bridge: IfName }
  | { tag: 'other-host'; mac: Mac }
  | { tag: 'storm'; frames: number }
  | { tag: 'martian-source'; ip: Ip }
  | { tag: 'martian-destination'; ip: Ip }
  | { tag: 'reverse-path'; ip: Ip }
  | { tag: 'ipv6-disabled' }
  | { tag: 'not-forwarding'; family: 4 | 6 }
  | { tag: 'ttl-exceeded' }
  | { tag: 'no-listener'; proto: 'tcp' | 'udp'; port: Port }
  | { tag: 'no-socket' }
  | { tag: 'no-free-port'; ip: Ip }
>

/** What became of a packet at one place. */
export type Event = Readonly<
  | { tag: 'sent' }
  | { tag: 'routed'; dev: IfName; via: Ip | null }
  | { tag: 'routed-local' }
  | { tag: 'accepted'; at: RuleAt }
  | { tag: 'translated'; part: 'source' | 'destination' | 'quoted'; before: Packet; by: RuleAt | null }
  | { tag: 'forwarded' }
  | { tag: 'asked'; ip: Ip }
  | { tag: 'answered'; ip: Ip; mac: Mac }
  | { tag: 'transmitted' }
  | { tag: 'received' }
  | { tag: 'bridged'; bridge: IfName; to: IfName }
  | { tag: 'flooded'; bridge: IfName; ports: number }
  | { tag: 'delivered' }
  | { tag: 'dropped'; reason: DropReason }
>

/** `dev` is where it is (null: not at a device yet); `macs` are those of the frame around the packet, if there is one. */
export type Step = Readonly<{
  ns: Ns
  dev: IfName | null
  macs: Readonly<Pick<Frame, 'src' | 'dst'>> | null
  packet: Payload
  event: Event
}>

export type Trace = ReadonlyArray<Step>

// Ports with `neighSuppress`: the bridge answers for who is behind them, of what its own neighbour table says, and spares them questions
// that are answered.
// Source: net/bridge/br_arp_nd_proxy.c (br_do_proxy_suppress_arp, br_do_suppress_nd), measured.

import { type Ip, isLoopback, isMulticast, isUnspecified } from '../../../net/ip.ts'
import { isGroup } from '../../../net/mac.ts'
import type { Arp } from '../../wire/arp.ts'
import type { Frame, VlanTag } from '../../wire/ethernet.ts'
import { transmit } from '../device.ts'
import { enqueue } from '../loop.ts'
import { type Device, deviceAt } from '../plane.ts'
import { NO_META } from '../skb.ts'
import { note } from '../step.ts'
import type { Passing } from './bridge-forward.ts'
import { find } from './fdb.ts'
import { arpAnswer, type Discovering, discoveryAnswer, discoveryIn, type Solicitation } from './neighbour-answer.ts'
import { vlanOn } from './stacked.ts'

const suppresses = (port: Device | null): boolean => port?.link.port?.neighSuppress === true

/** The address is a device's, or that of one on it. */
const hasIp = (dev: Device, ip: Ip): boolean =>
  dev.link.addresses.some(({ cidr }) => cidr.ip === ip) ||
  dev.link.above.some((place) => {
    const on = deviceAt(dev.space, place)
    return on !== null && hasIp(on, ip)
  })

/** Answers in a VLAN go with its tag, but for the one that is untagged at the port. */
const tagsFor = ({ bridge, from, skb, vid }: Passing): ReadonlyArray<VlanTag> => {
  const { pvid } = (from ?? bridge).link.vlans
  return vid === 0 || vid === pvid ? [] : skb.frame.tags.slice(0, 1)
}

/** Back by where the question came from; the bridge's own come as received, but without a VLAN they are sent, and reach nobody. */
const reply = (passing: Passing, answer: Frame, ip: Ip, isArp: boolean) => {
  const { bridge, from, vid } = passing
  const at = from ?? bridge
  const skb = { frame: { ...answer, tags: tagsFor(passing) }, meta: NO_META }
  if (at.space.plane.watch !== null)
    note(at.space, at, 'neighbour', answer.payload, { tag: 'answered', ip, mac: answer.src, proxy: true }, skb.frame)
  if (from === null && (vid !== 0 || !isArp)) enqueue(bridge, skb)
  else transmit(at, skb)
}

/** Who holds the neighbours of a frame's VLAN: the bridge, or its device for that VLAN. */
const holderOf = ({ bridge, memory, vid }: Passing): Device | null =>
  vid === 0 ? bridge : vlanOn(bridge, memory.options.vlanProtocol, vid)

const askedFor = (passing: Passing, ip: Ip, isArp: boolean, answerOf: (n: Neighbour) => Frame): boolean => {
  const { bridge, memory, vid } = passing
  const holder = holderOf(passing)
  if (holder === null) return false
  if (hasIp(holder, ip)) return true
  const neighbour = bridge.space.plane.parts.neighbour(holder, ip)
  if (neighbour?.valid !== true || neighbour.mac === null) return false
  const known = find(bridge, memory, neighbour.mac, vid)
  if (known === null) return false
  const { mac, router } = neighbour
  if (suppresses(known.dev)) reply(passing, answerOf({ mac, router }), ip, isArp)
  return true
}
type Neighbour = Readonly<{ mac: Frame['src']; router: boolean }>

const isArpAnswered = (passing: Passing, { dst }: Frame, arp: Arp): boolean => {
  const { sender, target, op } = arp
  if (isLoopback(target) || isMulticast(target) || suppresses(passing.from)) return false
  if (op === 'request' && !isGroup(dst)) return false
  if (isUnspecified(sender) || sender === target) return true
  return op === 'request' && askedFor(passing, target, true, ({ mac }) => arpAnswer(arp, mac))
}

const isDiscoveryAnswered = (passing: Passing, frame: Frame): boolean => {
  const found = discoveryIn(frame)
  if (found === null || suppresses(passing.from)) return false
  const { packet, message } = found
  if (message.type === 'neighbour-advertisement') return !message.solicited
  if (!isGroup(frame.dst)) return false
  if (isUnspecified(packet.src) || packet.src === packet.dst) return true
  const asked: Discovering<Solicitation> = { packet, message }
  return askedFor(passing, message.target, false, ({ mac, router }) => discoveryAnswer(frame, asked, mac, router))
}

/** Whether a question needs not go to ports with `neighSuppress`: somebody has answered it, or it is for nobody to answer. */
export const isAnsweredFor = (passing: Passing): boolean => {
  const { frame } = passing.skb
  return frame.payload.tag === 'arp'
    ? isArpAnswered(passing, frame, frame.payload)
    : isDiscoveryAnswered(passing, frame)
}

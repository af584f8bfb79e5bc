// Neighbour discovery as it comes in: questions for an address of this very device, or for one that we answer for, and answers.
// Answers for others are given at once; Linux waits for up to 0.8 s, at random (proxy_delay). Of a tentative address nothing is said.
// Sources: net/ipv6/ndisc.c (ndisc_recv_ns, ndisc_recv_na, ndisc_send_na), RFC 4861 section 7.2, RFC 4389.

import { type Ip6, isMulticast, isUnspecified } from '../../../net/ip.ts'
import type { Mac } from '../../../net/mac.ts'
import { hasIn } from '../../../net/pmap.ts'
import { type Packet6, packet6 } from '../../wire/ip6.ts'
import type { NdOption } from '../../wire/nd-options.ts'
import type { Device } from '../plane.ts'
import type { Held } from '../skb.ts'
import { note } from '../step.ts'
import { hasAddress, select6 } from './address.ts'
import { hearOf, tentativeOn } from './dad.ts'
import { ALL_NODES, solicitedNode } from './groups.ts'
import { typeOf } from './lookup.ts'
import { keyOf, knownNeighbour, learn, neighbourOf } from './neighbour.ts'
import { policyOf } from './policy.ts'
import { sendDiscovery } from './solicit.ts'

type Advert = Readonly<{
  to: Ip6
  target: Ip6
  router: boolean
  solicited: boolean
  override: boolean
  withMac: boolean
}>

/** From the target if it is ours, else from whatever address fits. */
const advertise = (dev: Device, { to, target, router, solicited, override, withMac }: Advert) => {
  const { space, link } = dev
  const src = hasAddress(link, target) ? target : select6(space.entry, link, to)
  if (src === null) return
  const options: ReadonlyArray<NdOption> = withMac ? [{ tag: 'target', mac: link.mac }] : []
  const body = {
    proto: 'icmp6',
    type: 'neighbour-advertisement',
    target,
    router,
    solicited,
    override,
    options,
  } as const
  const packet: Packet6 = { ...packet6(src, to, body), ttl: 255 }
  if (space.plane.watch !== null)
    note(space, dev, 'neighbour', packet, { tag: 'answered', ip: target, mac: link.mac, proxy: src !== target })
  sendDiscovery(dev, packet)
}

const macIn = (options: ReadonlyArray<NdOption>, tag: 'source' | 'target'): Mac | null => {
  for (const option of options) if (option.tag === tag) return (option as { mac: Mac }).mac
  return null
}

const nonceIn = (options: ReadonlyArray<NdOption>): number | null => {
  for (const option of options) if (option.tag === 'nonce') return option.nonce
  return null
}

/** Whether we answer for an address that is not ours: of a subnet's routers, or by proxy. */
const answersFor = (dev: Device, target: Ip6): boolean => {
  const { entry } = dev.space
  const { router6, proxyNdp } = policyOf(dev)
  if (typeOf(entry, target, dev.name) === 'anycast') return true
  return router6 && proxyNdp && hasIn(entry.proxies, keyOf(dev, target))
}

const onSolicitation = (dev: Device, packet: Packet6, target: Ip6, options: ReadonlyArray<NdOption>) => {
  const isProbe = isUnspecified(packet.src)
  const inGroup = isMulticast(packet.dst)
  const mac = macIn(options, 'source')
  if (isMulticast(target)) return
  if (isProbe && (packet.dst !== solicitedNode(target) || mac !== null)) return
  if (tentativeOn(dev, target) !== null) {
    if (isProbe) hearOf(dev, target, nonceIn(options))
    return
  }
  const isOurs = hasAddress(dev.link, target)
  if (!isOurs && !answersFor(dev, target)) return
  const router = policyOf(dev).router6 && !hasIn(dev.space.entry.proxies, keyOf(dev, target))
  if (isProbe) {
    // Cast: the group of all nodes is one of IPv6.
    const to = ALL_NODES as Ip6
    return advertise(dev, { to, target, router, solicited: false, override: isOurs, withMac: true })
  }
  const asker = inGroup && mac === null ? knownNeighbour(dev, packet.src) : neighbourOf(dev, packet.src)
  if (asker === null) return
  learn(asker, { mac, state: 'stale', override: true, weak: true, router: null })
  const override = isOurs && inGroup
  advertise(dev, { to: packet.src, target, router, solicited: true, override, withMac: inGroup })
}

type Advertisement = Extract<Packet6['body'], { type: 'neighbour-advertisement' }>

const onAdvertisement = (dev: Device, packet: Packet6, body: Advertisement) => {
  const { target, solicited, override, router } = body
  if (isMulticast(target) || (solicited && isMulticast(packet.dst)) || hasAddress(dev.link, target)) return
  if (tentativeOn(dev, target) !== null) return hearOf(dev, target, null)
  const known = knownNeighbour(dev, target)
  if (known === null || known.state === 'failed' || known.state === 'none') return
  const state = solicited ? 'reachable' : 'stale'
  learn(known, { mac: macIn(body.options, 'target'), state, override, weak: true, router })
}

/** Whether a packet is a message of neighbour discovery that is dealt with here; one from afar is none (RFC 4861 section 7.1). */
export const receiveDiscovery = (dev: Device, { packet }: Held): boolean => {
  if (packet.tag !== 'ip6' || packet.body.proto !== 'icmp6') return false
  const { body } = packet
  switch (body.type) {
    case 'neighbour-solicitation':
      if (packet.ttl === 255) onSolicitation(dev, packet, body.target, body.options)
      return true
    case 'neighbour-advertisement':
      if (packet.ttl === 255) onAdvertisement(dev, packet, body)
      return true
    case 'router-solicitation':
    case 'router-advertisement':
    case 'redirect':
      return true
    default:
      return false
  }
}

/** Tells everybody on the link where an address is (ndisc_send_unsol_na). */
export const announce6 = (dev: Device, target: Ip6) => {
  const { router6 } = policyOf(dev)
  // Cast: as above.
  const to = ALL_NODES as Ip6
  advertise(dev, { to, target, router: router6, solicited: false, override: true, withMac: true })
}

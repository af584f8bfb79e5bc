// Operations that fit what is there, and ask for nothing that `after` (kernel/diff.ts) makes no claim about. Each rule
// names what Linux does beyond it.

import {
  type Address,
  changeable,
  hasOwnMac,
  isStacked,
  type KernelObject,
  keyOf,
  type Link,
  linkKey,
  PLAIN_MTU,
  type Place,
  portKey,
  type Route,
  type StackedSpec,
  type Sysctl,
} from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { type KernelState, objectsOf } from '../../src/kernel/state.ts'
import { sysctlDevice } from '../../src/kernel/sysctl.ts'
import { isNetwork, networkOf, overlaps } from '../../src/net/cidr.ts'
import { isLinkLocal, isLoopback, isUnspecified } from '../../src/net/ip.ts'
import { ZERO_MAC } from '../../src/net/mac.ts'
import { getIn, hasIn } from '../../src/net/pmap.ts'

/** Addresses of one subnet on a device hang together (primary and secondary), and some addresses are the kernel's own. */
const tameAddress = (there: KernelState, address: Address): boolean => {
  const { ip } = address.cidr
  if (isLoopback(ip) || isLinkLocal(ip) || isUnspecified(ip)) return false
  return objectsOf(there).every(
    (other) =>
      !(
        other.kind === 'address' &&
        other.ns === address.ns &&
        other.dev === address.dev &&
        overlaps(other.cidr, address.cidr)
      ) &&
      !(
        other.kind === 'route' &&
        other.ns === address.ns &&
        overlaps(networkOf(address.cidr), other.to) &&
        other.to.bits > 0
      ),
  )
}

/** IPv6 forgets host bits and says its metrics in full; routes to connected networks compete with the kernel's own. */
const tameRoute = (there: KernelState, { ns, to, via, metric }: Route): boolean =>
  isNetwork(to) &&
  (via === null || !isUnspecified(via)) &&
  metric !== 1024 &&
  metric !== 256 &&
  objectsOf(there).every(
    (other) => !(other.kind === 'address' && other.ns === ns && to.bits > 0 && overlaps(networkOf(other.cidr), to)),
  )

/** Numbers are read and shown again; general ones reach every device, forwarding ones their devices. */
const tameSysctl = ({ name, value }: Sysctl): boolean => /^(0|[1-9])$/.test(value) && sysctlDevice(name) !== null

/** The links that are on a device. */
const above = (there: KernelState, { ns, name }: Place): ReadonlyArray<StackedSpec> =>
  objectsOf(there).flatMap((object) =>
    object.kind === 'link' && isStacked(object.spec) && object.spec.below.ns === ns && object.spec.below.name === name
      ? [object.spec]
      : [],
  )

/** All ipvlans of a device have the mode of the last; a passthru macvlan is alone on its, which takes its MAC. */
const tameLink = (there: KernelState, { spec }: Link): boolean =>
  (spec.type !== 'macvlan' || spec.mode !== 'passthru') &&
  (spec.type !== 'ipvlan' ||
    above(there, spec.below).every(
      (other) => other.type !== 'ipvlan' || (other.mode === spec.mode && other.flag === spec.flag),
    ))

/**
 * A bridge of 1500 bytes follows its ports; a MAC that changes leaves the old link-local address behind. What is on a device follows
 * its MTU, and a VLAN whether it is up, too.
 */
const tameChange = (there: KernelState, held: Link, link: Link): boolean => {
  const onBridge = hasIn(there, portKey(link.ns, link.name))
  if ((held.mtu !== link.mtu || held.up !== link.up) && above(there, link).length > 0) return false
  if (held.mac !== link.mac && (held.up || link.mac === ZERO_MAC || !hasOwnMac(link.spec))) return false
  return held.mtu === link.mtu || !onBridge
}

const isPlain = (there: KernelState, object: KernelObject): boolean => {
  switch (object.kind) {
    case 'address':
      return tameAddress(there, object)
    case 'route':
      return tameRoute(there, object)
    case 'sysctl':
      return tameSysctl(object)
    case 'port': {
      const link = getIn(there, linkKey(object.ns, object.dev))
      return link?.kind === 'link' && link.mtu === PLAIN_MTU
    }
    case 'nft-element':
      // Prefixes around each other within a concatenation: see docs/known-differences.md.
      return !object.set.startsWith('subnet') || /\/(24|64)$/.test(object.key.at(-1) ?? '')
    case 'link':
      return tameLink(there, object)
    case 'netns':
    case 'nft-table':
      return true
  }
}

/** The operation nearest to `op` that fits `there`, or null. A sysctl cannot be absent, so deleting it shows a value. */
export const tame = (there: KernelState, op: KernelOp): KernelOp | null => {
  const held = getIn(there, keyOf(op.object))
  if (op.verb === 'delete')
    return held === undefined || held.kind === 'sysctl' ? null : { verb: 'delete', object: held }
  const object = op.object
  if (!isPlain(there, object)) return null
  if (held === undefined) return op.verb === 'create' || object.kind !== 'link' ? { verb: 'create', object } : null
  if (held.kind === 'link' && object.kind === 'link') {
    const wanted = op.verb === 'change' ? retouched(held, op) : object
    return changeable(held, wanted) && wanted.kind === 'link' && tameChange(there, held, wanted)
      ? { verb: 'change', from: held, object: wanted }
      : null
  }
  return changeable(held, object) ? { verb: 'change', from: held, object } : null
}

/** The held link with the fields that a change of another one is about. */
const retouched = (held: Link, { from, object }: Extract<KernelOp, { verb: 'change' }>): Link => {
  if (from.kind !== 'link' || object.kind !== 'link') return held
  return {
    ...held,
    mac: from.mac === object.mac ? held.mac : object.mac,
    mtu: from.mtu === object.mtu ? held.mtu : object.mtu,
    up: from.up === object.up ? held.up : object.up,
    alias: from.alias === object.alias ? held.alias : object.alias,
  }
}

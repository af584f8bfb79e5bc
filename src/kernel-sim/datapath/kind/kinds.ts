// What the kinds of devices offer to the other parts (`Parts`), in one place.

import type { Device, Parts } from '../plane.ts'
import type { Skb } from '../skb.ts'
import { receiveOnPort, transmitBridge } from './bridge.ts'
import { receiveForIpvlan, transmitIpvlan } from './ipvlan.ts'
import { receiveForMacvlan, transmitMacvlan } from './macvlan.ts'
import { transmitDummy, transmitLoopback, transmitTap, transmitVeth } from './plain.ts'
import { stackedOf } from './stacked.ts'
import { receiveForVlan, transmitVlan } from './vlan.ts'
import { transmitVxlan } from './vxlan.ts'
import { hasTunnel, receiveTunnel } from './vxlan-receive.ts'

/** A tag is looked at first, as in __netif_receive_skb_core; then come macvlans or ipvlans, of which a device has one kind only. */
const receiveAbove = (dev: Device, skb: Skb, isOurs: boolean): boolean => {
  if (skb.frame.tags.length > 0 && receiveForVlan(dev, skb, isOurs)) return true
  const stacked = stackedOf(dev)
  if (stacked.macvlans.length > 0) return receiveForMacvlan(stacked, skb)
  return stacked.ipvlans.length > 0 && receiveForIpvlan(dev, stacked, skb, isOurs)
}

type Transmit = Parts['transmit']

/** All but the cards of the host, which are the fabric's. */
export const KINDS: Pick<Parts, 'receiveOnPort' | 'receiveAbove' | 'receiveTunnel' | 'hasTunnel'> &
  Readonly<{ transmit: Omit<Transmit, 'nic'> }> = {
  transmit: {
    loopback: transmitLoopback,
    veth: transmitVeth,
    dummy: transmitDummy,
    tap: transmitTap,
    bridge: transmitBridge,
    vlan: transmitVlan,
    vxlan: transmitVxlan,
    macvlan: transmitMacvlan,
    ipvlan: transmitIpvlan,
  },
  receiveOnPort,
  receiveAbove,
  receiveTunnel,
  hasTunnel,
}

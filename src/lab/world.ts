// The little world a simulation or a lab runs in: a host with an uplink, and beyond it `internet`, a machine that knows no
// way to any container: answers find their way only to addresses of the host. Addresses are those kept for documentation
// (RFC 5737, RFC 3849), so they mean nobody.

import { freshLoopback } from '../kernel/cascade.ts'
import type { KernelObject } from '../kernel/object.ts'
import { type KernelState, stateOf } from '../kernel/state.ts'
import { ICMP_LIMIT4, ICMP_LIMIT6 } from '../kernel/sysctl.ts'
import { type Cidr, cidr, DEFAULT4, DEFAULT6 } from '../net/cidr.ts'
import { type Family, type Ip, ip } from '../net/ip.ts'
import { type Mac, mac } from '../net/mac.ts'
import { HOST, type IfName, ifName, type Ns, ns } from '../net/name.ts'

export const INTERNET: Ns = ns('internet')
export const UPLINK: IfName = ifName('uplink0')
const FAR_END: IfName = ifName('eth0')

/** The host's addresses on its uplink. */
export const HOST_ADDRESS: Readonly<Record<Family, Ip>> = { 4: ip('203.0.113.2'), 6: ip('2001:db8::2') }
/** Where `internet` answers. */
export const INTERNET_ADDRESS: Readonly<Record<Family, Ip>> = { 4: ip('203.0.113.1'), 6: ip('2001:db8::1') }

/** Taken by the world; a project's network cannot have them. */
export const UPLINK_SUBNETS = [cidr('203.0.113.0/24'), cidr('2001:db8::/64')]

/** ICMP errors are not limited: a machine asked by many at once would leave some without an answer. */
const room = (space: Ns): ReadonlyArray<KernelObject> => [
  { kind: 'netns', ns: space, at: null },
  { ...freshLoopback(space), up: true },
  { kind: 'sysctl', ns: space, name: ICMP_LIMIT4, value: '0', otherwise: '1000' },
  { kind: 'sysctl', ns: space, name: ICMP_LIMIT6, value: '0', otherwise: '100' },
]

const end = (space: Ns, name: IfName, peer: Readonly<{ ns: Ns; name: IfName }>, address: Mac): KernelObject => ({
  kind: 'link',
  ns: space,
  name,
  spec: { type: 'veth', peer },
  mac: address,
  mtu: 1500,
  up: true,
  alias: null,
})

const addresses = (space: Ns, dev: IfName, cidrs: ReadonlyArray<Cidr>): ReadonlyArray<KernelObject> =>
  cidrs.map((each) => ({ kind: 'address', ns: space, dev, cidr: each }))

/** More cards of the host, which lead to the internet too, but have no addresses at either end. */
const card = (name: IfName, i: number): ReadonlyArray<KernelObject> => {
  const far = ifName(`card${i}`)
  return [
    end(HOST, name, { ns: INTERNET, name: far }, mac(0x020000000100 + 2 * i)),
    end(INTERNET, far, { ns: HOST, name }, mac(0x020000000101 + 2 * i)),
  ]
}

const SHARED: ReadonlyArray<KernelObject> = [
  ...room(HOST),
  ...room(INTERNET),
  end(HOST, UPLINK, { ns: INTERNET, name: FAR_END }, mac(0x020000000002)),
  end(INTERNET, FAR_END, { ns: HOST, name: UPLINK }, mac(0x020000000001)),
  ...addresses(HOST, UPLINK, [cidr('203.0.113.2/24'), cidr('2001:db8::2/64')]),
  ...addresses(INTERNET, FAR_END, [cidr('203.0.113.1/24'), cidr('2001:db8::1/64')]),
  { kind: 'route', ns: HOST, to: DEFAULT4, via: INTERNET_ADDRESS[4], dev: UPLINK, metric: 0 },
  { kind: 'route', ns: HOST, to: DEFAULT6, via: INTERNET_ADDRESS[6], dev: UPLINK, metric: 0 },
]

/** The host and what is beyond it, before any network of ours. */
export const worldWith = (cards: ReadonlyArray<IfName>): KernelState => stateOf([...SHARED, ...cards.flatMap(card)])
export const WORLD: KernelState = worldWith([])

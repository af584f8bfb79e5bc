// What a machine can do, as a table for people.

import { abilityText, type Capabilities, FEATURES, type Feature, userText } from '../../kernel-linux/capabilities.ts'
import { TOOLS } from '../../kernel-linux/run.ts'
import type { Paint } from '../io.ts'
import { table } from './table.ts'

const TITLE: Readonly<Record<Feature, string>> = {
  netns: 'network namespaces',
  userns: 'user namespaces',
  bridge: 'link kind bridge',
  veth: 'link kind veth',
  vxlan: 'link kind vxlan',
  macvlan: 'link kind macvlan',
  ipvlan: 'link kind ipvlan',
  vlan: 'link kind vlan (802.1Q)',
  dummy: 'link kind dummy',
  tun: 'link kind tun',
  'vlan-filtering': 'VLAN filtering of bridges',
  ipv6: 'IPv6',
  'nft-nat': 'nftables: inet nat',
  'nft-fib': 'nftables: fib',
  'nft-ct': 'nftables: ct',
  br_netfilter: 'br_netfilter',
  libc: 'C library, in process',
  libnftables: 'libnftables, in process',
}

export const machineText = (capabilities: Capabilities, paint: Paint): string => {
  const { kernel, user, tried, features, tools, transport } = capabilities
  const trial =
    tried === null
      ? 'Nothing could be tried here: no network namespace can be made.'
      : `Links and nftables were tried in a ${tried} of their own, which is gone again.`
  const rows = [
    ['WHAT', 'HERE'].map(paint.dim),
    ['kernel', `Linux ${kernel}`],
    ['user', userText(user)],
    ...FEATURES.map((feature) => [TITLE[feature], abilityText(features[feature])]),
    ...TOOLS.map((tool) => [`program ${tool}`, tools[tool] ?? 'not found']),
    ['transport', transport === 'netlink' ? 'netlink' : 'iproute2, for the C library cannot be called'],
  ]
  return `${table(rows).replaceAll(/^ {2}/gm, '')}\n\n${trial}`
}

// Defects of what drivers and sandboxes ask of the kernel: rules of the wrong family, of features that are off.

import { by } from './mutant.mjs'

/** @type {ReadonlyArray<import('./mutant.mjs').Mutant>} */
export default [
  {
    name: 'internal-masquerades',
    bug: 'an internal network has an address of the host for what leaves it',
    rows: ['m PR#46603', 'm#47538'],
    property: 'P25',
    under: 'src/drivers/bridge/bridge.ts',
    find: 'masquerade && !network.internal ?',
    replace: 'masquerade ?',
    by: by('features', 'internal'),
  },
  {
    name: 'masquerade-though-off',
    bug: 'rules are made though masquerading is off',
    rows: ['m PR#49467'],
    property: 'P25',
    under: 'src/drivers/bridge/bridge.ts',
    find: 'masquerade && !network.internal ?',
    replace: '!network.internal ?',
    by: by('features', 'masquerad'),
  },
  {
    name: 'port-on-the-wrong-family',
    bug: 'a port of an IPv4 address of the host is published with the IPv6 address of the container',
    rows: ['m PR#46446', 'm#44451', 'l#1827'],
    property: 'P2',
    under: 'src/drivers/bridge/bridge.ts',
    find: 'hostIp === null || familyOf(hostIp) === family',
    replace: 'hostIp === null || familyOf(hostIp) === 4',
    by: by('ports', 'are those of the bindings'),
  },
  {
    name: 'port-at-every-endpoint',
    bug: 'each endpoint of a container publishes its ports, not only the way out',
    rows: ['m PR#49724', 'm#21741'],
    property: 'P2',
    under: 'src/drivers/render.ts',
    find: '4: ways[4]?.endpoint.id === endpoint.id ? sandbox.ports : []',
    replace: '4: sandbox.ports',
    by: by('ports', 'never make two endpoints want one thing'),
  },
  {
    name: 'ipv6-though-off',
    bug: 'a network without IPv6 makes the host forward it',
    rows: ['m PR#47521', 'm#11518'],
    property: 'P25',
    under: 'src/drivers/bridge/bridge.ts',
    find: '...(hasFamily(network, 6) ? [hostSysctl(FORWARD6',
    replace: '...(hasFamily(network, 4) ? [hostSysctl(FORWARD6',
    by: by('features', 'IPv6'),
  },
  {
    name: 'isolation-forgotten',
    bug: 'containers of a network that forbids it talk to each other',
    rows: ['m#40388', '41a91e9a5d'],
    property: 'P20',
    under: 'src/drivers/bridge/bridge.ts',
    find: 'isolated: !icc',
    replace: 'isolated: false',
    by: by('reach', 'reach an address of another container'),
  },
]

// The firewall: one table with a fixed skeleton of chains. Networks, endpoints and published ports are elements of its
// sets and maps, never rules, so neither a join nor a packet costs more when there are more of them.
//
// What it promises, for IPv4 and IPv6 alike:
//   networks do not reach each other; an internal network is not routed at all; from outside only published ports are
//   reachable, and those of a container at its own address only where the network is routed or who comes is trusted; what
//   leaves a network carries the host's address; a container reaches its own published ports.
//   A network that is unprotected (and not internal) is reached by all.
// It does not rely on br_netfilter, and holds with it on, but for one case (docs/known-differences.md, 6): bridged frames
// stay within a pair of `within`.
// Raise SKELETON_VERSION with every change: a table of another version is replaced as a whole.

import type { Chain, SetSpec } from './rule.ts'

export const SKELETON_VERSION = 3
export const TABLE = 'cnm'

export type SetName =
  | 'bridges'
  | 'internal'
  | 'within'
  | 'linked4'
  | 'linked6'
  | 'subnet4'
  | 'subnet6'
  | 'masquerade4'
  | 'masquerade6'
  | 'snat4'
  | 'snat6'
  | 'unprotected4'
  | 'unprotected6'
  | 'routed4'
  | 'routed6'
  | 'trusted'
  | 'open4'
  | 'open6'
  | 'publish4'
  | 'publish6'
  | 'publish4_any'
  | 'publish6_any'

const set = (
  name: SetName,
  key: SetSpec['key'],
  about: string,
  more: Partial<Pick<SetSpec, 'value' | 'interval'>> = {},
): SetSpec => ({ name, key, value: null, interval: false, about, ...more })

export const SETS: ReadonlyArray<SetSpec> = [
  set('bridges', ['ifname'], 'the bridge of every network'),
  set('internal', ['ifname'], 'bridges of networks that are not routed'),
  set('within', ['ifname', 'ifname'], 'a bridge, twice: its containers may talk to each other'),
  set(
    'linked4',
    ['ifname', 'ipv4_addr', 'ipv4_addr', 'inet_proto', 'inet_service'],
    'a bridge, a container, another that it links to, and a port of that one',
  ),
  set(
    'linked6',
    ['ifname', 'ipv6_addr', 'ipv6_addr', 'inet_proto', 'inet_service'],
    'a bridge, a container, another that it links to, and a port of that one',
  ),
  set('subnet4', ['ifname', 'ipv4_addr'], 'a bridge and its subnet', { interval: true }),
  set('subnet6', ['ifname', 'ipv6_addr'], 'a bridge and its subnet', { interval: true }),
  set('masquerade4', ['ipv4_addr'], 'subnets that leave with an address of the host', { interval: true }),
  set('masquerade6', ['ipv6_addr'], 'subnets that leave with an address of the host', { interval: true }),
  set('snat4', ['ipv4_addr'], 'subnets that leave with this address of the host', {
    value: ['ipv4_addr'],
    interval: true,
  }),
  set('snat6', ['ipv6_addr'], 'subnets that leave with this address of the host', {
    value: ['ipv6_addr'],
    interval: true,
  }),
  set('unprotected4', ['ifname'], 'bridges that let in all IPv4'),
  set('unprotected6', ['ifname'], 'bridges that let in all IPv6'),
  set('routed4', ['ifname'], 'bridges whose containers have their ports open at their own addresses'),
  set('routed6', ['ifname'], 'bridges whose containers have their ports open at their own addresses'),
  set('trusted', ['ifname', 'ifname'], 'an interface of the host, and a bridge whose open ports it leads to'),
  set('open4', ['ipv4_addr', 'inet_proto', 'inet_service'], 'a port of a container, at its own address'),
  set('open6', ['ipv6_addr', 'inet_proto', 'inet_service'], 'a port of a container, at its own address'),
  set('publish4', ['ipv4_addr', 'inet_proto', 'inet_service'], 'a host address and port, and the container behind it', {
    value: ['ipv4_addr', 'inet_service'],
  }),
  set('publish6', ['ipv6_addr', 'inet_proto', 'inet_service'], 'a host address and port, and the container behind it', {
    value: ['ipv6_addr', 'inet_service'],
  }),
  set('publish4_any', ['inet_proto', 'inet_service'], 'a port of every host address, and the container behind it', {
    value: ['ipv4_addr', 'inet_service'],
  }),
  set('publish6_any', ['inet_proto', 'inet_service'], 'a port of every host address, and the container behind it', {
    value: ['ipv6_addr', 'inet_service'],
  }),
]

const publish: Chain = {
  name: 'publish',
  base: null,
  rules: [
    {
      matches: [],
      statement: { tag: 'dnat', family: 4, fields: ['ip daddr', 'meta l4proto', 'th dport'], map: 'publish4' },
      about: 'publish: a port of one host address goes to its container',
    },
    {
      matches: [{ tag: 'family', family: 4 }],
      statement: { tag: 'dnat', family: 4, fields: ['meta l4proto', 'th dport'], map: 'publish4_any' },
      about: 'publish: a port of every host address goes to its container',
    },
    {
      matches: [{ tag: 'network', field: 'ip6 daddr', network: '::1/128' }],
      statement: { tag: 'return' },
      about: 'publish: the kernel cannot route from ::1 to a container',
    },
    {
      matches: [],
      statement: { tag: 'dnat', family: 6, fields: ['ip6 daddr', 'meta l4proto', 'th dport'], map: 'publish6' },
      about: 'publish: a port of one host address goes to its container',
    },
    {
      matches: [{ tag: 'family', family: 6 }],
      statement: { tag: 'dnat', family: 6, fields: ['meta l4proto', 'th dport'], map: 'publish6_any' },
      about: 'publish: a port of every host address goes to its container',
    },
  ],
}

const toPublish = {
  matches: [{ tag: 'fib-local', of: 'daddr' }],
  statement: { tag: 'jump', chain: 'publish' },
  about: 'publish: for an address of the host',
} as const

const withinSubnet = (family: 4 | 6): Pick<Chain, 'rules'>['rules'] => {
  const field = family === 4 ? 'ip saddr' : 'ip6 saddr'
  const inSubnet = { tag: 'in', fields: ['oifname', field], set: `subnet${family}` } as const
  return [
    {
      matches: [inSubnet, { tag: 'ct-dnat' }],
      statement: { tag: 'masquerade' },
      about: 'hairpin: back into the network it came from, so answers must come back this way',
    },
    { matches: [inSubnet], statement: { tag: 'accept' }, about: 'nat: stays within its network' },
    {
      matches: [],
      statement: { tag: 'snat', family, fields: [field], map: `snat${family}` },
      about: 'snat: leaves its network with the address of the host that was chosen for it',
    },
    {
      matches: [{ tag: 'in', fields: [field], set: `masquerade${family}` }],
      statement: { tag: 'masquerade' },
      about: 'masquerade: leaves its network with an address of the host',
    },
  ]
}

/** Who may speak to a container of its own network that is kept apart from the others. */
const linked = (family: 4 | 6): Chain['rules'][number] => ({
  matches: [
    {
      tag: 'in',
      fields: ['oifname', ...(family === 4 ? FROM_TO4 : FROM_TO6), 'meta l4proto', 'th dport'],
      set: `linked${family}`,
    },
  ],
  statement: { tag: 'accept' },
  about: 'linked: a port of a container that this one links to',
})
const FROM_TO4 = ['ip saddr', 'ip daddr'] as const
const FROM_TO6 = ['ip6 saddr', 'ip6 daddr'] as const

/** Who may come straight to a container of one family. */
const straight = (family: 4 | 6): Chain['rules'] => {
  const open = {
    tag: 'in',
    fields: [family === 4 ? 'ip daddr' : 'ip6 daddr', 'meta l4proto', 'th dport'],
    set: `open${family}`,
  } as const
  const isRouted = { tag: 'in', fields: ['oifname'], set: `routed${family}` } as const
  return [
    {
      matches: [
        { tag: 'family', family },
        { tag: 'in', fields: ['oifname'], set: `unprotected${family}` },
      ],
      statement: { tag: 'accept' },
      about: 'unprotected: a network that everybody may enter',
    },
    {
      matches: [isRouted, { tag: 'protocol', protocol: family === 4 ? 'icmp' : 'ipv6-icmp' }],
      statement: { tag: 'accept' },
      about: 'routed: containers are there for ICMP',
    },
    {
      matches: [isRouted, open],
      statement: { tag: 'accept' },
      about: 'routed: a published port at the address of its container',
    },
    {
      matches: [{ tag: 'in', fields: ['iifname', 'oifname'], set: 'trusted' }, open],
      statement: { tag: 'accept' },
      about: 'trusted: a published port at the address of its container, for an interface that may',
    },
  ]
}

export const CHAINS: ReadonlyArray<Chain> = [
  {
    name: 'guard',
    base: { type: 'filter', hook: 'prerouting', priority: -300 },
    rules: [
      {
        matches: [
          { tag: 'in', fields: ['iifname'], set: 'bridges' },
          { tag: 'network', field: 'ip daddr', network: '127.0.0.0/8' },
        ],
        statement: { tag: 'drop' },
        about: 'guard: a container may not speak to the loopback of the host',
      },
    ],
  },
  publish,
  { name: 'prerouting', base: { type: 'nat', hook: 'prerouting', priority: -100 }, rules: [toPublish] },
  { name: 'output', base: { type: 'nat', hook: 'output', priority: -100 }, rules: [toPublish] },
  {
    name: 'forward',
    base: { type: 'filter', hook: 'forward', priority: 0 },
    rules: [
      {
        matches: [{ tag: 'ct-state', states: ['established', 'related'] }],
        statement: { tag: 'accept' },
        about: 'answers: part of a conversation that was allowed',
      },
      {
        matches: [{ tag: 'in', fields: ['iifname', 'oifname'], set: 'within' }],
        statement: { tag: 'accept' },
        about: 'within: containers of one network may talk',
      },
      linked(4),
      linked(6),
      {
        matches: [{ tag: 'in', fields: ['iifname'], set: 'internal' }],
        statement: { tag: 'drop' },
        about: 'internal: nothing leaves an internal network',
      },
      {
        matches: [{ tag: 'in', fields: ['oifname'], set: 'internal' }],
        statement: { tag: 'drop' },
        about: 'internal: nothing enters an internal network',
      },
      {
        matches: [{ tag: 'in', fields: ['oifname'], set: 'bridges' }, { tag: 'ct-dnat' }],
        statement: { tag: 'accept' },
        about: 'published: sent here by a published port',
      },
      ...straight(4),
      ...straight(6),
      {
        matches: [{ tag: 'in', fields: ['oifname'], set: 'bridges' }],
        statement: { tag: 'drop' },
        about: 'isolation: only published ports and answers enter a network',
      },
    ],
  },
  {
    name: 'postrouting',
    base: { type: 'nat', hook: 'postrouting', priority: 100 },
    rules: [
      ...withinSubnet(4),
      ...withinSubnet(6),
      {
        matches: [
          { tag: 'network', field: 'ip saddr', network: '127.0.0.0/8' },
          { tag: 'in', fields: ['oifname'], set: 'bridges' },
        ],
        statement: { tag: 'masquerade' },
        about: 'loopback: a container could not answer 127.0.0.1',
      },
    ],
  },
]

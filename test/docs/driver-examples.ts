// The examples of the drivers' pages: the words that a user would type, and the commands that they are.

import type { Command } from '../../src/model/command.ts'
import { HOST } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { createEndpoint, createNetwork, createSandbox, join, pool } from '../lib/model.ts'

export type Example = Readonly<{ title: string; words: ReadonlyArray<string>; commands: ReadonlyArray<Command> }>

const WEB = {
  hostIp: null,
  hostPorts: { from: port(8080), to: port(8080) },
  containerPort: port(80),
  transport: 'tcp',
} as const

/** Two containers on a network. */
const joined = (name: string, more: Parameters<typeof createNetwork>[2]): ReadonlyArray<Command> => [
  createNetwork(1, name, more),
  createSandbox(1, 'web'),
  createSandbox(2, 'db'),
  createEndpoint(1, 1, 'web'),
  createEndpoint(2, 1, 'db'),
  join(1, 1),
  join(2, 2),
]

const CONNECT = ['cnm sandbox create web', 'cnm sandbox create db']
const connected = (name: string): ReadonlyArray<string> => [
  ...CONNECT,
  `cnm network connect ${name} web`,
  `cnm network connect ${name} db`,
]

export const EXAMPLES: Readonly<Record<string, ReadonlyArray<Example>>> = {
  bridge: [
    {
      title: 'Two containers, one of which publishes a port',
      words: [
        'cnm network create --subnet 10.1.0.0/24 front',
        'cnm sandbox create -p 8080:80 web',
        'cnm sandbox create db',
        'cnm network connect front web',
        'cnm network connect front db',
      ],
      commands: [
        createNetwork(1, 'front', { pools: [pool('10.1.0.0/24')] }),
        createSandbox(1, 'web', { ports: [WEB] }),
        ...joined('front', {}).slice(2),
      ],
    },
    {
      title: 'An internal network of both families',
      words: [
        'cnm network create --internal --ipv6 --subnet 10.2.0.0/24 --subnet fd02::/64 back',
        ...connected('back'),
      ],
      commands: joined('back', { internal: true, pools: [pool('10.2.0.0/24'), pool('fd02::/64')] }),
    },
  ],
  macvlan: [
    {
      title: 'Two containers on a card of the host',
      words: [
        'cnm network create -d macvlan -o parent=uplink0 --subnet 10.3.0.0/24 --gateway 10.3.0.1 wire',
        ...connected('wire'),
      ],
      commands: joined('wire', {
        driver: 'macvlan',
        options: { parent: 'uplink0' },
        pools: [pool('10.3.0.0/24', '10.3.0.1')],
      }),
    },
    {
      title: 'On a VLAN, which is made',
      words: [
        'cnm network create -d macvlan -o parent=uplink0.10 --subnet 10.4.0.0/24 --gateway 10.4.0.1 vlan',
        ...connected('vlan'),
      ],
      commands: joined('vlan', {
        driver: 'macvlan',
        options: { parent: 'uplink0.10' },
        pools: [pool('10.4.0.0/24', '10.4.0.1')],
      }),
    },
    {
      title: 'Without a parent: internal, on a dummy',
      words: ['cnm network create -d macvlan --subnet 10.5.0.0/24 alone', ...connected('alone')],
      commands: joined('alone', { driver: 'macvlan', pools: [pool('10.5.0.0/24')] }),
    },
  ],
  ipvlan: [
    {
      title: 'On the wire of a card of the host',
      words: [
        'cnm network create -d ipvlan -o parent=uplink0 --subnet 10.6.0.0/24 --gateway 10.6.0.1 wire',
        ...connected('wire'),
      ],
      commands: joined('wire', {
        driver: 'ipvlan',
        options: { parent: 'uplink0' },
        pools: [pool('10.6.0.0/24', '10.6.0.1')],
      }),
    },
    {
      title: 'Routed by the host (l3)',
      words: [
        'cnm network create -d ipvlan -o parent=uplink0 -o ipvlan_mode=l3 --subnet 10.7.0.0/24 routed',
        ...connected('routed'),
      ],
      commands: joined('routed', {
        driver: 'ipvlan',
        options: { parent: 'uplink0', ipvlan_mode: 'l3' },
        pools: [pool('10.7.0.0/24')],
      }),
    },
  ],
  host: [
    {
      title: 'A container in the namespace of the host',
      words: ['cnm sandbox create --netns host monitor', 'cnm network connect host monitor'],
      commands: [
        createNetwork(1, 'host', { driver: 'host', pools: [] }),
        createSandbox(1, 'monitor', { ns: HOST }),
        createEndpoint(1, 1, 'monitor'),
        join(1, 1),
      ],
    },
  ],
  null: [
    {
      title: 'A container with a loopback device and nothing else',
      words: ['cnm sandbox create batch', 'cnm network connect none batch'],
      commands: [
        createNetwork(1, 'none', { driver: 'null', pools: [] }),
        createSandbox(1, 'batch'),
        createEndpoint(1, 1, 'batch'),
        join(1, 1),
      ],
    },
  ],
}

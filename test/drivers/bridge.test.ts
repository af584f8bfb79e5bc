// What a bridge network, an endpoint and a sandbox want of the kernel: a story in the commands they stand for.

import { describe, expect, test } from 'vitest'
import { DRIVERS } from '../../src/drivers/registry.ts'
import { renderAll } from '../../src/drivers/render.ts'
import { diff } from '../../src/kernel/diff.ts'
import { commandsOf } from '../../src/kernel/print.ts'
import { EMPTY_STATE, unite } from '../../src/kernel/state.ts'
import type { Command } from '../../src/model/command.ts'
import { ip } from '../../src/net/ip.ts'
import { HOST } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { E } from '../../src/prelude.ts'
import { createEndpoint, createNetwork, createSandbox, join, obey, pool } from '../lib/model.ts'

/** The commands that build what these ask for on an empty host, without the firewall's skeleton. */
const plan = (commands: ReadonlyArray<Command>): ReadonlyArray<string> => {
  const wanted = unite(renderAll(DRIVERS, obey(commands)).map(({ fragment }) => fragment))
  if (E.isLeft(wanted)) throw new Error(`clash on ${wanted.left.key}`)
  return diff(EMPTY_STATE, wanted.right)
    .filter(({ object }) => object.kind !== 'nft-table')
    .flatMap((op) => commandsOf(op, (ns) => ns))
    .map(({ tool, ns, text }) => `${ns === 'host' || ns === null ? '' : `${ns}: `}${tool} ${text}`)
}

const web = [
  createNetwork(1, 'front', { pools: [pool('172.20.0.0/16')] }),
  createSandbox(1, 'web', {
    ports: [
      { hostIp: null, hostPorts: { from: port(8080), to: port(8080) }, containerPort: port(80), transport: 'tcp' },
    ],
  }),
  createEndpoint(1, 1, 'web'),
  join(1, 1),
]

describe('the bridge driver', () => {
  test('makes a bridge, a veth pair, addresses, a default route and elements of the firewall', () => {
    expect(plan(web)).toMatchInlineSnapshot(`
      [
        "ip netns add web",
        "nft create element inet cnm bridges { "br-1a0000000000" }",
        "nft create element inet cnm masquerade4 { 172.20.0.0/16 }",
        "nft create element inet cnm publish4_any { tcp . 8080 : 172.20.0.2 . 80 }",
        "nft create element inet cnm subnet4 { "br-1a0000000000" . 172.20.0.0/16 }",
        "nft create element inet cnm within { "br-1a0000000000" . "br-1a0000000000" }",
        "web: ip link set dev lo up",
        "ip link add name br-1a0000000000 address 02:00:00:00:00:00 up type bridge",
        "ip link set dev br-1a0000000000 alias cnm:network/1a0000000000",
        "ip link add name veth1c000000000 address 02:00:00:00:00:00 mtu 1500 up type veth peer name eth0 netns web",
        "ip link set dev veth1c000000000 alias cnm:endpoint/1c0000000000",
        "web: ip link set dev eth0 address 02:42:ac:14:00:02 up",
        "ip link set dev veth1c000000000 master br-1a0000000000",
        "bridge link set dev veth1c000000000 isolated off hairpin on",
        "ip address add 172.20.0.1/16 dev br-1a0000000000",
        "web: ip address add 172.20.0.2/16 dev eth0",
        "web: ip route add 0.0.0.0/0 via 172.20.0.1 dev eth0 proto 157",
        "sysctl -qw net.ipv4.conf.br-1a0000000000.route_localnet=1",
        "sysctl -qw net.ipv6.conf.br-1a0000000000.accept_ra=0",
        "sysctl -qw net.ipv4.ip_forward=1",
        "web: sysctl -qw net.ipv4.ip_forward=0",
      ]
    `)
  })

  test('gives an internal network no route, no masquerade and no published port', () => {
    const internal = plan([
      createNetwork(1, 'back', { internal: true, pools: [pool('172.20.0.0/16')] }),
      ...web.slice(1),
    ])
    expect(internal.filter((line) => /route add|masquerade|publish|route_localnet/.test(line))).toEqual([])
    expect(internal.some((line) => line.includes('cnm internal'))).toBe(true)
  })

  test('isolates the ports of a network whose containers may not talk to each other', () => {
    const apart = plan([createNetwork(1, 'front', { options: { icc: 'false' } }), ...web.slice(1)])
    expect(apart.some((line) => /bridge link set dev \S+ isolated on/.test(line))).toBe(true)
    expect(apart.some((line) => line.includes('cnm within'))).toBe(false)
  })

  test('does not masquerade where it is told not to', () => {
    const plain = plan([createNetwork(1, 'front', { options: { masquerade: 'false' } })])
    expect(plain.some((line) => line.includes('masquerade'))).toBe(false)
  })

  test('puts link-local addresses that were asked for on the interface, IPv4 as /16 and IPv6 as /64', () => {
    const linked = [
      createNetwork(1, 'front', { pools: [pool('172.20.0.0/16')] }),
      createSandbox(1, 'web'),
      createEndpoint(1, 1, 'web', { linkLocal: [ip('169.254.7.7'), ip('fe80::7')] }),
      join(1, 1),
    ]
    expect(plan(linked).filter((line) => line.includes('169.254.7.7') || line.includes('fe80::7'))).toEqual([
      'web: ip address add 169.254.7.7/16 dev eth0',
      'web: ip address add fe80::7/64 dev eth0 nodad',
    ])
  })
})

test('a container that shares the host wants nothing', () => {
  expect(plan([createSandbox(1, 'web', { ns: HOST })])).toEqual([])
})

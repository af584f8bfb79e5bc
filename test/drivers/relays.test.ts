// Which ports a proxy must relay, and where to.

import { expect, test } from 'vitest'
import { DRIVERS } from '../../src/drivers/registry.ts'
import { relaysIn } from '../../src/drivers/relays.ts'
import type { Command, PortRequest } from '../../src/model/command.ts'
import { ip, showIp } from '../../src/net/ip.ts'
import { port, type Transport } from '../../src/net/port.ts'
import { createEndpoint, createNetwork, createSandbox, join, leave, obey, pool } from '../lib/model.ts'

const publish = (hostIp: string | null, transport: Transport = 'tcp'): PortRequest => ({
  hostIp: hostIp === null ? null : ip(hostIp),
  hostPorts: { from: port(8080), to: port(8080) },
  containerPort: port(80),
  transport,
})

const FOUR = createNetwork(1, 'four', { pools: [pool('10.7.0.0/16')] })
const BOTH = createNetwork(2, 'both', { pools: [pool('10.8.0.0/16'), pool('fd08::/64')] })
const CLOSED = createNetwork(3, 'closed', { internal: true, pools: [pool('10.9.0.0/16')] })

const relays = (ports: ReadonlyArray<PortRequest>, on: ReadonlyArray<number>, more: ReadonlyArray<Command> = []) => {
  const joins = on.flatMap((n) => [createEndpoint(n, n, 'web'), join(n, 1)])
  const model = obey([FOUR, BOTH, CLOSED, createSandbox(1, 'web', { ports }), ...joins, ...more])
  return relaysIn(DRIVERS, model).map(
    ({ transport, at, to }) => `${transport} ${showIp(at.ip)} ${at.port} to ${showIp(to.ip)} ${to.port}`,
  )
}

test('a container of IPv4 alone is reached over IPv6 of the host by a relay', () => {
  expect(relays([publish(null)], [1])).toEqual(['tcp :: 8080 to 10.7.0.2 80'])
  expect(relays([publish('::', 'udp')], [1])).toEqual(['udp :: 8080 to 10.7.0.2 80'])
  expect(relays([publish('2001:db8::1')], [1])).toEqual(['tcp 2001:db8::1 8080 to 10.7.0.2 80'])
})

test('one of both families by ::1 only', () => {
  for (const hostIp of [null, '::', '::1'])
    expect(relays([publish(hostIp)], [2])).toEqual(['tcp ::1 8080 to fd08::2 80'])
  expect(relays([publish('2001:db8::1')], [2])).toEqual([])
})

test('what the kernel does, what is no port, and who is on no such network, is not relayed', () => {
  expect(relays([publish('0.0.0.0'), publish('10.1.1.1', 'udp')], [1])).toEqual([])
  expect(relays([publish(null, 'sctp')], [1])).toEqual([])
  expect(relays([publish(null)], [])).toEqual([])
  expect(relays([publish(null)], [3])).toEqual([])
})

test('a relay follows the container’s way out', () => {
  expect(relays([publish(null)], [1, 2])).toEqual(['tcp ::1 8080 to fd08::2 80'])
  expect(relays([publish(null)], [1, 2], [leave(2, 1)])).toEqual(['tcp :: 8080 to 10.7.0.2 80'])
})

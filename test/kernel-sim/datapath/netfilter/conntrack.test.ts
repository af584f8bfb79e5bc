// Connection tracking and NAT over packets as bytes: first packets decide, the table answers for the rest, and forgets with time.

import { describe, expect, test } from 'vitest'
import type { ConnectionEntry } from '../../../../src/kernel-sim/datapath/netfilter/connection.ts'
import { nextState, segmentOf, type TcpState } from '../../../../src/kernel-sim/datapath/netfilter/tcp-state.ts'
import type { World } from '../../../../src/kernel-sim/state.ts'
import { FLAG } from '../../../../src/kernel-sim/wire/tcp.ts'
import { showIp } from '../../../../src/net/ip.ts'
import { setIn, valuesOf } from '../../../../src/net/pmap.ts'
import { topology } from '../../topology.ts'
import { spaceIn, worldOf } from '../../world.ts'
import { attempt, endingOf } from '../attempt.ts'

const built = worldOf(topology)

const NAMES: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp' }
const connections = (world: World): ReadonlyArray<ConnectionEntry> => {
  const { tracked } = spaceIn(world, 'host')
  return tracked === null ? [] : valuesOf(tracked.connections)
}
const show = ({ original, reply, seenReply, dnat, snat, tcp }: ConnectionEntry): string => {
  const side = (t: ConnectionEntry['original']): string => `${showIp(t.src)}:${t.sport}>${showIp(t.dst)}:${t.dport}`
  const flags = [tcp, seenReply ? 'replied' : '', dnat ? 'dnat' : '', snat ? 'snat' : ''].filter((flag) => flag)
  return [NAMES[original.proto], side(original), side(reply), ...flags].join(' ')
}
const conversations = ({ world }: { world: World }): ReadonlyArray<string> => connections(world).map(show)

const withNextPort = (world: World, name: string, nextPort: number): World => ({
  ...world,
  namespaces: setIn(world.namespaces, name, { ...spaceIn(world, name), nextPort }),
})
const later = (world: World, ms: number): World => ({ ...world, nowMs: world.nowMs + ms })

describe('the table', () => {
  test('a published port: the answer comes from the container', () => {
    expect(conversations(attempt(built, 'out', 'tcp', '203.0.113.1 8080', 'a1:80'))).toEqual([
      'tcp 203.0.113.9:32768>203.0.113.1:8080 172.18.0.2:80>203.0.113.9:32768 established replied dnat',
    ])
  })

  test('masquerade: the answer goes to the host, which keeps the source port', () => {
    expect(conversations(attempt(built, 'a1', 'udp', '203.0.113.9 80', 'out:80'))).toEqual([
      'udp 172.18.0.2:32768>203.0.113.9:80 203.0.113.9:80>203.0.113.1:32768 replied snat',
    ])
  })

  test('a published port from the same network, over IPv6: both', () => {
    expect(conversations(attempt(built, 'a2', 'tcp', '2001:db8::1 8080', 'a1:80'))).toEqual([
      'tcp fd00:a::3:32768>2001:db8::1:8080 fd00:a::2:80>fd00:a::1:32768 established replied dnat snat',
    ])
  })

  test('a first packet that a rule drops leaves nothing', () => {
    expect(conversations(attempt(built, 'a1', 'tcp', '172.19.0.2 80', 'b1:80'))).toEqual([])
  })

  test('nor does a connection whose only answer is a reset', () => {
    expect(conversations(attempt(built, 'out', 'tcp', '203.0.113.1 8080'))).toEqual([])
  })

  test('one that was sent on and never answered is there', () => {
    expect(conversations(attempt(built, 'out', 'tcp', '203.0.113.1 8082'))).toEqual([
      'tcp 203.0.113.9:32768>203.0.113.1:8082 172.18.0.77:80>203.0.113.9:32768 syn-sent dnat',
    ])
  })

  test('a namespace without a firewall tracks nothing', () => {
    const { world } = attempt(built, 'a1', 'tcp', '203.0.113.9 80', 'out:80')
    expect([spaceIn(world, 'out').tracked, spaceIn(world, 'a1').tracked]).toEqual([null, null])
  })
})

describe('source ports', () => {
  test.each(['udp', 'icmp'] as const)(
    'two containers with one %s port get two of the host, and both answers',
    (proto) => {
      const to = proto === 'udp' ? '203.0.113.9 80' : '203.0.113.9'
      const first = attempt(withNextPort(built, 'a1', 40000), 'a1', proto, to, 'out:80')
      const last = attempt(withNextPort(first.world, 'a2', 40000), 'a2', proto, to, 'out:80')
      expect([first, last].map(endingOf)).toEqual(['arrived', 'arrived'])
      const ports = connections(last.world).map(({ reply }) => (proto === 'udp' ? reply.dport : reply.sport))
      expect(ports[0]).toBe(40000)
      expect(ports[1]).not.toBe(40000)
      expect(ports[1]).toBeGreaterThanOrEqual(proto === 'udp' ? 1024 : 0)
    },
  )

  test('a port of a conversation that was forgotten is free again', () => {
    const first = attempt(withNextPort(built, 'a1', 40000), 'a1', 'udp', '203.0.113.9 80', 'out:80')
    const world = withNextPort(later(first.world, 120_001), 'a2', 40000)
    expect(conversations(attempt(world, 'a2', 'udp', '203.0.113.9 80', 'out:80'))).toEqual([
      'udp 172.18.0.3:40000>203.0.113.9:80 203.0.113.9:80>203.0.113.1:40000 replied snat',
    ])
  })
})

describe('how long a conversation is remembered', () => {
  const lifetime = (proto: 'icmp' | 'udp' | 'tcp', to: string, listener = ''): number | undefined => {
    const { world } = attempt(built, 'a1', proto, to, listener)
    const [only] = connections(world)
    return only === undefined ? undefined : only.expiresMs - world.nowMs
  }

  test.each([
    ['an echo', 30_000, 'icmp', '203.0.113.9', ''],
    ['a datagram and its answer, not a stream yet', 30_000, 'udp', '203.0.113.9 80', 'out:80'],
    ['a connection, five days', 432_000_000, 'tcp', '203.0.113.9 80', 'out:80'],
  ] as const)('%s', (_, ms, proto, to, listener) => {
    expect(lifetime(proto, to, listener)).toBe(ms)
  })
})

describe('the states of TCP', () => {
  const { SYN, ACK, FIN, RST } = FLAG
  const after = (...segments: ReadonlyArray<readonly [flags: number, isReply: boolean]>): string => {
    let state: TcpState = 'none'
    for (const [flags, isReply] of segments) {
      const next = nextState(state, segmentOf(flags), isReply)
      if (next === 'invalid') return next
      if (next !== 'ignored') state = next
    }
    return state
  }
  const opened = [
    [SYN, false],
    [SYN | ACK, true],
    [ACK, false],
  ] as const

  test.each([
    ['a handshake', 'established', opened],
    ['closed by who called', 'fin-wait', [...opened, [FIN | ACK, false]]],
    ['and by the other', 'last-ack', [...opened, [FIN | ACK, false], [ACK, true], [FIN | ACK, true]]],
    ['and acknowledged', 'time-wait', [...opened, [FIN | ACK, false], [FIN | ACK, true], [ACK, false]]],
    ['reset', 'close', [...opened, [RST, true]]],
    ['picked up on its way', 'established', [[ACK, false]]],
    [
      'a SYN from both sides',
      'syn-sent2',
      [
        [SYN, false],
        [SYN, true],
      ],
    ],
    ['an answer that nobody asked for', 'invalid', [[SYN | ACK, false]]],
    ['no flag that means anything', 'invalid', [[0, false]]],
  ] as const)('%s: %s', (_, state, segments) => {
    expect(after(...segments)).toBe(state)
  })
})

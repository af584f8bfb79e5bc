// Connection tracking and NAT: first packets decide, the table answers for the rest, and forgets with time.

import { describe, expect, test } from 'vitest'
import { publishElement } from '../../src/kernel/firewall/elements.ts'
import type { ConnectionEntry } from '../../src/kernel-sim/datapath/netfilter/connection.ts'
import type { ProbeResult } from '../../src/kernel-sim/datapath/probe.ts'
import { nftIn } from '../../src/kernel-sim/rulesets.ts'
import type { World } from '../../src/kernel-sim/state.ts'
import { ip, showIp } from '../../src/net/ip.ts'
import { HOST } from '../../src/net/name.ts'
import { setIn, valuesOf } from '../../src/net/pmap.ts'
import { port } from '../../src/net/port.ts'
import { topology } from './topology.ts'
import { apply, attempt, endingOf, spaceIn, worldOf } from './world.ts'

const built = worldOf(topology)

const NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'icmp'],
  [6, 'tcp'],
  [17, 'udp'],
])

const show = ({ original, reply, assured, dnat, snat }: ConnectionEntry): string => {
  const side = (t: ConnectionEntry['original']): string => `${showIp(t.src)}:${t.sport}>${showIp(t.dst)}:${t.dport}`
  const flags = [assured ? 'assured' : '', dnat ? 'dnat' : '', snat ? 'snat' : ''].filter((flag) => flag !== '')
  return [NAMES.get(original.proto), side(original), side(reply), ...flags].join(' ')
}
const trackedIn = (world: World, name: string): ReadonlyArray<ConnectionEntry> => {
  const { tracked } = spaceIn(world, name)
  return tracked === null ? [] : valuesOf(tracked.connections)
}
const conversations = ({ world }: { world: World }): ReadonlyArray<string> => trackedIn(world, 'host').map(show)

/** The world in which the next probe of a namespace uses this source port. */
const withNextPort = (world: World, name: string, nextPort: number): World => ({
  ...world,
  namespaces: setIn(world.namespaces, name, { ...spaceIn(world, name), nextPort }),
})
const later = (world: World, ms: number): World => ({ ...world, nowMs: world.nowMs + ms })

describe('the table', () => {
  test('a published port: the answer comes from the container', () => {
    expect(conversations(attempt(built, 'out', 'tcp', '203.0.113.1 8080', 'a1:80'))).toEqual([
      'tcp 203.0.113.9:32768>203.0.113.1:8080 172.18.0.2:80>203.0.113.9:32768 assured dnat',
    ])
  })

  test('masquerade: the answer goes to the host, which keeps the source port; one answer assures nothing', () => {
    expect(conversations(attempt(built, 'a1', 'udp', '203.0.113.9 80', 'out:80'))).toEqual([
      'udp 172.18.0.2:32768>203.0.113.9:80 203.0.113.9:80>203.0.113.1:32768 snat',
    ])
  })

  test('a published port from the same network: both', () => {
    expect(conversations(attempt(built, 'a2', 'tcp', '203.0.113.1 8080', 'a1:80'))).toEqual([
      'tcp 172.18.0.3:32768>203.0.113.1:8080 172.18.0.2:80>172.18.0.1:32768 assured dnat snat',
    ])
  })

  test('IPv6 likewise', () => {
    expect(conversations(attempt(built, 'a2', 'tcp', '2001:db8::1 8080', 'a1:80'))).toEqual([
      'tcp fd00:a::3:32768>2001:db8::1:8080 fd00:a::2:80>fd00:a::1:32768 assured dnat snat',
    ])
  })

  test('a first packet that a rule drops leaves nothing', () => {
    expect(conversations(attempt(built, 'a1', 'tcp', '172.19.0.2 80', 'b1:80'))).toEqual([])
  })

  test('one that was sent on and never answered is there, not assured', () => {
    const [only = ''] = conversations(attempt(built, 'out', 'tcp', '203.0.113.1 8082'))
    expect(only).toBe('tcp 203.0.113.9:32768>203.0.113.1:8082 172.18.0.77:80>203.0.113.9:32768 dnat')
  })

  test('a namespace without a firewall tracks nothing', () => {
    const { world } = attempt(built, 'a1', 'tcp', '203.0.113.9 80', 'out:80')
    expect(trackedIn(world, 'out')).toEqual([])
    expect(trackedIn(world, 'a1')).toEqual([])
  })
})

describe('source ports', () => {
  const both = (proto: 'udp' | 'icmp'): ReadonlyArray<ProbeResult> => {
    const to = proto === 'udp' ? '203.0.113.9 80' : '203.0.113.9'
    const first = attempt(withNextPort(built, 'a1', 40000), 'a1', proto, to, 'out:80')
    return [first, attempt(withNextPort(first.world, 'a2', 40000), 'a2', proto, to, 'out:80')]
  }

  test.each(['udp', 'icmp'] as const)(
    'two containers with one %s port get two ports of the host, and both answers',
    (proto) => {
      const results = both(proto)
      expect(results.map(endingOf)).toEqual(['arrived', 'arrived'])
      const last = results.at(-1)
      if (last === undefined) throw new Error('two probes')
      const replies = trackedIn(last.world, 'host').map(({ reply }) => (proto === 'icmp' ? reply.sport : reply.dport))
      expect(replies[0]).toBe(40000)
      expect(replies[1]).not.toBe(40000)
      expect(replies[1]).toBeGreaterThanOrEqual(proto === 'udp' ? 1024 : 0)
    },
  )

  test('a port of a conversation that was forgotten is free again', () => {
    const first = attempt(withNextPort(built, 'a1', 40000), 'a1', 'udp', '203.0.113.9 80', 'out:80')
    const world = withNextPort(later(first.world, 120_001), 'a2', 40000)
    expect(conversations(attempt(world, 'a2', 'udp', '203.0.113.9 80', 'out:80'))).toEqual([
      'udp 172.18.0.3:40000>203.0.113.9:80 203.0.113.9:80>203.0.113.1:40000 snat',
    ])
  })
})

describe('time', () => {
  /** The first probe's conversation, then the same ports again after the port was published to somebody else. */
  const again = (afterMs: number, publishAnew: (world: World) => World): ProbeResult => {
    const first = attempt(withNextPort(built, 'out', 40000), 'out', 'udp', '203.0.113.1 8081', 'a1:81')
    const world = later(publishAnew(first.world), afterMs)
    return attempt(withNextPort(world, 'out', 40000), 'out', 'udp', '203.0.113.1 8081', 'a2:81')
  }
  const byNft = (world: World): World => {
    const key = '203.0.113.1 . udp . 8081'
    const script = `delete element inet cnm publish4 { ${key} }\nadd element inet cnm publish4 { ${key} : 172.18.0.3 . 81 }\n`
    const ran = nftIn(world, HOST, script, { file: '-', json: false, handles: false })
    if (ran === null || ran.outcome.status !== 0) throw new Error(ran?.outcome.stderr)
    return ran.world
  }
  const byOperations = (world: World): World => {
    const to = (inside: string) =>
      publishElement(HOST, { ip: ip('203.0.113.1'), port: port(8081) }, 'udp', { ip: ip(inside), port: port(81) })
    return apply(world, [
      { verb: 'delete', object: to('172.18.0.2') },
      { verb: 'create', object: to('172.18.0.3') },
    ])
  }

  test('an old conversation keeps its container when nft publishes the port anew; a forgotten one does not', () => {
    expect(endingOf(again(1000, byNft))).toBe('refused')
    expect(endingOf(again(120_001, byNft))).toBe('arrived')
  })

  test('an operation that withdraws a port forgets its conversations', () => {
    expect(endingOf(again(1000, byOperations))).toBe('arrived')
  })
})

// A journey as steps, and in words.

import { describe, expect, test } from 'vitest'
import { runProbe } from '../../src/kernel-sim/datapath/probe.ts'
import { PARTS } from '../../src/kernel-sim/datapath/wired.ts'
import { stepText } from '../../src/kernel-sim/datapath/words.ts'
import { showIp } from '../../src/net/ip.ts'
import { topology } from './topology.ts'
import { attempt, probeOf, worldOf } from './world.ts'

const built = worldOf(topology)

/** After a first probe, so that neighbours are known and only the journey itself is told. */
const journey = (from: string, proto: 'icmp' | 'tcp' | 'udp', to: string, listener = ''): ReadonlyArray<string> => {
  const { world } = attempt(built, from, proto, to, listener)
  return runProbe(PARTS, world, probeOf(from, proto, to, listener)).trace.map((step) => stepText(step))
}

test('to a container of the same network: an address is asked for once, then the bridge knows the way', () => {
  expect(
    attempt(built, 'a1', 'icmp', '172.18.0.3')
      .trace.filter(({ payload }) => payload.tag === 'arp')
      .filter(({ event }) => ['learned', 'flooded', 'answered'].includes(event.tag))
      .map((step) => stepText(step)),
  ).toEqual([
    'host, br-a: br-a learns that MAC 02:00:00:00:00:12 is behind va1',
    'host, va1: br-a sends the ARP request to 2 ports',
    'a2, eth0: answers that 172.18.0.3 is at MAC 02:00:00:00:00:14',
    'host, br-a: br-a learns that MAC 02:00:00:00:00:14 is behind va2',
  ])
  expect(journey('a1', 'icmp', '172.18.0.3').slice(2, 9)).toEqual([
    'a1, eth0: the frame leaves (from MAC 02:00:00:00:00:12 to 02:00:00:00:00:14)',
    'host, va1: the frame arrives (from MAC 02:00:00:00:00:12 to 02:00:00:00:00:14)',
    'host, va1: br-a knows that MAC behind va2',
    'host, va2: the frame leaves (from MAC 02:00:00:00:00:12 to 02:00:00:00:00:14)',
    'a2, eth0: the frame arrives (from MAC 02:00:00:00:00:12 to 02:00:00:00:00:14)',
    'a2, eth0: 172.18.0.3 is an address of its own',
    'a2, eth0: takes in ICMP echo request 172.18.0.2 to 172.18.0.3, TTL 64',
  ])
})

test('to another network: it ends at the rule that isolates them', () => {
  expect(journey('a1', 'tcp', '172.19.0.2 80').at(-1)).toBe(
    'host, br-b: dropped TCP SYN 172.18.0.2:32769 to 172.19.0.2:80, TTL 63: the rule "isolation: only published ports and answers enter a network" (chain forward) drops it',
  )
})

test('to a published port: the rule that translates is named, and the answer is translated back', () => {
  const lines = journey('out', 'tcp', '203.0.113.1 8080', 'a1:80').filter((line) => line.includes(' changes '))
  expect(lines).toEqual([
    'host, eth0: the rule "publish: a port of every host address goes to its container" (chain publish) changes the destination 203.0.113.1:8080 to 172.18.0.2:80',
    'host, eth0: connection tracking changes the source 172.18.0.2:80 to 203.0.113.1:8080',
    'host, eth0: connection tracking changes the destination 203.0.113.1:8080 to 172.18.0.2:80',
  ])
})

test('an error from a router comes back as a packet, translated with what it quotes', () => {
  expect(journey('a1', 'icmp', '10.9.9.9').filter((line) => /sends|quotes|takes in/.test(line))).toEqual([
    'a1: sends ICMP echo request 172.18.0.2 to 10.9.9.9, TTL 64',
    'out: sends ICMP "net unreachable" about the packet to 10.9.9.9 203.0.113.9 to 203.0.113.1, TTL 64',
    'host, eth0: connection tracking translates the error and the packet it quotes: 203.0.113.9 to 172.18.0.2',
    'a1, eth0: takes in ICMP "net unreachable" about the packet to 10.9.9.9 203.0.113.9 to 172.18.0.2, TTL 63',
  ])
})

describe('names', () => {
  const names = {
    ns: (ns: string) => (ns === 'a1' ? 'web' : ns),
    ip: (address: Parameters<typeof showIp>[0]) => (showIp(address) === '172.18.0.3' ? 'api' : showIp(address)),
  }

  test('may replace those of namespaces, devices and addresses', () => {
    const [first] = attempt(built, 'a1', 'tcp', '172.18.0.3 80').trace
    if (first === undefined) throw new Error('a trace has steps')
    expect(stepText(first, names)).toBe('web: sends TCP SYN 172.18.0.2:32768 to api:80, TTL 64')
    expect(stepText(first)).toBe('a1: sends TCP SYN 172.18.0.2:32768 to 172.18.0.3:80, TTL 64')
  })
})

test('every step of every journey is one line', () => {
  for (const [from, proto, to] of [
    ['a1', 'icmp', 'fd00:a::3'],
    ['a1', 'udp', '203.0.113.9 80'],
    ['host', 'tcp', '127.0.0.1 8080'],
    ['far', 'tcp', '2001:db8::1 8080'],
  ] as const)
    for (const step of attempt(built, from, proto, to).trace)
      expect(stepText(step)).toMatch(/^[a-z0-9]+(, [a-z0-9-]+)?: \S[^\n]*$/)
})

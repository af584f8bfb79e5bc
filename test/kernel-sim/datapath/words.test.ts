// Where and why a packet died, and its journey, in the sentences that lessons and commands show.

import { describe, expect, test } from 'vitest'
import { stepText } from '../../../src/kernel-sim/datapath/words.ts'
import { topology } from '../topology.ts'
import { worldOf } from '../world.ts'
import { attempt, reasonOf } from './attempt.ts'

const built = worldOf(topology)

describe('a verdict says where a packet died, and why', () => {
  test.each([
    [
      'a1',
      'icmp',
      '172.19.0.2',
      'host, br-b: the rule "isolation: only published ports and answers enter a network" (chain forward) drops it',
    ],
    [
      'i2',
      'icmp',
      '203.0.113.9',
      'host, eth0: the rule "internal: nothing leaves an internal network" (chain forward) drops it',
    ],
    ['i1', 'icmp', '172.18.0.2', 'i1: there is no route to 172.18.0.2'],
    ['a1', 'icmp', '10.9.9.9', 'out, eth0: there is no route to 10.9.9.9'],
    ['a1', 'icmp', '172.18.0.99', 'a1, eth0: nobody on eth0 answers for 172.18.0.99'],
    ['out', 'tcp', '203.0.113.1 8082', 'host, br-a: nobody on br-a answers for 172.18.0.77'],
    ['out', 'tcp', '203.0.113.1 8080', 'a1, eth0: nothing listens on tcp/80'],
    ['nowhere', 'icmp', '172.18.0.2', 'nowhere: there is no such namespace'],
  ] as const)('%s %s %s', (from, proto, to, reason) => {
    expect(reasonOf(attempt(built, from, proto, to))).toBe(reason)
  })
})

const journey = (from: string, proto: 'icmp' | 'tcp' | 'udp', to: string, listener = ''): ReadonlyArray<string> => {
  const { world } = attempt(built, from, proto, to, listener)
  return attempt(world, from, proto, to, listener).trace.map((step) => stepText(step))
}

test('to a published port: the rule that translates is named, and the answer is translated back', () => {
  expect(journey('out', 'tcp', '203.0.113.1 8080', 'a1:80').filter((line) => line.includes(' changes '))).toEqual([
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

// TCP over the data path: what Linux 6.18 was seen to put on a cable, and what its sender is told.

import { describe, expect, test } from 'vitest'
import type { Step } from '../../../../src/kernel-sim/datapath/step.ts'
import { runTry } from '../../../../src/kernel-sim/datapath/traffic.ts'
import { PARTS } from '../../../../src/kernel-sim/datapath/wired.ts'
import { FLAG, type Tcp } from '../../../../src/kernel-sim/wire/tcp.ts'
import { lengthOfOptions } from '../../../../src/kernel-sim/wire/tcp-options.ts'
import { ip } from '../../../../src/net/ip.ts'
import { ns } from '../../../../src/net/name.ts'
import { port } from '../../../../src/net/port.ts'
import { topology } from '../../topology.ts'
import { worldOf } from '../../world.ts'

const built = worldOf(topology)

const tcpIn = ({ payload }: Step): Tcp | null =>
  (payload.tag === 'ip4' || payload.tag === 'ip6') && payload.body.proto === 'tcp' ? payload.body : null

const talk = (size: number, to = '172.18.0.3') =>
  runTry(PARTS, built, {
    send: 'tcp',
    ns: ns('a1'),
    to: ip(to),
    port: port(80),
    listener: { ns: ns('a2'), port: port(80) },
    size,
  })

/** As its own end of the cable has it. */
const segments = (steps: ReadonlyArray<Step>): ReadonlyArray<Tcp> =>
  steps.flatMap((step) => {
    const tcp =
      step.ns === 'a1' && (step.event.tag === 'transmitted' || step.event.tag === 'received') ? tcpIn(step) : null
    return tcp === null ? [] : [tcp]
  })

const show = ({ flags, window, payload, options }: Tcp): string => {
  const names = (['SYN', 'FIN', 'PSH', 'ACK', 'RST'] as const).filter((name) => (flags & FLAG[name]) !== 0)
  const bytes = options instanceof Uint8Array ? options.length : lengthOfOptions(options)
  return `${names.join(' ')}, window ${window}, ${bytes} of options, ${payload.length} of data`
}

describe('a handshake and 100 bytes there and back, measured between two namespaces', () => {
  test('over IPv4', () => {
    const { account, steps } = talk(100)
    expect(account.ending).toBe('answered')
    expect(segments(steps).map(show)).toEqual([
      'SYN, window 64240, 20 of options, 0 of data',
      'SYN ACK, window 65160, 20 of options, 0 of data',
      'ACK, window 63, 12 of options, 0 of data',
      'PSH ACK, window 63, 12 of options, 100 of data',
      'ACK, window 64, 12 of options, 0 of data',
      'PSH ACK, window 64, 12 of options, 100 of data',
      'ACK, window 63, 12 of options, 0 of data',
    ])
  })

  test('the SYNs over IPv6', () => {
    expect(segments(talk(0, 'fd00:a::3').steps).map(show)).toEqual([
      'SYN, window 64800, 20 of options, 0 of data',
      'SYN ACK, window 64260, 20 of options, 0 of data',
      'ACK, window 64, 12 of options, 0 of data',
    ])
  })
})

test('more than a segment holds is sent in several, and comes back whole', () => {
  const { account, steps } = talk(20_000)
  expect(account.ending).toBe('answered')
  expect(Math.max(...segments(steps).map(({ payload }) => payload.length))).toBe(1448)
})

test('the server sees the client’s address, and the client the server’s', () => {
  const { account } = talk(0)
  expect(account.arrivals).toEqual([{ ns: 'a2', from: ip('172.18.0.2'), to: ip('172.18.0.3'), port: 80, ttl: 64 }])
  expect(account.answer).toEqual({ from: ip('172.18.0.3'), ttl: 64 })
})

test('where nobody listens, the sender is told ECONNREFUSED', () => {
  const { account } = runTry(PARTS, built, {
    send: 'tcp',
    ns: ns('a1'),
    to: ip('172.18.0.3'),
    port: port(80),
    listener: null,
  })
  expect(account.ending).toEqual({ errno: 'ECONNREFUSED' })
})

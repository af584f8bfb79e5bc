// Which port of the host each published one gets, by what the host is like.

import { describe, expect, test } from 'vitest'
import { DRIVERS } from '../../src/drivers/registry.ts'
import type { Command, PortRequest } from '../../src/model/command.ts'
import { questionOf, withHost } from '../../src/model/question.ts'
import { type HostPorts, NO_FACTS, NO_QUESTION } from '../../src/net/host-facts.ts'
import { ip } from '../../src/net/ip.ts'
import { port } from '../../src/net/port.ts'
import { box, createNetwork, createSandbox, obey, outcome, refusal, sandboxIn, sentence } from '../lib/model.ts'

const range = (from: number, to = from) => ({ from: port(from), to: port(to) })

/** `8080`, `8080-8090` or `auto`, at an address of the host or at all. */
const publish = (at: string, hostIp: string | null = null, transport: 'tcp' | 'udp' = 'tcp'): PortRequest => {
  const [from, to = from] = at.split('-')
  return {
    hostIp: hostIp === null ? null : ip(hostIp),
    hostPorts: at === 'auto' ? null : range(Number(from), Number(to)),
    containerPort: port(80),
    transport,
  }
}

const socket = (at: string, n: number, transport: 'tcp' | 'udp' = 'tcp') => ({ ip: ip(at), port: port(n), transport })

/** A host with five automatic ports. */
const host = (more: Partial<HostPorts> = {}) => ({
  ...NO_FACTS,
  ports: { automatic: range(40_000, 40_004), reserved: [], taken: [], ...more },
})

const asks = (ports: ReadonlyArray<PortRequest>, ports0: Partial<HostPorts> = {}, n = 1) =>
  createSandbox(n, `box${n}`, { ports, host: host(ports0) })

const given = (command: Command, n = 1, before: ReadonlyArray<Command> = []) =>
  sandboxIn(obey([...before, command]), n).ports.map(({ hostPort }) => hostPort)

describe('an automatic port', () => {
  test('is the first of the host’s range that is neither reserved nor taken', () => {
    expect(given(asks([publish('auto')]))).toEqual([40_000])
    const reserved = [range(40_000), range(40_002, 40_003)]
    expect(given(asks([publish('auto')], { reserved, taken: [socket('0.0.0.0', 40_001)] }))).toEqual([40_004])
  })

  test('is not one of another container', () => {
    expect(given(asks([publish('auto')], {}, 2), 2, [asks([publish('auto')])])).toEqual([40_001])
  })

  test('is the same at several addresses, which it must be free at', () => {
    const both = [publish('auto', '192.0.2.1'), publish('auto', '2001:db8::1')]
    expect(given(asks(both, { taken: [socket('2001:db8::1', 40_000)] }))).toEqual([40_001, 40_001])
  })

  test('cannot be had where all are reserved or taken', () => {
    const all = { reserved: [range(40_000, 40_003)], taken: [socket('::', 40_004)] }
    expect(outcome(refusal(obey([]), asks([publish('auto')], all)))).toEqual(['PortsExhausted', 503])
  })
})

describe('a port that is asked for', () => {
  test('may be reserved', () => {
    expect(given(asks([publish('40000')], { reserved: [range(40_000)] }))).toEqual([40_000])
  })

  test('may be anywhere in its range where no other program waits', () => {
    expect(given(asks([publish('80-82')], { taken: [socket('0.0.0.0', 80), socket('127.0.0.1', 81)] }))).toEqual([82])
  })

  test.each([
    ['every address', null, '127.0.0.1', 'tcp', true],
    ['every address', null, '::1', 'tcp', true],
    ['0.0.0.0', '0.0.0.0', '10.0.0.1', 'tcp', true],
    ['0.0.0.0', '0.0.0.0', '::', 'tcp', false],
    ['::', '::', '::1', 'tcp', true],
    ['an address', '10.0.0.1', '0.0.0.0', 'tcp', true],
    ['an address', '10.0.0.1', '10.0.0.2', 'tcp', false],
    ['an address', '10.0.0.1', '10.0.0.1', 'udp', false],
  ] as const)('at %s (%s) and a program at %s over %s: in use is %s', (_, hostIp, at, transport, isInUse) => {
    const error = refusal(obey([]), asks([publish('80', hostIp)], { taken: [socket(at, 80, transport)] }))
    expect(outcome(error)).toEqual(isInUse ? ['PortInUse', 409] : null)
  })

  test('and is in use is named', () => {
    const error = refusal(obey([]), asks([publish('80', '10.0.0.1')], { taken: [socket('0.0.0.0', 80)] }))
    expect(sentence(error)).toBe('port 10.0.0.1:80/tcp of the host is in use by another program')
  })

  test('is kept by a refresh, whoever seems to wait there: it may be our own proxy', () => {
    const before = obey([asks([publish('80')])])
    const refresh: Command = {
      tag: 'RefreshSandbox',
      id: box(1),
      hostname: 'box1',
      ports: [publish('80')],
      host: host({ taken: [socket('0.0.0.0', 80)] }),
    }
    expect(refusal(before, refresh)).toBeNull()
  })
})

describe('what is asked of the host', () => {
  const ask = (command: Command) => questionOf(DRIVERS, () => undefined, command)

  test('are its ports where some are to be published, and nothing where it is known', () => {
    expect(ask(createSandbox(1, 'web', { ports: [publish('80')] })).ports).toBe(true)
    expect(ask(createSandbox(1, 'web'))).toEqual(NO_QUESTION)
    expect(ask(asks([publish('80')]))).toEqual(NO_QUESTION)
    expect(ask(createNetwork(1, 'front')).ports).toBe(false)
  })

  test('of the sockets those are kept that may be in the way', () => {
    const command = createSandbox(1, 'web', { ports: [publish('80-81'), publish('auto')] })
    const taken = [80, 82, 39_999, 40_000, 40_004, 40_005].map((n) => socket('0.0.0.0', n))
    const told = withHost(command, ask(command), host({ taken }))
    const kept = 'host' in told ? told.host?.ports?.taken.map((each) => each.port) : null
    expect(kept).toEqual([80, 40_000, 40_004])
  })
})

// Which conversations a published port has to do with.

import { expect, test } from 'vitest'
import { masqueradeElement, publishElement } from '../../src/kernel/firewall/elements.ts'
import { type Conversation, isStale, portChangeOf, publishedBy } from '../../src/kernel/firewall/published.ts'
import type { NftElement } from '../../src/kernel/object.ts'
import { cidr } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { HOST } from '../../src/net/name.ts'
import { port, type Transport } from '../../src/net/port.ts'

const publish = (at: string, transport: Transport = 'udp', inside = '10.0.0.2'): NftElement =>
  publishElement(HOST, { ip: ip(at), port: port(53) }, transport, { ip: ip(inside), port: port(5353) })

test.each([
  ['0.0.0.0', '10.0.0.2', 4, null],
  ['192.0.2.1', '10.0.0.2', 4, '192.0.2.1'],
  ['::', 'fd00::2', 6, null],
  ['2001:db8::1', 'fd00::2', 6, '2001:db8::1'],
] as const)('an element of %s for %s is read as it was made', (at, inside, family, hostIp) => {
  expect(publishedBy(publish(at, 'tcp', inside))).toEqual({
    family,
    hostIp: hostIp === null ? null : ip(hostIp),
    hostPort: 53,
    transport: 'tcp',
    container: { ip: ip(inside), port: 5353 },
  })
})

test('of other elements nothing is read', () => {
  expect(publishedBy(masqueradeElement(HOST, cidr('10.0.0.0/8')))).toBeNull()
})

const SERVER = { ip: ip('192.0.2.1'), port: 53 }
const CONTAINER = { ip: ip('10.0.0.2'), port: 5353 }
const through: Conversation = { proto: 17, to: SERVER, answers: CONTAINER }
const toHost: Conversation = { proto: 17, to: SERVER, answers: SERVER }

const isForgotten = (verb: 'create' | 'delete', object: NftElement, conversation: Conversation, ours = true) => {
  const change = portChangeOf({ verb, object })
  return change !== null && isStale(change, conversation, () => ours)
}

test('a port that is withdrawn takes those along that came through it, and no others', () => {
  expect(isForgotten('delete', publish('0.0.0.0'), through)).toBe(true)
  expect(isForgotten('delete', publish('192.0.2.1'), through)).toBe(true)
  expect(isForgotten('delete', publish('192.0.2.2'), through)).toBe(false)
  expect(isForgotten('delete', publish('0.0.0.0', 'tcp'), through)).toBe(false)
  expect(isForgotten('delete', publish('0.0.0.0'), { ...through, proto: 6 })).toBe(false)
  expect(isForgotten('delete', publish('0.0.0.0'), { ...through, to: { ...SERVER, port: 54 } })).toBe(false)
  expect(isForgotten('delete', publish('0.0.0.0'), { ...through, answers: { ...CONTAINER, port: 53 } })).toBe(false)
  expect(isForgotten('delete', publish('0.0.0.0'), toHost)).toBe(false)
})

test('a port that is published takes those of UDP along that were the host’s, and no others', () => {
  expect(isForgotten('create', publish('0.0.0.0'), toHost)).toBe(true)
  expect(isForgotten('create', publish('192.0.2.1'), toHost)).toBe(true)
  expect(isForgotten('create', publish('192.0.2.2'), toHost)).toBe(false)
  expect(isForgotten('create', publish('0.0.0.0'), toHost, false)).toBe(false)
  expect(isForgotten('create', publish('0.0.0.0'), through)).toBe(false)
  expect(isForgotten('create', publish('0.0.0.0', 'tcp'), { ...toHost, proto: 6 })).toBe(false)
})

// What an endpoint cannot join with, and what a sandbox cannot be made with: refused with its class, and nothing changes.

import { describe, expect, test } from 'vitest'
import { DRIVERS } from '../../src/drivers/registry.ts'
import type { Command } from '../../src/model/command.ts'
import { decide } from '../../src/model/decide.ts'
import type { Model, StaticRoute } from '../../src/model/types.ts'
import { cidr } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { HOST } from '../../src/net/name.ts'
import { E } from '../../src/prelude.ts'
import {
  box,
  createEndpoint,
  createNetwork,
  createSandbox,
  join,
  leave,
  obey,
  outcome,
  pool,
  sentence,
} from '../lib/model.ts'

const route = (to: string, via: string | null = null): StaticRoute => ({
  to: cidr(to),
  via: via === null ? null : ip(via),
})

/** Sandbox 1 is on `front` with a route to 10.50.0.0/24; its endpoint on `back` has not joined. */
const model = obey([
  createNetwork(1, 'front', { pools: [pool('10.1.0.0/24')] }),
  createNetwork(2, 'back', { pools: [pool('10.2.0.0/24'), pool('fd00:2::/64')] }),
  createSandbox(1, 'web'),
  createSandbox(2, 'db'),
  createEndpoint(1, 1, 'web'),
  createEndpoint(2, 2, 'web'),
  createEndpoint(3, 1, 'db'),
  createEndpoint(4, 1, 'web-too'),
  join(1, 1, { routes: [route('10.50.0.0/24', '10.1.0.9')], links: [{ to: 'db', alias: null }] }),
])

const refusal = (command: Command, before: Model = model) => {
  const decided = decide(DRIVERS, before, command)
  return E.isLeft(decided) ? decided.left : null
}

describe('static routes', () => {
  test.each([
    ['a destination with bits behind its prefix', [route('10.60.0.1/24')], ['BadRoute', 400]],
    ['a group', [route('224.1.0.0/16')], ['BadRoute', 400]],
    ['a next hop of the other family', [route('10.60.0.0/24', 'fd00:2::9')], ['BadRoute', 400]],
    ['a next hop that is nowhere near', [route('10.60.0.0/24', '10.1.0.9')], ['BadRoute', 400]],
    ['itself as the next hop', [route('10.60.0.0/24', '10.2.0.2')], ['BadRoute', 400]],
    ['a destination on its own network', [route('10.2.0.128/25')], ['RouteTaken', 409]],
    ['a destination on another network of the sandbox', [route('10.1.0.7/32')], ['RouteTaken', 409]],
    ['a destination that another endpoint leads to', [route('10.50.0.0/24')], ['RouteTaken', 409]],
    ['one destination twice', [route('10.60.0.0/24'), route('10.60.0.0/24', '10.2.0.9')], ['RouteTaken', 409]],
    ['two ways out of one family', [route('0.0.0.0/0'), route('0.0.0.0/0', '10.2.0.9')], ['RouteTaken', 409]],
    ['a part of where another leads', [route('10.50.0.0/25')], null],
    ['a wider one than its own network', [route('10.0.0.0/8', '10.2.0.9')], null],
    ['a link-local next hop', [route('fd00:60::/64', 'fe80::9')], null],
    ['ways out of both families', [route('0.0.0.0/0', '10.2.0.9'), route('::/0')], null],
  ])('%s', (_, routes, expected) => {
    expect(outcome(refusal(join(2, 1, { routes })))).toEqual(expected)
  })

  test('a family that the endpoint has no address of', () => {
    const alone = obey([leave(1, 1)], model)
    expect(outcome(refusal(join(1, 2, { routes: [route('fd00:60::/64')] }), alone))).toEqual(['BadRoute', 400])
  })

  test('a network whose subnet holds where a route of the sandbox leads', () => {
    const before = obey(
      [createNetwork(3, 'wide', { pools: [pool('10.50.0.0/16')] }), createEndpoint(5, 3, 'web')],
      model,
    )
    expect(sentence(refusal(join(5, 1), before))).toBe(
      'endpoint "web" cannot join: its sandbox gets to 10.50.0.0/24 by network "front" already',
    )
  })

  test('whoever shares the host has none', () => {
    const before = obey(
      [createNetwork(3, 'host', { driver: 'host', pools: [] }), createSandbox(3, 'own', { ns: HOST })],
      model,
    )
    const after = obey([createEndpoint(5, 3, 'own')], before)
    expect(outcome(refusal(join(5, 3, { routes: [route('10.60.0.0/24')] }), after))).toEqual(['BadRoute', 400])
  })
})

describe('links', () => {
  test.each([
    ['somebody who is not on the network', join(3, 2, { links: [{ to: 'nobody', alias: null }] }), ['NoSuchLink', 400]],
    ['itself', join(3, 2, { links: [{ to: 'db', alias: null }] }), ['NoSuchLink', 400]],
    ['the same by two endpoints of a sandbox', join(4, 1, { links: [{ to: 'db', alias: 'd' }] }), ['LinkTwice', 403]],
    ['another by a second endpoint', join(4, 1, { links: [{ to: 'web', alias: 'd' }] }), null],
    ['somebody who has not joined yet', join(4, 2, { links: [{ to: 'db', alias: null }] }), null],
  ])('to %s', (_, command, expected) => {
    expect(outcome(refusal(command))).toEqual(expected)
  })
})

describe('sysctls of a sandbox', () => {
  const made = (sysctls: Readonly<Record<string, string>>) => createSandbox(3, 'new', { sysctls })
  const BAD = ['BadSandboxSysctl', 400]
  test.each([
    ['of the machine', made({ 'kernel.panic': '1' }), BAD],
    ['of an interface', made({ 'net.ipv4.conf.eth0.rp_filter': '1' }), BAD],
    ['of a path', made({ 'net.core/../../kernel/panic': '1' }), BAD],
    ['without a name', made({ 'net.': '1' }), BAD],
    ['without a value', made({ 'net.core.somaxconn': ' ' }), BAD],
    ['of two lines', made({ 'net.core.somaxconn': '1\n2' }), BAD],
    ['of the host', createSandbox(3, 'new', { ns: HOST, sysctls: { 'net.core.somaxconn': '1' } }), BAD],
    [
      'of all interfaces',
      made({ 'net.ipv4.conf.all.rp_filter': '1', 'net.ipv6.neigh.default.retrans_time_ms': '9' }),
      null,
    ],
    ['of two numbers', made({ 'net.ipv4.ip_local_port_range': '20000\t30000' }), null],
  ])('one %s', (_, command, expected) => {
    expect(outcome(refusal(command))).toEqual(expected)
  })

  test('IPv6 is not switched off around an endpoint that has it, whichever comes first', () => {
    const OFF = { 'net.ipv6.conf.all.disable_ipv6': '1' }
    const first = obey([createSandbox(3, 'new', { sysctls: OFF })], model)
    expect(outcome(refusal(join(2, 3), first))).toEqual(['IPv6OffInside', 403])
    const joined = obey([join(2, 2)], model)
    const refresh: Command = { tag: 'RefreshSandbox', id: box(2), hostname: 'db', ports: [], sysctls: OFF }
    expect(outcome(refusal(refresh, joined))).toEqual(['IPv6OffInside', 403])
    expect(refusal(join(3, 3), first)).toBeNull()
  })
})

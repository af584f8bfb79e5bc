// What may happen and what may not, one fact each. Laws about any commands are in properties/model.properties.ts.

import { describe, expect, test } from 'vitest'
import { errorClass, httpStatus } from '../../src/model/error.ts'
import { resolveName } from '../../src/model/queries.ts'
import { showCidr } from '../../src/net/cidr.ts'
import { ip, showIp } from '../../src/net/ip.ts'
import { showMac } from '../../src/net/mac.ts'
import { HOST, ifName } from '../../src/net/name.ts'
import { getIn } from '../../src/net/pmap.ts'
import { port } from '../../src/net/port.ts'
import {
  box,
  createEndpoint,
  createNetwork,
  createSandbox,
  end,
  join,
  leave,
  net,
  obey,
  pool,
  refusal,
  sentence,
  v4,
  v6,
} from '../lib/model.ts'

const front = createNetwork(1, 'front')
const web = createSandbox(1, 'web')

const publish = (hostPort: number, hostIp: string | null = null) => ({
  hostIp: hostIp === null ? null : ip(hostIp),
  hostPorts: { from: port(hostPort), to: port(hostPort) },
  containerPort: port(80),
  transport: 'tcp' as const,
})

describe('a network', () => {
  test('gets the first default subnet that is free, and its first address as gateway', () => {
    const model = obey([front, createNetwork(2, 'back')])
    const subnets = [1, 2].map((n) => getIn(model.networks, net(n))?.pools[0])
    expect(subnets.map((each) => each && [showCidr(each.subnet), each.gateway && showIp(each.gateway)])).toEqual([
      ['172.17.0.0/16', '172.17.0.1'],
      ['172.18.0.0/16', '172.18.0.1'],
    ])
  })

  test('that is gone leaves its subnet to the next', () => {
    const model = obey([front, { tag: 'DeleteNetwork', id: net(1) }, createNetwork(2, 'back')])
    expect(getIn(model.networks, net(2))?.pools.map(({ subnet }) => showCidr(subnet))).toEqual(['172.17.0.0/16'])
  })

  test('of both families has IPv4 first', () => {
    const model = obey([createNetwork(1, 'front', { pools: [pool('fd00:1::/64'), pool('10.1.0.0/24')] })])
    expect(getIn(model.networks, net(1))?.pools.map(({ subnet }) => showCidr(subnet))).toEqual([
      '10.1.0.0/24',
      'fd00:1::/64',
    ])
  })

  test.each([
    ['with a name that is taken', createNetwork(2, 'front'), 'NetworkNameTaken'],
    ['with an id that is taken', createNetwork(1, 'other'), 'IdTaken'],
    ['without a name', createNetwork(2, '  '), 'NameEmpty'],
    ['of a driver nobody knows', createNetwork(2, 'other', { driver: 'avian' }), 'UnknownDriver'],
    ['without an address family', createNetwork(2, 'other', { pools: [] }), 'NoAddressFamily'],
    ['with two IPv4 subnets', createNetwork(2, 'other', { pools: [pool(), pool()] }), 'FamilyTwice'],
    ['whose subnet overlaps another', createNetwork(2, 'other', { pools: [pool('172.17.128.0/24')] }), 'PoolOverlap'],
    [
      'whose gateway is elsewhere',
      createNetwork(2, 'other', { pools: [pool('10.0.0.0/24', '10.0.1.1')] }),
      'GatewayOutside',
    ],
    ['whose subnet has host bits', createNetwork(2, 'other', { pools: [pool('10.0.0.1/24')] }), 'HostBits'],
    [
      'whose subnet is of the other family',
      createNetwork(2, 'other', { pools: [pool('fd00::/64', undefined, 4)] }),
      'WrongFamily',
    ],
    [
      'with IPv6 and an MTU too small for it',
      createNetwork(2, 'other', { pools: [pool('fd00:3::/64')], options: { mtu: '1000' } }),
      'MtuTooSmall',
    ],
    ['with an option that cannot be read', createNetwork(2, 'other', { options: { mtu: 'wide' } }), 'BadOption'],
  ])('%s is refused', (_, command, tag) => {
    expect(refusal(obey([front]), command)?.tag).toBe(tag)
  })

  test('with endpoints cannot be deleted, and the refusal names them', () => {
    const model = obey([front, createEndpoint(1, 1, 'web')])
    const error = refusal(model, { tag: 'DeleteNetwork', id: net(1) })
    expect(sentence(error)).toBe('network "front" is in use by "web"')
  })

  test('of driver host or null exists once', () => {
    const model = obey([createNetwork(1, 'host', { driver: 'host', pools: [] })])
    expect(refusal(model, createNetwork(2, 'host2', { driver: 'host', pools: [] }))?.tag).toBe('OnlyOne')
  })
})

describe('an endpoint', () => {
  test('gets the lowest free address, and a MAC that is made from it', () => {
    const model = obey([front, createEndpoint(1, 1, 'web'), createEndpoint(2, 1, 'api')])
    const found = [1, 2].map((n) => getIn(model.endpoints, end(n)))
    expect(
      found.map((each) => each && [showCidr(each.addresses[0]?.cidr ?? { ip: ip('::'), bits: 0 }), showMac(each.mac)]),
    ).toEqual([
      ['172.17.0.2/16', '02:42:ac:11:00:02'],
      ['172.17.0.3/16', '02:42:ac:11:00:03'],
    ])
  })

  test('may ask for an address', () => {
    const model = obey([front, createEndpoint(1, 1, 'web', { ipv4: v4('172.17.9.9') })])
    expect(getIn(model.endpoints, end(1))?.addresses.map(({ cidr }) => showCidr(cidr))).toEqual(['172.17.9.9/16'])
  })

  test.each([
    ['an address that is taken', createEndpoint(2, 1, 'api', { ipv4: v4('172.17.0.2') }), 'IPAlreadyAllocated'],
    ['the gateway', createEndpoint(2, 1, 'api', { ipv4: v4('172.17.0.1') }), 'IPAlreadyAllocated'],
    ['the broadcast address', createEndpoint(2, 1, 'api', { ipv4: v4('172.17.255.255') }), 'IPAlreadyAllocated'],
    ['an address elsewhere', createEndpoint(2, 1, 'api', { ipv4: v4('10.0.0.1') }), 'NoSuchSubnet'],
    ['IPv6 where there is none', createEndpoint(2, 1, 'api', { ipv6: v6('fd00::1') }), 'NoSuchSubnet'],
    ['a name that is taken', createEndpoint(2, 1, 'web'), 'EndpointNameTaken'],
    ['a network that is not there', createEndpoint(2, 7, 'api'), 'NotFound'],
  ])('that asks for %s is refused', (_, command, tag) => {
    expect(refusal(obey([front, createEndpoint(1, 1, 'web')]), command)?.tag).toBe(tag)
  })

  test('that is joined is deleted only by force, and its address is free again', () => {
    const model = obey([front, web, createEndpoint(1, 1, 'web'), join(1, 1)])
    expect(refusal(model, { tag: 'DeleteEndpoint', id: end(1), force: false })?.tag).toBe('IsJoined')
    const after = obey([{ tag: 'DeleteEndpoint', id: end(1), force: true }, createEndpoint(2, 1, 'api')], model)
    expect(getIn(after.endpoints, end(2))?.addresses.map(({ cidr }) => showCidr(cidr))).toEqual(['172.17.0.2/16'])
  })
})

describe('joining', () => {
  const model = obey([front, web, createSandbox(2, 'api'), createEndpoint(1, 1, 'web'), join(1, 1)])

  test('names interfaces in the order of joining', () => {
    const more = obey([createNetwork(2, 'back'), createEndpoint(2, 2, 'web'), join(2, 1)], model)
    expect([1, 2].map((n) => getIn(more.endpoints, end(n))?.attachment?.ifName)).toEqual(['eth0', 'eth1'])
  })

  test.each([
    ['twice', join(1, 2), 'AlreadyJoined'],
    ['a sandbox that is not there', join(1, 9), 'NotFound'],
    ['an endpoint that is not there', join(9, 1), 'NotFound'],
  ])('%s is refused', (_, command, tag) => {
    expect(refusal(model, command)?.tag).toBe(tag)
  })

  test('under an interface name that is taken is refused', () => {
    const more = obey([createNetwork(2, 'back'), createEndpoint(2, 2, 'web')], model)
    expect(refusal(more, join(2, 1, { ifName: ifName('eth0') }))?.tag).toBe('InterfaceTaken')
  })

  test('a network with subnets is not for a container that shares the host', () => {
    const more = obey([createSandbox(3, 'shared', { ns: HOST }), createEndpoint(3, 1, 'shared')], model)
    expect(refusal(more, join(3, 3))?.tag).toBe('SharesHost')
  })

  test('is undone by the sandbox that joined, not by another', () => {
    expect(refusal(model, leave(1, 2))?.tag).toBe('OtherSandbox')
    expect(refusal(obey([leave(1, 1)], model), leave(1, 1))?.tag).toBe('NotJoined')
  })
})

describe('a sandbox', () => {
  test('that is deleted takes its endpoints along, and deleting it again changes nothing', () => {
    const model = obey([front, web, createEndpoint(1, 1, 'web'), join(1, 1), { tag: 'DeleteSandbox', id: box(1) }])
    expect(getIn(model.endpoints, end(1))).toBeUndefined()
    expect(obey([{ tag: 'DeleteSandbox', id: box(1) }], model)).toEqual(model)
  })

  test('may not have a namespace that another has', () => {
    expect(refusal(obey([web]), createSandbox(2, 'other', { ns: web.ns }))?.tag).toBe('SandboxTaken')
  })
})

describe('a host port', () => {
  const model = obey([createSandbox(1, 'web', { ports: [publish(8080)] })])

  test.each([
    [null, 'PortTaken'],
    ['0.0.0.0', 'PortTaken'],
    ['203.0.113.2', 'PortTaken'],
    ['::', 'PortTaken'],
  ])('that is published on every address is taken on %s too', (hostIp, tag) => {
    expect(refusal(model, createSandbox(2, 'api', { ports: [publish(8080, hostIp)] }))?.tag).toBe(tag)
  })

  test('is free on another address, and for another protocol', () => {
    const one = obey([createSandbox(1, 'web', { ports: [publish(8080, '203.0.113.2')] })])
    expect(refusal(one, createSandbox(2, 'api', { ports: [publish(8080, '203.0.113.3')] }))).toBeNull()
    expect(refusal(model, createSandbox(2, 'api', { ports: [{ ...publish(8080), transport: 'udp' }] }))).toBeNull()
  })

  test('is taken from the range that was asked for, lowest first', () => {
    const range = { ...publish(8080), hostPorts: { from: port(8080), to: port(8082) } }
    const more = obey([createSandbox(2, 'api', { ports: [range, range] })], model)
    expect(getIn(more.sandboxes, box(2))?.ports.map(({ hostPort }) => hostPort)).toEqual([8081, 8082])
    expect(refusal(more, createSandbox(3, 'late', { ports: [range] }))?.tag).toBe('PortsExhausted')
  })

  test('is taken from the ports for everybody where none was asked for', () => {
    const any = { ...publish(8080), hostPorts: null }
    const more = obey([createSandbox(2, 'api', { ports: [any, any] })])
    expect(getIn(more.sandboxes, box(2))?.ports.map(({ hostPort }) => hostPort)).toEqual([32768, 32769])
  })
})

describe('names', () => {
  const model = obey([
    front,
    createNetwork(2, 'back'),
    web,
    createSandbox(2, 'api'),
    createSandbox(3, 'db'),
    createEndpoint(1, 1, 'web', { aliases: ['www'] }),
    createEndpoint(2, 1, 'api'),
    createEndpoint(3, 2, 'api'),
    createEndpoint(4, 2, 'db'),
    join(1, 1),
    join(2, 2),
    join(3, 2),
    join(4, 3),
  ])
  const resolve = (sandbox: number, name: string) => resolveName(model, box(sandbox), name).map(showIp)

  test('resolve to addresses on the networks that are shared, whatever their case', () => {
    expect(resolve(1, 'API')).toEqual(['172.17.0.3'])
    expect(resolve(3, 'api')).toEqual(['172.18.0.2'])
    expect(resolve(2, 'www')).toEqual(['172.17.0.2'])
  })

  test('do not resolve where no network is shared', () => {
    expect(resolve(1, 'db')).toEqual([])
  })
})

test('every class of error has a status', () => {
  for (const status of Object.values(httpStatus)) expect(status).toBeGreaterThanOrEqual(400)
  expect(httpStatus[errorClass.NoAvailableIPs]).toBe(503)
  expect(httpStatus[errorClass.NotFound]).toBe(404)
})

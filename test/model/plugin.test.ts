// What a plugin may answer, and what is made of it. Source: libnetwork's docs/remote.md and drivers/remote/driver.go.

import { describe, expect, test } from 'vitest'
import { type PluginAnswer, readAnswer } from '../../src/model/plugin/answer.ts'
import type { PluginBody } from '../../src/model/plugin/protocol.ts'
import { cidr } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { E } from '../../src/prelude.ts'
import { end, net } from '../lib/model.ts'

const ids = { NetworkID: net(1), EndpointID: end(1) }
const JOIN: PluginBody = { Method: 'Join', ...ids, SandboxKey: '/run/netns/web' }
const ENDPOINT: PluginBody = {
  Method: 'CreateEndpoint',
  ...ids,
  Interface: { Address: '10.1.0.2/24', AddressIPv6: '', MacAddress: '02:42:0a:01:00:02' },
  Options: { 'com.docker.network.endpoint.exposedports': [] },
}

const wrong = (asked: PluginBody, json: unknown): string | null => {
  const read = readAnswer(asked, json)
  return E.isLeft(read) ? read.left : null
}
const right = (asked: PluginBody, json: unknown): PluginAnswer => {
  const read = readAnswer(asked, json)
  if (E.isLeft(read)) throw new Error(read.left)
  return read.right
}

describe('the answer to a join', () => {
  test('names the device, its prefix inside, gateways and routes', () => {
    const answer = right(JOIN, {
      InterfaceName: { SrcName: 'veth7', DstPrefix: 'eth' },
      Gateway: '10.1.0.1',
      GatewayIPv6: 'fd00::1',
      StaticRoutes: [
        { Destination: '10.2.0.0/16', RouteType: 0, NextHop: '10.1.0.9' },
        { Destination: 'fd00:2::/64', RouteType: 1, NextHop: '' },
      ],
      DisableGatewayService: true,
    })
    expect(answer).toEqual({
      device: 'veth7',
      prefix: 'eth',
      gateway4: ip('10.1.0.1'),
      gateway6: ip('fd00::1'),
      routes: [
        { to: cidr('10.2.0.0/16'), via: ip('10.1.0.9') },
        { to: cidr('fd00:2::/64'), via: null },
      ],
    })
  })

  test('may say nothing at all', () => {
    expect(right(JOIN, {})).toEqual({ device: null, prefix: '', gateway4: null, gateway6: null, routes: [] })
  })

  test.for([
    [{ Gateway: 'nowhere' }, 'Gateway: an IPv4 address expected'],
    [{ Gateway: 'fd00::1' }, 'Gateway: an IPv4 address expected'],
    [{ GatewayIPv6: '10.1.0.1' }, 'GatewayIPv6: an IPv6 address expected'],
    [{ InterfaceName: 'veth7' }, 'InterfaceName: an object expected'],
    [{ InterfaceName: { SrcName: 'a/b' } }, 'SrcName: the name of a device expected'],
    [{ InterfaceName: { DstPrefix: 7 } }, 'DstPrefix: a text expected'],
    [{ StaticRoutes: {} }, 'StaticRoutes: a list expected'],
    [{ StaticRoutes: ['10.0.0.0/8'] }, 'StaticRoutes: a list of objects expected'],
    [{ StaticRoutes: [{ NextHop: '10.1.0.9' }] }, 'Destination: a prefix expected'],
    [{ StaticRoutes: [{ Destination: '10.2.0.1/16', NextHop: '10.1.0.9' }] }, 'Destination: a prefix expected'],
    [{ StaticRoutes: [{ Destination: '10.2.0.0/16' }] }, 'NextHop: an address expected'],
    [
      { StaticRoutes: [{ Destination: '10.2.0.0/16', RouteType: 1, NextHop: '10.1.0.9' }] },
      'NextHop: nothing expected',
    ],
    [{ StaticRoutes: [{ Destination: '10.2.0.0/16', RouteType: 2 }] }, 'RouteType: 0 or 1 expected'],
    [null, 'it is no JSON object'],
    [[], 'it is no JSON object'],
  ] as const)('%j is wrong', ([json, why]) => {
    expect(wrong(JOIN, json)).toBe(why)
  })
})

describe('the answer to an endpoint', () => {
  test.for([{}, { Interface: null }, { Interface: {} }, { Interface: { MacAddress: '02:42:0a:01:00:02' } }])(
    'may be %j',
    (json) => {
      expect(right(ENDPOINT, json)).toBeNull()
    },
  )

  test.for([
    [{ Interface: { MacAddress: '02:42:0a:01:00:03' } }, 'MacAddress: it was "02:42:0a:01:00:02"'],
    [{ Interface: { Address: '10.1.0.3/24' } }, 'Address: it was "10.1.0.2/24"'],
    [{ Interface: { AddressIPv6: 'fd00::2/64' } }, 'AddressIPv6: it was ""'],
    [{ Interface: { Address: 7 } }, 'Address: a text expected'],
    [{ Interface: 'eth0' }, 'Interface: an object expected'],
  ] as const)('may not be %j', ([json, why]) => {
    expect(wrong(ENDPOINT, json)).toContain(why)
  })
})

test('of other calls there is nothing to know but that they were obeyed', () => {
  for (const Method of ['Leave', 'DeleteEndpoint'] as const) expect(right({ Method, ...ids }, { Extra: 1 })).toBeNull()
  expect(wrong({ Method: 'DeleteNetwork', NetworkID: net(1) }, 'ok')).toBe('it is no JSON object')
})

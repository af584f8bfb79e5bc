// The rules of networks, a fact for each row of docs/rules.md that names one. More of them are in decide.test.ts.

import { describe, expect, test } from 'vitest'
import { bridge } from '../../src/drivers/bridge/bridge.ts'
import { DRIVERS } from '../../src/drivers/registry.ts'
import type { Rules } from '../../src/model/rules.ts'
import { cidr, showCidr } from '../../src/net/cidr.ts'
import { ip, showIp } from '../../src/net/ip.ts'
import { getIn, sizeOfMap } from '../../src/net/pmap.ts'
import {
  createEndpoint,
  createNetwork,
  createSandbox,
  end,
  join,
  net,
  networkIn,
  obey,
  pool,
  refusal,
  sentence,
  status,
  v4,
} from '../lib/model.ts'

/** A driver whose networks exist on all hosts of a cluster, and may have several subnets of one family. */
const mesh: Rules = new Map([...DRIVERS, ['mesh', { ...bridge, type: 'mesh', scope: 'global', severalSubnets: true }]])

const shared = createNetwork(1, 'shared', {
  configOnly: true,
  options: { mtu: '1400' },
  labels: { tier: 'back' },
  pools: [pool('10.1.0.0/24'), pool('fd00:1::/64')],
})
const borrowed = createNetwork(2, 'app', { configFrom: 'shared' })

describe('a configuration-only network', () => {
  const model = obey([shared])

  test('holds options, labels and address configuration, and has no driver and no pool in use', () => {
    expect(networkIn(model, 1)).toMatchObject({
      configOnly: true,
      driver: 'null',
      scope: 'local',
      options: { mtu: '1400' },
      labels: { tier: 'back' },
      asked: shared.pools,
      pools: [],
    })
    expect(sizeOfMap(model.ipam.subnets)).toBe(0)
  })

  test('gives them to a network that asks for them', () => {
    const app = networkIn(obey([borrowed], model), 2)
    expect(app).toMatchObject({ configFrom: net(1), labels: { tier: 'back' }, options: { mtu: '1400' } })
    expect(app.config['mtu']).toBe(1400)
    expect(app.pools.map(({ subnet }) => showCidr(subnet))).toEqual(['10.1.0.0/24', 'fd00:1::/64'])
  })

  test('may have any driver named, known or not', () => {
    expect(refusal(obey([]), { ...shared, driver: 'avian' })).toBeNull()
  })

  test('has no endpoints', () => {
    const error = refusal(model, createEndpoint(1, 1, 'web'))
    expect(sentence(error)).toBe('network "shared" only lends its configuration and cannot have endpoint "web"')
    expect(status(error)).toBe(403)
  })

  test.each([
    ['internal', { internal: true }],
    ['attachable', { attachable: true }],
    ['ingress', { ingress: true }],
    ['scope', { scope: 'local' as const }],
  ])('cannot be given %s', (option, more) => {
    const error = refusal(obey([]), { ...shared, ...more })
    expect(sentence(error)).toBe(`network "shared" only lends its configuration and cannot be given ${option}`)
    expect(status(error)).toBe(403)
  })

  test('cannot take the configuration of another', () => {
    const error = refusal(model, createNetwork(3, 'third', { configOnly: true, configFrom: 'shared' }))
    expect(error?.tag).toBe('ConfigOfConfig')
    expect(status(error)).toBe(403)
  })

  test('has its subnets checked in themselves, though it takes none', () => {
    expect(refusal(obey([]), { ...shared, pools: [pool('10.1.0.1/24')] })?.tag).toBe('HostBits')
  })

  test('that is in use cannot be deleted, and the refusal names who uses it', () => {
    const used = obey([borrowed], model)
    const error = refusal(used, { tag: 'DeleteNetwork', id: net(1) })
    expect(sentence(error)).toBe('the configuration of network "shared" is in use by "app"')
    expect(status(error)).toBe(403)
    const free = obey(
      [
        { tag: 'DeleteNetwork', id: net(2) },
        { tag: 'DeleteNetwork', id: net(1) },
      ],
      used,
    )
    expect(sizeOfMap(free.networks)).toBe(0)
  })

  test('does not count as the one network of driver null', () => {
    expect(refusal(model, createNetwork(3, 'none', { driver: 'null', pools: [] }))).toBeNull()
  })
})

describe('a network that takes a configuration', () => {
  const model = obey([shared, createNetwork(3, 'plain')])

  test.each([
    ['address configuration', { pools: [pool('10.2.0.0/24')] }],
    ['address configuration', { pools: [pool(), pool('fd00:2::/64')] }],
    ['labels', { labels: { a: 'b' } }],
    ['driver options', { options: { icc: 'false' } }],
  ])('cannot have %s of its own', (own, more) => {
    const error = refusal(model, { ...borrowed, ...more })
    expect(sentence(error)).toBe(
      `network "app" takes its configuration from "shared" and cannot have ${own} of its own`,
    )
    expect(status(error)).toBe(403)
  })

  test.each([
    ['one that is not there', 'gone'],
    ['a network that lends none', 'plain'],
  ])('cannot take that of %s', (_, configFrom) => {
    const error = refusal(model, createNetwork(2, 'app', { configFrom }))
    expect(error?.tag).toBe('NoSuchConfig')
    expect(status(error)).toBe(404)
  })
})

test('a subnet that was lent and is taken is refused by the name of the network that takes it', () => {
  const model = obey([shared, createNetwork(3, 'first', { pools: [pool('10.1.0.0/24')] })])
  expect(sentence(refusal(model, borrowed))).toBe(
    'network "app": subnet 10.1.0.0/24 overlaps 10.1.0.0/24, which is in use in LocalDefault',
  )
})

describe('the scope of a network', () => {
  test('is its driver’s where none is asked for', () => {
    const model = obey([createNetwork(1, 'here'), createNetwork(2, 'all', { driver: 'mesh' })], undefined, mesh)
    expect([1, 2].map((n) => networkIn(model, n).scope)).toEqual(['local', 'global'])
  })

  test('cannot be lower than its driver’s', () => {
    const error = refusal(obey([]), createNetwork(1, 'all', { driver: 'mesh', scope: 'local' }), mesh)
    expect(sentence(error)).toBe('network "all" cannot have scope local: driver mesh needs global')
    expect(status(error)).toBe(403)
  })

  test('may be higher', () => {
    expect(networkIn(obey([createNetwork(1, 'wide', { scope: 'global' })]), 1).scope).toBe('global')
  })

  test('cannot be swarm, for there is none', () => {
    const error = refusal(obey([]), createNetwork(1, 'far', { scope: 'swarm' }))
    expect(sentence(error)).toBe('network "far" asks for scope swarm, but there is no swarm; ask for local or global')
    expect(status(error)).toBe(403)
  })

  test('decides which default pools its subnet comes from', () => {
    const model = obey([createNetwork(1, 'all', { driver: 'mesh' })], undefined, mesh)
    expect(networkIn(model, 1).pools.map(({ pool: id }) => id)).toEqual(['GlobalDefault/10.0.0.0/24'])
  })
})

describe('the ingress network', () => {
  const ingress = createNetwork(1, 'ingress', { driver: 'mesh', ingress: true })
  const model = obey([ingress], undefined, mesh)

  test('is of a global driver', () => {
    const error = refusal(obey([]), createNetwork(1, 'ingress', { ingress: true }))
    expect(sentence(error)).toBe('network "ingress" cannot be the ingress network: driver bridge is not global')
    expect(status(error)).toBe(403)
  })

  test('is there once', () => {
    expect(refusal(model, createNetwork(2, 'more', { driver: 'mesh', ingress: true }), mesh)?.tag).toBe('IngressTaken')
  })

  test('is deleted only by force', () => {
    expect(refusal(model, { tag: 'DeleteNetwork', id: net(1) }, mesh)?.tag).toBe('IngressHeld')
    expect(refusal(model, { tag: 'DeleteNetwork', id: net(1), force: true }, mesh)).toBeNull()
  })
})

describe('the subnets of a network', () => {
  test('may be several of one family where the driver says so; addresses come from the first that has one', () => {
    const pools = [pool('10.1.0.0/30'), pool('10.2.0.0/24')]
    const model = obey(
      [createNetwork(1, 'two', { driver: 'mesh', pools }), createEndpoint(1, 1, 'a'), createEndpoint(2, 1, 'b')],
      undefined,
      mesh,
    )
    expect([1, 2].map((n) => getIn(model.endpoints, end(n))?.addresses.map(({ cidr: at }) => showCidr(at)))).toEqual([
      ['10.1.0.2/30'],
      ['10.2.0.2/24'],
    ])
  })

  test('are of the size that 0.0.0.0/N asks for', () => {
    const model = obey([createNetwork(1, 'small', { pools: [pool('0.0.0.0/28')] })])
    expect(networkIn(model, 1).pools.map(({ subnet }) => showCidr(subnet))).toEqual(['172.17.0.0/28'])
  })

  test('need not include IPv4', () => {
    const model = obey([createNetwork(1, 'six', { pools: [pool('fd00:6::/64')] }), createEndpoint(1, 1, 'web')])
    expect(getIn(model.endpoints, end(1))?.addresses.map(({ cidr: at }) => showCidr(at))).toEqual(['fd00:6::2/64'])
  })

  test('keep auxiliary addresses for others', () => {
    const kept = { ...pool('10.1.0.0/24'), aux: { printer: ip('10.1.0.2') } }
    const model = obey([createNetwork(1, 'net', { pools: [kept] }), createEndpoint(1, 1, 'web')])
    expect(getIn(model.endpoints, end(1))?.addresses.map(({ cidr: at }) => showIp(at.ip))).toEqual(['10.1.0.3'])
    expect(refusal(model, createEndpoint(2, 1, 'api', { ipv4: v4('10.1.0.2') }))?.tag).toBe('IPAlreadyAllocated')
  })

  test('give automatic addresses from the range that was asked for', () => {
    const ranged = { ...pool('10.1.0.0/24'), range: cidr('10.1.0.128/25') }
    const model = obey([createNetwork(1, 'net', { pools: [ranged] }), createEndpoint(1, 1, 'web')])
    expect(getIn(model.endpoints, end(1))?.addresses.map(({ cidr: at }) => showIp(at.ip))).toEqual(['10.1.0.129'])
  })

  test.each([
    ['an auxiliary address outside', { ...pool('10.1.0.0/24'), aux: { printer: ip('10.2.0.2') } }, 'AuxOutside', 403],
    [
      'an auxiliary address outside the default one',
      { ...pool(), aux: { printer: ip('10.2.0.2') } },
      'AuxOutside',
      403,
    ],
    ['a range of no subnet', { ...pool(), range: cidr('10.1.0.0/25') }, 'RangeAlone', 400],
    ['a gateway of the other family', pool('10.1.0.0/24', 'fd00::1'), 'GatewayOutside', 400],
    ['the broadcast address as gateway', pool('10.1.0.0/24', '10.1.0.255'), 'IPAlreadyAllocated', 403],
    ['a subnet nobody can have', pool('224.0.0.0/24'), 'NotUnicast', 400],
  ])('are refused with %s', (_, spec, tag, code) => {
    const error = refusal(obey([]), createNetwork(1, 'net', { pools: [spec] }))
    expect([error?.tag, status(error)]).toEqual([tag, code])
  })

  test('are not looked at by drivers that need none', () => {
    expect(networkIn(obey([createNetwork(1, 'host', { driver: 'host' })]), 1)).toMatchObject({ pools: [], asked: [] })
  })
})

describe('a network', () => {
  test('is named exactly: names differ by case, and are free again when it is gone', () => {
    const model = obey([createNetwork(1, 'Front'), createNetwork(2, 'front')])
    expect(refusal(model, createNetwork(3, 'front'))?.tag).toBe('NetworkNameTaken')
    expect(refusal(obey([{ tag: 'DeleteNetwork', id: net(2) }], model), createNetwork(3, 'front'))).toBeNull()
  })

  test('keeps its labels, its attachability and its options as they were written', () => {
    const more = { labels: { a: 'b' }, attachable: true, options: { 'com.docker.network.driver.mtu': '1400' } }
    expect(networkIn(obey([createNetwork(1, 'net', more)]), 1)).toMatchObject(more)
  })

  test('that is not there cannot be deleted', () => {
    expect(status(refusal(obey([]), { tag: 'DeleteNetwork', id: net(1) }))).toBe(404)
  })

  test('can be deleted when its endpoints are, whoever was joined before', () => {
    const model = obey([
      createNetwork(1, 'net'),
      createSandbox(1, 'web'),
      createEndpoint(1, 1, 'web'),
      join(1, 1),
      { tag: 'DeleteEndpoint', id: end(1), force: true },
    ])
    expect(refusal(model, { tag: 'DeleteNetwork', id: net(1) })).toBeNull()
  })

  test('says what is wrong in libnetwork’s order: its name, then its configuration, its driver, its scope', () => {
    const wrong = createNetwork(1, '', { configOnly: true, internal: true, driver: 'avian', scope: 'swarm' })
    const tags = [
      refusal(obey([]), wrong)?.tag,
      refusal(obey([]), { ...wrong, name: 'net' })?.tag,
      refusal(obey([]), { ...wrong, name: 'net', configOnly: false })?.tag,
      refusal(obey([]), { ...wrong, name: 'net', configOnly: false, driver: 'bridge' })?.tag,
    ]
    expect(tags).toEqual(['NameEmpty', 'ConfigOnlyOptions', 'UnknownDriver', 'NoSwarm'])
  })
})

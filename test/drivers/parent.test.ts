// What macvlan and ipvlan networks want of the kernel, and which there cannot be.

import { describe, expect, test } from 'vitest'
import { DRIVERS } from '../../src/drivers/registry.ts'
import { renderAll } from '../../src/drivers/render.ts'
import { diff } from '../../src/kernel/diff.ts'
import { commandsOf } from '../../src/kernel/print.ts'
import { unite } from '../../src/kernel/state.ts'
import type { Command, CreateNetwork } from '../../src/model/command.ts'
import { freshModel } from '../../src/model/model.ts'
import type { Model, Texts } from '../../src/model/types.ts'
import type { HostDevice } from '../../src/net/host-facts.ts'
import { ip } from '../../src/net/ip.ts'
import { mac } from '../../src/net/mac.ts'
import { HOST, ifName } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { E } from '../../src/prelude.ts'
import {
  createEndpoint,
  createNetwork,
  createSandbox,
  end,
  join,
  leave,
  net,
  networkIn,
  obey,
  pool,
  refusal,
  sentence,
  status,
} from '../lib/model.ts'

const stateFor = (model: Model) => {
  const wanted = unite(renderAll(DRIVERS, model).map(({ fragment }) => fragment))
  if (E.isLeft(wanted)) throw new Error(`clash on ${wanted.left.key}`)
  return wanted.right
}

const lines = (from: Model, to: Model): ReadonlyArray<string> =>
  diff(stateFor(from), stateFor(to))
    .flatMap((op) => commandsOf(op, (ns) => ns))
    .map(({ tool, ns, text }) => `${ns === HOST || ns === null ? '' : `${ns}: `}${tool} ${text}`)

/** The commands that build what these ask for on an empty host. */
const plan = (commands: ReadonlyArray<Command>): ReadonlyArray<string> => lines(freshModel(), obey(commands))

const device = (name: string, type: string | null = null, ours = false): HostDevice => ({
  name: ifName(name),
  type,
  ours,
})
const CARD = device('eth0')

const on = (
  driver: 'macvlan' | 'ipvlan',
  n: number,
  name: string,
  options: Texts,
  more: Partial<CreateNetwork> = {},
): CreateNetwork =>
  createNetwork(n, name, {
    driver,
    options,
    pools: [pool(`10.${n}.0.0/24`)],
    host: { devices: [CARD], prefixes: [], ports: null },
    ...more,
  })

const web = [createSandbox(1, 'web'), createEndpoint(1, 1, 'web'), join(1, 1)]

describe('the macvlan driver', () => {
  test('makes a device in the sandbox on its parent, with addresses and no route', () => {
    expect(plan([on('macvlan', 1, 'lan', { parent: 'eth0' }), ...web])).toMatchInlineSnapshot(`
      [
        "ip netns add web",
        "web: ip link set dev lo up",
        "ip link add link eth0 name eth0 netns web address 02:42:0a:01:00:01 up type macvlan mode bridge",
        "web: ip link set dev eth0 alias cnm:endpoint/1c0000000000",
        "web: ip address add 10.1.0.1/24 dev eth0",
        "web: sysctl -qw net.ipv4.ip_forward=0",
      ]
    `)
  })

  test('makes a VLAN on the parent that all networks on it share, and that goes with the last of them', () => {
    const one = obey([on('macvlan', 1, 'lan', { parent: 'eth0.10' })])
    expect(lines(freshModel(), one)).toMatchInlineSnapshot(`
      [
        "ip link add link eth0 name eth0.10 up type vlan id 10",
        "ip link set dev eth0.10 alias cnm:parent/eth0.10",
      ]
    `)
    const two = obey([on('macvlan', 2, 'other', { parent: 'eth0.10', macvlan_mode: 'private' })], one)
    expect(lines(one, two)).toEqual([])
    const last = obey([{ tag: 'DeleteNetwork', id: net(1) }], two)
    expect(lines(two, last)).toEqual([])
    expect(lines(last, obey([{ tag: 'DeleteNetwork', id: net(2) }], last))).toEqual(['ip link delete dev eth0.10'])
  })

  test('uses a VLAN that is there and somebody else’s as it is, and one of ours as its own', () => {
    const there = (ours: boolean) => ({
      host: { devices: [device('eth0.10', 'vlan', ours), CARD], prefixes: [], ports: null },
    })
    expect(plan([on('macvlan', 1, 'lan', { parent: 'eth0.10' }, there(false))])).toEqual([])
    expect(plan([on('macvlan', 1, 'lan', { parent: 'eth0.10' }, there(true))])).toHaveLength(2)
  })

  test('is internal without a parent, on a dummy of its own', () => {
    const model = obey([on('macvlan', 1, 'lan', {}, { pools: [pool('10.1.0.0/24', '10.1.0.1')] }), ...web])
    expect(networkIn(model, 1)).toMatchObject({ internal: true, pools: [{ exit: null }] })
    expect(lines(freshModel(), model).filter((line) => !line.startsWith('web: '))).toMatchInlineSnapshot(`
      [
        "ip netns add web",
        "ip link add name dm-1a0000000000 address 02:00:00:00:00:00 mtu 1500 up type dummy",
        "ip link set dev dm-1a0000000000 alias cnm:network/1a0000000000",
        "ip link add link dm-1a0000000000 name eth0 netns web address 02:42:0a:01:00:02 up type macvlan mode bridge",
      ]
    `)
  })

  test('leaves by the gateway that was asked for, and by nothing without', () => {
    const asked = [pool('10.1.0.0/24', '10.1.0.1')]
    const exits = (more: Partial<CreateNetwork>) =>
      networkIn(obey([on('macvlan', 1, 'lan', { parent: 'eth0' }, more)]), 1).pools.map(({ exit }) => exit)
    expect(exits({ pools: asked })).toEqual([{ by: 'gateway', via: ip('10.1.0.1') }])
    expect(exits({})).toEqual([{ by: 'nothing' }])
    expect(exits({ pools: asked, internal: true })).toEqual([null])
  })

  test('has no use for published ports, and takes link-local addresses', () => {
    const published = plan([
      on('macvlan', 1, 'lan', { parent: 'eth0' }, { pools: [pool('10.1.0.0/24', '10.1.0.1')] }),
      createSandbox(1, 'web', {
        ports: [
          { hostIp: null, hostPorts: { from: port(80), to: port(80) }, containerPort: port(80), transport: 'tcp' },
        ],
      }),
      createEndpoint(1, 1, 'web', { linkLocal: [ip('169.254.7.7')] }),
      join(1, 1),
    ])
    expect(published.filter((line) => line.startsWith('nft'))).toEqual([])
    expect(published).toContain('web: ip address add 169.254.7.7/16 dev eth0')
    expect(published).toContain('web: ip route add 0.0.0.0/0 via 10.1.0.1 dev eth0 proto 157')
  })

  test('takes several subnets of a family', () => {
    const model = obey([
      on('macvlan', 1, 'lan', { parent: 'eth0' }, { pools: [pool('10.1.0.0/24'), pool('10.2.0.0/24', '10.2.0.1')] }),
    ])
    expect(networkIn(model, 1).pools).toHaveLength(2)
  })
})

describe('the ipvlan driver', () => {
  test('makes a device with the mode and flag asked for, and no MAC', () => {
    const options = { parent: 'eth0', ipvlan_mode: 'l3s', ipvlan_flag: 'private' }
    expect(plan([on('ipvlan', 1, 'lan', options), ...web])).toMatchInlineSnapshot(`
      [
        "ip netns add web",
        "web: ip link set dev lo up",
        "ip link add link eth0 name eth0 netns web up type ipvlan mode l3s private",
        "web: ip link set dev eth0 alias cnm:endpoint/1c0000000000",
        "web: ip address add 10.1.0.1/24 dev eth0",
        "web: ip route add 0.0.0.0/0 dev eth0 proto 157",
        "web: sysctl -qw net.ipv4.ip_forward=0",
      ]
    `)
  })

  test('leaves by the device in the modes of layer 3, and as a macvlan in l2', () => {
    const exits = (options: Texts, gateway?: string) =>
      networkIn(obey([on('ipvlan', 1, 'lan', options, { pools: [pool('10.1.0.0/24', gateway)] })]), 1).pools.map(
        ({ exit }) => exit,
      )
    expect(exits({ parent: 'eth0' })).toEqual([{ by: 'nothing' }])
    expect(exits({ parent: 'eth0' }, '10.1.0.9')).toEqual([{ by: 'gateway', via: ip('10.1.0.9') }])
    expect(exits({ parent: 'eth0', mode: 'l3' }, '10.1.0.9')).toEqual([{ by: 'device' }])
    expect(exits({ parent: 'eth0', mode: 'l3s' })).toEqual([{ by: 'device' }])
    expect(exits({ mode: 'l3' })).toEqual([null])
  })

  test('has a dummy with a name of its own', () => {
    expect(plan([on('ipvlan', 1, 'lan', {})]).filter((line) => line.includes('type'))).toEqual([
      'ip link add name di-1a0000000000 address 02:00:00:00:00:00 mtu 1500 up type dummy',
    ])
  })
})

describe('options that cannot be', () => {
  const refused = (driver: 'macvlan' | 'ipvlan', options: Texts, ...devices: ReadonlyArray<HostDevice>) => {
    const error = refusal(freshModel(), on(driver, 1, 'lan', options, { host: { devices, prefixes: [], ports: null } }))
    expect(status(error)).toBe(400)
    return sentence(error)
  }

  test.each([
    ['macvlan', { macvlan_mode: 'Bridge' }, 'one of private, vepa, bridge, passthru'],
    ['ipvlan', { ipvlan_mode: 'l4' }, 'one of l2, l3, l3s'],
    ['ipvlan', { ipvlan_flag: 'passthru' }, 'one of bridge, private, vepa'],
    ['macvlan', { parent: 'a name too long for a device' }, 'the name of a device of the host'],
    ['macvlan', { parent: 'eth7' }, 'a device of the host, or a VLAN on one, such as eth0.10'],
    ['macvlan', { parent: 'eth0.x' }, 'a device of the host, or a VLAN on one, such as eth0.10'],
    ['macvlan', { parent: 'eth0.007' }, 'a device of the host, or a VLAN on one, such as eth0.10'],
    ['macvlan', { parent: 'eth0.0' }, 'a VLAN from 1 to 4094'],
    ['ipvlan', { parent: 'eth0.4095' }, 'a VLAN from 1 to 4094'],
    ['ipvlan', { parent: 'eth7.10' }, 'a device of the host, or a VLAN on one, and there is no eth7'],
    ['ipvlan', { parent: 'lo' }, 'a device other than loopback'],
    ['macvlan', { parent: 'lo.5' }, 'a VLAN on a device other than loopback'],
    ['macvlan', { parent: 'mv0' }, 'a device that is no macvlan itself'],
    ['macvlan', { parent: 'br-cnm' }, 'a device that is not made by cnm for something else'],
    ['macvlan', { parent: 'br-cnm.5' }, 'a VLAN on a device that is not made by cnm for something else'],
  ] as const)('%s with %j is told what was expected: %s', (driver, options, expected) => {
    const host = [CARD, device('lo', 'loopback'), device('mv0', 'macvlan'), device('br-cnm', 'bridge', true)]
    const [[option, value] = []] = Object.entries(options)
    const told = `option ${option} of driver ${driver} is "${value}", expected ${expected}`
    expect(refused(driver, options, ...host)).toBe(told)
  })

  test('loopback is refused though nobody has looked, and any other parent is taken to be there', () => {
    const { host: _, ...blind } = on('macvlan', 1, 'lan', { parent: 'lo' })
    expect(refusal(freshModel(), blind)?.tag).toBe('BadOption')
    expect(plan([{ ...blind, options: { parent: 'eth0.10' } }])).toEqual([])
  })

  test('an empty parent is none', () => {
    expect(networkIn(obey([on('macvlan', 1, 'lan', { parent: '' })]), 1).internal).toBe(true)
  })
})

describe('networks on one parent', () => {
  type Made = Readonly<{ driver: 'macvlan' | 'ipvlan'; options: Texts }>
  const beside = (first: Made, second: Made): string | null =>
    sentence(
      refusal(obey([on(first.driver, 1, 'first', first.options)]), on(second.driver, 2, 'second', second.options)),
    )
  const plain: Made = { driver: 'macvlan', options: { parent: 'eth0' } }
  const alone: Made = { driver: 'macvlan', options: { parent: 'eth0', mode: 'passthru' } }
  const other: Made = { driver: 'ipvlan', options: { parent: 'eth0' } }
  const tagged = ({ driver, options }: Made): Made => ({ driver, options: { ...options, parent: 'eth0.10' } })

  test('may be several macvlans, but for those in mode passthru', () => {
    expect(beside(plain, plain)).toBeNull()
    const why = 'network "second" cannot be on eth0, where network "first" is: mode passthru has its device to itself'
    expect(beside(plain, alone)).toBe(why)
    expect(beside(alone, plain)).toBe(why)
  })

  test('may be one ipvlan', () => {
    expect(beside(other, other)).toBe(
      'network "second" cannot be on eth0, where network "first" is: a device carries one network of ipvlans',
    )
  })

  test('are not of two drivers', () => {
    const why = 'a device carries macvlans or ipvlans, not both'
    expect(beside(plain, other)).toBe(`network "second" cannot be on eth0, where network "first" is: ${why}`)
    expect(beside(other, plain)).toBe(`network "second" cannot be on eth0, where network "first" is: ${why}`)
    expect(beside(tagged(other), tagged(plain))).toContain('cannot be on eth0.10')
  })

  test('may be any where one of them is on a VLAN, or has no parent', () => {
    for (const first of [plain, alone, other])
      for (const second of [plain, alone, other]) {
        expect(beside(first, tagged(second))).toBeNull()
        expect(beside({ ...first, options: {} }, { ...second, options: {} })).toBeNull()
      }
  })
})

describe('endpoints', () => {
  const MINE = mac(0x02_00_00_00_00_07)
  const one = (options: Texts, driver: 'macvlan' | 'ipvlan' = 'macvlan') =>
    obey([on(driver, 1, 'lan', { parent: 'eth0', ...options }), ...web])

  test('of a network in mode passthru join one at a time', () => {
    const model = obey([createSandbox(2, 'db'), createEndpoint(2, 1, 'db')], one({ mode: 'passthru' }))
    expect(sentence(refusal(model, join(2, 2)))).toBe('endpoint "db" cannot join: network "lan" has room for one')
    expect(refusal(obey([leave(1, 1)], model), join(2, 2))).toBeNull()
  })

  test('have no MAC of their own on an ipvlan, nor in mode passthru', () => {
    for (const model of [one({}, 'ipvlan'), one({ mode: 'passthru' })]) {
      const error = refusal(model, createEndpoint(2, 1, 'db', { mac: MINE }))
      expect([error?.tag, status(error)]).toEqual(['NoOwnMac', 400])
    }
    expect(refusal(one({}), createEndpoint(2, 1, 'db', { mac: MINE }))).toBeNull()
  })

  test('have each a MAC of its own on one device, whichever their networks', () => {
    const model = obey(
      [on('macvlan', 2, 'other', { parent: 'eth0' }), createEndpoint(2, 1, 'db', { mac: MINE })],
      one({}),
    )
    expect(sentence(refusal(model, createEndpoint(3, 2, 'cache', { mac: MINE })))).toBe(
      '02:00:00:00:00:07 of endpoint "cache" belongs to endpoint "db" of network "lan" already',
    )
    const apart = obey([on('macvlan', 3, 'third', { parent: 'eth0.10' })], model)
    expect(refusal(apart, createEndpoint(3, 3, 'cache', { mac: MINE }))).toBeNull()
  })

  test('that leave take nothing of others along', () => {
    const before = one({})
    const second = obey([createSandbox(2, 'db'), createEndpoint(2, 1, 'db'), join(2, 2)], before)
    const after = obey([leave(2, 2), { tag: 'DeleteEndpoint', id: end(2), force: false }], second)
    expect(lines(second, after)).toEqual(['db: ip link delete dev eth0'])
    expect(lines(obey([createSandbox(2, 'db')], before), after)).toEqual([])
  })
})

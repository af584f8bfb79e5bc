// The bridge driver's options: what each changes of what a network and an endpoint want of the kernel, and what is refused
// before anything is touched.

import { describe, expect, test } from 'vitest'
import { bridge } from '../../src/drivers/bridge/bridge.ts'
import { bridgeDevices } from '../../src/drivers/bridge/options.ts'
import { DRIVERS } from '../../src/drivers/registry.ts'
import { renderAll } from '../../src/drivers/render.ts'
import { diff } from '../../src/kernel/diff.ts'
import { commandsOf } from '../../src/kernel/print.ts'
import { EMPTY_STATE, unite } from '../../src/kernel/state.ts'
import type { Command, CreateNetwork } from '../../src/model/command.ts'
import { freshModel } from '../../src/model/model.ts'
import { endpointsIn, wayOut } from '../../src/model/queries.ts'
import type { Model, PortBinding, Texts } from '../../src/model/types.ts'
import { type HostDevice, NO_FACTS } from '../../src/net/host-facts.ts'
import { ip, showIp } from '../../src/net/ip.ts'
import { ifName } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { E } from '../../src/prelude.ts'
import {
  box,
  createEndpoint,
  createNetwork,
  createSandbox,
  endpointIn,
  join,
  networkIn,
  obey,
  outcome,
  pool,
  refusal,
  sentence,
} from '../lib/model.ts'

const DUAL = [pool('172.20.0.0/16'), pool('fd00:20::/64')]
const front = (options: Texts, more: Partial<CreateNetwork> = {}): CreateNetwork =>
  createNetwork(1, 'front', { options, pools: DUAL, ...more })

const published = { hostIp: null, hostPorts: { from: port(8080), to: port(8080) }, containerPort: port(80) }
const web = (network: Command, hostIp: PortBinding['hostIp'] = null): Model =>
  obey([
    network,
    createSandbox(1, 'web', { ports: [{ ...published, hostIp, transport: 'tcp' }] }),
    createEndpoint(1, 1, 'web'),
    join(1, 1),
  ])

/** The commands that build it on an empty host, but for the firewall's skeleton. */
const plan = (model: Model): ReadonlyArray<string> => {
  const wanted = unite(renderAll(DRIVERS, model).map(({ fragment }) => fragment))
  if (E.isLeft(wanted)) throw new Error(`clash on ${wanted.left.key}`)
  return diff(EMPTY_STATE, wanted.right)
    .filter(({ object }) => object.kind !== 'nft-table')
    .flatMap((op) => commandsOf(op, (ns) => ns))
    .map(({ tool, ns, text }) => `${ns === 'host' || ns === null ? '' : `${ns}: `}${tool} ${text}`)
}
const lines = (model: Model, about: RegExp): ReadonlyArray<string> => plan(model).filter((line) => about.test(line))
/** Elements without what every network has. */
const elements = (model: Model): ReadonlyArray<string> =>
  lines(model, /^nft/)
    .map((line) => line.replace('nft create element inet cnm ', '').replaceAll('"br-1a0000000000"', 'BR'))
    .filter((line) => !/^(bridges|within|subnet)/.test(line))

const MASQUERADE = ['masquerade4 { 172.20.0.0/16 }', 'masquerade6 { fd00:20::/64 }']
const PUBLISH = ['publish4_any { tcp . 8080 : 172.20.0.2 . 80 }', 'publish6_any { tcp . 8080 : fd00:20::2 . 80 }']
const OPEN = ['open4 { 172.20.0.2 . tcp . 80 }', 'open6 { fd00:20::2 . tcp . 80 }']

describe('an option of a bridge network', () => {
  test.each<readonly [string, Texts, ReadonlyArray<string>]>([
    ['nothing said', {}, [...MASQUERADE, ...PUBLISH]],
    ['no mode', { gateway_mode_ipv4: '', gateway_mode_ipv6: '' }, [...MASQUERADE, ...PUBLISH]],
    [
      'unprotected',
      { gateway_mode_ipv4: 'nat-unprotected', gateway_mode_ipv6: 'nat-unprotected' },
      [...MASQUERADE, ...PUBLISH, 'unprotected4 { BR }', 'unprotected6 { BR }'],
    ],
    [
      'routed',
      {
        'com.docker.network.bridge.gateway_mode_ipv4': 'routed',
        'com.docker.network.bridge.gateway_mode_ipv6': 'routed',
      },
      [...OPEN, 'routed4 { BR }', 'routed6 { BR }'],
    ],
    [
      'routed in one family',
      { gateway_mode_ipv6: 'routed' },
      ['masquerade4 { 172.20.0.0/16 }', OPEN[1] ?? '', PUBLISH[0] ?? '', 'routed6 { BR }'],
    ],
    [
      'trusted interfaces',
      { trusted_host_interfaces: 'eth1:eth2:eth1' },
      [...MASQUERADE, ...OPEN, ...PUBLISH, 'trusted { "eth1" . BR }', 'trusted { "eth2" . BR }'],
    ],
    [
      'addresses of the host to leave with',
      { 'com.docker.network.host_ipv4': '192.0.2.7', 'com.docker.network.host_ipv6': '2001:DB8::0:7' },
      [...PUBLISH, 'snat4 { 172.20.0.0/16 : 192.0.2.7 }', 'snat6 { fd00:20::/64 : 2001:db8::7 }'],
    ],
    ['such an address where nothing is masqueraded', { host_ipv4: '192.0.2.7', masquerade: 'false' }, PUBLISH],
    [
      'an address for published ports',
      { 'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1' },
      [...MASQUERADE, 'publish4 { 127.0.0.1 . tcp . 8080 : 172.20.0.2 . 80 }'],
    ],
    ['every address for published ports', { host_binding_ipv4: '0.0.0.0' }, [...MASQUERADE, ...PUBLISH]],
  ])('says which elements the firewall has: %s', (_, options, expected) => {
    expect(elements(web(front(options)))).toEqual([...expected].sort())
  })

  test('opens the port of a routed container also where it is published at one address of the host', () => {
    const routed = front({ gateway_mode_ipv4: 'routed', gateway_mode_ipv6: 'routed' })
    expect(elements(web(routed, ip('192.0.2.7'))).filter((line) => /open|publish/.test(line))).toEqual([OPEN[0]])
  })

  test('binds a port that names an address where it says', () => {
    const bound = front({ host_binding_ipv4: '127.0.0.1' })
    expect(elements(web(bound, ip('192.0.2.7'))).filter((line) => line.startsWith('publish'))).toEqual([
      'publish4 { 192.0.2.7 . tcp . 8080 : 172.20.0.2 . 80 }',
    ])
  })

  test('leaves an isolated network without a gateway, and the host without an address there', () => {
    const options = { gateway_mode_ipv4: 'isolated', gateway_mode_ipv6: 'isolated' }
    const model = web(front(options, { internal: true }))
    expect(networkIn(model, 1).pools.map(({ gateway }) => gateway)).toEqual([null, null])
    expect(lines(model, /^ip address add/)).toEqual([])
    expect(lines(model, /disable_ipv6/)).toEqual(['sysctl -qw net.ipv6.conf.br-1a0000000000.disable_ipv6=1'])
    expect(elements(model)).toEqual(['internal { BR }'])
    expect(endpointIn(model, 1).addresses.map(({ cidr }) => showIp(cidr.ip))).toEqual(['172.20.0.1', 'fd00:20::1'])
  })

  test('keeps the gateway of a network whose bridge has no IPv4 address for somebody else', () => {
    const model = web(front({ 'com.docker.network.bridge.inhibit_ipv4': 'true' }))
    expect(lines(model, /^ip address add/)).toEqual([
      'ip address add fd00:20::1/64 dev br-1a0000000000 nodad',
      'ip address add fe80::1/64 dev br-1a0000000000 nodad',
    ])
    expect(lines(model, /route add 0/)).toEqual(['web: ip route add 0.0.0.0/0 via 172.20.0.1 dev eth0 proto 157'])
  })

  test('names interfaces inside', () => {
    const model = web(front({ 'com.docker.network.container_iface_prefix': 'uplink' }))
    expect(endpointIn(model, 1).attachment?.ifName).toBe('uplink0')
    expect(endpointIn(web(front({ container_iface_prefix: '' })), 1).attachment?.ifName).toBe('eth0')
  })

  test('names the bridge; the default bridge is docker0 unless it is there by another name', () => {
    const made = (options: Texts): ReadonlyArray<string> => lines(web(front(options)), /link add .* type bridge/)
    expect(made({ name: 'mine0' })).toEqual([expect.stringContaining('name mine0')])
    expect(made({ default_bridge: 'true' })).toEqual([expect.stringContaining('name docker0')])
  })

  test('has gateways that are not the bridge, from auxiliary addresses', () => {
    const aux = { DefaultGatewayIPv4: ip('172.20.0.9'), other: ip('172.20.0.8') }
    const model = web(front({}, { pools: [{ ...pool('172.20.0.0/16'), aux }, pool('fd00:20::/64')] }))
    const placed = endpointsIn(model, box(1))
    expect(wayOut(placed, 4)?.exit).toEqual({ by: 'gateway', via: ip('172.20.0.9') })
    expect(wayOut(placed, 6)?.exit).toEqual({ by: 'gateway', via: ip('fd00:20::1') })
    expect(lines(model, /address add 172.20.0.1/)).toHaveLength(1)
  })

  test('that nobody knows is passed over, as Docker does', () => {
    expect(plan(web(front({ nonsense: 'x' })))).toEqual(plan(web(front({}))))
  })

  test('that a former version did not know has its default', () => {
    const network = networkIn(obey([front({})]), 1)
    const config = { name: null, icc: true, masquerade: true, mtu: 1500 }
    expect(bridge.accepts(config)).toBe(true)
    expect(bridge.network({ network: { ...network, config }, config })).toEqual(
      bridge.network({ network, config: network.config }),
    )
  })
})

const device = (name: string, type: string | null, ours = false): HostDevice => ({ name: ifName(name), type, ours })
const beside = (devices: ReadonlyArray<HostDevice>) => ({ host: { ...NO_FACTS, devices } })

describe('a bridge that is there already', () => {
  const options = { name: 'own0' }

  test('is asked for by its name', () => {
    expect(bridgeDevices(options)).toEqual(['own0'])
    expect(bridgeDevices({ default_bridge: 'true' })).toEqual(['docker0'])
    expect(bridgeDevices({})).toEqual([])
    expect(bridgeDevices({ ...options, mtu: 'x' })).toEqual([])
  })

  test('of somebody else is used and left as it is: no link, no address and no sysctl of it', () => {
    const model = web(front(options, beside([device('own0', 'bridge')])))
    expect(lines(model, /own0/).filter((line) => !line.startsWith('nft'))).toEqual([
      'ip link set dev veth1c000000000 master own0',
    ])
    expect(lines(model, /cnm bridges/)).toEqual(['nft create element inet cnm bridges { "own0" }'])
  })

  test('of ours is made as any other', () => {
    const model = web(front(options, beside([device('own0', 'bridge', true)])))
    expect(lines(model, /link add .*own0/)).toHaveLength(1)
  })

  test('may be the default bridge under any name', () => {
    const model = web(front({ ...options, default_bridge: 'true' }, beside([device('own0', 'bridge')])))
    expect(networkIn(model, 1).config).toMatchObject({ name: 'own0', foreign: true })
  })
})

describe('is refused before anything is touched:', () => {
  const BAD = ['BadOption', 400]
  test.each<readonly [string, Texts, unknown]>([
    ['a mode nobody knows', { gateway_mode_ipv4: 'bridge' }, BAD],
    ['a mode nobody knows, IPv6', { 'com.docker.network.bridge.gateway_mode_ipv6': 'NAT' }, BAD],
    ['isolated outside an internal network', { gateway_mode_ipv4: 'isolated' }, ['IsolatedNotInternal', 400]],
    ['isolated outside an internal network, IPv6', { gateway_mode_ipv6: 'isolated' }, ['IsolatedNotInternal', 400]],
    ['MTU 0', { mtu: '0' }, BAD],
    ['MTU 67', { mtu: '67' }, BAD],
    ['MTU 70000', { 'com.docker.network.driver.mtu': '70000' }, BAD],
    ['MTU below 0', { mtu: '-1' }, BAD],
    ['MTU no number', { mtu: 'x' }, BAD],
    ['MTU too small for IPv6', { mtu: '1279' }, ['MtuTooSmall', 400]],
    ['icc neither true nor false', { 'com.docker.network.bridge.enable_icc': 'perhaps' }, BAD],
    ['inhibit_ipv4 neither true nor false', { inhibit_ipv4: 'yes' }, BAD],
    ['default_bridge neither true nor false', { default_bridge: '2' }, BAD],
    ['a bridge with too long a name', { name: 'a234567890123456' }, BAD],
    ['a bridge with a space in its name', { name: 'a b' }, BAD],
    ['a bridge called lo', { name: 'lo' }, BAD],
    ['a prefix too long for a number behind it', { container_iface_prefix: 'a23456789012' }, BAD],
    ['a prefix that begins no name', { container_iface_prefix: '-eth' }, BAD],
    ['an IPv4 source of IPv6', { host_ipv4: '2001:db8::1' }, BAD],
    ['an IPv6 source of IPv4', { host_ipv6: '192.0.2.7' }, BAD],
    ['a source that is no address', { host_ipv4: 'eth0' }, BAD],
    ['a source that nobody can have', { host_ipv4: '0.0.0.0' }, BAD],
    ['a source that is a group', { host_ipv6: 'ff02::1' }, BAD],
    ['a host binding of IPv6', { host_binding_ipv4: '::' }, BAD],
    ['a host binding that is no address', { host_binding_ipv4: 'any' }, BAD],
    ['trusted interfaces with commas', { trusted_host_interfaces: 'eth1,eth2' }, BAD],
    ['trusted interfaces with nothing between', { trusted_host_interfaces: 'eth1::eth2' }, BAD],
    ['a trusted interface with too long a name', { trusted_host_interfaces: 'a234567890123456' }, BAD],
    [
      'a default bridge that must be made by hand',
      { default_bridge: 'true', name: 'mine0' },
      ['DefaultBridgeMissing', 403],
    ],
  ])('%s', (_, options, expected) => {
    expect(outcome(refusal(freshModel(), front(options)))).toEqual(expected)
  })

  test('a device of that name that is no bridge', () => {
    const refused = refusal(freshModel(), front({ name: 'eth7' }, beside([device('eth7', null)])))
    expect(outcome(refused)).toEqual(['NotABridge', 400])
    expect(sentence(refused)).toBe('driver bridge cannot use "eth7" of the host: it is no bridge')
  })

  test('a second network on a bridge', () => {
    const first = obey([front({ name: 'shared0' })])
    const refused = refusal(
      first,
      createNetwork(2, 'back', { options: { name: 'shared0' }, pools: [pool('10.9.0.0/24')] }),
    )
    expect(outcome(refused)).toEqual(['SameBridge', 403])
    expect(sentence(refused)).toBe('network "back" cannot be on bridge "shared0": network "front" is on it')
  })

  test.each([
    ['DefaultGatewayIPv4', 0, '172.20.0.9'],
    ['DefaultGatewayIPv6', 1, 'fd00:20::9'],
  ])('%s of an internal network', (name, at, gateway) => {
    const pools = DUAL.map((each, i) => (i === at ? { ...each, aux: { [name]: ip(gateway) } } : each))
    expect(outcome(refusal(freshModel(), front({}, { internal: true, pools })))).toEqual(['GatewayOfInternal', 400])
  })

  test('a gateway outside its subnet', () => {
    const pools = [{ ...pool('172.20.0.0/16'), aux: { DefaultGatewayIPv4: ip('10.0.0.1') } }]
    expect(outcome(refusal(freshModel(), front({}, { pools })))).toEqual(['AuxOutside', 403])
  })
})

import { describe, expect, test } from 'vitest'
import { endpointIdOf, networkIdOf, sandboxIdOf, toCommands } from '../../src/compose/commands.ts'
import type { Project } from '../../src/compose/project.ts'
import { DRIVERS } from '../../src/drivers/registry.ts'
import type { Command } from '../../src/model/command.ts'
import { decide } from '../../src/model/decide.ts'
import { evolve } from '../../src/model/evolve.ts'
import { freshModel } from '../../src/model/model.ts'
import { endpointsIn, networkNamed, resolveName, wayOut } from '../../src/model/queries.ts'
import type { Model } from '../../src/model/types.ts'
import { showCidr } from '../../src/net/cidr.ts'
import { showIp } from '../../src/net/ip.ts'
import { HOST } from '../../src/net/name.ts'
import { getIn, valuesOf } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'
import { projectOf } from './lib.ts'

const tags = (project: Project) => toCommands(project).commands.map(({ command }) => command.tag)
const of = <T extends Command['tag']>(project: Project, tag: T): ReadonlyArray<Extract<Command, { tag: T }>> =>
  toCommands(project).commands.flatMap(({ command }) =>
    // The comparison says what the type cannot.
    command.tag === tag ? [command as Extract<Command, { tag: T }>] : [],
  )

/** The model after all commands; a refused one fails the test, with its place. */
const modelOf = (project: Project): Model =>
  toCommands(project).commands.reduce((model, { command, at }) => {
    const events = decide(DRIVERS, model, command)
    if (E.isLeft(events)) throw new Error(`${at.line}:${at.column} ${command.tag} ${JSON.stringify(events.left)}`)
    return events.right.reduce(evolve, model)
  }, freshModel())

const TIERS = `
services:
  web:
    ports: ["8080:80", "127.0.0.1:9000-9001:90/udp", "443"]
    networks: {front: , back: {gw_priority: 1, aliases: [www]}}
  db: {networks: {back: {ipv4_address: 10.9.0.2, mac_address: "02:00:00:00:00:05", interface_name: lan0}}}
  side: {network_mode: "service:db"}
  host: {network_mode: host}
  alone: {network_mode: none}
networks:
  front: {driver_opts: {com.docker.network.driver.mtu: 1400}, labels: {a: b}}
  back: {internal: true, enable_ipv6: true, ipam: {config: [{subnet: 10.9.0.0/24, ip_range: 10.9.0.0/28, gateway: 10.9.0.14}]}}
`

describe('a project as commands', () => {
  const project = projectOf(TIERS)

  test('networks, sandboxes, endpoints, joins; a shared namespace needs nothing', () =>
    expect(tags(project)).toEqual([
      ...Array(2).fill('CreateNetwork'),
      ...Array(4).fill('CreateSandbox'),
      ...Array(3).fill('CreateEndpoint'),
      ...Array(3).fill('Join'),
    ]))

  test('each knows its place', () => {
    const lines = toCommands(project).commands.map(({ command, at }) => `${command.tag} ${at.line}`)
    expect(lines.filter((line) => line.startsWith('CreateNetwork'))).toEqual(['CreateNetwork 12', 'CreateNetwork 11'])
    expect(lines.filter((line) => line.startsWith('CreateEndpoint'))).toEqual([
      'CreateEndpoint 6',
      'CreateEndpoint 5',
      'CreateEndpoint 5',
    ])
  })

  test('a network with its options and a pool for each family that is on', () => {
    const [back, front] = of(project, 'CreateNetwork')
    expect(front).toMatchObject({
      name: 'shop_front',
      driver: 'bridge',
      options: { 'com.docker.network.driver.mtu': '1400' },
      labels: { a: 'b' },
      pools: [{ family: 4, subnet: null }],
    })
    expect(back).toMatchObject({ internal: true, pools: [{ family: 4 }, { family: 6, subnet: null }] })
    const [pool] = back?.pools ?? []
    expect(pool?.range && showCidr(pool.range)).toBe('10.9.0.0/28')
    expect(pool?.gateway && showIp(pool.gateway)).toBe('10.9.0.14')
  })

  test("a namespace has its container's name, but never the host's", () => {
    const namespaces = of(project, 'CreateSandbox').map(({ container, ns }) => [container, ns])
    expect(Object.fromEntries(namespaces)).toMatchObject({ web: 'web', db: 'db', alone: 'alone', 'host-1': HOST })
    const [sandbox] = of(projectOf('services: {host: {}}'), 'CreateSandbox')
    expect(sandbox?.ns).toBe('host-1')
  })

  test('ids are the same each time and in no two projects', () => {
    expect(toCommands(project)).toEqual(toCommands(projectOf(TIERS)))
    const other = projectOf(TIERS, { projectName: 'other' })
    expect(networkIdOf(other, 'back')).not.toBe(networkIdOf(project, 'back'))
  })

  test('the model obeys them', () => {
    const model = modelOf(project)
    const web = sandboxIdOf(project, 'web')
    expect(getIn(model.sandboxes, web)?.ports).toMatchObject([
      { hostPort: 8080, containerPort: 80, transport: 'tcp' },
      { hostPort: 9000, containerPort: 90, transport: 'udp' },
      { containerPort: 443, transport: 'tcp' },
    ])
    expect(endpointsIn(model, web).map(({ network }) => network.name)).toEqual(['shop_back', 'shop_front'])
    expect(wayOut(endpointsIn(model, web), 4)?.network.name).toBe('shop_front')
    expect(resolveName(model, web, 'db').map(showIp)[0]).toBe('10.9.0.2')
    expect(resolveName(model, sandboxIdOf(project, 'db'), 'www')).toEqual(
      resolveName(model, sandboxIdOf(project, 'db'), 'web'),
    )
    expect(getIn(model.endpoints, endpointIdOf(project, 'db', 'back'))?.attachment?.ifName).toBe('lan0')
  })
})

test('what is asked for is given before what is taken from the rest', () => {
  const model = modelOf(
    projectOf(`
services:
  first: {networks: [n, any], ports: ["80"]}
  second: {networks: {n: {ipv4_address: 10.0.0.2}}, ports: ["32768:80"]}
networks:
  any: {}
  n: {ipam: {config: [{subnet: 10.0.0.0/24}]}}
  later: {ipam: {config: [{subnet: 172.17.0.0/16}]}}
`),
  )
  expect(networkNamed(model, 'shop_n')?.pools[0]?.gateway).toBeDefined()
  const addresses = valuesOf(model.endpoints).flatMap((endpoint) =>
    endpoint.addresses.map(({ cidr }) => showIp(cidr.ip)),
  )
  expect(new Set(addresses).size).toBe(3)
})

test('a range of host ports goes to the first free one, for each replica', () => {
  const project = projectOf('services: {a: {scale: 3, ports: ["8000-8003:80"]}, b: {ports: ["8001:80"]}}')
  const ports = of(project, 'CreateSandbox').map(({ container, ports: [port] }) => [container, port?.hostPorts?.from])
  expect(ports).toEqual([
    ['a-1', 8000],
    ['a-2', 8002],
    ['a-3', 8003],
    ['b', 8001],
  ])
  expect(valuesOf(modelOf(project).sandboxes)).toHaveLength(4)
})

test('link-local addresses are asked for with the endpoint', () => {
  const project = projectOf('services: {a: {networks: {n: {link_local_ips: [169.254.8.8]}}}}\nnetworks: {n: {}}')
  expect(valuesOf(modelOf(project).endpoints).flatMap(({ linkLocal }) => linkLocal.map(showIp))).toEqual([
    '169.254.8.8',
  ])
})

describe('a network on a card of the host', () => {
  const project = projectOf(`
services:
  a: {networks: {lan: {ipv4_address: 10.8.0.77, mac_address: "02:00:00:00:00:77"}}}
networks:
  lan:
    driver: macvlan
    driver_opts: {parent: eth0.10, macvlan_mode: private}
    ipam: {config: [{subnet: 10.9.0.0/24, gateway: 10.9.0.1}, {subnet: 10.8.0.0/24}]}
`)

  test('has the options as they are written, and several subnets of a family', () => {
    const [network] = valuesOf(modelOf(project).networks)
    expect(network).toMatchObject({ driver: 'macvlan', config: { parent: 'eth0.10', mode: 'private' } })
    expect(network?.pools.map(({ subnet }) => showCidr(subnet))).toEqual(['10.9.0.0/24', '10.8.0.0/24'])
  })

  test('gives an address of whichever subnet has it, and the MAC that was asked for', () => {
    const [endpoint] = valuesOf(modelOf(project).endpoints)
    expect(endpoint?.addresses.map(({ cidr }) => showCidr(cidr))).toEqual(['10.8.0.77/24'])
    expect(endpoint?.mac).toBe(0x02_00_00_00_00_77)
  })
})

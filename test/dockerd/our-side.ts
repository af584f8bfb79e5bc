// Our engine on the running kernel, told the same in its own commands.

import { createHash } from 'node:crypto'
import type { Later } from '../../bench/linux/tidy.ts'
import { freshEngine } from '../../src/engine/engine.ts'
import type { Command, PoolSpec, PortRequest } from '../../src/model/command.ts'
import { errorClass, httpStatus } from '../../src/model/error.ts'
import { endpointId, networkId, sandboxId } from '../../src/model/types.ts'
import { cidr, cidrFamily, showCidr } from '../../src/net/cidr.ts'
import { ip, showIp } from '../../src/net/ip.ts'
import { parseMac } from '../../src/net/mac.ts'
import { ns } from '../../src/net/name.ts'
import { valuesOf } from '../../src/net/pmap.ts'
import { port } from '../../src/net/port.ts'
import { E } from '../../src/prelude.ts'
import { labKernel, rightOf } from '../kernel-linux/labs.ts'
import { v4, v6 } from '../lib/model.ts'
import { type Attached, type ContainerWish, type NetworkWish, readPublish, type Step } from './scenario.ts'
import type { Side } from './side.ts'
import { buildWorld } from './world.ts'

const idOf = (words: string): string => createHash('sha256').update(words).digest('hex')
const networkOf = (name: string) => networkId(idOf(`network ${name}`))
const sandboxOf = (name: string) => sandboxId(idOf(`sandbox ${name}`))
const endpointOf = (container: string, network: string) => endpointId(idOf(`endpoint ${container} ${network}`))

const poolsOf = ({ subnets = [], ipv6 }: NetworkWish): ReadonlyArray<PoolSpec> => {
  const asked = subnets.map(
    ({ subnet, gateway, range, aux = {} }): PoolSpec => ({
      family: cidrFamily(cidr(subnet)),
      subnet: cidr(subnet),
      range: range === undefined ? null : cidr(range),
      gateway: gateway === undefined ? null : ip(gateway),
      aux: Object.fromEntries(Object.entries(aux).map(([name, address]) => [name, ip(address)])),
    }),
  )
  const any = (family: 4 | 6): PoolSpec => ({ family, subnet: null, range: null, gateway: null, aux: {} })
  const has = (family: 4 | 6) => asked.some((pool) => pool.family === family)
  return [...(has(4) ? [] : [any(4)]), ...asked, ...(ipv6 === true && !has(6) ? [any(6)] : [])]
}

const createNetwork = (wish: NetworkWish): Command => ({
  tag: 'CreateNetwork',
  id: networkOf(wish.name),
  name: wish.name,
  driver: wish.driver ?? 'bridge',
  options: wish.options ?? {},
  internal: wish.internal === true,
  attachable: false,
  labels: {},
  pools: poolsOf(wish),
})

const requestOf = (text: string): PortRequest => {
  const { hostIp, hostPort, containerPort, protocol } = readPublish(text)
  return {
    hostIp: hostIp === null ? null : ip(hostIp),
    hostPorts: hostPort === null ? null : { from: port(hostPort), to: port(hostPort) },
    containerPort: port(containerPort),
    transport: protocol,
  }
}

const attach = (
  container: string,
  { network, ip: four, ip6, mac, linkLocal = [] }: Attached,
): ReadonlyArray<Command> => [
  {
    tag: 'CreateEndpoint',
    id: endpointOf(container, network),
    network: networkOf(network),
    name: container,
    aliases: [],
    ipv4: four === undefined ? null : v4(four),
    ipv6: ip6 === undefined ? null : v6(ip6),
    mac: mac === undefined ? null : rightOf(parseMac(mac)),
    linkLocal: linkLocal.map(ip),
  },
  {
    tag: 'Join',
    endpoint: endpointOf(container, network),
    sandbox: sandboxOf(container),
    priority: 0,
    ifName: null,
  },
]

const run = ({ name, on, publish = [] }: ContainerWish): ReadonlyArray<Command> => [
  {
    tag: 'CreateSandbox',
    id: sandboxOf(name),
    container: name,
    hostname: name,
    ns: ns(name),
    ports: publish.map(requestOf),
  },
  ...(on === null ? [] : attach(name, on)),
]

const commandsOf = (step: Step): ReadonlyArray<Command> => {
  switch (step.do) {
    case 'network':
      return [createNetwork(step.network)]
    case 'run':
      return run(step.container)
    case 'connect':
      return attach(step.container, step.to)
    case 'disconnect':
      return [{ tag: 'DeleteEndpoint', id: endpointOf(step.container, step.from), force: true }]
    case 'remove':
      return [{ tag: 'DeleteSandbox', id: sandboxOf(step.container) }]
  }
}

export const openOurs = async (later: Later): Promise<Side> => {
  const { lab, kernel, close } = labKernel('compare', 'netlink')
  later(close)
  await buildWorld(kernel)
  const engine = freshEngine({ kernel, check: true })
  later(engine.close)
  const model = () => engine.model()
  // dockerd begins with one.
  const own = { name: 'bridge', options: { 'com.docker.network.bridge.name': 'docker0' } }
  for (const answer of await engine.submit([createNetwork(own)])) rightOf(answer)
  return {
    name: 'cnm',
    lab,
    kernel,
    tell: async (step) => {
      const answers = await engine.submit(commandsOf(step), { together: true })
      const refused = answers.find(E.isLeft)
      return refused === undefined ? null : httpStatus[errorClass[refused.left.tag]]
    },
    subnets: async (name) =>
      valuesOf(model().networks)
        .filter((each) => each.name === name)
        .flatMap(({ pools }) => pools.map(({ subnet }) => showCidr(subnet))),
    published: async () =>
      valuesOf(model().sandboxes).flatMap(({ container, ports }) =>
        ports.map(({ hostIp, hostPort, containerPort, transport }) => ({
          container,
          hostIp: hostIp === null ? null : showIp(hostIp),
          hostPort,
          containerPort,
          protocol: transport === 'udp' ? 'udp' : 'tcp',
        })),
      ),
    clear: async () => {
      const gone: ReadonlyArray<Command> = [
        ...valuesOf(model().sandboxes).map(({ id }) => ({ tag: 'DeleteSandbox', id }) as const),
        ...valuesOf(model().networks).flatMap(({ id, name }) =>
          name === own.name ? [] : [{ tag: 'DeleteNetwork', id } as const],
        ),
      ]
      for (const answer of await engine.submit(gone)) rightOf(answer)
    },
  }
}

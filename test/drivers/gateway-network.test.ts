// Sandboxes that no network of theirs leads out of, with packets, on both kernels: they are led out by the gateway network, which keeps
// them apart. The driver here is a bridge whose networks lead nowhere.

import { expect, test } from 'vitest'
import { bridge } from '../../src/drivers/bridge/bridge.ts'
import { DRIVERS, type Drivers } from '../../src/drivers/registry.ts'
import { freshEngine } from '../../src/engine/engine.ts'
import { diff } from '../../src/kernel/diff.ts'
import type { Kernel, Probe } from '../../src/kernel/kernel.ts'
import { EMPTY_STATE } from '../../src/kernel/state.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD } from '../../src/kernel-sim/state.ts'
import { HOST_ADDRESS, INTERNET, INTERNET_ADDRESS, WORLD } from '../../src/lab/world.ts'
import type { Command } from '../../src/model/command.ts'
import { gatewayEndpointOf } from '../../src/model/decide/gateway.ts'
import { endpointsIn, GATEWAY_NETWORK, networkNamed } from '../../src/model/queries.ts'
import { type Ip, ip } from '../../src/net/ip.ts'
import { type Ns, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { E } from '../../src/prelude.ts'
import { rightOf } from '../kernel-linux/labs.ts'
import { box, createEndpoint, createNetwork, createSandbox, end, join, leave, pool, v4 } from '../lib/model.ts'
import { arrives, onBothKernels } from './both.ts'

const drivers: Drivers = new Map([
  ...DRIVERS,
  ['far', { ...bridge, type: 'far', exit: () => null, needsGateway: true }],
])

const WEB = ns('web')
const PUBLISHED = { hostIp: null, hostPorts: { from: port(8080), to: port(8080) }, containerPort: port(80) } as const

const START: ReadonlyArray<Command> = [
  createNetwork(1, 'far', { driver: 'far', pools: [pool('10.8.0.0/24')] }),
  createNetwork(2, 'near', { pools: [pool('10.9.0.0/24')] }),
  createSandbox(1, 'web', { ports: [{ ...PUBLISHED, transport: 'tcp' }] }),
  createSandbox(2, 'db'),
  createEndpoint(1, 1, 'web', { ipv4: v4('10.8.0.2') }),
  createEndpoint(2, 1, 'db', { ipv4: v4('10.8.0.3') }),
  createEndpoint(3, 2, 'web', { ipv4: v4('10.9.0.2') }),
  join(1, 1),
  join(2, 2),
]

const ping = (from: Ns, to: Ip): Probe => ({ proto: 'icmp', ns: from, to })
const FROM_OUTSIDE: Probe = {
  proto: 'tcp',
  ns: INTERNET,
  to: HOST_ADDRESS[4],
  port: port(8080),
  listener: { ns: WEB, port: port(80) },
}

const reached = async (kernel: Kernel, probes: ReadonlyArray<Probe>): Promise<ReadonlyArray<boolean>> => {
  const all: boolean[] = []
  for (const probe of probes) all.push(await arrives(kernel, probe))
  return all
}

onBothKernels('gwbridge', (fresh) => {
  test('containers that nobody leads out are, apart from each other, with their ports, and only as long', async () => {
    const kernel = fresh()
    rightOf(await kernel.apply(diff(EMPTY_STATE, WORLD))())
    const engine = freshEngine({ kernel, drivers, check: true })
    const obey = async (...commands: Command[]): Promise<void> => {
      for (const answer of await engine.submit(commands)) rightOf(answer)
    }
    const networks = (n: number): ReadonlyArray<string> =>
      endpointsIn(engine.model(), box(n)).map(({ network }) => network.name)

    await obey(...START)
    expect([networks(1), networks(2)]).toEqual([
      ['far', GATEWAY_NETWORK],
      ['far', GATEWAY_NETWORK],
    ])
    const beside = endpointsIn(engine.model(), box(2)).find(({ endpoint }) => endpoint.id === gatewayEndpointOf(box(2)))
    const other = beside?.endpoint.addresses[0]?.cidr.ip ?? expect.fail()
    const within = ping(WEB, ip('10.8.0.3'))
    const out = ping(WEB, INTERNET_ADDRESS[4])
    expect(await reached(kernel, [within, out, FROM_OUTSIDE, ping(WEB, other)])).toEqual([true, true, true, false])

    await obey(join(3, 1))
    expect([networks(1), networks(2)]).toEqual([
      ['near', 'far'],
      ['far', GATEWAY_NETWORK],
    ])
    expect(await reached(kernel, [within, out, FROM_OUTSIDE])).toEqual([true, true, true])

    await obey(leave(3, 1))
    expect(networks(1)).toEqual(['far', GATEWAY_NETWORK])
    expect(await reached(kernel, [within, out, FROM_OUTSIDE])).toEqual([true, true, true])

    // It is nobody's to leave, and goes with the last who counts on it.
    await obey({ tag: 'DeleteEndpoint', id: gatewayEndpointOf(box(1)), force: true })
    expect(networks(1)).toEqual(['far', GATEWAY_NETWORK])
    await obey(leave(1, 1), { tag: 'DeleteEndpoint', id: end(2), force: true })
    expect([networks(1), networks(2), networkNamed(engine.model(), GATEWAY_NETWORK)]).toEqual([[], [], undefined])
    expect(rightOf(await engine.differences())).toEqual([])
  })

  test('a gateway network that somebody made before is used as it is, and stays', async () => {
    const kernel = fresh()
    rightOf(await kernel.apply(diff(EMPTY_STATE, WORLD))())
    const engine = freshEngine({ kernel, drivers, check: true })
    const own = createNetwork(3, GATEWAY_NETWORK, { options: { icc: 'false' }, pools: [pool('10.77.0.0/24')] })
    for (const answer of await engine.submit([own, ...START])) rightOf(answer)
    const gateway = endpointsIn(engine.model(), box(1))[1]?.endpoint.addresses[0]?.cidr.ip
    expect(gateway).toBe(ip('10.77.0.2'))
    expect(await arrives(kernel, ping(WEB, INTERNET_ADDRESS[4]))).toBe(true)
    for (const answer of await engine.submit([leave(1, 1), leave(2, 2)])) rightOf(answer)
    expect(networkNamed(engine.model(), GATEWAY_NETWORK)).toBeDefined()
    expect(endpointsIn(engine.model(), box(1))).toEqual([])
  })
})

test('a join is refused where there is no subnet left for the gateway network', async () => {
  const kernel = simKernel(EMPTY_WORLD)
  rightOf(await kernel.apply(diff(EMPTY_STATE, WORLD))())
  const engine = freshEngine({ kernel, drivers, check: true })
  const far = createNetwork(1, 'far', { driver: 'far', pools: [pool('100.64.0.0/24')] })
  const start = [far, createSandbox(1, 'web'), createEndpoint(1, 1, 'web')]
  for (const answer of await engine.submit(start)) rightOf(answer)
  let n = 3
  while (E.isRight((await engine.submit([createNetwork(n, `full${n}`)]))[0] ?? expect.fail())) n++
  const [answer] = await engine.submit([join(1, 1)])
  expect(answer).toEqual(E.left(expect.objectContaining({ tag: 'NoMoreSubnets' })))
  expect(endpointsIn(engine.model(), box(1))).toEqual([])
})

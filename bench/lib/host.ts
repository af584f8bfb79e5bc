// A busy host to measure on: networks with joined endpoints, one container each.

import { DRIVERS } from '../../src/drivers/registry.ts'
import { type Core, FRESH_CORE, step } from '../../src/engine/step.ts'
import type { Command, CreateEndpoint, CreateNetwork, CreateSandbox, Join, Leave } from '../../src/model/command.ts'
import { endpointId, networkId, sandboxId } from '../../src/model/types.ts'
import { ns } from '../../src/net/name.ts'
import { E } from '../../src/prelude.ts'

/** A 64-digit id that spreads over the whole width, different for each kind and number. */
const hex = (kind: number, n: number): string => {
  let h = (kind * 0x9e3779b1) ^ (n * 0x85ebca6b)
  let text = ''
  while (text.length < 64) {
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
    h = Math.imul(h ^ (h >>> 12), 0x297a2d39) ^ n
    text += (h >>> 0).toString(16).padStart(8, '0')
  }
  return text
}
export const network = (n: number) => networkId(hex(1, n))
export const sandbox = (n: number) => sandboxId(hex(2, n))
export const endpoint = (n: number) => endpointId(hex(3, n))

export const createNetwork = (n: number): CreateNetwork => ({
  tag: 'CreateNetwork',
  id: network(n),
  name: `net${n}`,
  driver: 'bridge',
  options: {},
  internal: false,
  attachable: false,
  labels: {},
  pools: [{ family: 4, subnet: null, range: null, gateway: null, aux: {} }],
})
export const createSandbox = (n: number): CreateSandbox => ({
  tag: 'CreateSandbox',
  id: sandbox(n),
  container: `c${n}`,
  hostname: `c${n}`,
  ns: ns(`c${n}`),
  ports: [],
})
export const createEndpoint = (n: number, on: number): CreateEndpoint => ({
  tag: 'CreateEndpoint',
  id: endpoint(n),
  network: network(on),
  name: `e${n}`,
  aliases: [],
  ipv4: null,
  ipv6: null,
  mac: null,
})
export const join = (n: number): Join => ({
  tag: 'Join',
  endpoint: endpoint(n),
  sandbox: sandbox(n),
  priority: 0,
  ifName: null,
})
export const leave = (n: number): Leave => ({ tag: 'Leave', endpoint: endpoint(n), sandbox: sandbox(n) })

/** The core after a command that it must not refuse. */
export const obey = (core: Core, command: Command): Core => {
  const next = step(DRIVERS, core, command)
  if (E.isLeft(next)) throw new Error(`${command.tag}: ${next.left.tag}`)
  return next.right.core
}

/** `networks` networks with `each` joined endpoints on every one. */
export const busyHost = (networks: number, each: number): Core => {
  let core = FRESH_CORE
  for (let n = 0; n < networks; n++) core = obey(core, createNetwork(n))
  for (let n = 0; n < networks * each; n++)
    core = [createSandbox(n), createEndpoint(n, n % networks), join(n)].reduce(obey, core)
  return core
}

// Short ways to say commands in tests. Ids are made from small numbers; `obey` is a model after commands it must accept.

import { DRIVERS } from '../../src/drivers/registry.ts'
import type { Command, CreateEndpoint, CreateNetwork, CreateSandbox, Join, PoolSpec } from '../../src/model/command.ts'
import { decide } from '../../src/model/decide.ts'
import { type CnmError, errorClass, explain, httpStatus } from '../../src/model/error.ts'
import { evolve } from '../../src/model/evolve.ts'
import { freshModel } from '../../src/model/model.ts'
import type { Rules } from '../../src/model/rules.ts'
import {
  type Endpoint,
  endpointId,
  type Model,
  type Network,
  networkId,
  type Sandbox,
  sandboxId,
} from '../../src/model/types.ts'
import { cidr } from '../../src/net/cidr.ts'
import { type Ip4, type Ip6, ip, isIp4, isIp6 } from '../../src/net/ip.ts'
import { ns } from '../../src/net/name.ts'
import { getIn, type PMap } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'

export const net = (n: number) => networkId(`${n}a`.padEnd(64, '0'))
export const box = (n: number) => sandboxId(`${n}b`.padEnd(64, '0'))
export const end = (n: number) => endpointId(`${n}c`.padEnd(64, '0'))

const familyError = (text: string): never => {
  throw new Error(`${text} is of the other family`)
}
export const v4 = (text: string): Ip4 => {
  const parsed = ip(text)
  return isIp4(parsed) ? parsed : familyError(text)
}
export const v6 = (text: string): Ip6 => {
  const parsed = ip(text)
  return isIp6(parsed) ? parsed : familyError(text)
}

/** `pool('172.20.0.0/16', '172.20.0.9')`; without a subnet, a default one. */
export const pool = (subnet?: string, gateway?: string, family: 4 | 6 = subnet?.includes(':') ? 6 : 4): PoolSpec => ({
  family,
  subnet: subnet === undefined ? null : cidr(subnet),
  range: null,
  gateway: gateway === undefined ? null : ip(gateway),
  aux: {},
})

export const createNetwork = (n: number, name: string, more: Partial<CreateNetwork> = {}): CreateNetwork => ({
  tag: 'CreateNetwork',
  id: net(n),
  name,
  driver: 'bridge',
  options: {},
  internal: false,
  attachable: false,
  labels: {},
  pools: [pool()],
  ...more,
})
export const createSandbox = (n: number, name: string, more: Partial<CreateSandbox> = {}): CreateSandbox => ({
  tag: 'CreateSandbox',
  id: box(n),
  container: name,
  hostname: name,
  ns: ns(name),
  ports: [],
  ...more,
})
export const createEndpoint = (
  n: number,
  on: number,
  name: string,
  more: Partial<CreateEndpoint> = {},
): CreateEndpoint => ({
  tag: 'CreateEndpoint',
  id: end(n),
  network: net(on),
  name,
  aliases: [],
  ipv4: null,
  ipv6: null,
  mac: null,
  ...more,
})
export const join = (endpoint: number, sandbox: number, more: Partial<Join> = {}): Join => ({
  tag: 'Join',
  endpoint: end(endpoint),
  sandbox: box(sandbox),
  priority: 0,
  ifName: null,
  ...more,
})
export const leave = (endpoint: number, sandbox: number): Command => ({
  tag: 'Leave',
  endpoint: end(endpoint),
  sandbox: box(sandbox),
})

export const obey = (commands: ReadonlyArray<Command>, start: Model = freshModel(), rules: Rules = DRIVERS): Model =>
  commands.reduce((model, command) => {
    const events = decide(rules, model, command)
    if (E.isLeft(events)) throw new Error(`${command.tag} was refused: ${JSON.stringify(events.left)}`)
    return events.right.reduce(evolve, model)
  }, start)

const known = <A>(map: PMap<A>, id: string): A => {
  const found = getIn(map, id)
  if (found === undefined) throw new Error(`there is no ${id}`)
  return found
}
export const networkIn = (model: Model, n: number): Network => known(model.networks, net(n))
export const sandboxIn = (model: Model, n: number): Sandbox => known(model.sandboxes, box(n))
export const endpointIn = (model: Model, n: number): Endpoint => known(model.endpoints, end(n))

/** Of a refusal: its tag and HTTP status, the status alone, its sentence; null if there is none. */
export const outcome = (error: CnmError | null) => error && [error.tag, status(error)]
export const status = (error: CnmError | null): number | null => error && httpStatus[errorClass[error.tag]]
export const sentence = (error: CnmError | null): string | null => error && explain(error)

/** Why a model refuses a command; null if it does not. */
export const refusal = (model: Model, command: Command, rules: Rules = DRIVERS): CnmError | null => {
  const events = decide(rules, model, command)
  return E.isLeft(events) ? events.left : null
}

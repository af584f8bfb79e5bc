// Laws of what may happen: refusals name their object (P22), what is repeated changes nothing more (P8), names, ports and
// ways out keep their rules whatever came before (P2, P13, P24).

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DRIVERS } from '../src/drivers/registry.ts'
import { SPACES } from '../src/ipam/pool-id.ts'
import type { Command } from '../src/model/command.ts'
import { decide } from '../src/model/decide.ts'
import { type CnmError, errorClass, explain, httpStatus } from '../src/model/error.ts'
import type { CnmEvent } from '../src/model/event.ts'
import { evolve } from '../src/model/evolve.ts'
import { endpointsIn, wayOut } from '../src/model/queries.ts'
import type { EndpointId, Model, NetworkId, SandboxId } from '../src/model/types.ts'
import { showCidr } from '../src/net/cidr.ts'
import { showIp } from '../src/net/ip.ts'
import { getIn, valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { command, program } from './arbitraries/commands.ts'
import { modelAfter, refusalsOf, stepsOf } from './lib/steps.ts'

const network = (model: Model, id: NetworkId) => [id, getIn(model.networks, id)?.name ?? id]
const sandbox = (model: Model, id: SandboxId) => [id, getIn(model.sandboxes, id)?.container ?? id]
const endpoint = (model: Model, id: EndpointId) => [id, getIn(model.endpoints, id)?.name ?? id]

/** What a person who gave this command would call the things it is about. */
const objectsOf = (model: Model, each: Command): ReadonlyArray<string> => {
  switch (each.tag) {
    case 'CreateNetwork': {
      const subnets = each.pools.flatMap(({ subnet }) => (subnet === null ? [] : [showCidr(subnet)]))
      return [each.id, each.name, ...subnets, `driver "${each.driver}"`, `driver ${each.driver}`, ...SPACES]
    }
    case 'DeleteNetwork':
      return network(model, each.id)
    case 'CreateSandbox':
    case 'RenameSandbox':
      return [each.id, each.container, ...sandbox(model, each.id)]
    case 'RefreshSandbox':
    case 'DeleteSandbox':
      return sandbox(model, each.id)
    case 'SetKey':
      return sandbox(model, each.sandbox)
    case 'CreateEndpoint': {
      const wishes = [each.ipv4, each.ipv6].flatMap((ip) => (ip === null ? [] : [showIp(ip)]))
      return [each.id, each.name, ...network(model, each.network), ...wishes]
    }
    case 'RenameEndpoint':
      return [...endpoint(model, each.id), each.name]
    case 'DeleteEndpoint':
      return endpoint(model, each.id)
    case 'Join':
    case 'Leave':
      return [...endpoint(model, each.endpoint), ...sandbox(model, each.sandbox)]
    case 'KernelRefused':
      return [each.operation]
    case 'PluginAnswered':
    case 'PluginFailed':
      return [each.key]
    case 'SharedNews':
      return []
  }
}

/** Ports are called by their numbers. */
const portsOf = (each: Command): ReadonlyArray<string> =>
  each.tag === 'CreateSandbox' || each.tag === 'RefreshSandbox'
    ? each.ports.map(({ hostPorts, containerPort }) => `${hostPorts?.from ?? containerPort}/`)
    : []

describe('a refusal', () => {
  test.prop([program])(
    'says in one sentence which object it is about, and has a class and a status (P22)',
    (commands) => {
      for (const { step, error } of refusalsOf(commands)) {
        const sentence = explain(error)
        const objects = [...objectsOf(step.before, step.command), ...portsOf(step.command)].filter(
          (name) => name !== '',
        )
        expect(
          objects.some((object) => sentence.includes(object)),
          `${step.command.tag}: ${sentence}`,
        ).toBe(true)
        expect(sentence).not.toMatch(/undefined|NaN|\[object|\n/)
        expect(httpStatus[errorClass[error.tag]]).toBeGreaterThanOrEqual(400)
      }
    },
  )

  test.prop([program])('is the same when the command is given again', (commands) => {
    for (const { step, error } of refusalsOf(commands))
      expect(decide(DRIVERS, step.before, step.command)).toEqual(E.left(error))
  })
})

/** Deletions and settings that may be repeated: the second time they do nothing, and are not refused. */
const REPEATED: ReadonlySet<Command['tag']> = new Set([
  'DeleteSandbox',
  'RenameSandbox',
  'RenameEndpoint',
  'SetKey',
  'KernelRefused',
])

describe('a command that was obeyed', () => {
  test.prop([program])('and is given again, changes nothing more: it is refused or does nothing (P8)', (commands) => {
    for (const { command: each, answer, after: model } of stepsOf(commands)) {
      if (E.isLeft(answer)) continue
      const again = decide(DRIVERS, model, each)
      if (REPEATED.has(each.tag)) expect(again).toEqual(E.right([]))
      else if (each.tag === 'RefreshSandbox')
        expect(E.isRight(again) && again.right.reduce(evolve, model)).toEqual(model)
      else expect(again._tag).toBe('Left')
    }
  })

  test.prop([program, command])('is decided by the model alone: twice the same', (commands, each) => {
    const model = modelAfter(commands)
    expect(decide(DRIVERS, model, each)).toEqual(decide(DRIVERS, model, each))
  })
})

describe('a sandbox', () => {
  const ways = (model: Model, id: SandboxId) => {
    const placed = endpointsIn(model, id)
    return ([4, 6] as const).map((family) => wayOut(placed, family)?.endpoint.id ?? null)
  }

  test.prop([program])(
    'has one way out of each family, and only its own joins and leaves change it (P13)',
    (commands) => {
      for (const { before, command: each, after: model } of stepsOf(commands)) {
        for (const { id } of valuesOf(model.sandboxes)) {
          const now = ways(model, id)
          const placed = endpointsIn(model, id)
          for (const way of now) expect(way === null || placed.some((one) => one.endpoint.id === way)).toBe(true)
          const touches =
            each.tag === 'Join' || each.tag === 'Leave' ? each.sandbox === id : each.tag.startsWith('Delete')
          if (!touches && getIn(before.sandboxes, id) !== undefined) expect(now).toEqual(ways(before, id))
        }
      }
    },
  )

  test.prop([program])('keeps its published ports until it is refreshed or gone (P2)', (commands) => {
    for (const { before, command: each, after: model } of stepsOf(commands)) {
      if (each.tag === 'RefreshSandbox') continue
      for (const { id, ports } of valuesOf(before.sandboxes))
        expect(getIn(model.sandboxes, id)?.ports ?? ports).toEqual(ports)
    }
  })

  test.prop([program])('that is refreshed keeps its endpoints as they are, priorities too', (commands) => {
    for (const { before, command: each, after: model } of stepsOf(commands))
      if (each.tag === 'RefreshSandbox') expect(model.endpoints).toBe(before.endpoints)
  })
})

describe('programs of commands reach the rules', () => {
  const events = new Set<CnmEvent['tag']>()
  const errors = new Set<CnmError['tag']>()
  const count = fc.property(program, (commands) => {
    for (const { answer } of stepsOf(commands)) {
      if (E.isLeft(answer)) errors.add(answer.left.tag)
      else for (const { tag } of answer.right) events.add(tag)
    }
  })
  fc.assert(count, { numRuns: 3000, seed: 5 })

  it('every event happens', () => {
    expect([...events].sort()).toEqual([
      'EndpointCreated',
      'EndpointDeleted',
      'EndpointRenamed',
      'Joined',
      'Left',
      'NetworkCreated',
      'NetworkDeleted',
      'SandboxChanged',
      'SandboxCreated',
      'SandboxDeleted',
    ])
  })

  /** Of a driver of global scope, of another host, of the kernel, a plugin, the store or the engine, of an address manager asked in text, or of a link-local subnet. */
  const ELSEWHERE: ReadonlySet<string> = new Set<CnmError['tag']>([
    'ScopeTooLow',
    'OnOtherHost',
    'LinkLocalInSubnet',
    'IngressTaken',
    'IngressHeld',
    'Clash',
    'KernelRefused',
    'PluginRefused',
    'PluginUnreachable',
    'Unavailable',
    'InvalidRequest',
    'InvalidAddressSpace',
    'NoMoreSubnets',
    'InvalidPoolID',
    'InvalidAddress',
    'BadPool',
    'PoolNotFound',
    'IPOutOfRange',
  ])

  it('every refusal happens that these drivers and networks have', () => {
    expect(Object.keys(errorClass).filter((tag) => !errors.has(tag as CnmError['tag']) && !ELSEWHERE.has(tag))).toEqual(
      [],
    )
  })
})

// A refusal tells the truth about the model it refuses in, and names what it is about.

import { test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { DRIVERS } from '../src/drivers/registry.ts'
import type { Command } from '../src/model/command.ts'
import { type CnmError, errorClass, explain, httpStatus, type Noun } from '../src/model/error.ts'
import type { Model } from '../src/model/types.ts'
import { overlaps } from '../src/net/cidr.ts'
import { getIn, hasIn, valuesOf } from '../src/net/pmap.ts'
import { program } from './arbitraries/commands.ts'
import { refusalsOf } from './lib/steps.ts'

const idOf = (command: Command): ReadonlyArray<string> =>
  Object.entries(command).flatMap(([key, value]) =>
    ['id', 'network', 'endpoint', 'sandbox'].includes(key) && typeof value === 'string' ? [value] : [],
  )

const isThere = (model: Model, what: Noun, id: string): boolean => {
  switch (what) {
    case 'network':
      return hasIn(model.networks, id)
    case 'endpoint':
      return hasIn(model.endpoints, id)
    case 'sandbox':
      return hasIn(model.sandboxes, id)
  }
}

const endpointsNamed = (model: Model, name: string) => valuesOf(model.endpoints).filter((each) => each.name === name)

/** Whether what an error says holds in the model; null for those that say nothing about the model. */
const isTrue = (model: Model, command: Command, error: CnmError): boolean | null => {
  const inside = (container: string): ReadonlyArray<string> =>
    valuesOf(model.sandboxes).flatMap((each) => (each.container === container ? [each.id] : []))
  switch (error.tag) {
    case 'NotFound':
      return idOf(command).includes(error.id) && !isThere(model, error.what, error.id)
    case 'IdTaken':
      return idOf(command).includes(error.id) && isThere(model, error.what, error.id)
    case 'NetworkNameTaken':
      return valuesOf(model.networks).some(({ name }) => name === error.name)
    case 'EndpointNameTaken':
      // A container that is renamed gives its name to all its endpoints, and two of them may meet.
      if (command.tag === 'RenameSandbox') return null
      return endpointsNamed(model, error.name).some(
        ({ network }) => getIn(model.networks, network)?.name === error.network,
      )
    case 'SandboxTaken':
      return valuesOf(model.sandboxes).some(({ ns, container }) => ns === error.ns && container === error.by)
    case 'KeyTaken':
      return valuesOf(model.sandboxes).some(
        ({ external, container }) => external?.path === error.path && container === error.by,
      )
    case 'HasEndpoints': {
      const id = valuesOf(model.networks).find(({ name }) => name === error.network)?.id
      const names = valuesOf(model.endpoints).flatMap(({ network, name }) => (network === id ? [name] : []))
      return id !== undefined && names.length > 0 && names.sort().join() === [...error.endpoints].sort().join()
    }
    case 'AlreadyJoined':
    case 'IsJoined':
      return endpointsNamed(model, error.endpoint).some(
        ({ attachment }) => attachment !== null && inside(error.container).includes(attachment.sandbox),
      )
    case 'NotJoined':
      return endpointsNamed(model, error.endpoint).some(({ attachment }) => attachment === null)
    case 'OtherSandbox':
      return endpointsNamed(model, error.endpoint).some(
        ({ attachment }) => attachment !== null && inside(error.joined).includes(attachment.sandbox),
      )
    case 'PortTaken':
      return (
        (command.tag === 'CreateSandbox' && command.container === error.by) ||
        (command.tag === 'RefreshSandbox' && getIn(model.sandboxes, command.id)?.container === error.by) ||
        valuesOf(model.sandboxes).some(
          ({ container, ports }) =>
            container === error.by && ports.some((port) => port.hostPort === error.port.hostPort),
        )
      )
    case 'PoolOverlap':
      return (
        overlaps(error.asked, error.with) && valuesOf(model.ipam.subnets).some(({ cidr }) => overlaps(cidr, error.with))
      )
    case 'UnknownDriver':
      return !DRIVERS.has(error.driver)
    default:
      return null
  }
}

describe('a refusal', () => {
  test.prop([program])('says what is so, of an object that the command names, in one sentence (P22)', (commands) => {
    for (const { step, error } of refusalsOf(commands)) {
      expect([error, isTrue(step.before, step.command, error)]).not.toEqual([error, false])
      expect(explain(error)).toMatch(/^\S.*[^.\s]$/)
      expect(explain(error)).not.toMatch(/undefined|\[object/)
      expect(httpStatus[errorClass[error.tag]]).not.toBe(500)
    }
  })

  test.prop([program])('is of the class that its cause has: absent, taken, or not allowed (P22)', (commands) => {
    for (const { step, error } of refusalsOf(commands)) {
      const { before: model, command: each } = step
      const status = httpStatus[errorClass[error.tag]]
      // What is deleted, joined or left by its id: absent is 404, and nothing else is.
      if (each.tag === 'DeleteNetwork' || each.tag === 'DeleteEndpoint') {
        const what = each.tag === 'DeleteNetwork' ? 'network' : 'endpoint'
        expect(status === 404).toBe(!isThere(model, what, each.id))
      }
      if (each.tag === 'Join' || each.tag === 'Leave') {
        const both = isThere(model, 'endpoint', each.endpoint) && isThere(model, 'sandbox', each.sandbox)
        expect(status === 404).toBe(!both)
      }
    }
  })
})

// The rules of sandboxes, a fact for each row of docs/rules.md that names one. More of them are in decide.test.ts.

import { describe, expect, test } from 'vitest'
import { DRIVERS } from '../../src/drivers/registry.ts'
import { renderAll } from '../../src/drivers/render.ts'
import type { Command } from '../../src/model/command.ts'
import { endpointsIn, wayOut } from '../../src/model/queries.ts'
import { ip } from '../../src/net/ip.ts'
import { HOST, LO } from '../../src/net/name.ts'
import { getIn, sizeOfMap } from '../../src/net/pmap.ts'
import { port } from '../../src/net/port.ts'
import {
  box,
  createEndpoint,
  createNetwork,
  createSandbox,
  end,
  join,
  leave,
  net,
  obey,
  outcome,
  refusal,
  sandboxIn,
  sentence,
} from '../lib/model.ts'

const objectsWanted = (model: ReturnType<typeof obey>) =>
  renderAll(DRIVERS, model).flatMap(({ owner, fragment }) => (owner.of === 'network' ? [] : fragment))

const publish = (from: number, to = from, containerPort = 80) => ({
  hostIp: null,
  hostPorts: { from: port(from), to: port(to) },
  containerPort: port(containerPort),
  transport: 'tcp' as const,
})

const options = {
  domainname: 'example.com',
  extraHosts: [{ name: 'db', ip: ip('203.0.113.7') }],
  dns: { servers: [ip('9.9.9.9')], search: ['example.com'], options: ['ndots:1'] },
  exposed: [{ port: port(80), transport: 'tcp' as const }],
  labels: { tier: 'front' },
}

const web = createSandbox(1, 'web', { ...options, ports: [publish(8080, 8090)] })
const model = obey([
  createNetwork(1, 'front'),
  createNetwork(2, 'back'),
  web,
  createEndpoint(1, 1, 'web'),
  createEndpoint(2, 2, 'web-back'),
  join(1, 1),
  join(2, 1, { priority: 7 }),
])

describe('a sandbox', () => {
  test('has what it was given: names, hosts, resolvers, exposed ports, labels', () => {
    expect(sandboxIn(model, 1)).toMatchObject({ hostname: 'web', external: null, ...options })
  })

  test.each([
    ['an id that is taken', createSandbox(1, 'other'), 'IdTaken', 409],
    ['a container that has one', createSandbox(2, 'x', { container: 'web' }), 'ContainerTaken', 403],
    ['a namespace that is taken', createSandbox(2, 'other', { ns: web.ns }), 'SandboxTaken', 403],
    ['no container', createSandbox(2, 'x', { container: ' ' }), 'NameEmpty', 400],
    ['a port that is taken', createSandbox(2, 'other', { ports: [publish(8080)] }), 'PortTaken', 409],
    ['the host’s namespace made by others', createSandbox(2, 'b', { ns: HOST, external: true }), 'InvalidKey', 400],
  ])('of %s is refused', (_, command, tag, code) => {
    expect(outcome(refusal(model, command))).toEqual([tag, code])
  })

  test('may publish all the ports there are, and keep them when it is refreshed', () => {
    const ports = Array.from({ length: 65_535 }, (_, n) => publish(n + 1, n + 1, n + 1))
    const all = obey([createSandbox(1, 'web', { ports })])
    expect(sandboxIn(all, 1).ports).toHaveLength(65_535)
    const refreshed = obey([{ tag: 'RefreshSandbox', id: box(1), hostname: 'web', ports }], all)
    expect(sandboxIn(refreshed, 1).ports).toEqual(sandboxIn(all, 1).ports)
    expect(outcome(refusal(all, createSandbox(2, 'api', { ports: [publish(443)] })))).toEqual(['PortTaken', 409])
  })

  test('may share the host’s namespace with others', () => {
    const two = obey([createSandbox(2, 'a', { ns: HOST }), createSandbox(3, 'b', { ns: HOST })], model)
    expect(sizeOfMap(two.sandboxes)).toBe(3)
  })

  test('that is deleted leaves its networks in order, and takes its endpoints along', () => {
    const empty = obey([{ tag: 'DeleteSandbox', id: box(1) }], model)
    expect([sizeOfMap(empty.endpoints), sizeOfMap(empty.sandboxes)]).toEqual([0, 0])
    expect(refusal(empty, { tag: 'DeleteNetwork', id: net(1) })).toBeNull()
    expect(refusal(empty, createSandbox(2, 'web', { ports: [publish(8080)] }))).toBeNull()
  })

  test('that is not there is deleted already', () => {
    expect(obey([{ tag: 'DeleteSandbox', id: box(9) }], model)).toBe(model)
  })
})

describe('refreshing a sandbox', () => {
  const refresh = (more: Partial<Extract<Command, { tag: 'RefreshSandbox' }>> = {}): Command => ({
    tag: 'RefreshSandbox',
    id: box(1),
    hostname: 'fresh',
    ports: [publish(8080, 8090)],
    ...more,
  })

  test('gives it all options anew: what is not said is gone', () => {
    const fresh = sandboxIn(obey([refresh({ labels: { a: 'b' } })], model), 1)
    expect(fresh).toMatchObject({ hostname: 'fresh', domainname: '', extraHosts: [], exposed: [], labels: { a: 'b' } })
  })

  test('keeps its endpoints, their priorities and the way out', () => {
    const fresh = obey([refresh()], model)
    expect(fresh.endpoints).toBe(model.endpoints)
    expect(wayOut(endpointsIn(fresh, box(1)), 4)?.network.name).toBe('back')
  })

  test('keeps a host port that is asked for again, and gives others back', () => {
    const more = obey(
      [createSandbox(2, 'first', { ports: [publish(8081)] }), refresh({ ports: [publish(8080, 8090)] })],
      model,
    )
    expect(sandboxIn(more, 1).ports.map(({ hostPort }) => hostPort)).toEqual([8080])
    const gone = obey([refresh({ ports: [] })], more)
    expect(refusal(gone, createSandbox(3, 'late', { ports: [publish(8080)] }))).toBeNull()
  })

  test('is refused whole when one port is taken, and changes nothing', () => {
    const busy = obey([createSandbox(2, 'first', { ports: [publish(9000)] })], model)
    expect(outcome(refusal(busy, refresh({ ports: [publish(8080), publish(9000, 9000, 81)] })))).toEqual([
      'PortTaken',
      409,
    ])
  })

  test('that is not there is refused', () => {
    expect(outcome(refusal(model, refresh({ id: box(9) })))).toEqual(['NotFound', 404])
  })
})

describe('renaming a sandbox', () => {
  const rename = (container: string): Command => ({ tag: 'RenameSandbox', id: box(1), container })

  test('renames the container and all of its endpoints', () => {
    const named = obey([rename('site')], model)
    expect(sandboxIn(named, 1).container).toBe('site')
    expect([1, 2].map((n) => getIn(named.endpoints, end(n))?.name)).toEqual(['site', 'site'])
    expect(obey([rename('site')], named)).toBe(named)
  })

  test('is refused whole when one network has that name, and names the network', () => {
    const busy = obey([createEndpoint(3, 2, 'site')], model)
    expect(sentence(refusal(busy, rename('site')))).toBe('network "back" has an endpoint named "site" already')
  })

  test('is refused when two of its endpoints are on one network', () => {
    const twice = obey([createEndpoint(3, 1, 'second'), join(3, 1)], model)
    expect(outcome(refusal(twice, rename('site')))).toEqual(['EndpointNameTaken', 403])
  })

  test.each([
    ['to the name of another container', 'api', 'ContainerTaken', 403],
    ['to none', '', 'NameEmpty', 400],
  ])('is refused %s', (_, container, tag, code) => {
    expect(outcome(refusal(obey([createSandbox(2, 'api')], model), rename(container)))).toEqual([tag, code])
  })
})

describe('a sandbox whose namespace somebody else makes', () => {
  const set = (path: string, n = 2): Command => ({ tag: 'SetKey', sandbox: box(n), path })
  const waiting = obey([createSandbox(2, 'api', { external: true }), createEndpoint(3, 1, 'api'), join(3, 2)], model)
  const inside = (from: typeof waiting) => objectsWanted(from).filter((object) => object.ns === 'api')

  test('wants nothing of the kernel until its key is set, also when endpoints have joined', () => {
    expect(objectsWanted(waiting)).toEqual(objectsWanted(model))
    const keyed = obey([set('/proc/17/ns/net')], waiting)
    expect(inside(keyed).map(({ kind }) => kind)).toContain('route')
    expect(sandboxIn(keyed, 2).external).toEqual({ path: '/proc/17/ns/net' })
  })

  test('may be told twice, and told anew', () => {
    const keyed = obey([set('/proc/17/ns/net')], waiting)
    expect(obey([set('/proc/17/ns/net')], keyed)).toBe(keyed)
    expect(sandboxIn(obey([set('/proc/18/ns/net')], keyed), 2).external).toEqual({ path: '/proc/18/ns/net' })
  })

  test('has it alone', () => {
    const both = obey([createSandbox(3, 'other', { external: true }), set('/proc/17/ns/net')], waiting)
    const error = refusal(both, set('/proc/17/ns/net', 3))
    expect(outcome(error)).toEqual(['KeyTaken', 403])
    expect(sentence(error)).toBe(
      'sandbox "other" cannot have the namespace at /proc/17/ns/net: it belongs to sandbox "api"',
    )
  })

  test('has forwarding as its owner wants it, where ours is off', () => {
    const forwards = (from: typeof waiting, space: string) =>
      objectsWanted(from).some((object) => object.kind === 'sysctl' && object.ns === space)
    expect(forwards(obey([set('/proc/17/ns/net')], waiting), 'api')).toBe(false)
    expect(forwards(obey([createSandbox(4, 'ours')], model), 'ours')).toBe(true)
  })

  test.each([
    ['empty', set(' '), 'InvalidKey', 400],
    ['for a sandbox that is not there', set('/x', 9), 'NotFound', 404],
  ])('is refused a key that is %s', (_, command, tag, code) => {
    expect(outcome(refusal(waiting, command))).toEqual([tag, code])
  })

  test('is not one that shares the host’s', () => {
    const shared = obey([createSandbox(3, 'shared', { ns: HOST })], model)
    const error = refusal(shared, { tag: 'SetKey', sandbox: box(3), path: '/proc/1/ns/net' })
    expect(sentence(error)).toBe('sandbox "shared" shares the namespace of the host, so it has no key of its own')
  })
})

describe('joining and leaving', () => {
  test.each([
    ['a join of an endpoint that is joined', join(1, 1), 'AlreadyJoined', 403],
    ['a join of no endpoint', join(9, 1), 'NotFound', 404],
    ['a join to no sandbox', join(1, 9), 'NotFound', 404],
    ['a join as lo', join(3, 1, { ifName: LO }), 'InterfaceTaken', 403],
    ['a leave of one that is not joined', leave(3, 1), 'NotJoined', 403],
    ['a leave from another sandbox', leave(1, 2), 'OtherSandbox', 403],
    ['a leave of no endpoint', leave(9, 1), 'NotFound', 404],
    ['a leave of no sandbox', leave(1, 9), 'NotFound', 404],
  ])('%s is refused', (_, command, tag, code) => {
    const more = obey([createSandbox(2, 'api'), createEndpoint(3, 1, 'free')], model)
    expect(outcome(refusal(more, command))).toEqual([tag, code])
  })

  test('the priority of a join orders the endpoints until the leave', () => {
    const order = (from: typeof model) => endpointsIn(from, box(1)).map(({ network }) => network.name)
    expect(order(model)).toEqual(['back', 'front'])
    expect(order(obey([leave(2, 1), join(2, 1)], model))).toEqual(['back', 'front'])
    expect(order(obey([leave(1, 1), join(1, 1, { priority: 8 })], model))).toEqual(['front', 'back'])
  })

  test('an endpoint that left can join another sandbox, with its addresses', () => {
    const moved = obey([createSandbox(2, 'api'), leave(1, 1), join(1, 2)], model)
    expect(getIn(moved.endpoints, end(1))?.addresses).toEqual(getIn(model.endpoints, end(1))?.addresses)
    expect(getIn(moved.endpoints, end(1))?.attachment?.sandbox).toBe(box(2))
  })
})

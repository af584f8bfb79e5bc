// What the verbs are made of: names, expectations, advice, addresses, and the order in which a host is told.

import { describe, expect, test } from 'vitest'
import { sandboxIdOf, toCommands } from '../../src/compose/commands.ts'
import { readProject } from '../../src/compose/compose.ts'
import type { Project } from '../../src/compose/project.ts'
import { after } from '../../src/kernel/diff.ts'
import { EMPTY_STATE, sameState } from '../../src/kernel/state.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD } from '../../src/kernel-sim/state.ts'
import { placeAt } from '../../src/lab/address.ts'
import { adviceFor } from '../../src/lab/advice.ts'
import type { Kind } from '../../src/lab/approach.ts'
import { disappointments, type Hope, placesNamed, questionsFor } from '../../src/lab/expect.ts'
import { type Lab, openLab } from '../../src/lab/lab.ts'
import { namesFor } from '../../src/lab/names.ts'
import { HOST_PLACE, INTERNET_PLACE, type Place, placeName } from '../../src/lab/place.ts'
import { findAll } from '../../src/lab/reach.ts'
import { stagesOf } from '../../src/lab/stages.ts'
import { ip } from '../../src/net/ip.ts'
import { HOST, ifName } from '../../src/net/name.ts'
import { valuesOf } from '../../src/net/pmap.ts'
import { port } from '../../src/net/port.ts'
import { E } from '../../src/prelude.ts'
import { createNetwork, pool } from '../lib/model.ts'

const FILE = `
name: shop
services:
  web: { networks: [front], ports: ["8080:80", "127.0.0.1:9000:90"] }
  api: { networks: [front, back], deploy: { replicas: 2 } }
  db: { networks: [back], ports: ["5432:5432"] }
  off: { network_mode: none }
  mute: { networks: [quiet] }
  deaf: { networks: [quiet] }
networks:
  front: {}
  back: { internal: true }
  quiet: { driver_opts: { com.docker.network.bridge.enable_icc: "false" } }
`

const project = (): Project => {
  const read = readProject([{ path: 'c.yaml', text: FILE }], { env: {}, directory: 'shop', profiles: [] })
  if (E.isLeft(read)) throw new Error(JSON.stringify(read.left))
  return read.right
}

const build = async (): Promise<Lab> => {
  const shop = project()
  const lab = await openLab(simKernel(EMPTY_WORLD), {
    commands: toCommands(shop).commands,
    containers: shop.containers.map(({ name, service }) => ({
      name,
      service,
      sandbox: sandboxIdOf(shop, name),
      listens: [],
    })),
  })
  if (E.isLeft(lab)) throw new Error(JSON.stringify(lab.left))
  return lab.right
}

const lab = await build()
const model = lab.engine.model()
const place = (name: string): Place => {
  const [found] = placesNamed(lab.containers, name)
  if (found === undefined) throw new Error(`nobody is called ${name}`)
  return found
}

describe('the stages of a host', () => {
  const networks = valuesOf(model.networks).map(({ id }) => id)
  const sandboxes = lab.containers.map(({ sandbox }) => sandbox)
  const stages = stagesOf(lab.engine, networks, sandboxes)

  test('one after the other give what is wanted', () => {
    const built = stages.flatMap(({ ops }) => ops).reduce(after, EMPTY_STATE)
    expect(sameState(built, lab.engine.wanted())).toBe(true)
  })

  test('begin with what all share, then tell networks, then containers', () => {
    expect(stages.map(({ subject }) => subject.of)).toEqual([
      'host',
      ...networks.map(() => 'network'),
      ...sandboxes.map(() => 'sandbox'),
    ])
  })

  test('take nothing back', () => {
    const verbs = stages.flatMap(({ ops }) => ops.map(({ verb }) => verb))
    expect(verbs).not.toContain('delete')
  })
})

describe('names', () => {
  const names = namesFor(model, lab.engine.wanted())
  const hostLinks = valuesOf(lab.engine.wanted()).flatMap((object) =>
    object.kind === 'link' && object.ns === HOST ? [names.dev(HOST, object.name)] : [],
  )

  test('every device of the host is called after its network or its container', () => {
    expect([...hostLinks].sort()).toEqual([
      'the bridge of "shop_back"',
      'the bridge of "shop_front"',
      'the bridge of "shop_quiet"',
      "the cable to api-1's eth0",
      "the cable to api-1's eth1",
      "the cable to api-2's eth0",
      "the cable to api-2's eth1",
      "the cable to db's eth0",
      "the cable to deaf's eth0",
      "the cable to mute's eth0",
      "the cable to web's eth0",
    ])
  })

  test('an address has its owner before it; a stranger stays as it is', () => {
    expect(names.ip(ip('203.0.113.1'))).toBe('internet 203.0.113.1')
    expect(names.ip(ip('192.0.2.7'))).toBe('192.0.2.7')
    expect(names.dev(HOST, ifName('uplink0'))).toBe('uplink0')
  })
})

describe('expectations', () => {
  const tcp = (n: number): Hope['port'] => ({ port: port(n), proto: 'tcp' })
  const asked = (hope: Hope): ReadonlyArray<string> =>
    questionsFor(lab.containers, hope).map(({ from, to }) => `${placeName(from)} ${placeName(to)}`)

  test('a service stands for all its replicas, but for none of itself', () => {
    expect(asked({ from: 'web', to: 'api', port: null, reaches: true })).toEqual(['web api-1', 'web api-2'])
    expect(asked({ from: 'api', to: 'api', port: null, reaches: true })).toEqual(['api-1 api-2', 'api-2 api-1'])
    expect(asked({ from: 'api-2', to: 'db', port: null, reaches: true })).toEqual(['api-2 db'])
  })

  test.each<readonly [Hope, ReadonlyArray<string>]>([
    [{ from: 'web', to: 'api', port: tcp(80), reaches: true }, []],
    [{ from: 'web', to: 'db', port: null, reaches: false }, []],
    [{ from: 'web', to: 'db', port: null, reaches: true }, ['db']],
    [{ from: 'api', to: 'internet', port: null, reaches: false }, ['internet', 'internet']],
    [{ from: 'internet', to: 'web', port: tcp(8080), reaches: true }, []],
    [{ from: 'internet', to: 'web', port: tcp(9000), reaches: false }, []],
    [{ from: 'host', to: 'web', port: tcp(9000), reaches: true }, []],
    [{ from: 'mute', to: 'deaf', port: null, reaches: true }, ['deaf']],
  ])('%j', async (hope, missed) => {
    const found = await findAll(lab.kernel, model, questionsFor(lab.containers, hope))
    if (E.isLeft(found)) throw new Error(found.left.what)
    expect(disappointments(hope, found.right).map(({ question }) => placeName(question.to))).toEqual(missed)
  })
})

describe('advice', () => {
  const ping: Kind = { proto: 'icmp' }
  const tcp = (n: number): Kind => ({ proto: 'tcp', port: port(n) })
  test.each([
    ['web', 'db', ping, /^put both on one network: web on "shop_back", or db on "shop_front"/],
    ['db', 'internet', ping, /^every network of db is internal \("shop_back"\)/],
    ['web', 'off', ping, /^off is on no network/],
    ['off', 'internet', ping, /^off is on no network/],
    ['mute', 'deaf', ping, /whose containers may not talk to each other/],
    ['internet', 'web', tcp(81), /^publish the port: ports: \["81:81"\] under web$/],
    ['internet', 'web', tcp(9000), /^the port is published on 127\.0\.0\.1, for the host alone/],
    ['internet', 'db', tcp(5432), /^an internal network \("shop_back"\) publishes nothing/],
    ['internet', 'web', ping, /^from outside only published ports are reached/],
  ] as const)('from %s to %s', (from, to, kind, sentence) => {
    expect(adviceFor(model, { from: place(from), to: place(to), kind })).toMatch(sentence)
  })

  test('is silent where nothing stands in the way', () => {
    expect(adviceFor(model, { from: place('web'), to: place('api-1'), kind: ping })).toBeNull()
    expect(adviceFor(model, { from: place('web'), to: INTERNET_PLACE, kind: ping })).toBeNull()
  })
})

test('an address is its container, its gateway is the host, and 127.0.0.1 is whoever asks', () => {
  const at = (text: string): string | null => {
    const found = placeAt(model, lab.containers, ip(text), place('web'))
    return found === null ? null : placeName(found)
  }
  const [network] = valuesOf(model.networks)
  const gateway = network?.pools[0]?.gateway
  expect(gateway).toBeTruthy()
  expect([at('127.0.0.1'), at('203.0.113.1'), at('203.0.113.2'), at('192.0.2.1')]).toEqual([
    'web',
    'internet',
    'host',
    null,
  ])
  for (const { addresses, attachment } of valuesOf(model.endpoints))
    for (const { cidr } of addresses)
      expect(placeAt(model, lab.containers, cidr.ip, HOST_PLACE)).toMatchObject({
        sandbox: { id: attachment?.sandbox },
      })
})

test('a container whose network namespace somebody else is yet to make can neither ask nor be asked', async () => {
  const [db] = lab.containers.filter(({ name }) => name === 'db')
  if (db === undefined) throw new Error('nobody is called db')
  const later: Place = { ...db, name: 'later', sandbox: { ...db.sandbox, external: { path: null } } }
  const asked = [
    { from: later, to: place('web') },
    { from: INTERNET_PLACE, to: later },
  ].map((between) => ({ ...between, kind: { proto: 'icmp' } as const }))
  const found = await findAll(lab.kernel, model, asked)
  const why = 'later has no network namespace yet'
  expect(found).toEqual(E.right(asked.map((question) => ({ question, reaches: false, how: null, why }))))
})

describe('a host in a lab', () => {
  const opened = (driver: 'macvlan' | 'bridge', options: Readonly<Record<string, string>>, subnet: string) =>
    openLab(simKernel(EMPTY_WORLD), {
      commands: [{ command: createNetwork(1, 'lan', { driver, options, pools: [pool(subnet)] }), at: null }],
      containers: [],
    })

  test('has the cards that networks name, and no others', async () => {
    expect((await opened('macvlan', { parent: 'eth9' }, '10.9.0.0/24'))._tag).toBe('Right')
    expect((await opened('macvlan', { parent: 'eth9.10' }, '10.9.0.0/24'))._tag).toBe('Right')
    expect(await opened('macvlan', { parent: 'lo' }, '10.9.0.0/24')).toMatchObject({
      left: [{ tag: 'Refused', error: { tag: 'BadOption' } }],
    })
  })

  test('may have a network in the subnet of its uplink only on the wire itself', async () => {
    expect((await opened('macvlan', { parent: 'uplink0' }, '203.0.113.0/24'))._tag).toBe('Right')
    expect(await opened('bridge', {}, '203.0.113.0/24')).toMatchObject({
      left: [{ tag: 'Refused', error: { tag: 'PoolOverlap' } }],
    })
  })
})

// On the running kernel, through each transport, in labs of their own.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { diff } from '../../src/kernel/diff.ts'
import type { Errno } from '../../src/kernel/errno.ts'
import * as firewall from '../../src/kernel/firewall/elements.ts'
import type { Probe, Refusal, Verdict } from '../../src/kernel/kernel.ts'
import { type KernelObject, keyOf, type Link, sameObject } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { compareRank } from '../../src/kernel/order.ts'
import { EMPTY_STATE, type KernelState, objectsOf, stateOf } from '../../src/kernel/state.ts'
import { deviceSysctl, FORWARD4 } from '../../src/kernel/sysctl.ts'
import { cidr } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { mac } from '../../src/net/mac.ts'
import { HOST, ifName, LO, ns } from '../../src/net/name.ts'
import { getIn } from '../../src/net/pmap.ts'
import { port } from '../../src/net/port.ts'
import { needs } from '../lib/need.ts'
import { bundleAgent, labKernel, leftOf, rightOf, TRANSPORTS, type TransportName } from './labs.ts'
import { API, container4, container6, DB, NAMESPACES, SCOPE, TWO_NETWORKS, WEB } from './topology.ts'

const WANTED = stateOf(TWO_NETWORKS)

const text = (object: KernelObject | undefined): string =>
  JSON.stringify(object, (_, value) => (typeof value === 'bigint' ? String(value) : value)) ?? 'nothing'

/** What differs, in words; empty when the states are the same. */
const differences = (there: KernelState, wanted: KernelState): ReadonlyArray<string> => {
  const keys = new Set([...objectsOf(there), ...objectsOf(wanted)].map(keyOf))
  return [...keys].flatMap((key) => {
    const [a, b] = [getIn(there, key), getIn(wanted, key)]
    return a !== undefined && b !== undefined && sameObject(a, b) ? [] : [`there ${text(a)}, wanted ${text(b)}`]
  })
}

const twoNetworks = (transport: TransportName) => (): void => {
  const { kernel, close } = labKernel(`networks-${transport}`, transport)
  const observed = async (): Promise<KernelState> => rightOf(await kernel.observe(SCOPE)())
  const reach = async (wanted: KernelState): Promise<void> => {
    rightOf(await kernel.apply(diff(await observed(), wanted))())
  }
  beforeAll(async () => {
    await bundleAgent()
    rightOf(await kernel.apply(diff(EMPTY_STATE, WANTED))())
  })
  afterAll(close)

  test('what is observed is what was asked for', async () => {
    expect(differences(await observed(), WANTED)).toEqual([])
  })

  test('a namespace that does not exist is not in the answer', async () => {
    const state = rightOf(await kernel.observe({ namespaces: [ns('nobody')], sysctls: [] })())
    expect(objectsOf(state)).toEqual([])
  })

  test('seen from one namespace alone, a veth into another has no name to give and is left out', async () => {
    const state = rightOf(await kernel.observe({ namespaces: [DB], sysctls: [] })())
    expect(objectsOf(state).map(keyOf)).toEqual(['db/dev/lo/link', 'db/netns'])
  })

  test('changes of every kind are made in place, and back', async () => {
    const changed = stateOf(
      TWO_NETWORKS.map((object): KernelObject => {
        if (object.kind === 'link' && object.ns === HOST && object.spec.type === 'veth')
          return { ...object, mac: mac(object.mac + 4096), mtu: 1300, alias: 'cnm:other' }
        if (object.kind === 'port') return { ...object, isolated: !object.isolated, hairpin: !object.hairpin }
        if (object.kind === 'route' && object.metric > 0) return { ...object, via: ip('172.32.0.9') }
        if (object.kind === 'sysctl' && object.name !== FORWARD4) return { ...object, value: '0' }
        return object
      }),
    )
    await reach(changed)
    const mtu = differences(await observed(), changed)
    // br-back has the default MTU, and follows its ports (net/bridge/br_if.c, br_mtu_auto_adjust).
    expect(mtu).toHaveLength(1)
    expect(mtu[0]).toContain('br-back')
    await reach(WANTED)
    expect(differences(await observed(), WANTED)).toEqual([])
  })

  test('containers go and come back; a bridge without ports keeps its MTU', async () => {
    const networks = stateOf(
      TWO_NETWORKS.filter(
        (object) =>
          object.ns === HOST &&
          object.kind !== 'port' &&
          !(object.kind === 'link' && object.spec.type === 'veth') &&
          !(object.kind === 'sysctl' && object.name.includes('.v')),
      ),
    )
    await reach(networks)
    expect(differences(await observed(), networks)).toEqual([])
    await reach(WANTED)
    expect(differences(await observed(), WANTED)).toEqual([])
  })

  test('everything but namespaces can be deleted one by one', async () => {
    const ops = objectsOf(WANTED)
      .filter((object) => object.kind !== 'netns' && !(object.kind === 'link' && object.name === LO))
      // A veth goes with its other end.
      .filter((object) => !(object.kind === 'link' && object.spec.type === 'veth' && object.ns !== HOST))
      .sort((a, b) => compareRank(b, a))
      .map((object): KernelOp => ({ verb: 'delete', object }))
    expect(new Set(ops.map((op) => op.object.kind)).size).toBe(7)
    rightOf(await kernel.apply(ops)())
    const state = await observed()
    const left = objectsOf(state).filter((object) => object.kind !== 'sysctl')
    expect(left.map((object) => object.kind).sort()).toEqual([
      ...NAMESPACES.map(() => 'link'),
      ...NAMESPACES.map(() => 'netns'),
    ])
    expect(getIn(state, `host/sysctl/${FORWARD4}`)).toMatchObject({ value: '0' })
    await reach(WANTED)
    expect(differences(await observed(), WANTED)).toEqual([])
  })

  const died = (how: 'refused' | 'unreachable' | 'timeout'): Verdict => ({ tag: 'died', how, where: null, why: null })
  const ARRIVED: Verdict = { tag: 'arrived' }
  const nowhere = ip('198.51.100.1')
  const listening = (of: typeof WEB, n: number) => ({ ns: of, port: port(n) })
  const cases: ReadonlyArray<readonly [string, Probe, Verdict]> = [
    ['ping within a network', { proto: 'icmp', ns: WEB, to: container4(1, 3) }, ARRIVED],
    ['ping over IPv6', { proto: 'icmp', ns: WEB, to: container6(1, 3) }, ARRIVED],
    ['ping into another network', { proto: 'icmp', ns: WEB, to: container4(2, 4) }, died('timeout')],
    ['ping to isolated neighbours', { proto: 'icmp', ns: DB, to: container4(2, 3) }, died('timeout')],
    ['ping without a route', { proto: 'icmp', ns: HOST, to: nowhere }, died('unreachable')],
    [
      'tcp to a listener',
      { proto: 'tcp', ns: WEB, to: container4(1, 3), port: port(80), listener: listening(API, 80) },
      ARRIVED,
    ],
    [
      'tcp over IPv6',
      { proto: 'tcp', ns: WEB, to: container6(1, 3), port: port(80), listener: listening(API, 80) },
      ARRIVED,
    ],
    [
      'tcp to a closed port',
      { proto: 'tcp', ns: WEB, to: container4(1, 3), port: port(81), listener: null },
      died('refused'),
    ],
    [
      'tcp to a port where only another probe listens',
      { proto: 'tcp', ns: WEB, to: container4(1, 3), port: port(80), listener: null },
      died('refused'),
    ],
    [
      'tcp into another network',
      { proto: 'tcp', ns: WEB, to: container4(2, 4), port: port(80), listener: listening(DB, 80) },
      died('timeout'),
    ],
    [
      'tcp without a route',
      { proto: 'tcp', ns: HOST, to: nowhere, port: port(80), listener: null },
      died('unreachable'),
    ],
    [
      'tcp to a published port',
      { proto: 'tcp', ns: HOST, to: ip('172.31.0.1'), port: port(8080), listener: listening(WEB, 80) },
      ARRIVED,
    ],
    [
      'tcp to one’s own published port',
      { proto: 'tcp', ns: WEB, to: ip('172.31.0.1'), port: port(8080), listener: listening(WEB, 80) },
      ARRIVED,
    ],
    [
      'udp to a listener',
      { proto: 'udp', ns: WEB, to: container4(1, 3), port: port(53), listener: listening(API, 53) },
      ARRIVED,
    ],
    [
      'udp over IPv6',
      { proto: 'udp', ns: WEB, to: container6(1, 3), port: port(53), listener: listening(API, 53) },
      ARRIVED,
    ],
    [
      'udp to another address of the host, which must answer from it',
      { proto: 'udp', ns: WEB, to: ip('172.32.0.1'), port: port(53), listener: listening(HOST, 53) },
      ARRIVED,
    ],
    [
      'udp to a closed port',
      { proto: 'udp', ns: WEB, to: container4(1, 3), port: port(54), listener: null },
      died('refused'),
    ],
    [
      'udp to a port where only another probe listens',
      { proto: 'udp', ns: WEB, to: container4(1, 3), port: port(53), listener: null },
      died('refused'),
    ],
    [
      'udp into another network',
      { proto: 'udp', ns: WEB, to: container4(2, 4), port: port(53), listener: listening(DB, 53) },
      died('timeout'),
    ],
  ]

  test.each(cases)('%s', async (_, probe, verdict) => {
    expect(rightOf(await kernel.probe(probe)())).toEqual(verdict)
  })

  test('many probes at once end as each would alone', async () => {
    const thrice = [...cases, ...cases, ...cases]
    const verdicts = await Promise.all(thrice.map(([, probe]) => kernel.probe(probe)()))
    const wrong = thrice.flatMap(([name, , verdict], i) => {
      const result = verdicts[i]
      const got = result === undefined ? null : rightOf(result)
      return JSON.stringify(got) === JSON.stringify(verdict) ? [] : [`${name}: ${JSON.stringify(got)}`]
    })
    expect(wrong).toEqual([])
  })

  test('a probe from a namespace that is not there cannot be made', async () => {
    const probe: Probe = { proto: 'tcp', ns: ns('nobody'), to: nowhere, port: port(80), listener: null }
    expect(leftOf(await kernel.probe(probe)())).toMatchObject({ tag: 'KernelUnavailable' })
    expect(leftOf(await kernel.probe({ proto: 'icmp', ns: ns('nobody'), to: nowhere })())).toMatchObject({
      tag: 'KernelUnavailable',
    })
  })

  test('a namespace goes although its agent was listening in it', async () => {
    await reach(stateOf(TWO_NETWORKS.filter((object) => object.ns === HOST && object.kind === 'netns')))
    const state = await observed()
    const kinds = objectsOf(state).filter((object) => object.kind !== 'sysctl')
    expect(kinds.map(keyOf)).toEqual(['host/dev/lo/link', 'host/netns'])
  })
}

const refusalsOf = (transport: TransportName) => (): void => {
  const { kernel, close } = labKernel(`refusals-${transport}`, transport)
  const A = ns('a')
  const bridge: Link = {
    kind: 'link',
    ns: HOST,
    name: ifName('br0'),
    spec: { type: 'bridge' },
    mac: mac(0x02_42_00_00_00_01),
    mtu: 1500,
    up: true,
    alias: 'cnm:one',
  }
  const veth = (name: string, to: typeof A, peer: string): Link => ({
    ...bridge,
    name: ifName(name),
    spec: { type: 'veth', peer: { ns: to, name: ifName(peer) } },
  })
  const dev = bridge.name
  const down: Link = { ...bridge, name: ifName('br1'), up: false }
  const nodev = ifName('nodev')
  const address = { kind: 'address', ns: HOST, dev, cidr: cidr('10.0.0.1/24') } as const
  const route = { kind: 'route', ns: HOST, to: cidr('10.9.0.0/16'), via: ip('10.0.0.9'), dev, metric: 0 } as const
  const element = firewall.bridgeElement(HOST, dev)
  const masquerade = firewall.masqueradeElement(HOST, cidr('10.0.0.0/16'))
  const sysctl = { kind: 'sysctl', ns: HOST, name: FORWARD4, value: '1', otherwise: '0' } as const
  const portOf = (name: string, to: string) =>
    ({ kind: 'port', ns: HOST, dev: ifName(name), bridge: ifName(to), isolated: true, hairpin: false }) as const

  const THERE: ReadonlyArray<KernelObject> = [
    { kind: 'netns', ns: HOST, at: null },
    { kind: 'netns', ns: A, at: null },
    firewall.skeletonTable(HOST),
    element,
    masquerade,
    bridge,
    down,
    veth('v0', A, 'e0'),
    sysctl,
    address,
    { ...address, cidr: cidr('fd00::1/64') },
    route,
  ]
  beforeAll(async () => {
    rightOf(await kernel.apply(THERE.map((object) => ({ verb: 'create', object })))())
  })
  afterAll(close)

  const create = (object: KernelObject): KernelOp => ({ verb: 'create', object })
  const del = (object: KernelObject): KernelOp => ({ verb: 'delete', object })
  const refused: ReadonlyArray<readonly [string, KernelOp, Errno]> = [
    ['a namespace that is there', create({ kind: 'netns', ns: A, at: null }), 'EEXIST'],
    ['to delete a namespace that is not there', del({ kind: 'netns', ns: ns('b'), at: null }), 'ENOENT'],
    ['anything in a namespace that is not there', create({ ...address, ns: ns('b') }), 'ENOENT'],
    ['a sysctl in a namespace that is not there', create({ ...sysctl, ns: ns('b') }), 'ENOENT'],
    ['a firewall in a namespace that is not there', create(firewall.skeletonTable(ns('b'))), 'ENOENT'],
    ['a link that is there', create({ ...bridge, alias: 'cnm:thief' }), 'EEXIST'],
    ['a veth whose other end is there', create(veth('v1', A, 'e0')), 'EEXIST'],
    ['a veth into a namespace that is not there', create(veth('v1', ns('b'), 'e0')), 'ENOENT'],
    ['a second loopback', create({ ...bridge, name: ifName('lo1'), spec: { type: 'loopback' } }), 'EOPNOTSUPP'],
    ['an MTU beyond the device', { verb: 'change', from: bridge, object: { ...bridge, mtu: 70000 } }, 'EINVAL'],
    [
      'a group address for a device',
      create({ ...down, name: ifName('br2'), mac: mac(0x01_00_00_00_00_01) }),
      'EADDRNOTAVAIL',
    ],
    ['to delete a link that is not there', del({ ...bridge, name: nodev }), 'ENODEV'],
    ['a port of a bridge that is not there', create(portOf('v0', 'nobr')), 'ENODEV'],
    ['a port that is not there', create(portOf('nodev', 'br0')), 'ENODEV'],
    ['a bridge in a bridge', create(portOf('br1', 'br0')), 'ELOOP'],
    ['an address that is there', create(address), 'EEXIST'],
    ['an IPv6 address that is there', create({ ...address, cidr: cidr('fd00::1/64') }), 'EEXIST'],
    ['an address on a device that is not there', create({ ...address, dev: nodev }), 'ENODEV'],
    ['to delete an address that is not there', del({ ...address, cidr: cidr('10.0.0.2/24') }), 'EADDRNOTAVAIL'],
    ['a route that is there', create(route), 'EEXIST'],
    ['a route by a gateway out of reach', create({ ...route, metric: 5, via: ip('10.7.0.1') }), 'ENETUNREACH'],
    [
      'an IPv6 route by a gateway out of reach',
      create({ ...route, to: cidr('fd09::/64'), via: ip('fd07::1') }),
      'EHOSTUNREACH',
    ],
    ['a route over a device that is down', create({ ...route, metric: 6, via: null, dev: down.name }), 'ENETDOWN'],
    ['to delete a route that is not there', del({ ...route, metric: 7 }), 'ESRCH'],
    [
      'a sysctl of a device that is not there',
      create({ ...sysctl, name: deviceSysctl(4, nodev, 'forwarding') }),
      'ENOENT',
    ],
    ['a sysctl’s value that is no number', create({ ...sysctl, value: 'x' }), 'EINVAL'],
    ['a firewall that is there', create(firewall.skeletonTable(HOST)), 'EEXIST'],
    ['an element that is there', create(element), 'EEXIST'],
    ['a prefix within one that is there', create(firewall.masqueradeElement(HOST, cidr('10.0.5.0/24'))), 'EEXIST'],
    ['to delete an element that is not there', del(firewall.bridgeElement(HOST, ifName('br9'))), 'ENOENT'],
  ]

  const refusals = async (ops: ReadonlyArray<KernelOp>): Promise<ReadonlyArray<Refusal>> => {
    const left = leftOf(await kernel.apply(ops)())
    if ('tag' in left) throw new Error(left.what)
    return left
  }

  test.each(refused)('%s', async (_, op, errno) => {
    const found = await refusals([op])
    expect(found.map((one) => [one.at, one.op, one.errno])).toEqual([[0, op, errno]])
    expect(found[0]?.detail).not.toBeNull()
  })

  // What others could belong to comes last: operations on it would be held back.
  const ORDER: ReadonlyArray<KernelObject['kind']> = ['nft-table', 'link', 'netns']
  const place = ([, { object }]: (typeof refused)[number]): number => ORDER.indexOf(object.kind)
  const leaves = refused.filter((row) => place(row) < 0)
  const parents = refused.filter((row) => place(row) >= 0).sort((a, b) => place(a) - place(b))

  test('each of many is attributed, and the others go on', async () => {
    const good = leaves.map((_, n) => [
      create({ ...address, cidr: cidr(`10.1.${n}.1/24`) }),
      create(firewall.bridgeElement(HOST, ifName(`b${n}`))),
    ])
    const mixed = [...leaves.flatMap(([, op], i) => [...(good[i] ?? []), op]), ...parents.map(([, op]) => op)]
    const found = await refusals(mixed)
    expect(found.map((one) => [one.at, one.errno])).toEqual([
      ...leaves.map(([, , errno], i) => [3 * i + 2, errno]),
      ...parents.map(([, , errno], i) => [3 * leaves.length + i, errno]),
    ])
    const state = rightOf(await kernel.observe({ namespaces: [HOST, A], sysctls: [] })())
    expect(good.flat().filter((op) => getIn(state, keyOf(op.object)) === undefined)).toEqual([])
  })

  test('nothing is done to what could not be made: a stranger’s bridge gets no address', async () => {
    const other = { ...address, cidr: cidr('10.2.0.1/24') }
    const found = await refusals([create(bridge), create(other), create({ ...sysctl, value: '1' })])
    expect(found.map((one) => [one.at, one.errno])).toEqual([
      [0, 'EEXIST'],
      [1, 'ENOENT'],
    ])
    const state = rightOf(await kernel.observe({ namespaces: [HOST], sysctls: [] })())
    expect(getIn(state, keyOf(other))).toBeUndefined()
  })

  test('nor to what would have come with it: a stranger’s device keeps to itself where a veth should have ended', async () => {
    const other = { ...address, ns: A, dev: ifName('e0'), cidr: cidr('10.2.0.2/24') }
    const found = await refusals([create(veth('v1', A, 'e0')), create(other)])
    expect(found.map((one) => [one.at, one.errno])).toEqual([
      [0, 'EEXIST'],
      [1, 'ENOENT'],
    ])
    const state = rightOf(await kernel.observe({ namespaces: [A], sysctls: [] })())
    expect(getIn(state, keyOf(other))).toBeUndefined()
  })

  test('a refused operation changed nothing: the stranger’s link keeps its alias', async () => {
    const state = rightOf(await kernel.observe({ namespaces: [HOST, A], sysctls: [] })())
    expect(getIn(state, keyOf(bridge))).toEqual(bridge)
  })

  test('a name is free again when the namespace of its other end has been deleted', async () => {
    const rounds = Array.from({ length: 5 }, (_, n) => ns(`short-${n}`))
    for (const of of rounds) {
      const pair = veth('v9', of, 'e0')
      rightOf(await kernel.apply([create({ kind: 'netns', ns: of, at: null }), create(pair)])())
      rightOf(await kernel.apply([del({ kind: 'netns', ns: of, at: null })])())
    }
  })
}

for (const transport of TRANSPORTS) {
  needs.kernel(`two networks on the running kernel, through ${transport}`, twoNetworks(transport))
  needs.kernel(`refusals of the running kernel, through ${transport}`, refusalsOf(transport))
}

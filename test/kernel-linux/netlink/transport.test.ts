// Two hands on one kernel: operations done through netlink leave what they leave when done through iproute2, are refused with
// the same errno, and a look through netlink is the look through iproute2.

import { afterAll, expect, test } from 'vitest'
import { diff } from '../../../src/kernel/diff.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { type KernelObject, keyOf, type Link } from '../../../src/kernel/object.ts'
import type { KernelOp } from '../../../src/kernel/op.ts'
import { EMPTY_STATE, type KernelState, objectsOf, stateOf } from '../../../src/kernel/state.ts'
import { documents } from '../../../src/kernel-linux/decode/json.ts'
import { decodeLinks } from '../../../src/kernel-linux/decode/links.ts'
import { decodeRoutes } from '../../../src/kernel-linux/decode/routes.ts'
import { linuxKernel } from '../../../src/kernel-linux/linux.ts'
import { labNames, netnsPath } from '../../../src/kernel-linux/names.ts'
import { decodeAddress, dumpAddresses } from '../../../src/kernel-linux/netlink/codec/address.ts'
import { decodeLink, dumpLinks } from '../../../src/kernel-linux/netlink/codec/link.ts'
import { decodeRoute, dumpRoutes } from '../../../src/kernel-linux/netlink/codec/route.ts'
import { dump } from '../../../src/kernel-linux/netlink/conversation.ts'
import { linksIn, routesIn } from '../../../src/kernel-linux/netlink/look.ts'
import { openSocket } from '../../../src/kernel-linux/netlink/socket.ts'
import { cidr } from '../../../src/net/cidr.ts'
import { ip } from '../../../src/net/ip.ts'
import { mac } from '../../../src/net/mac.ts'
import { HOST, ifName, LO, type Ns, ns } from '../../../src/net/name.ts'
import { E } from '../../../src/prelude.ts'
import { needs } from '../../lib/need.ts'
import { labKernel, rightOf } from '../labs.ts'
import { API, DB, NAMESPACES, TWO_NETWORKS, WEB } from '../topology.ts'
import { type Json, json, run } from './lab.ts'

const OF_NETLINK = new Set(['netns', 'link', 'port', 'address', 'route'])
const WANTED = stateOf(TWO_NETWORKS.filter(({ kind }) => OF_NETLINK.has(kind)))
const SCOPE = { namespaces: NAMESPACES, sysctls: [] }

/** What a kernel answers to one operation: null, or an errno. */
const answer = async (kernel: Kernel, op: KernelOp): Promise<string | null> => {
  const applied = await kernel.apply([op])()
  if (E.isRight(applied)) return null
  return 'tag' in applied.left ? applied.left.what : (applied.left[0]?.errno ?? null)
}

const link = (name: string, rest: Partial<Link> = {}): Link => ({
  kind: 'link',
  ns: HOST,
  name: ifName(name),
  spec: { type: 'bridge' },
  mac: mac(0x02_42_00_00_77_01),
  mtu: 1500,
  up: false,
  alias: null,
  ...rest,
})
const veth = (of: Ns): Link => link('v-x', { spec: { type: 'veth', peer: { ns: of, name: ifName('v-y') } } })
/** Its MAC was the kernel's choice. */
const inner = link('v-y', { ns: DB, spec: { type: 'veth', peer: { ns: HOST, name: ifName('v-x') } } })
const address = (dev: string, text: string): KernelObject => ({
  kind: 'address',
  ns: HOST,
  dev: ifName(dev),
  cidr: cidr(text),
})
const route = (dev: string, to: string, via: string | null, metric = 0): KernelObject => ({
  kind: 'route',
  ns: HOST,
  to: cidr(to),
  via: via === null ? null : ip(via),
  dev: ifName(dev),
  metric,
})
const port = (dev: string, bridge: string): KernelObject => ({
  kind: 'port',
  ns: HOST,
  dev: ifName(dev),
  bridge: ifName(bridge),
  isolated: false,
  hairpin: false,
})
const create = (object: KernelObject): KernelOp => ({ verb: 'create', object })
const remove = (object: KernelObject): KernelOp => ({ verb: 'delete', object })
const change = (from: KernelObject, object: KernelObject): KernelOp => ({ verb: 'change', from, object })

/** Operations that are refused, and some between them that are not. */
const DOUBTFUL: ReadonlyArray<KernelOp> = [
  create({ kind: 'netns', ns: WEB, at: null }),
  remove({ kind: 'netns', ns: ns('nobody'), at: null }),
  create(link('br-front')),
  create(link('br-down')),
  change(link('br-down'), link('br-down', { mtu: 10 })),
  change(link('br-down'), link('br-down', { alias: 'cnm:x' })),
  change(link('nobody'), link('nobody', { up: true })),
  create(link('lo', { spec: { type: 'loopback' } })),
  create(veth(ns('nobody'))),
  create(veth(DB)),
  create(veth(DB)),
  change(inner, { ...inner, mac: mac(0x02_42_00_00_77_02) }),
  remove(link('nobody')),
  remove(link('lo', { spec: { type: 'loopback' } })),
  create(port('v-x', 'nobody')),
  create(port('nobody', 'br-front')),
  create(port('br-down', 'br-front')),
  create(port('v-x', 'br-front')),
  remove(port('v-x', 'br-front')),
  create(address('nobody', '10.1.0.1/24')),
  create(address('br-front', '172.31.0.1/16')),
  create(address('br-front', '224.0.0.5/24')),
  create(address('br-front', 'ff02::5/64')),
  create(address('br-front', '172.31.0.9/16')),
  remove(address('br-front', '172.31.0.10/16')),
  remove(address('br-front', 'fd00:99::1/64')),
  create(route('nobody', '10.2.0.0/16', null)),
  create(route('br-front', '10.2.0.0/16', '192.0.2.1')),
  create(route('br-front', '10.2.0.0/16', '172.31.0.1')),
  create(route('br-down', '10.2.0.0/16', null)),
  create(route('br-front', '10.2.0.0/16', '172.31.0.77', 5)),
  create(route('br-front', '10.2.0.0/16', '172.31.0.77', 5)),
  create(route('br-front', 'fd00:77::/64', null)),
  create(route('br-front', 'fd00:77::/64', null)),
  remove(route('br-front', '10.3.0.0/16', null)),
  remove(route('br-front', 'fd00:78::/64', null)),
  remove(route('br-front', 'fd00:77::/64', null)),
  create(route('br-front', 'fd00:80::/64', null, 5)),
  create(route('br-front', 'fd00:80::/64', null)),
  remove(route('br-front', 'fd00:80::/64', null)),
]

const some = (from: Json, ...keys: ReadonlyArray<string>): Json =>
  Object.fromEntries(keys.map((key) => [key, from[key]]))
const list = (value: unknown): ReadonlyArray<Json> => (Array.isArray(value) ? value : [])

/** What a namespace holds beyond our model of it: how an address is kept, of what sort a route is. */
const finer = (real: string) => {
  const addresses = json(run('ip', '-n', real, '-j', '-d', 'address', 'show')).flatMap((dev) =>
    list(dev['addr_info'])
      .filter((one) => one['scope'] !== 'link')
      .map((one) => ({
        dev: dev['ifname'],
        ...some(one, 'local', 'prefixlen', 'scope', 'nodad', 'tentative', 'broadcast', 'label'),
      })),
  )
  const routes = ['-4', '-6'].flatMap((family) =>
    json(run('ip', '-n', real, '-j', '-d', family, 'route', 'show'))
      .filter((one) => one['protocol'] !== 'kernel')
      .map((one) => some(one, 'dst', 'gateway', 'dev', 'protocol', 'scope', 'type', 'metric', 'prefsrc', 'pref')),
  )
  return { addresses, routes }
}

const namespacesIn = (state: KernelState): ReadonlyArray<Ns> =>
  objectsOf(state).flatMap((object) => (object.kind === 'netns' ? [object.ns] : []))

const changed = (): KernelState =>
  stateOf(
    objectsOf(WANTED).map((object): KernelObject => {
      if (object.kind === 'link' && object.ns === HOST && object.spec.type === 'veth')
        return { ...object, mac: mac(object.mac + 4096), mtu: 1300, alias: 'cnm:other' }
      if (object.kind === 'link' && object.spec.type === 'bridge') return { ...object, alias: null }
      if (object.kind === 'port') return { ...object, isolated: !object.isolated, hairpin: !object.hairpin }
      if (object.kind === 'route' && object.metric > 0) return { ...object, via: ip('172.32.0.9') }
      return object
    }),
  )

needs.kernel('one program through netlink and through iproute2', () => {
  const tools = labKernel('transport-ip')
  const ours = labKernel('transport-nl', 'netlink')
  const names = labNames(ours.lab)
  /** iproute2's eyes on what netlink's hand has done. */
  const witness = linuxKernel({ names })
  afterAll(async () => {
    await tools.close()
    await ours.close()
  })

  const both = async (
    ops: ReadonlyArray<KernelOp>,
  ): Promise<ReadonlyArray<readonly [string | null, string | null]>> => {
    const answers: Array<readonly [string | null, string | null]> = []
    for (const op of ops) answers.push([await answer(tools.kernel, op), await answer(ours.kernel, op)])
    return answers
  }
  const same = async (): Promise<void> => {
    const theirs = rightOf(await tools.kernel.observe(SCOPE)())
    const found = rightOf(await witness.observe(SCOPE)())
    expect(objectsOf(found)).toEqual(objectsOf(theirs))
    expect(objectsOf(rightOf(await ours.kernel.observe(SCOPE)()))).toEqual(objectsOf(theirs))
    for (const of of namespacesIn(found))
      expect(finer(names(of) ?? ''), of).toEqual(finer(labNames(tools.lab)(of) ?? ''))
  }
  const done = async (ops: ReadonlyArray<KernelOp>): Promise<void> => {
    expect(ops.length).toBeGreaterThan(0)
    expect(await both(ops)).toEqual(ops.map(() => [null, null]))
    await same()
  }

  test('two networks are made alike', () => done(diff(EMPTY_STATE, WANTED)))

  test('a look through netlink is the look through iproute2', async () => {
    for (const of of NAMESPACES) {
      const socket = rightOf(openSocket({ in: 'path', path: netnsPath(names(of) ?? '') }))
      const ask = (what: string) =>
        documents(run('ip', '-n', names(of) ?? '', '-json', '-details', ...what.split(' ')))[0]
      const links = rightOf(await dump(socket, dumpLinks(), decodeLink)())
      const addresses = rightOf(await dump(socket, dumpAddresses(), decodeAddress)())
      const routes = rightOf(await dump(socket, dumpRoutes(), decodeRoute)())
      await socket.close()
      const shown = decodeLinks(ask('address show'))
      expect(shown.length).toBeGreaterThan(1)
      expect(linksIn(links, addresses)).toEqual(shown)
      const [four, six] = [ask('-4 route show table all'), ask('-6 route show table all')]
      expect(routesIn(of, routes, links)).toEqual([...decodeRoutes(of, four), ...decodeRoutes(of, six)])
    }
  })

  test('what is refused is refused with the same errno, and leaves the same', async () => {
    const answers = await both(DOUBTFUL)
    const wrong = answers.flatMap(([tool, netlink], i) => {
      const op = DOUBTFUL[i]
      return tool === netlink || op === undefined ? [] : [`${op.verb} ${keyOf(op.object)}: ${tool}, ${netlink}`]
    })
    expect(wrong).toEqual([])
    expect(answers.filter(([tool]) => tool !== null).length).toBeGreaterThan(20)
    await same()
  })

  test('changes of every kind are made alike', async () => {
    const there = rightOf(await tools.kernel.observe(SCOPE)())
    await done(diff(there, changed()))
  })

  test('and all of it is taken away alike', async () => {
    const there = rightOf(await tools.kernel.observe(SCOPE)())
    const rest = stateOf(
      objectsOf(WANTED).filter(
        (object) => object.kind === 'netns' || (object.kind === 'link' && object.name === LO && object.ns === API),
      ),
    )
    await done(diff(there, rest))
  })
})

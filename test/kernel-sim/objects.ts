// Objects and operations on one host and two rooms, in few words, and what a world answers to them.

import { expect } from 'vitest'
import type { KernelObject, Link } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { commandsOf } from '../../src/kernel/print.ts'
import { objectsOf } from '../../src/kernel/state.ts'
import type { SysctlName } from '../../src/kernel/sysctl.ts'
import { applyOp, hostWorld } from '../../src/kernel-sim/control.ts'
import { applyAll } from '../../src/kernel-sim/kernel.ts'
import type { LinkEntry } from '../../src/kernel-sim/link-entry.ts'
import { observe } from '../../src/kernel-sim/observe.ts'
import { TABLES, type World } from '../../src/kernel-sim/state.ts'
import { cidr, showCidr } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { mac, ZERO_MAC } from '../../src/net/mac.ts'
import { HOST, type IfName, ifName, LO, type Ns, ns } from '../../src/net/name.ts'
import { emptyMap, getIn, valuesOf } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'

export const C1 = ns('c1')
export const C2 = ns('c2')
export const BR0 = ifName('br0')
export const BR1 = ifName('br1')
export const V0 = ifName('v0')
export const V1 = ifName('v1')
export const ETH0 = ifName('eth0')

export const add = (object: KernelObject): KernelOp => ({ verb: 'create', object })
export const del = (object: KernelObject): KernelOp => ({ verb: 'delete', object })
export const set = (from: Link, to: Partial<Link>): KernelOp => ({ verb: 'change', from, object: { ...from, ...to } })

export const netns = (name: Ns): KernelObject => ({ kind: 'netns', ns: name, at: null })
export const base = { kind: 'link', mac: mac(0x020000000001), mtu: 1500, up: true, alias: null } as const
export const bridge = (name = BR0, more: Partial<Link> = {}): Link => ({
  ...base,
  ns: HOST,
  name,
  spec: { type: 'bridge' },
  ...more,
})
export const veth = (name = V0, room = C1, more: Partial<Link> = {}): Link => ({
  ...base,
  ns: HOST,
  name,
  spec: { type: 'veth', peer: { ns: room, name: ETH0 } },
  ...more,
})
export const inside = (room = C1): Link => ({
  ...veth(V0),
  ns: room,
  name: ETH0,
  spec: { type: 'veth', peer: { ns: HOST, name: V0 } },
})
export const lo = (room = HOST): Link => ({
  ...base,
  ns: room,
  name: LO,
  spec: { type: 'loopback' },
  mac: ZERO_MAC,
  mtu: 65536,
})
export const up = (link: Link): KernelOp => set({ ...link, up: false }, { up: true })
export const down = (link: Link): KernelOp => set({ ...link, up: true }, { up: false })
export const on = (dev: string, text: string, room = HOST): KernelObject => ({
  kind: 'address',
  ns: room,
  dev: ifName(dev),
  cidr: cidr(text),
})
export const route = (to: string, via: string | null, dev = V0, metric = 0): KernelObject => ({
  kind: 'route',
  ns: HOST,
  to: cidr(to),
  via: via === null ? null : ip(via),
  dev,
  metric,
})
export const member = (dev = V0, master = BR0, more = {}): KernelObject => ({
  kind: 'port',
  ns: HOST,
  dev,
  bridge: master,
  isolated: false,
  hairpin: false,
  ...more,
})
export const sysctl = (name: SysctlName, value: string): KernelObject => ({
  kind: 'sysctl',
  ns: HOST,
  name,
  value,
  otherwise: '0',
})

/** The host after these operations, all of which Linux accepts. */
export const host = (...ops: ReadonlyArray<KernelOp>): World => {
  const { world, refusals } = applyAll(hostWorld(), ops)
  expect(refusals).toEqual([])
  return world
}
/** The host with v0 up and carrying, its other end in c1. */
export const wired = (...ops: ReadonlyArray<KernelOp>): World => host(add(netns(C1)), add(veth()), up(inside()), ...ops)

/** Rows of a table of answers, with the command that each object's creation stands for. */
export const answers = (
  rows: ReadonlyArray<readonly [string | null, KernelObject]>,
): ReadonlyArray<Readonly<{ expected: string | null; object: KernelObject; command: string }>> =>
  rows.map(([expected, object]) => {
    const [command] = commandsOf(add(object), (name) => name)
    return { expected, object, command: command === undefined ? '' : `${command.tool} ${command.text}` }
  })

export const errno = (world: World, op: KernelOp): string | null => {
  const result = applyOp(world, op)
  return E.isLeft(result) ? result.left : null
}
export const linkOf = (world: World, room: Ns, dev: IfName): LinkEntry | undefined =>
  getIn(getIn(world.namespaces, room)?.links ?? emptyMap<LinkEntry>(), dev)
export const addresses = (world: World, dev: string, room = HOST): ReadonlyArray<string> =>
  linkOf(world, room, ifName(dev))?.addresses.map((entry) => showCidr(entry.cidr)) ?? []
export const routes = (world: World, room = HOST): ReadonlyArray<string> =>
  valuesOf(getIn(world.namespaces, room)?.routes ?? { root: null }).flatMap(({ to, hops, metric, proto, table }) =>
    table === TABLES.main ? [`${showCidr(to)} ${hops[0]?.dev} ${metric} ${proto === 2 ? 'kernel' : 'user'}`] : [],
  )
export const mtu = (world: World, dev = BR0): number | undefined => linkOf(world, HOST, dev)?.mtu
export const value = (world: World, name: SysctlName): string | undefined => {
  const [object] = objectsOf(observe(world, { namespaces: [], sysctls: [{ ns: HOST, name }] }))
  return object?.kind === 'sysctl' ? object.value : undefined
}

// Links, static routes and sysctls of sandboxes, with packets, on both kernels.

import { describe, expect, test } from 'vitest'
import type { Kernel, Probe } from '../../src/kernel/kernel.ts'
import type { SysctlName } from '../../src/kernel/sysctl.ts'
import type { Command } from '../../src/model/command.ts'
import { resolveName } from '../../src/model/queries.ts'
import type { StaticRoute } from '../../src/model/types.ts'
import { cidr } from '../../src/net/cidr.ts'
import { type Ip, ip } from '../../src/net/ip.ts'
import { HOST, type Ns, ns } from '../../src/net/name.ts'
import { valuesOf } from '../../src/net/pmap.ts'
import { port } from '../../src/net/port.ts'
import { rightOf } from '../kernel-linux/labs.ts'
import { box, createEndpoint, createNetwork, createSandbox, end, join, leave, pool, v4, v6 } from '../lib/model.ts'
import { arrives, build, onBothKernels } from './both.ts'

const [WEB, DB, ELSE] = [ns('web'), ns('db'), ns('else')]
const DB_AT = [ip('10.3.0.3'), ip('fd00:3::3')]
const WEB_AT = [ip('10.3.0.2'), ip('fd00:3::2')]

const [EXPOSED, PUBLISHED, OTHER] = [port(5432), port(8080), port(81)]
const opening = { 5432: EXPOSED, 8080: PUBLISHED, 81: OTHER } as const

const tcp = (from: Ns, to: Ip, listener: Ns, at: keyof typeof opening): Probe => ({
  proto: 'tcp',
  ns: from,
  to,
  port: opening[at],
  listener: { ns: listener, port: opening[at] },
})

const both = async (kernel: Kernel, addresses: ReadonlyArray<Ip>, probe: (to: Ip) => Probe): Promise<boolean[]> => {
  const reached: boolean[] = []
  for (const to of addresses) reached.push(await arrives(kernel, probe(to)))
  return reached
}

const by = (to: string, via: string): StaticRoute => ({ to: cidr(to), via: ip(via) })

const PATIENCE = { timeout: 10_000, interval: 100 }
const YES = [true, true]
const NO = [false, false]

const topology = (internal: boolean): ReadonlyArray<Command> => [
  createNetwork(1, 'apart', { internal, options: { icc: 'false' }, pools: [pool('10.3.0.0/24'), pool('fd00:3::/64')] }),
  createSandbox(1, 'web'),
  createSandbox(2, 'db', {
    exposed: [{ port: EXPOSED, transport: 'tcp' }],
    ports: [{ hostIp: null, hostPorts: null, containerPort: PUBLISHED, transport: 'tcp' }],
  }),
  createSandbox(3, 'else'),
  createEndpoint(1, 1, 'web', { ipv4: v4('10.3.0.2'), ipv6: v6('fd00:3::2') }),
  createEndpoint(2, 1, 'db', { ipv4: v4('10.3.0.3'), ipv6: v6('fd00:3::3') }),
  createEndpoint(3, 1, 'else'),
  join(2, 2),
  join(3, 3),
]

const LINKED = join(1, 1, { links: [{ to: 'db', alias: 'database' }] })

onBothKernels('link', (fresh) => {
  describe.each([false, true])('where containers are kept apart (internal: %s)', (internal) => {
    test('a link opens the exposed and the published ports of one container to one other, in one direction', async () => {
      const kernel = fresh()
      const engine = await build(kernel, [], [...topology(internal), LINKED])
      const reached = async (): Promise<Readonly<Record<string, boolean[]>>> => ({
        exposed: await both(kernel, DB_AT, (to) => tcp(WEB, to, DB, 5432)),
        published: await both(kernel, DB_AT, (to) => tcp(WEB, to, DB, 8080)),
        another: await both(kernel, DB_AT, (to) => tcp(WEB, to, DB, 81)),
        echo: await both(kernel, DB_AT, (to) => ({ proto: 'icmp', ns: WEB, to })),
        back: await both(kernel, WEB_AT, (to) => tcp(DB, to, WEB, 5432)),
        unlinked: await both(kernel, DB_AT, (to) => tcp(ELSE, to, DB, 5432)),
      })
      const closed = { exposed: NO, published: NO, another: NO, echo: NO, back: NO, unlinked: NO }
      expect(await reached()).toEqual({ ...closed, exposed: YES, published: YES })
      // Again: nothing that the host said of a shorter way is believed.
      expect(await both(kernel, DB_AT, (to) => tcp(WEB, to, DB, 5432))).toEqual(YES)
      rightOf((await engine.submit([leave(1, 1)]))[0] ?? expect.fail())
      rightOf((await engine.submit([join(1, 1)]))[0] ?? expect.fail())
      expect(await both(kernel, DB_AT, (to) => tcp(WEB, to, DB, 5432))).toEqual(NO)
    })
  })

  test('a link finds who comes back under its name, and calls it so', async () => {
    const kernel = fresh()
    const engine = await build(kernel, [], [...topology(false), LINKED])
    const again: ReadonlyArray<Command> = [
      { tag: 'DeleteEndpoint', id: end(2), force: true },
      createEndpoint(4, 1, 'db', { ipv4: v4('10.3.0.9'), ipv6: v6('fd00:3::9') }),
      join(4, 2),
    ]
    for (const answer of await engine.submit(again)) rightOf(answer)
    const now = [ip('10.3.0.9'), ip('fd00:3::9')]
    expect(resolveName(engine.model(), box(1), 'DATABASE')).toEqual(now)
    expect(resolveName(engine.model(), box(3), 'database')).toEqual([])
    expect(await both(kernel, now, (to) => tcp(WEB, to, DB, 5432))).toEqual(YES)
  })

  test('a static route leads by another container, and goes with its endpoint', async () => {
    const kernel = fresh()
    const engine = await build(
      kernel,
      [],
      [
        createNetwork(1, 'near', { pools: [pool('10.4.0.0/24'), pool('fd00:4::/64')] }),
        createNetwork(2, 'far', { pools: [pool('10.5.0.0/24'), pool('fd00:5::/64')] }),
        createSandbox(1, 'web'),
        createSandbox(2, 'router', {
          sysctls: { 'net.ipv4.ip_forward': '1', 'net.ipv6.conf.all.forwarding': '1' },
        }),
        createSandbox(3, 'db'),
        createEndpoint(1, 1, 'web'),
        createEndpoint(2, 1, 'router', { ipv4: v4('10.4.0.9'), ipv6: v6('fd00:4::9') }),
        createEndpoint(3, 2, 'router', { ipv4: v4('10.5.0.9'), ipv6: v6('fd00:5::9') }),
        createEndpoint(4, 2, 'db', { ipv4: v4('10.5.0.3'), ipv6: v6('fd00:5::3') }),
        join(2, 2),
        join(3, 2),
        join(4, 3, { routes: [by('0.0.0.0/0', '10.5.0.9'), by('::/0', 'fd00:5::9')] }),
        join(1, 1, { routes: [by('10.5.0.0/24', '10.4.0.9'), by('fd00:5::/64', 'fd00:4::9')] }),
      ],
    )
    const far = [ip('10.5.0.3'), ip('fd00:5::3')]
    // A router asks for its neighbours by link-local addresses, which wait for duplicate detection.
    await expect.poll(() => both(kernel, far, (to) => ({ proto: 'icmp', ns: WEB, to })), PATIENCE).toEqual(YES)
    rightOf((await engine.submit([leave(1, 1)]))[0] ?? expect.fail())
    rightOf((await engine.submit([join(1, 1)]))[0] ?? expect.fail())
    expect(await both(kernel, far, (to) => ({ proto: 'icmp', ns: WEB, to }))).toEqual(NO)
  })

  test('sysctls of a sandbox are there before its interfaces are, and are those it was made with', async () => {
    const kernel = fresh()
    const sysctls = {
      'net.core.somaxconn': '0x400',
      'net.ipv4.ip_local_port_range': '20000\t30000',
      'net.ipv4.conf.default.rp_filter': '2',
    }
    await build(
      kernel,
      [],
      [
        createNetwork(1, 'front', { pools: [pool('10.6.0.0/24')] }),
        createSandbox(1, 'web', { sysctls }),
        createEndpoint(1, 1, 'web'),
        join(1, 1),
      ],
    )
    const names = [...Object.keys(sysctls), 'net.ipv4.conf.eth0.rp_filter']
    // A cast: they are written as sysctl(8) does.
    const asked = names.map((name) => ({ ns: WEB, name: name as SysctlName }))
    const seen = rightOf(await kernel.observe({ namespaces: [HOST, WEB], sysctls: asked })())
    const values = valuesOf(seen).flatMap((object) =>
      object.kind === 'sysctl' && object.ns === WEB ? [[object.name, object.value]] : [],
    )
    expect(Object.fromEntries(values)).toEqual({
      'net.core.somaxconn': '1024',
      'net.ipv4.ip_local_port_range': '20000 30000',
      'net.ipv4.conf.default.rp_filter': '2',
      'net.ipv4.conf.eth0.rp_filter': '2',
    })
  })
})

// The Kernel port through rtnetlink, where it is not what iproute2 is: what both do alike is in test/kernel-linux/linux.test.ts
// and test/lockstep/ops.test.ts.

import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { diff } from '../../../src/kernel/diff.ts'
import type { KernelObject } from '../../../src/kernel/object.ts'
import type { KernelOp } from '../../../src/kernel/op.ts'
import { EMPTY_STATE, objectsOf, stateOf } from '../../../src/kernel/state.ts'
import { labNames, netnsPath } from '../../../src/kernel-linux/names.ts'
import { cidr } from '../../../src/net/cidr.ts'
import { ip } from '../../../src/net/ip.ts'
import { mac } from '../../../src/net/mac.ts'
import { HOST, ifName, ns } from '../../../src/net/name.ts'
import { needs } from '../../lib/need.ts'
import { sleeper } from '../../lockstep/foreign.ts'
import { labKernel, leftOf, rightOf } from '../labs.ts'
import { NAMESPACES, SCOPE, TWO_NETWORKS } from '../topology.ts'
import { run } from './lab.ts'

const WANTED = stateOf(TWO_NETWORKS)
const create = (object: KernelObject): KernelOp => ({ verb: 'create', object })

needs.kernel('the port through rtnetlink', () => {
  const { kernel, lab, close } = labKernel('port', 'netlink')
  beforeAll(async () => {
    rightOf(await kernel.apply(diff(EMPTY_STATE, WANTED))())
  })
  afterAll(close)

  test('keeps no file open, so that no namespace lives on for its sake', async () => {
    // The tools for firewall and sysctls have been started once, and libuv has its files.
    rightOf(await kernel.observe(SCOPE)())
    const before = readdirSync('/proc/self/fd').length
    for (let round = 0; round < 3; round++) {
      const there = rightOf(await kernel.observe(SCOPE)())
      const bare = stateOf(objectsOf(there).filter(({ kind, ns: of }) => kind === 'netns' && of === HOST))
      rightOf(await kernel.apply(diff(there, bare))())
      rightOf(await kernel.apply(diff(rightOf(await kernel.observe(SCOPE)()), WANTED))())
    }
    expect(readdirSync('/proc/self/fd').length).toBe(before)
  })

  test('a name that was only half made is seen, can be deleted, and is made whole', async () => {
    const half = ns('half')
    const path = netnsPath(labNames(lab)(half) ?? '')
    const made = create({ kind: 'netns', ns: half, at: null })
    const gone: KernelOp = { verb: 'delete', object: made.object }
    const seen = async () => {
      const there = rightOf(await kernel.observe({ namespaces: [...NAMESPACES, half], sysctls: [] })())
      return objectsOf(there).flatMap(({ ns: of, kind }) => (of === half ? [kind] : []))
    }
    try {
      for (const way of [[gone, made], [made]]) {
        writeFileSync(path, '')
        expect(await seen()).toEqual(['netns'])
        rightOf(await kernel.apply(way)())
        expect(await seen()).toEqual(['link', 'netns'])
        rightOf(await kernel.apply([gone])())
      }
      writeFileSync(path, 'what is in it is not ours')
      expect(leftOf(await kernel.apply([made])())).toMatchObject([{ errno: 'EEXIST' }])
    } finally {
      rmSync(path, { force: true })
    }
  })

  test('an adopted namespace loses its name when nothing of ours is left in it, though links are deleted behind', async () => {
    const { path, end } = await sleeper()
    const job = ns('job')
    const [outside, eth0] = [ifName('job0'), ifName('eth0')]
    const common = {
      kind: 'link',
      ns: HOST,
      mtu: 1500,
      up: true,
      alias: 'cnm:job',
      mac: mac(0x02_42_00_00_00_99),
    } as const
    const cable = { ...common, name: outside, spec: { type: 'veth', peer: { ns: job, name: eth0 } } } as const
    const netns = { kind: 'netns', ns: job, at: path } as const
    const port = {
      kind: 'port',
      ns: HOST,
      dev: outside,
      bridge: ifName('br-front'),
      isolated: false,
      hairpin: false,
    } as const
    const linksIn = (): string => run('nsenter', `--net=${path}`, 'ip', '-br', 'link')
    try {
      for (const parting of [[[cable, netns]], [[cable], [netns]]]) {
        rightOf(await kernel.apply([netns, cable, port].map(create))())
        expect(linksIn()).toContain('eth0')
        for (const objects of parting)
          rightOf(await kernel.apply(objects.map((object): KernelOp => ({ verb: 'delete', object })))())
        expect(linksIn()).toMatch(/^lo [^\n]*\n$/)
      }
    } finally {
      await end()
    }
  })

  test('the errno is the kernel’s own, also where its sentence stands for two', async () => {
    // docs/known-differences.md 2.
    const dev = ifName('br-front')
    const address = { kind: 'address', ns: HOST, dev, cidr: cidr('10.66.0.1/24') } as const
    const route = { kind: 'route', ns: HOST, to: cidr('10.67.0.0/16'), dev, metric: 0 } as const
    rightOf(await kernel.apply([create(address)])())
    const to = async (via: string): Promise<unknown> =>
      leftOf(await kernel.apply([create({ ...route, via: ip(via) })])())
    expect(await to('10.66.0.255')).toMatchObject([{ errno: 'EINVAL', detail: 'Nexthop has invalid gateway' }])
    expect(await to('10.68.0.1')).toMatchObject([{ errno: 'ENETUNREACH', detail: 'Nexthop has invalid gateway' }])
  })
})

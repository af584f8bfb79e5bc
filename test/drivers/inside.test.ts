// What an endpoint asks for beside its addresses is on its interface inside: sysctls, with IFNAME for the interface's name.

import { describe, expect, test } from 'vitest'
import { openEngine } from '../../src/engine/engine.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { objectsOf } from '../../src/kernel/state.ts'
import type { SysctlName } from '../../src/kernel/sysctl.ts'
import type { CreateEndpoint } from '../../src/model/command.ts'
import { explain } from '../../src/model/error.ts'
import type { Texts } from '../../src/model/types.ts'
import { HOST, ifName, ns } from '../../src/net/name.ts'
import { E } from '../../src/prelude.ts'
import { memoryStore } from '../../src/store/memory.ts'
import { rightOf } from '../kernel-linux/labs.ts'
import {
  createEndpoint,
  createNetwork,
  createSandbox,
  endpointIn,
  join,
  obey,
  outcome,
  pool,
  refusal,
  v6,
} from '../lib/model.ts'
import { build, onBothKernels } from './both.ts'

const DUAL = [pool('10.10.1.0/24'), pool('fd00:a1::/64')]
const web = (sysctls: Texts, more: Partial<CreateEndpoint> = {}) => [
  createNetwork(1, 'front', { pools: DUAL }),
  createSandbox(1, 'web'),
  createEndpoint(1, 1, 'web', { sysctls, ...more }),
  join(1, 1),
]

/** A cast: it is the name that the kernel knows. */
const sysctlValue = async (kernel: Kernel, name: string): Promise<string | undefined> => {
  const sysctls = [{ ns: ns('web'), name: name as SysctlName }]
  const seen = rightOf(await kernel.observe({ namespaces: [HOST, ns('web')], sysctls })())
  return objectsOf(seen).flatMap((object) => (object.kind === 'sysctl' ? [object.value] : []))[0]
}

onBothKernels('inside', (fresh) => {
  test.each<readonly [string, Texts, Partial<CreateEndpoint>, ReadonlyArray<readonly [string, string]>]>([
    [
      'of both families',
      { 'net.ipv4.conf.IFNAME.log_martians': '1', 'net.ipv6.conf.IFNAME.accept_ra': '2' },
      {},
      [
        ['net.ipv4.conf.eth0.log_martians', '1'],
        ['net.ipv6.conf.eth0.accept_ra', '2'],
      ],
    ],
    [
      'however the number is written',
      { 'net.ipv4.conf.IFNAME.arp_ignore': '0x1', 'net.ipv4.conf.IFNAME.arp_announce': '02' },
      {},
      [
        ['net.ipv4.conf.eth0.arp_ignore', '1'],
        ['net.ipv4.conf.eth0.arp_announce', '2'],
      ],
    ],
    [
      'where the interface has a dot in its name',
      { 'net.ipv4.conf.IFNAME.rp_filter': '2' },
      { ifName: ifName('net.7') },
      [['net.ipv4.conf.net/7.rp_filter', '2']],
    ],
    [
      'that switch IPv6 off',
      { 'net.ipv6.conf.IFNAME.disable_ipv6': '1' },
      {},
      [['net.ipv6.conf.eth0.disable_ipv6', '1']],
    ],
  ])('has sysctls %s, and nothing is left to do', { timeout: 60_000 }, async (_, sysctls, more, expected) => {
    const kernel = fresh()
    const store = memoryStore()
    await build(kernel, [], web(sysctls, more), store)
    for (const [name, value] of expected) expect([name, await sysctlValue(kernel, name)]).toEqual([name, value])
    const again = rightOf(await openEngine({ kernel, store, check: true }))
    expect(rightOf(await again.differences())).toEqual([])
  })

  test('is refused a value that the kernel does not take, and nothing of it is left', { timeout: 60_000 }, async () => {
    const kernel = fresh()
    const engine = await build(kernel, [], [])
    const answers = await engine.submit(web({ 'net.ipv4.conf.IFNAME.log_martians': 'yes' }))
    expect(answers.map((answer) => (E.isLeft(answer) ? explain(answer.left) : null)).at(-1)).toMatch(
      /^the kernel refused "sysctl -qw net\.ipv4\.conf\.eth0\.log_martians=yes": EINVAL/,
    )
    expect(rightOf(await engine.differences())).toEqual([])
  })
})

describe('an interface without IPv6, by its sysctl', () => {
  const off = { 'net.ipv6.conf.IFNAME.disable_ipv6': '1' }

  test('has no IPv6 address', () => {
    const addresses = (sysctls: Texts) => endpointIn(obey(web(sysctls)), 1).addresses.length
    expect([addresses({}), addresses({ 'net.ipv6.conf.IFNAME.disable_ipv6': '0' }), addresses(off)]).toEqual([2, 2, 1])
  })

  test('cannot ask for one', () => {
    const model = obey([createNetwork(1, 'front', { pools: DUAL })])
    const error = refusal(model, createEndpoint(1, 1, 'web', { ipv6: v6('fd00:a1::5'), sysctls: off }))
    expect(outcome(error)).toEqual(['IPv6Off', 400])
  })
})

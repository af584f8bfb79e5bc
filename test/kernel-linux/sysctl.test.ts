// Sysctls on the running kernel, through /proc and through sysctl(8), in namespaces of their own. Limits are multiples of 100 ms:
// the kernel keeps them in ticks of its clock.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Sysctl } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { deviceSysctl, FORWARD4, FORWARD6, ICMP_LIMIT4, ICMP_LIMIT6, type SysctlName } from '../../src/kernel/sysctl.ts'
import { fileOf } from '../../src/kernel-linux/sysctl/assignment.ts'
import { throughProc } from '../../src/kernel-linux/sysctl/in-process.ts'
import { throughSysctl } from '../../src/kernel-linux/sysctl/tool.ts'
import { HOST, ifName, ns } from '../../src/net/name.ts'
import { needs } from '../lib/need.ts'
import { rightOf } from './labs.ts'
import { deleteSpace, inside, makeSpace, PATHS, runAt } from './nft-lab.ts'

const DOTTED = ifName('br.1')
const GONE = ifName('gone')
const LOCALNET = deviceSysctl(4, DOTTED, 'route_localnet')

test('a device keeps the dots of its name', () => {
  expect(fileOf(LOCALNET)).toBe('/proc/sys/net/ipv4/conf/br.1/route_localnet')
  expect(fileOf(FORWARD4)).toBe('/proc/sys/net/ipv4/ip_forward')
})

for (const [name, make] of [
  ['proc', () => rightOf(throughProc(PATHS))],
  ['tool', () => throughSysctl(runAt, PATHS)],
] as const) {
  needs.kernel(`sysctls through ${name}`, () => {
    const where = ns(`sysctl-${name}`)
    beforeAll(() => {
      makeSpace(where)
      inside(where, 'ip', 'link', 'add', DOTTED, 'type', 'bridge')
    })
    afterAll(() => deleteSpace(where))

    const sysctl = (key: SysctlName, value: string, otherwise = '0'): Sysctl => ({
      kind: 'sysctl',
      ns: where,
      name: key,
      value,
      otherwise,
    })
    const set = (key: SysctlName, value: string): KernelOp => ({ verb: 'create', object: sysctl(key, value) })
    const run = async (...ops: ReadonlyArray<KernelOp>): Promise<ReadonlyArray<string>> =>
      rightOf(await make().run(where, ops)).map(({ at, complaint }) => `${at} ${complaint.errno}`)
    const look = async (...asked: ReadonlyArray<SysctlName>): Promise<ReadonlyArray<string>> =>
      rightOf(await make().look(where, asked)).map((one) => `${one.name}=${one.value}`)
    const shown = (key: SysctlName): string => inside(where, 'cat', fileOf(key)).trim()

    test('what is written is there, and what is there is read', async () => {
      const all = [
        FORWARD4,
        FORWARD6,
        ICMP_LIMIT4,
        ICMP_LIMIT6,
        LOCALNET,
        deviceSysctl(4, DOTTED, 'rp_filter'),
        deviceSysctl(4, DOTTED, 'proxy_arp'),
        deviceSysctl(4, DOTTED, 'forwarding'),
        deviceSysctl(6, DOTTED, 'disable_ipv6'),
        deviceSysctl(6, DOTTED, 'accept_ra'),
        deviceSysctl(6, ifName('default'), 'forwarding'),
      ]
      for (const on of [true, false, true]) {
        const value = (key: SysctlName): string =>
          !on ? '0' : key === ICMP_LIMIT4 || key === ICMP_LIMIT6 ? '500' : '1'
        expect(await run(...all.map((key) => set(key, value(key))))).toEqual([])
        expect(await look(...all)).toEqual(all.map((key) => `${key}=${value(key)}`))
        expect(all.map(shown)).toEqual(all.map(value))
      }
    })

    test('the namespace of this process is left alone, and can be read', async () => {
      const ours = readFileSync(fileOf(FORWARD4), 'utf8').trim()
      for (const value of ['0', '1']) {
        expect(await run(set(FORWARD4, value), set(ICMP_LIMIT4, '700'))).toEqual([])
        expect(readFileSync(fileOf(FORWARD4), 'utf8').trim()).toBe(ours)
      }
      expect(readFileSync(fileOf(ICMP_LIMIT4), 'utf8').trim()).not.toBe('700')
      expect(rightOf(await make().look(HOST, [FORWARD4]))[0]?.value).toBe(ours)
    })

    test('a change writes the new value, a deletion the one that was there otherwise', async () => {
      const [from, to] = [sysctl(ICMP_LIMIT4, '500'), sysctl(ICMP_LIMIT4, '600', '1000')]
      expect(await run({ verb: 'change', from, object: to })).toEqual([])
      expect(shown(ICMP_LIMIT4)).toBe('600')
      expect(await run({ verb: 'delete', object: to })).toEqual([])
      expect(shown(ICMP_LIMIT4)).toBe('1000')
    })

    test('what is refused says why, and does not stop the others', async () => {
      expect(
        await run(
          set(FORWARD4, 'yes'),
          set(LOCALNET, '1'),
          set(deviceSysctl(4, GONE, 'route_localnet'), '1'),
          set(ICMP_LIMIT4, '-1'),
          set(deviceSysctl(6, GONE, 'forwarding'), '1'),
          set(ICMP_LIMIT6, '900'),
        ),
      ).toEqual(['0 EINVAL', '2 ENOENT', '3 EINVAL', '4 ENOENT'])
      expect(shown(LOCALNET)).toBe('1')
      expect(shown(ICMP_LIMIT6)).toBe('900')
    })

    test('what is not there is left out', async () => {
      expect(await look(deviceSysctl(4, GONE, 'rp_filter'), LOCALNET)).toEqual([`${LOCALNET}=1`])
      expect(await look()).toEqual([])
    })

    test('several values of one are read with single spaces between them', async () => {
      // Not one of ours; the look takes any.
      const range = 'net.ipv4.ip_local_port_range' as SysctlName
      expect(await look(range)).toEqual([`${range}=32768 60999`])
    })

    test('many are read, in order', async () => {
      const many = Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? LOCALNET : ICMP_LIMIT6))
      expect(await look(...new Set(many))).toHaveLength(2)
      expect((await look(...many)).length).toBe(300)
    })

    test('in a namespace that is not there nothing is held, and everything is refused', async () => {
      const nowhere = ns('sysctl-nowhere')
      expect(rightOf(await make().look(nowhere, [FORWARD4]))).toEqual([])
      expect(rightOf(await make().run(nowhere, [set(FORWARD4, '1')])).map((one) => one.complaint.errno)).toEqual([
        'ENOENT',
      ])
    })
  })
}

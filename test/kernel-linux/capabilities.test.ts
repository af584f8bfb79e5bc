// What the machine can do: found out without a trace, and as the kernel's own configuration has it.

import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { gunzipSync } from 'node:zlib'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { lookAtMachine } from '../../src/kernel-linux/capabilities/look.ts'
import { modulesIn } from '../../src/kernel-linux/capabilities/modules.ts'
import { tryOut } from '../../src/kernel-linux/capabilities/trial.ts'
import {
  type Ability,
  abilityText,
  BASICS,
  type Capabilities,
  FEATURES,
  type Feature,
  lacking,
  lackingOf,
  userText,
} from '../../src/kernel-linux/capabilities.ts'
import { runWithin, TOOLS } from '../../src/kernel-linux/run.ts'
import { needs } from '../lib/need.ts'

const THERE: Ability = { is: 'there' }
const machine = (
  features: Partial<Record<Feature, Ability>>,
  tools: Partial<Capabilities['tools']> = {},
): Capabilities => ({
  kernel: '6.1.0',
  user: { uid: 0, netAdmin: true, sysAdmin: true, inUserNamespace: false },
  tried: 'network namespace',
  features: { ...(Object.fromEntries(FEATURES.map((each) => [each, THERE])) as Capabilities['features']), ...features },
  tools: { ...(Object.fromEntries(TOOLS.map((each) => [each, '1'])) as Capabilities['tools']), ...tools },
  transport: 'netlink',
})

describe('what is lacking', () => {
  const why = 'Unknown device type'
  test('is a sentence with the reason', () => {
    expect(lacking(machine({ ipvlan: { is: 'lacking', why } }), 'ipvlan')).toBe(`this kernel has no ipvlan: ${why}`)
    expect(lackingOf(machine({}, { nft: null }), [])).toEqual([
      "the program nft was not found: apt-get install nftables (or your system's own package)",
    ])
  })

  test('is only what is known to be: neither what a module will bring, nor what could not be asked', () => {
    const abilities: ReadonlyArray<Ability> = [THERE, { is: 'loadable', module: 'veth' }, { is: 'unknown', why }]
    for (const veth of abilities) expect(lackingOf(machine({ veth }), BASICS)).toEqual([])
  })

  test('is told of all needs, in their order', () => {
    const gone: Ability = { is: 'lacking', why }
    const told = lackingOf(machine({ veth: gone, bridge: gone, ipvlan: gone }, { ip: null }), BASICS)
    expect(told.map((sentence) => sentence.split(':')[0])).toEqual([
      'the program ip was not found',
      'this kernel has no bridge',
      'this kernel has no veth',
    ])
  })
})

test('abilities and users in words', () => {
  expect(abilityText({ is: 'loadable', module: 'vxlan' })).toBe(
    'yes, as module vxlan, which is loaded when it is first needed',
  )
  expect(abilityText({ is: 'unknown', why: 'no' })).toBe('not known: no')
  expect(userText({ uid: 7, netAdmin: true, sysAdmin: false, inUserNamespace: true })).toBe(
    'uid 7, with CAP_NET_ADMIN, in a user namespace',
  )
})

test('modules are read from modules.dep by the names that the kernel has for them', () => {
  const dep =
    'kernel/net/8021q/8021q.ko.xz: kernel/net/llc/llc.ko.xz\nkernel/a/nft-x.ko: \nkernel/net/llc/llc.ko.zst:\n'
  expect([...modulesIn(dep)]).toEqual(['8021q', 'nft_x', 'llc'])
})

/** What decides about it when a kernel is built. */
const CONFIG: Partial<Record<Feature, string>> = {
  bridge: 'BRIDGE',
  veth: 'VETH',
  vxlan: 'VXLAN',
  macvlan: 'MACVLAN',
  ipvlan: 'IPVLAN',
  vlan: 'VLAN_8021Q',
  dummy: 'DUMMY',
  tun: 'TUN',
  'vlan-filtering': 'BRIDGE_VLAN_FILTERING',
  'nft-nat': 'NFT_NAT',
  'nft-fib': 'NFT_FIB_INET',
  'nft-ct': 'NFT_CT',
}
/** Where a kernel has it, or a distribution keeps it; null where neither does. */
const configuration = (): string | null => {
  const [own, kept] = ['/proc/config.gz', `/boot/config-${release()}`]
  if (existsSync(own)) return gunzipSync(readFileSync(own)).toString()
  return existsSync(kept) ? readFileSync(kept, 'utf8') : null
}

needs.kernel('a look at this machine', () => {
  /** Namespaces of other tests come and go meanwhile. */
  const state = async (): Promise<string> =>
    (
      await execa('sh', [
        '-c',
        'ip -o link | sed "s/<.*//"; nft list ruleset; cut -d" " -f1 /proc/modules; grep -v netns /proc/self/mounts',
      ])
    ).stdout

  test('finds all that the tests of this project need, and changes nothing', async () => {
    const before = await state()
    const found = await lookAtMachine()
    expect(lackingOf(found, BASICS)).toEqual([])
    expect(found).toMatchObject({ tried: 'network namespace', transport: 'netlink', user: { uid: 0, netAdmin: true } })
    for (const tool of TOOLS) expect(found.tools[tool]).toMatch(/^\d/)
    expect(await state()).toBe(before)
  })

  test('agrees with the configuration the kernel was built with', async () => {
    const config = configuration()
    if (config === null) return
    const { features } = await lookAtMachine()
    for (const feature of FEATURES) {
      const option = CONFIG[feature]
      if (option === undefined) continue
      const isBuilt = new RegExp(`^CONFIG_${option}=[ym]$`, 'm').test(config)
      expect([feature, features[feature].is !== 'lacking'], JSON.stringify(features[feature])).toEqual([
        feature,
        isBuilt,
      ])
    }
  })

  test('does not ask for what a sleeping module brings', async () => {
    const found = await tryOut(runWithin(1), ['--net'], (module) => module === 'vxlan' || module === 'nft_ct')
    expect([found.vxlan, found['nft-ct']]).toEqual([
      { is: 'loadable', module: 'vxlan' },
      { is: 'loadable', module: 'nft_ct' },
    ])
    expect(found.veth).toEqual(THERE)
  })

  test('says that it is not known where nothing can be tried', async () => {
    const found = await tryOut(runWithin(1, '/nonexistent'), ['--net'], () => false)
    for (const ability of Object.values(found)) expect(ability.is).toBe('unknown')
  })
})

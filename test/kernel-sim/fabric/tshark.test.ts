// Journeys across a fabric as captures: Wireshark's tshark finds every protocol in them, and nothing malformed, no checksum wrong.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Ask } from '../../../src/kernel/rtnl/request.ts'
import type { Try } from '../../../src/kernel/traffic.ts'
import { captureAll } from '../../../src/kernel-sim/datapath/capture.ts'
import type { Step } from '../../../src/kernel-sim/datapath/step.ts'
import type { Fabric } from '../../../src/kernel-sim/fabric/fabric.ts'
import { cidr } from '../../../src/net/cidr.ts'
import { ip } from '../../../src/net/ip.ts'
import { HOST, ifName } from '../../../src/net/name.ts'
import { port } from '../../../src/net/port.ts'
import { needs } from '../../lib/need.ts'
import { CHECKSUMS, COMPLAINS, hasBadChecksum, shownBy } from '../../lib/tshark.ts'
import { fabricOf, tryOn } from './lab.ts'
import { asked } from './stories/build.ts'
import { served, storyOf } from './stories/story.ts'

const PLACES = ['a', 'b'].map((host) => ({ host, ns: HOST, ips: [] }))
const TAGGED = ifName('eth0.7')

const address = (dev: string, text: string): Ask => ({
  on: 'address',
  do: 'add',
  dev: ifName(dev),
  cidr: cidr(text),
  ...(text.includes(':') ? { nodad: true } : {}),
})

/** A tunnel to the other of two hosts, over one of the families, with a network of its own in it. */
const tunnel = (n: number, family: 4 | 6): ReadonlyArray<Ask> => {
  const name = ifName(`vx${family}`)
  const remote = ip(family === 4 ? `10.0.0.${3 - n}` : `fd00::${3 - n}`)
  return [
    { on: 'link', do: 'add', name, up: true, kind: { kind: 'vxlan', vni: family, port: 4789, remote } },
    address(name, `10.9.${family}.${n}/24`),
    address(name, `fd0${family}::${n}/64`),
  ]
}

const settings = (n: number): ReadonlyArray<Ask> => [
  { on: 'link', do: 'add', name: TAGGED, dev: ifName('eth0'), up: true, kind: { kind: 'vlan', id: 7 } },
  address(TAGGED, `10.7.0.${n}/24`),
  address(TAGGED, `fd07::${n}/64`),
  ...tunnel(n, 4),
  ...tunnel(n, 6),
]

/** Hosts a and b on a segment, with a VLAN, a tunnel over each family, and servers. */
const parade = (): Fabric => {
  let fabric = fabricOf(1, ['a', 'b'], { delayMs: 1 })
  for (const [i, host] of ['a', 'b'].entries())
    for (const ask of settings(i + 1)) {
      const { fabric: next, errno } = asked(fabric, host, { ns: HOST, ask })
      if (errno !== null) throw new Error(`${host}: ${errno}`)
      fabric = next
    }
  return served(fabric, PLACES)
}

const NETWORKS = ['10.0.0.2', 'fd00::2', '10.7.0.2', 'fd07::2', '10.9.4.2', 'fd04::2', '10.9.6.2', 'fd06::2'].map(ip)
/** The second is longer than any packet. */
const SIZES = [100, 4000]

const tries: ReadonlyArray<Try> = NETWORKS.flatMap((to) =>
  SIZES.flatMap((size): ReadonlyArray<Try> => {
    const common = { ns: HOST, to, size, port: port(80), listener: null }
    return [
      { send: 'ping', ns: HOST, to, size },
      { send: 'udp', ...common },
      { send: 'tcp', ...common },
      { send: 'udp', ...common, port: port(81) },
    ]
  }),
)

/** What is seen on the cable between the hosts; the tunnels' packets are inside of others. */
const FOUND: Readonly<Record<string, string>> = {
  ARP: 'arp',
  ND: 'icmpv6.type == 135',
  ICMP: 'icmp.type == 8',
  'ICMP errors': 'icmp.type == 3',
  ICMPv6: 'icmpv6.type == 128',
  'ICMPv6 errors': 'icmpv6.type == 1',
  'UDP over IPv4': 'ip && udp && !vxlan',
  'UDP over IPv6': 'ipv6 && udp && !vxlan',
  'TCP over IPv4': 'ip && tcp && !vxlan',
  'TCP over IPv6': 'ipv6 && tcp && !vxlan',
  'IPv4 in VXLAN over IPv4': 'vxlan.vni == 4 && tcp && !ipv6',
  'IPv6 in VXLAN over IPv4': 'vxlan.vni == 4 && ip && ipv6',
  'IPv4 in VXLAN over IPv6': 'vxlan.vni == 6 && ip && ipv6',
  'IPv6 in VXLAN over IPv6': 'vxlan.vni == 6 && tcp && !ip',
  'IPv4 in 802.1Q': 'vlan.id == 7 && ip',
  'IPv6 in 802.1Q': 'vlan.id == 7 && ipv6',
  'fragments of IPv4': 'ip.flags.mf == 1',
  'fragments of IPv6': 'ipv6.fraghdr.more == 1',
  'fragments put together': 'ip.reassembled.length > 3000',
}

/** Said of what a conversation came to, and no fault of its packets. */
const CONVERSATION = /Connection reset|Duplicate IP address/

needs.programs('tshark')('tshark', () => {
  let folder = ''
  const files: string[] = []
  const write = (name: string, steps: ReadonlyArray<Step>) => {
    files.push(join(folder, name))
    writeFileSync(join(folder, name), captureAll(steps))
  }
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cnm-fabric-'))
    let fabric = parade()
    const steps: Step[] = []
    for (const attempt of tries) {
      const tried = tryOn(fabric, 'a', attempt)
      fabric = tried.fabric
      steps.push(...tried.steps)
    }
    write('parade.pcapng', steps)
    for (const seed of [1, 2, 3]) write(`story-${seed}.pcapng`, storyOf(seed).steps)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.for(Object.entries(FOUND))('finds %s', ([, filter]) => {
    expect(shownBy(files[0] ?? '', ['frame.number'], filter)).not.toEqual([])
  })

  test('has nothing to complain of, and finds no checksum wrong', () => {
    for (const file of files) {
      const shown = shownBy(file, ['frame.number', ...CHECKSUMS])
      expect(shown.length).toBeGreaterThan(20)
      expect(shown.filter(hasBadChecksum)).toEqual([])
      const complaints = shownBy(file, ['frame.number', '_ws.malformed', '_ws.expert.message'], COMPLAINS)
      expect(complaints.filter((one) => !CONVERSATION.test(one['_ws.expert.message'] ?? ''))).toEqual([])
    }
  })

  test('names each device by its host, namespace and name', () => {
    const names = shownBy(files[0] ?? '', ['frame.interface_name'])
    expect(new Set(names.map((one) => one['frame.interface_name']))).toEqual(
      new Set(['a', 'b'].flatMap((host) => ['eth0', 'eth0.7', 'vx4', 'vx6'].map((dev) => `${host}/host/${dev}`))),
    )
  })
})

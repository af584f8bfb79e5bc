// Links made through netlink are what `ip -d` shows, and dumps say what it says: two witnesses of one kernel.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  addVlans,
  decodeBridgePort,
  deleteVlans,
  dumpBridgePorts,
  setPort,
} from '../../../src/kernel-linux/netlink/codec/bridge-port.ts'
import type { LinkInfo } from '../../../src/kernel-linux/netlink/codec/kinds.ts'
import {
  changeLink,
  createLink,
  decodeLink,
  deleteLink,
  dumpLinks,
  getLink,
  type LinkMessage,
} from '../../../src/kernel-linux/netlink/codec/link.ts'
import { ask, dump } from '../../../src/kernel-linux/netlink/conversation.ts'
import * as L from '../../../src/kernel-linux/netlink/uapi/if-link.ts'
import { ip, isIp4, isIp6 } from '../../../src/net/ip.ts'
import { mac, showMac } from '../../../src/net/mac.ts'
import { needs } from '../../lib/need.ts'
import { rightOf } from '../labs.ts'
import { type Json, needsKind, type Space, space } from './lab.ts'

const ip4 = (text: string) => {
  const address = ip(text)
  if (!isIp4(address)) throw new Error(text)
  return address
}
const ip6 = (text: string) => {
  const address = ip(text)
  if (!isIp6(address)) throw new Error(text)
  return address
}

const linksOf = async (there: Space): Promise<ReadonlyArray<LinkMessage>> =>
  rightOf(await dump(there.socket, dumpLinks(), decodeLink)())
const one = async (there: Space, name: string): Promise<LinkMessage> =>
  rightOf(await ask(there.socket, getLink({ name }), decodeLink)())

const infoOf = (link: Json | undefined): Json => (link?.['linkinfo'] ?? {}) as Json
const dataOf = (link: Json | undefined): Json => (infoOf(link)['info_data'] ?? {}) as Json
const shown = (there: Space, dev: string): Json | undefined => there.ip('link', 'show', 'dev', dev)[0]

/** What `ip -j -d link` and a dump both tell of a link, in one form. */
const fromIp = (link: Json, index: (name: unknown) => number | undefined) => ({
  index: link['ifindex'],
  name: link['ifname'],
  mac: link['address'],
  mtu: link['mtu'],
  up: (link['flags'] as string[]).includes('UP'),
  alias: link['ifalias'],
  master: index(link['master']),
  below: link['link'] === undefined ? link['link_index'] : index(link['link']),
  nsid: link['link_netnsid'],
  kind: infoOf(link)['info_kind'],
  slave: infoOf(link)['info_slave_kind'],
  addrGenMode: link['inet6_addr_gen_mode'],
  queues: [link['num_tx_queues'], link['num_rx_queues']],
  mtus: [link['min_mtu'], link['max_mtu']],
  txqlen: link['txqlen'],
})
const GEN_MODES = ['eui64', 'none', 'stable_secret', 'random']
const fromDump = (link: LinkMessage) => ({
  index: link.index,
  name: link.name,
  mac: link.mac === undefined ? undefined : showMac(link.mac),
  mtu: link.mtu,
  up: (link.flags & L.IFF_UP) !== 0,
  alias: link.alias,
  master: link.master,
  below: link.link,
  nsid: link.linkNetnsid,
  kind: link.linkinfo?.info?.kind,
  slave: link.linkinfo?.slave?.kind,
  addrGenMode: GEN_MODES[link.afSpec?.inet6?.addrGenMode ?? -1],
  queues: [link.numTxQueues, link.numRxQueues],
  mtus: [link.minMtu, link.maxMtu],
  txqlen: link.txqlen,
})

needs.kernel('links', () => {
  let here: Space
  let there: Space
  beforeAll(() => {
    here = space('links-a')
    there = space('links-b')
  })
  afterAll(async () => {
    await here.close()
    await there.close()
  })

  test('a bridge has the options it was given', async () => {
    const options = {
      forwardDelay: 400,
      helloTime: 300,
      ageingTime: 12000,
      stpState: 1,
      priority: 4096,
      groupFwdMask: 8,
      mcastSnooping: false,
      mcastQuerier: false,
      nfCallIptables: true,
    }
    const wish = { name: 'br0', index: 1000, mac: mac(0x02_42_00_00_00_01), up: true }
    await here.does(
      createLink({ ...wish, linkinfo: { info: { kind: 'bridge', options } } }),
      changeLink({ index: 1000, alias: 'cnm:n1' }),
    )
    const link = shown(here, 'br0')
    expect(link).toMatchObject({ ifindex: 1000, address: '02:42:00:00:00:01', ifalias: 'cnm:n1' })
    expect(dataOf(link)).toMatchObject({
      forward_delay: 400,
      hello_time: 300,
      ageing_time: 12000,
      stp_state: 1,
      priority: 4096,
      group_fwd_mask: '0x8',
      mcast_snooping: 0,
      nf_call_iptables: 1,
    })
    expect((await one(here, 'br0')).linkinfo?.info).toMatchObject({ kind: 'bridge', options })
  })

  test('a veth is made with its other end in another namespace, its master, and up, in one message', async () => {
    const info: LinkInfo = {
      kind: 'veth',
      peer: { name: 'eth0', index: 2001, mtu: 1400, mac: mac(0x02_42_ac_00_00_02), netNsFd: here.fdOf(there) },
    }
    await here.does(createLink({ name: 'v0', index: 1001, mtu: 1400, master: 1000, up: true, linkinfo: { info } }))
    expect(shown(here, 'v0')).toMatchObject({ ifindex: 1001, mtu: 1400, master: 'br0', link_index: 2001 })
    expect(shown(there, 'eth0')).toMatchObject({
      ifindex: 2001,
      mtu: 1400,
      address: '02:42:ac:00:00:02',
      link_index: 1001,
    })
    const link = await one(here, 'v0')
    expect(link).toMatchObject({ index: 1001, link: 2001, master: 1000, linkinfo: { info: { kind: 'veth' } } })
    expect(link.linkNetnsid).toBe(shown(here, 'v0')?.['link_netnsid'])
  })

  test('a veth between two names of one namespace', async () => {
    await here.does(createLink({ name: 'a0', linkinfo: { info: { kind: 'veth', peer: { name: 'a1' } } } }))
    const [a0, a1] = [await one(here, 'a0'), await one(here, 'a1')]
    expect([a0.link, a1.link]).toEqual([a1.index, a0.index])
    expect(a0.linkNetnsid).toBeUndefined()
  })

  test('changes: name, MAC, MTU, alias, group, state, address generation, and back', async () => {
    const addrGenMode = L.IN6_ADDR_GEN_MODE_NONE
    await here.does(
      changeLink({
        name: 'a0',
        mac: mac(0x02_42_00_00_00_77),
        mtu: 1300,
        alias: 'cnm:x',
        group: 7,
        up: true,
        afSpec: { inet6: { addrGenMode } },
      }),
    )
    expect(shown(here, 'a0')).toMatchObject({
      address: '02:42:00:00:00:77',
      mtu: 1300,
      ifalias: 'cnm:x',
      group: '7',
      inet6_addr_gen_mode: 'none',
    })
    expect(shown(here, 'a0')?.['flags']).toContain('UP')
    await here.does(changeLink({ name: 'a0', alias: '', up: false, mtu: 1500 }))
    const link = shown(here, 'a0')
    expect(link).toMatchObject({ mtu: 1500, address: '02:42:00:00:00:77' })
    expect(link?.['ifalias']).toBeUndefined()
    expect(link?.['flags']).not.toContain('UP')
  })

  test('the loopback device goes up', async () => {
    await here.does(changeLink({ name: 'lo', up: true }))
    expect(shown(here, 'lo')?.['flags']).toContain('UP')
    expect((await one(here, 'lo')).flags & L.IFF_UP).toBe(1)
  })

  test('a master is given and taken', async () => {
    await here.does(changeLink({ name: 'a0', master: 1000 }))
    expect(shown(here, 'a0')?.['master']).toBe('br0')
    await here.does(changeLink({ name: 'a0', master: 0 }))
    expect(shown(here, 'a0')?.['master']).toBeUndefined()
  })

  test('the options of a port, as slave data of its link and in the dump of ports', async () => {
    const options = {
      isolated: true,
      hairpin: true,
      learning: false,
      flood: false,
      neighSuppress: true,
      proxyArp: true,
    }
    await here.does(setPort(1001, options))
    const data = infoOf(shown(here, 'v0'))['info_slave_data']
    expect(data).toMatchObject({
      isolated: true,
      hairpin: true,
      learning: false,
      flood: false,
      neigh_suppress: true,
      proxy_arp: true,
    })
    expect((await one(here, 'v0')).linkinfo?.slave).toMatchObject({ kind: 'bridge', options })
    const ports = rightOf(await dump(here.socket, dumpBridgePorts(), decodeBridgePort)())
    expect(ports.find(({ index }) => index === 1001)).toMatchObject({ master: 1000, options })
  })

  test('a VXLAN', async () => {
    const options = {
      id: 42,
      group: ip4('239.1.1.1'),
      local: ip4('10.0.0.1'),
      port: 4789,
      link: 1000,
      learning: false,
      ttl: 5,
      proxy: true,
      l2miss: true,
      l3miss: true,
      udpZeroCsum6Rx: true,
    }
    await here.does(createLink({ name: 'vx0', mtu: 1450, linkinfo: { info: { kind: 'vxlan', options } } }))
    expect(dataOf(shown(here, 'vx0'))).toMatchObject({
      id: 42,
      group: '239.1.1.1',
      local: '10.0.0.1',
      port: 4789,
      link: 'br0',
      learning: false,
      ttl: 5,
      proxy: true,
      l2miss: true,
      l3miss: true,
    })
    expect((await one(here, 'vx0')).linkinfo?.info).toMatchObject({ kind: 'vxlan', options })
  })

  test('a VXLAN over IPv6', async () => {
    const options = { id: 43, local6: ip6('fd00::1'), port: 4790 }
    await here.does(createLink({ name: 'vx6', linkinfo: { info: { kind: 'vxlan', options } } }))
    expect(dataOf(shown(here, 'vx6'))).toMatchObject({ id: 43, local6: 'fd00::1', port: 4790 })
    expect((await one(here, 'vx6')).linkinfo?.info).toMatchObject({ kind: 'vxlan', options })
  })

  test('a macvlan in another namespace than its parent', async () => {
    const info: LinkInfo = { kind: 'macvlan', options: { mode: L.MACVLAN_MODE_BRIDGE } }
    await here.does(createLink({ name: 'mv0', link: 1000, netNsFd: here.fdOf(there), linkinfo: { info } }))
    expect(dataOf(shown(there, 'mv0'))).toMatchObject({ mode: 'bridge' })
    const link = await one(there, 'mv0')
    expect(link).toMatchObject({ link: 1000, linkinfo: { info } })
    expect(link.linkNetnsid).toBe(shown(there, 'mv0')?.['link_netnsid'])
  })

  test('a dump says what `ip -d link` says, of every link', async () => {
    for (const where of [here, there]) {
      const shownLinks = where.ip('link', 'show')
      const indices = new Map(shownLinks.map((link) => [link['ifname'], Number(link['ifindex'])]))
      const links = await linksOf(where)
      expect(links.length).toBeGreaterThan(2)
      expect(links.map(fromDump)).toEqual(shownLinks.map((link) => fromIp(link, (name) => indices.get(String(name)))))
    }
  })

  test('a dump of one master has its ports only', async () => {
    const ports = rightOf(await dump(here.socket, dumpLinks({ master: 1000 }), decodeLink)())
    expect(ports.map(({ name }) => name)).toEqual(['v0'])
  })

  test('all links of a group are deleted by one message, and both ends of a veth by either', async () => {
    const made = [1, 2, 3].map((n) =>
      createLink({ name: `g${n}`, group: 99, linkinfo: { info: { kind: 'veth', peer: { name: `h${n}` } } } }),
    )
    await here.does(...made, deleteLink({ group: 99 }), deleteLink({ name: 'v0' }))
    const names = here.ip('link', 'show').map((link) => link['ifname'])
    expect(names).toEqual(expect.arrayContaining(['br0', 'a0']))
    for (const gone of ['g1', 'h1', 'g3', 'h3', 'v0']) expect(names).not.toContain(gone)
    expect(there.ip('link', 'show').map((link) => link['ifname'])).not.toContain('eth0')
  })
})

const needsDummy = await needsKind('dummy links', { kind: 'dummy' })
needsDummy('dummy links', () => {
  test('are made, seen and deleted', async () => {
    const here = space('dummy')
    try {
      await here.does(createLink({ name: 'd0', linkinfo: { info: { kind: 'dummy' } } }))
      expect(infoOf(shown(here, 'd0'))['info_kind']).toBe('dummy')
      expect((await one(here, 'd0')).linkinfo?.info).toEqual({ kind: 'dummy' })
      await here.does(deleteLink({ name: 'd0' }))
      expect((await linksOf(here)).map(({ name }) => name)).toEqual(['lo'])
    } finally {
      await here.close()
    }
  })
})

const needsVlan = await needsKind('802.1Q links', { kind: 'vlan', options: { id: 5 } }, true)
needsVlan('802.1Q links', () => {
  test('have their id and protocol', async () => {
    const here = space('vlan')
    try {
      const options = { id: 77, protocol: 0x88a8, flags: { flags: 1, mask: 1 } }
      await here.does(
        createLink({ name: 'below', index: 9, linkinfo: { info: { kind: 'bridge', options: {} } } }),
        createLink({ name: 'below.77', link: 9, linkinfo: { info: { kind: 'vlan', options } } }),
      )
      expect(dataOf(shown(here, 'below.77'))).toMatchObject({ id: 77, protocol: '802.1ad' })
      expect((await one(here, 'below.77')).linkinfo?.info).toMatchObject({
        kind: 'vlan',
        options: { id: 77, protocol: 0x88a8 },
      })
    } finally {
      await here.close()
    }
  })
})

const needsIpvlan = await needsKind('ipvlan', { kind: 'ipvlan', options: { mode: L.IPVLAN_MODE_L2 } }, true)
needsIpvlan('ipvlan links', () => {
  test('have their mode and flags', async () => {
    const here = space('ipvlan')
    try {
      const options = { mode: L.IPVLAN_MODE_L3S, flags: L.IPVLAN_F_PRIVATE }
      await here.does(
        createLink({ name: 'below', index: 9, linkinfo: { info: { kind: 'bridge', options: {} } } }),
        createLink({ name: 'iv0', link: 9, linkinfo: { info: { kind: 'ipvlan', options } } }),
      )
      expect(dataOf(shown(here, 'iv0'))).toMatchObject({ mode: 'l3s' })
      expect((await one(here, 'iv0')).linkinfo?.info).toEqual({ kind: 'ipvlan', options })
    } finally {
      await here.close()
    }
  })
})

const needsFiltering = await needsKind('VLAN filtering on bridges', {
  kind: 'bridge',
  options: { vlanFiltering: true },
})
needsFiltering("a bridge's VLANs", () => {
  let here: Space
  beforeAll(async () => {
    here = space('bridge-vlans')
    await here.does(
      createLink({ name: 'br0', index: 10, linkinfo: { info: { kind: 'bridge', options: { vlanFiltering: true } } } }),
      createLink({
        name: 'p0',
        index: 11,
        master: 10,
        linkinfo: { info: { kind: 'veth', peer: { name: 'p1' } } },
      }),
    )
  })
  afterAll(() => here.close())

  const untagged = L.BRIDGE_VLAN_INFO_PVID | L.BRIDGE_VLAN_INFO_UNTAGGED
  const vlansAt = async (index: number) =>
    rightOf(await dump(here.socket, dumpBridgePorts(), decodeBridgePort)()).find((port) => port.index === index)?.spec
      ?.vlans
  const byBridge = (dev: string) => here.bridge('vlan', 'show').find((port) => port['ifname'] === dev)?.['vlans']

  describe('of a port', () => {
    test('are added, seen and taken', async () => {
      await here.does(
        deleteVlans({ index: 11, self: false, vlans: [{ vid: 1, flags: 0 }] }),
        addVlans({
          index: 11,
          self: false,
          vlans: [
            { vid: 30, flags: untagged },
            { vid: 40, flags: 0 },
          ],
        }),
      )
      expect(byBridge('p0')).toMatchObject([{ vlan: 30, flags: ['PVID', 'Egress Untagged'] }, { vlan: 40 }])
      expect(await vlansAt(11)).toEqual([
        { vid: 30, flags: untagged },
        { vid: 40, flags: 0 },
      ])
    })
  })
  describe('of the bridge itself', () => {
    test('are added as a range', async () => {
      const vlans = [
        { vid: 100, flags: L.BRIDGE_VLAN_INFO_RANGE_BEGIN },
        { vid: 103, flags: L.BRIDGE_VLAN_INFO_RANGE_END },
      ]
      await here.does(addVlans({ index: 10, self: true, vlans }))
      expect((await vlansAt(10))?.map(({ vid }) => vid)).toEqual([1, 100, 101, 102, 103])
    })
  })
})
